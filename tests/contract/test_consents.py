"""The life of a consent (PROTOCOL.md C2)."""

from typing import Any

import pytest

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    MALLORY,
    PETRA,
    REMY,
    RITA,
    VAULT,
    appoint,
    digest,
    named,
    opened,
    opening,
    proposal,
    provision,
    signed,
    tag,
    terms,
)
from tests.support.refusals import refused
from tests.support.staged import NOW, Staged


def consent(ledger: Staged, consent_id: str) -> dict[str, Any]:
    return ledger.value("consent", "alice", consent_id)


def policy(ledger: Staged) -> dict[str, Any]:
    return ledger.value("policy", "alice")


def in_force(ledger: Staged) -> list[str]:
    return [each["id"] for each in policy(ledger)["consents"]]


def test_a_request_allows_nothing(ledger: Staged) -> None:
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    assert consent(ledger, "c1") == {
        "v": 1,
        "status": "proposed",
        "asked": terms(),
        "granted": None,
        "proposer": "carol",
        "performer": "",
        "recorded_by": "",
        "confirmed_by": "",
        "artefact_commitment": "",
        "reason_commitment": digest("why c1"),
        "proposed_at": NOW,
        "granted_at": None,
        "ended_at": None,
        "replaces": "",
    }
    assert opened(ledger, CAROL, opening("alice", "r1")).reasons == ("NO_CONSENT",)


def test_the_patient_narrows_what_was_asked_and_signs(ledger: Staged) -> None:
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    ledger.now += 60
    narrowed = terms(retention_days=7, actors=[["practitioner", "carol"]], purposes=["TREAT"])
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", narrowed))
    granted = consent(ledger, "c1")
    assert granted["asked"] == terms()
    assert granted["granted"] == {**narrowed, "authority": [None, None]}
    assert (granted["status"], granted["performer"], granted["recorded_by"]) == ("active", "patient", "alice")
    assert (granted["proposed_at"], granted["granted_at"], granted["ended_at"]) == (NOW, NOW + 60, None)
    assert policy(ledger) == {
        "v": 1,
        "version": 1,
        "ended": False,
        "consents": [{"id": "c1", "authority": [None, None], **narrowed}],
    }


def test_a_patient_grants_unasked(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    assert (consent(ledger, "c1")["asked"], consent(ledger, "c1")["proposed_at"]) == (None, None)


def test_a_proxys_consent_ends_with_his_authority(ledger: Staged) -> None:
    appoint(ledger, PETRA, "alice", until=NOW + 100)
    ledger.submit(PETRA, "GrantConsent", signed("alice", "c1"))
    assert consent(ledger, "c1")["performer"] == "proxy"
    assert consent(ledger, "c1")["recorded_by"] == "petra"
    assert policy(ledger)["consents"][0]["authority"] == [None, NOW + 100]
    ledger.now += 99
    assert opened(ledger, CAROL, opening("alice", "r1")).outcome == "permit"
    ledger.now += 1
    assert opened(ledger, CAROL, opening("alice", "r1")).reasons == ("AUTHORITY_ENDED",)


def test_consents_stand_in_the_policy_by_their_ids(ledger: Staged) -> None:
    for consent_id in ("c2", "c10", "c1"):
        ledger.submit(ALICE, "GrantConsent", signed("alice", consent_id))
    assert in_force(ledger) == ["c1", "c10", "c2"]


@pytest.mark.parametrize("caller", [MALLORY, REMY, RITA, VAULT], ids=lambda caller: caller.subject)
def test_only_a_practitioner_of_the_grantee_asks(ledger: Staged, caller: Caller) -> None:
    with refused("wrong-organization" if caller is MALLORY else "wrong-role"):
        ledger.submit(caller, "ProposeConsent", proposal("alice", "c1"))


def test_a_consent_id_is_used_once(ledger: Staged) -> None:
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    with refused("already-exists"):
        ledger.submit(DAN, "ProposeConsent", proposal("alice", "c1"))


@pytest.mark.parametrize(
    "what",
    [
        terms(*[provision()] * 17),
        terms(retention_days=-1),
        terms(retention_days=10**9),
        terms({**provision(), "note": "x"}),
        terms(type="maybe"),
        terms(purposes=["TREAT", "COC"]),
        terms(purposes=["HEAL"]),
        terms(emergency="yields"),
        terms(actors=[["boss", "carol"]]),
        terms(valid_until="soon"),
        terms(classes=["cytology"]),
        terms(levels=[tag("level", str(number)) for number in range(14)]),
    ],
    ids=range(12),
)
def test_terms_have_the_form_of_the_wire(ledger: Staged, what: dict[str, object]) -> None:
    with refused("malformed"):
        ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1", what))
    with refused("malformed"):
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", what))


def test_a_refused_request_stays_refused(ledger: Staged) -> None:
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    ledger.submit(ALICE, "RejectConsent", named("alice", "c1"))
    assert (consent(ledger, "c1")["status"], consent(ledger, "c1")["ended_at"]) == ("rejected", NOW)
    for name, arguments in (
        ("GrantConsent", signed("alice", "c1")),
        ("RejectConsent", named("alice", "c1")),
        ("RevokeConsent", named("alice", "c1")),
    ):
        with refused("illegal-transition"):
            ledger.submit(ALICE, name, arguments)
    with refused("already-exists"):
        ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))


