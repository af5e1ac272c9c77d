"""What the patient is told: queued here, wrapped at rest, sealed to her mailbox key on the way (ATTACKS.md A27)."""

import hashlib
from typing import Final

from app.consent.receipt import ReceiptError, verify_receipt
from app.custodian.authentication import active
from app.custodian.desk import Desk
from app.custodian.journal import JournalEntry, JournalKind
from app.custodian.messages import CustodianRefusal, Request, exactly, number, raw_bytes, seal_to, text, to_text
from app.identity.certificates import new_subject
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json, encode
from ledger.contract.parties import party

WITH_CODE: Final = frozenset({"registered", "key-set", "pin-reset", "consent-granted", "artefact-mismatch"})
"""Notices of acts in the patient's name: each carries a code with which she can say "that was not me"."""


RECEIPT_MAX: Final = 256 * 1024
"""Characters of a receipt: the artefact, an envelope and block headers."""

KEY: Final = "key"
"""What a patient id is flagged with while its key was not certified by this custodian."""


def notify(desk: Desk, patient_id: str, kind: str, content: dict[str, Json], *, about: str = "") -> None:
    """Queue a notice to the patient.

    Args:
        desk: the custodian.
        patient_id: under which she reads it.
        kind: what happened.
        content: what is told.
        about: the patient id that the notice's code stops, if it is another one of hers.
    """
    count = desk.index.count_notices(patient_id) + 1
    code = new_subject(desk.random) if kind in WITH_CODE else ""
    if code:
        desk.index.put_code(_digest(code), {"use": "not-me", "patient_id": about or patient_id}, patient_id)
    value: dict[str, Json] = {
        "number": count,
        "kind": kind,
        "at": desk.clock(),
        "patient_id": patient_id,
        "content": content,
        "not_me": code,
    }
    desk.index.put_notice(patient_id, count, value)


def notices(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return the notices above a number, each sealed to the mailbox key that the patient's signed request names."""
    exactly(request.fields, "patient_id", "since", "mailbox_key")
    patient_id, since = text(request.fields, "patient_id"), number(request.fields, "since")
    party(desk.reader(caller), patient_id)
    key = raw_bytes(request.fields, "mailbox_key", 32)
    rows: list[Json] = []
    for value in desk.index.notices_of(patient_id):
        count = number(value, "number")
        if count > since:
            info = notice_info(desk.network_id, patient_id, count)
            rows.append({"number": count, "sealed": to_text(seal_to(key, info, encode(value)))})
    return {"notices": rows}


def seen(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return up to which block the party had read who saw what, and note how far now; ``null`` only asks.

    It never goes back, and never beyond what is verified here.
    """
    exactly(request.fields, "patient_id", "block", "reply_key")
    patient_id, block = text(request.fields, "patient_id", 64), request.fields["block"]
    party(desk.reader(caller), patient_id)
    earlier = desk.index.visit(patient_id)
    if block is not None:
        reached = min(number(request.fields, "block"), desk.replica.height - 1)
        if reached > (-1 if earlier is None else earlier):
            desk.index.put_visit(patient_id, reached)
    return {"block": earlier}


def keep_receipt(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Put the receipt of a consent into the patient's mailbox, once; only one that proves that very consent."""
    exactly(request.fields, "patient_id", "consent_id", "receipt", "reply_key")
    patient_id, consent_id = text(request.fields, "patient_id", 64), text(request.fields, "consent_id", 64)
    receipt = text(request.fields, "receipt", RECEIPT_MAX)
    party(desk.reader(caller), patient_id)
    if desk.find("consent", patient_id, consent_id) is None:
        raise CustodianRefusal("unknown-consent")
    try:
        proven = verify_receipt(receipt.encode(), desk.network_id)
    except ReceiptError as refused:
        raise CustodianRefusal("artefact-mismatch", str(refused)) from None
    if (proven.patient_id, proven.consent_id) != (patient_id, consent_id):
        raise CustodianRefusal("artefact-mismatch", "the receipt of another consent")
    told = [each["content"] for each in desk.index.notices_of(patient_id) if each["kind"] == "receipt"]
    if not any(isinstance(each, dict) and each["consent_id"] == consent_id for each in told):
        notify(desk, patient_id, "receipt", {"consent_id": consent_id, "receipt": receipt})
    return {}


def notice_info(network_id: str, patient_id: str, count: int) -> bytes:
    """Return the HPKE info of one notice."""
    return encode({"type": "notice", "network_id": network_id, "patient_id": patient_id, "number": count})


def not_me(desk: Desk, request: Request) -> dict[str, Json]:
    """Stop all releases of the patient id whose notice carried the code; using it again changes nothing."""
    exactly(request.fields, "code", "reply_key")
    found = desk.index.code(_digest(text(request.fields, "code", 64)))
    if found is None or found.get("use") != "not-me":
        raise CustodianRefusal("refused")
    stop(desk, text(found, "patient_id"), "not-me")
    return {}


def stop(desk: Desk, patient_id: str, by: str) -> None:
    """Stop all releases of a patient id for a reason that is not her own statement, and tell her."""
    now = desk.clock()
    desk.index.stop(patient_id, {"by": by, "at": now})
    desk.journal.append(JournalEntry(JournalKind.SUSPEND, patient_id, "", "", "", "", "", now))
    notify(desk, patient_id, "suspended", {})


def stop_or_resume(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Stop or resume releases by a statement of the patient's own key, whatever the ledger does (A11).

    The answer is a receipt that she can show: signed, in clear, with the journal's head that covers it.
    """
    exactly(request.fields, "patient_id")
    patient_id = text(request.fields, "patient_id")
    active(desk, caller, patient_id)
    if party(desk.reader(caller), patient_id).kind != "patient":
        raise CustodianRefusal("forbidden", "only the patient's own key")
    now, stopping = desk.clock(), request.type == "suspend"
    if not stopping and desk.index.flagged(patient_id, KEY) is not None:
        raise CustodianRefusal("forbidden", "the key itself is in doubt")
    code = "" if stopping else "resume"
    entry = JournalEntry(JournalKind.SUSPEND, patient_id, "", caller.msp_id, caller.subject, code, request.digest, now)
    desk.journal.append(entry)
    if stopping:
        desk.index.stop(patient_id, {"by": "patient", "at": now})
    else:
        desk.index.resume(patient_id)
    sequence, head = desk.journal.head
    journal: dict[str, Json] = {"sequence": sequence, "hash": head}
    return {"patient_id": patient_id, "at": now, "stopped": stopping, "journal": journal}


def _digest(code: str) -> str:
    return hashlib.sha256(b"assent/code/1\0" + code.strip().lower().encode()).hexdigest()


code_digest = _digest
"""Codes are kept by their hash."""
