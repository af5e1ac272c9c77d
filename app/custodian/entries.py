"""The rows of the custodian's index, and their wire forms (PROTOCOL.md E.1; ATTACKS.md A17)."""

from dataclasses import dataclass

from app.custodian import readings
from app.custodian.results import Person
from app.identity.pins import PinVerifier
from ledger.contract.canonical import Json
from ledger.contract.wire import integer, members, strings, text
from ledger.encoding import from_base64, to_base64


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """A registered patient.

    Attributes:
        person_id: internal, never on the ledger.
        person: what was registered.
        registered_at: seconds UTC.
        registered_by: subject of the registrar.
    """

    person_id: str
    person: Person
    registered_at: int
    registered_by: str


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A card's custodian half: not its secret.

    Attributes:
        card_id: on the paper.
        person_id: whose.
        verifier: of the PIN.
        tries_left: before it locks.
    """

    card_id: str
    person_id: str
    verifier: PinVerifier
    tries_left: int


@dataclass(frozen=True, slots=True)
class Link:
    """One pair: a patient id and whom it stands for.

    Attributes:
        patient_id: random, per person and grantee.
        person_id: internal.
        grantee: msp_id.
        tell_withheld: the grantee may know that something is withheld.
        certificate: the newest patient certificate, DER, or empty.
        introduced: subjects of the grantee's staff that she was introduced to.
    """

    patient_id: str
    person_id: str
    grantee: str
    tell_withheld: bool = True
    certificate: bytes = b""
    introduced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record as the hospital knows it, once for all pairs.

    Attributes:
        internal_id: never on the ledger.
        person_id: whose.
        version: the newest.
        category: code of the category.
        date: ISO date for the list, or empty.
        display: one line.
        inputs: what ``describe_record`` is given.
        source: which import it came with, for finding doubles: SHA-256 of the manifest's objects.
    """

    internal_id: str
    person_id: str
    version: int
    category: str
    date: str
    display: str
    inputs: dict[str, Json]
    source: str


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """One version of a record in the object store.

    Attributes:
        internal_id: of the record.
        version: from 1.
        manifest_name: object name of the sealed manifest.
        manifest_digest: lower-case hex SHA-256 of the manifest.
        sizes: bytes of each object by name, the manifest's too.
    """

    internal_id: str
    version: int
    manifest_name: str
    manifest_digest: str
    sizes: dict[str, int]


@dataclass(frozen=True, slots=True)
class SharedRecord:
    """A record as one pair sees it: its own id and salts (ATTACKS.md A17).

    Attributes:
        patient_id: of the pair.
        record_id: random, on the ledger.
        internal_id: of the record.
        salts: by version, of its commitment.
    """

    patient_id: str
    record_id: str
    internal_id: str
    salts: dict[int, bytes]


def person_value(held: HeldPerson) -> dict[str, Json]:
    """Return what ``read_person`` reads."""
    return {
        "person": readings.person_fields(held.person),
        "registered_at": held.registered_at,
        "registered_by": held.registered_by,
    }


def card_value(card: HeldCard) -> dict[str, Json]:
    """Return what ``read_card`` reads."""
    return {
        "person_id": card.person_id,
        "verifier": card.verifier.to_wire(),
        "tries_left": card.tries_left,
    }


def link_value(link: Link) -> dict[str, Json]:
    """Return what ``read_link`` reads."""
    return {
        "person_id": link.person_id,
        "grantee": link.grantee,
        "tell_withheld": link.tell_withheld,
        "certificate": to_base64(link.certificate),
        "introduced": [*link.introduced],
    }


def record_value(record: HeldRecord) -> dict[str, Json]:
    """Return what ``read_record`` reads."""
    return {
        "person_id": record.person_id,
        "version": record.version,
        "category": record.category,
        "date": record.date,
        "display": record.display,
        "inputs": record.inputs,
        "source": record.source,
    }


def version_value(version: HeldVersion) -> dict[str, Json]:
    """Return what ``read_version`` reads."""
    return {
        "internal_id": version.internal_id,
        "version": version.version,
        "manifest_name": version.manifest_name,
        "manifest_digest": version.manifest_digest,
        "sizes": {**version.sizes},
    }


def shared_value(shared: SharedRecord) -> dict[str, Json]:
    """Return what ``read_shared`` reads."""
    return {
        "patient_id": shared.patient_id,
        "record_id": shared.record_id,
        "internal_id": shared.internal_id,
        "salts": {str(version): to_base64(salt) for version, salt in shared.salts.items()},
    }


def read_person(person_id: str, value: dict[str, Json]) -> HeldPerson:
    """Read a row of persons."""
    return HeldPerson(
        person_id,
        readings.person(members(value["person"])),
        integer(value["registered_at"]),
        text(value["registered_by"]),
    )


def read_card(card_id: str, value: dict[str, Json]) -> HeldCard:
    """Read a row of cards."""
    return HeldCard(
        card_id, text(value["person_id"]), PinVerifier.from_wire(value["verifier"]), integer(value["tries_left"])
    )


def read_link(patient_id: str, value: dict[str, Json]) -> Link:
    """Read a row of pairs."""
    return Link(
        patient_id,
        text(value["person_id"]),
        text(value["grantee"]),
        value["tell_withheld"] is True,
        from_base64(text(value["certificate"])),
        tuple(strings(value["introduced"])),
    )


def read_record(internal_id: str, value: dict[str, Json]) -> HeldRecord:
    """Read a row of records."""
    return HeldRecord(
        internal_id,
        text(value["person_id"]),
        integer(value["version"]),
        text(value["category"]),
        text(value["date"]),
        text(value["display"]),
        members(value["inputs"]),
        text(value["source"]),
    )


def read_version(value: dict[str, Json]) -> HeldVersion:
    """Read a row of versions."""
    return HeldVersion(
        text(value["internal_id"]),
        integer(value["version"]),
        text(value["manifest_name"]),
        text(value["manifest_digest"]),
        {name: integer(size) for name, size in members(value["sizes"]).items()},
    )


def read_shared(value: dict[str, Json]) -> SharedRecord:
    """Read a row of pair records."""
    salts = members(value["salts"])
    return SharedRecord(
        text(value["patient_id"]),
        text(value["record_id"]),
        text(value["internal_id"]),
        {int(version): from_base64(text(salts[version])) for version in salts},
    )
