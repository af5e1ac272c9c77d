"""Suggestions and verdicts (PROTOCOL.md C2; A21)."""

from typing import Any

import pytest

from tests.support.contract import (
    ALICE,
    CAROL,
    DAN,
    MALLORY,
    RITA,
    STELLA,
    digest,
    enrolment,
    inference,
    opened,
    opening,
    person,
    signed,
    suggestion,
    terms,
    verdict,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged

ERIN = person("alder", "erin", "practitioner")


@pytest.fixture
def consented(lab: Staged) -> Staged:
    """Alice allows treatment and inference."""
    lab.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(purposes=["TREAT", "TREATDS"])))
    lab.submit(RITA, "EnrolMember", enrolment(ERIN))
    return lab


@pytest.fixture
def running(consented: Staged) -> str:
    """Carol's access for a model."""
    return opened(consented, CAROL, inference("alice", "r1")).access_id


def kept(ledger: Staged) -> dict[str, Any]:
    return ledger.value("suggestion", "alice", "s1")


def test_a_suggestion_is_a_commitment_and_an_outcome(consented: Staged, running: str) -> None:
    consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))
    assert kept(consented) == {
        "v": 1,
        "access_id": running,
        "by": {"msp_id": "alder", "subject": "carol"},
        "registry_epoch": 3,
        "outcome": "certain",
        "commitment": digest("what s1 says"),
        "status": "open",
        "verdicts": [],
    }


def test_a_suggestion_is_recorded_once(consented: Staged, running: str) -> None:
    consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))
    with refused("already-exists"):
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))


def test_without_an_access_there_is_no_suggestion(consented: Staged) -> None:
    with refused("unknown-access"):
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", digest("none"), "s1"))


def test_another_persons_access_is_not_enough(consented: Staged, running: str) -> None:
    with refused("forbidden"):
        consented.submit(DAN, "RecordSuggestion", suggestion("alice", running, "s1"))


def test_the_same_subject_at_another_hospital_is_another_person(consented: Staged, running: str) -> None:
    access = consented.value("access", "alice", running)
    consented.put(
        ("access", "alice", running), {**access, "by": {"msp_id": "birch", "subject": "carol", "key_hash": ""}}
    )
    with refused("forbidden"):
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))


def test_reading_is_not_inference(consented: Staged) -> None:
    reading = opened(consented, CAROL, opening("alice", "r1")).access_id
    with refused("forbidden"):
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", reading, "s1"))


def test_a_denied_access_permits_no_inference(lab: Staged) -> None:
    denied = opened(lab, CAROL, inference("alice", "r1")).access_id
    with refused("forbidden"):
        lab.submit(CAROL, "RecordSuggestion", suggestion("alice", denied, "s1"))


@pytest.mark.parametrize(("after", "is_over"), [(8 * 3600 - 1, False), (8 * 3600, True)])
def test_the_access_must_still_run(consented: Staged, running: str, after: int, *, is_over: bool) -> None:
    consented.now = NOW + after
    if is_over:
        with refused("expired"):
            consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))
    else:
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))
        assert kept(consented)["status"] == "open"


def test_a_suspended_model_suggests_nothing(consented: Staged, running: str) -> None:
    consented.submit(STELLA, "VoteModel", {"model_id": "m1", "vote": "suspend"})
    for epoch in (3, 4):
        with refused("not-approved"):
            consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1", registry_epoch=epoch))


def test_an_old_epoch_is_refused_while_a_model_is_approved(consented: Staged, running: str) -> None:
    with refused("not-approved"):
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1", registry_epoch=2))


def test_without_a_registry_nothing_is_approved(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(purposes=["TREATDS"])))
    access = opened(ledger, CAROL, inference("alice", "r1")).access_id
    with refused("not-approved"):
        ledger.submit(CAROL, "RecordSuggestion", suggestion("alice", access, "s1", registry_epoch=0))


class TestVerdicts:
    """Appended by practitioners of the grantee; the newest counts."""

    @pytest.fixture
    def certain(self, consented: Staged, running: str) -> Staged:
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1"))
        return consented

    @pytest.fixture
    def uncertain(self, consented: Staged, running: str) -> Staged:
        consented.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1", outcome="uncertain"))
        return consented

    def test_a_verdict_answers_a_certain_suggestion(self, certain: Staged) -> None:
        certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1"))
        assert kept(certain)["status"] == "answered"
        assert kept(certain)["verdicts"] == [
            {
                "number": 1,
                "by": {"msp_id": "alder", "subject": "carol"},
                "verdict": "accept",
                "reason_code": "",
                "commitment": digest("verdict 1 on s1"),
                "at": NOW,
            }
        ]

    def test_a_verdict_is_added_and_none_is_changed(self, certain: Staged) -> None:
        certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1"))
        with refused("illegal-transition"):
            certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", 1, verdict="override", reason_code="quality"))
        certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", 2, verdict="override", reason_code="quality"))
        assert [each["verdict"] for each in kept(certain)["verdicts"]] == ["accept", "override"]
        with refused("illegal-transition"):
            certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", 4))

    def test_an_override_has_a_reason(self, certain: Staged) -> None:
        with refused("malformed"):
            certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", verdict="override"))

    def test_uncertain_stays_open_until_a_second_reader_answers(self, uncertain: Staged) -> None:
        uncertain.submit(CAROL, "RecordVerdict", verdict("alice", "s1"))
        assert kept(uncertain)["status"] == "open"
        with refused("same-person"):
            uncertain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", 2))
        uncertain.submit(DAN, "RecordVerdict", verdict("alice", "s1", 2))
        assert kept(uncertain)["status"] == "answered"

    def test_a_first_reader_hands_a_certain_suggestion_to_a_second(self, certain: Staged) -> None:
        certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", verdict="second-reader"))
        assert kept(certain)["status"] == "open"
        with refused("same-person"):
            certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", 2))
        certain.submit(DAN, "RecordVerdict", verdict("alice", "s1", 2, verdict="second-reader"))
        assert kept(certain)["status"] == "open"
        certain.submit(ERIN, "RecordVerdict", verdict("alice", "s1", 3))
        assert kept(certain)["status"] == "answered"

    def test_an_unknown_suggestion_has_no_verdict(self, certain: Staged) -> None:
        with refused("unknown-suggestion"):
            certain.submit(CAROL, "RecordVerdict", verdict("alice", "s9"))

    def test_a_practitioner_of_another_hospital_has_no_say(self, certain: Staged) -> None:
        with refused("wrong-organization"):
            certain.submit(MALLORY, "RecordVerdict", verdict("alice", "s1"))

    def test_verdicts_do_not_grow_for_ever(self, certain: Staged) -> None:
        certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1"))
        certain.change(("suggestion", "alice", "s1"), verdicts=kept(certain)["verdicts"] * 64)
        with refused("limit"):
            certain.submit(CAROL, "RecordVerdict", verdict("alice", "s1", 65))
