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
from ledger.gateway import Commit, CommitError, EndorseError, Signer
from ledger.signatures import spki

KeepProfile = Callable[[Profile, ec.EllipticCurvePrivateKey, str, BadgeOpening], SigningIdentity]
"""Keeps a new person's key and badge on this machine, under his passphrase."""
ForgetProfile = Callable[[Profile], None]
"""Removes both."""


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
class Enrolment:
    """Somebody whose key is kept on this machine and whose entry is on its way.

    Attributes:
        profile: of the new person.
        badge: its opening, which goes to the custodians once the entry is there.
        arguments: of ``EnrolMember``.
    """

    profile: Profile
    badge: BadgeOpening
    arguments: dict[str, object]


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
        forget_profile: see ``ForgetProfile``.
        names: names of this machine's people by subject.
    """

    machine: Machine
    signer: Signer
    client: CustodianClient
    authority: HospitalAuthority
    keep_profile: KeepProfile
    forget_profile: ForgetProfile
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
            WeakPinError: the passphrase is too short.
            EndorseError, CommitError, UnsettledError: see ``record``.
        """
        return self.record(self.begin(member, passphrase))

    def begin(self, member: NewMember, passphrase: str) -> Enrolment:
        """Make key, certificate and badge, and keep them: an entry whose key is nowhere would be a member for ever.

        Raises:
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
        self.keep_profile(profile, key, passphrase, badge)
        return Enrolment(profile, badge, arguments)

    def record(self, enrolment: Enrolment) -> Profile:
        """Record an enrolment that was begun; when it is refused, nothing of it stays.

        Raises:
            EndorseError: for example ``wrong-role`` (operators enrol offices, registrars enrol practitioners).
            CommitError: recorded as invalid, something changed at the same time.
            UnsettledError: unknown; settle it, then ``publish`` or ``withdraw``.
        """
        try:
            self.machine.submission(self.signer).send("EnrolMember", enrolment.arguments)
        except (EndorseError, CommitError):
            self.withdraw(enrolment)
            raise
        return self.publish(enrolment)

    def publish(self, enrolment: Enrolment) -> Profile:
        """Tell the custodians who an enrolled member is, so that patients read a name."""
        for client in list(self.machine.custodians.values()):
            self._send_badge(client, enrolment.profile.subject, enrolment.badge)
        return enrolment.profile

    def withdraw(self, enrolment: Enrolment) -> None:
        """Forget somebody whose entry was not recorded."""
        self.forget_profile(enrolment.profile)

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
        """Suspend a member at once, for example because a device was lost; what is open there closes.

        Raises:
            EndorseError, CommitError: nothing changed.
            UnsettledError: unknown; it is sent again by itself until it is recorded.
        """
        return self.machine.submission(self.signer).send("SuspendMember", {"subject": subject})

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
