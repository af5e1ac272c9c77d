"""The chaincode package: the same bytes, and so the same package id, at every hospital and every time.

It holds no code, since the hospital runs the contract itself, and no address or key, which differ from hospital to
hospital. It names the contract by version and by the hash of its sources, so that who approves it can compare.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import ledger.contract
from ledger.contract import CONTRACT_VERSION, canonical

LABEL: Final = f"assent_{CONTRACT_VERSION}"


def package() -> bytes:
    """Return the package as a peer installs it: metadata and code, each file in a tar, both gzipped."""
    contract = canonical.encode({"contract_version": CONTRACT_VERSION, "sources": sources_hash()})
    metadata = canonical.encode({"label": LABEL, "path": "", "type": "external"})
    return _archive({"metadata.json": metadata, "code.tar.gz": _archive({"contract.json": contract})})


def package_id() -> str:
    """Return what a peer calls the package: label and hash."""
    return f"{LABEL}:{hashlib.sha256(package()).hexdigest()}"


def sources_hash() -> str:
    """Return the hash over names and bytes of the contract's source files."""
    digest = hashlib.sha256()
    for path in sorted(Path(ledger.contract.__path__[0]).glob("*.py")):
        digest.update(canonical.encode({"name": path.name, "hash": hashlib.sha256(path.read_bytes()).hexdigest()}))
    return digest.hexdigest()


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Return a tar without times, owners or else that differs from run to run, in a gzip that compresses nothing.

    Compressors differ between versions of zlib; what is stored as it is does not.
    """
    packed = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", compresslevel=0, fileobj=packed, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)  # mtime, uid and gid are 0
            member.size = len(content)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
