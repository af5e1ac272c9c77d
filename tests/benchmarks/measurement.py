"""Ratios, not times: both sides in one interleaved run, judged by the median of the ratios of the pairs."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAIRS = 5
"""Fewest interleaved pairs."""


@dataclass(frozen=True, slots=True)
class Result:
    """One goal and what was measured.

    Attributes:
        row: the goal's number in the list of performance goals, with a letter where a row has several.
        what: numerator and denominator.
        goal: ``<=`` or ``>=`` and the limit.
        ratios: one per pair.
        peer: what it was compared with, with its version.
        note: a condition that a reader must know.
    """

    row: str
    what: str
    goal: tuple[str, float]
    ratios: tuple[float, ...]
    peer: str
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of the ratios."""
        return statistics.median(self.ratios)

    @property
    def is_met(self) -> bool:
        """Whether the median reaches the goal."""
        sign, limit = self.goal
        return self.median <= limit if sign == "<=" else self.median >= limit

    def cells(self) -> tuple[str, ...]:
        """The table's columns."""
        sign, limit = self.goal
        spread = f"{min(self.ratios):.3g} to {max(self.ratios):.3g}"
        peer = f"{self.peer} ({self.note})" if self.note else self.peer
        return (
            self.row,
            self.what,
            f"{sign} {limit:.3g}",
            f"{self.median:.3g}",
            spread,
            "yes" if self.is_met else "no",
            peer,
        )


COLUMNS = ("row", "what", "goal", "measured", "spread", "met", "peer")


def table(results: Sequence[Result]) -> str:
    """A Markdown table, which is readable as it is."""
    rows = [COLUMNS, *(result.cells() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def wall(work: Callable[[], object]) -> float:
    """Seconds that pass: where waiting, or work on several cores at once, is the point."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu(work: Callable[[], object]) -> float:
    """Processor seconds, of child processes too: where both sides compute, whoever else uses the machine."""
    began = _used()
    work()
    return _used() - began


def pairs(
    timer: Callable[[Callable[[], object]], float],
    ours: Callable[[], object],
    *peers: Callable[[], object],
    runs: int = PAIRS,
) -> list[tuple[float, ...]]:
    """The seconds of ours and of each peer, run by run, interleaved; the order turns so that none always goes first.

    Repeated once if the machine was busier than its cores allow.
    """
    sides = (ours, *peers)
    for attempt in range(2):
        measured = []
        for run in range(runs):
            order = sorted(range(len(sides)), key=lambda index: (index + run) % len(sides))
            seconds = {index: timer(sides[index]) for index in order}
            measured.append(tuple(seconds[index] for index in range(len(sides))))
        if os.getloadavg()[0] <= (os.cpu_count() or 1) + 1 or attempt:
            break
    return measured


def each(work: Callable[[int], object], count: int) -> list[float]:
    """The wall seconds of every one of ``count`` calls."""
    seconds = []
    for number in range(count):
        began = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - began)
    return seconds


def version(*command: str) -> str:
    """The first line a program prints about its version."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0].split(" (")[0]


def _used() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )
