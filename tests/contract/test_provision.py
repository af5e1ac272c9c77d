"""The wire forms of DECISION.md 2: what is read is what was written, and nothing else is read."""

from typing import Any

import pytest

from ledger.contract.decision import Ask, Consent, Emergency, Kind, Policy, Provision, Record
from ledger.contract.errors import ContractError
from ledger.contract.provision import actor_entries
from ledger.contract.wire import check_description, check_terms, instant, integer, items, members, strings, text

A, B, C = "a" * 16, "b" * 16, "c" * 16
TAGS = ("classes", "codes", "period", "authors", "related", "records", "levels", "sensitivities")
SIZES = {
    "classes": 128,
    "codes": 128,
    "period": 160,
    "authors": 128,
    "related": 128,
    "records": 128,
    "levels": 13,
    "sensitivities": 32,
}
PROVISION: dict[str, Any] = {
    "type": "deny",
    "emergency": "holds",
    "actors": [
        ["anyone"],
        ["device", A],
        ["group", "g1"],
        ["never"],
        ["organization", "BirchMSP"],
        ["practitioner", "p1"],
        ["practitioner", "p1", "BirchMSP", "f1"],
        ["role", "BirchMSP", "f1"],
    ],
    "purposes": ["BTG", "MLTRAINING", "TREATDS", "https://x/y:heart-17", "never"],
    "actions": ["access", "collect", "correct", "disclose", "use"],
    "valid_from": -5,
    "valid_until": None,
    **{name: [A, B, "never"] for name in TAGS},
}
RECORD: dict[str, Any] = {
    "record_id": "r1",
    "erased": False,
    "dates": [[A], [A, B]],
    "level": C,
    "classes": [A],
    "codes": [],
    "authors": [B],
    "related": [A, B],
    "records": [C],
    "sensitivities": [],
}
ASK: dict[str, Any] = {
    "actors": [["anyone"], ["practitioner", "p1"]],
    "groups": ["g1", "g2"],
    "purpose": "TREAT",
    "action": "access",
    "now": 5,
    "emergency": False,
    "party": "",
}
CONSENT: dict[str, Any] = {
    "id": "c1",
    "authority": [None, 7],
    "base": PROVISION,
    "nested": [PROVISION],
    "retention_days": 30,
}


