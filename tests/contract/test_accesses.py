"""Opening records: what is decided, recorded and refused (PROTOCOL.md C2; A36, A38)."""

from typing import Any

import pytest

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    MALLORY,
    MODEL_TAG,
    PETRA,
    PIA,
    RITA,
    STELLA,
    VAULT,
    appoint,
    declare,
    description,
    digest,
    inference,
    opened,
    opening,
    provision,
    records,
    signed,
    tag,
    terms,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged

EIGHT_HOURS = 8 * 3600
LABORATORY = tag("class", "laboratory")


@pytest.fixture
def consented(ledger: Staged) -> Staged:
    """Alice allows alder's staff treatment, bob birch's; both exactly the same."""
    for who in (ALICE, BOB):
        ledger.submit(who, "GrantConsent", signed(who.subject, "c1", terms(purposes=["TREAT"])))
    return ledger


def entry(ledger: Staged, caller: Caller, arguments: dict[str, object]) -> dict[str, Any]:
    """Submit an opening and return its entry."""
    return ledger.value("access", str(arguments["patient_id"]), opened(ledger, caller, arguments).access_id)


def test_the_entry_names_who_what_why_and_by_which_consent(consented: Staged) -> None:
    access = opened(consented, CAROL, opening("alice", "r1"))
    assert consented.value("access", "alice", access.access_id) == {
        "v": 1,
        "by": {"msp_id": "alder", "subject": "carol", "key_hash": CAROL.key_hash},
        "purpose": "TREAT",
        "action": "access",
        "device": "",
        "kind": "open",
        "at": NOW,
        "until": NOW + EIGHT_HOURS,
        "items": [
            {
                "record_id": "r1",
                "version": 1,
                "outcome": "permit",
                "reason": "PERMITTED_BY_CONSENT",
                "deciding": ["c1#0"],
                "overridden": [],
            }
        ],
        "release_key_hash": digest("a fresh key"),
        "emergency_id": "",
        "policy_version": 1,
        "retention_days": 30,
    }
    name, endorsed = consented.journal[-1]
    assert (name, endorsed.outcome.event_name) == ("OpenRecords", "AccessDecided")
    assert endorsed.outcome.event_payload == (
        f'{{"access_id":"{access.access_id}","outcome":"permit","patient_id":"alice"}}'.encode()
    )


def test_an_access_writes_one_key_and_reads_only_what_it_decides_on(consented: Staged) -> None:
    opened(consented, CAROL, opening("alice", "r1", "r2"))
    _, endorsed = consented.journal[-1]
    access = ("access", "alice", endorsed.transaction_id)
    assert list(endorsed.writes) == [access]
    assert {*endorsed.reads} == {
        ("member", "alder", "carol"),
        ("patient", "alice"),
        ("policy", "alice"),
        ("organization", "alder"),
        ("record", "alice", "r1"),
        ("record", "alice", "r2"),
        access,
    }


def test_a_denial_is_an_entry_like_any_other(ledger: Staged) -> None:
    access = opened(ledger, CAROL, opening("alice", "r1"))
    assert (access.outcome, access.reasons) == ("deny", ("NO_CONSENT",))
    value = ledger.value("access", "alice", access.access_id)
    assert (value["until"], value["retention_days"]) == (NOW + EIGHT_HOURS, 0)


def test_some_records_open_and_some_do_not(ledger: Staged) -> None:
    ledger.submit(VAULT, "RegisterRecords", records("alice", "lab", description=description("laboratory")))
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(classes=[LABORATORY])))
    access = opened(ledger, CAROL, opening("alice", "lab", "r1"))
    assert (access.outcome, access.reasons) == ("mixed", ("PERMITTED_BY_CONSENT", "CATEGORY_NOT_COVERED"))


