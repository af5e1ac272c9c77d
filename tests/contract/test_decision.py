"""The decision, rule by rule (DECISION.md 5, 6 and 8)."""

from typing import Any

import pytest

from ledger.contract.decision import (
    REASON_ORDER,
    Ask,
    Consent,
    Decision,
    Emergency,
    Outcome,
    Policy,
    Provision,
    Reason,
    Record,
    decide,
    nearest,
)
from tests.support.decisions import (
    CAROL,
    FRANK,
    NORTH,
    NOW,
    WARD,
    ask,
    break_glass,
    consent,
    deny,
    permit,
    policy,
    record,
)


def permitted(reason: Reason, deciding: str = "", overridden: str = "", until: int | None = None) -> Decision:
    return Decision(Outcome.PERMIT, reason, tuple(deciding.split()), tuple(overridden.split()), until)


def denied(reason: Reason, deciding: str = "", overridden: str = "") -> Decision:
    return Decision(Outcome.DENY, reason, tuple(deciding.split()), tuple(overridden.split()), None)


BY_CONSENT = permitted(Reason.PERMITTED_BY_CONSENT, "c#0")
GROUP_LOST = ("group", "lost")

GAPS: list[tuple[Provision, Ask, Record, Reason | None]] = [
    # who
    (permit(actors=[CAROL]), ask(), record(), None),
    (permit(actors=[FRANK]), ask(), record(), Reason.ACTOR_NOT_COVERED),
    (permit(actors=[FRANK, NORTH]), ask(), record(), None),
    (permit(actors=[WARD]), ask(), record(), None),
    (permit(actors=[GROUP_LOST]), ask(), record(), Reason.ACTOR_NOT_COVERED),
    (permit(actors=[("practitioner", "lost")]), ask(), record(), Reason.ACTOR_NOT_COVERED),
    (permit(actors=[("anyone",)]), ask(), record(), None),
    (permit(actors=[("never",)]), ask(), record(), Reason.ACTOR_NOT_COVERED),
    # what for
    (permit(purposes=["TREAT"]), ask(purpose="BTG", emergency=True), record(), None),
    (permit(purposes=["TREAT"]), ask(purpose="ETREAT"), record(), None),
    (permit(purposes=["ETREAT"]), ask(), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(purposes=["HRESCH"]), ask(purpose="CLINTRCHPC"), record(), None),
    (permit(), ask(purpose="CLINTRCHPC"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(), ask(purpose="HRESCH"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(), ask(purpose="TREATDS"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(), ask(purpose="MLTRAINING"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(), ask(purpose="HMARKT"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(), ask(purpose="https://x:REWARD"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(), ask(purpose="FRAUD"), record(), None),
    (permit(purposes=["TREAT"]), ask(purpose="TREATDS"), record(), Reason.PURPOSE_NOT_COVERED),
    (permit(purposes=["https://x:REWARD"]), ask(purpose="https://x:REWARD"), record(), None),
    # what kind of use
    (permit(actions=["use"]), ask(), record(), Reason.ACTION_NOT_COVERED),
    (permit(actions=["use", "access"]), ask(), record(), None),
    # which records
    (permit(classes=["ct"]), ask(), record(), None),
    (permit(classes=["lab"]), ask(), record(), Reason.CATEGORY_NOT_COVERED),
    (permit(codes=["chest"]), ask(), record(), None),
    (permit(codes=["knee"]), ask(), record(), Reason.CATEGORY_NOT_COVERED),
    (permit(classes=["ct"], codes=["knee"]), ask(), record(), Reason.CATEGORY_NOT_COVERED),
    (permit(classes=["lab"], codes=["chest"]), ask(), record(), Reason.CATEGORY_NOT_COVERED),
    # when made: all groups for a permit
    (permit(period=["m1"]), ask(), record(), None),
    (permit(period=["m2"]), ask(), record(), Reason.DATE_NOT_COVERED),
    (permit(period=["m1"]), ask(), record(dates=(frozenset({"m1"}), frozenset({"m2"}))), Reason.DATE_NOT_COVERED),
    (permit(period=["m1", "m2"]), ask(), record(dates=(frozenset({"m1"}), frozenset({"m2"}))), None),
    # by whom, which visit, which records: one element
    (permit(authors=["erin"]), ask(), record(), Reason.AUTHOR_NOT_COVERED),
    (permit(related=["plan"]), ask(), record(), Reason.RELATION_NOT_COVERED),
    (permit(records=["other"]), ask(), record(), Reason.INSTANCE_NOT_COVERED),
    (permit(authors=["erin"], related=["visit"]), ask(), record(), None),
    (permit(authors=["dan"], records=["other"]), ask(), record(), None),
    (permit(related=["plan"], records=["r"]), ask(), record(), None),
    (permit(authors=["erin"], related=["plan"], records=["other"]), ask(), record(), Reason.AUTHOR_NOT_COVERED),
    (permit(related=["plan"], records=["other"]), ask(), record(), Reason.RELATION_NOT_COVERED),
    # labels: a permit must cover every sensitivity once it names one
    (permit(levels=["N"]), ask(), record(), None),
    (permit(levels=["N"]), ask(), record(level="R"), Reason.LABEL_NOT_COVERED),
    (permit(levels=["N"]), ask(), record(sensitivities=["PSY"]), None),
    (permit(levels=["N"], sensitivities=["PSY"]), ask(), record(sensitivities=["PSY"]), None),
    (
        permit(levels=["N"], sensitivities=["PSY"]),
        ask(),
        record(sensitivities=["PSY", "HIV"]),
        Reason.LABEL_NOT_COVERED,
    ),
    (permit(levels=["N"], sensitivities=["PSY"]), ask(), record(), None),
    (permit(levels=["R"], sensitivities=["PSY"]), ask(), record(sensitivities=["PSY"]), Reason.LABEL_NOT_COVERED),
]


@pytest.mark.parametrize(("provision", "asked", "opened", "expected"), GAPS)
def test_a_permit_opens_or_names_its_first_gap(
    provision: Provision, asked: Ask, opened: Record, expected: Reason | None
) -> None:
    answer = BY_CONSENT if expected is None else denied(expected)
    assert decide(policy(consent(provision)), asked, opened) == answer


ORDER: list[tuple[dict[str, Any], Reason]] = [
    ({"actors": [FRANK]}, Reason.ACTOR_NOT_COVERED),
    ({"purposes": ["HPAYMT"]}, Reason.PURPOSE_NOT_COVERED),
    ({"actions": ["use"]}, Reason.ACTION_NOT_COVERED),
    ({"classes": ["lab"]}, Reason.CATEGORY_NOT_COVERED),
    ({"period": ["m2"]}, Reason.DATE_NOT_COVERED),
    ({"authors": ["erin"]}, Reason.AUTHOR_NOT_COVERED),
    ({"levels": ["U"]}, Reason.LABEL_NOT_COVERED),
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_tests_are_made_in_order(first: int) -> None:
    limits: dict[str, Any] = {}
    for changes, _ in ORDER[first:]:
        limits |= changes
    assert decide(policy(consent(permit(**limits))), ask(), record()) == denied(ORDER[first][1])


DENIES: list[tuple[Provision, Record, bool]] = [
    (deny(), record(), True),
    (deny(actors=[CAROL]), record(), True),
    (deny(actors=[FRANK]), record(), False),
    (deny(actors=[WARD, FRANK]), record(), True),
    (deny(actors=[("group", "lost")]), record(), True),
    (deny(actors=[("group", "other"), FRANK]), record(), True),
    (deny(actors=[("organization", "lost")]), record(), False),
    (deny(purposes=["HPAYMT"]), record(), False),
    (deny(actions=["use"]), record(), False),
    (deny(classes=["lab"]), record(), False),
    (deny(codes=["knee"]), record(), False),
    (deny(period=["m2"]), record(), False),
    (deny(period=["m2"]), record(dates=(frozenset({"m1"}), frozenset({"m2"}))), True),
    (deny(authors=["erin"]), record(), False),
    (deny(authors=["erin"], records=["r"]), record(), True),
    (deny(levels=["R"]), record(), False),
    (deny(levels=["R"]), record(level="R"), True),
    (deny(sensitivities=["PSY"]), record(), False),
    (deny(sensitivities=["PSY"]), record(sensitivities=["PSY", "HIV"]), True),
    (deny(levels=["R"], sensitivities=["PSY"]), record(level="R"), True),
    (deny(levels=["R"], sensitivities=["PSY"]), record(sensitivities=["PSY"]), True),
    (deny(levels=["R"], sensitivities=["PSY"]), record(sensitivities=["HIV"]), False),
]


@pytest.mark.parametrize(("provision", "opened", "matches"), DENIES)
def test_a_deny_beats_the_permit_that_it_matches(provision: Provision, opened: Record, *, matches: bool) -> None:
    open_to_all, refusing = consent(permit(), name="a"), consent(provision, name="b")
    answer = denied(Reason.DENY_OVERRIDES, "b#0", "a#0") if matches else permitted(Reason.PERMITTED_BY_CONSENT, "a#0")
    assert decide(policy(open_to_all, refusing), ask(), opened) == answer
    assert decide(policy(refusing, open_to_all), ask(), opened) == answer


@pytest.mark.parametrize("purpose", ["TREATDS", "HMARKT", "CLINTRCHPC", "https://x:REWARD", "TREAT"])
def test_a_deny_without_purposes_covers_all_of_them(purpose: str) -> None:
    assert decide(policy(consent(deny())), ask(purpose=purpose), record()) == denied(Reason.DENIED_BY_CONSENT, "c#0")


COMBINATIONS: list[tuple[Policy, Decision]] = [
    (policy(), denied(Reason.NO_CONSENT)),
    (policy(ended=True), denied(Reason.NOT_ACTIVE)),
    (policy(consent(deny(actors=[FRANK])), ended=True), denied(Reason.NOT_ACTIVE)),
    (policy(consent(permit(actors=[FRANK])), ended=True), denied(Reason.ACTOR_NOT_COVERED)),
    (policy(consent(deny())), denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny(), name="b"), consent(deny(), name="a")), denied(Reason.DENIED_BY_CONSENT, "a#0 b#0")),
    # an exception beats its base, either way
    (policy(consent(permit(), deny())), denied(Reason.DENIED_BY_CONSENT, "c#1")),
    (policy(consent(deny(), permit())), permitted(Reason.PERMITTED_BY_CONSENT, "c#1")),
    (policy(consent(permit(), deny(actors=[FRANK]))), BY_CONSENT),
    (policy(consent(permit(actors=[FRANK]), permit())), permitted(Reason.PERMITTED_BY_CONSENT, "c#1")),
    (policy(consent(permit(), permit(), permit())), permitted(Reason.PERMITTED_BY_CONSENT, "c#1 c#2")),
    # both in one consent
    (policy(consent(permit(), permit(), deny())), denied(Reason.CONFLICTING_EXCEPTIONS, "c#2")),
    (policy(consent(deny(), deny(), permit())), denied(Reason.CONFLICTING_EXCEPTIONS, "c#1")),
    (
        policy(consent(permit(), permit(), deny(), name="a"), consent(permit(), name="b")),
        denied(Reason.DENY_OVERRIDES, "a#2", "b#0"),
    ),
    (
        policy(consent(permit(), permit(), deny(), name="a"), consent(deny(), name="b")),
        denied(Reason.CONFLICTING_EXCEPTIONS, "a#2 b#0"),
    ),
    (
        policy(consent(permit(), name="a"), consent(deny(actors=[FRANK]), name="b"), consent(permit(), name="d")),
        permitted(Reason.PERMITTED_BY_CONSENT, "a#0 d#0"),
    ),
    # the furthest permit names the reason
    (
        policy(consent(permit(actors=[FRANK]), name="a"), consent(permit(levels=["U"]), name="b")),
        denied(Reason.LABEL_NOT_COVERED),
    ),
    (policy(consent(permit(actors=[FRANK]), permit(classes=["lab"]))), denied(Reason.CATEGORY_NOT_COVERED)),
    (policy(consent(permit(actors=[FRANK]), deny(classes=["lab"]))), denied(Reason.ACTOR_NOT_COVERED)),
    (policy(consent(permit(records=["x"]), permit(related=["x"]))), denied(Reason.RELATION_NOT_COVERED)),
    (policy(consent(permit(records=["x"]), permit(authors=["x"]))), denied(Reason.INSTANCE_NOT_COVERED)),
    # an exception that is not valid now is not there
    (policy(consent(permit(), deny(valid_from=NOW + 1))), BY_CONSENT),
    (policy(consent(permit(), deny(valid_until=NOW))), BY_CONSENT),
    (policy(consent(permit(), deny(valid_from=NOW, valid_until=NOW + 1))), denied(Reason.DENIED_BY_CONSENT, "c#1")),
    (policy(consent(deny(actors=[FRANK]), permit(valid_until=NOW))), denied(Reason.NO_CONSENT)),
]


@pytest.mark.parametrize(("held", "expected"), COMBINATIONS)
def test_consents_are_combined(held: Policy, expected: Decision) -> None:
    assert decide(held, ask(), record()) == expected


STANDING: list[tuple[Consent, Reason | None]] = [
    (consent(permit(valid_from=NOW)), None),
    (consent(permit(valid_from=NOW + 1)), Reason.NOT_YET_VALID),
    (consent(permit(valid_until=NOW)), Reason.EXPIRED),
    (consent(permit(valid_until=NOW - 1)), Reason.EXPIRED),
    (consent(permit(), authority=(NOW, None)), None),
    (consent(permit(), authority=(NOW + 1, None)), Reason.AUTHORITY_ENDED),
    (consent(permit(), authority=(None, NOW)), Reason.AUTHORITY_ENDED),
    (consent(permit(), authority=(0, 0)), Reason.AUTHORITY_ENDED),
    (consent(permit(), status="inactive"), Reason.NOT_ACTIVE),
    (consent(permit(), custodians=["south"]), Reason.CUSTODIAN_NOT_COVERED),
    (consent(permit(), custodians=["south", "north"]), None),
    (consent(permit(valid_until=NOW), custodians=["south"], status="inactive"), Reason.CUSTODIAN_NOT_COVERED),
    (consent(permit(valid_until=NOW), status="inactive"), Reason.NOT_ACTIVE),
    (consent(permit(valid_from=NOW + 1, valid_until=NOW)), Reason.NOT_YET_VALID),
    (consent(permit(valid_until=NOW), authority=(0, 0)), Reason.EXPIRED),
    (consent(deny(valid_until=NOW)), Reason.NO_CONSENT),
    (consent(deny(valid_until=NOW), permit()), Reason.EXPIRED),
]


@pytest.mark.parametrize(("held", "expected"), STANDING)
def test_a_consent_out_of_force_says_nothing(held: Consent, expected: Reason | None) -> None:
    answer = decide(policy(held), ask(), record(custodian="north"))
    assert (answer.reason, answer.is_permit) == (expected or Reason.PERMITTED_BY_CONSENT, expected is None)
    refusing = consent(deny(), name="other")
    assert decide(policy(held, refusing), ask(), record(custodian="north")).is_permit is False


UNTIL: list[tuple[Policy, int | None]] = [
    (policy(consent(permit(valid_until=NOW + 5))), NOW + 5),
    (policy(consent(permit(valid_until=NOW + 5), authority=(None, NOW + 3))), NOW + 3),
    (policy(consent(permit(valid_until=NOW + 2), authority=(None, NOW + 3))), NOW + 2),
    (policy(consent(permit(), authority=(None, NOW + 3))), NOW + 3),
    (policy(consent(permit(valid_until=NOW + 5)), consent(permit(valid_until=NOW + 9), name="d")), NOW + 9),
    (policy(consent(permit(valid_until=NOW + 9)), consent(permit(valid_until=NOW + 5), name="d")), NOW + 9),
    (policy(consent(permit(valid_until=NOW + 5)), consent(permit(), name="d")), None),
    (policy(consent(permit(valid_until=NOW + 9), permit(valid_until=NOW + 4))), NOW + 4),
]


@pytest.mark.parametrize(("held", "expected"), UNTIL)
def test_a_permit_ends_when_the_last_deciding_one_does(held: Policy, expected: int | None) -> None:
    assert decide(held, ask(), record()).until == expected


EMERGENCIES: list[tuple[Policy, Decision]] = [
    # the default, with no permit past person and purpose
    (policy(), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(ended=True), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(frozen=True), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(actors=[FRANK]))), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(purposes=["HPAYMT"]))), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(valid_until=NOW))), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(), authority=(0, 0))), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(deny(actors=[FRANK]))), permitted(Reason.PERMITTED_BREAK_GLASS)),
    (policy(consent(permit(actions=["use"]))), denied(Reason.ACTION_NOT_COVERED)),
    (policy(consent(permit(levels=["U"]))), denied(Reason.LABEL_NOT_COVERED)),
    # an ordinary permit covers BTG
    (policy(consent(permit(purposes=["TREAT"], valid_until=NOW + 5))),
     permitted(Reason.PERMITTED_BY_CONSENT, "c#0", until=NOW + 5)),
    # denies
    (policy(consent(deny())), denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny(), permit(purposes=["BTG"]))), permitted(Reason.PERMITTED_BY_CONSENT, "c#1")),
    (policy(consent(permit(), deny())), denied(Reason.DENIED_BY_CONSENT, "c#1")),
    (policy(consent(permit(), deny(Emergency.YIELDS))), permitted(Reason.PERMITTED_BREAK_GLASS, "c#0", "c#1")),
    (policy(consent(permit(), deny(Emergency.NAMED, actors=[CAROL]))), denied(Reason.DENIED_BY_CONSENT, "c#1")),
    (policy(consent(permit(), deny(Emergency.NAMED, actors=[CAROL, NORTH]))), denied(Reason.DENIED_BY_CONSENT, "c#1")),
    (policy(consent(permit(), deny(Emergency.NAMED, actors=[FRANK, NORTH]))),
     permitted(Reason.PERMITTED_BREAK_GLASS, "c#0", "c#1")),
    (policy(consent(permit(), deny(Emergency.NAMED, actors=[WARD]))),
     permitted(Reason.PERMITTED_BREAK_GLASS, "c#0", "c#1")),
    (policy(consent(permit(), deny(Emergency.YIELDS, actors=[CAROL]))),
     permitted(Reason.PERMITTED_BREAK_GLASS, "c#0", "c#1")),
    (policy(consent(permit(), deny(Emergency.YIELDS), deny())), denied(Reason.DENIED_BY_CONSENT, "c#2")),
    (policy(consent(permit(), deny(Emergency.YIELDS), permit())),
     permitted(Reason.PERMITTED_BREAK_GLASS, "c#2", "c#1")),
    # what was set aside is listed, whoever permits, and by the default too
    (policy(consent(permit(), name="a"), consent(permit(), deny(Emergency.YIELDS), name="b")),
     permitted(Reason.PERMITTED_BREAK_GLASS, "a#0 b#0", "b#1")),
    (policy(consent(permit(actors=[FRANK]), deny(Emergency.YIELDS))),
     permitted(Reason.PERMITTED_BREAK_GLASS, "", "c#1")),
    (policy(consent(permit(levels=["U"]), deny(Emergency.YIELDS))), denied(Reason.LABEL_NOT_COVERED)),
    (policy(consent(permit(), deny(Emergency.YIELDS), name="a"), consent(deny(), name="b")),
     denied(Reason.DENY_OVERRIDES, "b#0", "a#0")),
]  # fmt: skip


