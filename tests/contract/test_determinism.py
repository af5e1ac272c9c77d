"""Equal bytes everywhere: three hash seeds, every Python from 3.11 that is present (A39)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.contract.transactions import REGISTRY
from tests.support.story import story, text, used

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("story.txt")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def interpreters() -> dict[str, str]:
    """Return the path of one interpreter per version found, by asking each what it is."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable]
    for version in VERSIONS:
        candidates += [path for path in (shutil.which(f"python{version}"),) if path]
        candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
    found: dict[str, str] = {}
    for path in candidates:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        answer = re.match(r"Python (\d+\.\d+)", asked.stdout) if asked.returncode == 0 else None
        if answer is not None and answer[1] in VERSIONS:
            found.setdefault(answer[1], path)
    return found


INTERPRETERS = interpreters()


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
@pytest.mark.parametrize("version", sorted(INTERPRETERS))
def test_every_python_and_hash_seed_writes_the_same_bytes(version: str, seed: str) -> None:
    told = subprocess.run(
        [INTERPRETERS[version], "-m", "tests.support.story"],
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr.decode()
    assert told.stdout == KEPT.read_bytes()


def test_the_story_uses_every_transaction() -> None:
    assert used(story()) == {*REGISTRY}


def test_stored_values_have_not_drifted() -> None:
    assert text(story()) == KEPT.read_text()
