"""Mutation testing of the two places that decide: ``decision.py`` of the contract and ``compile.py`` of the consents.

Runs mutmut on a copy outside the tree, with the tests that are about these files, and fails below the limit. About a
quarter of an hour on two cores; part of ``./check --deep``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 0.95
"""Share of the mutants that a test must notice."""

COPIED = ("app", "ledger", "diagnostics", "resources", "tests", "pyproject.toml", "assent", "check", ".ci")
NOTICED = ("killed", "timeout", "segfault")


def main() -> int:
    """Run in a copy and print the score and every mutant that survived."""
    with tempfile.TemporaryDirectory(prefix="assent-mutants-") as name:
        copy = Path(name) / "copy"
        copy.mkdir()
        for part in COPIED:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / part)
        if (shared := ROOT.parent / "shared").exists():
            (copy / "shared").symlink_to(shared)  # beside mutmut's own copy, as it is beside this project
        subprocess.run([sys.executable, "-m", "mutmut", "run", "--max-children", "2"], cwd=copy, check=True)
        subprocess.run([sys.executable, "-m", "mutmut", "export-cicd-stats"], cwd=copy, check=True)
        counts = json.loads((copy / "mutants" / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
        subprocess.run([sys.executable, "-m", "mutmut", "results"], cwd=copy, check=True)
    score = share(counts)
    sys.stdout.write(f"{counts}\nmutation score {score:.1%}, limit {LIMIT:.0%}\n")
    return 0 if score >= LIMIT else 1


def share(counts: dict[str, int]) -> float:
    """The share of noticed mutants; nothing mutated is no success."""
    noticed = sum(counts.get(name, 0) for name in NOTICED)
    total = counts.get("total", 0) - counts.get("skipped", 0)
    return noticed / total if total else 0.0


if __name__ == "__main__":
    sys.exit(main())
