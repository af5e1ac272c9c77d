"""What is not accepted, and in which order it is found (DECISION.md 3.1)."""

import json
from typing import Any

import pytest

from app.consent.compile import compile_consent
from app.consent.context import Context
from app.consent.refusal import Refusal, RefusalCode
from app.consent.tags import clear_tag
from tests.support.consents import action, actor, coding, compiled, consent, context, data, labels, purpose, refused
from tests.support.shared import shared_data

SOURCE = {"title": "consent/1"}
URI = {"uri": "https://assent.example.org/policies/sharing/1"}
IRCP = {"coding": [coding("v3-ParticipationType", "IRCP")]}
CAROL = {"reference": "Practitioner/carol"}

HEADS: list[tuple[dict[str, Any], str]] = [
    ({"resourceType": "Contract"}, "WRONG_RESOURCE_TYPE"),
    ({"resourceType": None}, "WRONG_RESOURCE_TYPE"),
    ({"implicitRules": "https://x"}, "UNKNOWN_MODIFIER"),
    ({"modifierExtension": [{"url": "https://x"}]}, "UNKNOWN_MODIFIER"),
    ({"patient": {"reference": "Patient/alice", "modifierExtension": []}}, "UNKNOWN_MODIFIER"),
    ({"contained": [{"resourceType": "Group", "modifierExtension": []}]}, "UNKNOWN_MODIFIER"),
    ({"note": "x"}, "UNKNOWN_FIELD"),
    ({"_status": {"id": "x"}}, "UNKNOWN_FIELD"),
    ({"grantor": [{"reference": "Patient/alice"}]}, "UNKNOWN_FIELD"),
    ({"verification": [{"verified": True}]}, "VERIFICATION_NOT_ALLOWED"),
    ({"verification": []}, "VERIFICATION_NOT_ALLOWED"),
    ({"status": "on"}, "UNKNOWN_STATUS"),
    ({"status": None}, "UNKNOWN_STATUS"),
    ({"status": ["active"]}, "UNKNOWN_STATUS"),
    ({"scope": None}, "WRONG_SCOPE"),
    ({"scope": "patient-privacy"}, "WRONG_SCOPE"),
    ({"scope": {"coding": "patient-privacy"}}, "WRONG_SCOPE"),
    ({"scope": {"coding": ["patient-privacy"]}}, "WRONG_SCOPE"),
    ({"scope": {"coding": [coding("consentscope", "research")]}}, "WRONG_SCOPE"),
    ({"scope": {"coding": [coding("https://x/scope", "patient-privacy")]}}, "WRONG_SCOPE"),
    ({"patient": None}, "MISSING_PATIENT"),
    ({"patient": {}}, "MISSING_PATIENT"),
    ({"patient": {"reference": ""}}, "MISSING_PATIENT"),
    ({"patient": {"reference": 5}}, "MISSING_PATIENT"),
    ({"patient": "Patient/alice"}, "MISSING_PATIENT"),
    ({"dateTime": None}, "MISSING_DATETIME"),
    ({"dateTime": ""}, "MISSING_DATETIME"),
    ({"performer": None}, "MISSING_PERFORMER"),
    ({"performer": []}, "MISSING_PERFORMER"),
    ({"performer": [{}]}, "MISSING_PERFORMER"),
    ({"performer": [{"reference": "Patient/alice"}, {"display": "x"}]}, "MISSING_PERFORMER"),
    ({"performer": {"reference": "Patient/alice"}}, "MISSING_PERFORMER"),
    ({"organization": None}, "MISSING_ORGANIZATION"),
    ({"organization": []}, "MISSING_ORGANIZATION"),
    ({"organization": [{}]}, "MISSING_ORGANIZATION"),
    ({"sourceAttachment": None}, "MISSING_SOURCE"),
    ({"sourceAttachment": {}}, "MISSING_SOURCE"),
    ({"sourceAttachment": SOURCE, "sourceReference": {"reference": "DocumentReference/1"}}, "TWO_SOURCES"),
    ({"sourceAttachment": SOURCE, "sourceReference": {}}, "TWO_SOURCES"),
    ({"policy": None}, "MISSING_POLICY"),
    ({"policy": []}, "MISSING_POLICY"),
    ({"policy": [{"authority": "https://x"}]}, "MISSING_POLICY"),
    ({"policy": [{"uri": ""}]}, "MISSING_POLICY"),
    ({"policy": [{"uri": 5}]}, "MISSING_POLICY"),
    ({"policy": ["https://x"]}, "MISSING_POLICY"),
    ({"policy": URI}, "MISSING_POLICY"),
    ({"policy": None, "policyRule": {"text": "x"}}, "MISSING_POLICY"),
    ({"policy": [URI, URI]}, "TWO_POLICIES"),
    ({"policy": [URI, {}]}, "TWO_POLICIES"),
    ({"policyRule": {"text": "x"}}, "TWO_POLICIES"),
    ({"provision": None}, "MISSING_PROVISION_TYPE"),
    ({"provision": {}}, "MISSING_PROVISION_TYPE"),
    ({"provision": {"type": ""}}, "MISSING_PROVISION_TYPE"),
    ({"provision": [{"type": "permit"}]}, "MISSING_PROVISION_TYPE"),
    ({"performer": [{"reference": "Practitioner/carol"}]}, "PERFORMER_NOT_ENTITLED"),
    ({"performer": [{"reference": "Patient/bob"}]}, "PERFORMER_NOT_ENTITLED"),
    ({"performer": [{"reference": "Patient/alice"}, {"reference": "Practitioner/carol"}]}, "PERFORMER_NOT_ENTITLED"),
    ({"provision": {"type": "permit", "provision": [{"type": "deny", "provision": []}]}}, "NESTING_TOO_DEEP"),
    ({"provision": {"type": "permit", "provision": [{}, {"provision": [{"type": "deny"}]}]}}, "NESTING_TOO_DEEP"),
    ({"dateTime": "yesterday"}, "INVALID_DATE"),
    ({"dateTime": "2026-02-30"}, "INVALID_DATE"),
    ({"dateTime": 2026}, "INVALID_DATE"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), HEADS)
