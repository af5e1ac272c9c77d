"""Registering and erasing records (PROTOCOL.md C1, C2; A16)."""

import pytest

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALICE,
    CAROL,
    REMY,
    RITA,
    VAULT,
    description,
    digest,
    opened,
    opening,
    record,
    records,
    signed,
    tag,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged

GONE = {"patient_id": "alice", "record_id": "r1", "certificate": digest("gone")}


def test_a_record_is_a_commitment_and_tags(ledger: Staged) -> None:
    assert ledger.value("record", "alice", "r1") == {
        "v": 1,
        "version": 1,
        "commitment": digest("manifest of r1"),
        "description": description(),
        "status": "active",
        "since": NOW,
        "history": [],
    }


def test_a_record_is_registered_once(ledger: Staged) -> None:
    with refused("already-exists"):
        ledger.submit(VAULT, "RegisterRecords", records("alice", "r3", "r2"))
    assert ("record", "alice", "r3") not in ledger.committed


def test_the_same_record_id_of_another_patient_is_another_record(ledger: Staged) -> None:
    assert ("record", "alice", "r1") in ledger.committed
    assert ("record", "bob", "r1") in ledger.committed


@pytest.mark.parametrize("caller", [RITA, REMY, CAROL], ids=lambda caller: caller.subject)
def test_only_the_custodian_registers_records(ledger: Staged, caller: Caller) -> None:
    with refused("wrong-role"):
        ledger.submit(caller, "RegisterRecords", records("alice", "r3"))


def test_a_record_twice_in_one_call_is_malformed(ledger: Staged) -> None:
    with refused("malformed"):
        ledger.submit(VAULT, "RegisterRecords", records("alice", "r3", "r3"))


@pytest.mark.parametrize("count", [0, 51])
def test_one_call_registers_one_to_fifty_records(ledger: Staged, count: int) -> None:
    with refused("malformed"):
        ledger.submit(VAULT, "RegisterRecords", records("alice", *(f"n{number}" for number in range(count))))


def test_fifty_records_fit_into_one_call(ledger: Staged) -> None:
    ledger.submit(VAULT, "RegisterRecords", records("alice", *(f"n{number}" for number in range(50))))
    assert len([key for key in ledger.committed if key[:2] == ("record", "alice")]) == 52


@pytest.mark.parametrize(
    "changed",
    [
        {"dates": []},
        {"dates": [[]]},
        {"level": ""},
        {"level": "N"},
        {"sensitivities": ["PSY"]},
        {"sensitivities": [tag("sensitivity", "PSY")] * 2},
        {"classes": None},
        {"name": "Alma Fictive"},
    ],
    ids=repr,
)
def test_a_description_is_tags_in_their_form_and_nothing_else(ledger: Staged, changed: dict[str, object]) -> None:
    with refused("malformed"):
        ledger.submit(VAULT, "RegisterRecords", records("alice", "r3", description={**description(), **changed}))


@pytest.mark.parametrize("changed", [{"commitment": "short"}, {"file": "ct.dcm"}, {"record_id": "a/b"}], ids=repr)
def test_a_record_is_registered_with_nothing_else(ledger: Staged, changed: dict[str, object]) -> None:
    with refused("malformed"):
        ledger.submit(VAULT, "RegisterRecords", {"patient_id": "alice", "records": [{**record("r3"), **changed}]})


def test_an_erased_record_opens_for_nobody_and_the_entry_says_so(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    ledger.now += 10
    ledger.submit(VAULT, "EraseRecord", GONE)
    erased = ledger.value("record", "alice", "r1")
    assert (erased["status"], erased["since"]) == ("erased", NOW + 10)
    assert erased["history"] == [{"description": description(), "since": NOW}]
    assert opened(ledger, CAROL, opening("alice", "r1")).reasons == ("RECORD_ERASED",)


def test_a_record_is_erased_once(ledger: Staged) -> None:
    ledger.submit(VAULT, "EraseRecord", GONE)
    with refused("illegal-transition"):
        ledger.submit(VAULT, "EraseRecord", GONE)


def test_an_unknown_record_is_not_erased(ledger: Staged) -> None:
    with refused("unknown-record"):
        ledger.submit(VAULT, "EraseRecord", {**GONE, "record_id": "r7"})


def test_an_erasure_makes_accesses_in_flight_invalid(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    access = ledger.endorse(CAROL, "OpenRecords", opening("alice", "r1"))
    erasure = ledger.endorse(VAULT, "EraseRecord", GONE)
    assert ledger.commit([erasure, access]) == [True, False]