@pytest.mark.parametrize(("held", "expected"), EMERGENCIES)
def test_an_emergency_opens_what_the_rule_says(held: Policy, expected: Decision) -> None:
    assert decide(held, break_glass(), record()) == expected


def test_break_glass_needs_a_declared_emergency() -> None:
    refused = denied(Reason.PURPOSE_NOT_AUTHORISED)
    assert decide(policy(consent(permit())), ask(purpose="BTG"), record()) == refused
    assert decide(policy(frozen=True), ask(purpose="BTG"), record()) == refused


@pytest.mark.parametrize("purpose", ["TREAT", "ETREAT", "ERTREAT"])
def test_an_emergency_counts_for_its_own_purpose_only(purpose: str) -> None:
    held = policy(consent(permit(), deny(Emergency.YIELDS)))
    asked = ask(purpose=purpose, emergency=True)
    assert decide(held, asked, record()) == denied(Reason.DENIED_BY_CONSENT, "c#1")
    assert decide(policy(), asked, record()) == denied(Reason.NO_CONSENT)
    assert decide(policy(consent(permit()), frozen=True), asked, record()) == denied(Reason.PATIENT_FROZEN)


def test_an_erased_record_stays_closed_to_everyone() -> None:
    for asked in (ask(), break_glass(), ask(purpose="BTG"), ask(purpose="PATRQT", party="patient")):
        assert decide(policy(consent(permit())), asked, record(erased=True)) == denied(Reason.RECORD_ERASED)


