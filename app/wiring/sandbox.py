"""The sandbox: two hospitals, people who do not exist, generated records, one PIN for everybody (DESIGN.md)."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.results import ImportFile, ImportOutcome, Person, RegisteredPerson
from app.identity.badges import Badge, BadgeOpening
from app.identity.certificates import Role, new_subject
from app.identity.keystore import KeyStore
from app.identity.passphrases import seal
from app.identity.private_files import write_private
from app.identity.profiles import Profile
from app.identity.signing import SigningIdentity
from app.services.models import bundled_models
from app.services.people import NewMember
from app.services.submission import Submission
from app.wiring.installation import Installation, found
from app.wiring.ledgers import Circumstances
from app.wiring.plans import HospitalPlan
from app.wiring.samples import samples_of
from ledger.contract.canonical import encode
from ledger.signatures import spki

PIN: Final = "24681012"
ALDER: Final = HospitalPlan("AlderMSP", "Alder Hospital")
BIRCH: Final = HospitalPlan("BirchMSP", "Birch Hospital")
_CARDS: Final = "sandbox-cards.json"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Staffing:
    """The fictive people of one hospital."""

    plan: HospitalPlan
    operator: str
    registrar: str
    privacy_officer: str
    practitioners: tuple[tuple[str, str, bool], ...]
    patients: tuple[Person, ...]


STAFF: Final = (
    Staffing(
        ALDER,
        "Otto Operand",
        "Rita Roster",
        "Petra Protocol",
        (("Dr Carol Specimen", "Radiologist", False), ("Dr Clara Invented", "Cytologist", True)),
        (
            Person("Alma Fictive", "1961-03-14", "female", "000-417-SANDBOX", "en", "Alder Hospital, ward 3"),
            Person("Greta Imaginary", "1978-09-02", "female", "000-418-SANDBOX", "de", "Alder Hospital, ward 5"),
        ),
    ),
    Staffing(
        BIRCH,
        "Olga Operand",
        "Ruben Roster",
        "Paul Protocol",
        (("Dr Dan Template", "Internist", False), ("Dr Finn Madeup", "Pathologist", True)),
        (
            Person("Bruno Mockup", "1955-11-30", "male", "200-101-SANDBOX", "en", "Birch Hospital, ward 1"),
            Person("Kara Figment", "1990-05-18", "female", "200-102-SANDBOX", "en", "Birch Hospital, ward 2"),
        ),
    ),
)


@dataclass
class Sandbox:
    """A sandbox and its people.

    Attributes:
        installation: open.
        profiles: of the staff, by name.
        cards: of the patients, by name; in a hospital each is a paper that only the patient has.
        persons: the patients as they were registered, by name.
        imported: what became of the sample files, by patient's name.
        identities: of the staff, as far as they were needed.
    """

    installation: Installation
    profiles: dict[str, Profile] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    persons: dict[str, RegisteredPerson] = field(default_factory=dict)
    imported: dict[str, tuple[ImportOutcome, ...]] = field(default_factory=dict)
    identities: dict[str, SigningIdentity] = field(default_factory=dict, repr=False)


def found_sandbox(
    folder: Path,
    store: KeyStore,
    circumstances: Circumstances,
    progress: Progress = lambda _done, _total, _text: None,
    *,
    with_records: bool = True,
) -> Sandbox:
    """Make the sandbox in an empty folder: hospitals, staff, patients, records, and the approved model.

    Args:
        folder: new or empty.
        store: where the master key goes.
        circumstances: time and chance.
        progress: told what is being made.
        with_records: import the sample records.
    """
    progress(0, 5, "Hospitals and keys")
    installation, root_keys = found(folder, [ALDER, BIRCH], store, circumstances)
    for msp_id, root_key in root_keys.items():
        write_private(folder / msp_id / "root-ca.sealed", seal(root_key, PIN, "root-ca", circumstances.stretching))
    sandbox = Sandbox(installation)
    progress(1, 5, "People")
    operators = {staffing.plan.msp_id: register_organization(sandbox, staffing) for staffing in STAFF}
    for staffing in STAFF:
        enrol_staff(sandbox, staffing, operators[staffing.plan.msp_id])
    progress(2, 5, "Patients and their cards")
    for staffing in STAFF:
        _register(sandbox, staffing)
    _write_cards(folder, sandbox.cards)
    progress(3, 5, "The model")
    _approve_models(sandbox)
    progress(4, 5, "Records")
    if with_records:
        for staffing in STAFF:
            _import(sandbox, staffing, datetime.fromtimestamp(circumstances.clock(), UTC).date().isoformat())
    installation.tick(force=True)
    progress(5, 5, "Ready")
    return sandbox


def read_cards(folder: Path) -> dict[str, str]:
    """Return the sandbox's cards by patient's name; only a sandbox keeps them."""
    path = folder / _CARDS
    if not path.is_file():
        return {}
    return {str(name): str(text) for name, text in json.loads(path.read_text(encoding="utf-8")).items()}


def unlock_staff(sandbox: Sandbox, name: str) -> SigningIdentity:
    """Return the identity of a member of the sandbox's staff."""
    if name not in sandbox.identities:
        installation, profile = sandbox.installation, sandbox.profiles[name]
        sandbox.identities[name] = installation.profiles.unlock(profile.profile_id, PIN, installation.master)
    return sandbox.identities[name]


def enrol_staff(sandbox: Sandbox, staffing: Staffing, operator: SigningIdentity) -> None:
    """Enrol a hospital's offices, its custodian and its practitioners."""
    installation = sandbox.installation
    office = installation.people(operator)
    for name, role in ((staffing.registrar, Role.REGISTRAR), (staffing.privacy_officer, Role.PRIVACY_OFFICER)):
        sandbox.profiles[name] = office.enrol(NewMember(name, role), PIN)
    custodian = installation.keys[staffing.plan.msp_id].custodian
    Submission(installation.ledger, operator).send("EnrolMember", _service_member(custodian))
    desk = installation.people(unlock_staff(sandbox, staffing.registrar))
    for name, qualification, steward in staffing.practitioners:
        member = NewMember(name, Role.PRACTITIONER, qualification, "", steward=steward, emergency=not steward)
        sandbox.profiles[name] = desk.enrol(member, PIN)


def register_organization(sandbox: Sandbox, staffing: Staffing) -> SigningIdentity:
    """Put a hospital on the ledger; its first operator enrols himself by that (PROTOCOL.md B3)."""
    installation, plan = sandbox.installation, staffing.plan
    circumstances, keys = installation.circumstances, installation.keys[staffing.plan.msp_id]
    key, subject = ec.generate_private_key(ec.SECP256R1()), new_subject(circumstances.random)
    now = circumstances.clock()
    certificate = keys.authority.issue(spki(key.public_key()), subject, Role.OPERATOR, now, circumstances.random)
    badge = BadgeOpening.create(Badge(staffing.operator, "", "", plan.msp_id, subject), circumstances.random)
    identity = SigningIdentity(plan.msp_id, certificate, key)
    arguments = organization_arguments(installation, plan.msp_id, badge)
    Submission(installation.ledger, identity).send("RegisterOrganization", arguments)
    profile = Profile(staffing.operator, Role.OPERATOR.value, plan.name, plan.msp_id, subject, certificate)
    sandbox.profiles[staffing.operator] = profile
    return installation.keep_profile(profile, key, PIN, badge)


def organization_arguments(installation: Installation, msp_id: str, badge: BadgeOpening) -> dict[str, object]:
    """Return the arguments of ``RegisterOrganization`` for a hospital of this machine."""
    keys = installation.keys[msp_id]
    return {
        "custodian_key": base64.b64encode(keys.receipt.public_key).decode(),
        "endpoint": installation.hospitals[msp_id].endpoint,
        "tls_root_hash": sha256(keys.authority.root).hexdigest(),
        "badge_commitment": badge.commitment,
    }


def _service_member(custodian: SigningIdentity) -> dict[str, object]:
    """Return the member entry of a custodian: a service, which wears no badge, so its commitment opens to nothing."""
    return {
        "subject": custodian.subject,
        "role": Role.CUSTODIAN.value,
        "key_hash": custodian.key_hash,
        "badge_commitment": sha256(encode({"type": "service"})).hexdigest(),
        "emergency": False,
        "steward": False,
        "functions": [],
        "groups": [],
    }


def _register(sandbox: Sandbox, staffing: Staffing) -> None:
    desk = sandbox.installation.people(unlock_staff(sandbox, staffing.registrar))
    for person in staffing.patients:
        registered = desk.register(person, PIN)
        sandbox.persons[person.name] = registered
        sandbox.cards[person.name] = registered.card_text


def _import(sandbox: Sandbox, staffing: Staffing, today: str) -> None:
    installation = sandbox.installation
    registrar = unlock_staff(sandbox, staffing.registrar)
    client = installation.machine.custodians[staffing.plan.msp_id]
    for person in staffing.patients:
        files: Sequence[ImportFile] = samples_of(person, today)
        outcome = client.import_files(registrar, sandbox.persons[person.name].person_id, files)
        sandbox.imported[person.name] = outcome


def _approve_models(sandbox: Sandbox) -> None:
    """Register the bundled model and have a steward of each hospital approve it."""
    stewards = [name for staffing in STAFF for name, _, steward in staffing.practitioners if steward]
    for model in bundled_models():
        first = unlock_staff(sandbox, stewards[0])
        arguments = {"model_id": model.model_id, "model_hash": model.model_hash}
        Submission(sandbox.installation.ledger, first).send("RegisterModel", arguments)
        for name in stewards:
            vote = {"model_id": model.model_id, "vote": "approve"}
            Submission(sandbox.installation.ledger, unlock_staff(sandbox, name)).send("VoteModel", vote)


def _write_cards(folder: Path, cards: dict[str, str]) -> None:
    write_private(folder / _CARDS, json.dumps(cards, indent=1).encode())
