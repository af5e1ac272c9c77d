"""Wire fields to results and back: no decision is made here."""

from app.custodian.messages import member, number, objects, raw_bytes, text, texts, to_text
from app.custodian.results import (
    Alarms,
    AskedQuestion,
    Erasure,
    Explanation,
    ImportOutcome,
    Introduction,
    Notice,
    Opening,
    Person,
    PersonRow,
    Question,
    RecordText,
    Statement,
    StatementEntry,
    StoredRequest,
    Unlocked,
    UnlockedPair,
)
from app.identity.badges import BadgeOpening
from ledger.contract.canonical import Json


def opening_fields(opening: Opening) -> dict[str, Json]:
    """Return the wire form: the content as text, the salt in base64."""
    return {"content": opening.content.decode(), "salt": to_text(opening.salt)}


def opening(fields: dict[str, Json]) -> Opening:
    """Read ``opening_fields``.

    Raises:
        ContractError: ``malformed``.
    """
    return Opening(text(fields, "content").encode(), raw_bytes(fields, "salt", 32))


def person_fields(person: Person) -> dict[str, Json]:
    """Return the wire form."""
    return {
        "name": person.name,
        "birth_date": person.birth_date,
        "sex": person.sex,
        "number": person.number,
        "language": person.language,
        "contact": person.contact,
    }


def person(fields: dict[str, Json]) -> Person:
    """Read ``person_fields``.

    Raises:
        ContractError: ``malformed``.
    """
    names = ("name", "birth_date", "sex", "number", "language", "contact")
    return Person(*(text(fields, name, 200) for name in names))


def person_row(fields: dict[str, Json]) -> PersonRow:
    """Read one row of ``people``."""
    return PersonRow(
        text(fields, "person_id"),
        text(fields, "patient_id"),
        person(member(fields, "person")),
        text(fields, "card"),
        number(fields, "registered_at"),
        text(fields, "registered_by"),
    )


def unlocked(fields: dict[str, Json]) -> Unlocked:
    """Read the reply of ``unlock-card``."""
    pairs = tuple(
        UnlockedPair(
            text(row, "patient_id"),
            text(row, "grantee"),
            raw_bytes(row, "share", 32),
            raw_bytes(row, "tag_key", 32),
            row.get("has_key") is True,
        )
        for row in objects(fields, "pairs")
    )
    return Unlocked(person(member(fields, "person")), pairs)


def introduction(fields: dict[str, Json]) -> Introduction:
    """Read the reply of ``introduce``."""
    tags = {(text(row, "kind"), text(row, "code")): text(row, "tag") for row in objects(fields, "tags")}
    devices = {text(row, "model_id"): text(row, "tag") for row in objects(fields, "devices")}
    return Introduction(
        text(fields, "patient_id"),
        text(fields, "custodian"),
        text(fields, "grantee"),
        text(fields, "name"),
        text(fields, "birth_date"),
        text(fields, "sex"),
        tags,
        devices,
        fields.get("withheld") is True,
    )


def stored_request_fields(request: StoredRequest) -> dict[str, Json]:
    """Return the wire form."""
    return {
        "patient_id": request.patient_id,
        "consent_id": request.consent_id,
        "text": request.text,
        "reason": request.reason,
        "salt": to_text(request.salt),
        "msp_id": request.msp_id,
        "subject": request.subject,
        "at": request.at,
    }


def stored_request(fields: dict[str, Json]) -> StoredRequest:
    """Read ``stored_request_fields``."""
    return StoredRequest(
        text(fields, "patient_id"),
        text(fields, "consent_id"),
        text(fields, "text"),
        text(fields, "reason"),
        raw_bytes(fields, "salt", 32),
        text(fields, "msp_id"),
        text(fields, "subject"),
        number(fields, "at"),
    )


def notice(fields: dict[str, Json]) -> Notice:
    """Read an opened notice."""
    return Notice(
        number(fields, "number"),
        text(fields, "kind"),
        number(fields, "at"),
        text(fields, "patient_id"),
        member(fields, "content"),
        text(fields, "not_me"),
    )


