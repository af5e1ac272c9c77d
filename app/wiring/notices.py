"""What the bell says: things of the last day that need a person or ended something for her, newest first."""

from typing import Final

from app.services.requests import RequestState
from app.ui.widgets import Notice
from app.ui.wording import end_text
from app.wiring.desks import Desk, PatientDesk, StaffDesk

_DAY: Final = 86_400
_MOST: Final = 9
_DECIDED: Final = {
    RequestState.ALLOWED: ("{name} allowed your request", "circle-check"),
    RequestState.NARROWED: ("{name} allowed part of your request", "pencil-line"),
    RequestState.REFUSED: ("{name} refused your request", "ban"),
    RequestState.ENDED: ("What {name} allowed has ended", "circle-slash-2"),
}


def notices_of(desk: Desk, now: int) -> tuple[Notice, ...]:
    """Return a person's notices; each key begins with the page that a click opens. Blocks.

    Raises:
        CustodianRefusal, LedgerDamagedError: as the services say.
    """
    if isinstance(desk, PatientDesk):
        return _of_patient(desk, now)
    return _of_practitioner(desk, now) if desk.profile.role == "practitioner" else ()


def _of_patient(desk: PatientDesk, now: int) -> tuple[Notice, ...]:
    return tuple(
        Notice(f"inbox:{row.consent_id}", f"{row.asked_by.name} asks for access", "inbox", end_text(row.sent_at, now))
        for row in desk.inbox.rows()[:_MOST]
    )


def _of_practitioner(desk: StaffDesk, now: int) -> tuple[Notice, ...]:
    found: list[tuple[int, Notice]] = []
    for row in desk.requests.rows():
        name = row.patient.name
        if row.state in (RequestState.ALLOWED, RequestState.NARROWED) and row.until and 0 < row.until - now < _DAY:
            text = f"What {name} allowed ends soon"
            found.append((now, Notice(f"worklist:{row.consent_id}", text, "clock-alert", end_text(row.until, now))))
        at = row.until if row.state is RequestState.ENDED and row.until and row.until <= now else row.decided_at
        if row.state in _DECIDED and at is not None and now - at < _DAY:
            text, icon_name = _DECIDED[row.state]
            key = f"requests:{row.consent_id}"
            found.append((at, Notice(key, text.format(name=name), icon_name, end_text(at, now))))
    return tuple(notice for _, notice in sorted(found, key=lambda each: each[0], reverse=True)[:_MOST])
