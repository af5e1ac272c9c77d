"""What the custodian's client returns: frozen values, already verified and opened."""

from dataclasses import dataclass, field
from typing import Final

from app.identity.badges import BadgeOpening
from ledger.contract.canonical import Json

QUESTION_MAX: Final = 1000
"""Characters of a question about an access, and of its answer."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment: the committed bytes and the 32-byte salt (PROTOCOL.md C1).

    Attributes:
        content: the canonical artefact, or the UTF-8 reason.
        salt: 32 bytes.
    """

    content: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as her hospital registered her. Never on the ledger.

    Attributes:
        name: as it is shown.
        birth_date: ISO date; a date, never an instant (CASES.md 9).
        sex: FHIR administrative gender.
        number: the hospital's own patient number, or empty.
        language: ``en`` or ``de``; the language of the patient's turn.
        contact: where printed notices go.
    """

    name: str
    birth_date: str
    sex: str = "unknown"
    number: str = ""
    language: str = "en"
    contact: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line of the hospital's own registration.

    Attributes:
        person_id: the hospital's internal id, never on the ledger.
        patient_id: of the hospital's own pair.
        person: what was registered.
        card: ``none``, ``active`` or ``locked``.
        registered_at: seconds UTC.
        registered_by: subject of the registrar.
    """

    person_id: str
    patient_id: str
    person: Person
    card: str
    registered_at: int
    registered_by: str


@dataclass(frozen=True, slots=True)
class RegisteredPerson:
    """A new person with her card, to be printed at once; its secret is stored nowhere.

    Attributes:
        person_id: the hospital's internal id.
        patient_id: of the hospital's own pair; its key is on the ledger.
        card_text: ``assent1.<msp_id>.<card_id>.<secret>`` (ATTACKS.md A27).
    """

    person_id: str
    patient_id: str
    card_text: str