def test_a_refusal_overrides_a_permission_and_both_are_named(consented: Staged) -> None:
    consented.submit(
        ALICE, "GrantConsent", signed("alice", "no-carol", terms(type="deny", actors=[["practitioner", "carol"]]))
    )
    item = entry(consented, CAROL, opening("alice", "r1"))["items"][0]
    assert (item["reason"], item["deciding"], item["overridden"]) == ("DENY_OVERRIDES", ["no-carol#0"], ["c1#0"])
    assert opened(consented, DAN, opening("alice", "r1")).outcome == "permit"


@pytest.mark.parametrize(
    "actor",
    [
        ["practitioner", "carol"],
        ["organization", "alder"],
        ["role", "alder", "doctor"],
        ["practitioner", "carol", "alder", "doctor"],
        ["group", "ward-7"],
        ["anyone"],
    ],
    ids="-".join,
)
def test_the_asker_is_whom_the_ledger_knows(ledger: Staged, actor: list[str]) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(actors=[actor])))
    assert opened(ledger, CAROL, opening("alice", "r1")).outcome == "permit"


@pytest.mark.parametrize(
    "actor",
    [
        ["practitioner", "dan"],
        ["organization", "birch"],
        ["role", "alder", "nurse"],
        ["role", "birch", "doctor"],
        ["group", "ward-8"],
        ["device", MODEL_TAG],
        ["never"],
    ],
    ids="-".join,
)
def test_a_consent_for_others_opens_nothing(ledger: Staged, actor: list[str]) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(actors=[actor])))
    assert opened(ledger, CAROL, opening("alice", "r1")).reasons == ("ACTOR_NOT_COVERED",)


def test_a_refusal_to_a_group_that_the_directory_lost_counts_against_everybody(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "yes"))
    ledger.submit(ALICE, "GrantConsent", signed("alice", "no", terms(type="deny", actors=[["group", "ward-9"]])))
    assert opened(ledger, CAROL, opening("alice", "r1")).outcome == "deny"
    ledger.change(("organization", "alder"), groups=["ward-9"])
    assert opened(ledger, CAROL, opening("alice", "r1")).outcome == "permit"


def test_nothing_opens_outside_the_purpose(consented: Staged) -> None:
    assert opened(consented, CAROL, opening("alice", "r1", purpose="HRESCH")).reasons == ("PURPOSE_NOT_COVERED",)


def test_a_practitioner_of_another_hospital_records_nothing(consented: Staged) -> None:
    before = {**consented.committed}
    with refused("wrong-organization"):
        consented.submit(MALLORY, "OpenRecords", opening("alice", "r1"))
    assert consented.committed == before
    assert opened(consented, MALLORY, opening("bob", "r1")).outcome == "permit"
    with refused("wrong-organization"):
        consented.submit(CAROL, "OpenRecords", opening("bob", "r1"))


@pytest.mark.parametrize("caller", [RITA, PIA, VAULT], ids=lambda caller: caller.role)
def test_no_office_opens_records(consented: Staged, caller: Caller) -> None:
    with refused("forbidden"):
        consented.submit(caller, "OpenRecords", opening("alice", "r1"))


class TestUntil:
    """An opening ends by itself."""

    def test_with_the_consent(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(valid_until=NOW + 60)))
        assert entry(ledger, CAROL, opening("alice", "r1"))["until"] == NOW + 60

    def test_with_the_shortest_of_its_records(self, ledger: Staged) -> None:
        ledger.submit(VAULT, "RegisterRecords", records("alice", "lab", description=description("laboratory")))
        short = terms(classes=[LABORATORY], valid_until=NOW + 60, retention_days=5)
        ledger.submit(ALICE, "GrantConsent", signed("alice", "lab", short))
        rest = terms(classes=[tag("class", "cytology")], valid_until=NOW + 90)
        ledger.submit(ALICE, "GrantConsent", signed("alice", "rest", rest))
        value = entry(ledger, CAROL, opening("alice", "lab", "r1"))
        assert (value["until"], value["retention_days"]) == (NOW + 60, 5)

    def test_not_with_a_consent_that_refused(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "no", terms(type="deny", valid_until=NOW + 60)))
        assert entry(ledger, CAROL, opening("alice", "r1"))["until"] == NOW + EIGHT_HOURS

    @pytest.mark.parametrize(("at", "outcome"), [(NOW + 99, "deny"), (NOW + 100, "permit"), (NOW + 200, "deny")])
    def test_a_consent_is_valid_from_its_first_second_to_before_its_end(
        self, ledger: Staged, at: int, outcome: str
    ) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(valid_from=NOW + 100, valid_until=NOW + 200)))
        ledger.now = at
        assert opened(ledger, CAROL, opening("alice", "r1")).outcome == outcome


