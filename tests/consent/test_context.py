"""The context of an artefact, and reading JSON that somebody else wrote."""

from typing import Any

import pytest

from app.consent.context import Context, raw_resource
from app.consent.untrusted import DuplicateKeyError, ReadingError, has_member, read_json
from ledger.contract.canonical import decode, encode
from ledger.contract.errors import ContractError

WIRE: dict[str, Any] = {
    "zone": "+02:00",
    "local_purposes": [{"system": "s", "code": "a"}, {"system": "s", "code": "b"}],
    "ids": {"Practitioner/carol": "carol"},
    "resources": ['{"id":"x","resourceType":"RelatedPerson"}'],
}


def test_a_context_is_read_as_written() -> None:
    context = Context.from_wire(decode(encode(WIRE)))
    assert context.to_wire() == WIRE
    assert context.zone_seconds == 7200
    assert context.local_purposes == {("s", "a"), ("s", "b")}
    assert context.resource("RelatedPerson/x") == {"id": "x", "resourceType": "RelatedPerson"}
    assert context.resource("RelatedPerson/y") is None
    assert Context().to_wire() == {"zone": "+00:00", "local_purposes": [], "ids": {}, "resources": []}


BAD: list[dict[str, Any]] = [
    {"zone": "Berlin"},
    {"zone": None},
    {"zone": 2},
    {"local_purposes": {}},
    {"local_purposes": ["x"]},
    {"local_purposes": [{"system": "s"}]},
    {"local_purposes": [{"code": "a"}]},
    {"ids": []},
    {"ids": {"a": 1}},
    {"resources": {}},
    {"resources": [{}]},
    {"note": ""},
]


@pytest.mark.parametrize("changes", BAD)
def test_a_context_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractError) as refused:
        Context.from_wire(WIRE | changes)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("name", sorted(WIRE))
def test_a_context_has_all_its_members(name: str) -> None:
    with pytest.raises(ContractError):
        Context.from_wire({key: value for key, value in WIRE.items() if key != name})
    with pytest.raises(ContractError):
        Context.from_wire(None)


def test_a_resource_has_one_text() -> None:
    assert raw_resource({"b": ["\u00fc"], "a": None}) == '{"a":null,"b":["\\u00fc"]}'


def test_only_the_two_kinds_that_a_consent_may_name_are_found() -> None:
    kinds = ("PractitionerRole", "RelatedPerson", "Group", "Practitioner")
    context = Context(resources=tuple(raw_resource({"resourceType": kind, "id": "x"}) for kind in kinds))
    assert [context.resource(f"{kind}/x") is not None for kind in kinds] == [True, True, False, False]


def test_json_has_one_meaning_or_none() -> None:
    assert read_json('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    for text in (
        "",
        "[]",
        "1",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": "\\udfff"}',
        "[" * 9999,
        '{"a":' + "1" * 5000 + "}",
    ):
        with pytest.raises(ReadingError) as unreadable:
            read_json(text)
        assert not isinstance(unreadable.value, DuplicateKeyError)
    with pytest.raises(DuplicateKeyError):
        read_json('{"a": [{"b": 1, "b": 1}]}')


def test_a_member_is_found_at_any_depth() -> None:
    assert has_member({"a": [{"b": {"c": 1}}]}, "c")
    assert has_member({"a": 1}, "a")
    assert not has_member({"a": ["b", {"c": "d"}]}, "d")
    assert not has_member(["b", "b", None, 5], "b")
    deep: Any = {"x": 1}
    for _ in range(5000):
        deep = [deep]
    assert has_member(deep, "x")
