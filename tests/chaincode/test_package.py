"""The package is the same bytes everywhere, so that every hospital approves the same id."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile

import pytest

from app.environment import ROOT
from ledger.chaincode.package import package, package_id, sources_hash
from ledger.contract import CONTRACT_VERSION, canonical


def opened(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as tar:
        assert all((member.mtime, member.uid, member.uname) == (0, 0, "") for member in tar)
        files = {member.name: tar.extractfile(member) for member in tar}
        return {name: file.read() for name, file in files.items() if file is not None}


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_package_is_the_same_bytes_in_every_process(seed: str) -> None:
    program = "import sys; from ledger.chaincode.package import package; sys.stdout.buffer.write(package())"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT, env=environment)
    assert done.stdout == package()


def test_the_package_names_the_contract_and_nothing_else() -> None:
    files = opened(package())
    assert canonical.decode(files["metadata.json"]) == {"label": "assent_1", "path": "", "type": "external"}
    code = opened(files["code.tar.gz"])
    named = {"contract_version": CONTRACT_VERSION, "sources": sources_hash()}
    assert code == {"contract.json": canonical.encode(named)}


def test_the_id_is_what_a_peer_computes() -> None:
    assert package_id() == f"assent_1:{hashlib.sha256(package()).hexdigest()}"
