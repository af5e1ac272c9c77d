"""Alder and Birch, their custodians, an embedded ledger: alice is Alder's patient, carol works there, dan at Birch."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.consent import artefact as artefacts
from app.consent.codes import ACT_REASON
from app.consent.compile import Compiled, compile_consent
from app.consent.tags import tag
from app.consent.terms import Category, Grantee, GranteeKind, Labels, Party, Terms
from app.custodian.client import CustodianClient
from app.custodian.custodian import Custodian
from app.custodian.desk import Desk
from app.custodian.index import Index
from app.custodian.journal import Journal
from app.custodian.keytable import KeyTable
from app.custodian.results import ImportFile, Introduction, Opening, Person, RegisteredPerson, Released, UnlockedPair
from app.identity.badges import Badge, BadgeOpening
from app.identity.cards import Card, mailbox_key, patient_private_key
from app.identity.certificates import HospitalAuthority, Role, certificate_request, new_subject
from app.identity.keys import MasterKey
from app.identity.signing import SigningIdentity
from app.records.description import CONFIDENTIALITY_SYSTEM, SENSITIVITY_SYSTEM
from app.records.description import Category as RecordCategory
from app.records.description import Person as FilePerson
from app.records.imported import ImportObject, ImportRecord
from app.records.importing import Finding, Import
from app.records.store import FolderStore
from ledger.commitments import commitment
from ledger.contract.canonical import decode_object, encode
from ledger.embedded import EmbeddedLedger
from ledger.encoding import to_base64
from ledger.gateway import Commit
from ledger.replica import CommittedAccess, Replica
from ledger.signatures import SoftwareKey, spki
from tests.support.stretching import FAST

NOW = 1_800_000_000
PIN = "24681012"
DAY = 86_400
ENDPOINT = "localhost:7443"


@dataclass
class Clock:
    """A clock that tests move."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class Staff:
    """A member with his badge."""

    signer: SigningIdentity
    badge: BadgeOpening

    @property
    def subject(self) -> str:
        return self.signer.subject


@dataclass
class Patient:
    """A registered person with her card, and her key of each pair."""

    registered: RegisteredPerson
    card: Card
    person: Person
    signers: dict[str, SigningIdentity] = field(default_factory=dict)
    pairs: dict[str, UnlockedPair] = field(default_factory=dict)

    @property
    def person_id(self) -> str:
        return self.registered.person_id

    @property
    def patient_id(self) -> str:
        """Of the hospital's own pair."""
        return self.registered.patient_id


class StubImporter:
    """Reads files that say what they are: canonical {category, date, display, level, sensitivities, text}."""

    def read_bytes(self, named: Sequence[tuple[str, bytes]], *, made_on: str = "") -> Import:  # noqa: ARG002
        findings, records = [], []
        for name, content in named:
            if not content.startswith(b"{"):
                findings.append(Finding(name, "", accepted=False, reason="It is no file that can be read."))
                continue
            findings.append(Finding(name, "csv", accepted=True))
            records.append(_record(ImportFile(name, content)))
        return Import(tuple(records), tuple(findings))


def _record(file: ImportFile) -> ImportRecord:
    said: dict[str, Any] = decode_object(file.content)
    category = RecordCategory(said["category"])
    labels = [f"{CONFIDENTIALITY_SYSTEM}|{said['level']}"]
    labels += [f"{SENSITIVITY_SYSTEM}|{each}" for each in said["sensitivities"]]
    return ImportRecord(
        kind="csv",
        category=category,
        classes=(category.code,),
        codes=(),
        dates=(said["date"],) if said["date"] else (),
        labels=tuple(labels),
        authors=(),
        related=(),
        references=(f"DocumentReference/{hashlib.sha256(file.content).hexdigest()[:16]}",),
        display=said["display"],
        person=FilePerson(),
        objects=(ImportObject.of(file.name, "text/csv", file.content),),
        paths=(file.name,),
    )


def document(
    display: str,
    *,
    category: str = "cytology",
    date: str = "2026-06-15",
    level: str = "N",
    sensitivities: tuple[str, ...] = (),
) -> ImportFile:
    """Return a file for ``StubImporter``."""
    said = {
        "category": category,
        "date": date,
        "display": display,
        "level": level,
        "sensitivities": [*sensitivities],
        "text": f"what {display} says",
    }
    return ImportFile(f"{display}.csv", encode(said))


