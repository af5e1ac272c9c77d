"""Calendar cells and covers (DECISION.md 1 and property 12)."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.calendar import FIRST_DAY, LAST_DAY, cells_above, coarse_cover, cover, first_day, last_day, nearest_day
from tests.support.hypothesis_profiles import PROPERTY

CELLS = [
    ("2026-02-28", "2026-02-28", "2026-02-28", "2 20 202 2026 2026-02"),
    ("2024-02", "2024-02-01", "2024-02-29", "2 20 202 2024"),
    ("2023-02", "2023-02-01", "2023-02-28", "2 20 202 2023"),
    ("2026-12", "2026-12-01", "2026-12-31", "2 20 202 2026"),
    ("2026", "2026-01-01", "2026-12-31", "2 20 202"),
    ("202", "2020-01-01", "2029-12-31", "2 20"),
    ("20", "2000-01-01", "2099-12-31", "2"),
    ("2", "2000-01-01", "2999-12-31", ""),
    ("0", "0001-01-01", "0999-12-31", ""),
    ("00", "0001-01-01", "0099-12-31", "0"),
    ("000", "0001-01-01", "0009-12-31", "0 00"),
    ("9", "9000-01-01", "9999-12-31", ""),
    ("9999-12-31", "9999-12-31", "9999-12-31", "9 99 999 9999 9999-12"),
]


@pytest.mark.parametrize(("cell", "first", "last", "above"), CELLS)
def test_a_cell_is_a_range_of_days(cell: str, first: str, last: str, above: str) -> None:
    assert first_day(cell) == date.fromisoformat(first)
    assert last_day(cell) == date.fromisoformat(last)
    assert cells_above(cell) == tuple(above.split())


COVERS = [
    ("2026-06-10", "2026-06-10", "2026-06-10"),
    ("2026-06-01", "2026-06-30", "2026-06"),
    ("2026-05-31", "2026-07-01", "2026-05-31 2026-06 2026-07-01"),
    ("2026-01-01", "2026-12-31", "2026"),
    ("2025-12-31", "2027-01-01", "2025-12-31 2026 2027-01-01"),
    ("2020-01-01", "2030-12-31", "202 2030"),
    ("2000-01-01", "2999-12-31", "2"),
    ("0001-01-01", "9999-12-31", "0 1 2 3 4 5 6 7 8 9"),
    ("0001-01-01", "0099-12-31", "00"),
    ("0001-01-02", "0001-01-03", "0001-01-02 0001-01-03"),
    ("9999-12-31", "9999-12-31", "9999-12-31"),
    ("2026-06-10", "2026-06-09", ""),
]


@pytest.mark.parametrize(("first", "last", "cells"), COVERS)
def test_a_cover_takes_the_largest_cell_that_fits(first: str, last: str, cells: str) -> None:
    assert cover(date.fromisoformat(first), date.fromisoformat(last)) == tuple(cells.split())


SIZES = [
    ("2024-11-24", "2026-11-24", 43),  # two odd years
    ("2016-11-24", "2026-11-23", 50),  # ten years
    ("2024-03-15", "9999-12-31", 54),  # an open end
    ("0001-01-02", "9999-12-30", 143),  # the worst case
]


@pytest.mark.parametrize(("first", "last", "count"), SIZES)
def test_covers_are_as_small_as_the_wire_form_expects(first: str, last: str, count: int) -> None:
    assert len(cover(date.fromisoformat(first), date.fromisoformat(last))) == count


def test_the_worst_deny_fits_its_wire_form() -> None:
    cells = cover(date(1, 1, 2), date(9999, 12, 30))
    exact = {above for cell in cells for above in cells_above(cell)} | {"unknown"}
    assert len(cells) + len(exact) == 154


COARSE = [
    ("2026-05-31", "2026-07-01", 7, "2026-05 2026-06 2026-07"),
    ("2025-12-31", "2027-01-01", 7, "2025-12 2026 2027-01"),
    ("2025-12-31", "2027-01-01", 4, "2025 2026 2027"),
    ("2019-12-31", "2030-01-01", 3, "201 202 203"),
    ("1999-12-31", "2100-01-01", 2, "19 20 21"),
    ("1999-12-31", "2100-01-01", 1, "1 2"),
]


@pytest.mark.parametrize(("first", "last", "length", "cells"), COARSE)
def test_a_coarse_cover_rounds_outward(first: str, last: str, length: int, cells: str) -> None:
    assert coarse_cover(date.fromisoformat(first), date.fromisoformat(last), length) == tuple(cells.split())


def test_days_outside_the_calendar_are_its_ends() -> None:
    assert (nearest_day(0), nearest_day(-5), nearest_day(1), nearest_day(2)) == (
        FIRST_DAY,
        FIRST_DAY,
        FIRST_DAY,
        date(1, 1, 2),
    )
    last = LAST_DAY.toordinal()
    assert (nearest_day(last), nearest_day(last + 1), nearest_day(last - 1)) == (LAST_DAY, LAST_DAY, date(9999, 12, 30))
    assert (date(1, 1, 1), date(9999, 12, 31)) == (FIRST_DAY, LAST_DAY)


DAYS = st.dates(FIRST_DAY, LAST_DAY)


@PROPERTY
@given(DAYS, DAYS)
def test_a_cover_is_exact(one: date, other: date) -> None:
    """Property 12: the cells follow without a gap, begin and end where the range does, and are the fewest."""
    first, last = sorted((one, other))
    cells = cover(first, last)
    assert (first_day(cells[0]), last_day(cells[-1])) == (first, last)
    assert all(last_day(left) + timedelta(days=1) == first_day(right) for left, right in pairwise(cells))
    for cell in cells:
        larger = cells_above(cell)
        assert all(first_day(each) < first or last_day(each) > last for each in larger)


@PROPERTY
@given(DAYS, DAYS, DAYS)
def test_containment_and_overlap_are_exact(one: date, other: date, day: date) -> None:
    """Property 12: a day is inside iff one of its cells is in the cover; a cell overlaps iff it or one inside is."""
    first, last = sorted((one, other))
    cells = set(cover(first, last))
    iso = day.isoformat()
    own = {iso, *cells_above(iso)}
    assert (first <= day <= last) == (not cells.isdisjoint(own))
    above = {each for cell in cells for each in cells_above(cell)}
    for cell in own:
        overlaps = first_day(cell) <= last and last_day(cell) >= first
        assert overlaps == (not cells.isdisjoint({cell, *cells_above(cell)}) or cell in above)