@pytest.mark.parametrize("name", ["RejectConsent", "RevokeConsent"])
def test_an_unknown_consent_does_not_end(ledger: Staged, name: str) -> None:
    with refused("unknown-consent"):
        ledger.submit(ALICE, name, named("alice", "c1"))


def test_a_consent_of_another_patient_is_unknown(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    with refused("unknown-consent"):
        ledger.submit(BOB, "RevokeConsent", named("bob", "c1"))


def test_an_active_consent_is_neither_granted_again_nor_rejected(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    with refused("illegal-transition"):
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    with refused("illegal-transition"):
        ledger.submit(ALICE, "RejectConsent", named("alice", "c1"))


def test_a_request_is_not_revoked(ledger: Staged) -> None:
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    with refused("illegal-transition"):
        ledger.submit(ALICE, "RevokeConsent", named("alice", "c1"))


def test_a_revoked_consent_opens_nothing_and_stays_revoked(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    ledger.now += 5
    ledger.submit(ALICE, "RevokeConsent", named("alice", "c1"))
    assert (consent(ledger, "c1")["status"], consent(ledger, "c1")["ended_at"]) == ("inactive", NOW + 5)
    assert policy(ledger) == {"v": 1, "version": 2, "ended": True, "consents": []}
    assert opened(ledger, CAROL, opening("alice", "r1")).reasons == ("NOT_ACTIVE",)
    with refused("illegal-transition"):
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))


def test_a_lifted_refusal_is_no_ended_permission(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(type="deny")))
    ledger.submit(ALICE, "RevokeConsent", named("alice", "c1"))
    assert policy(ledger)["ended"] is False