def test_a_head_that_breaks_a_rule_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refused(consent(**changes)) == code


PROVISIONS: list[tuple[dict[str, Any], str]] = [
    ({"note": "x"}, "UNKNOWN_FIELD"),
    ({"extension": []}, "UNKNOWN_FIELD"),
    ({"purpose": []}, "UNKNOWN_FIELD"),
    ({"purpose": None}, "UNKNOWN_FIELD"),
    ({"purpose": "TREAT"}, "UNKNOWN_FIELD"),
    ({"purpose": ["TREAT"]}, "UNKNOWN_FIELD"),
    ({"actor": {}}, "UNKNOWN_FIELD"),
    ({"action": [None]}, "UNKNOWN_FIELD"),
    ({"class": [5]}, "UNKNOWN_FIELD"),
    ({"code": []}, "UNKNOWN_FIELD"),
    ({"data": "x"}, "UNKNOWN_FIELD"),
    ({"securityLabel": []}, "UNKNOWN_FIELD"),
    ({"period": {}}, "UNKNOWN_FIELD"),
    ({"period": {"id": "x"}}, "UNKNOWN_FIELD"),
    ({"period": []}, "UNKNOWN_FIELD"),
    ({"period": {"start": "2026", "begin": "2025"}}, "UNKNOWN_FIELD"),
    ({"dataPeriod": {"_end": {}}}, "UNKNOWN_FIELD"),
    ({"dataPeriod": None}, "UNKNOWN_FIELD"),
    ({"type": "allow"}, "UNKNOWN_PROVISION_TYPE"),
    ({"type": ["permit"]}, "UNKNOWN_PROVISION_TYPE"),
    ({"period": {"start": "soon"}}, "INVALID_DATE"),
    ({"period": {"end": None}}, "INVALID_DATE"),
    ({"period": {"end": "2027-02-29"}}, "INVALID_DATE"),
    ({"dataPeriod": {"start": "2026-06-10T10:00:00"}}, "INVALID_DATE"),
    ({"dataPeriod": {"start": "2026", "end": 5}}, "INVALID_DATE"),
    ({"period": {"start": "2026-06-30", "end": "2026-06-29"}}, "PERIOD_END_BEFORE_START"),
    ({"period": {"start": "2026-06-30T10:00:00Z", "end": "2026-06-30T11:59:59+02:00"}}, "PERIOD_END_BEFORE_START"),
    ({"dataPeriod": {"start": "2026-06", "end": "2026-05"}}, "DATA_PERIOD_END_BEFORE_START"),
    ({"purpose": purpose("TREATMENT")}, "UNKNOWN_PURPOSE"),
    ({"purpose": purpose("TREAT", "OPTIN")}, "UNKNOWN_PURPOSE"),
    ({"purpose": [coding("https://x/reason", "TREAT")]}, "UNKNOWN_PURPOSE"),
    ({"purpose": [{"code": "TREAT"}]}, "UNKNOWN_PURPOSE"),
    ({"purpose": [{"system": coding("v3-ActReason", "")["system"]}]}, "UNKNOWN_PURPOSE"),
    ({"purpose": purpose("REWARD")}, "UNKNOWN_PURPOSE"),
    ({"purpose": [coding("https://x/projects", "heart-18")]}, "UNKNOWN_PURPOSE"),
    ({"purpose": [{}]}, "UNKNOWN_PURPOSE"),
    ({"securityLabel": labels("PSYCH")}, "UNKNOWN_LABEL"),
    ({"securityLabel": labels("N", "SUD")}, "UNKNOWN_LABEL"),
    ({"securityLabel": [coding("v3-ActCode", "R")]}, "UNKNOWN_LABEL"),
    ({"securityLabel": [coding("v3-Confidentiality", "PSY")]}, "UNKNOWN_LABEL"),
    ({"securityLabel": [coding("https://x/label", "R")]}, "UNKNOWN_LABEL"),
    ({"securityLabel": [{}]}, "UNKNOWN_LABEL"),
    ({"actor": [{"reference": CAROL}]}, "UNKNOWN_ACTOR_ROLE"),
    ({"actor": [{"role": {}, "reference": CAROL}]}, "UNKNOWN_ACTOR_ROLE"),
    ({"actor": [{"role": {"coding": [coding("v3-ParticipationType", "AUT")]}, "reference": CAROL}]},
     "UNKNOWN_ACTOR_ROLE"),
    ({"actor": [{"role": {"coding": [coding("https://x/role", "IRCP")]}, "reference": CAROL}]}, "UNKNOWN_ACTOR_ROLE"),
    ({"actor": [*actor("Practitioner/carol"), {"role": {}}]}, "UNKNOWN_ACTOR_ROLE"),
    ({"actor": actor("Patient/alice")}, "UNSUPPORTED_ACTOR"),
    ({"actor": actor("CareTeam/1")}, "UNSUPPORTED_ACTOR"),
    ({"actor": actor("carol")}, "UNSUPPORTED_ACTOR"),
    ({"actor": actor("Practitioner/")}, "UNSUPPORTED_ACTOR"),
    ({"actor": actor("")}, "UNSUPPORTED_ACTOR"),
    ({"actor": actor("Practitioner/carol", "#carol")}, "UNSUPPORTED_ACTOR"),
    ({"actor": [{"role": IRCP}]}, "UNSUPPORTED_ACTOR"),
    ({"action": action("export")}, "UNKNOWN_ACTION"),
    ({"action": action("access", "read")}, "UNKNOWN_ACTION"),
    ({"action": [{"coding": [coding("https://x/action", "access")]}]}, "UNKNOWN_ACTION"),
    ({"action": [{"text": "access"}]}, "UNKNOWN_ACTION"),
    ({"action": [{"coding": []}]}, "UNKNOWN_ACTION"),
    ({"data": data("dependents", "Observation/1")}, "UNSUPPORTED_DATA_MEANING"),
    ({"data": [{"reference": {"reference": "Observation/1"}}]}, "UNSUPPORTED_DATA_MEANING"),
    ({"data": [{"meaning": ["instance"]}]}, "UNSUPPORTED_DATA_MEANING"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), PROVISIONS)
