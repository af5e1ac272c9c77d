"""The release: the one way a record's key goes out, and the 17 checks before it (PROTOCOL.md E.3; A6 to A8, A12).

The first check that fails answers with its code, and the journal keeps it. Checks 1 to 3 are made where every message
arrives (``custodian``, ``authentication``); here they continue with the newest member entry of the signer.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from app.consent.tags import Tag, TagKind
from app.custodian.artefacts import is_faithful
from app.custodian.authentication import active
from app.custodian.describing import describe
from app.custodian.desk import Desk
from app.custodian.entries import HeldVersion, SharedRecord
from app.custodian.introductions import wear_badge
from app.custodian.journal import JournalEntry, JournalKind, JournalRow
from app.custodian.listing import index_rows
from app.custodian.messages import (
    CLOCK_TOLERANCE,
    SUITE,
    CustodianRefusal,
    Request,
    exactly,
    frame,
    member,
    raw_bytes,
    record_info,
    seal_to,
    text,
    to_text,
)
from app.custodian.pairs import commitment_of_digest
from app.custodian.readings import opening
from app.identity.keys import wipe
from ledger.commitments import CommitmentError, verify_commitment
from ledger.contract.accesses import Ruling, decide_access
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json, encode
from ledger.contract.decision import Reason
from ledger.contract.errors import ContractError
from ledger.contract.limits import RELEASE_WINDOW
from ledger.contract.shape import Fields
from ledger.replica import CommittedAccess
from ledger.signatures import signed_bytes

_ASKED: Final = ("kind", "action", "device", "purpose", "release_key_hash", "emergency_id")


@dataclass(frozen=True, slots=True)
class _Sealable:
    """One permitted record version, found whole in index, store and ledger."""

    shared: SharedRecord
    version: HeldVersion
    salt: bytes
    commitment: str


def release(desk: Desk, request: Request, caller: Caller) -> bytes:
    """Return the signed reply to a release request; the same request gets the same bytes (E.3, 1 to 17).

    Raises:
        CustodianRefusal, ContractError: with the code of the first check that fails.
    """
    exactly(request.fields, "access_id", "patient_id", "release_key", "suite", "openings")
    if text(request.fields, "suite") != SUITE:
        raise CustodianRefusal("malformed", "suite")
    patient_id = text(request.fields, "patient_id", 64)
    entry = active(desk, caller, patient_id)  # 2
    access = desk.replica.committed_access(patient_id, text(request.fields, "access_id", 64))
    if access is None:
        raise CustodianRefusal("not-yet-committed")  # 4
    _check_signer(access, caller)  # 5
    release_key = raw_bytes(request.fields, "release_key", 32)
    if hashlib.sha256(release_key).hexdigest() != access.value["release_key_hash"]:
        raise CustodianRefusal("wrong-release-key")  # 6
    return answer(desk, access, release_key, request.fields, caller, entry)


def answer(
    desk: Desk, access: CommittedAccess, release_key: bytes, fields: Fields, caller: Caller, entry: Fields
) -> bytes:
    """Decide a committed access again, seal to its key, write it down, answer (7 to 17).

    Raises:
        CustodianRefusal, ContractError: with the code of the first check that fails.
    """
    value: Fields = access.value
    check_patient(desk, access)  # 7
    _check_window(value, desk.clock())  # 8
    if desk.index.stopped(access.patient_id) is not None:
        raise CustodianRefusal("stopped-by-patient")  # 9
    ruling = decide_again(desk, access, caller)  # 10
    tag = desk.tag(access.patient_id)
    permitted = _permitted(value)
    if value["kind"] != "index":
        for item in permitted:
            _check_labels(desk, access.patient_id, str(item["record_id"]), tag)  # 11
    _check_artefacts(desk, access.patient_id, ruling)  # 12
    _check_openings(desk, access, fields, caller, entry)  # 13
    stored = desk.journal.find_reply(access.access_id)
    if stored is not None:
        if not stored.reply:
            raise CustodianRefusal("entry-too-old", "its reply was erased")
        return stored.reply  # 14: its key is the entry's key, by check 6
    until = min(int(value["until"]), int(ruling.access["until"]))
    if value["kind"] == "index":
        items = [_index_item(desk, access, release_key, caller, until)]
    else:
        sealable = [_find(desk, access.patient_id, item) for item in permitted]  # 15
        items = [_seal(desk, access, each, release_key, until) for each in sealable]
    return _write_and_sign(desk, access, items, until)  # 16, 17


def decide_again(desk: Desk, access: CommittedAccess, caller: Caller) -> Ruling:
    """Decide an access on the newest state by the custodian's clock; what was permitted then must be permitted now.

    Raises:
        CustodianRefusal: ``denied`` with the reason of the first item that no longer is.
        ContractError: the contract would not even decide it, for example ``expired`` (an emergency that is over).
    """
    value: Fields = access.value
    items = (
        []
        if value["kind"] == "index"
        else [{"record_id": item["record_id"], "version": item["version"]} for item in value["items"]]
    )
    asked = {name: value[name] for name in _ASKED}
    ruling = decide_access(desk.reader(caller), {"patient_id": access.patient_id, "items": items, **asked})
    _check_device(desk, access)
    permitted = [item["outcome"] == "permit" for item in value["items"]]
    if not any(permitted):
        raise CustodianRefusal("denied", str(value["items"][0]["reason"]))
    for was_permitted, decision in zip(permitted, ruling.decisions, strict=True):
        if was_permitted and not decision.is_permit:
            raise CustodianRefusal("denied", decision.reason.value)
    return ruling


def check_patient(desk: Desk, access: CommittedAccess) -> None:
    """Accept only a patient id of this custodian that is neither erased nor, emergencies apart, frozen (7).

    Raises:
        CustodianRefusal: ``unknown-patient``, ``wrong-organization``, ``illegal-transition`` or ``denied``.
    """
    patient = desk.find("patient", access.patient_id)
    if patient is None:
        raise CustodianRefusal("unknown-patient")
    if patient["custodian"] != desk.msp_id:
        raise CustodianRefusal("wrong-organization")
    if patient["status"] == "erased":
        raise CustodianRefusal("illegal-transition", "the patient id is erased")
    if patient["status"] == "frozen" and not access.value["emergency_id"]:
        raise CustodianRefusal("denied", "PATIENT_FROZEN")


def _check_signer(access: CommittedAccess, caller: Caller) -> None:
    by = member(access.value, "by")
    if (by["msp_id"], by["subject"], by["key_hash"]) != (caller.msp_id, caller.subject, caller.key_hash):
        raise CustodianRefusal("forbidden", "another person's access")


def _check_window(value: Fields, now: int) -> None:
    """An entry opens for five minutes after it was made, whenever it was committed (A6, A9)."""
    if now < value["at"] - CLOCK_TOLERANCE:
        raise CustodianRefusal("clock-skew", str(value["at"] - now))
    if now > value["at"] + RELEASE_WINDOW:
        raise CustodianRefusal("entry-too-old")
    if now >= value["until"]:
        raise CustodianRefusal("expired")


def _check_device(desk: Desk, access: CommittedAccess) -> None:
    """A model's tag comes from an argument; it counts while that model is approved, and no longer (DECISION.md 4)."""
    device = access.value["device"]
    if not device:
        return
    tag = desk.tag(access.patient_id)
    registry = desk.find("registry") or {"approved": []}
    if device not in {tag(TagKind.DEVICE, f"Device/{model_id}") for model_id in registry["approved"]}:
        raise CustodianRefusal("denied", Reason.ACTOR_NOT_COVERED.value)


