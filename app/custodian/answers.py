"""What may be read: texts for ids, and the signed list of all releases (PROTOCOL.md E.1; ATTACKS.md A12, A13)."""

from functools import partial

from app.custodian import readings
from app.custodian.artefacts import proposer_of
from app.custodian.desk import Desk
from app.custodian.entries import Link
from app.custodian.journal import JournalKind
from app.custodian.messages import CustodianRefusal, Request, exactly, text, texts
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json
from ledger.contract.parties import of_grantee, party
from ledger.contract.shape import Fields


def explain(desk: Desk, request: Request, caller: Caller) -> Fields:
    """Return readable texts: to the party all of hers, to a practitioner what concerns him."""
    exactly(request.fields, "patient_id", "ids", "reply_key")
    patient_id = text(request.fields, "patient_id", 64)
    link = desk.index.link(patient_id)
    if caller.role == "practitioner":
        of_grantee(desk.reader(caller), patient_id, "practitioner")
    else:
        party(desk.reader(caller), patient_id)
    if link is None:
        raise CustodianRefusal("refused")
    found: Fields = {"badges": {}, "records": {}, "requests": {}, "artefacts": {}, "reasons": {}}
    for each in texts(request.fields, "ids", 1024):
        _explain(desk, link, caller, each, found)
    return found


def statement(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return all releases of a patient id; signed, so that leaving one out is a signed lie (A12)."""
    exactly(request.fields, "patient_id")
    patient_id = text(request.fields, "patient_id", 64)
    party(desk.reader(caller), patient_id)
    receipts = desk.journal.receipts(patient_id)
    sequence, head = desk.journal.head
    entries: list[Json] = [
        {
            "sequence": row.sequence,
            "kind": row.entry.kind.value,
            "access_id": row.entry.access_id,
            "by": row.entry.subject,
            "msp_id": row.entry.msp_id,
            "receipt": receipts[row.entry.access_id],
            "at": row.entry.at,
        }
        for row in desk.journal.rows(patient_id)
        if row.entry.kind in (JournalKind.RELEASE, JournalKind.INDEX)
    ]
    journal: dict[str, Json] = {"sequence": sequence, "hash": head}
    return {"patient_id": patient_id, "since": 0, "until": desk.clock(), "entries": entries, "journal": journal}


def view(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return which accesses of a patient id this hospital verified, and up to which block; signed (A13).

    Any hospital on the ledger answers, not only the one that holds the records: hers may hide what another one saw.
    """
    exactly(request.fields, "patient_id")
    patient_id = text(request.fields, "patient_id", 64)
    with desk.replica.lock:
        party(desk.reader(caller), patient_id, erased=True)
        accesses: list[Json] = [key[2] for key, _ in desk.replica.scan(("access", patient_id))]
        head = desk.replica.head
    at: dict[str, Json] = {"number": head.number, "hash": head.hash}
    return {"patient_id": patient_id, "head": at, "accesses": accesses}


def _explain(desk: Desk, link: Link, caller: Caller, each: str, found: Fields) -> None:
    own = caller.role != "practitioner"
    for msp_id in {link.grantee, desk.msp_id}:
        badge = desk.index.badge(msp_id, each)
        if badge is not None and (own or msp_id == caller.msp_id):
            found["badges"][each] = badge.to_wire()
    asked = desk.index.request(link.patient_id, each)
    if asked is not None and (own or asked.subject == caller.subject):
        found["requests"][each] = readings.stored_request_fields(asked)
    artefact = desk.index.artefact(link.patient_id, each)
    if artefact is not None and (
        own or proposer_of(partial(desk.find, "consent", link.patient_id), each) == caller.subject
    ):
        found["artefacts"][each] = readings.opening_fields(artefact)
    reason = desk.index.reason(link.patient_id, each)
    if reason is not None and own:
        found["reasons"][each] = readings.opening_fields(reason)
    shared = desk.index.shared(link.patient_id, each)
    held = None if shared is None else desk.index.record(shared.internal_id)
    if held is not None and own:
        found["records"][each] = {
            "version": held.version,
            "category": held.category,
            "date": held.date,
            "display": held.display,
            "held": held.internal_id,
        }
