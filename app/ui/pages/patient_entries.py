"""The lists of the Patient page: by time, by kind, and the practitioner's own openings."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from app.services.requests import short_id
from app.services.worklist import RowState
from app.ui.kinds import kind_text, purpose_text
from app.ui.pages.record_words import chip_of, icon_of, title_of
from app.ui.refusals import reason_sentence
from app.ui.vocabulary import Chip, Status, chip
from app.ui.widgets import Group, TwoLine
from app.ui.wording import iso_day_text, moment_text, time_text, weekday_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.services.opening_log import OpeningRow
    from app.services.worklist import RecordRow
    from app.ui.pages.phases import Phase
    from app.ui.pages.workplace import Workplace
    from app.ui.widgets.cells import Entry

CLOSED: Final = "Not open to you"
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def timeline(rows: tuple[RecordRow, ...], place: Workplace, phase: Phase | None) -> tuple[Entry, ...]:
    """Return what is closed first, then records by month, newest first."""
    hidden = [row for row in rows if not row.record_id and row.state is not RowState.NOT_LISTED]
    unlisted = [row for row in rows if row.state is RowState.NOT_LISTED]
    dated = sorted((row for row in rows if row.record_id), key=lambda row: row.made_on, reverse=True)
    entries: list[Entry] = []
    for heading, group in ((CLOSED, hidden), ("Open to you, not listed yet", unlisted)):
        if group:
            entries += [Group(heading), *(_entry(row, place, phase) for row in group)]
    for heading, month in groupby(dated, key=_month):
        entries += [Group(heading), *(_entry(row, place, phase) for row in month)]
    return tuple(entries)


def by_kind(rows: tuple[RecordRow, ...], place: Workplace, phase: Phase | None) -> tuple[Entry, ...]:
    """Return what is closed first, then records by kind."""
    hidden = [row for row in rows if not row.record_id and row.state is not RowState.NOT_LISTED]
    shown = [row for row in rows if row not in hidden]
    entries: list[Entry] = [Group(CLOSED), *(_entry(row, place, phase) for row in hidden)] if hidden else []
    ordered = sorted(shown, key=lambda row: (kind_text(row.category), row.title))
    for kind, group in groupby(ordered, key=lambda row: row.category):
        entries += [Group(kind_text(kind)), *(_entry(row, place, phase) for row in group)]
    return tuple(entries)


def _month(row: RecordRow) -> str:
    if len(row.made_on) < len("2026-01"):
        return row.made_on or "Without a date"
    return f"{_MONTHS[int(row.made_on[5:7]) - 1]} {row.made_on[:4]}"


def _entry(row: RecordRow, place: Workplace, phase: Phase | None) -> TwoLine:
    shown = chip_of(row, place, phase, until=True)
    return TwoLine(
        title_of(row),
        _caption(row, place),
        icon_of(row),
        middle=_middle(row),
        chip=shown,
        dot=f"{shown.role}_fg",
        row=row,
    )


def _caption(row: RecordRow, place: Workplace) -> str:
    if row.state is RowState.WITHHELD:
        return "Kind and date are not shown"
    if not row.record_id:
        return "Number and dates are not shown"
    day = iso_day_text(row.made_on)
    opened = "never opened by you"
    if row.last_opened is not None:
        opened = f"opened {moment_text(row.last_opened, zone=place.zone)}"
    return f"{day} · {place.hospital(row.patient.custodian)} · {opened}"


def _middle(row: RecordRow) -> str:
    if row.state is RowState.WITHHELD:
        return "By the patient's choice"
    if row.state is RowState.DENIED and not row.record_id:
        return "Left out by the patient" if row.reason else "Refused by the patient"
    if row.state is RowState.DENIED:
        return "Not covered by a consent"
    if row.state is RowState.WAITING:
        return f"Asked, {short_id(row.consent_id)}"
    ai = ", AI" if row.terms is not None and row.terms.ai_inference and row.category == "cytology" else ""
    return f"{purpose_text(row.purpose)}{ai} · {short_id(row.consent_id)}" if row.consent_id else ""


def log_entries(log: Iterable[OpeningRow], place: Workplace) -> tuple[Entry, ...]:
    """Return the practitioner's own openings by day."""
    entries: list[Entry] = []
    for heading, group in groupby(log, key=lambda row: weekday_text(row.at, place.clock(), zone=place.zone)):
        entries.append(Group(heading))
        entries += [_log_entry(row, place) for row in group]
    return tuple(entries)


def _log_entry(row: OpeningRow, place: Workplace) -> TwoLine:
    title = ", ".join(row.titles) or ("List of records" if row.kind == "index" else "One record")
    if row.computer:
        title = f"{title}, read by a computer program"
    if row.denied:
        shown, middle = chip(Status.DENIED), reason_sentence(row.reason)
    elif row.closed_at is not None:
        shown, middle = Chip("Closed", "check", "held"), f"Purged {time_text(row.closed_at, place.zone, seconds=True)}"
    else:
        shown, middle = Chip("Recorded", "check", "ok"), ""
    at = time_text(row.at, place.zone, seconds=True)
    icon_name = "chart-scatter" if row.computer else "layout-list" if row.kind == "index" else "eye"
    return TwoLine(
        title, f"{at} · {purpose_text(row.purpose)} · block {row.block}", icon_name, middle=middle, chip=shown, row=row
    )