@dataclass(frozen=True, slots=True)
class IntroductionCode:
    """A one-use code that lets one practitioner meet one patient.

    Attributes:
        code: 26 lower-case base32 characters.
        expires_at: seconds UTC, 15 minutes after it was made.
    """

    code: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a practitioner may know of a patient to ask for access.

    Attributes:
        patient_id: of this pair of custodian and grantee.
        custodian: msp_id of the hospital that holds the records.
        grantee: msp_id of the practitioner's hospital.
        name: the patient's name.
        birth_date: ISO date.
        sex: FHIR administrative gender.
        tags: ``(kind, code)`` to tag, for the categories and the dates that were asked for, never for sensitivities.
        devices: model id to device tag, for each approved model.
        withheld: the patient lets the grantee know that something is withheld (ATTACKS.md A18).
    """

    patient_id: str
    custodian: str
    grantee: str
    name: str
    birth_date: str
    sex: str
    tags: dict[tuple[str, str], str]
    devices: dict[str, str]
    withheld: bool

    def tag(self, kind: str, code: str) -> str:
        """Return the tag of ``code``; fits ``compile_consent``.

        Raises:
            KeyError: it was not asked for at the introduction.
        """
        return self.tags[kind, code]


@dataclass(frozen=True, slots=True)
class UnlockedPair:
    """The custodian's half of a patient's key for one patient id.

    Attributes:
        patient_id: of this pair.
        grantee: msp_id of the other half of the pair.
        share: 32 bytes; with the card's secret it gives the patient's keys (ATTACKS.md A27).
        tag_key: 32 bytes; gives tags their meaning.
        has_key: the ledger already holds a key hash for this id.
    """

    patient_id: str
    grantee: str
    share: bytes = field(repr=False)
    tag_key: bytes = field(repr=False)
    has_key: bool


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What the right PIN gives.

    Attributes:
        person: whose card it is.
        pairs: the one that was asked for, or all.
    """

    person: Person
    pairs: tuple[UnlockedPair, ...]


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What the patient reads before she decides.

    Attributes:
        patient_id: of the pair.
        consent_id: of the proposal.
        text: the readable request (the caller's form, not looked into here).
        reason: the practitioner's sentence.
        salt: of the reason's commitment on the ledger.
        msp_id: the proposer's hospital.
        subject: the proposer.
        at: seconds UTC.
    """

    patient_id: str
    consent_id: str
    text: str
    reason: str
    salt: bytes
    msp_id: str
    subject: str
    at: int


@dataclass(frozen=True, slots=True)
class RecordText:
    """What a record is, in words: never on the ledger.

    Attributes:
        record_id: of this pair.
        version: the newest.
        category: code of the category.
        date: ISO date or empty.
        display: one line.
        held: which record of the custodian it is; the same under each of her patient ids, where its ids differ.
    """

    record_id: str
    version: int
    category: str
    date: str
    display: str
    held: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Readable texts for ids of the ledger.

    Attributes:
        badges: by subject.
        records: by record id.
        requests: by consent id.
        artefacts: by consent id.
        reasons: by emergency id: the declared reason.
    """

    badges: dict[str, BadgeOpening]
    records: dict[str, RecordText]
    requests: dict[str, StoredRequest]
    artefacts: dict[str, Opening]
    reasons: dict[str, Opening]


@dataclass(frozen=True, slots=True)
class Question:
    """What a patient asked about one access.

    Attributes:
        patient_id: of the pair.
        access_id: of the ledger.
        text: her words.
        asked_at: seconds UTC.
        answer: the privacy officer's words, or empty.
        answered_at: seconds UTC, or None while it waits.
        answered_by: subject of the privacy officer, or empty.
    """

    patient_id: str
    access_id: str
    text: str
    asked_at: int
    answer: str = ""
    answered_at: int | None = None
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as the privacy officer reads it.

    Attributes:
        question: what was asked, and the answer.
        person: the patient's name.
        badge: of whoever made the access, or None if none is known.
        categories: kinds of the records; empty for a list of records.
    """

    question: Question
    person: str
    badge: BadgeOpening | None
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to the patient, decoded by the custodian from the ledger itself (ATTACKS.md A27).

    Attributes:
        number: rises by one per patient id.
        kind: ``consent-granted``, ``consent-revoked``, ``key-set``, ``registered``, ``artefact-mismatch``,
            ``suspended``, ``record-erased``, ``question-answered``, ``receipt``.
        at: seconds UTC.
        patient_id: of the pair it is about.
        content: ids and decoded terms, per kind.
        not_me: a code that stops all releases of this patient id at once; empty where it makes no sense.
    """

    number: int
    kind: str
    at: int
    patient_id: str
    content: dict[str, Json]
    not_me: str


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file to import.

    Attributes:
        name: its path as the person knows it, for messages only.
        content: its bytes.
    """

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of one file.

    Attributes:
        name: as it was sent.
        kind: dicom, fhir, pdf, csv, or empty.
        accepted: its content is stored.
        reason: why it was refused, or empty.
        record_ids: records of the own pair that hold it.
    """

    name: str
    kind: str
    accepted: bool
    reason: str
    record_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleasedRecord:
    """The key of one record version, sealed to this opening and now opened.

    Attributes:
        record_id: of the pair.
        version: of the record.
        commitment: of the manifest, from the ledger.
        manifest_name: object name of the sealed manifest.
        manifest_salt: opens the commitment.
        manifest_digest: lower-case hex SHA-256 of the manifest.
        identity: the age identity (secret).
    """

    record_id: str
    version: int
    commitment: str
    manifest_name: str
    manifest_salt: bytes
    manifest_digest: str
    identity: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One record that may be seen in the list; each passed ``decide`` at the custodian.

    Attributes:
        record_id: of the pair.
        version: the newest.
        category: code of the category.
        date: ISO date, or empty if unknown.
        display: one line.
    """

    record_id: str
    version: int
    category: str
    date: str
    display: str


@dataclass(frozen=True, slots=True)
class Released:
    """A custodian's signed answer to one opening, verified and opened.

    Attributes:
        access_id: the committed access.
        patient_id: of the pair.
        block: number of the block that holds the access.
        block_hash: its hash.
        released_at: seconds UTC, custodian's clock.
        until: the opening ends (exclusive), seconds UTC.
        items: one per permitted record; empty for an index.
        rows: of an index.
        withheld: how many records an index holds back by label.
        journal_sequence: the journal's row of this release.
        journal_hash: its hash.
        reply: the signed reply, which is the recipient's evidence.
        receipt: lower-case hex SHA-256 of ``reply``, as it goes on the ledger.
    """

    access_id: str
    patient_id: str
    block: int
    block_hash: str
    released_at: int
    until: int
    items: tuple[ReleasedRecord, ...]
    rows: tuple[IndexRow, ...]
    withheld: int
    journal_sequence: int
    journal_hash: str
    reply: bytes
    receipt: str


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One release.

    Attributes:
        sequence: of the journal.
        kind: ``release`` or ``index``.
        access_id: of the ledger.
        by: subject.
        msp_id: of the subject.
        receipt: hash of the signed reply.
        at: seconds UTC.
    """

    sequence: int
    kind: str
    access_id: str
    by: str
    msp_id: str
    receipt: str
    at: int


@dataclass(frozen=True, slots=True)
class Statement:
    """The signed sentence "these are all releases of your records": a lie becomes a signed lie (ATTACKS.md A12).

    Attributes:
        patient_id: of the pair.
        since: seconds UTC.
        until: seconds UTC.
        entries: in the journal's order.
        journal_sequence: the journal's newest row.
        journal_hash: its hash.
        signed: the signed bytes.
    """

    patient_id: str
    since: int
    until: int
    entries: tuple[StatementEntry, ...]
    journal_sequence: int
    journal_hash: str
    signed: bytes


@dataclass(frozen=True, slots=True)
class View:
    """What one hospital verified of a patient id, by its custodian's signature: a lie becomes a signed lie (A13).

    Attributes:
        msp_id: the hospital.
        block: number of the newest block that it verified.
        block_hash: of that block, lower-case hex.
        accesses: ids of all accesses up to there.
        signed: the signed bytes.
    """

    msp_id: str
    block: int
    block_hash: str
    accesses: frozenset[str]
    signed: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The custodian's signed word that it stopped, or resumed, all releases of a patient id (ATTACKS.md A11).

    Attributes:
        patient_id: of the pair.
        at: seconds UTC.
        stopped: whether releases are stopped now.
        signed: the signed bytes, to be kept.
    """

    patient_id: str
    at: int
    stopped: bool
    signed: bytes


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was destroyed.

    Attributes:
        certificates: per patient id its canonical certificate (PROTOCOL.md C1).
        destroyed_at: seconds UTC.
        last_backup_expires: seconds UTC; until then a backup of the key table could hold the keys.
        transaction_ids: what was posted to the ledger.
    """

    certificates: dict[str, bytes]
    destroyed_at: int
    last_backup_expires: int
    transaction_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alarms:
    """What needs a person.

    Attributes:
        halted: block, transaction id and reason of the difference that stopped every release; None while there is none.
        flags: patient id and consent id, or ``records``, with the code of what is not honoured.
    """

    halted: tuple[int, str, str] | None
    flags: dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Proof:
    """Where the ledger holds a transaction, signed by the custodian.

    Attributes:
        transaction_id: of the transaction.
        block: number of its block.
        block_hash: lower-case hex.
        content: header, block_signature, envelope, index, count and path; they prove themselves.
        signed: the custodian's signed {transaction_id, block, block_hash}.
    """

    transaction_id: str
    block: int
    block_hash: str
    content: dict[str, Json]
    signed: bytes
