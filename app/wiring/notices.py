"""What the bell says: what the ledger refused, then what needs a person or ended for her in the last day."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from app.services.requests import RequestState, short_id
from app.ui.widgets import Notice
from app.ui.wording import code_sentence, end_text
from app.wiring.desks import Desk, PatientDesk, StaffDesk

_DAY: Final = 86_400
_MOST: Final = 9
_DECIDED: Final = {
    RequestState.ALLOWED: ("{name} allowed your request", "circle-check"),
    RequestState.NARROWED: ("{name} allowed part of your request", "pencil-line"),
    RequestState.REFUSED: ("{name} refused your request", "ban"),
    RequestState.ENDED: ("What {name} allowed has ended", "circle-slash-2"),
}
_REFUSED: Final = {
    "SuspendMember": ("people", "your suspension of a person"),
    "RevokeConsent": ("consents", "your stop of a consent"),
    "RejectConsent": ("inbox", "your refusal of a request"),
    "RecordPurge": ("worklist", "the receipt that your copy is gone"),
    "RecordVerdict": ("suggestions", "your verdict"),
}
"""The page where it can be done again, and what it was."""


def notices_of(desk: Desk, now: int) -> tuple[Notice, ...]:
    """Return a person's notices; each key begins with the page that a click opens. Blocks.

    Raises:
        CustodianRefusal, LedgerDamagedError: as the services say.
    """
    refused = _refused(desk)
    if isinstance(desk, PatientDesk):
        return (*refused, *_of_patient(desk, now))
    by_role = {"practitioner": _of_practitioner, "privacy-officer": _of_privacy_officer}
    of_role = by_role.get(desk.profile.role)
    return (*refused, *(() if of_role is None else of_role(desk, now)))


def read(desk: Desk, key: str) -> None:
    """Take note that a notice was read: of what the ledger refused, nobody is told twice."""
    _, kind, transaction_id = (*key.split(":"), "", "")[:3]
    outbox = desk.machine.outbox
    if kind == "refused" and outbox is not None:
        outbox.forget(transaction_id)


def _refused(desk: Desk) -> tuple[Notice, ...]:
    signers = [pair.identity for pair in desk.unlocked.pairs] if isinstance(desk, PatientDesk) else [desk.identity]
    outbox = desk.machine.outbox
    return tuple(
        Notice(
            f"{_REFUSED[each.name][0]}:refused:{each.transaction_id}",
            f"Not recorded: {_REFUSED[each.name][1]}. {code_sentence(each.code)}",
            "triangle-alert",
            "",
        )
        for each in (() if outbox is None else outbox.refused(*signers))
    )


def _of_patient(desk: PatientDesk, now: int) -> tuple[Notice, ...]:
    waiting = tuple(
        Notice(f"inbox:{row.consent_id}", f"{row.asked_by.name} asks for access", "inbox", end_text(row.sent_at, now))
        for row in desk.inbox.rows()
    )
    return (*waiting, *_of_mailbox(desk, now))[:_MOST]


def _of_mailbox(desk: PatientDesk, now: int) -> Iterator[Notice]:
    """Yield what came into her mailbox in the last day and is hers to read on a page, newest first."""
    told = [
        each
        for pair in desk.unlocked.pairs
        for each in pair.client.notices(pair.identity, pair.patient_id, pair.mailbox)
        if now - each.at < _DAY
    ]
    for each in sorted(told, key=lambda each: each.at, reverse=True):
        at = end_text(each.at, now)
        if each.kind == "question-answered":
            said = "The privacy officer answered your question"
            yield Notice(f"accesses:{each.content['access_id']}", said, "message-circle-question-mark", at)
        elif each.kind == "receipt":
            consent_id = str(each.content["consent_id"])
            said = f"Your receipt {short_id(consent_id)} is in your mailbox"
            yield Notice(f"consents:{consent_id}", said, "receipt-text", at)


def _of_privacy_officer(desk: StaffDesk, now: int) -> tuple[Notice, ...]:
    waiting = (row for row in desk.questions.rows() if row.question.answered_at is None)
    return tuple(
        Notice(
            f"questions:{row.question.access_id}",
            f"{row.person} asks about an access",
            "message-circle-question-mark",
            end_text(row.question.asked_at, now),
        )
        for row in islice(waiting, _MOST)
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