class HospitalHouse:
    """One hospital: its CA, its staff, its custodian with client and replica."""

    def __init__(self, world: "World", msp_id: str) -> None:
        self.world = world
        self.msp_id = msp_id
        self.authority = HospitalAuthority.create(msp_id, NOW)
        self.receipt_key = SoftwareKey(ec.generate_private_key(ec.SECP256R1()))
        self.master = MasterKey.generate()
        self.staff: dict[str, Staff] = {}
        self.folder = world.folder / msp_id

    def open(self) -> None:
        """Register the organization and its offices, then open the custodian."""
        operator = self._certified("operator", Role.OPERATOR)
        registration = {
            "custodian_key": to_base64(self.receipt_key.public_key),
            "endpoint": ENDPOINT,
            "tls_root_hash": "",
            "badge_commitment": operator.badge.commitment,
        }
        self.world.submit(operator.signer, "RegisterOrganization", registration)
        for name, role in (
            ("registrar", Role.REGISTRAR),
            ("officer", Role.PRIVACY_OFFICER),
            ("vault", Role.CUSTODIAN),
        ):
            self.enrol(name, role, by="operator")
        self.start()

    def start(self) -> None:
        """Open the custodian's files, as after a restart."""
        world = self.world
        self.replica = Replica(world.ledger.chain)
        self.desk = Desk(
            msp_id=self.msp_id,
            gateway=world.ledger,
            replica=self.replica,
            signer=self.staff["vault"].signer,
            receipt_key=self.receipt_key,
            authority=self.authority,
            roots=world.roots,
            keys=KeyTable(self.folder / "keys.db", self.folder / "key-backups", self.master, os.urandom),
            index=Index(self.folder / "index.db", self.master, os.urandom),
            journal=Journal(self.folder / "journal.db"),
            store=FolderStore(self.folder / "objects"),
            importer=StubImporter(),
            clock=world.clock,
            random=os.urandom,
            stretching=FAST,
        )
        self.custodian = Custodian(self.desk)
        self.client = CustodianClient(
            self.custodian.handle,
            world.ledger.network_id,
            self.msp_id,
            lambda: self.receipt_key.public_key,
            clock=world.clock,
        )

    def close(self) -> None:
        self.custodian.close()

    def enrol(self, name: str, role: Role, by: str = "registrar", **changed: object) -> Staff:
        """Certify and enrol a member of staff."""
        member = self._certified(name, role)
        arguments: dict[str, object] = {
            "subject": member.subject,
            "role": role.value,
            "key_hash": member.signer.key_hash,
            "badge_commitment": member.badge.commitment,
            "emergency": False,
            "steward": False,
            "functions": [],
            "groups": [],
            **changed,
        }
        self.world.submit(self.staff[by].signer, "EnrolMember", arguments)
        return member

    def _certified(self, name: str, role: Role) -> Staff:
        key, subject = ec.generate_private_key(ec.SECP256R1()), new_subject()
        certificate = self.authority.issue(spki(key.public_key()), subject, role, NOW)
        badge = Badge(f"Dr {name.title()} Specimen", "consultant", "Radiology", self.msp_id, subject)
        self.staff[name] = Staff(SigningIdentity(self.msp_id, certificate, key), BadgeOpening.create(badge))
        return self.staff[name]

    def register(self, name: str, birth_date: str = "1980-02-29") -> Patient:
        """Register a person; her card is printed."""
        person = Person(name, birth_date, "female", number=f"N-{name}")
        registered = self.client.register_person(self.staff["registrar"].signer, person, PIN)
        return Patient(registered, Card.parse(registered.card_text), person)

    def unlock(self, patient: Patient, grantee: str = "") -> None:
        """Hold a patient session: shares, keys and certificates of her pairs."""
        unlocked = self.client.unlock_card(patient.card.card_id, PIN, grantee or self.msp_id)
        for pair in unlocked.pairs:
            key = patient_private_key(patient.card.secret, pair.share, pair.patient_id)
            request = certificate_request(key, pair.patient_id)
            certificate = self.client.issue_patient_certificate(patient.card.card_id, PIN, request)
            patient.signers[pair.grantee] = SigningIdentity(self.msp_id, certificate, key)
            patient.pairs[pair.grantee] = pair

    def import_documents(self, patient: Patient, *files: ImportFile) -> dict[str, str]:
        """Import files; return the own pair's record id by display."""
        outcomes = self.client.import_files(self.staff["registrar"].signer, patient.person_id, files)
        assert all(each.accepted for each in outcomes), outcomes
        return {each.name.removesuffix(".csv"): each.record_ids[0] for each in outcomes}


@dataclass(frozen=True)
class Opened:
    """A committed access and the key that was made for it."""

    access: CommittedAccess
    release_key: X25519PrivateKey
    by: Staff


