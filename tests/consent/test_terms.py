"""Terms: the patient may cut each of them and widen none."""

from typing import Any

import pytest

from app.consent.codes import ACT_REASON
from app.consent.terms import (
    AI_CATEGORIES,
    DAYS,
    Category,
    Grantee,
    GranteeKind,
    Labels,
    Narrowing,
    Terms,
    WideningError,
    narrowings,
)
from ledger.contract.canonical import decode, encode
from ledger.contract.errors import ContractError
from tests.support.sharing import ALDER, ASKED, CAROL, RADIOLOGY, terms

DAN = Grantee(GranteeKind.PRACTITIONER, "AlderMSP", "Alder Hospital", name="Dr Dan Sample", subject="d" * 26)
ELSEWHERE = Grantee(GranteeKind.PRACTITIONER, "CedarMSP", "Cedar Hospital", name="Dr Dan Sample", subject="d" * 26)
NURSES = Grantee(GranteeKind.ROLE, "AlderMSP", "Alder Hospital", name="Nurses", function="f2")
CAROL_RADIOLOGIST = Grantee(
    GranteeKind.PRACTITIONER, "AlderMSP", "Alder Hospital", name="Dr Carol Specimen", subject="c" * 26, function="f1"
)
IMAGE, CYTOLOGY, LABORATORY = Category.IMAGE, Category.CYTOLOGY, Category.LABORATORY

NARROWER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({}, {"categories": frozenset({IMAGE, CYTOLOGY})}),
    ({}, {"keep_open_days": 7}),
    ({}, {"keep_open_days": 1}),
    ({}, {"keep_open_days": 30}),
    ({}, {"made_from": "2025-11-24"}),
    ({}, {"made_from": "2026-11-24"}),
    ({"made_from": ""}, {"made_from": "2025-11-24"}),
    ({}, {"made_until": "2025-11-24"}),
    ({"made_until": ""}, {"made_until": "2025-11-24"}),
    ({"made_until": ""}, {"made_until": ""}),
    ({"made_until": ""}, {"made_from": "9999-12-31"}),
    ({}, {"ai_inference": False}),
    ({}, {"ai_training": False}),
    ({}, {"labels": Labels.NOT_MENTAL_HEALTH}),
    ({}, {"labels": Labels.NORMAL_ONLY, "emergency_opens": False}),
    ({"labels": Labels.NORMAL_ONLY}, {"emergency_opens": False}),
    ({"grantee": ALDER}, {"grantee": CAROL}),
    ({"grantee": ALDER}, {"grantee": RADIOLOGY}),
    ({"grantee": ALDER}, {"grantee": ALDER}),
    ({"grantee": RADIOLOGY}, {"grantee": RADIOLOGY}),
    ({"grantee": RADIOLOGY}, {"grantee": CAROL_RADIOLOGIST}),
]


@pytest.mark.parametrize(("asked", "changes"), NARROWER)
def test_the_asked_value_or_less_may_be_chosen(asked: dict[str, Any], changes: dict[str, Any]) -> None:
    assert terms(**asked).narrowed(**changes) == terms(**asked | changes)


WIDER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"categories": ASKED.categories | {Category.HEART}}, "categories"),
    ({}, {"categories": frozenset()}, "categories"),
    ({}, {"categories": frozenset({Category.HEART})}, "categories"),
    ({}, {"keep_open_days": 31}, "keep_open_days"),
    ({}, {"keep_open_days": 0}, "keep_open_days"),
    ({}, {"made_from": "2024-11-23"}, "made_from"),
    ({}, {"made_from": ""}, "made_from"),
    ({}, {"made_from": "2026-11-25"}, "made_from"),
    ({}, {"made_until": "2024-11-23"}, "made_from"),
    ({}, {"made_until": "2026-11-25"}, "made_until"),
    ({}, {"made_until": ""}, "made_until"),
    ({"ai_inference": False}, {"ai_inference": True}, "ai_inference"),
    ({"ai_training": False}, {"ai_training": True}, "ai_training"),
    ({"labels": Labels.NORMAL_ONLY}, {"labels": Labels.ALL}, "labels"),
    ({"labels": Labels.NORMAL_ONLY}, {"labels": Labels.NOT_MENTAL_HEALTH}, "labels"),
    ({"labels": Labels.NOT_MENTAL_HEALTH}, {"labels": Labels.NORMAL_ONLY}, "labels"),
    ({"emergency_opens": False}, {"emergency_opens": True}, "emergency_opens"),
    ({}, {"purpose": (ACT_REASON, "COC")}, "purpose"),
    ({}, {"grantee": DAN}, "grantee"),
    ({}, {"grantee": ALDER}, "grantee"),
    ({}, {"grantee": ELSEWHERE}, "grantee"),
    ({"grantee": ALDER}, {"grantee": ELSEWHERE}, "grantee"),
    ({"grantee": RADIOLOGY}, {"grantee": ALDER}, "grantee"),
    ({"grantee": RADIOLOGY}, {"grantee": NURSES}, "grantee"),
    ({"grantee": RADIOLOGY}, {"grantee": CAROL}, "grantee"),
]