class TestRecords:
    """What is asked for must exist."""

    def test_an_unknown_record(self, consented: Staged) -> None:
        with refused("unknown-record"):
            consented.submit(CAROL, "OpenRecords", opening("alice", "r7"))

    def test_a_version_that_does_not_exist(self, consented: Staged) -> None:
        with refused("unknown-record"):
            consented.submit(
                CAROL, "OpenRecords", opening("alice", items=[{"record_id": "r1", "version": 2}], kind="open")
            )

    def test_an_older_version(self, consented: Staged) -> None:
        consented.change(("record", "alice", "r1"), version=2)
        assert opened(consented, CAROL, opening("alice", "r1")).outcome == "permit"

    @pytest.mark.parametrize(
        "items",
        [
            [{"record_id": "r1", "version": 0}],
            [{"record_id": "r1", "version": True}],
            [{"record_id": "r1"}],
            [{"record_id": "r1", "version": 1}] * 2,
            [{"record_id": f"r{number}", "version": 1} for number in range(33)],
            [],
        ],
        ids=["version-0", "boolean", "no-version", "twice", "33", "none"],
    )
    def test_items_of_another_form(self, consented: Staged, items: list[dict[str, object]]) -> None:
        with refused("malformed"):
            consented.submit(CAROL, "OpenRecords", opening("alice", "r1", items=items))


class TestIndex:
    """The list of records is health data, and asked for by an entry of its own (A36)."""

    def test_an_index_is_one_item_without_a_record(self, consented: Staged) -> None:
        value = entry(consented, CAROL, opening("alice"))
        assert value["kind"] == "index"
        assert [(item["record_id"], item["version"], item["outcome"]) for item in value["items"]] == [("", 0, "permit")]

    def test_without_consent_there_is_no_index(self, ledger: Staged) -> None:
        assert opened(ledger, CAROL, opening("alice")).reasons == ("NO_CONSENT",)

    def test_an_index_with_records_is_malformed(self, consented: Staged) -> None:
        with refused("malformed"):
            consented.submit(CAROL, "OpenRecords", opening("alice", "r1", kind="index"))


