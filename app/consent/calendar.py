"""Calendar cells: a range of days as few prefixes of ISO dates, so that dates can be compared as tags (DECISION.md 1).

A cell is the first 10, 7, 4, 3, 2 or 1 characters of an ISO date: day, month, year, decade, century, millennium. The
first millennium, century and decade begin with 0001-01-01, since there is no year 0.
"""

from calendar import monthrange
from datetime import date
from typing import Final

FIRST_DAY: Final = date(1, 1, 1)
LAST_DAY: Final = date(9999, 12, 31)
DAY_LENGTH: Final = 10
_LENGTHS: Final = (1, 2, 3, 4, 7, 10)


def cells_above(cell: str) -> tuple[str, ...]:
    """Return the larger cells that hold ``cell``, largest first."""
    return tuple(cell[:length] for length in _LENGTHS if length < len(cell))


def first_day(cell: str) -> date:
    """Return the first day of ``cell``."""
    if len(cell) < len("yyyy"):
        return date(max(1, int(cell.ljust(4, "0"))), 1, 1)
    return date.fromisoformat(cell + "-01-01"[len(cell) - 4 :])


def last_day(cell: str) -> date:
    """Return the last day of ``cell``."""
    year = int(cell[:4].ljust(4, "9"))
    if len(cell) == DAY_LENGTH:
        return date.fromisoformat(cell)
    month = int(cell[5:7] or 12)
    return date(year, month, monthrange(year, month)[1])


def nearest_day(ordinal: int) -> date:
    """Return the day of a proleptic ordinal, or the end of the calendar that is nearest to it."""
    return date.fromordinal(min(max(ordinal, FIRST_DAY.toordinal()), LAST_DAY.toordinal()))


def cover(first: date, last: date) -> tuple[str, ...]:
    """Return the fewest cells that make up the days from ``first`` to ``last``, both included, in order of time.

    Greedy: at each day the largest cell that starts there and ends within the range. No cells if ``last`` is before.
    """
    return coarse_cover(first, last, DAY_LENGTH)


def coarse_cover(first: date, last: date, length: int) -> tuple[str, ...]:
    """Return the cover of a range rounded outward to cells of ``length`` characters (7: months, 4: years, …)."""
    day = first_day(first.isoformat()[:length]).toordinal()
    end = last_day(last.isoformat()[:length]).toordinal()
    cells = []
    while day <= end:
        cell = _largest(date.fromordinal(day), end)
        cells.append(cell)
        day = last_day(cell).toordinal() + 1
    return tuple(cells)


def _largest(day: date, end: int) -> str:
    text = day.isoformat()
    return next(
        text[:length]
        for length in _LENGTHS
        if first_day(text[:length]) == day and last_day(text[:length]).toordinal() <= end
    )
