"""Taking files in: read in a confined child, sealed, indexed, known to the own hospital at once (A17, A40, R1)."""

import hashlib
from collections.abc import Sequence
from typing import Final

from app.custodian.authentication import require_staff
from app.custodian.describing import inputs_of
from app.custodian.desk import Desk
from app.custodian.entries import HeldRecord, HeldVersion
from app.custodian.messages import ATTACHMENT_MAX, CustodianRefusal, Request, exactly, number, objects, text
from app.custodian.pairs import ensure_pair
from app.custodian.results import ImportFile
from app.custodian.sharing import share_with
from app.records.imported import ImportRecord
from app.records.importing import Import
from app.records.manifest import Manifest
from app.records.refusal import RefusedError
from app.records.sealing import SealedVersion, seal_record
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json

FILES_MAX: Final = 20_000
KNOWN: Final = "It is here already."
_IMPORTERS: Final = ("practitioner", "registrar")


def announced_bytes(desk: Desk, request: Request, caller: Caller) -> int:
    """Return how many bytes a signed message announces, if its signer may import at all.

    Raises:
        CustodianRefusal, ContractError: he may not, or it is no such message.
    """
    if request.type != "import":
        return 0
    require_staff(desk, caller, *_IMPORTERS)
    sizes = [max(0, number(row, "size")) for row in objects(request.fields, "files", FILES_MAX)]
    return min(sum(sizes), ATTACHMENT_MAX)


def import_files(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Store what can be read for one person; a refused file says why, and nothing of it stays."""
    exactly(request.fields, "person_id", "files", "made_on", "reply_key")
    require_staff(desk, caller, *_IMPORTERS)
    person_id, made_on = text(request.fields, "person_id", 64), text(request.fields, "made_on", 10)
    if desk.index.person(person_id) is None:
        raise CustodianRefusal("refused")
    files = _files(request)
    found = desk.importer.read_bytes([(file.name, file.content) for file in files], made_on=made_on)
    known = {held.source: held.internal_id for held in desk.index.records_of(person_id)}
    new = {source: record for record in found.records if (source := _source(record)) not in known}
    try:
        kept = dict(zip(new, store_records(desk, person_id, [*new.values()]), strict=True))
    except RefusedError as error:
        return {"files": [_row(file.name, found, [], error.reason) for file in files]}
    link = ensure_pair(desk, person_id, desk.msp_id)
    share_with(desk, link)
    own = {shared.internal_id: shared.record_id for shared in desk.index.shared_of(link.patient_id)}
    stored = {**known, **kept}
    rows: list[Json] = []
    for file in files:
        sources = [_source(record) for record in found.records if file.name in record.paths]
        record_ids = [own[stored[source]] for source in sources if source in kept]
        rows.append(_row(file.name, found, record_ids, KNOWN if sources and not record_ids else ""))
    return {"files": rows}


def store_records(desk: Desk, person_id: str, records: Sequence[ImportRecord]) -> list[str]:
    """Seal first versions and keep their identities, of all records or of none; return their internal ids.

    Raises:
        RefusedError: a file is not the one that was looked at, or the store cannot take it; nothing of it stays.
    """
    sealed: list[SealedVersion] = []
    try:
        sealed.extend(seal_record(record, desk.store, version=1, random=desk.random) for record in records)
    except RefusedError:
        for version in sealed:
            for name in version.names:
                desk.store.delete(name)
        raise
    return [_keep(desk, person_id, record, version) for record, version in zip(records, sealed, strict=True)]


def _keep(desk: Desk, person_id: str, record: ImportRecord, sealed: SealedVersion) -> str:
    internal_id = desk.new_id()
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
            source=_source(record),
        )
    )
    return internal_id


def _row(name: str, found: Import, record_ids: list[str], otherwise: str) -> dict[str, Json]:
    """Return what became of one file."""
    findings = [finding for finding in found.findings if finding.path == name]
    reasons = [finding.reason for finding in findings if finding.reason] or ([otherwise] if otherwise else [])
    return {
        "name": name,
        "kind": findings[0].kind if findings else "",
        "accepted": bool(record_ids),
        "reason": " ".join(reasons),
        "record_ids": [*record_ids],
    }


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
