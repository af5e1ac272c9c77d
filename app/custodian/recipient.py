"""What a recipient checks before it opens anything (PROTOCOL.md E.3): its own committed entry says the same."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.custodian.messages import (
    REPLY_MAX,
    ReplyError,
    member,
    number,
    objects,
    open_sealed,
    raw_bytes,
    record_info,
    text,
    unframe,
)
from app.custodian.results import IndexRow, Released, ReleasedRecord
from ledger.contract.canonical import Json, decode_object
from ledger.contract.errors import ContractError
from ledger.contract.state import Committed
from ledger.replica import CommittedAccess

INDEX: Final = "index"


def open_release(
    raw: bytes,
    access: CommittedAccess,
    release_key: X25519PrivateKey,
    state: Committed,
    *,
    network_id: str,
    custodian_msp: str,
) -> Released:
    """Compare a reply, whose signature is verified, with the committed entry, and open what is sealed.

    Raises:
        ReplyError: it differs from the entry in anything, or does not open.
    """
    try:
        return _open(raw, access, release_key, state, network_id=network_id, custodian_msp=custodian_msp)
    except ContractError:
        raise ReplyError("the reply is not well-formed") from None


def commitment_of(state: Committed, patient_id: str, record_id: str, version: int) -> str:
    """Return the commitment that the ledger holds for a record version.

    Raises:
        ReplyError: the ledger holds none.
    """
    record = state.get(("record", patient_id, record_id))
    fields = {} if record is None else decode_object(record)
    if fields.get("version") == version:
        return text(fields, "commitment")
    older = state.get(("version", patient_id, record_id, str(version)))
    if older is None:
        raise ReplyError("the ledger holds no such record version")
    return text(decode_object(older), "commitment")


def _open(
    raw: bytes,
    access: CommittedAccess,
    release_key: X25519PrivateKey,
    state: Committed,
    *,
    network_id: str,
    custodian_msp: str,
) -> Released:
    reply = member(unframe(raw, REPLY_MAX)[0], "reply")
    block, journal = member(reply, "block"), member(reply, "journal")
    value = access.value
    until, released_at = number(reply, "until"), number(reply, "released_at")
    if text(reply, "access_id") != access.access_id:
        raise ReplyError("the reply is about another access")
    if (number(block, "number"), text(block, "hash")) != (access.block, access.block_hash):
        raise ReplyError("the custodian's block is not ours")
    if until > number(value, "until"):
        raise ReplyError("the reply outlives the entry")
    info = partial(
        record_info,
        network_id=network_id,
        custodian_msp=custodian_msp,
        access_id=access.access_id,
        patient_id=access.patient_id,
        by=value["by"],
        purpose=text(value, "purpose"),
        until=until,
    )
    items = objects(reply, "items", 64)
    rows: tuple[IndexRow, ...] = ()
    records: list[ReleasedRecord] = []
    withheld = 0
    if value.get("kind") == INDEX:
        rows, withheld = _rows(items, release_key, info)
    else:
        permitted = {
            (text(item, "record_id"), number(item, "version"))
            for item in objects(value, "items")
            if item.get("outcome") == "permit"
        }
        for item in items:
            key = (text(item, "record_id"), number(item, "version"))
            if key not in permitted:
                raise ReplyError("the reply opens what the entry does not permit")
            permitted.discard(key)
            records.append(_record(item, release_key, info, commitment_of(state, access.patient_id, *key)))
        if permitted:
            raise ReplyError("the reply leaves out what the entry permits")
    return Released(
        access_id=access.access_id,
        patient_id=access.patient_id,
        block=access.block,
        block_hash=access.block_hash,
        released_at=released_at,
        until=until,
        items=tuple(records),
        rows=rows,
        withheld=withheld,
        journal_sequence=number(journal, "sequence"),
        journal_hash=text(journal, "hash"),
        reply=raw,
        receipt=hashlib.sha256(raw).hexdigest(),
    )


def _record(
    item: dict[str, Json], release_key: X25519PrivateKey, info: Callable[..., bytes], commitment: str
) -> ReleasedRecord:
    manifest = member(item, "manifest")
    record_id, version = text(item, "record_id"), number(item, "version")
    bound = info(kind="record-key", record_id=record_id, version=version, commitment=commitment)
    identity = open_sealed(release_key, bound, raw_bytes(item, "sealed"))
    return ReleasedRecord(
        record_id,
        version,
        commitment,
        text(manifest, "name"),
        raw_bytes(manifest, "salt", 32),
        text(manifest, "digest"),
        identity.decode("ascii"),
    )


def _rows(
    items: list[dict[str, Json]], release_key: X25519PrivateKey, info: Callable[..., bytes]
) -> tuple[tuple[IndexRow, ...], int]:
    if len(items) != 1:
        raise ReplyError("an index has one item")
    bound = info(kind=INDEX, record_id="", version=0, commitment="")
    content = decode_object(open_sealed(release_key, bound, raw_bytes(items[0], "sealed")))
    rows = tuple(
        IndexRow(
            text(row, "record_id"), number(row, "version"), text(row, "class"), text(row, "date"), text(row, "display")
        )
        for row in objects(content, "rows", 100_000)
    )
    return rows, number(content, "withheld")
