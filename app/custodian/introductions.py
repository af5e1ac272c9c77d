"""How a practitioner meets a patient: by her code, never by guessing (E.1; ATTACKS.md A16, A17, A50)."""

from datetime import date
from typing import Final

from app.consent.calendar import FIRST_DAY, LAST_DAY, cover
from app.consent.tags import TagKind
from app.custodian.authentication import require_staff
from app.custodian.desk import Desk
from app.custodian.entries import Link
from app.custodian.messages import CustodianRefusal, Request, exactly, text, texts
from app.custodian.notices import code_digest
from app.custodian.pairs import ensure_pair
from app.identity.badges import BadgeError, BadgeOpening, open_badge
from app.identity.certificates import new_subject
from app.records.description import Category
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json
from ledger.contract.parties import party, staff
from ledger.contract.shape import Fields

CODE_SECONDS: Final = 900


def make_code(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Make a one-use introduction code for the patient's party or a registrar of this hospital."""
    exactly(request.fields, "patient_id", "reply_key")
    patient_id = text(request.fields, "patient_id")
    if caller.role == "registrar":
        require_staff(desk, caller, "registrar")
    else:
        party(desk.reader(caller), patient_id)
    link = desk.index.link(patient_id)
    if link is None:
        raise CustodianRefusal("refused")
    code = new_subject(desk.random)
    expires_at = desk.clock() + CODE_SECONDS
    value: dict[str, Json] = {"use": "introduction", "person_id": link.person_id, "expires_at": expires_at}
    desk.index.put_code(code_digest(code), value, patient_id)
    return {"code": code, "expires_at": expires_at}


def introduce(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Give a practitioner the patient id and the tags for what he asked; nothing about sensitivity."""
    exactly(request.fields, "code", "patient_id", "badge", "purposes", "categories", "first", "last", "reply_key")
    member = staff(desk.reader(caller), "practitioner")
    wear_badge(desk, request.fields["badge"], caller, member)
    texts(request.fields, "purposes", 32)
    categories = _categories(texts(request.fields, "categories", 32))
    cells = _cells(text(request.fields, "first"), text(request.fields, "last"))
    link = desk.index.introduce(_met(desk, request, caller), caller.subject)
    held = desk.index.person(link.person_id)
    if held is None:
        raise CustodianRefusal("refused")
    tag = desk.tag(link.patient_id)
    asked = [(TagKind.CLASS, each.code) for each in categories] + [(TagKind.DATE, each) for each in cells]
    registry = desk.find("registry") or {"approved": []}
    return {
        "patient_id": link.patient_id,
        "custodian": desk.msp_id,
        "grantee": link.grantee,
        "name": held.person.name,
        "birth_date": held.person.birth_date,
        "sex": held.person.sex,
        "tags": [{"kind": kind.value, "code": code, "tag": tag(kind, code)} for kind, code in asked],
        "devices": [
            {"model_id": model_id, "tag": tag(TagKind.DEVICE, f"Device/{model_id}")}
            for model_id in registry["approved"]
        ],
        "withheld": link.tell_withheld,
    }


def wear_badge(desk: Desk, untrusted: Json, caller: Caller, member: Fields) -> BadgeOpening:
    """Accept the badge that the caller's member entry commits to, and keep it so that the patient can be told.

    Raises:
        CustodianRefusal: ``badge-mismatch``.
    """
    try:
        opening = BadgeOpening.from_wire(untrusted)
        open_badge(opening, str(member["badge_commitment"]), caller.msp_id, caller.subject)
    except BadgeError:
        raise CustodianRefusal("badge-mismatch") from None
    if desk.index.badge(caller.msp_id, caller.subject) != opening:
        desk.index.put_badge(caller.msp_id, caller.subject, opening)
    return opening


def store_badge(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Keep a badge opening that a hospital sends when it enrols somebody."""
    exactly(request.fields, "msp_id", "subject", "badge", "reply_key")
    staff(desk.reader(caller), "operator", "registrar", "practitioner", "privacy-officer")
    msp_id, subject = text(request.fields, "msp_id"), text(request.fields, "subject")
    member = desk.find("member", msp_id, subject)
    if member is None or caller.msp_id != msp_id:
        raise CustodianRefusal("forbidden")
    wear_badge(desk, request.fields["badge"], Caller(msp_id, subject, "", ""), member)
    return {}


def _met(desk: Desk, request: Request, caller: Caller) -> Link:
    """Return the pair between the patient and the caller's hospital; every refusal looks alike (A50).

    Raises:
        CustodianRefusal: ``refused``.
    """
    code, patient_id = text(request.fields, "code", 64), text(request.fields, "patient_id", 64)
    digest = code_digest(code)
    found = desk.index.code(digest) or {}
    link = desk.index.link(patient_id)
    if code and not patient_id and found.get("use") == "introduction":
        desk.index.remove_code(digest)
        expires_at = found.get("expires_at")
        if isinstance(expires_at, int) and desk.clock() < expires_at:
            return ensure_pair(desk, text(found, "person_id"), caller.msp_id)
    elif not code and link is not None and _knows(desk, link, caller):
        return link
    raise CustodianRefusal("refused")


def _knows(desk: Desk, link: Link, caller: Caller) -> bool:
    """Patients of the own hospital are known from its registration; others from an earlier introduction."""
    own = caller.msp_id == desk.msp_id
    return link.grantee == caller.msp_id and (own or caller.subject in link.introduced)


def _categories(untrusted: list[str]) -> list[Category]:
    try:
        return [Category(each) for each in untrusted]
    except ValueError:
        raise CustodianRefusal("malformed", "categories") from None


def _cells(first: str, last: str) -> tuple[str, ...]:
    """Return the calendar cover of the days asked for; none if no day is named: no limit needs no tag."""
    if not first and not last:
        return ()
    try:
        days = (date.fromisoformat(first) if first else FIRST_DAY, date.fromisoformat(last) if last else LAST_DAY)
    except ValueError:
        raise CustodianRefusal("malformed", "first or last") from None
    return cover(*days)
