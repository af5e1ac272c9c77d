"""Ciphertext for an opening that was released, as long as it would still be released (E.1 FetchObject)."""

from typing import Final

from app.custodian.authentication import active
from app.custodian.desk import Desk
from app.custodian.messages import REPLY_MAX, CustodianRefusal, Request, exactly, member, number, objects, text, unframe
from app.custodian.release import check_patient, decide_again
from app.custodian.standing import Moment
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
    stored = desk.journal.find_reply(access_id)
    reply = b"" if stored is None else stored.reply
    if not reply:
        raise CustodianRefusal("forbidden")
    moment = Moment(desk.replica.head_hash, desk.clock(), caller, patient_id, access_id)
    size = desk.standing.sizes(moment, lambda: _permitted(desk, moment, reply)).get(name)
    if size is None:
        raise CustodianRefusal("forbidden")
    _check_stop(desk, patient_id)
    try:
        chunk = desk.store.read(name, offset, CHUNK) if 0 <= offset < size else b""
    except IntegrityError:
        raise CustodianRefusal("object-mismatch", "the object is missing") from None
    return {"access_id": access_id, "name": name, "offset": offset, "size": size}, chunk


def _permitted(desk: Desk, moment: Moment, reply: bytes) -> dict[str, int]:
    """Return the objects of an access that would still be released at this moment, and their sizes."""
    caller, patient_id = moment.caller, moment.patient_id
    active(desk, caller, patient_id)
    access = desk.replica.committed_access(patient_id, moment.access_id)
    if access is None:
        raise CustodianRefusal("forbidden")
    by = member(access.value, "by")
    if (by["msp_id"], by["subject"], by["key_hash"]) != (caller.msp_id, caller.subject, caller.key_hash):
        raise CustodianRefusal("forbidden")
    if moment.now >= number(access.value, "until"):
        raise CustodianRefusal("expired")
    check_patient(desk, access)
    _check_stop(desk, patient_id)
    decide_again(desk, access, caller)
    return _sizes(desk, patient_id, reply)


def _check_stop(desk: Desk, patient_id: str) -> None:
    """Refuse while releases are stopped here; that is no ledger state, so it is looked up for every request."""
    if desk.index.stopped(patient_id) is not None:
        raise CustodianRefusal("stopped-by-patient")


def _sizes(desk: Desk, patient_id: str, reply: bytes) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for item in objects(member(unframe(reply, REPLY_MAX)[0], "reply"), "items", 64):
        shared = desk.index.shared(patient_id, text(item, "record_id"))
        version = None if shared is None else desk.index.version(shared.internal_id, number(item, "version"))
        if version is not None:
            sizes |= version.sizes
    return sizes
