"""The registrar's desk: enrol staff, register patients, print cards, reset PINs, suspend, make introduction codes."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.client import CustodianClient
from app.custodian.messages import SERVICE_CODES, CustodianRefusal
from app.custodian.results import Erasure, IntroductionCode, Person, PersonRow, RegisteredPerson
from app.identity.badges import Badge, BadgeOpening
from app.identity.certificates import HospitalAuthority, Role, new_subject
from app.identity.pins import check_passphrase
from app.identity.profiles import Profile
from app.identity.signing import SigningIdentity
from app.services.machine import Machine
from app.services.submission import Submission
from ledger.gateway import Commit, Signer
from ledger.signatures import spki

KeepProfile = Callable[[Profile, ec.EllipticCurvePrivateKey, str, BadgeOpening], SigningIdentity]
"""Keeps a new person's key and badge on this machine, under his passphrase."""


@dataclass(frozen=True, slots=True)
class NewMember:
    """Somebody to be enrolled.

    Attributes:
        name: as on the badge.
        role: of the certificate.
        qualification: "consultant radiologist".
        department: "Radiology".
        steward: a data steward, who votes on models.
        emergency: may declare an emergency.
    """

    name: str
    role: Role
    qualification: str = ""
    department: str = ""
    steward: bool = False
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of staff.

    Attributes:
        subject: on the ledger.
        name: on the badge, as far as this machine knows.
        role: of the entry.
        status: ``active`` or ``suspended``.
        steward: a data steward.
    """

    subject: str
    name: str
    role: str
    status: str
    steward: bool


@dataclass(frozen=True, slots=True)
class People:
    """One registrar's (or operator's) work on people.

    Attributes:
        machine: this installation.
        signer: the registrar.
        client: the own hospital's custodian.
        authority: issues staff certificates.
        keep_profile: see ``KeepProfile``.
        names: names of this machine's people by subject.
    """

    machine: Machine
    signer: Signer
    client: CustodianClient
    authority: HospitalAuthority
    keep_profile: KeepProfile
    names: Callable[[], dict[str, str]]

    def members(self) -> tuple[MemberRow, ...]:
        """Return the own hospital's members, by name."""
        self.machine.catch_up()
        names = self.names()
        rows = [
            MemberRow(
                key[2], names.get(key[2], ""), str(value["role"]), str(value["status"]), steward=bool(value["steward"])
            )
            for key, value in self.machine.scan("member", self.signer.msp_id)
            if value["role"] != "custodian"
        ]
        return tuple(sorted(rows, key=lambda row: (row.name, row.subject)))

    def enrol(self, member: NewMember, passphrase: str) -> Profile:
        """Make a key, a certificate and a badge for somebody who is present, and enrol the person on the ledger.

        Raises:
            EndorseError: for example ``wrong-role`` (operators enrol offices, registrars enrol practitioners).
            WeakPinError: the passphrase is too short.
        """
        check_passphrase(passphrase)  # before anything is recorded: nobody could use the entry
        key, subject = ec.generate_private_key(ec.SECP256R1()), new_subject(self.machine.random)
        certificate = self.authority.issue(
            spki(key.public_key()), subject, member.role, self.machine.clock(), self.machine.random
        )
        identity = SigningIdentity(self.signer.msp_id, certificate, key)
        badge = BadgeOpening.create(
            Badge(member.name, member.qualification, member.department, self.signer.msp_id, subject),
            self.machine.random,
        )
        hospital = self.machine.hospitals[self.signer.msp_id]
        profile = Profile(member.name, member.role.value, hospital, self.signer.msp_id, subject, certificate)
        arguments: dict[str, object] = {
            "subject": subject,
            "role": member.role.value,
            "key_hash": identity.key_hash,
            "badge_commitment": badge.commitment,
            "emergency": member.emergency,
            "steward": member.steward,
            "functions": [],
            "groups": [],
        }
        Submission(self.machine.gateway, self.signer).send("EnrolMember", arguments)
        self.keep_profile(profile, key, passphrase, badge)
        for client in list(self.machine.custodians.values()):
            self._send_badge(client, subject, badge)
        return profile

    def _send_badge(self, client: CustodianClient, subject: str, badge: BadgeOpening) -> None:
        """Leave a badge with a custodian, so that its patients can be told who he is.

        Another hospital's may be locked or away: it gets the badge when its bearer first comes to it.
        """
        try:
            client.store_badge(self.signer, self.signer.msp_id, subject, badge)
        except CustodianRefusal as refusal:
            if client.custodian_msp == self.signer.msp_id or refusal.code not in SERVICE_CODES:
                raise

    def suspend(self, subject: str) -> Commit:
        """Suspend a member at once, for example because a device was lost; what is open there closes."""
        return Submission(self.machine.gateway, self.signer).send("SuspendMember", {"subject": subject})

    def persons(self) -> tuple[PersonRow, ...]:
        """Return the hospital's registered patients, by name."""
        return tuple(sorted(self.client.people(self.signer), key=lambda row: (row.person.name, row.person_id)))

    def register(self, person: Person, pin: str) -> RegisteredPerson:
        """Register a patient who is present and chooses her PIN; the card's text is to be printed at once."""
        return self.client.register_person(self.signer, person, pin)

    def reset_pin(self, person_id: str, pin: str) -> None:
        """Give a card a new PIN; the patient is present with her card."""
        self.client.reset_pin(self.signer, person_id, pin)

    def erase(self, person_id: str) -> Erasure:
        """Destroy everything that opens a patient's records or links to her, and post it (feature R4)."""
        return self.client.erase_person(self.signer, person_id)

    def make_code(self, patient_id: str) -> IntroductionCode:
        """Make a one-use introduction code for a patient at the desk."""
        return self.client.make_code(self.signer, patient_id)