@pytest.mark.parametrize(("asked", "changes", "name"), WIDER)
def test_nothing_may_be_widened(asked: dict[str, Any], changes: dict[str, Any], name: str) -> None:
    with pytest.raises(WideningError, match=f"more than was asked: {name}$"):
        terms(**asked).narrowed(**changes)


def test_everything_that_is_wider_is_named() -> None:
    with pytest.raises(WideningError, match=r"more than was asked: keep_open_days, purpose$"):
        ASKED.narrowed(keep_open_days=60, purpose=(ACT_REASON, "COC"))


def test_ai_falls_away_with_the_last_category_that_a_model_reads() -> None:
    cut = ASKED.narrowed(categories=frozenset({IMAGE}))
    assert (cut.ai_inference, cut.ai_training, [*cut.ai_categories]) == (False, False, [])
    kept = ASKED.narrowed(categories=frozenset({CYTOLOGY}))
    assert (kept.ai_inference, kept.ai_training, [*kept.ai_categories]) == (True, True, [CYTOLOGY])
    assert {Category.CYTOLOGY, Category.HEART} == AI_CATEGORIES
    assert DAYS == (1, 7, 30, 90)


def test_what_was_narrowed_is_told_in_the_order_of_the_dialog() -> None:
    allowed = ASKED.narrowed(ai_training=False, keep_open_days=7, categories=frozenset({IMAGE, CYTOLOGY}))
    assert narrowings(ASKED, allowed) == (
        Narrowing("categories", ASKED.categories, frozenset({IMAGE, CYTOLOGY})),
        Narrowing("keep_open_days", 30, 7),
        Narrowing("ai_training", asked=True, allowed=False),
    )
    assert narrowings(ASKED, ASKED) == ()


def test_terms_are_read_as_written() -> None:
    for each in (ASKED, terms(grantee=RADIOLOGY, made_from="", made_until="", labels=Labels.NORMAL_ONLY)):
        assert Terms.from_wire(decode(encode(each.to_wire()))) == each
    assert ASKED.to_wire()["categories"] == ["cytology", "image", "laboratory"]


WIRE: dict[str, Any] = ASKED.to_wire()
BAD: list[dict[str, Any]] = [
    {"note": ""},
    {"grantee": {}},
    {"grantee": None},
    {"grantee": {**WIRE["grantee"], "kind": "person"}},
    {"grantee": {**WIRE["grantee"], "kind": None}},
    {"grantee": {**WIRE["grantee"], "name": 5}},
    {"purpose": ["TREAT"]},
    {"purpose": "TREAT"},
    {"purpose": ["a", "b", "c"]},
    {"categories": []},
    {"categories": ["xray"]},
    {"categories": None},
    {"keep_open_days": 0},
    {"keep_open_days": 36_526},
    {"keep_open_days": "7"},
    {"made_from": "2026"},
    {"made_from": "2026-02-30"},
    {"made_from": "2026-06-10T10:00:00Z"},
    {"made_from": None},
    {"made_until": "soon"},
    {"ai_inference": 1},
    {"ai_training": None},
    {"labels": "some"},
    {"emergency_opens": "yes"},
]


@pytest.mark.parametrize("changes", BAD)
def test_terms_of_another_form_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractError) as refused:
        Terms.from_wire(WIRE | changes)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("name", sorted(WIRE))
def test_terms_have_all_their_members(name: str) -> None:
    with pytest.raises(ContractError):
        Terms.from_wire({key: value for key, value in WIRE.items() if key != name})
    with pytest.raises(ContractError):
        Terms.from_wire([])


def test_the_longest_terms_are_read() -> None:
    assert Terms.from_wire(WIRE | {"keep_open_days": 36_525}).keep_open_days == 36_525
    assert Terms.from_wire(WIRE | {"keep_open_days": 1}).keep_open_days == 1
