"""Votes on models (PROTOCOL.md C2; A21)."""

from typing import Any

import pytest

from tests.support.contract import CAROL, DAN, OLGA, STELLA, digest, enrolment, organization, person
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged

MODEL = {"model_id": "m1", "model_hash": digest("a model")}
APPROVE = {"model_id": "m1", "vote": "approve"}
SUSPEND = {"model_id": "m1", "vote": "suspend"}


@pytest.fixture
def proposed(hospitals: Staged) -> Staged:
    hospitals.submit(CAROL, "RegisterModel", MODEL)
    return hospitals


def registry(ledger: Staged) -> dict[str, Any]:
    return ledger.value("registry")


def status(ledger: Staged) -> object:
    return ledger.value("model", "m1")["status"]


def votes(ledger: Staged) -> list[dict[str, Any]]:
    model: dict[str, Any] = ledger.value("model", "m1")
    return [*model["votes"]]


def test_a_proposed_model_is_not_approved_by_its_proposer(proposed: Staged) -> None:
    assert proposed.value("model", "m1") == {
        "v": 1,
        "model_hash": MODEL["model_hash"],
        "votes": [],
        "status": "proposed",
    }
    assert registry(proposed) == {"v": 1, "epoch": 1, "approved": []}


def test_a_model_is_registered_once(proposed: Staged) -> None:
    with refused("already-exists"):
        proposed.submit(STELLA, "RegisterModel", MODEL)


@pytest.mark.parametrize(
    ("name", "arguments"), [("RegisterModel", {**MODEL, "model_id": "m2"}), ("VoteModel", APPROVE)]
)
def test_only_data_stewards_decide_on_models(proposed: Staged, name: str, arguments: dict[str, object]) -> None:
    with refused("forbidden"):
        proposed.submit(DAN, name, arguments)


def test_an_unknown_model_is_not_voted_on(proposed: Staged) -> None:
    with refused("unknown-model"):
        proposed.submit(CAROL, "VoteModel", {**APPROVE, "model_id": "m9"})


def test_half_of_the_hospitals_are_not_enough(proposed: Staged) -> None:
    proposed.submit(CAROL, "VoteModel", APPROVE)
    assert (status(proposed), registry(proposed)) == ("proposed", {"v": 1, "epoch": 2, "approved": []})


def test_one_hospital_has_one_vote(proposed: Staged) -> None:
    for _ in range(2):
        proposed.submit(CAROL, "VoteModel", APPROVE)
    assert status(proposed) == "proposed"
    assert proposed.value("model", "m1")["votes"] == [
        {"msp_id": "alder", "subject": "carol", "vote": "approve", "at": NOW}
    ]


def test_more_than_half_approve(proposed: Staged) -> None:
    for steward in (STELLA, CAROL):
        proposed.submit(steward, "VoteModel", APPROVE)
    assert (status(proposed), registry(proposed)) == ("approved", {"v": 1, "epoch": 3, "approved": ["m1"]})


def test_one_hospital_suspends_at_once_and_both_must_bring_it_back(lab: Staged) -> None:
    lab.submit(STELLA, "VoteModel", SUSPEND)
    assert (status(lab), registry(lab)) == ("suspended", {"v": 1, "epoch": 4, "approved": []})
    assert [vote["vote"] for vote in votes(lab)] == ["suspend"]
    lab.submit(CAROL, "VoteModel", APPROVE)
    assert status(lab) == "suspended"
    lab.submit(STELLA, "VoteModel", APPROVE)
    assert (status(lab), registry(lab)) == ("approved", {"v": 1, "epoch": 6, "approved": ["m1"]})


def test_two_suspensions_stand_beside_each_other(lab: Staged) -> None:
    for steward in (STELLA, CAROL):
        lab.submit(steward, "VoteModel", SUSPEND)
    assert [vote["msp_id"] for vote in votes(lab)] == ["alder", "birch"]


def test_a_new_hospital_changes_how_many_are_more_than_half(lab: Staged) -> None:
    lab.submit(person("cedar", "otto", "operator"), "RegisterOrganization", organization("cedar"))
    lab.submit(CAROL, "RegisterModel", {**MODEL, "model_id": "m0"})
    lab.submit(CAROL, "VoteModel", {**APPROVE, "model_id": "m0"})
    assert lab.value("model", "m0")["status"] == "proposed"
    lab.submit(STELLA, "VoteModel", {**APPROVE, "model_id": "m0"})
    assert registry(lab)["approved"] == ["m0", "m1"]


def test_an_operator_is_no_steward(proposed: Staged) -> None:
    with refused("malformed"):
        proposed.submit(OLGA, "EnrolMember", enrolment(person("alder", "x", "operator"), steward=True))