class TestActions:
    """Export discloses, inference uses, everything else accesses."""

    @pytest.mark.parametrize(
        "changed",
        [
            {"action": "use"},
            {"action": "disclose"},
            {"kind": "export"},
            {"purpose": "TREATDS", "device": MODEL_TAG},
            {"purpose": "TREATDS", "device": "", "action": "use"},
            {"purpose": "TREATDS", "device": MODEL_TAG, "action": "disclose", "kind": "export"},
            {"purpose": "TREATDS", "device": "the-model", "action": "use"},
            {"purpose": "NONSENSE"},
            {"purpose": "never"},
        ],
        ids=repr,
    )
    def test_what_contradicts_itself_is_malformed(self, consented: Staged, changed: dict[str, object]) -> None:
        with refused("malformed"):
            consented.submit(CAROL, "OpenRecords", opening("alice", "r1", **changed))

    def test_an_export_discloses(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(actions=["access"])))
        export = opening("alice", "r1", kind="export", action="disclose")
        assert opened(ledger, CAROL, export).reasons == ("ACTION_NOT_COVERED",)
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c2", terms(actions=["disclose"])))
        assert opened(ledger, CAROL, export).outcome == "permit"

    def test_inference_must_be_named(self, consented: Staged) -> None:
        assert opened(consented, CAROL, inference("alice", "r1")).reasons == ("PURPOSE_NOT_COVERED",)
        consented.submit(ALICE, "GrantConsent", signed("alice", "ai", terms(purposes=["TREATDS"])))
        assert opened(consented, CAROL, inference("alice", "r1")).outcome == "permit"

    def test_one_model_only(self, ledger: Staged) -> None:
        only = terms(purposes=["TREATDS"], actors=[["device", tag("device", "another")]])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "ai", only))
        assert opened(ledger, CAROL, inference("alice", "r1")).reasons == ("ACTOR_NOT_COVERED",)
        this = terms(purposes=["TREATDS"], actors=[["device", MODEL_TAG]])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "ai-2", this))
        assert opened(ledger, CAROL, inference("alice", "r1")).outcome == "permit"

    def test_training_is_for_stewards(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "t", terms(purposes=["MLTRAINING"])))
        training = opening("alice", "r1", purpose="MLTRAINING")
        with refused("forbidden"):
            ledger.submit(DAN, "OpenRecords", training)
        assert opened(ledger, CAROL, training).outcome == "permit"

    def test_a_local_purpose_must_be_named(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "all"))
        project = opening("alice", "r1", purpose="urn:project:hearts")
        assert opened(ledger, CAROL, project).reasons == ("PURPOSE_NOT_COVERED",)
        ledger.submit(ALICE, "GrantConsent", signed("alice", "h", terms(purposes=["urn:project:hearts"])))
        assert opened(ledger, CAROL, project).outcome == "permit"


class TestParty:
    """The patient's own record."""

    def test_the_patient_opens_her_own_record(self, ledger: Staged) -> None:
        access = opened(ledger, ALICE, opening("alice", "r1", purpose="PATRQT"))
        assert access.reasons == ("OWN_RECORD",)
        value = ledger.value("access", "alice", access.access_id)
        assert value["by"] == {"msp_id": "alder", "subject": "alice", "key_hash": ALICE.key_hash}

    def test_the_patient_exports_and_lists(self, ledger: Staged) -> None:
        export = opening("alice", "r1", purpose="PATRQT", kind="export", action="disclose")
        assert opened(ledger, ALICE, export).outcome == "permit"
        assert opened(ledger, ALICE, opening("alice", purpose="PATRQT")).outcome == "permit"

    @pytest.mark.parametrize("purpose", ["TREAT", "BTG", "HRESCH"])
    def test_for_nothing_else(self, ledger: Staged, purpose: str) -> None:
        with refused("forbidden"):
            ledger.submit(ALICE, "OpenRecords", opening("alice", "r1", purpose=purpose))

    def test_a_proxy_opens_it_unless_the_patient_named_her(self, ledger: Staged) -> None:
        appoint(ledger, PETRA, "alice", until=NOW + 100)
        asked = opening("alice", "r1", purpose="FAMRQT")
        assert opened(ledger, PETRA, asked).reasons == ("OWN_RECORD",)
        no = terms(type="deny", actors=[["practitioner", "petra"]])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "not-petra", no))
        assert opened(ledger, PETRA, asked).reasons == ("DENIED_BY_CONSENT",)

    def test_a_practitioner_is_not_the_patient(self, ledger: Staged) -> None:
        assert opened(ledger, CAROL, opening("alice", "r1", purpose="PATRQT")).reasons == ("NO_CONSENT",)


