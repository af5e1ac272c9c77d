"""What each element compiles to, what an exception inherits, and who signed (DECISION.md 3.2, 3.3 and 6)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.consent.compile import Compiled, compile_consent
from app.consent.context import raw_resource
from app.consent.tags import clear_tag, tag
from ledger.contract.canonical import encode
from ledger.contract.provision import Emergency, Kind, Provision
from tests.support.consents import (
    CATEGORY,
    HL7,
    action,
    actor,
    base_of,
    coding,
    compiled,
    consent,
    context,
    data,
    labels,
    purpose,
    wire_of,
)

DAY = 86_400
JUNE = 1_780_272_000  # 2026-06-01T00:00:00Z


def test_a_bare_provision_limits_nothing() -> None:
    assert base_of({"type": "permit"}) == Provision(Kind.PERMIT)
    assert base_of({"type": "deny"}) == Provision(Kind.DENY)


PERIODS = [
    ({"start": "2026-06-01"}, "+00:00", JUNE, None),
    ({"end": "2026-05-31"}, "+00:00", None, JUNE),
    ({"start": "2026-06-01", "end": "2026-06-01"}, "+00:00", JUNE, JUNE + DAY),
    ({"start": "2026-06", "end": "2026-06"}, "+00:00", JUNE, JUNE + 30 * DAY),
    ({"start": "2026-06-01"}, "+02:00", JUNE - 7200, None),
    ({"end": "2026-05-31"}, "-05:00", None, JUNE + 18_000),
    ({"start": "2026-06-01T00:00:00Z", "end": "2026-06-01T10:00:00Z"}, "+02:00", JUNE, JUNE + 36_001),
    ({"start": "2026-06-01T00:00:00.5Z"}, "+00:00", JUNE + 1, None),
    ({"end": "2026-06-01T00:00:00.5Z"}, "+00:00", None, JUNE + 1),
]


@pytest.mark.parametrize(("stated", "zone", "start", "end"), PERIODS)
@pytest.mark.parametrize("kind", ["permit", "deny"])
def test_a_period_is_inclusive_at_its_precision(
    stated: dict[str, str], zone: str, start: int | None, end: int | None, kind: str
) -> None:
    base = base_of({"type": kind, "period": stated}, context(zone=zone))
    assert (base.valid_from, base.valid_until) == (start, end)


NESTED_PERIODS = [
    ({}, {"start": "2026-06-02"}, JUNE + DAY, None),
    ({"end": "2026-06-03"}, {"start": "2026-06-02"}, JUNE + DAY, JUNE + 3 * DAY),
    ({"start": "2026-06-01", "end": "2026-06-09"}, {"start": "2026-05-01", "end": "2026-06-30"}, JUNE, JUNE + 9 * DAY),
    ({"start": "2026-06-01", "end": "2026-06-09"}, {"start": "2026-06-02", "end": "2026-06-03"},
     JUNE + DAY, JUNE + 3 * DAY),
    ({"start": "2026-06-01", "end": "2026-06-09"}, {}, JUNE, JUNE + 9 * DAY),
]  # fmt: skip


@pytest.mark.parametrize(("base", "own", "start", "end"), NESTED_PERIODS)
def test_an_exception_is_valid_only_while_its_base_is(
    base: dict[str, str], own: dict[str, str], start: int | None, end: int | None
) -> None:
    outer = {"type": "permit"} | ({"period": base} if base else {})
    inner = {"type": "deny"} | ({"period": own} if own else {})
    (nested,) = compiled(consent(outer, inner)).consent.nested
    assert (nested.valid_from, nested.valid_until) == (start, end)


ROLE: dict[str, Any] = {
    "resourceType": "PractitionerRole",
    "id": "radiology",
    "organization": {"reference": "Organization/north"},
    "code": [{"coding": [{"system": "s", "code": "nurse"}, {"system": "s", "code": "doctor"}]}],
}
RADIOLOGY = "PractitionerRole/radiology"
NOBODY, ANYONE = ["never"], ["anyone"]
ROLES = [["role", "north", "doctor"], ["role", "north", "nurse"]]
PERSONS = [["practitioner", "carol", "north", "doctor"], ["practitioner", "carol", "north", "nurse"]]
CAROL = {"practitioner": {"reference": "Practitioner/carol"}}

# references, the role's changes, entries in a permit, entries in a deny
ACTORS: list[tuple[tuple[str, ...], dict[str, Any], list[list[str]], list[list[str]]]] = [
    (("Practitioner/carol",), {}, [["practitioner", "carol"]], [["practitioner", "carol"]]),
    (("RelatedPerson/erin",), {}, [["practitioner", "erin"]], [["practitioner", "erin"]]),
    (("Organization/north",), {}, [["organization", "north"]], [["organization", "north"]]),
    (("Group/ward",), {}, [["group", "ward"]], [["group", "ward"]]),
    (("Device/wdbc",), {}, [["device", "device=Device/wdbc"]], [["device", "device=Device/wdbc"]]),
    (("Practitioner/dan", "Practitioner/carol", "Practitioner/dan"), {},
     [["practitioner", "carol"], ["practitioner", "dan"]], [["practitioner", "carol"], ["practitioner", "dan"]]),
    (("Practitioner/lost",), {}, [NOBODY], [ANYONE]),
    (("Organization/lost",), {}, [NOBODY], [ANYONE]),
    (("Group/lost",), {}, [NOBODY], [ANYONE]),
    (("Practitioner/lost", "Practitioner/carol"), {}, [["practitioner", "carol"]], [ANYONE, ["practitioner", "carol"]]),
    ((RADIOLOGY,), {}, ROLES, ROLES),
    ((RADIOLOGY,), {"active": True}, ROLES, ROLES),
    ((RADIOLOGY,), {"active": False}, [NOBODY], [NOBODY]),
    ((RADIOLOGY,), CAROL, PERSONS, PERSONS),
    ((RADIOLOGY,), {"practitioner": {"reference": "Practitioner/lost"}}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"practitioner": {}}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"organization": {"reference": "Organization/lost"}}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"organization": None}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"code": []}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"code": "nurse"}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"code": [{"coding": [{"system": "s", "code": "lost"}]}]}, [NOBODY], [ANYONE]),
    ((RADIOLOGY,), {"code": [{"coding": [{"system": "s", "code": "nurse"}]}, {"coding": [{"code": "lost"}]}]},
     [["role", "north", "nurse"]], [ANYONE, ["role", "north", "nurse"]]),
    (("PractitionerRole/lost",), {}, [NOBODY], [ANYONE]),
    (("PractitionerRole/lost", RADIOLOGY), {}, ROLES, [ANYONE, *ROLES]),
    ((RADIOLOGY, "Practitioner/carol"), {"active": False}, [["practitioner", "carol"]], [["practitioner", "carol"]]),
]  # fmt: skip


@pytest.mark.parametrize(("references", "changes", "permitted", "denied"), ACTORS)
def test_an_actor_that_cannot_be_resolved_counts_against_disclosure(
    references: tuple[str, ...], changes: dict[str, Any], permitted: list[list[str]], denied: list[list[str]]
) -> None:
    about = context(ROLE | changes)
    assert wire_of({"type": "permit", "actor": actor(*references)}, "actors", about) == permitted
    assert wire_of({"type": "deny", "actor": actor(*references)}, "actors", about) == denied


def test_resources_that_cannot_be_read_are_unknown() -> None:
    twice = raw_resource(ROLE)[:-1] + ', "active": true, "active": false}'
    for raws in ((twice,), ("not json",), ("[]",), (raw_resource({"resourceType": "Group", "id": "radiology"}),)):
        about = context(resources=raws)
        assert wire_of({"type": "permit", "actor": actor(RADIOLOGY)}, "actors", about) == [NOBODY]
    about = context(resources=("not json", raw_resource(ROLE | {"id": 5}), raw_resource(ROLE)))
    assert wire_of({"type": "permit", "actor": actor(RADIOLOGY)}, "actors", about) == ROLES


def test_purposes_actions_classes_and_codes() -> None:
    provision = {
        "type": "permit",
        "purpose": purpose("TREAT", "MLTRAINING", "TREATDS", "TREAT"),
        "action": [*action("use"), {"coding": [*action("access")[0]["coding"], *action("collect")[0]["coding"]]}],
        "class": [coding(CATEGORY, "image"), coding(CATEGORY, "heart")],
        "code": [{"coding": [coding("http://loinc.org", "1-8"), coding("http://loinc.org", "2-6")]}, {"text": "x"}],
    }
    wire = base_of(provision).to_wire()
    assert wire["purposes"] == ["MLTRAINING", "TREAT", "TREATDS"]
    assert wire["actions"] == ["access", "collect", "use"]
    assert wire["classes"] == [f"class={CATEGORY}|heart", f"class={CATEGORY}|image"]
    assert wire["codes"] == ["code=http://loinc.org|1-8", "code=http://loinc.org|2-6"]


@pytest.mark.parametrize("kind", ["permit", "deny"])
def test_a_stated_element_never_becomes_no_limit(kind: str) -> None:
    assert wire_of({"type": kind, "class": [{"display": "x"}]}, "classes") == ["never"]
    assert wire_of({"type": kind, "class": [{"system": "s"}]}, "classes") == ["never"]
    assert wire_of({"type": kind, "class": [{"code": "x"}]}, "classes") == ["class=|x"]
    assert wire_of({"type": kind, "code": [{"text": "x"}]}, "codes") == ["never"]
    assert wire_of({"type": kind, "code": [{"coding": [{}]}]}, "codes") == ["never"]


def dates(text: str) -> list[str]:
    return sorted(f"date={cell}" for cell in text.split())


def exact(text: str) -> list[str]:
    return sorted(f"exact={cell}" for cell in text.split())


# stated, zone, days of a permit, days of a deny, cells above them
DATA_PERIODS = [
    ({"start": "2026-06-10", "end": "2026-06-11"}, "+00:00", "2026-06-10 2026-06-11", "2026-06-10 2026-06-11",
     "2 20 202 2026 2026-06"),
    ({"start": "2026-06", "end": "2026-06"}, "+00:00", "2026-06", "2026-06", "2 20 202 2026"),
    ({"start": "9998"}, "+00:00", "9998 9999", "9998 9999", "9 99 999"),
    ({"end": "0002"}, "+00:00", "0001 0002", "0001 0002", "0 00 000"),
    ({"start": "2026-06-10T00:00:00Z", "end": "2026-06-10T23:59:59Z"}, "+00:00", "2026-06-10", "2026-06-10",
     "2 20 202 2026 2026-06"),
    ({"start": "2026-06-10T00:00:01Z", "end": "2026-06-12T23:59:58Z"}, "+00:00", "2026-06-11",
     "2026-06-10 2026-06-11 2026-06-12", "2 20 202 2026 2026-06"),
    ({"start": "2026-06-10T00:00:00.5Z", "end": "2026-06-12T23:59:59.5Z"}, "+00:00", "2026-06-11",
     "2026-06-10 2026-06-11 2026-06-12", "2 20 202 2026 2026-06"),
    ({"start": "2026-06-10T12:00:00Z", "end": "2026-06-10T13:00:00Z"}, "+00:00", "", "2026-06-10",
     "2 20 202 2026 2026-06"),
    ({"start": "2026-06-09T22:00:00Z", "end": "2026-06-10T21:59:59Z"}, "+02:00", "2026-06-10", "2026-06-10",
     "2 20 202 2026 2026-06"),
    ({"start": "2026-06-09T23:59:59.5Z", "end": "2026-06-11T00:00:00Z"}, "+00:00", "2026-06-10",
     "2026-06-09 2026-06-10 2026-06-11", "2 20 202 2026 2026-06"),
    ({"id": "x", "start": "2026-06-10", "end": "2026-06-10"}, "+02:00", "2026-06-10", "2026-06-10",
     "2 20 202 2026 2026-06"),
    ({"start": "0001-01-01T00:00:00+14:00", "end": "0001-01-01"}, "-12:00", "0001-01-01", "0001-01-01",
     "0 00 000 0001 0001-01"),
    ({"end": "0001-01-01T13:59:59+14:00"}, "-12:00", "", "0001-01-01", "0 00 000 0001 0001-01"),
    ({"start": "9999-12-31T23:00:00-12:00"}, "+14:00", "", "9999-12-31", "9 99 999 9999 9999-12"),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "zone", "permitted", "touched", "above"), DATA_PERIODS)
def test_a_permit_has_whole_days_and_a_deny_every_day_it_touches(
    stated: dict[str, str], zone: str, permitted: str, touched: str, above: str
) -> None:
    about = context(zone=zone)
    permit = wire_of({"type": "permit", "dataPeriod": stated}, "period", about)
    assert permit == (dates(permitted) or ["never"])
    deny = wire_of({"type": "deny", "dataPeriod": stated}, "period", about)
    assert deny == [*dates(touched), *exact(above + " unknown")]


def test_data_is_one_element_with_three_meanings() -> None:
    stated = [
        *data("instance", "Observation/1", "Observation/2"),
        *data("related", "Encounter/1"),
        *data("authoredby", "Practitioner/dan"),
    ]
    permit = base_of({"type": "permit", "data": stated})
    assert permit.records == {"record=Observation/1", "record=Observation/2"}
    assert permit.related == {"related=Encounter/1"}
    assert permit.authors == {"author=Practitioner/dan"}
    deny = base_of({"type": "deny", "data": stated})
    assert (deny.records, deny.related) == (permit.records, permit.related)
    assert deny.authors == {"author=Practitioner/dan", "author=unknown"}
    only = base_of({"type": "deny", "data": data("related", "Encounter/1")})
    assert not only.records
    assert not only.authors
    assert only.related == {"related=Encounter/1"}
    assert wire_of({"type": "permit", "data": [{"meaning": "instance"}]}, "records") == ["never"]
    assert wire_of({"type": "permit", "data": [{"meaning": "related"}]}, "related") == ["never"]
    assert wire_of({"type": "deny", "data": [{"meaning": "authoredby"}]}, "authors") == ["author=unknown", "never"]


def both(letters: str) -> set[str]:
    return {f"{kind}={each}" for each in letters for kind in ("level", "sensitive-level")}


def sensitive(letters: str) -> set[str]:
    return {f"sensitive-level={each}" for each in letters}


LABELS: list[tuple[str, tuple[str, ...], set[str], set[str]]] = [
    ("permit", ("N",), both("ULMN"), set()),
    ("permit", ("U",), both("U"), set()),
    ("permit", ("V",), both("ULMNRV"), set()),
    ("permit", ("L", "R", "M"), both("ULMNR"), set()),
    ("deny", ("R",), both("RV"), set()),
    ("deny", ("V", "M", "R"), both("MNRV"), set()),
    ("deny", ("U",), both("ULMNRV"), set()),
    ("permit", ("PSY",), sensitive("ULMNR"), {"PSY"}),
    ("deny", ("PSY",), set(), {"PSY"}),
    ("permit", ("PSY", "HIV"), sensitive("ULMNR"), {"PSY", "HIV"}),
    ("permit", ("N", "PSY"), both("ULMN") | sensitive("ULMNR"), {"PSY"}),
    ("permit", ("V", "PSY"), both("ULMNRV"), {"PSY"}),
    ("deny", ("R", "PSY"), both("RV"), {"PSY"}),
    ("permit", ("ETH",), sensitive("ULMNR"), {"ETH", "ETHUD", "OPIOIDUD"}),
    ("deny", ("ETH",), set(), {"ETH", "ETHUD", "OPIOIDUD"}),
    ("deny", ("ETHUD",), set(), {"ETHUD"}),
]


@pytest.mark.parametrize(("kind", "stated", "levels", "sensitivities"), LABELS)
def test_a_permit_is_up_to_a_label_and_a_deny_from_it(
    kind: str, stated: tuple[str, ...], levels: set[str], sensitivities: set[str]
) -> None:
    base = base_of({"type": kind, "securityLabel": labels(*stated)})
    assert base.levels == levels
    assert base.sensitivities == {f"sensitivity={code}" for code in sensitivities}


BASE: dict[str, Any] = {
    "type": "permit",
    "actor": actor("Practitioner/carol"),
    "purpose": purpose("TREAT"),
    "action": action("access"),
    "class": [coding(CATEGORY, "image")],
    "code": [{"coding": [coding("http://loinc.org", "1-8")]}],
    "dataPeriod": {"start": "2026-06-10", "end": "2026-06-10"},
    "data": data("authoredby", "Practitioner/dan"),
    "securityLabel": labels("N"),
}


def test_an_exception_inherits_and_is_then_translated_by_its_own_type() -> None:
    (nested,) = compiled(consent(BASE, {"type": "deny"})).consent.nested
    assert nested == replace(base_of(BASE | {"type": "deny"}), emergency=Emergency.YIELDS)
    assert nested.authors == {"author=Practitioner/dan", "author=unknown"}
    assert nested.levels == both("NRV")
    assert "exact=unknown" in nested.period


OWN: dict[str, Any] = {
    "actor": actor("Practitioner/dan"),
    "purpose": purpose("COC"),
    "action": action("use"),
    "class": [coding(CATEGORY, "heart")],
    "code": [{"coding": [coding("http://loinc.org", "2-6")]}],
    "dataPeriod": {"start": "2026-06-11", "end": "2026-06-11"},
    "data": data("instance", "Observation/1"),
    "securityLabel": labels("R"),
}


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_exception_takes_its_own_element_instead(name: str) -> None:
    (nested,) = compiled(consent(BASE, {"type": "permit", name: OWN[name]})).consent.nested
    assert nested == base_of(BASE | {name: OWN[name]})


def test_an_exception_does_not_inherit_what_it_must_not() -> None:
    base = BASE | {"id": "x", "period": {"end": "2026-06-30"}}
    (nested,) = compiled(consent(base, {"type": "permit"})).consent.nested
    assert nested == base_of(base)


EMERGENCIES: list[tuple[str, dict[str, Any], Emergency]] = [
    ("permit", {"type": "permit"}, Emergency.HOLDS),
    ("permit", {"type": "permit", "actor": actor("Practitioner/dan")}, Emergency.HOLDS),
    ("permit", {"type": "deny"}, Emergency.YIELDS),
    ("permit", {"type": "deny", "purpose": purpose("TREAT")}, Emergency.YIELDS),
    ("permit", {"type": "deny", "purpose": purpose("ERTREAT")}, Emergency.YIELDS),
    ("permit", {"type": "deny", "purpose": purpose("TREAT", "ETREAT")}, Emergency.HOLDS),
    ("permit", {"type": "deny", "purpose": purpose("BTG")}, Emergency.HOLDS),
    ("permit", {"type": "deny", "actor": actor("Practitioner/dan")}, Emergency.NAMED),
    ("permit", {"type": "deny", "actor": actor("Organization/north")}, Emergency.NAMED),
    ("permit", {"type": "deny", "actor": actor("Practitioner/dan"), "purpose": purpose("BTG")}, Emergency.HOLDS),
    ("deny", {"type": "deny"}, Emergency.HOLDS),
    ("deny", {"type": "deny", "actor": actor("Practitioner/dan")}, Emergency.HOLDS),
    ("deny", {"type": "permit"}, Emergency.HOLDS),
]


@pytest.mark.parametrize(("kind", "exception", "expected"), EMERGENCIES)
def test_only_what_an_exception_states_itself_holds_in_an_emergency(
    kind: str, exception: dict[str, Any], expected: Emergency
) -> None:
    base = {"type": kind, "actor": actor("Practitioner/carol"), "purpose": purpose("TREAT", "BTG")}
    whole = compiled(consent(base, exception)).consent
    assert whole.nested[0].emergency is expected
    assert whole.base.emergency is Emergency.HOLDS


ERIN: dict[str, Any] = {
    "resourceType": "RelatedPerson",
    "id": "erin",
    "patient": {"reference": "Patient/alice"},
    "period": {"start": "2026-06-01", "end": "2026-06-14"},
}
HENRY: dict[str, Any] = {
    "resourceType": "RelatedPerson",
    "id": "henry",
    "active": True,
    "patient": {"reference": "Patient/alice"},
    "period": {"start": "2026-06-03"},
}
BY_ERIN = [{"reference": "RelatedPerson/erin"}]
GUARDED = (JUNE, JUNE + 14 * DAY)

REPRESENTATIVES: list[tuple[dict[str, Any], tuple[int | None, int | None]]] = [
    ({}, GUARDED),
    ({"active": True}, GUARDED),
    ({"active": False}, (0, 0)),
    ({"patient": {"reference": "Patient/bob"}}, (0, 0)),
    ({"patient": None}, (0, 0)),
    ({"id": "other"}, (0, 0)),
    ({"period": {}}, (0, 0)),
    ({"period": "2026"}, (0, 0)),
    ({"period": {"end": "soon"}}, (0, 0)),
    ({"period": {"until": "2026"}}, (0, 0)),
    ({"period": {"end": "2026-06-14"}}, (None, JUNE + 14 * DAY)),
]


@pytest.mark.parametrize(("changes", "expected"), REPRESENTATIVES)
def test_a_representative_has_the_authority_that_can_be_read(
    changes: dict[str, Any], expected: tuple[int | None, int | None]
) -> None:
    about = context(ERIN | changes)
    assert compiled(consent(performer=BY_ERIN), about).consent.authority == expected


def test_everyone_who_signed_must_be_entitled() -> None:
    about = context(ERIN, HENRY)
    henry = [{"reference": "RelatedPerson/henry"}]
    alice = [{"reference": "Patient/alice"}]
    both_of_them = (JUNE + 2 * DAY, JUNE + 14 * DAY)
    assert compiled(consent(), about).consent.authority == (None, None)
    assert compiled(consent(performer=henry), about).consent.authority == (JUNE + 2 * DAY, None)
    assert compiled(consent(performer=BY_ERIN + henry), about).consent.authority == both_of_them
    assert compiled(consent(performer=henry + alice + BY_ERIN), about).consent.authority == both_of_them
    assert compiled(consent(performer=[*BY_ERIN, {"reference": "RelatedPerson/lost"}]), about).consent.authority == (
        JUNE,
        0,
    )
    timeless = context({name: value for name, value in ERIN.items() if name != "period"})
    assert compiled(consent(performer=BY_ERIN), timeless).consent.authority == (None, None)


def test_the_zone_bounds_a_representative_too() -> None:
    about = context(ERIN, zone="+02:00")
    assert compiled(consent(performer=BY_ERIN), about).consent.authority == (JUNE - 7200, JUNE + 14 * DAY - 7200)


def test_what_else_a_compiled_consent_says() -> None:
    whole = compiled(consent(organization=[{"reference": "Organization/north"}, {"reference": "Organization/south"}]))
    assert whole.consent.custodians == {"north", "south"}
    assert (whole.consent.consent_id, whole.patient, whole.consent.status) == ("c", "Patient/alice", "active")
    assert whole.consent.retention_days == 0
    assert compiled(consent(organization=[{"reference": "Organization/lost"}])).consent.custodians == {"never"}
    assert compiled(consent(id=None)).consent.consent_id == ""
    assert compiled(consent(id=5)).consent.consent_id == ""


def test_the_terms_are_the_arguments_of_a_grant() -> None:
    whole = compiled(consent(BASE, {"type": "deny"}, {"type": "permit", "purpose": purpose("BTG")}))
    terms = whole.terms()
    assert terms == {
        "base": whole.consent.base.to_wire(),
        "nested": [each.to_wire() for each in whole.consent.nested],
    }
    assert whole.terms_bytes() == encode(terms)


def test_recompiling_gives_equal_bytes() -> None:
    """Property 13, on tags: the custodian compares bytes before it honours a consent."""
    raw = json.dumps(consent(BASE, {"type": "deny", "actor": actor("Device/wdbc")}))
    results = [compile_consent(raw, context(), tag(b"k" * 32)) for _ in range(2)]
    assert isinstance(results[0], Compiled)
    assert isinstance(results[1], Compiled)
    assert results[0].terms_bytes() == results[1].terms_bytes()
    assert HL7.encode() not in results[0].terms_bytes()
    for wire in (results[0].consent.base.to_wire(), *(each.to_wire() for each in results[0].consent.nested)):
        for name in ("classes", "codes", "period", "authors", "related", "records", "levels", "sensitivities"):
            assert wire[name] == sorted(set(wire[name]))  # type: ignore[arg-type, type-var]
    Provision.from_wire(results[0].terms()["base"])


def test_an_unreadable_zone_is_utc() -> None:
    assert base_of({"type": "permit", "period": {"start": "2026-06-01"}}, context(zone="Berlin")).valid_from == JUNE


def test_clear_tags_and_keyed_tags_have_the_same_structure() -> None:
    clear, keyed = compiled(consent(BASE), tag=clear_tag), compiled(consent(BASE), tag=tag(b"k" * 32))
    for name in Provision.__slots__:
        mine, other = getattr(clear.consent.base, name), getattr(keyed.consent.base, name)
        assert mine == other or len(mine) == len(other)
