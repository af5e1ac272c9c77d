"""Queries (PROTOCOL.md C2)."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.contract.caller import Caller
from ledger.contract.transactions import QUESTIONS
from tests.support.contract import (
    ALICE,
    BIRCH_VAULT,
    BOB,
    CAROL,
    DAN,
    MALLORY,
    OLGA,
    PETRA,
    PIA,
    REMY,
    STRANGER,
    VAULT,
    appoint,
    declare,
    description,
    digest,
    enrolment,
    inference,
    opened,
    opening,
    organization,
    other_key,
    person,
    proposal,
    purge,
    records,
    releases,
    signed,
    suggestion,
    tag,
    terms,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged

OF_PATIENT: dict[str, dict[str, object]] = {
    "ReadPatient": {},
    "FindRecords": {},
    "FindConsents": {},
    "FindSuggestions": {},
    "FindAccesses": {"after": "", "limit": 200},
    "WhoCouldSee": {"record_id": "r1", "at": NOW},
}


def ask(ledger: Staged, caller: Caller, name: str, patient_id: str, **changed: object) -> dict[str, Any]:
    return ledger.ask(caller, name, {"patient_id": patient_id, **OF_PATIENT[name], **changed})


@pytest.mark.parametrize("name", sorted(OF_PATIENT))
@pytest.mark.parametrize(
    "caller", [BOB, VAULT, PIA, CAROL, MALLORY, REMY, BIRCH_VAULT], ids=lambda caller: caller.subject
)
def test_the_patient_and_staff_of_both_hospitals_ask(ledger: Staged, name: str, caller: Caller) -> None:
    assert ask(ledger, caller, name, "bob")


@pytest.mark.parametrize("name", sorted(OF_PATIENT))
@pytest.mark.parametrize(
    ("caller", "code"),
    [
        (MALLORY, "wrong-organization"),
        (STRANGER, "not-enrolled"),
        (BOB, "forbidden"),
        (PETRA, "forbidden"),
        (other_key(ALICE), "wrong-key"),
        (other_key(CAROL), "wrong-key"),
        (replace(CAROL, role=""), "wrong-role"),
        (replace(ALICE, msp_id="birch"), "wrong-organization"),
    ],
)
def test_others_do_not(ledger: Staged, name: str, caller: Caller, code: str) -> None:
    with refused(code):
        ask(ledger, caller, name, "alice")


@pytest.mark.parametrize("name", sorted(OF_PATIENT))
def test_a_proxy_asks_for_the_patient(ledger: Staged, name: str) -> None:
    appoint(ledger, PETRA, "alice", until=NOW + 1)
    assert ask(ledger, PETRA, name, "alice")


@pytest.mark.parametrize("name", sorted(OF_PATIENT))
@pytest.mark.parametrize("caller", [ALICE, VAULT], ids=lambda caller: caller.subject)
def test_an_erased_patient_id_is_still_read(ledger: Staged, name: str, caller: Caller) -> None:
    ledger.submit(VAULT, "ErasePatient", {"patient_id": "alice", "certificate": digest("gone")})
    assert ask(ledger, caller, name, "alice")


@pytest.mark.parametrize("name", sorted(OF_PATIENT))
@pytest.mark.parametrize("caller", [ALICE, VAULT], ids=lambda caller: caller.subject)
def test_an_unknown_patient_id(ledger: Staged, name: str, caller: Caller) -> None:
    with refused("unknown-patient"):
        ask(ledger, caller, name, "nobody")


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_query_with_an_unknown_field_is_malformed(ledger: Staged, name: str) -> None:
    with refused("malformed"):
        ledger.ask(CAROL, name, {"surprise": 1})


def test_an_unknown_query(ledger: Staged) -> None:
    with refused("unknown-transaction"):
        ledger.ask(CAROL, "GrantConsent", {})


def test_organizations_and_members_are_read_by_everybody(ledger: Staged) -> None:
    hospital = ledger.ask(ALICE, "ReadOrganization", {"msp_id": "birch"})
    assert hospital == {**ledger.value("organization", "birch"), "msp_id": "birch"}
    member = ledger.ask(ALICE, "ReadMember", {"msp_id": "alder", "subject": "carol"})
    assert member == {**ledger.value("member", "alder", "carol"), "msp_id": "alder", "subject": "carol"}
    with refused("unknown-organization"):
        ledger.ask(ALICE, "ReadOrganization", {"msp_id": "cedar"})
    with refused("unknown-member"):
        ledger.ask(ALICE, "ReadMember", {"msp_id": "birch", "subject": "carol"})


def test_records_and_consents_of_one_patient_only(ledger: Staged) -> None:
    ledger.put(("record", "alice2", "r9"), {})
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    ledger.submit(MALLORY, "ProposeConsent", proposal("bob", "c2"))
    found = ask(ledger, ALICE, "FindRecords", "alice")["records"]
    assert [each["record_id"] for each in found] == ["r1", "r2"]
    assert found[0]["description"] == description()
    consents = ask(ledger, ALICE, "FindConsents", "alice")["consents"]
    assert [(each["consent_id"], each["status"]) for each in consents] == [("c1", "proposed")]


def test_accesses_come_in_pages_with_release_and_purge(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    ids = sorted(opened(ledger, CAROL, opening("alice", "r1")).access_id for _ in range(5))
    ledger.submit(VAULT, "RecordReleases", releases(("alice", ids[0])))
    ledger.submit(CAROL, "RecordPurge", purge("alice", [ids[0]]))
    first = ask(ledger, ALICE, "FindAccesses", "alice", limit=3)
    assert [each["access_id"] for each in first["accesses"]] == ids[:3]
    assert first["accesses"][0]["release"]["receipt"] == digest(f"reply to {ids[0]}")
    assert first["accesses"][0]["purge"]["by"] == {"msp_id": "alder", "subject": "carol"}
    assert (first["accesses"][1]["release"], first["accesses"][1]["purge"]) == (None, None)
    rest = ask(ledger, ALICE, "FindAccesses", "alice", after=first["next"], limit=3)
    assert [each["access_id"] for each in rest["accesses"]] == ids[3:]
    assert rest["next"] == ""


@pytest.mark.parametrize("limit", [0, 201])
def test_a_page_holds_one_to_two_hundred_accesses(ledger: Staged, limit: int) -> None:
    with refused("malformed"):
        ask(ledger, ALICE, "FindAccesses", "alice", limit=limit)


def test_suggestions_with_their_verdicts(lab: Staged) -> None:
    lab.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(purposes=["TREATDS"])))
    access = opened(lab, CAROL, inference("alice", "r1")).access_id
    lab.submit(CAROL, "RecordSuggestion", suggestion("alice", access, "s1"))
    found = ask(lab, ALICE, "FindSuggestions", "alice")["suggestions"]
    assert [(each["suggestion_id"], each["access_id"]) for each in found] == [("s1", access)]


def test_emergencies_are_found_by_custodian_and_grantee(ledger: Staged) -> None:
    ledger.submit(person("cedar", "otto", "operator"), "RegisterOrganization", organization("cedar"))
    declare(ledger, MALLORY, "bob", "e1", until=NOW + 60)
    declare(ledger, DAN, "alice", "e2", until=NOW + 60)
    birch = ledger.ask(REMY, "FindEmergencies", {"msp_id": "birch"})["emergencies"]
    alder = ledger.ask(PIA, "FindEmergencies", {"msp_id": "alder"})["emergencies"]
    assert isinstance(birch, list)
    assert isinstance(alder, list)
    assert [each["emergency_id"] for each in birch if isinstance(each, dict)] == ["e1"]
    assert [each["emergency_id"] for each in alder if isinstance(each, dict)] == ["e2", "e1"]
    with refused("wrong-organization"):
        ledger.ask(REMY, "FindEmergencies", {"msp_id": "alder"})
    with refused("not-enrolled"):
        ledger.ask(ALICE, "FindEmergencies", {"msp_id": "alder"})


def test_the_registry_lists_every_model(lab: Staged, ledger: Staged) -> None:
    assert ledger.ask(ALICE, "ReadRegistry", {}) == {"epoch": 0, "approved": [], "models": []}
    found = lab.ask(ALICE, "ReadRegistry", {})
    assert (found["epoch"], found["approved"]) == (3, ["m1"])
    assert [each["status"] for each in found["models"] if isinstance(each, dict)] == ["approved"]  # type: ignore[union-attr]


class TestPreview:
    """What ``OpenRecords`` would decide; nothing is recorded."""

    def test_a_preview_decides_as_the_opening_does(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(purposes=["TREAT"])))
        for arguments in (opening("alice", "r1", "r2"), opening("alice"), opening("alice", "r1", purpose="HRESCH")):
            before = {**ledger.committed}
            preview: dict[str, Any] = ledger.ask(CAROL, "PreviewDecision", arguments)
            assert ledger.committed == before
            access = opened(ledger, CAROL, arguments)
            value: dict[str, Any] = ledger.value("access", "alice", access.access_id)
            assert preview["outcome"] == access.outcome
            assert [{**item, "nearest": []} for item in value["items"]] == [
                {**item, "nearest": []} for item in preview["items"]
            ]
            assert (preview["until"], preview["retention_days"]) == (value["until"], value["retention_days"])

    def test_it_names_the_permits_that_came_nearest(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "people", terms(actors=[["practitioner", "dan"]])))
        ledger.submit(ALICE, "GrantConsent", signed("alice", "kind", terms(classes=[tag("class", "image")])))
        preview: dict[str, Any] = ledger.ask(CAROL, "PreviewDecision", opening("alice", "r1"))
        assert preview["items"][0]["reason"] == "CATEGORY_NOT_COVERED"
        assert preview["items"][0]["nearest"] == ["kind#0"]

    def test_it_is_refused_to_whom_the_opening_is(self, ledger: Staged) -> None:
        with refused("wrong-organization"):
            ledger.ask(MALLORY, "PreviewDecision", opening("alice", "r1"))


class TestWhoCouldSee:
    """The same decision, for everybody whom the consents name."""

    def rows(self, ledger: Staged, at: int = NOW, record_id: str = "r1") -> dict[tuple[str, ...], dict[str, Any]]:
        """Return the rows by actor and deciding consents."""
        answer = ask(ledger, ALICE, "WhoCouldSee", "alice", record_id=record_id, at=at)
        return {(*row["actor"], *row["deciding"]): row for row in answer["rows"]}

    def test_without_consents_only_an_emergency_opens(self, ledger: Staged) -> None:
        assert self.rows(ledger) == {
            ("organization", "alder"): {
                "actor": ["organization", "alder"],
                "purposes": ["BTG"],
                "reason": "PERMITTED_BREAK_GLASS",
                "deciding": [],
            }
        }

    def test_named_people_roles_groups_and_models(self, ledger: Staged) -> None:
        for consent_id, actor in {
            "c1": ["practitioner", "carol"],
            "c2": ["role", "alder", "nurse"],
            "c3": ["group", "ward-9"],
            "c4": ["device", tag("device", "model")],
            "c5": ["never"],
        }.items():
            what = terms(actors=[actor], purposes=["HMARKT"])
            ledger.submit(ALICE, "GrantConsent", signed("alice", consent_id, what))
        marketing = {key for key, row in self.rows(ledger).items() if "HMARKT" in row["purposes"]}
        assert marketing == {
            ("practitioner", "carol", "c1#0"),
            ("role", "alder", "nurse", "c2#0"),
            ("group", "ward-9", "c3#0"),
            ("device", tag("device", "model"), "c4#0"),
        }

    def test_everybody_is_one_row(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(actors=[["anyone"]], purposes=["TREAT"])))
        row = self.rows(ledger)["organization", "alder", "c1#0"]
        assert row["purposes"] == ["BTG", "CLINTRL", "COC", "ERTREAT", "ETREAT", "POPHLTH", "TREAT"]

    def test_local_purposes_and_inference_are_asked_for(self, ledger: Staged) -> None:
        what = terms(purposes=["TREATDS", "urn:project:hearts"])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", what))
        assert self.rows(ledger)["organization", "alder", "c1#0"]["purposes"] == ["TREATDS", "urn:project:hearts"]

    def test_a_blocked_person_is_in_no_row(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "yes"))
        no = terms(type="deny", actors=[["practitioner", "carol"]])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "no", no))
        assert {key[:2] for key in self.rows(ledger)} == {("organization", "alder")}

    def test_people_who_are_unknown_or_suspended_are_nobody(self, ledger: Staged) -> None:
        what = terms(actors=[["practitioner", "carol"], ["practitioner", "dan"], ["practitioner", "zoe"]])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", what))
        ledger.now += 10
        ledger.submit(PIA, "SuspendMember", {"subject": "dan"})
        assert ("practitioner", "dan", "c1#0") in self.rows(ledger, at=NOW + 9)
        assert {key[1] for key in self.rows(ledger, at=NOW + 10) if "c1#0" in key} == {"carol"}
        assert {key[:2] for key in self.rows(ledger, at=NOW - 1)} == set()

    def test_a_member_enrolled_later_saw_nothing_before(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(actors=[["practitioner", "nina"]])))
        ledger.now += 10
        nina = person("alder", "nina", "practitioner")
        ledger.submit(person("alder", "rita", "registrar"), "EnrolMember", enrolment(nina))
        assert ("practitioner", "nina", "c1#0") not in self.rows(ledger, at=NOW + 9)
        assert ("practitioner", "nina", "c1#0") in self.rows(ledger, at=NOW + 10)

    def test_the_consents_of_that_time(self, ledger: Staged) -> None:
        ledger.now = NOW + 10
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
        ledger.now = NOW + 20
        ledger.submit(ALICE, "RevokeConsent", {"patient_id": "alice", "consent_id": "c1"})
        key = ("organization", "alder", "c1#0")
        assert [key in self.rows(ledger, at=NOW + second) for second in (9, 10, 19, 20)] == [False, True, True, False]

    def test_the_tags_of_that_time(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(classes=[tag("class", "cytology")])))
        ledger.change(
            ("record", "alice", "r1"),
            description=description("laboratory"),
            since=NOW + 10,
            history=[{"description": description(), "since": NOW}],
        )
        key = ("organization", "alder", "c1#0")
        assert [key in self.rows(ledger, at=NOW + second) for second in (9, 10)] == [True, False]

    def test_a_record_was_seen_by_nobody_before_it_came_and_after_it_went(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
        ledger.now = NOW + 10
        ledger.submit(VAULT, "RegisterRecords", records("alice", "r3"))
        ledger.now = NOW + 20
        ledger.submit(VAULT, "EraseRecord", {"patient_id": "alice", "record_id": "r3", "certificate": digest("x")})
        seen = [bool(self.rows(ledger, at=NOW + second, record_id="r3")) for second in (9, 10, 19, 20)]
        assert seen == [False, True, True, False]

    def test_a_freeze_counts_today_and_is_not_known_of_yesterday(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
        ledger.now = NOW + 10
        ledger.change(("patient", "alice"), status="frozen", frozen_by="party")
        key = ("organization", "alder", "c1#0")
        assert "TREAT" in self.rows(ledger, at=NOW + 9)[key]["purposes"]
        assert self.rows(ledger, at=NOW + 10)[key]["purposes"] == ["BTG"]

    def test_an_unknown_record(self, ledger: Staged) -> None:
        with refused("unknown-record"):
            ask(ledger, ALICE, "WhoCouldSee", "alice", record_id="r9")


def test_an_operator_reads_what_his_hospital_holds(ledger: Staged) -> None:
    assert ask(ledger, OLGA, "ReadPatient", "bob")["grantee"] == "birch"