class World:
    """A ledger with two hospitals. ``follower`` is a recipient's own replica."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.alder = HospitalHouse(self, "Alder")
        self.birch = HospitalHouse(self, "Birch")
        self.roots = {house.msp_id: house.authority.roots for house in (self.alder, self.birch)}
        ledger_key = SoftwareKey(ec.generate_private_key(ec.SECP256R1()))
        self.ledger = EmbeddedLedger.create(
            folder / "ledger", self.roots, ledger_key, clock=self.clock, random=os.urandom
        )
        self.follower = Replica(self.ledger.chain)
        for house in (self.alder, self.birch):
            house.open()
        self.carol = self.alder.enrol("carol", Role.PRACTITIONER, steward=True)
        self.dan = self.birch.enrol("dan", Role.PRACTITIONER, steward=True)
        self.mallory = self.birch.enrol("mallory", Role.PRACTITIONER)
        self.alice = self.alder.register("Alice Fictive")
        self.alder.unlock(self.alice)

    def close(self) -> None:
        self.alder.close()
        self.birch.close()
        self.ledger.close()

    def submit(self, signer: SigningIdentity, name: str, arguments: Mapping[str, object]) -> Commit:
        return self.ledger.submit(self.ledger.prepare(signer, name, arguments))

    def introduce(self, who: Staff, patient: Patient, **asked: Any) -> Introduction:
        """Introduce a practitioner to one of Alder's patients by her code."""
        code = self.alder.client.make_code(patient.signers["Alder"], patient.patient_id).code
        return self.alder.client.introduce(who.signer, who.badge, code=code, **asked)

    def terms(self, who: Staff, **changed: Any) -> Terms:
        """Return what a practitioner asks for by default: treatment, cytology and documents, seven days."""
        stated: dict[str, Any] = {
            "grantee": Grantee(
                GranteeKind.PRACTITIONER, who.signer.msp_id, who.signer.msp_id, "Dr Specimen", who.subject
            ),
            "purpose": (ACT_REASON, "TREAT"),
            "categories": frozenset({Category.CYTOLOGY, Category.DOCUMENT}),
            "keep_open_days": 7,
            "labels": Labels.ALL,
        }
        return Terms(**{**stated, **changed})

    def sharing(self, patient: Patient, consent_id: str, terms: Terms) -> artefacts.Artefact:
        pair = patient.pairs[terms.grantee.msp_id]
        party = Party(pair.patient_id, "Alder", "Alder Hospital")
        return artefacts.sharing(terms, artefacts.Signing(party, consent_id, self.clock()))

    def grant(
        self, patient: Patient, grantee: str, consent_id: str, artefact: artefacts.Artefact, **changed: object
    ) -> Opening:
        """Leave the artefact at the custodian, grant on the ledger, let the custodian see it."""
        signer, pair = patient.signers[grantee], patient.pairs[grantee]
        salt = os.urandom(32)
        opening = Opening(artefact.to_bytes(), salt)
        self.alder.client.store_consent(signer, pair.patient_id, consent_id, opening.content, salt)
        compiled = compile_consent(artefact.consent, artefact.context, tag(pair.tag_key))
        assert isinstance(compiled, Compiled), compiled
        arguments: dict[str, object] = {
            "patient_id": pair.patient_id,
            "consent_id": consent_id,
            **compiled.terms(),
            "retention_days": artefact.retention_days,
            "artefact_commitment": commitment(salt, opening.content),
            "replaces": "",
            **changed,
        }
        self.submit(signer, "GrantConsent", arguments)
        self.alder.custodian.tick()
        return opening

    def share(self, who: Staff, patient: Patient, consent_id: str = "c1", **changed: Any) -> str:
        """Introduce, let the patient claim her key of that pair, grant; return the pair's patient id."""
        self.introduce(who, patient)
        grantee = who.signer.msp_id
        self.alder.unlock(patient, grantee)
        self.grant(patient, grantee, consent_id, self.sharing(patient, consent_id, self.terms(who, **changed)))
        return patient.pairs[grantee].patient_id

    def open(self, who: Staff, patient_id: str, *record_ids: str, **changed: object) -> Opened:
        """Commit an access and see it in the recipient's own replica."""
        release_key = X25519PrivateKey.generate()
        arguments: dict[str, object] = {
            "patient_id": patient_id,
            "kind": "open" if record_ids else "index",
            "action": "access",
            "device": "",
            "purpose": "TREAT",
            "items": [{"record_id": each, "version": 1} for each in record_ids],
            "release_key_hash": hashlib.sha256(release_key.public_key().public_bytes_raw()).hexdigest(),
            "emergency_id": "",
            **changed,
        }
        commit = self.submit(who.signer, "OpenRecords", arguments)
        return Opened(self.committed(patient_id, commit.transaction_id), release_key, who)

    def committed(self, patient_id: str, access_id: str) -> CommittedAccess:
        self.follower.follow(self.ledger)
        access = self.follower.committed_access(patient_id, access_id)
        assert access is not None
        return access

    def release(self, opened: Opened, **changed: Any) -> Released:
        """Ask Alder's custodian for what was opened."""
        asked: dict[str, Any] = {
            "signer": opened.by.signer,
            "access": opened.access,
            "release_key": opened.release_key,
            "state": self.follower,
            "badge": opened.by.badge,
            **changed,
        }
        return self.alder.client.release(**asked)

    def list(self, who: Staff, patient_id: str) -> Released:
        """Ask for the list of records, on the ledger and at the custodian."""
        return self.release(self.open(who, patient_id))

    def mailbox(self, patient: Patient, grantee: str) -> X25519PrivateKey:
        pair = patient.pairs[grantee]
        return mailbox_key(patient.card.secret, pair.share, pair.patient_id)

    def today(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).date().isoformat()