class TestEmergency:
    """BTG needs a running, own, declared emergency."""

    def test_it_opens_by_default_and_names_the_emergency(self, ledger: Staged) -> None:
        declare(ledger, DAN, "alice", "e1", until=NOW + 3600)
        value = entry(ledger, DAN, opening("alice", "r1", purpose="BTG", emergency_id="e1"))
        assert value["items"][0]["reason"] == "PERMITTED_BREAK_GLASS"
        assert (value["emergency_id"], value["until"], value["retention_days"]) == ("e1", NOW + 3600, 0)

    def test_a_general_refusal_stands(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "no", terms(type="deny")))
        declare(ledger, DAN, "alice", "e1", until=NOW + 3600)
        access = opened(ledger, DAN, opening("alice", "r1", purpose="BTG", emergency_id="e1"))
        assert access.reasons == ("DENIED_BY_CONSENT",)

    def test_an_exception_inside_a_permission_yields_and_is_listed(self, ledger: Staged) -> None:
        what = terms(provision(type="deny", emergency="yields"), purposes=["TREAT"])
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", what))
        declare(ledger, DAN, "alice", "e1", until=NOW + 3600)
        item = entry(ledger, DAN, opening("alice", "r1", purpose="BTG", emergency_id="e1"))["items"][0]
        assert (item["outcome"], item["deciding"], item["overridden"]) == ("permit", ["c1#0"], ["c1#1"])

    def test_btg_without_an_emergency(self, ledger: Staged) -> None:
        with refused("emergency-required"):
            ledger.submit(DAN, "OpenRecords", opening("alice", "r1", purpose="BTG"))

    def test_an_emergency_with_another_purpose(self, ledger: Staged) -> None:
        declare(ledger, DAN, "alice", "e1", until=NOW + 3600)
        with refused("emergency-required"):
            ledger.submit(DAN, "OpenRecords", opening("alice", "r1", purpose="ETREAT", emergency_id="e1"))

    def test_an_undeclared_emergency(self, ledger: Staged) -> None:
        with refused("unknown-emergency"):
            ledger.submit(DAN, "OpenRecords", opening("alice", "r1", purpose="BTG", emergency_id="e1"))

    def test_another_patients_emergency(self, ledger: Staged) -> None:
        declare(ledger, MALLORY, "bob", "e1", until=NOW + 3600)
        with refused("unknown-emergency"):
            ledger.submit(DAN, "OpenRecords", opening("alice", "r1", purpose="BTG", emergency_id="e1"))

    def test_a_colleagues_emergency(self, ledger: Staged) -> None:
        declare(ledger, DAN, "alice", "e1", until=NOW + 3600)
        with refused("forbidden"):
            ledger.submit(CAROL, "OpenRecords", opening("alice", "r1", purpose="BTG", emergency_id="e1"))

    def test_an_emergency_that_is_over(self, ledger: Staged) -> None:
        declare(ledger, DAN, "alice", "e1", until=NOW)
        with refused("expired"):
            ledger.submit(DAN, "OpenRecords", opening("alice", "r1", purpose="BTG", emergency_id="e1"))


class TestFrozen:
    """A frozen patient id opens for nobody, emergencies apart."""

    @pytest.fixture
    def frozen(self, consented: Staged) -> Staged:
        consented.change(("patient", "alice"), status="frozen", frozen_by="party")
        return consented

    def test_nothing_opens(self, frozen: Staged) -> None:
        assert opened(frozen, CAROL, opening("alice", "r1")).reasons == ("PATIENT_FROZEN",)
        assert opened(frozen, CAROL, opening("alice")).reasons == ("PATIENT_FROZEN",)

    def test_an_emergency_opens(self, frozen: Staged) -> None:
        declare(frozen, DAN, "alice", "e1", until=NOW + 3600)
        assert opened(frozen, DAN, opening("alice", "r1", purpose="BTG", emergency_id="e1")).outcome == "permit"


def test_the_same_transaction_is_not_decided_twice(consented: Staged) -> None:
    first = consented.endorse(CAROL, "OpenRecords", opening("alice", "r1"))
    consented.commit([first])
    consented.sequence -= 1
    with refused("already-exists"):
        consented.endorse(CAROL, "OpenRecords", opening("alice", "r1"))


def test_a_second_organizations_patient_id_is_decided_by_its_own_staff(consented: Staged) -> None:
    assert opened(consented, STELLA, opening("bob", "r2")).outcome == "permit"
