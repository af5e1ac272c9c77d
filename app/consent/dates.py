"""FHIR R4 dateTime: partial dates, offsets, and which seconds and days a value means (DECISION.md 3.3)."""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from app.consent import calendar

DAY_SECONDS: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()
_OFFSET: Final = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
_ZONE: Final = re.compile(_OFFSET)
_DATE_TIME: Final = re.compile(
    r"(?P<cell>(?!0000)[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?)"
    r"(?:(?<=-..-..)T(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
    rf"(?:\.(?P<fraction>[0-9]{{1,64}}))?(?P<offset>{_OFFSET}))?"
)


@dataclass(frozen=True, slots=True)
class DateTime:
    """A FHIR dateTime.

    Attributes:
        cell: its date as written: year, month or day.
        instant: seconds UTC, exactly, if it has a time of day.
        has_fraction: it is written with fractions of a second.
    """

    cell: str
    instant: Fraction | None
    has_fraction: bool

    def starts_at(self, zone: int) -> Fraction:
        """Return its first moment, seconds UTC; a date without a time is one of ``zone`` (seconds east of UTC)."""
        if self.instant is not None:
            return self.instant
        return Fraction(_seconds(calendar.first_day(self.cell)) - zone)

    def first_second(self, zone: int) -> int:
        """Return the first whole second at or after its start."""
        return -(-self.starts_at(zone) // 1)

    def end_second(self, zone: int) -> int:
        """Return the second after its last included one: an end is inclusive at the precision given."""
        if self.instant is not None:
            return self.instant // 1 + 1
        return _seconds(calendar.last_day(self.cell)) + DAY_SECONDS - zone

    def whole_end_second(self, zone: int) -> int:
        """Return the second after the last one that it includes wholly; a fraction does not include its second."""
        return self.end_second(zone) - 1 if self.has_fraction else self.end_second(zone)

    def is_before(self, start: "DateTime", zone: int) -> bool:
        """Tell whether this end lies before ``start``, compared as instants."""
        if self.instant is not None:
            return self.instant < start.starts_at(zone)
        return self.end_second(zone) <= start.starts_at(zone)

    def day(self, zone: int) -> str:
        """Return its one calendar cell in ``zone``: as written, or the day of its instant."""
        return self.cell if self.instant is None else day_of(self.instant, zone).isoformat()


def read_date_time(untrusted: object) -> DateTime | None:
    """Return the dateTime of ``untrusted``; None if it is none, or a day that does not exist."""
    match = _DATE_TIME.fullmatch(untrusted) if isinstance(untrusted, str) else None
    if match is None:
        return None
    try:
        day = calendar.first_day(match["cell"])
    except ValueError:
        return None
    if match["offset"] is None:
        return DateTime(match["cell"], None, has_fraction=False)
    clock = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
    fraction = match["fraction"] or ""
    part = Fraction(int(fraction or "0"), 10 ** len(fraction))
    return DateTime(match["cell"], _seconds(day) + clock - _offset(match["offset"]) + part, has_fraction=fraction != "")


def read_zone(untrusted: object) -> int | None:
    """Return the seconds east of UTC of a fixed offset such as ``+02:00``; None if it is none."""
    is_zone = isinstance(untrusted, str) and _ZONE.fullmatch(untrusted) is not None
    return _offset(str(untrusted)) if is_zone else None


def ordinal_of(second: int | Fraction, zone: int) -> int:
    """Return the day in ``zone`` of ``second`` (UTC) as a proleptic ordinal, which may lie outside the calendar."""
    return (second + zone) // DAY_SECONDS + _EPOCH


def day_of(second: int | Fraction, zone: int) -> date:
    """Return the day in ``zone`` that ``second`` (UTC) belongs to, kept within the years 1 to 9999."""
    return calendar.nearest_day(ordinal_of(second, zone))


def _seconds(day: date) -> int:
    return (day.toordinal() - _EPOCH) * DAY_SECONDS


def _offset(text: str) -> int:
    if text == "Z":
        return 0
    seconds = int(text[1:3]) * 3600 + int(text[4:6]) * 60
    return -seconds if text[0] == "-" else seconds