def test_a_provision_that_breaks_a_rule_is_refused_at_either_level(changes: dict[str, Any], code: str) -> None:
    assert refused(consent({"type": "permit"} | changes)) == code
    assert refused(consent({"type": "permit"}, {"type": "deny"}, {"type": "deny"} | changes)) == code


def test_an_exception_has_a_type() -> None:
    assert refused(consent({"type": "permit"}, {})) == "MISSING_PROVISION_TYPE"
    assert refused(consent({"type": "permit"}, {"type": ""})) == "MISSING_PROVISION_TYPE"
    assert refused(consent({"type": "permit", "provision": []})) == "UNKNOWN_FIELD"
    assert refused(consent({"type": "permit", "provision": {}})) == "UNKNOWN_FIELD"
    assert refused(consent({"type": "permit", "provision": [5]})) == "UNKNOWN_FIELD"


def test_the_base_is_looked_at_before_its_exceptions() -> None:
    bad_base, bad_exception = {"type": "permit", "action": action("read")}, {"type": "deny", "note": ""}
    assert refused(consent(bad_base, bad_exception)) == "UNKNOWN_ACTION"
    assert (
        refused(consent({"type": "permit"}, bad_exception, {"type": "deny", "purpose": purpose("X")}))
        == "UNKNOWN_FIELD"
    )


