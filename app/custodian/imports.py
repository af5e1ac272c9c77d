"""Taking files in: read in a confined child, sealed, indexed, known to the own hospital at once (A17, A40, R1)."""

import hashlib
from typing import Final

from app.custodian.authentication import require_staff
from app.custodian.describing import inputs_of
from app.custodian.desk import Desk
from app.custodian.index import HeldRecord, HeldVersion
from app.custodian.messages import CustodianRefusal, Request, exactly, number, objects, text
from app.custodian.pairs import ensure_pair
from app.custodian.results import ImportFile
from app.custodian.sharing import share_with
from app.records.imported import ImportRecord
from app.records.manifest import Manifest
from app.records.refusal import RefusedError
from app.records.sealing import SealedVersion, seal_record
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json

FILES_MAX: Final = 20_000


def import_files(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Store what can be read for one person; a refused file says why, and nothing of it stays."""
    exactly(request.fields, "person_id", "files", "reply_key")
    require_staff(desk, caller, "practitioner", "registrar")
    person_id = text(request.fields, "person_id", 64)
    if desk.index.person(person_id) is None:
        raise CustodianRefusal("refused")
    files = _files(request)
    reading = desk.importer.read(files)
    seen = {held.source for held in desk.index.records_of(person_id)}
    stored: dict[str, list[str]] = {}
    refused: dict[str, str] = {}
    for record in reading.records:
        source = _source(record)
        if source in seen:
            refused.update(dict.fromkeys(record.paths, "It is here already."))
            continue
        try:
            internal_id = store_record(desk, person_id, record, source)
        except RefusedError as error:
            refused.update(dict.fromkeys(record.paths, error.reason))
            continue
        seen.add(source)
        for path in record.paths:
            stored.setdefault(path, []).append(internal_id)
    link = ensure_pair(desk, person_id, desk.msp_id)
    share_with(desk, link)
    own = {shared.internal_id: shared.record_id for shared in desk.index.shared_of(link.patient_id)}
    rows: list[Json] = []
    for finding in reading.findings:
        record_ids = [own[each] for each in stored.get(finding.name, []) if each in own]
        reason = finding.reason or ("" if record_ids else refused.get(finding.name, ""))
        rows.append(
            {
                "name": finding.name,
                "kind": finding.kind,
                "accepted": bool(record_ids),
                "reason": reason,
                "record_ids": [*record_ids],
            }
        )
    return {"files": rows}


def store_record(desk: Desk, person_id: str, record: ImportRecord, source: str) -> str:
    """Seal a record's first version and keep its identity; return its internal id.

    Raises:
        RefusedError: a file is not the one that was looked at, or the store cannot take it.
    """
    internal_id = desk.new_id()
    sealed = seal_record(record, desk.store, version=1, random=desk.random)
    desk.keys.put_identity(internal_id, 1, sealed.identity)
    desk.index.put_version(_version(desk, internal_id, sealed))
    desk.index.put_record(
        HeldRecord(
            internal_id=internal_id,
            person_id=person_id,
            version=1,
            category=record.category.value,
            date=record.dates[0][:10] if record.dates else "",
            display=record.display,
            inputs=inputs_of(record),
            source=source,
        )
    )
    return internal_id


def _version(desk: Desk, internal_id: str, sealed: SealedVersion) -> HeldVersion:
    sizes = {each.name: each.size for each in Manifest.from_bytes(sealed.manifest).objects}
    sizes[sealed.manifest_name] = len(desk.store.get(sealed.manifest_name))
    return HeldVersion(internal_id, 1, sealed.manifest_name, hashlib.sha256(sealed.manifest).hexdigest(), sizes)


def _source(record: ImportRecord) -> str:
    """Return what tells whether the same content was imported before; wrapped like everything in the index."""
    return hashlib.sha256(b"".join(bytes.fromhex(each.sha256) for each in record.objects)).hexdigest()


def _files(request: Request) -> list[ImportFile]:
    """Cut the attachment into the files that the signed message lists.

    Raises:
        CustodianRefusal: ``malformed``: sizes or digests do not fit.
    """
    files: list[ImportFile] = []
    start = 0
    for row in objects(request.fields, "files", FILES_MAX):
        size = number(row, "size")
        content = request.attachment[start : start + size] if size >= 0 else b""
        if len(content) != size or hashlib.sha256(content).hexdigest() != text(row, "digest", 64):
            raise CustodianRefusal("malformed", "a file is not the one that was signed for")
        files.append(ImportFile(text(row, "name", 4096), content))
        start += size
    if start != len(request.attachment):
        raise CustodianRefusal("malformed", "bytes that belong to no file")
    return files
