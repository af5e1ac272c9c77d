"""``./assent bench [NAME…]``: run the programs and print one table; exit 0 whether goals are met or not."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from tests.benchmarks.measurement import table

PROGRAMS = ("seal", "consent", "ledger", "audit", "start", "opening")


def main() -> None:
    """Run what was named, all if nothing was."""
    parser = argparse.ArgumentParser(prog="assent bench", description="Ratios against peers; no goal gates anything.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    names = parser.parse_args().names or PROGRAMS
    if unknown := sorted(set(names) - set(PROGRAMS)):
        parser.error(f"no such benchmark: {', '.join(unknown)} (there are {', '.join(PROGRAMS)})")
    results = []
    for name in names:
        sys.stderr.write(f"{name}: load {os.getloadavg()[0]:.1f}\n")
        results += importlib.import_module(f"tests.benchmarks.{name}").measure()
    sys.stdout.write(f"{table(results)}\n\n")
    sys.stdout.write(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.\n")


if __name__ == "__main__":
    main()