def test_a_frozen_patient_is_closed_but_to_an_emergency() -> None:
    held = policy(consent(permit()), frozen=True)
    assert decide(held, ask(), record()) == denied(Reason.PATIENT_FROZEN)
    assert decide(held, ask(purpose="PATRQT", party="patient"), record()) == denied(Reason.PATIENT_FROZEN)
    assert decide(held, break_glass(), record()) == BY_CONSENT


OWN: list[tuple[Policy, str, str, Decision]] = [
    (policy(), "PATRQT", "patient", permitted(Reason.OWN_RECORD)),
    (policy(), "FAMRQT", "proxy", permitted(Reason.OWN_RECORD)),
    (policy(), "FAMRQT", "patient", permitted(Reason.OWN_RECORD)),
    (policy(), "PATRQT", "", denied(Reason.NO_CONSENT)),
    (policy(), "TREAT", "patient", denied(Reason.NO_CONSENT)),
    (policy(), "PWATRNY", "proxy", denied(Reason.NO_CONSENT)),
    (policy(consent(deny())), "PATRQT", "patient", permitted(Reason.OWN_RECORD)),
    (policy(consent(deny())), "FAMRQT", "proxy", permitted(Reason.OWN_RECORD)),
    (policy(consent(deny(actors=[CAROL]))), "FAMRQT", "proxy", denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny(actors=[CAROL]))), "PATRQT", "proxy", denied(Reason.DENIED_BY_CONSENT, "c#0")),
    (policy(consent(deny(actors=[CAROL]))), "PATRQT", "patient", permitted(Reason.OWN_RECORD)),
    (policy(consent(deny(actors=[FRANK]))), "FAMRQT", "proxy", permitted(Reason.OWN_RECORD)),
    (policy(consent(deny(actors=[NORTH]))), "FAMRQT", "proxy", permitted(Reason.OWN_RECORD)),
    (policy(consent(permit(), deny(actors=[CAROL]))), "FAMRQT", "proxy", denied(Reason.DENIED_BY_CONSENT, "c#1")),
    (policy(consent(deny(actors=[CAROL], classes=["lab"]))), "FAMRQT", "proxy", permitted(Reason.OWN_RECORD)),
    (policy(consent(deny(actors=[CAROL]), permit())), "FAMRQT", "proxy", permitted(Reason.OWN_RECORD)),
]


