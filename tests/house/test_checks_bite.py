"""Every check of ./check fails on a planted failure, and passes on the same copy without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.environment import ROOT
from tests.house import mutation
from tests.house.checks import COVERAGE, COVERED, STATIC, TESTS, Part, counts, run_part, summary

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '"""A module of the copy."""\n\n\ndef twice(number: int) -> int:\n    """Double it."""\n    return 2 * number\n'
GOOD_TEST = "from diagnostics.planted import twice\n\n\ndef test_twice() -> None:\n    assert twice(2) == 4\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A small project under the rules of this one: its pyproject.toml, conftest and guards, and one module."""
    for name in ("pyproject.toml", "tests/conftest.py", "tests/support/guards.py"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    for package in ("app", "ledger", "ledger/contract", "diagnostics", "tests", "tests/support", "tests/diagnostics"):
        (tmp_path / package).mkdir(exist_ok=True, parents=True)
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "diagnostics" / "planted.py").write_text(GOOD)
    (tmp_path / "tests" / "diagnostics" / "test_planted.py").write_text(GOOD_TEST)
    return tmp_path


def outcome(folder: Path, arguments: tuple[str, ...], *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments, *more], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    ("check", "planted", "complaint"),
    [
        ("format", GOOD.replace("2 * number", "2*number"), "would be reformatted"),
        ("lint", GOOD.replace('    """Double it."""\n', ""), "D103"),
        (
            "lint",
            GOOD.replace("    return", "    try:\n        pass\n    except Exception:\n        pass\n    return"),
            "S110",
        ),
        ("types", GOOD.replace("2 * number", "str(number)"), "return-value"),
        ("types", GOOD.replace("number: int", "number"), "no-untyped-def"),
    ],
)
def test_a_planted_failure_is_found(copy: Path, check: str, planted: str, complaint: str) -> None:
    files = ("diagnostics/planted.py",) if check == "types" else ()  # one file: the packages of the copy are no product
    before = outcome(copy, STATIC[check], *files)
    assert before.returncode == 0, before.stdout
    (copy / "diagnostics" / "planted.py").write_text(planted)
    after = outcome(copy, STATIC[check], *files)
    assert after.returncode == 1
    assert complaint in after.stdout


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("ledger/contract/canonical.py", "import ledger.gateway", "The ledger's rooms point down only"),
        (
            "ledger/contract/canonical.py",
            "import app.environment",
            "ledger and diagnostics know neither each other nor app",
        ),
        ("ledger/contract/canonical.py", "import diagnostics", "ledger and diagnostics are strangers"),
        ("app/consent/__init__.py", "import app.records", "Imports point down only"),
        ("app/records/__init__.py", "import app.services", "Imports point down only"),
        ("app/services/__init__.py", "import ledger.embedded", "Only wiring picks a ledger"),
        ("app/services/__init__.py", "import PySide6.QtCore", "Qt only in the interface and wiring"),
        ("ledger/contract/canonical.py", "import cryptography", "The contract is the standard library alone"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, module: str, line: str, rule: str) -> None:
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for package in ("app", "ledger", "diagnostics"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / module
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    after = outcome(tmp_path, STATIC["imports"])
    assert after.returncode == 1
    assert f"{rule} BROKEN" in " ".join(after.stdout.split())


FAILURES = {
    "assertion": "def test_it() -> None:\n    assert False\n",
    "warning": "import warnings\n\ndef test_it() -> None:\n    warnings.warn('old')\n",
    "log line": "import logging\n\ndef test_it() -> None:\n    logging.getLogger('x').warning('odd')\n",
    "network": (
        "import socket\n\ndef test_it() -> None:\n"
        "    try:\n        socket.create_connection(('192.0.2.1', 9))\n    except OSError:\n        return\n"
    ),
    "unknown mark": "import pytest\n\n@pytest.mark.sloow\ndef test_it() -> None: ...\n",
    "passing xfail": "import pytest\n\n@pytest.mark.xfail\ndef test_it() -> None: ...\n",
    "window": "from PySide6.QtWidgets import QWidget\nx = []\n\ndef test_it(qapp) -> None:\n    x.append(QWidget())\n",
    "timer": (
        "from PySide6.QtCore import QTimer\nleft = QTimer()\n\ndef test_it(qapp) -> None:\n    left.start(10_000)\n"
    ),
    "Qt warning": "from PySide6.QtCore import qWarning\n\ndef test_it(qtbot) -> None:\n    qWarning('odd')\n",
    "thread": (
        "import threading\n\ndef test_it() -> None:\n"
        "    threading.Thread(target=threading.Event().wait, args=(8,), daemon=True).start()\n"
    ),
}


def test_pytest_fails_on_each_planted_failure(copy: Path) -> None:
    before = outcome(copy, TESTS)
    assert before.returncode == 0, before.stdout
    for name, text in FAILURES.items():
        (copy / "tests" / f"test_{name.replace(' ', '_')}.py").write_text(text)
    after = outcome(copy, TESTS, "--continue-on-collection-errors")
    assert after.returncode == 1
    blamed = {
        name
        for name in FAILURES
        if f" tests/test_{name.replace(' ', '_')}.py" in after.stdout.partition("short test summary")[2]
    }
    assert blamed == set(FAILURES)


def test_an_uncovered_branch_of_a_perfect_file_is_found(copy: Path) -> None:
    shutil.copyfile(copy / "diagnostics" / "planted.py", copy / "ledger" / "contract" / "planted.py")
    test = copy / "tests" / "diagnostics" / "test_planted.py"
    test.write_text(GOOD_TEST.replace("diagnostics.planted", "ledger.contract.planted"))
    assert outcome(copy, TESTS, *COVERED).returncode == 0
    assert outcome(copy, COVERAGE).returncode == 0
    branch = GOOD.replace("    return", "    if number:\n        number += 0\n    return")
    (copy / "ledger" / "contract" / "planted.py").write_text(branch)
    assert outcome(copy, TESTS, *COVERED).returncode == 0
    assert outcome(copy, COVERAGE).returncode != 0


def test_a_part_that_does_not_start_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    part = run_part("absent", ["/nonexistent/program"])
    assert not part.ok
    assert summary([Part("tests", ok=True, seconds=1, passed=3), part], 1.0) == 1
    assert capsys.readouterr().out.endswith("3 passed, 1 failed\n")


def test_no_test_at_all_is_a_failure() -> None:
    assert summary([Part("lint", ok=True, seconds=1)], 1.0) == 1
    assert summary([Part("tests", ok=True, seconds=1, passed=1)], 1.0) == 0


@pytest.mark.parametrize(
    ("counted", "score"),
    [({"total": 20, "killed": 18, "timeout": 1, "survived": 1}, 0.95), ({"total": 0}, 0.0), ({"total": 2}, 0.0)],
)
def test_mutants_that_no_test_notices_lower_the_score(counted: dict[str, int], score: float) -> None:
    assert mutation.share(counted) == score


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("51 passed in 0.68s", (51, 0)),
        ("2 failed, 51 passed, 1 error in 0.68s", (51, 3)),
        ("1 passed, 3 deselected in 0.1s", (1, 0)),
    ],
)
def test_the_closing_line_is_read(line: str, expected: tuple[int, int]) -> None:
    assert counts(line) == expected
