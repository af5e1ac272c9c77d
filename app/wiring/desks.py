"""What a person works with once signed in: the services of the role, made for this identity and this machine."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

from app.identity.profiles import Profile
from app.identity.signing import SigningIdentity
from app.services import pairs
from app.services.accesses import Accesses
from app.services.consents import ConsentRow, Consents
from app.services.drafts import Drafts
from app.services.inbox import Inbox
from app.services.machine import Machine
from app.services.narrowing import start_narrowing
from app.services.notebook import Notebook
from app.services.openings import Ending, Openings
from app.services.own_records import OwnRecords
from app.services.pairs import Unlocked
from app.services.patients import Patients
from app.services.people import People
from app.services.questions import OwnQuestions, Questions
from app.services.requests import Requests
from app.services.suggestions import Suggestions
from app.services.turn import Turn
from app.services.worklist import Worklist
from app.wiring.installation import Installation


def zone_text(seconds: int) -> str:
    """Return an offset as FHIR writes it, ``+02:00``."""
    sign, minutes = ("-" if seconds < 0 else "+"), abs(seconds) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


@dataclass
class StaffDesk:
    """A signed-in member of staff.

    Attributes:
        installation: this machine's.
        profile: the person.
        identity: unlocked; ``lock`` wipes it.
    """

    installation: Installation
    profile: Profile
    identity: SigningIdentity

    @property
    def machine(self) -> Machine:
        """What services work with."""
        return self.installation.machine

    @cached_property
    def notebook(self) -> Notebook:
        """His notes."""
        return self.installation.notebook(self.identity)

    @cached_property
    def drafts(self) -> Drafts:
        """His requests that were begun and not sent (practitioner)."""
        return self.installation.drafts(self.identity)

    @cached_property
    def patients(self) -> Patients:
        """Whom he knows (practitioner)."""
        return Patients(self.machine, self.identity, self.identity.subject, self.notebook, self.drafts)

    @cached_property
    def requests(self) -> Requests:
        """What he asked for (practitioner)."""
        zone = self.installation.zone(self.profile.msp_id)
        return Requests(self.patients, self.profile.name, zone_text(zone))

    @cached_property
    def openings(self) -> Openings:
        """How he opens records (practitioner)."""
        return Openings(self.machine, self.identity, self.identity.subject, self.notebook.read().badge)

    @cached_property
    def worklist(self) -> Worklist:
        """His worklist (practitioner)."""
        return Worklist(self.patients, self.requests, self.openings)

    @cached_property
    def suggestions(self) -> Suggestions:
        """His suggestions (practitioner)."""
        return Suggestions(self.patients, self.openings, self.reauthenticate)

    @cached_property
    def people(self) -> People:
        """The hospital's people (registrar, operator)."""
        return self.installation.people(self.identity)

    @cached_property
    def questions(self) -> Questions:
        """What the hospital's patients asked (privacy officer)."""
        return Questions(self.machine, self.identity)

    def reauthenticate(self, pin: str) -> None:
        """Have the PIN checked again, before something is signed (feature O4).

        Raises:
            ProfileError: not his PIN.
        """
        self.installation.profiles.unlock(self.profile.profile_id, pin, self.installation.master).lock()

    @property
    def open_count(self) -> int:
        """How many records are open now."""
        return self.openings.count if self.profile.role == "practitioner" else 0

    def lock(self) -> None:
        """Close what is open, write what was begun, then wipe the key, whatever ledger and disk answer."""
        with ExitStack() as last_first:
            last_first.callback(self.identity.lock)
            if self.profile.role == "practitioner":
                last_first.callback(self.drafts.flush)
                self.openings.close_all(Ending.LOCKED)


@dataclass
class PatientDesk:
    """A signed-in patient.

    Attributes:
        installation: this machine's.
        unlocked: her keys.
        language: hers.
        zone: her hospital's fixed offset.
    """

    installation: Installation
    unlocked: Unlocked
    language: str
    zone: str

    @property
    def machine(self) -> Machine:
        """What services work with."""
        return self.installation.machine

    @cached_property
    def inbox(self) -> Inbox:
        """What she still has to decide."""
        return Inbox(self.machine, self.unlocked, self.zone)

    @cached_property
    def consents(self) -> Consents:
        """What she allowed and refused."""
        return Consents(self.machine, self.unlocked.card, self.unlocked.pairs, self.language, self.zone)

    @cached_property
    def questions(self) -> OwnQuestions:
        """What she asked about accesses."""
        return OwnQuestions(self.unlocked.pairs)

    def narrow(self, row: ConsentRow) -> Turn:
        """Begin to make a consent of hers smaller; see ``start_narrowing``."""
        return start_narrowing(self.machine, self.unlocked, row, zone=self.zone)

    @cached_property
    def accesses(self) -> Accesses:
        """Who saw what."""
        return Accesses(self.machine, self.unlocked.pairs)

    @cached_property
    def records(self) -> OwnRecords:
        """Her own records."""
        openings = {
            pair.patient_id: Openings(self.machine, pair.identity, pair.patient_id, None)
            for pair in self.unlocked.pairs
        }
        return OwnRecords(self.machine, self.unlocked.pairs, openings)

    @property
    def open_count(self) -> int:
        """How many of her own records are open now."""
        return sum(openings.count for openings in self.records.openings.values())

    def lock(self) -> None:
        """Close what is open, then wipe the keys, whatever the ledger answers."""
        try:
            for openings in self.records.openings.values():
                openings.close_all(Ending.LOCKED)
        finally:
            self.unlocked.lock()


def sign_in(installation: Installation, profile: Profile, pin: str) -> StaffDesk:
    """Sign a member of staff in.

    Raises:
        ProfileError: wrong PIN, or locked.
    """
    identity = installation.profiles.unlock(profile.profile_id, pin, installation.master)
    return StaffDesk(installation, profile, identity)


def sign_in_patient(installation: Installation, card_text: str, pin: str) -> PatientDesk:
    """Sign a patient in, with her card.

    Raises:
        WrongCardError, WrongPinError: as they say.
    """
    unlocked = pairs.unlock(installation.machine, card_text, pin)
    zone = installation.zone(unlocked.card.msp_id)
    return PatientDesk(installation, unlocked, unlocked.person.language, zone_text(zone))


Desk = StaffDesk | PatientDesk
