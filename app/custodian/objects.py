"""Ciphertext for an opening that was released, as long as it would still be released (E.1 FetchObject)."""

from typing import Final

from app.custodian.authentication import active
from app.custodian.desk import Desk
from app.custodian.messages import CustodianRefusal, Request, exactly, member, number, objects, text, unframe
from app.custodian.release import check_patient, decide_again
from app.records.refusal import IntegrityError
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json

CHUNK: Final = 8 * 1024 * 1024


def fetch_object(desk: Desk, request: Request, caller: Caller) -> tuple[dict[str, Json], bytes]:
    """Return part of an object: only objects of that access, only to who opened, only while it would open again.

    Raises:
        CustodianRefusal: ``forbidden`` for anything that is not of this access; ``expired``, ``stopped-by-patient``,
            ``denied`` when it is over; ``object-mismatch`` when it is missing.
    """
    exactly(request.fields, "patient_id", "access_id", "name", "offset")
    patient_id, access_id = text(request.fields, "patient_id", 64), text(request.fields, "access_id", 64)
    name, offset = text(request.fields, "name", 64), number(request.fields, "offset")
    active(desk, caller, patient_id)
    access = desk.replica.committed_access(patient_id, access_id)
    stored = desk.journal.find_reply(access_id)
    if access is None or stored is None or not stored.reply:
        raise CustodianRefusal("forbidden")
    by = member(access.value, "by")
    if (by["msp_id"], by["subject"], by["key_hash"]) != (caller.msp_id, caller.subject, caller.key_hash):
        raise CustodianRefusal("forbidden")
    size = _sizes(desk, patient_id, stored.reply).get(name)
    if size is None:
        raise CustodianRefusal("forbidden")
    if desk.clock() >= number(access.value, "until"):
        raise CustodianRefusal("expired")
    check_patient(desk, access)
    if desk.index.stopped(patient_id) is not None:
        raise CustodianRefusal("stopped-by-patient")
    decide_again(desk, access, caller)
    try:
        chunk = desk.store.read(name, offset, CHUNK) if 0 <= offset < size else b""
    except IntegrityError:
        raise CustodianRefusal("object-mismatch", "the object is missing") from None
    return {"access_id": access_id, "name": name, "offset": offset, "size": size}, chunk


def _sizes(desk: Desk, patient_id: str, reply: bytes) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for item in objects(member(unframe(reply)[0], "reply"), "items", 64):
        shared = desk.index.shared(patient_id, text(item, "record_id"))
        version = None if shared is None else desk.index.version(shared.internal_id, number(item, "version"))
        if version is not None:
            sizes |= version.sizes
    return sizes
