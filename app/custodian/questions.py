"""What a patient asks about an access, and what the privacy officer of her hospital answers (SCREENS.md h).

Kept sealed, never on the ledger. One question about an access, one answer to it; neither is changed later.
"""

from dataclasses import replace

from app.custodian import readings
from app.custodian.authentication import require_staff
from app.custodian.desk import Desk
from app.custodian.messages import CustodianRefusal, Request, exactly, text
from app.custodian.notices import notify
from app.custodian.results import QUESTION_MAX, AskedQuestion, Question
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json
from ledger.contract.parties import party


def ask(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Keep a question of the patient's party about one access to her records; the same again changes nothing."""
    exactly(request.fields, "patient_id", "access_id", "text", "reply_key")
    patient_id, access_id = text(request.fields, "patient_id", 64), text(request.fields, "access_id", 64)
    words = _words(request)
    party(desk.reader(caller), patient_id)
    access = desk.find("access", patient_id, access_id)
    if access is None:
        raise CustodianRefusal("unknown-access")
    if access["by"]["subject"] == patient_id:
        raise CustodianRefusal("same-person", "her own access")
    earlier = desk.index.question(patient_id, access_id)
    if earlier is not None and earlier.text != words:
        raise CustodianRefusal("already-exists", "this access was asked about")
    if earlier is None:
        desk.index.put_question(Question(patient_id, access_id, words, desk.clock()))
    return {}


def own_questions(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return to the patient's party what she asked and what was answered."""
    exactly(request.fields, "patient_id", "reply_key")
    patient_id = text(request.fields, "patient_id", 64)
    party(desk.reader(caller), patient_id)
    return {"questions": [readings.question_fields(each) for each in desk.index.questions_of(patient_id)]}


def questions(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return to this hospital's privacy officer who asked what about which access; never what a record says."""
    exactly(request.fields, "reply_key")
    require_staff(desk, caller, "privacy-officer")
    rows: list[Json] = [
        readings.asked_question_fields(asked)
        for each in desk.index.questions()
        if (asked := _asked(desk, each)) is not None
    ]
    return {"questions": rows}


def answer(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Keep the privacy officer's answer and tell the patient that there is one; the same again changes nothing."""
    exactly(request.fields, "patient_id", "access_id", "text", "reply_key")
    patient_id, access_id = text(request.fields, "patient_id", 64), text(request.fields, "access_id", 64)
    words = _words(request)
    require_staff(desk, caller, "privacy-officer")
    asked = desk.index.question(patient_id, access_id)
    if asked is None:
        raise CustodianRefusal("unknown-access", "nobody asked about it")
    if asked.answered_at is not None:
        if (asked.answer, asked.answered_by) == (words, caller.subject):
            return {}
        raise CustodianRefusal("already-exists", "it was answered")
    answered = replace(asked, answer=words, answered_at=desk.clock(), answered_by=caller.subject)
    desk.index.put_question(answered)
    notify(desk, patient_id, "question-answered", {"access_id": access_id})
    return {}


def _words(request: Request) -> str:
    words = text(request.fields, "text", QUESTION_MAX)
    if not words.strip():
        raise CustodianRefusal("malformed", "no words")
    return words


def _asked(desk: Desk, question: Question) -> AskedQuestion | None:
    link = desk.index.link(question.patient_id)
    person = None if link is None else desk.index.person(link.person_id)
    access = desk.find("access", question.patient_id, question.access_id)
    if person is None or access is None:
        return None
    shared = [desk.index.shared(question.patient_id, item["record_id"]) for item in access["items"]]
    held = [desk.index.record(each.internal_id) for each in shared if each is not None]
    by = access["by"]
    return AskedQuestion(
        question,
        person.person.name,
        desk.index.badge(by["msp_id"], by["subject"]),
        tuple(sorted({each.category for each in held if each is not None})),
    )
