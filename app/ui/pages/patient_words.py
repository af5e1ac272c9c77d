"""A patient's entries and consents in plain words, icons and chips (SCREENS.md h)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from app.services.accesses import AccessRow, AccessState
from app.services.consents import ConsentRow, ConsentState
from app.ui.kinds import kind_text
from app.ui.vocabulary import Chip
from app.ui.wording import NONE, duration_text, long_day_text, time_text
from ledger.contract.decision import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from app.services.accesses import Who

ROLES: Final[Mapping[str, str]] = {
    "privacy-officer": "Privacy officer",
    "registrar": "Registrar",
    "operator": "Operator",
    "custodian": "Computer of the hospital",
    "proxy": "Your representative",
}
PURPOSES: Final[Mapping[str, str]] = {
    "TREAT": "To treat you",
    "COC": "To give a second opinion",
    "HQUALIMP": "To check how well people are treated",
    "HRESCH": "For research",
    "TREATDS": "To suggest a diagnosis",
    "MLTRAINING": "So that a computer learns from it",
    "PATRQT": "For yourself",
    "BTG": "In an emergency",
    "ETREAT": "In an emergency",
}
REFUSED: Final[Mapping[Reason, str]] = {
    Reason.NO_CONSENT: "You had allowed nothing",
    Reason.CUSTODIAN_NOT_COVERED: "You did not allow this hospital",
    Reason.NOT_ACTIVE: "You had stopped it, or not decided yet",
    Reason.EXPIRED: "What you allowed had ended",
    Reason.NOT_YET_VALID: "What you allowed had not begun",
    Reason.ACTOR_NOT_COVERED: "You allowed it to other people",
    Reason.PURPOSE_NOT_COVERED: "You did not allow it for this",
    Reason.ACTION_NOT_COVERED: "You did not allow this use",
    Reason.CATEGORY_NOT_COVERED: "You left it out",
    Reason.DATE_NOT_COVERED: "It is outside the time you allowed",
    Reason.LABEL_NOT_COVERED: "You keep this closed",
    Reason.DENIED_BY_CONSENT: "You refused it",
    Reason.DENY_OVERRIDES: "You refused it, and a refusal counts more",
    Reason.CONFLICTING_EXCEPTIONS: "You allowed and refused it, so it stays closed",
    Reason.PURPOSE_NOT_AUTHORISED: "No emergency was declared",
    Reason.RECORD_ERASED: "It was erased",
    Reason.PATIENT_FROZEN: "You had stopped all access",
}
_OTHER: Final = "What you allowed does not cover it"
_CONSENT_CHIPS: Final[Mapping[ConsentState, Chip]] = {
    ConsentState.ACTIVE: Chip("Active", "circle-check", "ok"),
    ConsentState.ENDED: Chip("Ended", "circle-slash-2", "held"),
    ConsentState.WITHDRAWN: Chip("Stopped", "circle-slash-2", "held"),
    ConsentState.REPLACED: Chip("Made smaller", "pencil-line", "held"),
    ConsentState.REFUSED: Chip("Refused", "ban", "deny"),
}


def name_of(who: Who) -> str:
    """Return a person's name; of the patient herself "You"; a badge that cannot be shown leaves the role."""
    if who.role == "patient":
        return "You"
    return who.name or role_of(who)


def role_of(who: Who) -> str:
    """Return a role in plain words."""
    if who.role == "practitioner":
        return "Doctor" if who.name.startswith(("Dr ", "Dr. ", "Prof")) else who.qualification or "Nurse or carer"
    return ROLES.get(who.role, "Person")


def is_own(row: AccessRow) -> bool:
    """Whether the patient opened it herself."""
    return row.who.role == "patient"


def what_of(row: AccessRow) -> str:
    """Return what an entry is about."""
    if row.kind == "index":
        return "The list of your records"
    if row.records:
        return ", ".join(row.records)
    return ", ".join(kind_text(each) for each in row.categories) or "A record"


def why_of(row: AccessRow) -> str:
    """Return why it was opened, or why not."""
    if row.state is not AccessState.NOT_OPENED:
        return PURPOSES.get(row.purpose, row.purpose)
    return f"Tried. {refusal_of(row.reason)}"


def refusal_of(code: str) -> str:
    """Return why something was not opened, as the patient reads it."""
    try:
        return REFUSED.get(Reason(code), _OTHER)
    except ValueError:
        return _OTHER


def chip_of(row: AccessRow) -> Chip:
    """Return the chip of an entry."""
    if row.state is AccessState.NOT_OPENED:
        return Chip("Not opened", "ban", "deny")
    if row.state is AccessState.ASKED:
        return Chip("Asked, not opened yet", "hourglass", "wait")
    if is_own(row):
        return Chip("By you", "user-round", "held")
    if row.state is AccessState.OPEN_NOW:
        return Chip("Open now", "circle-check", "ok")
    return Chip("With your consent", "circle-check", "ok")


def icon_of(row: AccessRow) -> str:
    """Return the icon of who acted."""
    if row.computer:
        return "cpu"
    return {"patient": "user-round", "practitioner": "stethoscope"}.get(row.who.role, "scale")


def heading_of(row: AccessRow) -> str:
    """Return an entry as a sentence: "Dr Carol Specimen opened your CT chest"."""
    what = what_of(row)
    thing = "the list of your records" if row.kind == "index" else f"your {what}"
    if row.computer:
        verb = "was not allowed to read" if row.state is AccessState.NOT_OPENED else "read"
        return f"A computer program {verb} {thing}"
    verb = {AccessState.NOT_OPENED: "tried to open", AccessState.ASKED: "asked to open"}.get(row.state, "opened")
    return f"{name_of(row.who)} {verb} {thing}"


def how_long(row: AccessRow, zone: tzinfo | None) -> str:
    """Return how long it was open; NONE if it was not."""
    if row.state is AccessState.OPEN_NOW:
        return "Still open"
    if row.state is not AccessState.OPENED or row.computer or row.kind == "index":
        return NONE
    if row.closed_at is not None:
        return duration_text(row.closed_at - row.at)
    return f"Until {moment(row.until, zone)} at the latest"


def moment(at: int, zone: tzinfo | None) -> str:
    """Return day and time for a patient: "24 November 2026, 14:33"."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{long_day_text(local.date())}, {time_text(at, zone)}"


def consent_chip(row: ConsentRow) -> Chip:
    """Return the chip of a consent."""
    if row.denies and row.state is ConsentState.ACTIVE:
        return Chip("Blocked", "ban", "deny")
    return _CONSENT_CHIPS[row.state]
