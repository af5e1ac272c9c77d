"""Every sentence for a code, and how dates, durations and counts are written: text and numbers alone.

The first page needs them before anything of the ledger is imported; what needs its types stands in ``refusals``.
Contract codes are PROTOCOL.md C2's, release codes PROTOCOL.md E.3's. Codes are matched, messages never.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

CONTRACT_CODES: Final[Mapping[str, str]] = {
    "malformed": "The entry is not in the agreed form. Tell the operator.",
    "unknown-transaction": "This version of Assent asks for something the ledger does not know. Update Assent.",
    "clock-skew": "The clock of this machine is wrong. Set it and try again.",
    "clock-behind-ledger": "The clock of this machine is behind the ledger. Set it and try again.",
    "not-enrolled": "You are not enrolled on this ledger. Ask a registrar to enrol you.",
    "suspended": "Your access is suspended. Ask a registrar of your hospital.",
    "wrong-key": "Your key is not the one on the ledger. Ask a registrar to enrol you with a new key.",
    "wrong-role": "Your role may not do this. Ask someone whose role it is.",
    "wrong-organization": "Only another hospital may do this. Ask the hospital that holds the record.",
    "forbidden": "You may not do this. Ask the person it belongs to.",
    "same-person": "A second person must do this. Ask a colleague.",
    "unknown-organization": "The ledger does not know this hospital. Check whom you chose.",
    "unknown-member": "The ledger does not know this person. Ask a registrar to enrol them.",
    "unknown-patient": "The ledger does not know this patient. Introduce the patient first.",
    "unknown-record": "The ledger does not know this record. Refresh the list.",
    "unknown-consent": "The ledger does not know this consent. Refresh the list.",
    "unknown-access": "The ledger does not know this opening. Open the record again.",
    "unknown-model": "The ledger does not know this model. Choose an approved one.",
    "unknown-suggestion": "The ledger does not know this suggestion. Refresh the list.",
    "unknown-emergency": "The ledger does not know this emergency access. Declare it again.",
    "already-exists": "This is already recorded. Refresh the list.",
    "illegal-transition": "This was already decided or has ended. Refresh and look at its state.",
    "expired": "The time for this is over. Ask again.",
    "too-early": "This is not possible yet. Try again later.",
    "limit": "A limit is reached. End or close something you no longer need first.",
    "emergency-required": "This needs an emergency access. Declare one, or ask the patient.",
    "emergency-limit": "Your limit of emergency accesses is reached. Close one first.",
    "not-approved": "The hospitals have not approved this. Choose what is approved.",
    "stale-read": "Someone changed this at the same time. Please look again.",
}

RELEASE_CODES: Final[Mapping[str, str]] = {
    "not-yet-committed": "The custodian has not seen the entry yet. Try again in a few seconds.",
    "wrong-release-key": "The opening was made for another key. Open the record again.",
    "entry-too-old": "More than five minutes have passed since the entry. Open the record again.",
    "stopped-by-patient": "The patient has stopped all access for now. Ask the patient.",
    "denied": "The patient's consent no longer allows this. Look at how it was decided.",
    "label-mismatch": "The record's labels do not match the ledger. Tell the privacy officer.",
    "artefact-mismatch": "The signed consent does not match the ledger. Tell the privacy officer.",
    "badge-mismatch": "Your badge does not match the ledger. Ask a registrar to enrol you again.",
    "object-mismatch": "The stored record does not match the ledger. Tell the privacy officer.",
    "card-locked": "Too many tries. Ask a registrar to reset your PIN; bring your card.",
    "locked": "The hospital's custodian is locked; nothing is given out. Ask that hospital's operator to unlock it.",
    "busy": "Too many requests at once. Wait a few seconds and try again.",
    "halted": "The ledger does not check out, so nothing is given out. Tell the operator.",
    "unreachable": "The hospital's custodian does not answer. Nothing was opened; try again.",
}

NONE: Final = "\u2013"
"""What stands where there is nothing to show."""

UNKNOWN_CODE: Final = "It was refused for a reason this version of Assent does not know. Update Assent."
"""What is read for a code that is in no table."""

_MONTHS: Final = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}
_LONG_MONTHS: Final = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "de": (
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
}
_WEEKDAYS: Final = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def code_sentence(code: str) -> str:
    """Return one sentence that says what to do, for a code of the contract or of a release."""
    return CONTRACT_CODES.get(code) or RELEASE_CODES.get(code) or UNKNOWN_CODE


def _local(at: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone)


def day_text(day: date, language: str = "en", *, year: bool = True) -> str:
    """Write a date: "24 Nov 2026", "24. Nov. 2026"; without its year "24 Nov"."""
    dot = "." if language == "de" else ""
    text = f"{day.day}{dot} {_MONTHS[language][day.month - 1]}"
    return f"{text} {day.year}" if year else text


def long_day_text(day: date, language: str = "en") -> str:
    """Write a date for patients: "24 November 2026", "24. November 2026"."""
    dot = "." if language == "de" else ""
    return f"{day.day}{dot} {_LONG_MONTHS[language][day.month - 1]} {day.year}"


def iso_day_text(day: str, language: str = "en") -> str:
    """Write an ISO date, or the part of one a record has ("2026", "2026-11"); empty is NONE."""
    parts = day[:10].split("-")
    if not day:
        return NONE
    if len(parts) == 1:
        return parts[0]
    month = _MONTHS[language][int(parts[1]) - 1]
    return f"{month} {parts[0]}" if len(parts) == 2 else day_text(date.fromisoformat(day[:10]), language)  # noqa: PLR2004 (year and month)


def date_text(at: int, language: str = "en", zone: tzinfo | None = None) -> str:
    """Write the day of an instant (seconds UTC) where the person is: "24 Nov 2026"."""
    return day_text(_local(at, zone).date(), language)


def time_text(at: int, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """Write the time of day of an instant: "14:31", or with seconds where evidence matters."""
    return _local(at, zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment_text(at: int, language: str = "en", zone: tzinfo | None = None) -> str:
    """Write day and time: "1 Dec 2026, 14:31"."""
    return f"{date_text(at, language, zone)}, {time_text(at, zone)}"


def end_text(at: int | None, now: int, language: str = "en", zone: tzinfo | None = None) -> str:
    """Write when something ends, as short as it can be: "Today, 16:42", "1 Dec, 14:31", NONE."""
    if at is None:
        return NONE
    end, today = _local(at, zone), _local(now, zone)
    if end.date() == today.date():
        return f"{'Heute' if language == 'de' else 'Today'}, {end:%H:%M}"
    return f"{day_text(end.date(), language, year=end.year != today.year)}, {end:%H:%M}"


def weekday_text(at: int, now: int, language: str = "en", zone: tzinfo | None = None) -> str:
    """Write a day as a heading: "Today, Tuesday 24 November", "Saturday 21 November"."""
    day, today = _local(at, zone).date(), _local(now, zone).date()
    dot = "." if language == "de" else ""
    comma = "," if language == "de" else ""
    text = f"{_WEEKDAYS[language][day.weekday()]}{comma} {day.day}{dot} {_LONG_MONTHS[language][day.month - 1]}"
    if day == today:
        return f"{'Heute' if language == 'de' else 'Today'}, {text}"
    return text if day.year == today.year else f"{text} {day.year}"


def duration_text(seconds: int, language: str = "en") -> str:
    """Write a duration with its two largest units: "6 d 23 h", "2 h 10 min", "8 min", "40 s"."""
    day = "T" if language == "de" else "d"
    seconds = max(0, seconds)
    for size, unit, smaller, small_unit in ((_DAY, day, _HOUR, "h"), (_HOUR, "h", _MINUTE, "min")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit} {rest} {small_unit}" if rest else f"{seconds // size} {unit}"
    return f"{seconds // _MINUTE} min" if seconds >= _MINUTE else f"{seconds} s"


def countdown_text(seconds: int, language: str = "en") -> str:
    """Write the time left on a consent badge: "6 d 23 h 58 min left"; under an hour it counts seconds."""
    seconds = max(0, seconds)
    if seconds < _HOUR:
        left = f"{seconds // _MINUTE} min {seconds % _MINUTE:02d} s" if seconds >= _MINUTE else f"{seconds} s"
    else:
        days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
        day = "T" if language == "de" else "d"
        left = f"{days} {day} {hours} h {minutes} min" if days else f"{hours} h {minutes} min"
    return f"noch {left}" if language == "de" else f"{left} left"


def clock_text(seconds: int) -> str:
    """Write a short countdown: "4:12"."""
    return f"{max(0, seconds) // _MINUTE}:{max(0, seconds) % _MINUTE:02d}"


def count_text(number: int, one: str, many: str) -> str:
    """Write a number with its noun: "1 record", "14 records", "1,902 entries"."""
    return f"{number:,} {one if number == 1 else many}"


def size_text(size: int) -> str:
    """Write a size in bytes with decimal units, as ledgers and files show it: "2.1 kB"."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def age_text(born: str, today: date) -> str:
    """Write a birth date with the age: "14 Mar 1961, 65 years"; unknown is NONE."""
    if len(born) < len("2026-01-01"):
        return iso_day_text(born)
    birth = date.fromisoformat(born[:10])
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return f"{day_text(birth)}, {count_text(years, 'year', 'years')}"
