"""Organizations and their people (PROTOCOL.md B3, B6)."""

import pytest

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALICE,
    CAROL,
    DAN,
    OLGA,
    OSCAR,
    PETRA,
    PIA,
    REMY,
    RITA,
    VAULT,
    enrolment,
    opening,
    organization,
    person,
    signed,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged


def test_the_first_operator_puts_his_hospital_on_the_ledger() -> None:
    ledger = Staged()
    ledger.submit(OSCAR, "RegisterOrganization", organization("birch"))
    ledger.submit(OLGA, "RegisterOrganization", organization("alder"))
    assert ledger.value("network")["organizations"] == ["alder", "birch"]
    hospital = ledger.value("organization", "alder")
    assert (hospital["groups"], hospital["since"]) == ([], NOW)
    member = ledger.value("member", "alder", "olga")
    assert (member["role"], member["key_hash"], member["status"]) == ("operator", OLGA.key_hash, "active")


def test_an_organization_is_registered_once(hospitals: Staged) -> None:
    with refused("already-exists"):
        hospitals.submit(person("alder", "second", "operator"), "RegisterOrganization", organization("alder"))


def test_whoever_is_enrolled_registers_no_organization(hospitals: Staged) -> None:
    del hospitals.committed["organization", "alder"]
    with refused("already-exists"):
        hospitals.submit(OLGA, "RegisterOrganization", organization("alder"))


@pytest.mark.parametrize("role", ["registrar", "practitioner", "patient"])
def test_only_an_operator_registers_an_organization(role: str) -> None:
    with refused("wrong-role"):
        Staged().submit(person("cedar", "otto", role), "RegisterOrganization", organization("cedar"))


@pytest.mark.parametrize("role", ["operator", "registrar", "privacy-officer", "custodian"])
def test_offices_are_enrolled_by_the_operator(hospitals: Staged, role: str) -> None:
    new = person("alder", "nina", role)
    with refused("wrong-role"):
        hospitals.submit(RITA, "EnrolMember", enrolment(new))
    hospitals.submit(OLGA, "EnrolMember", enrolment(new))
    assert hospitals.value("member", "alder", "nina")["role"] == role


@pytest.mark.parametrize("role", ["practitioner", "proxy"])
def test_practitioners_and_proxies_are_enrolled_by_a_registrar(hospitals: Staged, role: str) -> None:
    new = person("alder", "nina", role)
    with refused("wrong-role"):
        hospitals.submit(OLGA, "EnrolMember", enrolment(new))
    hospitals.submit(RITA, "EnrolMember", enrolment(new))
    assert hospitals.value("member", "alder", "nina")["role"] == role


def test_a_patient_is_no_member(hospitals: Staged) -> None:
    with refused("malformed"):
        hospitals.submit(RITA, "EnrolMember", enrolment(ALICE))


def test_nobody_enrols_himself(hospitals: Staged) -> None:
    with refused("same-person"):
        hospitals.submit(OLGA, "EnrolMember", enrolment(OLGA))


def test_a_subject_is_enrolled_once(hospitals: Staged) -> None:
    with refused("already-exists"):
        hospitals.submit(RITA, "EnrolMember", enrolment(CAROL))


@pytest.mark.parametrize("flag", ["emergency", "steward"])
def test_only_practitioners_are_stewards_or_declare_emergencies(hospitals: Staged, flag: str) -> None:
    with refused("malformed"):
        hospitals.submit(OLGA, "EnrolMember", enrolment(person("alder", "nina", "registrar"), **{flag: True}))


@pytest.mark.parametrize("groups", [["b", "a"], ["a", "a"], [f"g{number:02}" for number in range(17)], [1], [""]])
def test_groups_are_sorted_unique_and_at_most_sixteen(hospitals: Staged, groups: list[object]) -> None:
    with refused("malformed"):
        hospitals.submit(RITA, "EnrolMember", enrolment(person("alder", "nina", "practitioner"), groups=groups))


@pytest.mark.parametrize("office", [OLGA, RITA, PIA, CAROL], ids=lambda caller: caller.role)
def test_offices_and_the_member_himself_suspend(ledger: Staged, office: Caller) -> None:
    ledger.submit(office, "SuspendMember", {"subject": "carol"})
    member = ledger.value("member", "alder", "carol")
    assert member["status"] == "suspended"
    history = member["history"]
    assert isinstance(history, list)
    assert [line["status"] for line in history if isinstance(line, dict)] == ["active", "suspended"]
    with refused("suspended"):
        ledger.submit(CAROL, "OpenRecords", opening("alice", "r1"))


def test_only_members_of_the_own_hospital_are_suspended(ledger: Staged) -> None:
    with refused("unknown-member"):
        ledger.submit(REMY, "SuspendMember", {"subject": "carol"})


@pytest.mark.parametrize("caller", [DAN, VAULT, PETRA], ids=lambda caller: caller.subject)
def test_colleagues_do_not_suspend_each_other(ledger: Staged, caller: Caller) -> None:
    with refused("wrong-role"):
        ledger.submit(caller, "SuspendMember", {"subject": "carol"})


def test_a_suspended_member_is_not_suspended_again(ledger: Staged) -> None:
    ledger.submit(PIA, "SuspendMember", {"subject": "dan"})
    with refused("illegal-transition"):
        ledger.submit(PIA, "SuspendMember", {"subject": "dan"})


def test_a_suspension_makes_accesses_in_flight_invalid(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    access = ledger.endorse(CAROL, "OpenRecords", opening("alice", "r1"))
    suspension = ledger.endorse(PIA, "SuspendMember", {"subject": "carol"})
    assert ledger.commit([suspension, access]) == [True, False]


def test_the_history_of_a_member_keeps_the_newest_sixteen_lines(ledger: Staged) -> None:
    member = ledger.value("member", "alder", "dan")
    lines = member["history"]
    assert isinstance(lines, list)
    ledger.change(("member", "alder", "dan"), history=lines * 16)
    ledger.submit(PIA, "SuspendMember", {"subject": "dan"})
    history = ledger.value("member", "alder", "dan")["history"]
    assert isinstance(history, list)
    assert len(history) == 16