def test_an_exception_that_permitted_is_an_ended_permission(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", terms(provision(), type="deny")))
    ledger.submit(ALICE, "RevokeConsent", named("alice", "c1"))
    assert policy(ledger)["ended"] is True


@pytest.mark.parametrize(("end", "is_over"), [(NOW - 1, True), (NOW, True), (NOW + 1, False)])
def test_a_consent_that_is_over_is_not_granted(ledger: Staged, end: int, *, is_over: bool) -> None:
    arguments = signed("alice", "c1", terms(valid_until=end))
    if is_over:
        with refused("expired"):
            ledger.submit(ALICE, "GrantConsent", arguments)
    else:
        ledger.submit(ALICE, "GrantConsent", arguments)
        assert in_force(ledger) == ["c1"]


def test_a_new_consent_replaces_an_old_one(ledger: Staged) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c2", replaces="c1"))
    assert in_force(ledger) == ["c2"]
    assert (consent(ledger, "c1")["status"], consent(ledger, "c1")["ended_at"]) == ("inactive", NOW)
    assert consent(ledger, "c2")["replaces"] == "c1"
    assert policy(ledger)["ended"] is True


@pytest.mark.parametrize(("replaced", "code"), [("c9", "unknown-consent"), ("c2", "unknown-consent")])
def test_only_a_known_consent_is_replaced(ledger: Staged, replaced: str, code: str) -> None:
    with refused(code):
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c2", replaces=replaced))


def test_only_an_active_consent_is_replaced(ledger: Staged) -> None:
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
    for consent_id in ("c1", "c2"):
        with refused("illegal-transition"):
            ledger.submit(ALICE, "GrantConsent", signed("alice", consent_id, replaces="c1"))


def test_the_thirty_third_consent_is_refused(ledger: Staged) -> None:
    for number in range(32):
        ledger.submit(ALICE, "GrantConsent", signed("alice", f"c{number:02}", terms(valid_until=NOW + 1000 + number)))
    with refused("limit"):
        ledger.submit(ALICE, "GrantConsent", signed("alice", "one-more"))
    ledger.submit(ALICE, "GrantConsent", signed("alice", "instead", replaces="c05"))
    assert len(in_force(ledger)) == 32


def test_the_thirty_third_consent_takes_the_place_of_the_one_longest_over(ledger: Staged) -> None:
    ends = {f"c{number:02}": NOW + 1000 - number for number in range(3)} | {
        f"c{number:02}": None for number in range(3, 32)
    }
    for consent_id, end in ends.items():
        ledger.submit(ALICE, "GrantConsent", signed("alice", consent_id, terms(valid_until=end)))
    ledger.now = NOW + 999
    ledger.submit(ALICE, "GrantConsent", signed("alice", "one-more"))
    assert "c02" not in in_force(ledger)
    assert {"c00", "c01", "one-more"} <= {*in_force(ledger)}
    assert consent(ledger, "c02")["status"] == "active"
    assert policy(ledger)["ended"] is True
    ledger.submit(ALICE, "RevokeConsent", named("alice", "c02"))
    assert len(in_force(ledger)) == 32


def test_a_consent_is_over_with_its_signers_authority_too(ledger: Staged) -> None:
    appoint(ledger, PETRA, "alice", until=NOW + 10)
    ledger.submit(PETRA, "GrantConsent", signed("alice", "by-proxy"))
    for number in range(31):
        ledger.submit(ALICE, "GrantConsent", signed("alice", f"c{number:02}"))
    ledger.now += 10
    ledger.submit(ALICE, "GrantConsent", signed("alice", "one-more"))
    assert "by-proxy" not in in_force(ledger)


class TestPaper:
    """A registrar records what was signed on paper; somebody else must confirm it (A29)."""

    def test_a_recorded_paper_allows_nothing(self, ledger: Staged) -> None:
        ledger.submit(RITA, "GrantConsent", signed("alice", "c1"))
        paper = consent(ledger, "c1")
        assert (paper["status"], paper["performer"], paper["recorded_by"]) == ("proposed", "paper", "rita")
        assert (paper["proposed_at"], paper["granted_at"], paper["confirmed_by"]) == (NOW, None, "")
        assert paper["granted"] == {**terms(), "authority": [None, None]}
        assert policy(ledger)["version"] == 0
        assert opened(ledger, CAROL, opening("alice", "r1")).reasons == ("NO_CONSENT",)

    def test_a_paper_answers_a_request(self, ledger: Staged) -> None:
        ledger.submit(CAROL, "ProposeConsent", proposal("alice", "c1"))
        ledger.now += 60
        ledger.submit(RITA, "GrantConsent", signed("alice", "c1"))
        paper = consent(ledger, "c1")
        assert (paper["proposer"], paper["proposed_at"], paper["asked"]) == ("carol", NOW, terms())

    def test_the_patient_may_still_sign_herself(self, ledger: Staged) -> None:
        ledger.submit(RITA, "GrantConsent", signed("alice", "c1"))
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
        assert (consent(ledger, "c1")["performer"], consent(ledger, "c1")["recorded_by"]) == ("patient", "alice")

    def test_a_paper_replaces_nothing_before_it_is_confirmed(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
        ledger.submit(RITA, "GrantConsent", signed("alice", "c2", replaces="c1"))
        assert in_force(ledger) == ["c1"]
        assert consent(ledger, "c2")["replaces"] == "c1"
        assert consent(ledger, "c1")["status"] == "active"

    def test_a_practitioner_records_no_paper(self, ledger: Staged) -> None:
        with refused("forbidden"):
            ledger.submit(CAROL, "GrantConsent", signed("alice", "c1"))

    def test_a_registrar_of_another_hospital_records_nothing(self, ledger: Staged) -> None:
        with refused("wrong-organization"):
            ledger.submit(REMY, "GrantConsent", signed("bob", "c1"))
        with refused("wrong-organization"):
            ledger.submit(REMY, "RevokeConsent", named("bob", "c1"))

    def test_a_registrar_ends_a_permission(self, ledger: Staged) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
        ledger.submit(RITA, "RevokeConsent", named("alice", "c1"))
        assert in_force(ledger) == []

    @pytest.mark.parametrize("what", [terms(type="deny"), terms(provision(type="deny"))], ids=["base", "exception"])
    def test_a_registrar_lifts_no_refusal(self, ledger: Staged, what: dict[str, object]) -> None:
        ledger.submit(ALICE, "GrantConsent", signed("alice", "c1", what))
        with refused("forbidden"):
            ledger.submit(RITA, "RevokeConsent", named("alice", "c1"))
        assert in_force(ledger) == ["c1"]


@pytest.mark.parametrize(
    ("caller", "name", "arguments"),
    [
        (ALICE, "RevokeConsent", named("alice", "c1")),
        (ALICE, "GrantConsent", signed("alice", "c2", terms(type="deny"))),
        (VAULT, "ErasePatient", {"patient_id": "alice", "certificate": digest("gone")}),
    ],
    ids=["revoke", "grant", "erase"],
)
def test_every_change_of_the_policy_makes_accesses_in_flight_invalid(
    ledger: Staged, caller: Caller, name: str, arguments: dict[str, object]
) -> None:
    ledger.submit(ALICE, "GrantConsent", signed("alice", "c1"))
    access = ledger.endorse(CAROL, "OpenRecords", opening("alice", "r1"))
    change = ledger.endorse(caller, name, arguments)
    assert ledger.commit([change, access]) == [True, False]
