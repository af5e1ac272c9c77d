"""Patient ids and their keys (PROTOCOL.md B4, B5; A4)."""

import pytest

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALICE,
    BIRCH_VAULT,
    CAROL,
    MALLORY,
    PETRA,
    REMY,
    RITA,
    VAULT,
    appoint,
    digest,
    opening,
    other_key,
    patient,
    person,
    signed,
)
from tests.support.refusals import refused
from tests.support.staged import Staged

CORA = person("alder", "cora", "patient")
CLAIM = {"patient_id": "cora", "key_hash": CORA.key_hash, "custody": "card"}


@pytest.fixture
def unclaimed(ledger: Staged) -> Staged:
    """Cora was registered unconscious: there is no key."""
    ledger.submit(RITA, "RegisterPatient", patient(CORA, "birch", key_hash="", custody="none"))
    return ledger


def test_a_new_patient_id_has_its_hospitals_key_and_an_empty_policy(ledger: Staged) -> None:
    assert ledger.value("patient", "bob") == {
        "v": 1,
        "custodian": "alder",
        "grantee": "birch",
        "key_hash": person("alder", "bob", "patient").key_hash,
        "custody": "card",
        "status": "active",
        "frozen_by": "",
    }
    assert ledger.value("policy", "bob") == {"v": 1, "version": 0, "ended": False, "consents": []}


def test_a_patient_id_is_registered_once_whoever_tries(ledger: Staged) -> None:
    with refused("already-exists"):
        ledger.submit(REMY, "RegisterPatient", patient(ALICE, "birch"))


def test_the_grantee_must_be_on_the_ledger(ledger: Staged) -> None:
    with refused("unknown-organization"):
        ledger.submit(RITA, "RegisterPatient", patient(CORA, "cedar"))


@pytest.mark.parametrize("caller", [RITA, VAULT], ids=lambda caller: caller.role)
def test_an_office_sets_the_first_key(unclaimed: Staged, caller: Caller) -> None:
    unclaimed.submit(caller, "SetPatientKey", CLAIM)
    unclaimed.submit(CORA, "GrantConsent", signed("cora", "c1"))
    assert unclaimed.value("patient", "cora")["custody"] == "card"


@pytest.mark.parametrize("caller", [RITA, VAULT], ids=lambda caller: caller.role)
def test_no_office_replaces_a_key(ledger: Staged, caller: Caller) -> None:
    with refused("forbidden"):
        ledger.submit(caller, "SetPatientKey", {"patient_id": "alice", "key_hash": digest("office"), "custody": "card"})


@pytest.mark.parametrize("caller", [REMY, BIRCH_VAULT], ids=lambda caller: caller.role)
def test_the_grantees_offices_claim_nothing(unclaimed: Staged, caller: Caller) -> None:
    with refused("wrong-organization"):
        unclaimed.submit(caller, "SetPatientKey", CLAIM)


def test_without_a_key_nobody_is_the_patient(unclaimed: Staged) -> None:
    with refused("wrong-key"):
        unclaimed.submit(CORA, "GrantConsent", signed("cora", "c1"))


def test_the_old_key_names_the_new_one(ledger: Staged) -> None:
    renewed = other_key(ALICE)
    ledger.submit(ALICE, "SetPatientKey", {"patient_id": "alice", "key_hash": renewed.key_hash, "custody": "device"})
    with refused("wrong-key"):
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    ledger.submit(renewed, "GrantConsent", signed("alice", "c1"))
    assert ledger.value("patient", "alice")["custody"] == "device"


def test_a_proxy_changes_no_key(ledger: Staged) -> None:
    appoint(ledger, PETRA, "alice", until=ledger.now + 1)
    with refused("forbidden"):
        ledger.submit(PETRA, "SetPatientKey", {"patient_id": "alice", "key_hash": digest("x"), "custody": "card"})


def test_an_erased_patient_id_has_no_consent_left(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    ledger.submit(VAULT, "ErasePatient", {"patient_id": "alice", "certificate": digest("gone")})
    assert ledger.value("patient", "alice")["status"] == "erased"
    assert ledger.value("policy", "alice") == {"v": 1, "version": 2, "ended": True, "consents": []}
    with refused("illegal-transition"):
        ledger.submit(CAROL, "OpenRecords", opening("alice", "r1"))


def test_an_erased_patient_id_is_not_registered_again(ledger: Staged) -> None:
    ledger.submit(VAULT, "ErasePatient", {"patient_id": "alice", "certificate": digest("gone")})
    with refused("already-exists"):
        ledger.submit(RITA, "RegisterPatient", patient(ALICE, "alder"))


def test_the_grantees_practitioner_registers_nobody(ledger: Staged) -> None:
    with refused("wrong-role"):
        ledger.submit(MALLORY, "RegisterPatient", patient(person("birch", "carla", "patient"), "birch"))