@pytest.mark.parametrize(("held", "purpose", "party", "expected"), OWN)
def test_the_own_record_is_open_but_to_a_proxy_named_by_a_deny(
    held: Policy, purpose: str, party: str, expected: Decision
) -> None:
    assert decide(held, ask(purpose=purpose, party=party), record()) == expected


NEAREST: list[tuple[Policy, str]] = [
    (policy(), ""),
    (policy(consent(permit())), ""),
    (policy(consent(deny())), ""),
    (policy(consent(permit(levels=["U"]), name="b"), consent(permit(actors=[FRANK]), name="a")), "b#0"),
    (policy(consent(permit(levels=["U"]), permit(levels=["V"]), deny(levels=["U"]), name="b")), "b#0 b#1"),
    (policy(consent(permit(levels=["U"]), name="b"), consent(permit(levels=["V"]), name="a")), "a#0 b#0"),
    (policy(consent(permit(valid_until=NOW), deny(), permit(), name="a")), "a#0 a#2"),
    (policy(consent(permit(valid_until=NOW), name="a"), consent(permit(valid_from=NOW + 1), name="b")), "b#0"),
    (policy(consent(permit(actors=[FRANK]), permit(actors=[FRANK], valid_until=NOW))), "c#0"),
    (policy(consent(permit(valid_until=NOW), name="a"), consent(permit(valid_until=NOW), name="b")), "a#0 b#0"),
    (policy(consent(permit(actors=[FRANK]), name="a"), consent(permit(valid_until=NOW), name="b")), "a#0"),
    (policy(ended=True), ""),
]