def _permitted(value: Fields) -> list[Fields]:
    return [item for item in value["items"] if item["outcome"] == "permit"]


def _check_labels(desk: Desk, patient_id: str, record_id: str, tag: Tag) -> None:
    """The ledger's tags must be those that the custodian itself would write now, from exact dates (A40)."""
    record = desk.find("record", patient_id, record_id)
    shared = desk.index.shared(patient_id, record_id)
    held = None if shared is None else desk.index.record(shared.internal_id)
    if record is None or held is None:
        raise CustodianRefusal("unknown-record")
    if encode(record["description"]) != encode(describe(held, record_id, desk.zone, tag).description()):
        raise CustodianRefusal("label-mismatch")


def _check_artefacts(desk: Desk, patient_id: str, ruling: Ruling) -> None:
    deciding = {name.rpartition("#")[0] for decision in ruling.decisions for name in decision.deciding}
    for consent_id in sorted(deciding):
        if not is_faithful(desk, patient_id, consent_id):
            raise CustodianRefusal("artefact-mismatch", consent_id)


def _check_openings(desk: Desk, access: CommittedAccess, fields: Fields, caller: Caller, entry: Fields) -> None:
    """Staff wear their badge; a declared emergency opens its reason (A19, A32)."""
    openings = member(fields, "openings")
    if entry and caller.role == "practitioner":
        wear_badge(desk, openings.get("badge"), caller, entry)
    emergency_id = str(access.value["emergency_id"])
    if not emergency_id:
        return
    emergency = desk.find("emergency", access.patient_id, emergency_id)
    try:
        reason = opening(member(openings, "reason"))
        verify_commitment(str((emergency or {}).get("reason_commitment")), reason.salt, reason.content)
    except (CommitmentError, ContractError):
        raise CustodianRefusal("badge-mismatch", "the reason is not the declared one") from None
    desk.index.put_reason(access.patient_id, emergency_id, reason)


