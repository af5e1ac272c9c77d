"""Patient ids: one per person and grantee, made when they are first needed, on the ledger as soon as it answers (A17).

The index comes first and the ledger follows: whatever a crash leaves half done is done again by ``complete``.
"""

import hmac
from typing import Final

from app.custodian.desk import Desk
from app.custodian.entries import Link, SharedRecord
from app.identity.cards import patient_share
from app.identity.keys import wipe
from ledger.contract.canonical import encode
from ledger.contract.limits import RECORDS_MAX
from ledger.contract.shape import Fields

ARGUMENTS_MAX: Final = 56 * 1024
SALT_BYTES: Final = 32


def ensure_pair(desk: Desk, person_id: str, grantee: str) -> Link:
    """Return the pair of a person and a grantee; a new one has an empty key on the ledger until she claims it (B4).

    Raises:
        CustodianRefusal: the ledger refused, for example ``unknown-organization``.
    """
    link = desk.index.find_pair(person_id, grantee)
    if link is None:
        link = Link(desk.new_id(), person_id, grantee)
        desk.keys.put_tag_key(link.patient_id, desk.random(32))
        desk.index.put_link(link)
    complete_pair(desk, link)
    return link


def complete_pair(desk: Desk, link: Link) -> None:
    """Put a pair on the ledger if it is not there yet.

    Raises:
        CustodianRefusal: the ledger refused.
    """
    if desk.find("patient", link.patient_id) is None:
        arguments = {"patient_id": link.patient_id, "grantee": link.grantee, "key_hash": "", "custody": "none"}
        desk.submit("RegisterPatient", arguments)


def share_of(desk: Desk, link: Link) -> bytes | None:
    """Return the custodian's half of the patient's key for one pair; None once it is destroyed."""
    root = desk.keys.share(link.person_id)
    if root is None:
        return None
    try:
        return patient_share(root, link.patient_id)
    finally:
        wipe(root)


def share_record(desk: Desk, link: Link, internal_id: str, version: int) -> SharedRecord:
    """Give a record an id and a salt of its own in a pair; ``register_shared`` puts it on the ledger."""
    shared = SharedRecord(link.patient_id, desk.new_id(), internal_id, {version: desk.random(SALT_BYTES)})
    desk.index.put_shared(shared)
    return shared


def register_shared(desk: Desk, link: Link, description: dict[str, Fields]) -> int:
    """Put the records of a pair on the ledger that are not there yet; return how many.

    Args:
        desk: the custodian.
        link: the pair.
        description: by internal id, the tags of the record under this pair's key.

    Raises:
        CustodianRefusal: the ledger refused.
    """
    waiting = [
        _entry(desk, shared, description[shared.internal_id])
        for shared in desk.index.shared_of(link.patient_id)
        if shared.internal_id in description and desk.find("record", link.patient_id, shared.record_id) is None
    ]
    for batch in _batches(waiting):
        desk.submit("RegisterRecords", {"patient_id": link.patient_id, "records": batch})
    return len(waiting)


def _entry(desk: Desk, shared: SharedRecord, description: Fields) -> Fields:
    """Return one record as ``RegisterRecords`` takes it; its salt opens the commitment to the manifest's digest."""
    version = min(shared.salts)
    held = desk.index.version(shared.internal_id, version)
    digest = bytes.fromhex(held.manifest_digest) if held is not None else b""
    return {
        "record_id": shared.record_id,
        "commitment": commitment_of_digest(shared.salts[version], digest),
        "description": description,
    }


def commitment_of_digest(salt: bytes, digest: bytes) -> str:
    """Return the commitment of bytes of which only the SHA-256 is at hand."""
    return hmac.digest(salt, digest, "sha256").hex()


def _batches(entries: list[Fields]) -> list[list[Fields]]:
    """Split into what one transaction may carry: 50 records and 64 KiB."""
    batches: list[list[Fields]] = []
    size = 0
    for entry in entries:
        length = len(encode(entry)) + 1
        if not batches or len(batches[-1]) == RECORDS_MAX or size + length > ARGUMENTS_MAX:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += length
    return batches
