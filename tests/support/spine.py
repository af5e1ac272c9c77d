"""An embedded ledger with the real contract on which every transaction of the first spine was recorded once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger.certificates import verify_creator
from ledger.contract import canonical
from ledger.contract.caller import Caller
from ledger.embedded import EmbeddedLedger
from ledger.gateway import Commit, CommitError, Signer
from tests.support import contract as arguments
from tests.support.certificates import NOW, Hospital, Person
from tests.support.ledger import ALDER, BIRCH, LEDGER_KEY, Chance, Clock

HOSPITALS = {"Alder": ALDER, "Birch": BIRCH}


def caller(person: Person) -> Caller:
    """Return a person as the contract sees him."""
    hospital: Hospital = HOSPITALS[person.msp_id]
    return verify_creator(person.certificate, hospital.roots, person.msp_id, NOW)


OLGA = ALDER.issue("olga", "operator")
RITA = ALDER.issue("rita", "registrar")
VAULT = ALDER.issue("vault", "custodian")
CAROL = ALDER.issue("carol", "practitioner")
DAN = ALDER.issue("dan", "practitioner")
OSCAR = BIRCH.issue("oscar", "operator")
REMY = BIRCH.issue("remy", "registrar")
STELLA = BIRCH.issue("stella", "practitioner")
ALICE = ALDER.issue("alice", "patient")
BOB = ALDER.issue("bob", "patient")


@dataclass
class Spine:
    """A ledger and what was recorded on it.

    Attributes:
        commits: the commits by transaction name, the last of each.
    """

    ledger: EmbeddedLedger
    commits: dict[str, Commit] = field(default_factory=dict)

    def submit(self, signer: Signer, name: str, given: Mapping[str, object]) -> Commit:
        """Record one transaction in a block of its own."""
        commit = self.ledger.submit(self.ledger.prepare(signer, name, given))
        self.commits[name] = commit
        return commit

    def access(self, signer: Signer, given: Mapping[str, object]) -> str:
        """Open, and return the access id."""
        commit = self.submit(signer, "OpenRecords", given)
        response = canonical.load(commit.response)
        assert response["outcome"] == "permit"
        return commit.transaction_id


def create_real(folder: Path, clock: Clock | None = None) -> EmbeddedLedger:
    """Return a new ledger of two hospitals with the real contract."""
    organizations = {name: hospital.roots for name, hospital in HOSPITALS.items()}
    return EmbeddedLedger.create(folder, organizations, LEDGER_KEY, clock=clock or Clock(), random=Chance())


def enrol_everybody(spine: Spine) -> None:
    """Register two hospitals with their people."""
    spine.submit(OLGA, "RegisterOrganization", arguments.organization("alder"))
    spine.submit(OSCAR, "RegisterOrganization", arguments.organization("birch"))
    for office in (RITA, VAULT):
        spine.submit(OLGA, "EnrolMember", arguments.enrolment(caller(office)))
    spine.submit(OSCAR, "EnrolMember", arguments.enrolment(caller(REMY)))
    for practitioner in (CAROL, DAN):
        spine.submit(RITA, "EnrolMember", arguments.enrolment(caller(practitioner), steward=practitioner is CAROL))
    spine.submit(REMY, "EnrolMember", arguments.enrolment(caller(STELLA), steward=True))


def record_everything(spine: Spine) -> None:
    """Record every transaction of the first spine, and one that was stale."""
    enrol_everybody(spine)
    alice, bob = caller(ALICE), caller(BOB)
    pid = alice.subject
    spine.submit(RITA, "RegisterPatient", arguments.patient(alice, "Alder"))
    spine.submit(VAULT, "RegisterPatient", arguments.patient(bob, "Birch", key_hash="", custody="none"))
    key = {"patient_id": bob.subject, "key_hash": bob.key_hash, "custody": "card"}
    spine.submit(VAULT, "SetPatientKey", key)
    spine.submit(VAULT, "RegisterRecords", arguments.records(pid, "r1", "r2"))
    spine.submit(VAULT, "RegisterRecords", arguments.records(bob.subject, "b1"))
    spine.submit(CAROL, "ProposeConsent", arguments.proposal(pid, "no"))
    spine.submit(ALICE, "RejectConsent", arguments.named(pid, "no"))
    terms = arguments.terms(purposes=["TREAT", "TREATDS"])
    spine.submit(CAROL, "ProposeConsent", arguments.proposal(pid, "yes", terms))
    spine.submit(ALICE, "GrantConsent", arguments.signed(pid, "yes", terms))
    spine.submit(BOB, "GrantConsent", arguments.signed(bob.subject, "birch", arguments.terms()))
    spine.access(STELLA, arguments.opening(bob.subject, "b1"))
    opened = spine.access(CAROL, arguments.opening(pid, "r1"))
    releases = arguments.releases((pid, opened))
    head = {"number": 0, "hash": spine.ledger.network_id}
    spine.submit(VAULT, "RecordReleases", {**releases, "head": head})
    spine.submit(CAROL, "RecordPurge", arguments.purge(pid, [opened]))
    _suggest(spine, pid)
    late = spine.ledger.prepare(CAROL, "OpenRecords", arguments.opening(pid, "r2"))
    spine.submit(ALICE, "RevokeConsent", arguments.named(pid, "yes"))
    with pytest.raises(CommitError, match="stale-read"):
        spine.ledger.submit(late)
    spine.submit(VAULT, "EraseRecord", {"patient_id": pid, "record_id": "r2", "certificate": arguments.digest("c")})
    spine.submit(VAULT, "ErasePatient", {"patient_id": bob.subject, "certificate": arguments.digest("c")})
    spine.submit(RITA, "SuspendMember", {"subject": caller(DAN).subject})
    spine.submit(OLGA, "AnchorLedger", arguments.anchor("older"))


def _suggest(spine: Spine, pid: str) -> None:
    spine.submit(CAROL, "RegisterModel", {"model_id": "m1", "model_hash": arguments.digest("a model")})
    for steward in (CAROL, STELLA):
        spine.submit(steward, "VoteModel", {"model_id": "m1", "vote": "approve"})
    inferred = spine.access(CAROL, arguments.inference(pid, "r1"))
    spine.submit(CAROL, "RecordSuggestion", arguments.suggestion(pid, inferred, "s1"))
    spine.submit(CAROL, "RecordVerdict", arguments.verdict(pid, "s1"))