def numbered(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return sorted("a" * 13 + letters[n // 1024] + letters[n // 32 % 32] + letters[n % 32] for n in range(count))


def refuses(read: Any, value: object) -> None:
    with pytest.raises(ContractError) as refused:
        read(value)
    assert refused.value.code == "malformed"


def test_a_provision_is_read_as_written() -> None:
    provision = Provision.from_wire(PROVISION)
    assert provision.to_wire() == PROVISION
    assert provision.kind is Kind.DENY
    assert provision.emergency is Emergency.HOLDS
    assert provision.actors == {tuple(entry) for entry in PROVISION["actors"]}
    assert (provision.valid_from, provision.valid_until) == (-5, None)
    assert provision.period == {A, B, "never"}


def test_an_unlimited_provision() -> None:
    plain = Provision(Kind.PERMIT).to_wire()
    assert plain == {
        "type": "permit",
        "emergency": "holds",
        "actors": [],
        "purposes": [],
        "actions": [],
        **{name: [] for name in TAGS},
        "valid_from": None,
        "valid_until": None,
    }
    assert Provision.from_wire(plain) == Provision(Kind.PERMIT)


@pytest.mark.parametrize("name", TAGS)
def test_each_limit_about_records_is_one(name: str) -> None:
    assert Provision(Kind.DENY, **{name: frozenset({A})}).limits_records()  # type: ignore[arg-type]
    others = {"actors": frozenset({("anyone",)}), "purposes": frozenset({"TREAT"}), "actions": frozenset({"use"})}
    assert not Provision(Kind.DENY, **others, valid_from=1).limits_records()  # type: ignore[arg-type]


BAD_PROVISIONS: list[dict[str, Any]] = [
    {"type": "allow"},
    {"type": None},
    {"emergency": "never"},
    {"emergency": "named"},
    {"emergency": "yields"},
    {"actors": None},
    {"actors": "anyone"},
    {"actors": ["anyone"]},
    {"actors": [[]]},
    {"actors": [["anyone", "x"]]},
    {"actors": [["nobody"]]},
    {"actors": [["practitioner"]]},
    {"actors": [["practitioner", "p1", "org"]]},
    {"actors": [["practitioner", "p1", "org", "f", "g"]]},
    {"actors": [["practitioner", "p 1"]]},
    {"actors": [["practitioner", ""]]},
    {"actors": [["practitioner", "p" * 65]]},
    {"actors": [["practitioner", 1]]},
    {"actors": [["role", "org"]]},
    {"actors": [["organization", "a", "b"]]},
    {"actors": [["group", "a", "b"]]},
    {"actors": [["device", "wdbc"]]},
    {"actors": [["anyone"], ["anyone"]]},
    {"actors": [["practitioner", "b"], ["practitioner", "a"]]},
    {"actors": [["practitioner", f"p{n:02}"] for n in range(65)]},
    {"purposes": None},
    {"purposes": ["TREATMENT"]},
    {"purposes": ["REWARD"]},
    {"purposes": ["x:"]},
    {"purposes": [":x"]},
    {"purposes": ["http://x y:z"]},
    {"purposes": ["TREAT", "BTG"]},
    {"purposes": ["TREAT", "TREAT"]},
    {"purposes": [["TREAT"]]},
    {"purposes": [f"x:{n:02}" for n in range(33)]},
    {"actions": ["export"]},
    {"actions": ["use", "access"]},
    {"actions": [["use"]]},
    {"actions": None},
    {"valid_from": "now"},
    {"valid_from": True},
    {"valid_until": 2**53},
    {"valid_until": -(2**53)},
    {"valid_until": 1.5},
    *({name: None} for name in TAGS),
    *({name: ["psychiatry"]} for name in TAGS),
    *({name: [A[:-1]]} for name in TAGS),
    *({name: [A + "a"]} for name in TAGS),
    *({name: ["A" * 16]} for name in TAGS),
    *({name: [A, A]} for name in TAGS),
    *({name: [B, A]} for name in TAGS),
    *({name: [[A]]} for name in TAGS),
    *({name: numbered(size + 1)} for name, size in SIZES.items()),
]


@pytest.mark.parametrize("changes", BAD_PROVISIONS)
def test_a_provision_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    refuses(Provision.from_wire, PROVISION | changes)


@pytest.mark.parametrize("changes", [{name: numbered(size)} for name, size in SIZES.items()])
def test_the_greatest_sizes_are_accepted(changes: dict[str, Any]) -> None:
    assert Provision.from_wire(PROVISION | changes).to_wire() == PROVISION | changes


def test_the_most_actors_and_purposes_are_accepted() -> None:
    full = {
        "actors": [["practitioner", f"p{n:02}"] for n in range(64)],
        "purposes": [f"x:{n:02}" for n in range(32)],
        "actions": ["never"],
    }
    assert Provision.from_wire(PROVISION | full).to_wire() == PROVISION | full


@pytest.mark.parametrize("name", sorted(PROVISION))
def test_a_provision_has_all_its_members_and_no_other(name: str) -> None:
    refuses(Provision.from_wire, {key: value for key, value in PROVISION.items() if key != name})
    refuses(Provision.from_wire, PROVISION | {"note": ""})
    refuses(Provision.from_wire, [PROVISION])


EMERGENCY_PLACES: list[tuple[str, str, str, bool]] = [
    ("permit", "deny", "holds", True),
    ("permit", "deny", "named", True),
    ("permit", "deny", "yields", True),
    ("permit", "permit", "holds", True),
    ("permit", "permit", "yields", False),
    ("deny", "deny", "holds", True),
    ("deny", "deny", "named", False),
    ("deny", "deny", "yields", False),
    ("deny", "permit", "named", False),
]


@pytest.mark.parametrize(("base", "kind", "emergency", "fits"), EMERGENCY_PLACES)
def test_only_a_deny_inside_a_permit_may_yield(base: str, kind: str, emergency: str, *, fits: bool) -> None:
    nested = [PROVISION | {"type": kind, "emergency": emergency}]
    if fits:
        check_terms(PROVISION | {"type": base}, nested, 0)
    else:
        refuses(lambda each: check_terms(PROVISION | {"type": base}, each, 0), nested)


def test_the_terms_of_a_grant() -> None:
    check_terms(PROVISION, [], 0)
    check_terms(PROVISION, [PROVISION] * 16, 36_525)
    bad: list[tuple[object, object, object]] = [
        (None, [], 0),
        (PROVISION, None, 0),
        (PROVISION, [PROVISION] * 17, 0),
        (PROVISION, [None], 0),
        (PROVISION, [], -1),
        (PROVISION, [], 36_526),
        (PROVISION, [], "7"),
        (PROVISION, [], True),
        (PROVISION, [], None),
    ]
    for terms in bad:
        refuses(lambda each: check_terms(*each), terms)


def test_a_consent_is_read_as_written() -> None:
    held = Consent.from_wire(CONSENT)
    assert held.to_wire() == CONSENT
    assert held.provisions == (Provision.from_wire(PROVISION),) * 2
    assert (held.consent_id, held.authority, held.retention_days) == ("c1", (None, 7), 30)
    assert (held.status, held.custodians) == ("active", frozenset())


BAD_CONSENTS: list[dict[str, Any]] = [
    {"id": ""},
    {"id": "c/1"},
    {"id": 1},
    {"authority": None},
    {"authority": [None]},
    {"authority": [None, None, None]},
    {"authority": [None, "x"]},
    {"authority": [True, None]},
    {"base": {}},
    {"nested": {}},
    {"retention_days": -1},
    {"status": "active"},
]


@pytest.mark.parametrize("changes", BAD_CONSENTS)
def test_a_consent_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    refuses(Consent.from_wire, CONSENT | changes)


def test_a_policy_is_read_from_what_the_contract_stored() -> None:
    held = Policy.from_state({"v": 1, "version": 3, "ended": True, "consents": [CONSENT]}, frozen=True)
    assert (held.ended, held.frozen, len(held.consents)) == (True, True, 1)
    assert held.to_wire() == {"consents": [CONSENT], "ended": True}
    fresh = Policy.from_state({"v": 1, "version": 0, "ended": False, "consents": []})
    assert (fresh.ended, fresh.frozen, fresh.consents) == (False, False, ())


def test_a_record_is_read_as_written() -> None:
    record = Record.from_wire(RECORD)
    assert record.to_wire() == RECORD
    assert record.dates == (frozenset({A}), frozenset({A, B}))
    assert (record.record_id, record.level, record.erased, record.custodian) == ("r1", C, False, "")
    assert Record.from_wire(RECORD | {"erased": True}).erased is True
    assert Record.from_description("r9", RECORD | {"version": 3}).record_id == "r9"


def test_the_dates_of_a_record_are_written_sorted_and_unique() -> None:
    record = Record("r1", (frozenset({B}), frozenset({B, A}), frozenset({B})), C)
    assert record.description()["dates"] == [[A, B], [B]]


BAD_RECORDS: list[dict[str, Any]] = [
    {"record_id": ""},
    {"record_id": None},
    {"erased": 0},
    {"level": "N"},
    {"level": None},
    {"level": "never"},
    {"dates": []},
    {"dates": None},
    {"dates": [A]},
    {"dates": [[]]},
    {"dates": [["never"]]},
    {"dates": [[B, A]]},
    {"dates": [[B], [A]]},
    {"dates": [[A], [A]]},
    {"dates": [numbered(9)]},
    {"dates": [[each] for each in numbered(33)]},
    {"note": ""},
    *({name: ["never"]} for name in SIZES if name not in {"period", "levels"}),
    *({name: numbered(size + 1)} for name, size in SIZES.items() if name not in {"period", "levels"}),
]


@pytest.mark.parametrize("changes", BAD_RECORDS)
def test_a_record_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    refuses(Record.from_wire, RECORD | changes)


@pytest.mark.parametrize("name", sorted(RECORD))
def test_a_record_has_all_its_members(name: str) -> None:
    refuses(Record.from_wire, {key: value for key, value in RECORD.items() if key != name})


def test_a_description_has_eight_members_and_no_other() -> None:
    description = {name: value for name, value in RECORD.items() if name not in {"record_id", "erased"}}
    check_description(description | {"dates": [[each] for each in numbered(32)]})
    check_description(description | {"dates": [numbered(8)]})
    refuses(check_description, RECORD)
    refuses(check_description, None)


def test_an_ask_is_read_as_written() -> None:
    ask = Ask.from_wire(ASK)
    assert ask.to_wire() == ASK
    assert ask.actors == {("anyone",), ("practitioner", "p1")}
    assert (ask.groups, ask.purpose, ask.action, ask.now) == (frozenset({"g1", "g2"}), "TREAT", "access", 5)
    assert Ask.from_wire(ASK | {"emergency": True, "party": "proxy"}).to_wire()["party"] == "proxy"
    assert Ask.from_wire(ASK | {"emergency": True}).emergency is True


BAD_ASKS: list[dict[str, Any]] = [
    {"actors": [["nobody"]]},
    {"actors": None},
    {"actors": [["practitioner", f"p{n:02}"] for n in range(65)]},
    {"groups": ["g2", "g1"]},
    {"groups": ["g 1"]},
    {"groups": [f"g{n:02}" for n in range(65)]},
    {"groups": [["g1"]]},
    {"purpose": "never"},
    {"purpose": "TREATMENT"},
    {"purpose": None},
    {"action": "never"},
    {"action": "export"},
    {"action": None},
    {"action": ["access"]},
    {"now": "5"},
    {"now": None},
    {"emergency": 1},
    {"party": "guardian"},
    {"party": None},
    {"note": ""},
]


@pytest.mark.parametrize("changes", BAD_ASKS)
def test_an_ask_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    refuses(Ask.from_wire, ASK | changes)


def test_plain_values_are_what_they_must_be() -> None:
    assert members({"a": 1}) == {"a": 1}
    assert items([1]) == [1]
    assert strings(["a"]) == ["a"]
    assert text("a") == "a"
    assert (integer(2**53 - 1), integer(-(2**53 - 1)), instant(None), instant(0)) == (2**53 - 1, -(2**53 - 1), None, 0)
    wrong: list[tuple[Any, list[object]]] = [
        (members, [[], "", None, 1]),
        (items, [{}, "", None, 1]),
        (strings, [[1], [None], None, "ab"]),
        (text, [1, None, [], b""]),
        (integer, [True, None, "1", 1.0, 2**53, -(2**53)]),
        (instant, [False, "1", 1.0, 2**53]),
    ]
    for read, values in wrong:
        for value in values:
            refuses(read, value)


def test_every_entry_that_fits_an_asker() -> None:
    plain = {("anyone",), ("practitioner", "p"), ("organization", "o")}
    assert actor_entries("p", "o") == plain
    full = actor_entries("p", "o", functions=["f", "g"], groups=["x", "y"], device=A)
    assert full == plain | {
        ("role", "o", "f"),
        ("role", "o", "g"),
        ("practitioner", "p", "o", "f"),
        ("practitioner", "p", "o", "g"),
        ("group", "x"),
        ("group", "y"),
        ("device", A),
    }
