"""The dialog's consents: valid FHIR, compiled, and deciding as the patient chose (DECISION.md 6, C10, A25)."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.consent import Consent as R4Consent

from app.consent.artefact import Artefact, block, dissent, sharing
from app.consent.codes import ACT_CODE, ACT_REASON, CATEGORY, CONFIDENTIALITY, OWN_PURPOSE
from app.consent.compile import Compiled, compile_consent
from app.consent.describe import Directory, RecordFacts, Request, describe_record, describe_request
from app.consent.reading import UnreadableError, read_artefact
from app.consent.tags import clear_tag, tag
from app.consent.terms import Category, Labels
from ledger.contract.canonical import decode_object, encode
from ledger.contract.decision import Decision, Emergency, Policy, Provision, Reason, decide, decide_index
from ledger.contract.errors import ContractError
from tests.support.sharing import ALDER, ASKED, CAROL, RADIOLOGY, SIGNED_AT, SIGNING, signing, terms

DAY = 86_400
ALL = [
    sharing(ASKED, SIGNING),
    sharing(terms(ai_inference=False, ai_training=False), SIGNING),
    sharing(terms(made_from="", made_until=""), SIGNING),
    sharing(terms(made_from=""), signing(status="proposed", language="de", zone="+01:00")),
    sharing(terms(grantee=RADIOLOGY), SIGNING),
    sharing(terms(grantee=ALDER, purpose=(ACT_REASON, "HQUALIMP")), SIGNING),
    sharing(terms(purpose=("https://x/projects", "heart-17")), SIGNING),
    sharing(terms(purpose=(OWN_PURPOSE, "REWARD")), SIGNING),
    *(
        sharing(terms(labels=labels, emergency_opens=opens), SIGNING)
        for labels in (Labels.NORMAL_ONLY, Labels.NOT_MENTAL_HEALTH)
        for opens in (True, False)
    ),
    sharing(ASKED, signing(representative="e" * 26, representative_until="2027-05-18")),
    sharing(ASKED, signing(representative="e" * 26)),
    *(block(person, SIGNING, emergency_opens=opens) for person in (CAROL, RADIOLOGY, ALDER) for opens in (True, False)),
    *(dissent(SIGNING, emergency_opens=opens) for opens in (True, False)),
]


@pytest.mark.parametrize("artefact", ALL)
def test_every_consent_of_the_dialog_is_valid_r4_and_compiles(artefact: Artefact) -> None:
    R4Consent.model_validate_json(artefact.consent)
    compiled = compiled_of(artefact, keyed=True)
    for wire in (compiled.terms()["base"],):
        Provision.from_wire(wire)
    assert compiled.patient == "Patient/" + "ab" * 16
    assert compiled.consent.custodians == {"BirchMSP"}
    assert compiled.consent.consent_id == "c4rt8"


@pytest.mark.parametrize("artefact", ALL)
def test_the_envelope_is_read_as_written(artefact: Artefact) -> None:
    assert Artefact.from_bytes(artefact.to_bytes()) == artefact
    assert set(decode_object(artefact.to_bytes())) == {
        "consent",
        "context",
        "text_id",
        "language",
        "retention_days",
        "assisted_by",
    }


def test_an_envelope_of_another_form_is_refused() -> None:
    whole = decode_object(ALL[0].to_bytes())
    bad: list[dict[str, Any]] = [
        {"note": ""},
        {"consent": {}},
        {"context": None},
        {"text_id": 1},
        {"language": None},
        {"retention_days": "30"},
        {"assisted_by": []},
    ]
    for changes in bad:
        with pytest.raises(ContractError):
            Artefact.from_bytes(encode(whole | changes))
    for name in whole:
        with pytest.raises(ContractError):
            Artefact.from_bytes(encode({key: value for key, value in whole.items() if key != name}))
    with pytest.raises(ContractError):
        Artefact.from_bytes(ALL[0].to_bytes() + b" ")


def compiled_of(artefact: Artefact, *, keyed: bool = False) -> Compiled:
    result = compile_consent(artefact.consent, artefact.context, tag(b"k" * 32) if keyed else clear_tag)
    assert isinstance(result, Compiled), result
    return result


def answer(
    artefact: Artefact,
    code: str = "TREAT",
    *,
    person: str = "c" * 26,
    organization: str = "AlderMSP",
    action: str = "access",
    category: Category = Category.CYTOLOGY,
    made: str = "2026-01-10",
    marks: str = "",
    at: int = SIGNED_AT,
    functions: tuple[str, ...] = (),
) -> Decision:
    stated = tuple((CONFIDENTIALITY if len(mark) == 1 else ACT_CODE, mark) for mark in marks.split())
    facts = RecordFacts(
        "r", "r", classes=((CATEGORY, category.value),), first=made, labels=stated, custodian="BirchMSP"
    )
    request = Request(
        person, organization, (ACT_REASON, code), action, at, functions=functions, emergency=code == "BTG"
    )
    ask = describe_request(request, Directory(), clear_tag)
    return decide(Policy((compiled_of(artefact).consent,)), ask, describe_record(facts, 0, clear_tag))


CARE = sharing(terms(ai_inference=False, ai_training=False), SIGNING)
CASES: list[tuple[dict[str, Any], Reason]] = [
    ({}, Reason.PERMITTED_BY_CONSENT),
    ({"code": "COC"}, Reason.PERMITTED_BY_CONSENT),
    ({"code": "HPAYMT"}, Reason.PURPOSE_NOT_COVERED),
    ({"code": "TREATDS", "action": "use"}, Reason.PURPOSE_NOT_COVERED),
    ({"code": "MLTRAINING"}, Reason.PURPOSE_NOT_COVERED),
    ({"action": "disclose"}, Reason.ACTION_NOT_COVERED),
    ({"person": "d" * 26}, Reason.ACTOR_NOT_COVERED),
    ({"category": Category.DOCUMENT}, Reason.CATEGORY_NOT_COVERED),
    ({"made": "2024-11-24"}, Reason.PERMITTED_BY_CONSENT),
    ({"made": "2026-11-24"}, Reason.PERMITTED_BY_CONSENT),
    ({"made": "2024-11-23"}, Reason.DATE_NOT_COVERED),
    ({"made": "2026-11-25"}, Reason.DATE_NOT_COVERED),
    ({"made": "2024"}, Reason.DATE_NOT_COVERED),
    ({"marks": "V PSY"}, Reason.PERMITTED_BY_CONSENT),
    ({"at": SIGNED_AT + 30 * DAY - 1}, Reason.PERMITTED_BY_CONSENT),
    ({"at": SIGNED_AT + 30 * DAY}, Reason.EXPIRED),
]


@pytest.mark.parametrize(("changes", "reason"), CASES)
def test_a_sharing_allows_exactly_its_terms(changes: dict[str, Any], reason: Reason) -> None:
    assert answer(CARE, **changes).reason is reason


def test_one_choice_of_days_sets_the_end_and_the_retention() -> None:
    for days in (1, 7, 30, 90):
        artefact = sharing(terms(keep_open_days=days), SIGNING)
        consent = compiled_of(artefact).consent
        assert (consent.base.valid_from, consent.base.valid_until) == (None, SIGNED_AT + days * DAY)
        assert {each.valid_until for each in consent.nested} == {SIGNED_AT + days * DAY}
        assert artefact.retention_days == days


AI: list[tuple[bool, bool, dict[str, Any], Reason]] = [
    (True, False, {"code": "TREATDS", "action": "use"}, Reason.PERMITTED_BY_CONSENT),
    (True, False, {"code": "TREATDS", "action": "access"}, Reason.ACTION_NOT_COVERED),
    (True, False, {"code": "TREATDS", "action": "use", "category": Category.IMAGE}, Reason.CATEGORY_NOT_COVERED),
    (True, False, {"code": "TREATDS", "action": "use", "person": "d" * 26}, Reason.ACTOR_NOT_COVERED),
    (True, False, {"code": "TREATDS", "action": "use", "made": "2020-01-01"}, Reason.DATE_NOT_COVERED),
    (True, False, {"code": "MLTRAINING"}, Reason.PURPOSE_NOT_COVERED),
    (True, False, {}, Reason.PERMITTED_BY_CONSENT),
    (False, True, {"code": "TREATDS", "action": "use"}, Reason.PURPOSE_NOT_COVERED),
    (False, True, {"code": "MLTRAINING"}, Reason.PERMITTED_BY_CONSENT),
    (False, True, {"code": "MLTRAINING", "person": "d" * 26}, Reason.PERMITTED_BY_CONSENT),
    (False, True, {"code": "MLTRAINING", "organization": "CedarMSP", "person": "d" * 26}, Reason.ACTOR_NOT_COVERED),
    (False, True, {"code": "MLTRAINING", "category": Category.LABORATORY}, Reason.CATEGORY_NOT_COVERED),
    (False, True, {"person": "d" * 26}, Reason.PURPOSE_NOT_COVERED),
]


@pytest.mark.parametrize(("inference", "training", "changes", "reason"), AI)
def test_each_use_of_ai_is_a_consent_of_its_own(
    changes: dict[str, Any], reason: Reason, *, inference: bool, training: bool
) -> None:
    artefact = sharing(terms(ai_inference=inference, ai_training=training), SIGNING)
    assert answer(artefact, **changes).reason is reason


def test_ai_is_not_written_where_no_model_can_read() -> None:
    images = terms(categories=frozenset({Category.IMAGE}))
    assert "provision" not in json.loads(sharing(images, SIGNING).consent)["provision"]


LABELS: list[tuple[Labels, bool, str, str, str, Reason]] = [
    (Labels.NORMAL_ONLY, True, "TREAT", "", "access", Reason.PERMITTED_BY_CONSENT),
    (Labels.NORMAL_ONLY, True, "TREAT", "R", "access", Reason.LABEL_NOT_COVERED),
    (Labels.NORMAL_ONLY, True, "TREAT", "HIV", "access", Reason.LABEL_NOT_COVERED),
    (Labels.NORMAL_ONLY, True, "TREATDS", "HIV", "use", Reason.LABEL_NOT_COVERED),
    (Labels.NORMAL_ONLY, True, "BTG", "V HIV", "access", Reason.PERMITTED_BY_CONSENT),
    (Labels.NORMAL_ONLY, False, "BTG", "R", "access", Reason.LABEL_NOT_COVERED),
    (Labels.NOT_MENTAL_HEALTH, True, "TREAT", "HIV", "access", Reason.PERMITTED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, True, "TREAT", "PSY", "access", Reason.DENIED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, True, "TREAT", "PSYTHPN HIV", "access", Reason.DENIED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, True, "BTG", "PSY", "access", Reason.PERMITTED_BREAK_GLASS),
    (Labels.NOT_MENTAL_HEALTH, False, "BTG", "PSY", "access", Reason.DENIED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, False, "TREAT", "PSY", "access", Reason.DENIED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, False, "TREAT", "HIV", "access", Reason.PERMITTED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, True, "TREATDS", "PSY", "use", Reason.LABEL_NOT_COVERED),
    (Labels.NOT_MENTAL_HEALTH, True, "TREATDS", "HIV ETHUD", "use", Reason.PERMITTED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, True, "TREATDS", "V", "use", Reason.PERMITTED_BY_CONSENT),
    (Labels.NOT_MENTAL_HEALTH, True, "MLTRAINING", "PSYTHPN", "access", Reason.LABEL_NOT_COVERED),
    (Labels.NOT_MENTAL_HEALTH, True, "MLTRAINING", "STD", "access", Reason.PERMITTED_BY_CONSENT),
]


@pytest.mark.parametrize(("labels", "opens", "code", "marks", "action", "reason"), LABELS)
def test_what_stays_closed_stays_closed_as_answered(
    labels: Labels, code: str, marks: str, action: str, reason: Reason, *, opens: bool
) -> None:
    artefact = sharing(terms(labels=labels, emergency_opens=opens), SIGNING)
    assert answer(artefact, code, marks=marks, action=action).reason is reason


def test_the_answer_for_emergencies_is_compiled_as_the_table_says() -> None:
    opened = compiled_of(sharing(terms(labels=Labels.NOT_MENTAL_HEALTH), SIGNING)).consent.nested[-1]
    closed = compiled_of(
        sharing(terms(labels=Labels.NOT_MENTAL_HEALTH, emergency_opens=False), SIGNING)
    ).consent.nested[-1]
    assert (opened.emergency, sorted(opened.purposes)) == (Emergency.YIELDS, ["TREAT"])
    assert (closed.emergency, sorted(closed.purposes)) == (Emergency.HOLDS, ["ETREAT", "TREAT"])


def test_a_sharing_with_a_role_or_a_hospital() -> None:
    role = sharing(terms(grantee=RADIOLOGY, ai_training=False), SIGNING)
    assert answer(role, person="d" * 26, functions=("f1",)).reason is Reason.PERMITTED_BY_CONSENT
    assert answer(role, person="d" * 26, functions=("f2",)).reason is Reason.ACTOR_NOT_COVERED
    assert answer(role, person="d" * 26, functions=("f1",), organization="CedarMSP").reason is Reason.ACTOR_NOT_COVERED
    everyone = sharing(terms(grantee=ALDER), SIGNING)
    assert answer(everyone, person="d" * 26).reason is Reason.PERMITTED_BY_CONSENT
    assert answer(everyone, person="d" * 26, organization="CedarMSP").reason is Reason.ACTOR_NOT_COVERED


@pytest.mark.parametrize(
    ("opens", "reason", "other"),
    [
        (True, Reason.PERMITTED_BY_CONSENT, Reason.ACTOR_NOT_COVERED),
        (False, Reason.DENIED_BY_CONSENT, Reason.NO_CONSENT),
    ],
)
def test_a_block_of_a_person_is_for_all_purposes(reason: Reason, other: Reason, *, opens: bool) -> None:
    artefact = block(CAROL, SIGNING, emergency_opens=opens)
    for code in ("TREAT", "HQUALIMP", "HRESCH", "TREATDS", "MLTRAINING", "HMARKT"):
        assert answer(artefact, code).reason is Reason.DENIED_BY_CONSENT
    assert answer(artefact, person="d" * 26).reason is other
    assert answer(artefact, "BTG").reason is reason
    assert answer(artefact, "BTG", person="d" * 26).reason is Reason.PERMITTED_BREAK_GLASS
    assert artefact.retention_days == 0
    ask = describe_request(
        Request("c" * 26, "AlderMSP", (ACT_REASON, "TREAT"), "access", SIGNED_AT), Directory(), clear_tag
    )
    both = Policy((compiled_of(CARE).consent, compiled_of(artefact).consent))
    assert decide_index(both, ask).reason is Reason.DENY_OVERRIDES


@pytest.mark.parametrize(
    ("opens", "reason", "other"),
    [
        (True, Reason.PERMITTED_BY_CONSENT, Reason.PURPOSE_NOT_COVERED),
        (False, Reason.DENIED_BY_CONSENT, Reason.NO_CONSENT),
    ],
)
def test_a_general_dissent_is_for_care_payment_and_operations(reason: Reason, other: Reason, *, opens: bool) -> None:
    artefact = dissent(SIGNING, emergency_opens=opens)
    for code in ("TREAT", "COC", "HPAYMT", "HOPERAT", "HQUALIMP"):
        assert answer(artefact, code, person="d" * 26).reason is Reason.DENIED_BY_CONSENT
    assert answer(artefact, "HRESCH").reason is other
    assert answer(artefact, "BTG").reason is reason


def test_a_representative_signs_while_she_may() -> None:
    artefact = sharing(ASKED, signing(representative="e" * 26, representative_until="2026-11-30"))
    assert compiled_of(artefact).consent.authority == (None, 1_796_083_200)
    assert answer(artefact).reason is Reason.PERMITTED_BY_CONSENT
    assert answer(artefact, at=1_796_083_200).reason is Reason.AUTHORITY_ENDED
    assert compiled_of(sharing(ASKED, signing(representative="e" * 26))).consent.authority == (None, None)


def test_the_raw_consent_says_what_the_dialog_says() -> None:
    consent = json.loads(sharing(ASKED, signing(language="de", status="proposed")).consent)
    assert consent["status"] == "proposed"
    assert consent["dateTime"] == "2026-11-24T14:31:00Z"
    assert consent["sourceAttachment"] == {"contentType": "text/plain", "language": "de", "title": "consent/1"}
    assert consent["policy"] == [{"uri": "https://assent.example.org/policies/sharing/1"}]
    assert consent["performer"] == [{"reference": "Patient/" + "ab" * 16}]
    base = consent["provision"]
    assert base["period"] == {"end": "2026-12-24T14:30:59Z"}
    assert base["dataPeriod"] == {"start": "2024-11-24", "end": "2026-11-24"}
    assert [each["code"] for each in base["class"]] == ["image", "laboratory", "cytology"]
    assert base["actor"][0]["reference"]["display"] == "Dr Carol Specimen"
    assert base["actor"][0]["reference"]["identifier"]["assigner"]["display"] == "Alder Hospital"


@pytest.mark.parametrize(
    ("left", "days", "end"), [(2 * DAY + 1, 3, 2 * DAY + 1), (2 * DAY, 2, 2 * DAY), (1, 1, 1), (90 * DAY, 30, 30 * DAY)]
)
def test_what_replaces_a_consent_ends_no_later_and_is_kept_no_longer(left: int, days: int, end: int) -> None:
    made = replace(SIGNING, ends_by=SIGNED_AT + left)
    artefact = sharing(terms(keep_open_days=30), made)
    assert artefact.retention_days == days
    assert compiled_of(artefact).consent.base.valid_until == SIGNED_AT + end
    read = read_artefact(artefact)
    assert read.terms is not None
    assert read.signing.end(read.terms) == SIGNED_AT + end


def test_an_earlier_end_that_would_be_kept_longer_has_no_words() -> None:
    artefact = sharing(terms(keep_open_days=30), replace(SIGNING, ends_by=SIGNED_AT + 2 * DAY))
    with pytest.raises(UnreadableError):
        read_artefact(replace(artefact, retention_days=3))
