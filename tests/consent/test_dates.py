"""FHIR dateTime (DECISION.md 3.3): which seconds and days a value means."""

from fractions import Fraction

import pytest

from app.consent.dates import day_of, ordinal_of, read_date_time, read_zone

EPOCH_2026 = 1_767_225_600  # 2026-01-01T00:00:00Z
HOUR = 3600

NO_DATES = [
    None,
    5,
    "",
    "26",
    "0000",
    "2026-1",
    "2026-13",
    "2026-00",
    "2026-02-29",
    "2026-02-30",
    "2026-04-31",
    "2026-06-00",
    "2026-06-1",
    "2026-06-10T10:00Z",
    "2026-06-10T10:00:00",
    "2026-06-10T24:00:00Z",
    "2026-06-10T10:60:00Z",
    "2026-06-10T10:00:61Z",
    "2026-06-10T10:00:00.Z",
    "2026-06-10T10:00:00+14:30",
    "2026-06-10T10:00:00+15:00",
    "2026-06-10T10:00:00z",
    "2026-06-10 10:00:00Z",
    "2026-06T10:00:00Z",
    "2026T10:00:00Z",
    " 2026",
    "2026\n",
    "\uff12\uff10\uff12\uff16",
    ["2026"],
]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date(text: object) -> None:
    assert read_date_time(text) is None


@pytest.mark.parametrize(
    "text", ["2024-02-29", "0001", "9999-12-31", "2026-06-30T23:59:60Z", "2026-06-10T10:00:00-14:00"]
)
def test_what_is_a_date(text: str) -> None:
    assert read_date_time(text) is not None


# text, zone in hours, first second, end second, whole end second, day; seconds from the beginning of 2026
MEANINGS = [
    ("2026", 0, 0, 365 * 24 * HOUR, 365 * 24 * HOUR, "2026"),
    ("2026-02", 0, 31 * 24 * HOUR, 59 * 24 * HOUR, 59 * 24 * HOUR, "2026-02"),
    ("2026-01-01", 0, 0, 24 * HOUR, 24 * HOUR, "2026-01-01"),
    ("2026-01-01", 2, -2 * HOUR, 22 * HOUR, 22 * HOUR, "2026-01-01"),
    ("2026-01-01", -5, 5 * HOUR, 29 * HOUR, 29 * HOUR, "2026-01-01"),
    ("2026-01-01T10:00:00Z", 0, 10 * HOUR, 10 * HOUR + 1, 10 * HOUR + 1, "2026-01-01"),
    ("2026-01-01T10:20:30Z", 0, 37_230, 37_231, 37_231, "2026-01-01"),
    ("2026-01-01T10:00:00+02:00", 0, 8 * HOUR, 8 * HOUR + 1, 8 * HOUR + 1, "2026-01-01"),
    ("2026-01-01T10:00:00-02:30", 0, 45_000, 45_001, 45_001, "2026-01-01"),
    ("2026-01-01T23:00:00Z", 2, 23 * HOUR, 23 * HOUR + 1, 23 * HOUR + 1, "2026-01-02"),
    ("2026-01-01T01:00:00Z", -2, HOUR, HOUR + 1, HOUR + 1, "2025-12-31"),
    ("2026-01-01T10:00:00.000Z", 0, 36_000, 36_001, 36_000, "2026-01-01"),
    ("2026-01-01T10:00:00.5Z", 0, 36_001, 36_001, 36_000, "2026-01-01"),
    ("2026-01-01T10:00:00.001Z", 0, 36_001, 36_001, 36_000, "2026-01-01"),
    ("2026-01-01T23:59:60Z", 0, 24 * HOUR, 24 * HOUR + 1, 24 * HOUR + 1, "2026-01-02"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "hours", "first", "end", "whole_end", "day"), MEANINGS)
def test_what_a_date_means(text: str, hours: int, first: int, end: int, whole_end: int, day: str) -> None:
    read, zone = read_date_time(text), hours * HOUR
    assert read is not None
    assert read.first_second(zone) == EPOCH_2026 + first
    assert read.end_second(zone) == EPOCH_2026 + end
    assert read.whole_end_second(zone) == EPOCH_2026 + whole_end
    assert read.day(zone) == day


def test_a_fraction_is_kept_exactly() -> None:
    read = read_date_time("2026-01-01T00:00:00.125Z")
    assert read is not None
    assert read.starts_at(0) == EPOCH_2026 + Fraction(1, 8)
    assert read.instant == EPOCH_2026 + Fraction(1, 8)
    assert read.has_fraction
    assert read.cell == "2026-01-01"


BEFORE = [
    ("2026-06-30", "2026-06-30", False),
    ("2026-06-29", "2026-06-30", True),
    ("2026", "2026-06-30", False),
    ("2025", "2026-01-01", True),
    ("2026-06-30T10:00:00Z", "2026-06-30", False),
    ("2026-06-29T23:59:59Z", "2026-06-30", True),
    ("2026-06-30T10:00:00Z", "2026-06-30T10:00:00Z", False),
    ("2026-06-30T10:00:00Z", "2026-06-30T10:00:00.5Z", True),
    ("2026-06-30T10:00:00+02:00", "2026-06-30T08:00:00Z", False),
    ("2026-06-30T10:00:00+02:00", "2026-06-30T08:00:01Z", True),
    ("2026-06-30", "2026-06-30T23:59:59Z", False),
    ("2026-06-30", "2026-07-01T00:00:00Z", True),
]


@pytest.mark.parametrize(("end", "start", "expected"), BEFORE)
def test_an_end_before_its_start(end: str, start: str, *, expected: bool) -> None:
    last, first = read_date_time(end), read_date_time(start)
    assert last is not None
    assert first is not None
    assert last.is_before(first, 0) is expected


def test_a_bare_end_is_compared_in_the_zone() -> None:
    last, first = read_date_time("2026-06-30"), read_date_time("2026-06-30T22:00:00Z")
    assert last is not None
    assert first is not None
    assert last.is_before(first, 2 * HOUR)
    assert not last.is_before(first, HOUR)


ZONES = [
    ("Z", 0),
    ("+00:00", 0),
    ("-00:00", 0),
    ("+02:00", 7200),
    ("-03:30", -12_600),
    ("+14:00", 50_400),
    ("+13:59", 50_340),
]


@pytest.mark.parametrize(("text", "seconds"), ZONES)
def test_a_zone_is_a_fixed_offset(text: str, seconds: int) -> None:
    assert read_zone(text) == seconds


@pytest.mark.parametrize(
    "text", [None, 2, "", "+2", "+02", "02:00", "+14:01", "-15:00", "+02:60", "Europe/Berlin", "z"]
)
def test_what_is_no_zone(text: object) -> None:
    assert read_zone(text) is None


def test_the_day_of_a_second() -> None:
    assert day_of(0, 0).isoformat() == "1970-01-01"
    assert day_of(-1, 0).isoformat() == "1969-12-31"
    assert day_of(86_399, 0).isoformat() == "1970-01-01"
    assert day_of(86_399, 1).isoformat() == "1970-01-02"
    assert day_of(-(10**12), 0).isoformat() == "0001-01-01"
    assert day_of(10**12, 0).isoformat() == "9999-12-31"
    assert ordinal_of(0, 0) == 719_163
    assert ordinal_of(-(719_163 * 86_400), 0) == 0
