"""What ``./check`` does. Standard library alone: it starts before anything is installed.

The parts are commands, so that ``test_checks_bite.py`` can run the very same on a copy with a planted failure. A part
that does not start has failed. The last line is the tests' count, in the form that continuous integration reads.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.environment import (
    BUILD_PACKAGES,
    DESKTOP_PACKAGES,
    DEVELOPMENT_LOCK,
    PEER_PACKAGES,
    ROOT,
    Environment,
    NotPreparedError,
    install_packages,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TEST_PACKAGES = (
    *DESKTOP_PACKAGES,
    *PEER_PACKAGES,
    *BUILD_PACKAGES,
    "xvfb",
    "xauth",
    "gnome-keyring",
    "libsecret-tools",
    "dbus",
)
"""Debian packages that tests use: windows, peers, a real keyring daemon on a bus of its own."""

FABRIC = ("-c", "import os; from app.network.binaries import programs; programs(os.environ, print)")
"""Builds Fabric where it is missing, so that no test waits for that."""

STATIC: Mapping[str, tuple[str, ...]] = {
    "format": ("-m", "ruff", "format", "--check", "."),
    "lint": ("-m", "ruff", "check", "."),
    "types": ("-m", "mypy"),
    "imports": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
}
TESTS = ("-m", "pytest", "-q")
PARALLEL = ("-n", "2", "--dist", "worksteal")
COVERED = ("--cov", "--cov-report=", "--cov-fail-under=0")  # "coverage" judges, after all tests
COVERAGE = ("-m", "coverage", "report")
ONSCREEN = ("--onscreen", "-p", "no:cacheprovider")
MUTATION = ("-m", "tests.house.mutation")

_COUNTS = re.compile(r"(\d+) (passed|failed|errors?|xfailed|xpassed|skipped)\b")
_CLOSING = re.compile(r"^(=+ )?\d+ (passed|failed|error|skipped|deselected).* in [\d.]+s")


@dataclass(frozen=True, slots=True)
class Part:
    """One check that ran: its name, whether it passed, its seconds, and for tests how many passed and failed."""

    name: str
    ok: bool
    seconds: float
    passed: int = 0
    failed: int = 0


def run_part(name: str, command: Sequence[str], folder: Path = ROOT, extra: Mapping[str, str] | None = None) -> Part:
    """Run one part, showing what it prints, and judge it by its exit status."""
    sys.stdout.write(f"\n── {name}\n")
    sys.stdout.flush()
    began = time.monotonic()
    passed = failed = 0
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(extra or {})}
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        sys.stdout.write(f"{name} did not start: {error}\n")
        return Part(name, ok=False, seconds=0.0)
    with process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            if _CLOSING.match(line):
                passed, failed = counts(line)
    return Part(name, process.returncode == 0, time.monotonic() - began, passed, failed)


def counts(line: str) -> tuple[int, int]:
    """Passed and failed tests of pytest's closing line; errors count as failed."""
    found = {word: int(number) for number, word in _COUNTS.findall(line)}
    failed = sum(found.get(word, 0) for word in ("failed", "error", "errors", "xpassed"))
    return found.get("passed", 0), failed


def parts(python: str, *, fast: bool, deep: bool) -> list[tuple[str, list[str]]]:
    """The names and commands of one run, in order."""
    plan = [(name, [python, *command]) for name, command in STATIC.items()]
    plan.append(("fabric", [python, *FABRIC]))
    if fast:
        return [*plan, ("tests", [python, *TESTS, *PARALLEL])]
    screen = ["dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1920x1200x24"]
    plan.append(("tests", [python, *TESTS, *PARALLEL, *COVERED]))
    plan.append(("coverage", [python, *COVERAGE]))
    plan.append(("windows", [*screen, python, *TESTS, *ONSCREEN]))
    if deep:
        plan.append(("mutation", [python, *MUTATION]))
    return plan


def main(arguments: Sequence[str]) -> int:
    """Prepare, run, sum up; 0 only if every part passed and tests ran."""
    parser = argparse.ArgumentParser(prog="check", description="Make what the tests need and run every check.")
    parser.add_argument("--fast", action="store_true", help="without windows and coverage")
    parser.add_argument("--deep", action="store_true", help="30,000 examples, 100 kills, mutation testing besides")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        install_packages(TEST_PACKAGES, _say)
        python = str(Environment().prepare(DEVELOPMENT_LOCK, _say))
    except NotPreparedError as error:
        sys.stdout.write(f"check: {error}\n0 passed, 1 failed\n")
        return 1
    extra = {"ASSENT_DEEP": "1"} if options.deep else {}
    done = [
        run_part(name, command, extra=extra) for name, command in parts(python, fast=options.fast, deep=options.deep)
    ]
    return summary(done, time.monotonic() - began)


def summary(done: Sequence[Part], seconds: float) -> int:
    """Print a line per part and, last, the count."""
    sys.stdout.write("\n")
    for part in done:
        count = f"  {part.passed} passed, {part.failed} failed" if part.passed or part.failed else ""
        sys.stdout.write(f"{'ok    ' if part.ok else 'FAILED'}  {part.name:<10}{part.seconds:7.1f} s{count}\n")
    passed = sum(part.passed for part in done)
    broken = sum(not part.ok for part in done)
    failed = sum(part.failed for part in done)
    sys.stdout.write(f"{'All checks passed' if not broken else f'{broken} checks failed'} in {seconds:.0f} s.\n")
    # A part without tests of its own that failed still counts, so that the last line never looks clean.
    sys.stdout.write(f"{passed} passed, {failed + sum(not part.ok and not part.failed for part in done)} failed\n")
    return 0 if passed and not broken else 1


def _say(text: str) -> None:
    sys.stdout.write(f"check: {text}\n")
    sys.stdout.flush()
