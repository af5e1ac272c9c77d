"""Erasure by destroying keys, and the certificate that says until when a backup could still hold them (ATTACKS.md A23).

Promised on disk, destroyed, then posted: a crash between leaves nothing that opens, and ``following.settle`` posts what
is owed and by then is true.
"""

import hashlib
from dataclasses import dataclass

from app.custodian.authentication import require_staff
from app.custodian.desk import Desk
from app.custodian.entries import Link, SharedRecord
from app.custodian.following import owe, post_owed
from app.custodian.journal import JournalEntry, JournalKind, StoredReply
from app.custodian.keytable import BACKUP_DAYS, DAY
from app.custodian.messages import REPLY_MAX, CustodianRefusal, Request, exactly, member, objects, text, unframe
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json, encode


@dataclass(frozen=True, slots=True)
class _Act:
    """One erasure, for its certificates."""

    caller: Caller
    destroyed_at: int
    last_backup_expires: int


def erase_record(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Destroy a record in every pair: identities, salts, texts, objects (registrar)."""
    exactly(request.fields, "patient_id", "record_id", "reply_key")
    require_staff(desk, caller, "registrar")
    shared = desk.index.shared(text(request.fields, "patient_id", 64), text(request.fields, "record_id", 64))
    if shared is None:
        raise CustodianRefusal("unknown-record")
    everywhere = list(desk.index.shared_everywhere(shared.internal_id))
    act = _act(desk, caller)
    certificates: dict[str, bytes] = {}
    for each in everywhere:
        certificate = _certificate(desk, act, each.patient_id, [each.record_id])
        certificates[each.patient_id] = certificate
        if desk.find("record", each.patient_id, each.record_id) is not None:
            named: dict[str, Json] = {"patient_id": each.patient_id, "record_id": each.record_id}
            owe(desk, "EraseRecord", {**named, "certificate": _hash(certificate)})
    _forget_replies(desk, everywhere)
    _destroy(desk, shared.internal_id)
    _settle(desk)
    return _finish(desk, act, certificates)


def erase_person(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Destroy all of a person: records, tag keys, link table, share, card, mailbox (registrar)."""
    exactly(request.fields, "person_id", "reply_key")
    require_staff(desk, caller, "registrar")
    person_id = text(request.fields, "person_id", 64)
    if desk.index.person(person_id) is None:
        raise CustodianRefusal("refused")
    act = _act(desk, caller)
    links = desk.index.links_of(person_id)
    listed = {link.patient_id: desk.index.shared_of(link.patient_id) for link in links}
    certificates: dict[str, bytes] = {}
    for link in links:
        record_ids = sorted(each.record_id for each in listed[link.patient_id])
        certificate = _certificate(desk, act, link.patient_id, record_ids)
        certificates[link.patient_id] = certificate
        if desk.find("patient", link.patient_id) is not None:
            arguments: dict[str, Json] = {"patient_id": link.patient_id, "certificate": _hash(certificate)}
            owe(desk, "ErasePatient", arguments)
    for link in links:
        _forget_replies(desk, listed[link.patient_id])
    for held in desk.index.records_of(person_id):
        _destroy(desk, held.internal_id)
    for link in links:
        _destroy_pair(desk, link)
    desk.keys.destroy_person(person_id)
    desk.index.erase_person(person_id)
    _settle(desk)
    return _finish(desk, act, certificates)


def _act(desk: Desk, caller: Caller) -> _Act:
    """Fix both dates before anything is destroyed: no later backup can hold what is gone."""
    now = desk.clock()
    last = desk.keys.last_backup()
    return _Act(caller, now, now if last is None else last + BACKUP_DAYS * DAY)


def _destroy(desk: Desk, internal_id: str) -> None:
    for version in desk.index.versions_of(internal_id):
        for name in version.sizes:
            desk.store.delete(name)
    desk.keys.destroy_record(internal_id)
    desk.index.erase_record(internal_id)


def _destroy_pair(desk: Desk, link: Link) -> None:
    desk.keys.destroy_patient(link.patient_id)
    desk.index.erase_pair(link.patient_id)


def _settle(desk: Desk) -> None:
    desk.keys.settle()
    desk.index.settle()


def _forget_replies(desk: Desk, shared: list[SharedRecord]) -> None:
    """Overwrite the replies that name these records: they hold salts; and every list, which may have named them."""
    named = {(each.patient_id, each.record_id) for each in shared}
    access_ids: list[str] = []
    for patient_id in sorted({each.patient_id for each in shared}):
        for access_id in desk.journal.receipts(patient_id):
            stored = desk.journal.find_reply(access_id)
            if stored is not None and stored.reply and _names(stored, named):
                access_ids.append(access_id)
    desk.journal.forget_replies(access_ids)


def _names(stored: StoredReply, named: set[tuple[str, str]]) -> bool:
    items = objects(member(unframe(stored.reply, REPLY_MAX)[0], "reply"), "items", 64)
    return any(not item["record_id"] or (stored.patient_id, item["record_id"]) in named for item in items)


def _certificate(desk: Desk, act: _Act, patient_id: str, record_ids: list[str]) -> bytes:
    return encode(
        {
            "type": "erasure-certificate",
            "network_id": desk.network_id,
            "patient_id": patient_id,
            "record_ids": record_ids,
            "destroyed_at": act.destroyed_at,
            "last_backup_expires": act.last_backup_expires,
        }
    )


def _finish(desk: Desk, act: _Act, certificates: dict[str, bytes]) -> dict[str, Json]:
    """Write down what was destroyed, post it, and answer."""
    for patient_id, certificate in certificates.items():
        entry = JournalEntry(
            JournalKind.ERASE,
            patient_id,
            "",
            act.caller.msp_id,
            act.caller.subject,
            "",
            _hash(certificate),
            act.destroyed_at,
        )
        desk.journal.append(entry)
    return _reply(act, certificates, post_owed(desk))


def _hash(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


def _reply(act: _Act, certificates: dict[str, bytes], posted: list[str]) -> dict[str, Json]:
    return {
        "certificates": {patient_id: raw.decode("ascii") for patient_id, raw in certificates.items()},
        "destroyed_at": act.destroyed_at,
        "last_backup_expires": act.last_backup_expires,
        "transaction_ids": [*posted],
    }
