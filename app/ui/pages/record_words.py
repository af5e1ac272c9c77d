"""A line of the worklist in words, icons and chips; the same on Worklist and Patient."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.services.requests import short_id
from app.services.worklist import RecordRow, RowState
from app.ui.kinds import kind_icon, kind_text, kind_word, kinds_text, purpose_text
from app.ui.pages.phases import Phase, Step
from app.ui.refusals import reason_sentence
from app.ui.vocabulary import Chip, Status, chip
from app.ui.widgets.panes import Fact
from app.ui.wording import NONE, count_text, day_text, duration_text, end_text, iso_day_text, moment_text

if TYPE_CHECKING:
    from app.consent.terms import Terms
    from app.ui.pages.workplace import Workplace

_OUTSIDE = "DATE_NOT_COVERED"


def title_of(row: RecordRow) -> str:
    """Return what a line is called: the record's title, its kind, or "One record"."""
    if row.state is RowState.WITHHELD:
        return "One record" if row.count == 1 else count_text(row.count, "record", "records")
    return row.title or kind_text(row.category)


def icon_of(row: RecordRow) -> str:
    """Return the icon of a line's kind."""
    return "file-lock" if row.state is RowState.WITHHELD else kind_icon(row.category)


def chip_of(row: RecordRow, place: Workplace, phase: Phase | None = None, *, until: bool = False) -> Chip:
    """Return the chip of a line.

    Args:
        row: which.
        place: for time and zone.
        phase: of its opening, if one is under way or failed.
        until: say how long it is open.
    """
    step = phase.step if phase is not None and phase.key == row.key else Step.IDLE
    if step in (Step.UNKNOWN, Step.CHANGED):
        return chip(Status.UNKNOWN if step is Step.UNKNOWN else Status.CHANGED)
    if row.state is RowState.ENDS_SOON and row.until is not None:
        return chip(Status.ENDS_IN, time=duration_text(row.until - place.clock()))
    if row.state in (RowState.OPEN, RowState.NOT_LISTED):
        return _open_chip(row, place) if until else chip(Status.OPEN)
    if row.state is RowState.DENIED and row.reason == _OUTSIDE:
        return chip(Status.OUTSIDE)
    closed = {
        RowState.WAITING: Status.WAITING,
        RowState.DENIED: Status.DENIED,
        RowState.WITHHELD: Status.WITHHELD,
    }
    return chip(closed.get(row.state, Status.ENDED))


def _open_chip(row: RecordRow, place: Workplace) -> Chip:
    if row.until is None:
        return chip(Status.OPEN)
    day = datetime.fromtimestamp(row.until, UTC).astimezone(place.zone).date()
    return chip(Status.OPEN_UNTIL, time=day_text(day, year=False))


def ends_text(row: RecordRow, place: Workplace, phase: Phase | None = None) -> str:
    """Return the column "Access ends"."""
    if phase is not None and phase.key == row.key and phase.step is Step.UNKNOWN:
        return "Checking…"
    if row.state is RowState.ENDED and row.until is not None:
        return f"Ended {end_text(row.until, place.clock(), zone=place.zone)}"
    if row.state in (RowState.OPEN, RowState.ENDS_SOON, RowState.NOT_LISTED):
        return end_text(row.until, place.clock(), zone=place.zone)
    return NONE


def held_at(row: RecordRow, place: Workplace) -> str:
    """Return where a record is held, for those whose existence was disclosed."""
    return place.hospital(row.patient.custodian) if row.record_id else NONE


def record_facts(row: RecordRow, place: Workplace) -> tuple[Fact, ...]:
    """Return the first facts of the preview pane."""
    if not row.record_id:
        return (Fact("Held at", place.hospital(row.patient.custodian)),)
    opened = "Never by you" if row.last_opened is None else moment_text(row.last_opened, zone=place.zone)
    return (
        Fact("Kind", kind_text(row.category)),
        Fact("Held at", place.hospital(row.patient.custodian)),
        Fact("Made on", iso_day_text(row.made_on)),
        Fact("Last opened", opened),
    )


def terms_facts(row: RecordRow, place: Workplace, *, link: bool = True) -> tuple[Fact, ...]:
    """Return what is allowed, or was asked for, as facts; ``followed`` of the grid carries "why"."""
    facts = []
    terms = row.terms
    if terms is not None:
        facts = [
            Fact("Purpose", purpose_text(terms.purpose[1])),
            Fact("Records", kinds_text(terms.categories)),
            Fact("Made between", period_text(terms)),
        ]
        if row.until is not None:
            facts.append(Fact("Until", moment_text(row.until, zone=place.zone)))
        else:
            facts.append(Fact("For", count_text(terms.keep_open_days, "day", "days")))
        facts += [
            _answer("AI suggestion", allowed=terms.ai_inference),
            _answer("AI training", allowed=terms.ai_training),
        ]
    if row.consent_id:
        name = "Decided by" if row.state is not RowState.WAITING else "Request"
        facts.append(Fact(name, f"Consent {short_id(row.consent_id)}", link="why" if link else ""))
    return tuple(facts)


def _answer(name: str, *, allowed: bool) -> Fact:
    if allowed:
        return Fact(name, "Allowed", "check", "ok_fg")
    return Fact(name, "Not allowed", "ban", "deny_fg")


def period_text(terms: Terms) -> str:
    """Return between which days a record must have been made."""
    first, last = iso_day_text(terms.made_from), iso_day_text(terms.made_until)
    if first == last == NONE:
        return "Any time"
    if first == NONE:
        return f"Until {last}"
    return f"Since {first}" if last == NONE else f"{first} {NONE} {last}"


def why_sentence(row: RecordRow) -> str:
    """Return in one sentence why a line is closed or open."""
    name, kind = row.patient.name, kind_word(row.category)
    sentences = {
        RowState.WAITING: f"You asked for {kind}. {name} has not decided yet.",
        RowState.NOT_LISTED: f"{name} allows you {kind}. Open the list to see which records there are.",
        RowState.WITHHELD: "By the patient's choice, kind and date are not shown.",
        RowState.ENDED: f"The permission for {kind} has ended or was withdrawn.",
    }
    if row.state in sentences:
        return sentences[row.state]
    if row.state is RowState.DENIED and not row.record_id:
        asked = f"You asked for {kind}. "
        return asked + (f"{name} left it out." if row.reason else f"{name} refused.")
    return reason_sentence(row.reason)
