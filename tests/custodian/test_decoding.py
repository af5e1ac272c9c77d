"""What a provision's tags say of days: the same as trying every cell, in a moment (A27)."""

from __future__ import annotations

import time
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.consent.calendar import cells_above, cover, first_day, last_day
from app.consent.elements import UNKNOWN
from app.consent.tags import TagKind, tag
from app.custodian.decoding import EARLIEST, LATEST, find_days
from tests.support.hypothesis_profiles import DEEP

TODAY = date(2026, 11, 24)
TAG = cache(tag(b"k" * 32))
"""Remembered, so that the tests do not spend their time on HMAC."""
OPEN = (date(1, 1, 1), date(9999, 12, 31))


@cache
def every_cell() -> dict[str, str]:
    """Return all cells of the calendar in which a record of a living person can lie, by tag."""
    cells = {f"{number:0{length}d}" for length in (1, 2, 3) for number in range(10**length)}
    day = EARLIEST
    while day <= LATEST:
        text = day.isoformat()
        cells |= {text, *cells_above(text)}
        day += timedelta(days=1)
    return {TAG(TagKind.DATE, cell): cell for cell in cells}


def brute(period: set[str]) -> list[list[str]]:
    """Return the ranges by looking every cell up."""
    found = sorted((first_day(each), last_day(each)) for each in map(every_cell().get, period) if each is not None)
    ranges: list[list[date]] = []
    for start, end in found:
        if ranges and start.toordinal() <= ranges[-1][1].toordinal() + 1:
            ranges[-1][1] = max(end, ranges[-1][1])
        else:
            ranges.append([start, end])
    return [[start.isoformat(), end.isoformat()] for start, end in ranges]


def permit(*ranges: tuple[date, date]) -> set[str]:
    return {TAG(TagKind.DATE, cell) for start, end in ranges for cell in cover(start, end)}


def refusal(start: date, end: date) -> set[str]:
    above = {each for cell in cover(start, end) for each in cells_above(cell)}
    return permit((start, end)) | {TAG(TagKind.EXACT, cell) for cell in above | {UNKNOWN}}


FEW = settings(max_examples=1_000 if DEEP else 15, deadline=None)
days = st.dates(EARLIEST, LATEST)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[date, date]:
    start, end = sorted((draw(days), draw(days)))
    short = draw(st.integers(0, 800))
    return draw(st.sampled_from([(start, end), (start, min(LATEST, start + timedelta(days=short)))]))


@FEW
@given(st.lists(ranges(), max_size=2), days)
def test_it_finds_what_trying_every_cell_finds(some: list[tuple[date, date]], today: date) -> None:
    period = permit(*some)
    assert find_days(TAG, period, today) == brute(period)


def test_beside_a_tag_that_nothing_explains_it_finds_the_rest() -> None:
    period = permit((date(1999, 1, 30), date(2004, 2, 3))) | {"garbage"}
    assert find_days(TAG, period, TODAY) == brute(period) == [["1999-01-30", "2004-02-03"]]


@FEW
@given(ranges())
def test_of_a_refusal_too(one: tuple[date, date]) -> None:
    period = refusal(*one)
    start, end = one
    assert find_days(TAG, period, TODAY) == brute(period) == [[start.isoformat(), end.isoformat()]]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (OPEN[0], OPEN[1]),
        (OPEN[0], date(2026, 11, 24)),
        (date(2021, 11, 24), OPEN[1]),
        (date(2024, 11, 24), date(2026, 11, 24)),
        (date(2016, 2, 29), date(2026, 11, 24)),
        (date(2026, 11, 1), date(2026, 11, 24)),
        (date(2026, 11, 24), date(2026, 11, 24)),
        (date(1961, 3, 14), date(1961, 12, 31)),
        (date(2025, 12, 1), date(2026, 12, 1)),
    ],
)
@pytest.mark.parametrize("form", [permit, refusal])
def test_what_people_choose_takes_a_moment(start: date, end: date, form: object) -> None:
    period = permit((start, end)) if form is permit else refusal(start, end)
    tried = [0]

    def counted(kind: str, code: str) -> str:
        tried[0] += 1
        return TAG(kind, code)

    assert find_days(counted, period, TODAY) == [[start.isoformat(), end.isoformat()]]
    assert tried[0] < 6_000  # 40,000 before
    plain, started = tag(b"k" * 32), time.process_time()
    find_days(plain, period, TODAY)
    assert time.process_time() - started < 0.3


def test_no_period_is_no_range_and_strange_tags_end_the_search_too() -> None:
    assert find_days(TAG, [], TODAY) == []
    assert find_days(TAG, ["garbage"], TODAY) == []


def test_today_may_lie_outside_the_calendar() -> None:
    period = permit((date(1950, 5, 5), date(1950, 5, 6)))
    assert find_days(TAG, period, date(2500, 1, 1)) == [["1950-05-05", "1950-05-06"]]
