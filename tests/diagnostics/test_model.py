"""Only approved and unchanged models open, and nothing of them is parsed before."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diagnostics.model import CARD, CASES, MANIFEST, MAX_BYTES, ONNX, SKOPS, ModelError, hash_of, load_model
from ledger.commitments import commitment
from ledger.contract import canonical
from tests.diagnostics.conftest import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


def refusal(folder: Path, approved: set[str]) -> tuple[str, str]:
    with pytest.raises(ModelError) as caught:
        load_model(folder, approved)
    return caught.value.code, caught.value.file


def test_the_manifest_is_canonical_and_complete() -> None:
    manifest = canonical.decode_object((FOLDER / MANIFEST).read_bytes())
    assert set(manifest) == {"skops", "onnx", "card", "training_commitment", "training_consents"}


def test_the_training_commitment_is_the_ledgers() -> None:
    card = json.loads((FOLDER / CARD).read_bytes())
    manifest = json.loads((FOLDER / MANIFEST).read_bytes())
    opened = commitment(bytes.fromhex(card["training"]["salt"]), (FOLDER / CASES).read_bytes())
    assert manifest["training_commitment"] == opened


@pytest.mark.parametrize("approved", [set(), {"0" * 64}])
def test_an_unregistered_model_does_not_open(folder: Path, approved: set[str]) -> None:
    for name in (ONNX, SKOPS, CARD, CASES):
        (folder / name).unlink()  # so that reading any of them would give another error
    assert refusal(folder, approved) == ("not-approved", MANIFEST)


@pytest.mark.parametrize("name", [ONNX, SKOPS, CARD, CASES])
def test_one_flipped_bit_is_named(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert refusal(folder, {hash_of(folder)}) == ("changed", name)


def test_a_manifest_for_other_files_is_another_model(folder: Path) -> None:
    approved = {hash_of(folder)}
    manifest = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(canonical.encode({**manifest, "onnx": "0" * 64}))
    assert refusal(folder, approved) == ("not-approved", MANIFEST)


@pytest.mark.parametrize("name", [MANIFEST, ONNX, CARD, CASES])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    approved = {hash_of(folder)}
    (folder / name).unlink()
    assert refusal(folder, approved) == ("missing", name)


def test_a_file_of_two_gigabytes_is_not_read(folder: Path) -> None:
    with (folder / ONNX).open("r+b") as file:
        file.truncate(2_000_000_000)
    assert MAX_BYTES < 2_000_000_000
    assert refusal(folder, {hash_of(folder)}) == ("too-large", ONNX)


def test_no_learning_library_is_imported_to_suggest() -> None:
    """The desktop answers with numpy and ONNX Runtime alone: scikit-learn would cost seconds."""
    program = (
        "import sys; from pathlib import Path; from diagnostics.suggestion import *; "
        f"folder = Path({str(FOLDER)!r}); suggest(load_model(folder, {{hash_of(folder)}}), 'heart', {{}}); "
        "print(sorted({'sklearn', 'scipy', 'skops', 'onnx', 'joblib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "[]\n"
