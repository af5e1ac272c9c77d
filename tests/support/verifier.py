"""The offline verifier, loaded from its one file as a stranger has it, and attackers' ways to write an export."""

import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ledger.blocks import Head, envelopes_of
from ledger.contract import canonical
from ledger.embedded import EmbeddedLedger
from ledger.merkle import leaf_hash

PROGRAM = Path(__file__).resolve().parents[2] / "resources" / "verifier" / "verify.py"
_NAME = "offline_verifier"


def load() -> ModuleType:
    """Return the verifier as a module, the same one each time."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    specification = importlib.util.spec_from_file_location(_NAME, PROGRAM)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def run(file: Path, *options: str) -> tuple[int, dict[str, object]]:
    """Run the verifier in a process of its own that sees neither our packages nor our environment."""
    command = [sys.executable, "-I", str(PROGRAM), str(file), "--json", *options]
    done = subprocess.run(command, capture_output=True, check=False, text=True, cwd=file.parent)
    assert done.stderr == ""
    verdict: dict[str, object] = json.loads(done.stdout)
    return done.returncode, verdict


def written(network_id: str, blocks: Sequence[bytes], head: Head) -> bytes:
    """Return the export of any blocks, rightful or not."""
    content = canonical.encode({"assent-export": {"network_id": network_id, "version": 1}}) + b"\n"
    for block in blocks:
        lines = [block.split(b"\n")[0]]
        lines += [leaf_hash(envelope).hex().encode() + b" " + envelope for envelope in envelopes_of(block)]
        content += b"\n".join([*lines, b""])
    end = {"hash": head.hash, "number": head.number, "sha256": hashlib.sha256(content).hexdigest()}
    return content + canonical.encode({"end": end}) + b"\n"


def export_of(ledger: EmbeddedLedger) -> bytes:
    """Return the export of a ledger as ``written`` makes it."""
    return written(ledger.network_id, list(ledger.blocks()), ledger.head)