TEXTS = [
    ("", "WRONG_RESOURCE_TYPE"),
    ("null", "WRONG_RESOURCE_TYPE"),
    ("[]", "WRONG_RESOURCE_TYPE"),
    ("{", "WRONG_RESOURCE_TYPE"),
    ('{"resourceType": "Consent"', "WRONG_RESOURCE_TYPE"),
    ('{"resourceType": NaN}', "WRONG_RESOURCE_TYPE"),
    ('{"a": "\\ud800"}', "WRONG_RESOURCE_TYPE"),
    ("[" * 100_000, "WRONG_RESOURCE_TYPE"),
    ('{"a":' * 100_000, "WRONG_RESOURCE_TYPE"),
    ('{"a": ' + "9" * 5000 + "}", "WRONG_RESOURCE_TYPE"),
    ('{"a": 1, "a": 1}', "DUPLICATE_KEY"),
    ('{"a": [{"b": {"c": 1, "c": 2}}]}', "DUPLICATE_KEY"),
    ('{"resourceType": "Group", "a": {"c": 1, "\\u0063": 2}}', "DUPLICATE_KEY"),
]


@pytest.mark.parametrize(("text", "code"), TEXTS)
def test_what_is_no_consent_at_all(text: str, code: str) -> None:
    assert refused(text) == code


def test_a_duplicate_is_found_first() -> None:
    raw = json.dumps(consent(resourceType="Group", note="x"))
    assert refused(raw[:-1] + ', "note": "y"}') == "DUPLICATE_KEY"


def test_the_first_rule_broken_names_the_refusal() -> None:
    """A consent that breaks every rule loses them one by one, in the order of the table."""
    broken: dict[str, Any] = {
        "resourceType": "Group",
        "implicitRules": "https://x",
        "note": "x",
        "verification": [{}],
        "status": "on",
        "scope": {},
        "policyRule": {},
        "dateTime": "",
        "patient": {},
        "performer": [],
        "organization": [],
        "policy": [],
        "provision": {},
    }
    mended: list[tuple[str, dict[str, Any]]] = [
        ("WRONG_RESOURCE_TYPE", {"resourceType": "Consent"}),
        ("UNKNOWN_MODIFIER", {"implicitRules": None}),
        ("UNKNOWN_FIELD", {"note": None}),
        ("VERIFICATION_NOT_ALLOWED", {"verification": None}),
        ("UNKNOWN_STATUS", {"status": "proposed"}),
        ("WRONG_SCOPE", {"scope": consent()["scope"]}),
        ("MISSING_PATIENT", {"patient": {"reference": "Patient/alice"}}),
        ("MISSING_DATETIME", {"dateTime": "soon"}),
        ("MISSING_PERFORMER", {"performer": [{"reference": "Practitioner/carol"}]}),
        ("MISSING_ORGANIZATION", {"organization": [{"reference": "Organization/north"}]}),
        ("MISSING_SOURCE", {"sourceReference": {"reference": "DocumentReference/1"}, "sourceAttachment": SOURCE}),
        ("TWO_SOURCES", {"sourceAttachment": None}),
        ("MISSING_POLICY", {"policy": [URI]}),
        ("TWO_POLICIES", {"policyRule": None}),
        ("MISSING_PROVISION_TYPE", {"provision": {"type": "allow", "provision": [{"provision": []}], "note": 1}}),
        ("PERFORMER_NOT_ENTITLED", {"performer": [{"reference": "RelatedPerson/erin"}]}),
        ("NESTING_TOO_DEEP", {"provision": {"type": "allow", "provision": [{}], "note": 1}}),
        ("INVALID_DATE", {"dateTime": "2026-01-15"}),
    ]
    state = consent(**broken) | {"provision": {}}
    del state["sourceAttachment"]
    for code, change in mended:
        assert refused(state) == code
        state = {name: value for name, value in (state | change).items() if value is not None}
    provision: list[tuple[str, dict[str, Any]]] = [
        ("UNKNOWN_FIELD", {"type": "", "note": 1}),
        ("MISSING_PROVISION_TYPE", {"note": None}),
        ("UNKNOWN_PROVISION_TYPE", {"type": "allow", "period": {"start": "x"}}),
        ("INVALID_DATE", {"type": "permit"}),
        ("PERIOD_END_BEFORE_START", {"period": {"start": "2026", "end": "2025"}}),
        ("DATA_PERIOD_END_BEFORE_START", {"period": None, "dataPeriod": {"start": "2026", "end": "2025"}}),
        ("UNKNOWN_PURPOSE", {"dataPeriod": None, "purpose": purpose("X")}),
        ("UNKNOWN_LABEL", {"purpose": None, "securityLabel": labels("X")}),
        ("UNKNOWN_ACTOR_ROLE", {"securityLabel": None, "actor": [{}]}),
        ("UNSUPPORTED_ACTOR", {"actor": actor("Patient/alice")}),
        ("UNKNOWN_ACTION", {"actor": None, "action": action("read")}),
        ("UNSUPPORTED_DATA_MEANING", {"action": None, "data": [{}]}),
    ]
    worst: dict[str, Any] = {
        "period": {"start": "2026", "end": "2025"},
        "dataPeriod": {"start": "2026", "end": "2025"},
        "purpose": purpose("X"),
        "securityLabel": labels("X"),
        "actor": [{}],
        "action": action("read"),
        "data": [{}],
    }
    for code, change in provision:
        worst = {name: value for name, value in (worst | change).items() if value is not None}
        assert refused(consent({"type": "permit"}, worst)) == code


