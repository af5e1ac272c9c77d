"""Row 1: sealing a large record, against age and an OpenSSL hash pass over what age wrote.

Both sides leave the same: an encrypted file on disk, flushed, and its SHA-256. Ours also digests the plaintext. The
memory that a larger record needs more is looked at in fresh processes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.records.description import Category, Person
from app.records.imported import FileSource, ImportObject, ImportRecord, identity_of
from app.records.sealing import seal_record
from app.records.store import FolderStore
from tests.benchmarks.measurement import Result, pairs, version, wall

LARGE, MIDDLE, SMALL = 1_000_000_000, 100_000_000, 10_000_000
BLOCK = 1 << 20


def measure() -> list[Result]:
    """Compare, and show that time is linear in bytes and memory does not grow with them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {size: _file(folder / f"{size}", size) for size in (LARGE, MIDDLE, SMALL)}
        records = {size: _record(path) for size, path in files.items()}
        identity = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
        recipient = identity.split("public key: ")[1].split()[0]

        def ours(size: int = LARGE) -> None:
            seal_record(records[size], FolderStore(folder / "store"))
            shutil.rmtree(folder / "store")

        def age() -> None:
            _age(recipient, files[LARGE], folder / "out")

        def age_and_digest() -> None:
            age()
            subprocess.run(["openssl", "dgst", "-sha256", folder / "out"], capture_output=True, check=True)

        timed = pairs(wall, ours, age_and_digest, age)
        growth = pairs(wall, lambda: ours(LARGE), lambda: ours(MIDDLE), runs=3)
        memory = [_peak(files[LARGE]) - _peak(files[SMALL]) for _ in range(3)]
    peer = f"age {version('age', '--version')}, {version('openssl', 'version')}"
    return [
        Result("1", "seal 1 GB / (age, then SHA-256)", ("<=", 0.75), tuple(a / b for a, b, _ in timed), peer),
        Result("1a", "seal 1 GB / age alone", ("<=", 1.45), tuple(a / c for a, _, c in timed), peer),
        Result("1b", "per byte, 1 GB / 100 MB", ("<=", 1.2), tuple(a / b / 10 for a, b in growth), "itself"),
        Result("1c", "peak memory, 1 GB - 10 MB, in MB", ("<=", 16), tuple(memory), "itself", "a difference"),
    ]


def _file(path: Path, size: int) -> Path:
    block = os.urandom(BLOCK)
    with path.open("wb") as file:
        for start in range(0, size, BLOCK):
            file.write(block[: min(BLOCK, size - start)])
    return path


def _record(path: Path) -> ImportRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    source = FileSource(path, identity_of(path.stat()))
    item = ImportObject(path.name, "application/pdf", path.stat().st_size, digest, None, source)
    return ImportRecord("pdf", Category.DOCUMENT, (), (), (), (), (), (), (), "", Person(), (item,))


def _age(recipient: str, source: Path, target: Path) -> None:
    subprocess.run(["age", "-e", "-r", recipient, "-o", target, source], check=True)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _peak(path: Path) -> float:
    """Peak resident memory of sealing one file in a fresh process, in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.seal", str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as chosen:
        seal_record(_record(Path(sys.argv[1])), FolderStore(Path(chosen) / "store"))
    status = Path("/proc/self/status").read_text(encoding="ascii")  # ru_maxrss would start from the parent's
    sys.stdout.write(str(int(status.split("VmHWM:")[1].split()[0]) / 1024))