def _find(desk: Desk, patient_id: str, item: Fields) -> _Sealable:
    """Return a record version that is whole: manifest and objects stored, commitment equal to the ledger's (15)."""
    record_id, number = str(item["record_id"]), int(item["version"])
    shared = desk.index.shared(patient_id, record_id)
    version = None if shared is None else desk.index.version(shared.internal_id, number)
    if shared is None or version is None or number not in shared.salts:
        raise CustodianRefusal("object-mismatch", "the version is not here")
    if not all(desk.store.has(name) for name in version.sizes):
        raise CustodianRefusal("object-mismatch", "an object is missing")
    salt = shared.salts[number]
    expected = _committed(desk, patient_id, record_id, number)
    if commitment_of_digest(salt, bytes.fromhex(version.manifest_digest)) != expected:
        raise CustodianRefusal("object-mismatch", "the manifest is not the committed one")
    return _Sealable(shared, version, salt, expected)


def _committed(desk: Desk, patient_id: str, record_id: str, number: int) -> str:
    record = desk.find("record", patient_id, record_id) or {}
    if record.get("version") == number:
        return str(record["commitment"])
    return str((desk.find("version", patient_id, record_id, str(number)) or {}).get("commitment"))


def _seal(desk: Desk, access: CommittedAccess, found: _Sealable, release_key: bytes, until: int) -> dict[str, Json]:
    """Seal one record identity to the opening's key: the only place where one leaves the vault."""
    identity = desk.keys.identity(found.shared.internal_id, found.version.version)
    if identity is None:
        raise CustodianRefusal("object-mismatch", "the key was destroyed")
    info = record_info(
        kind="record-key",
        record_id=found.shared.record_id,
        version=found.version.version,
        commitment=found.commitment,
        **_common(desk, access, until),
    )
    try:
        sealed = seal_to(release_key, info, bytes(identity))
    finally:
        wipe(identity)
    return {
        "record_id": found.shared.record_id,
        "version": found.version.version,
        "manifest": {
            "name": found.version.manifest_name,
            "salt": to_text(found.salt),
            "digest": found.version.manifest_digest,
        },
        "sealed": to_text(sealed),
    }


def _index_item(desk: Desk, access: CommittedAccess, release_key: bytes, caller: Caller, until: int) -> dict[str, Json]:
    """Seal the list of records, of which each row was decided by ``decide`` (A36)."""
    content = index_rows(desk, access, caller)
    info = record_info(kind="index", record_id="", version=0, commitment="", **_common(desk, access, until))
    sealed = seal_to(release_key, info, encode(content))
    return {"record_id": "", "version": 0, "manifest": None, "sealed": to_text(sealed)}


def _common(desk: Desk, access: CommittedAccess, until: int) -> Fields:
    value: Fields = access.value
    return {
        "network_id": desk.network_id,
        "custodian_msp": desk.msp_id,
        "access_id": access.access_id,
        "patient_id": access.patient_id,
        "by": value["by"],
        "purpose": value["purpose"],
        "until": until,
    }


def _write_and_sign(desk: Desk, access: CommittedAccess, items: list[dict[str, Json]], until: int) -> bytes:
    """Write the release down, on disk, and return the signed reply that names the journal's row."""
    now = desk.clock()
    value: Fields = access.value
    reply: Fields = {
        "type": "release",
        "network_id": desk.network_id,
        "access_id": access.access_id,
        "block": {"number": access.block, "hash": access.block_hash},
        "released_at": now,
        "until": until,
        "items": [*items],
    }
    by = member(value, "by")
    entry = JournalEntry(
        kind=JournalKind.INDEX if value["kind"] == "index" else JournalKind.RELEASE,
        patient_id=access.patient_id,
        access_id=access.access_id,
        msp_id=text(by, "msp_id"),
        subject=text(by, "subject"),
        code="",
        digest=hashlib.sha256(encode(reply)).hexdigest(),
        at=now,
    )

    def signed(row: JournalRow) -> bytes:
        whole = {**reply, "journal": {"sequence": row.sequence, "hash": row.hash}}
        signature = desk.receipt_key.sign(signed_bytes("release", desk.network_id, encode(whole)))
        return frame({"reply": whole, "signature": to_text(signature)})

    return desk.journal.append_reply(entry, signed).reply
