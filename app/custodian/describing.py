"""A record in the tags of one pair, from what the custodian itself knows of it (DECISION.md 4, ATTACKS.md A16)."""

from dataclasses import replace

from app.consent.describe import RecordFacts, describe_record
from app.consent.tags import Tag, TagKind
from app.custodian.desk import Desk
from app.custodian.entries import HeldRecord, Link, SharedRecord
from app.custodian.messages import texts
from app.records.imported import ImportRecord
from ledger.contract.canonical import Json
from ledger.contract.provision import Record


def inputs_of(record: ImportRecord) -> dict[str, Json]:
    """Return what the index keeps of an imported record to describe it again, for any pair and at any release."""
    return {
        "classes": [*record.classes],
        "codes": [*record.codes],
        "dates": [*record.dates],
        "authors": [*record.authors],
        "related": [*record.related],
        "labels": [*record.labels],
        "references": [*record.references],
    }


def describe(held: HeldRecord, record_id: str, zone: int, tag: Tag) -> Record:
    """Return a record in tags.

    Args:
        held: the record.
        record_id: its id in the pair.
        zone: the hospital's offset, seconds east of UTC.
        tag: of the pair's patient id.
    """
    dates = texts(held.inputs, "dates")
    references = texts(held.inputs, "references", 4096) or [f"DocumentReference/{held.internal_id}"]
    facts = RecordFacts(
        record_id=record_id,
        reference=references[0],
        classes=_codings(held, "classes"),
        codes=_codings(held, "codes"),
        first=dates[0] if dates else "",
        last=dates[-1] if dates else "",
        authors=tuple(texts(held.inputs, "authors", 4096)),
        related=tuple(texts(held.inputs, "related", 4096)),
        labels=_codings(held, "labels"),
    )
    described = describe_record(facts, zone, tag)
    return replace(described, records=frozenset(tag(TagKind.RECORD, each) for each in references))


def describe_all(desk: Desk, link: Link, shared: list[SharedRecord]) -> dict[str, dict[str, Json]]:
    """Return the descriptions of a pair's records, by internal id."""
    tag = desk.tag(link.patient_id)
    held = {each.internal_id: desk.index.record(each.internal_id) for each in shared}
    return {
        internal_id: describe(record, "", desk.zone, tag).description()
        for internal_id, record in held.items()
        if record is not None
    }


def _codings(held: HeldRecord, name: str) -> tuple[tuple[str, str], ...]:
    split = [each.rpartition("|") for each in texts(held.inputs, name, 4096)]
    return tuple((system, code) for system, _, code in split)