def test_the_codes_stand_in_the_order_of_the_table() -> None:
    assert [code.value for code in RefusalCode] == [code.name for code in RefusalCode]
    assert next(iter(RefusalCode)) is RefusalCode.DUPLICATE_KEY
    assert list(RefusalCode)[-1] is RefusalCode.UNSUPPORTED_DATA_MEANING
    assert len(RefusalCode) == 28


def test_what_may_stand() -> None:
    local = context(local_purposes=frozenset({("https://x/projects", "heart-17")}))
    project = [coding("https://x/projects", "heart-17")]
    reward = [coding("https://assent.example.org/fhir/CodeSystem/purpose-of-use", "REWARD")]
    assert compiled(consent({"type": "permit", "purpose": project}), local).consent.base.purposes == {
        "https://x/projects:heart-17"
    }
    assert refused(consent({"type": "permit", "purpose": project})) == "UNKNOWN_PURPOSE"
    assert compiled(consent({"type": "permit", "purpose": reward})).consent.base.purposes == {
        "https://assent.example.org/fhir/CodeSystem/purpose-of-use:REWARD"
    }
    empty = context(local_purposes=frozenset({("", "x"), ("https://x", "")}))
    assert refused(consent({"type": "permit", "purpose": [{"code": "x"}]}), empty) == "UNKNOWN_PURPOSE"
    assert refused(consent({"type": "permit", "purpose": [{"system": "https://x"}]}), empty) == "UNKNOWN_PURPOSE"
    for status in ("draft", "proposed", "active", "rejected", "inactive", "entered-in-error"):
        assert compiled(consent(status=status)).consent.status == status
    for each in ("collect", "access", "use", "disclose", "correct"):
        assert compiled(consent({"type": "permit", "action": action(each)})).consent.base.actions == {each}
    everything: dict[str, Any] = {
        name: [{}] for name in ("meta", "text", "identifier", "contained", "extension", "language")
    }
    assert (
        compiled(consent(**everything, sourceAttachment=None, sourceReference={"display": "x"})).patient
        == "Patient/alice"
    )
    assert compiled(consent({"type": "permit", "id": "x", "period": {"id": "x", "end": "2027"}})).consent.nested == ()


def test_the_examples_of_hl7_are_refused() -> None:
    """They use policyRule, and all but one have no type: a foreign consent is never executed (A49)."""
    paths = sorted((shared_data() / "fhir").glob("Consent-*.json"))
    assert len(paths) == 12
    for path in paths:
        result = compile_consent(path.read_text(encoding="utf-8"), Context(), clear_tag)
        assert isinstance(result, Refusal), path.name
