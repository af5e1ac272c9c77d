"""Row 5: verifying a long ledger, against git as a tamper-evident log and against OpenSSL's verifications.

Both logs hold the same entries: ours in signed Merkle blocks of 100, git as commits with the entry as message. The
first comparison verifies linkage, block signatures and Merkle roots, as git fsck verifies hashes and linkage; the
second verifies every client's signature and certificate besides, on all cores.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.blocks import (
    NONCE_BYTES,
    EmbeddedChain,
    Head,
    envelope_content,
    hash_of,
    transaction_content,
    verify_envelope,
)
from ledger.contract import canonical
from ledger.genesis import genesis_block, genesis_content
from ledger.signatures import signed_bytes
from tests.benchmarks.measurement import Result, pairs, version, wall
from tests.support.certificates import NOW
from tests.support.ledger import ALDER, BIRCH, CAROL, LEDGER_KEY, forged_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENTRIES = 100_000
FEWER = 10_000
PER_BLOCK = 100
SIGNED = 8_000


def measure() -> list[Result]:
    """Compare, and show that time is linear in entries and shared by two workers."""
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(cores) as workers:
        chain, envelopes, file = _ledger(Path(name) / "blocks")
        repository = _repository(Path(name) / "log", envelopes)
        fsck = ["git", "-C", str(repository), "fsck", "--no-progress"]
        against_git = pairs(wall, lambda: _verify(chain, file, ENTRIES), lambda: subprocess.run(fsck, check=True))
        growth = pairs(wall, lambda: _verify(chain, file, ENTRIES), lambda: _verify(chain, file, FEWER))
        signed = envelopes[:SIGNED]
        speeds = [(_rate(workers, chain, signed, cores), _openssl() * cores) for _ in range(5)]
        shared = pairs(wall, lambda: _spread(workers, chain, signed, cores), lambda: _spread(workers, chain, signed, 1))
    ssl = version("openssl", "version")
    return [
        Result(
            "5", "verify 100,000 entries / git fsck", ("<=", 1.0), _ratios(against_git), version("git", "--version")
        ),
        Result("5a", "entries with signature / verifications", (">=", 0.85), _ratios(speeds), f"{ssl}, {cores} cores"),
        Result(
            "5b",
            "per entry, 100,000 / 10,000",
            ("<=", 1.15),
            tuple(a / b * FEWER / ENTRIES for a, b in growth),
            "itself",
        ),
        Result("5c", f"one worker / {cores} workers", (">=", 1.7), tuple(b / a for a, b in shared), "itself"),
    ]


def _ledger(path: Path) -> tuple[EmbeddedChain, list[bytes], Path]:
    """Write blocks of signed entries to a file, length first; return their judge and the entries."""
    content = genesis_content(
        {"Alder": ALDER.roots, "Birch": BIRCH.roots}, LEDGER_KEY.public_key, NOW, bytes(NONCE_BYTES)
    )
    head = Head(0, hash_of(content), NOW)
    genesis = genesis_block(content, LEDGER_KEY.sign(signed_bytes("genesis", head.hash, content)))
    chain = EmbeddedChain.of(genesis, head.hash)
    envelopes = [_envelope(head.hash, number) for number in range(ENTRIES)]
    with path.open("wb") as file:
        for start in range(0, ENTRIES, PER_BLOCK):
            block, head = forged_block(head, envelopes[start : start + PER_BLOCK], chain.network_id)
            file.write(len(block).to_bytes(4, "big") + block)
    return chain, envelopes, path


def _envelope(network_id: str, number: int) -> bytes:
    nonce = number.to_bytes(NONCE_BYTES, "big")
    content = transaction_content(network_id, nonce, NOW, CAROL, "Count", canonical.encode({"name": f"c{number}"}))
    return envelope_content(0, CAROL.sign(signed_bytes("transaction", network_id, content)), content)


def _repository(path: Path, envelopes: list[bytes]) -> Path:
    """The same entries as commits."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "log", path], check=True)
    with subprocess.Popen(["git", "-C", path, "fast-import", "--quiet"], stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        for number, envelope in enumerate(envelopes, 1):
            parent = f"from :{number - 1}\n" if number > 1 else ""
            head = f"commit refs/heads/log\nmark :{number}\ncommitter c <c> {NOW} +0000\ndata {len(envelope)}\n"
            importer.stdin.write(head.encode() + envelope + b"\n" + parent.encode() + b"\n")
    assert importer.returncode == 0
    return path


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while length := file.read(4):
            yield file.read(int.from_bytes(length, "big"))


def _verify(chain: EmbeddedChain, path: Path, entries: int) -> None:
    head = chain.start
    for block in islice(_blocks(path), entries // PER_BLOCK):
        head = chain.verify_block(block, head).head
    assert head.number == entries // PER_BLOCK


def _spread(workers: ProcessPoolExecutor, chain: EmbeddedChain, envelopes: list[bytes], parts: int) -> None:
    """Verify envelopes in so many equal parts at once."""
    size = len(envelopes) // parts
    chunks = [envelopes[start : start + size] for start in range(0, size * parts, size)]
    assert sum(workers.map(partial(_verify_all, chain), chunks)) == size * parts


def _verify_all(chain: EmbeddedChain, envelopes: list[bytes]) -> int:
    return len({verify_envelope(envelope, chain.genesis).transaction_id for envelope in envelopes})


def _rate(workers: ProcessPoolExecutor, chain: EmbeddedChain, envelopes: list[bytes], cores: int) -> float:
    return len(envelopes) / wall(lambda: _spread(workers, chain, envelopes, cores))


def _openssl() -> float:
    """P-256 verifications per second on one core."""
    done = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "ecdsap256"], capture_output=True, text=True, check=True
    )
    last = done.stdout.splitlines()[-1]
    return float(re.findall(r"[\d.]+", last)[-1])


def _ratios(measured: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(mine / theirs for mine, theirs in measured)