@pytest.mark.parametrize(("held", "expected"), NEAREST)
def test_nearest_names_the_permits_that_came_furthest(held: Policy, expected: str) -> None:
    assert nearest(held, ask(), record()) == tuple(expected.split())


def test_nearest_names_the_consent_for_another_custodian() -> None:
    held = policy(consent(permit(), custodians=["south"]), consent(deny(actors=[FRANK]), name="d"))
    assert nearest(held, ask(), record(custodian="north")) == ("c#0",)


def test_the_reasons_stand_in_the_order_of_the_table() -> None:
    expected = [
        "NO_CONSENT",
        "CUSTODIAN_NOT_COVERED",
        "NOT_ACTIVE",
        "EXPIRED",
        "NOT_YET_VALID",
        "AUTHORITY_ENDED",
        "ACTOR_NOT_COVERED",
        "PURPOSE_NOT_COVERED",
        "ACTION_NOT_COVERED",
        "CATEGORY_NOT_COVERED",
        "DATE_NOT_COVERED",
        "AUTHOR_NOT_COVERED",
        "INSTANCE_NOT_COVERED",
        "RELATION_NOT_COVERED",
        "LABEL_NOT_COVERED",
        "PERMITTED_BY_CONSENT",
        "PERMITTED_BREAK_GLASS",
        "DENIED_BY_CONSENT",
        "DENY_OVERRIDES",
        "CONFLICTING_EXCEPTIONS",
        "PURPOSE_NOT_AUTHORISED",
        "RECORD_ERASED",
        "PATIENT_FROZEN",
        "OWN_RECORD",
    ]
    assert [reason.value for reason in sorted(Reason, key=REASON_ORDER.__getitem__)] == expected
    assert all(reason.name == reason.value for reason in Reason)


def test_the_wire_form_of_a_decision() -> None:
    answer = decide(policy(consent(permit(valid_until=NOW + 5), deny(Emergency.YIELDS))), break_glass(), record())
    assert answer.to_wire() == {
        "outcome": "permit",
        "reason": "PERMITTED_BREAK_GLASS",
        "deciding": ["c#0"],
        "overridden": ["c#1"],
        "until": NOW + 5,
    }
    assert decide(policy(), ask(), record()).to_wire() == {
        "outcome": "deny",
        "reason": "NO_CONSENT",
        "deciding": [],
        "overridden": [],
        "until": None,
    }