def question_fields(question: Question) -> dict[str, Json]:
    """Return the wire form of a question."""
    return {
        "patient_id": question.patient_id,
        "access_id": question.access_id,
        "text": question.text,
        "asked_at": question.asked_at,
        "answer": question.answer,
        "answered_at": question.answered_at,
        "answered_by": question.answered_by,
    }


def question(fields: dict[str, Json]) -> Question:
    """Read a question."""
    return Question(
        text(fields, "patient_id"),
        text(fields, "access_id"),
        text(fields, "text"),
        number(fields, "asked_at"),
        text(fields, "answer"),
        None if fields.get("answered_at") is None else number(fields, "answered_at"),
        text(fields, "answered_by"),
    )


def asked_question_fields(asked: AskedQuestion) -> dict[str, Json]:
    """Return the wire form of a question with who asked it about what."""
    return {
        "question": question_fields(asked.question),
        "person": asked.person,
        "badge": None if asked.badge is None else asked.badge.to_wire(),
        "categories": [*asked.categories],
    }


def asked_question(fields: dict[str, Json]) -> AskedQuestion:
    """Read a question with who asked it about what."""
    badge = fields.get("badge")
    return AskedQuestion(
        question(member(fields, "question")),
        text(fields, "person"),
        None if badge is None else BadgeOpening.from_wire(badge),
        tuple(texts(fields, "categories")),
    )


def import_outcome(fields: dict[str, Json]) -> ImportOutcome:
    """Read one row of ``import``."""
    return ImportOutcome(
        text(fields, "name"),
        text(fields, "kind"),
        fields.get("accepted") is True,
        text(fields, "reason"),
        tuple(texts(fields, "record_ids", 100_000)),
    )


def explanation(fields: dict[str, Json]) -> Explanation:
    """Read the reply of ``explain``."""
    return Explanation(
        badges={key: BadgeOpening.from_wire(row) for key, row in _rows(fields, "badges")},
        records={
            key: RecordText(
                key,
                number(row, "version"),
                text(row, "category"),
                text(row, "date"),
                text(row, "display"),
                text(row, "held"),
            )
            for key, row in _rows(fields, "records")
        },
        requests={key: stored_request(row) for key, row in _rows(fields, "requests")},
        artefacts=_openings(fields, "artefacts"),
        reasons=_openings(fields, "reasons"),
    )


def statement(fields: dict[str, Json], signed: bytes) -> Statement:
    """Read a verified statement."""
    journal = member(fields, "journal")
    return Statement(
        text(fields, "patient_id"),
        number(fields, "since"),
        number(fields, "until"),
        tuple(
            StatementEntry(
                number(row, "sequence"),
                text(row, "kind"),
                text(row, "access_id"),
                text(row, "by"),
                text(row, "msp_id"),
                text(row, "receipt"),
                number(row, "at"),
            )
            for row in objects(fields, "entries", 1_000_000)
        ),
        number(journal, "sequence"),
        text(journal, "hash"),
        signed,
    )


def erasure(fields: dict[str, Json]) -> Erasure:
    """Read the reply of an erasure."""
    certificates = member(fields, "certificates")
    return Erasure(
        {patient_id: text(certificates, patient_id).encode("ascii") for patient_id in certificates},
        number(fields, "destroyed_at"),
        number(fields, "last_backup_expires"),
        tuple(texts(fields, "transaction_ids", 100_000)),
    )


def alarms(fields: dict[str, Json]) -> Alarms:
    """Read the reply of ``alarms``."""
    halted = fields.get("halted")
    found = None
    if isinstance(halted, dict):
        found = (number(halted, "block"), text(halted, "transaction_id"), text(halted, "reason"))
    flags = {}
    for row in objects(fields, "flags", 100_000):
        patient_id, _, about = text(row, "about").partition("/")
        flags[patient_id, about] = text(row, "code")
    return Alarms(found, flags)


def _rows(fields: dict[str, Json], name: str) -> list[tuple[str, dict[str, Json]]]:
    outer = member(fields, name)
    return [(key, member(outer, key)) for key in outer]


def _openings(fields: dict[str, Json], name: str) -> dict[str, Opening]:
    return {key: opening(row) for key, row in _rows(fields, name)}
