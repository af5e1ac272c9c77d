"""What may stand in one block without a conflict (A35)."""

import pytest

from tests.support.contract import (
    ALICE,
    CAROL,
    DAN,
    PIA,
    RITA,
    VAULT,
    enrolment,
    named,
    opening,
    patient,
    person,
    records,
    signed,
)
from tests.support.staged import Staged


@pytest.fixture
def consented(ledger: Staged) -> Staged:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    return ledger


def test_two_hundred_accesses_of_one_patient_in_one_block_are_all_valid(consented: Staged) -> None:
    callers = (CAROL, DAN)
    accesses = [
        consented.endorse(callers[number % 2], "OpenRecords", opening("alice", "r1", "r2")) for number in range(200)
    ]
    assert consented.commit(accesses) == [True] * 200
    assert len([key for key in consented.committed if key[0] == "access"]) == 200


def test_bulk_registration_in_one_block_is_all_valid(ledger: Staged) -> None:
    people = [person("alder", f"patient-{number}", "patient") for number in range(50)]
    block = [ledger.endorse(RITA, "RegisterPatient", patient(each, "alder")) for each in people]
    block += [ledger.endorse(VAULT, "RegisterRecords", records("alice", f"n{number}")) for number in range(50)]
    block += [
        ledger.endorse(RITA, "EnrolMember", enrolment(person("alder", f"nurse-{number}", "practitioner")))
        for number in range(50)
    ]
    assert ledger.commit(block) == [True] * 150


def test_a_revocation_in_the_same_block_stops_the_accesses_after_it(consented: Staged) -> None:
    before = consented.endorse(CAROL, "OpenRecords", opening("alice", "r1"))
    revocation = consented.endorse(ALICE, "RevokeConsent", named("alice", "c1"))
    after = consented.endorse(DAN, "OpenRecords", opening("alice", "r1"))
    assert consented.commit([before, revocation, after]) == [True, True, False]


def test_a_grant_to_one_patient_id_does_not_disturb_another(consented: Staged) -> None:
    access = consented.endorse(CAROL, "OpenRecords", opening("alice", "r1"))
    grant = consented.endorse(person("alder", "bob", "patient"), "GrantConsent", signed("bob", "c1"))
    assert consented.commit([grant, access]) == [True, True]


def test_one_members_suspension_does_not_disturb_a_colleague(consented: Staged) -> None:
    access = consented.endorse(DAN, "OpenRecords", opening("alice", "r1"))
    suspension = consented.endorse(PIA, "SuspendMember", {"subject": "carol"})
    assert consented.commit([suspension, access]) == [True, True]
