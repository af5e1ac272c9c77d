"""A ledger whose process is killed at any moment keeps every entry that it acknowledged (HOSTILE.md 35, 43)."""

import os
import random
import subprocess
import sys
from pathlib import Path

from tests.support.ledger import count, create_ledger, open_ledger

RUNS = 100 if os.environ.get("ASSENT_DEEP") else 4
REPOSITORY = Path(__file__).resolve().parents[2]


def acknowledged_until_killed(folder: Path, seed: int, lines: int) -> list[str]:
    """Return the ids that a child process acknowledged before it was killed after ``lines`` and a moment."""
    command = [sys.executable, "-m", "tests.support.crashing", str(folder), str(seed)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        seen += child.stdout.readlines()
    return [line.strip() for line in seen if line.endswith("\n")]


def test_kill_minus_nine_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311  # moments, not secrets
    folder = tmp_path / "l"
    create_ledger(folder).close()
    acknowledged: list[str] = []
    for number in range(1, RUNS + 1):
        new = acknowledged_until_killed(folder, number * 1_000_000, chance.randrange(1, 60))
        assert new
        acknowledged += new
        with open_ledger(folder) as ledger:
            assert all(ledger.find_commit(transaction_id) is not None for transaction_id in new)
    with open_ledger(folder) as ledger:
        assert all(ledger.find_commit(transaction_id) is not None for transaction_id in acknowledged)
        assert ledger.verify() is None
        assert count(ledger, "after") == 1
