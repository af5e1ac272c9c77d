"""The properties of DECISION.md 10, on random artefacts of a small world; ``ASSENT_DEEP=1`` tries more than 30,000.

Property 12 is in ``test_calendar``.
"""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from app.consent.calendar import first_day, last_day
from app.consent.codes import ACT_REASON
from app.consent.compile import Compiled, compile_consent
from app.consent.context import Context
from app.consent.dates import read_date_time
from app.consent.describe import Directory, RecordFacts, Request, describe_record
from app.consent.refusal import Refusal
from app.consent.tags import clear_tag, tag
from ledger.contract.decision import (
    Consent,
    Decision,
    Emergency,
    Kind,
    Outcome,
    Policy,
    Provision,
    Reason,
    decide,
    decide_index,
    nearest,
)
from ledger.contract.lineage import lineage, must_be_named
from tests.support.consents import consent
from tests.support.hypothesis_profiles import PROPERTY
from tests.support.random_consents import (
    ABOUT_ASKERS,
    CONTEXT,
    ELEMENTS,
    INSTANTS,
    JSON_VALUES,
    PURPOSES,
    World,
    compile_as,
    consents,
    disturbed,
    ranges,
    seeded,
    stated_range,
    worlds,
)

ORDINARY = tuple(each for each in PURPOSES if each != "BTG")
_REQUEST = Request("carol", "north", (ACT_REASON, "TREAT"), "access", now=1_780_315_200)
KEYED = tag(b"a key of one patient id, in a test")


def decided(world: World, policy: Policy | None = None) -> Decision:
    return decide(policy or world.policy(), world.ask(), world.record())


def provision_of(policy: Policy, name: str) -> Provision:
    consent_id, _, number = name.rpartition("#")
    return next(each for each in policy.consents if each.consent_id == consent_id).provisions[int(number)]


@PROPERTY
@given(worlds())
def test_1_tags_and_codes_in_clear_decide_alike(world: World) -> None:
    clear, keyed = world.policy(), world.policy(KEYED)
    assert decided(world) == decide(keyed, world.ask(KEYED), world.record(KEYED))
    assert decide_index(clear, world.ask()) == decide_index(keyed, world.ask(KEYED))
    assert nearest(clear, world.ask(), world.record()) == nearest(keyed, world.ask(KEYED), world.record(KEYED))


@PROPERTY
@given(worlds(), seeded(lambda random: random))
def test_2_order_changes_nothing(world: World, random: Any) -> None:
    before = world.policy()
    names: dict[str, str] = {}
    mixed = []
    for each in before.consents:
        order = list(range(len(each.nested)))
        random.shuffle(order)
        names |= {f"{each.consent_id}#{new + 1}": f"{each.consent_id}#{old + 1}" for new, old in enumerate(order)}
        mixed.append(replace(each, nested=tuple(each.nested[old] for old in order)))
    random.shuffle(mixed)
    for function in (decided, lambda world, policy: decide_index(policy, world.ask())):
        one, other = function(world, before), function(world, Policy(tuple(mixed)))
        renamed = replace(
            other,
            deciding=tuple(sorted(names.get(name, name) for name in other.deciding)),
            overridden=tuple(sorted(names.get(name, name) for name in other.overridden)),
        )
        assert one == renamed


@PROPERTY
@given(worlds(), seeded(lambda random: random))
def test_2_order_of_values_in_the_artefact_changes_nothing(world: World, random: Any) -> None:
    for each in world.consents:
        mixed = json.loads(json.dumps(each))
        for provision in (mixed["provision"], *mixed["provision"].get("provision", [])):
            for name in ("actor", "purpose", "action", "class", "code", "data", "securityLabel"):
                random.shuffle(provision.get(name, []))
        assert compile_as("c", mixed) == compile_as("c", each)


@PROPERTY
@given(worlds(), consents(["deny"]))
def test_3_a_consent_of_denies_never_opens(world: World, denies: dict[str, Any]) -> None:
    more = Policy((*world.policy().consents, compile_as("more", denies)))
    assert not decided(world, more).is_permit or decided(world).is_permit


@PROPERTY
@given(worlds(), consents(["permit"]))
def test_4_removing_a_consent_of_permits_never_opens(world: World, permits: dict[str, Any]) -> None:
    more = Policy((*world.policy().consents, compile_as("more", permits)))
    after = decided(world)
    if after.is_permit and not decided(world, more).is_permit:
        assert world.request.emergency
        assert after.deciding == ()
        assert after.reason is Reason.PERMITTED_BREAK_GLASS


@PROPERTY
@given(worlds(), consents(["deny"]))
def test_5_denies_that_do_not_match_change_nothing(world: World, denies: dict[str, Any]) -> None:
    refusing = compile_as("more", denies)
    assume(not decided(world, Policy((refusing,))).deciding)
    assert decided(world, Policy((*world.policy().consents, refusing))) == decided(world)


@PROPERTY
@given(worlds())
def test_6_what_decide_permits_the_index_permits(world: World) -> None:
    assert not decided(world).is_permit or decide_index(world.policy(), world.ask()).is_permit


@PROPERTY
@given(worlds(elements=ABOUT_ASKERS, exceptions=0))
def test_6_without_exceptions_and_record_limits_they_are_equal(world: World) -> None:
    assert decide_index(world.policy(), world.ask()) == decided(world)


@PROPERTY
@given(worlds(["BTG"]))
def test_7_an_emergency_opens_by_its_rule_only(world: World) -> None:
    policy, ask, answer = world.policy(), world.ask(), decided(world)
    for name in answer.overridden if answer.is_permit else ():
        each, consent_id = provision_of(policy, name), name.rpartition("#")[0]
        outer = next(each for each in policy.consents if each.consent_id == consent_id)
        assert (each.kind, outer.base.kind, name[-2:] != "#0") == (Kind.DENY, Kind.PERMIT, True)
        assert each.emergency is not Emergency.HOLDS
        named = {entry for entry in each.actors & ask.actors if entry[0] == "practitioner"}
        assert each.emergency is Emergency.YIELDS or not named
    if answer.is_permit and not answer.deciding:
        assert answer.reason is Reason.PERMITTED_BREAK_GLASS
        for whole in policy.consents:
            for each in whole.provisions:
                alone = decided(world, Policy((replace(whole, base=each, nested=()),)))
                past = alone.deciding and each.kind is Kind.PERMIT
                assert not past
                assert alone.outcome is Outcome.PERMIT or each.kind is Kind.DENY
    if answer.is_permit and answer.reason is Reason.PERMITTED_BY_CONSENT:
        assert answer.overridden == ()
        assert answer.deciding != ()


@PROPERTY
@given(worlds(ORDINARY))
def test_7_outside_an_emergency_the_default_never_acts(world: World) -> None:
    answer = decided(world)
    assert answer.is_permit == (answer.reason is Reason.PERMITTED_BY_CONSENT)
    assert answer.deciding or not answer.is_permit
    assert answer.overridden == () or answer.reason is Reason.DENY_OVERRIDES


@PROPERTY
@given(worlds([each for each in PURPOSES if must_be_named(each)]))
def test_8_what_must_be_named_is_named(world: World) -> None:
    policy, answer = world.policy(), decided(world)
    for name in answer.deciding if answer.is_permit else ():
        assert not provision_of(policy, name).purposes.isdisjoint(lineage(world.ask().purpose))


@PROPERTY
@given(worlds())
def test_9_knowing_less_of_the_record_never_opens(world: World) -> None:
    before = decided(world)
    for less in (replace(world.facts, first=""), replace(world.facts, authors=())):
        assert not decided(replace(world, facts=less)).is_permit or before.is_permit


@PROPERTY
@given(worlds(ORDINARY))
def test_9_knowing_less_of_roles_and_groups_never_opens(world: World) -> None:
    before = decided(world)
    forgotten = [
        replace(world, request=replace(world.request, functions=())),
        replace(world, directory=Directory()),
    ]
    for less in forgotten:
        assert not decided(less).is_permit or before.is_permit
    unknown = Context(ids=CONTEXT.ids, resources=CONTEXT.resources[1:])
    results = [compile_consent(json.dumps(each), unknown, clear_tag) for each in world.consents]
    lost = [each.consent for each in results if isinstance(each, Compiled)]
    assert not decided(world, Policy(tuple(lost))).is_permit or before.is_permit


@PROPERTY
@given(worlds(), st.sampled_from(["2026-06", "2026-02", "2025-12"]))
def test_9_what_a_partial_date_opens_each_of_its_days_opens(world: World, month: str) -> None:
    if decided(replace(world, facts=replace(world.facts, first=month))).is_permit:
        day = first_day(month)
        while day <= last_day(month):
            assert decided(replace(world, facts=replace(world.facts, first=day.isoformat()))).is_permit
            day += timedelta(days=1)


@PROPERTY
@given(ranges(), st.datetimes(), st.sampled_from(INSTANTS), st.booleans())
def test_10_days_are_never_wider_than_instants(stated: Any, far: Any, near: str, is_near: bool) -> None:  # noqa: FBT001
    made = near if is_near else far.replace(year=2026).strftime("%Y-%m-%dT%H:%M:%SZ")
    read = read_date_time(made)
    assert read is not None
    ends = {name: read_date_time(text) for name, text in stated.items()}
    start, end = ends.get("start"), ends.get("end")
    inside = start is None or start.starts_at(0) <= read.starts_at(0)
    inside = inside and (end is None or read.end_second(0) <= end.end_second(0))
    touches = (start is None or start.starts_at(0) < read.end_second(0)) and (
        end is None or read.starts_at(0) < end.end_second(0)
    )
    world = World((), RecordFacts("r", "r", first=made, custodian="north"), _REQUEST, Directory())
    permit = compile_as("c", consent({"type": "permit", "dataPeriod": stated}))
    deny = compile_as("c", consent({"type": "deny", "dataPeriod": stated}))
    assert inside or not decided(world, Policy((permit,))).is_permit
    assert not touches or decided(world, Policy((deny,))).reason is Reason.DENIED_BY_CONSENT


@PROPERTY
@given(worlds(["TREAT"], elements={"period": stated_range, "actor": ELEMENTS["actor"]}, kinds=["permit"]))
def test_11_after_until_no_deciding_provision_decides(world: World) -> None:
    before = decided(world)
    if before.until is None:
        return
    assert before.is_permit
    assert before.until > world.request.now
    later = replace(world, request=replace(world.request, now=before.until))
    assert set(decided(later).deciding).isdisjoint(before.deciding)


@PROPERTY
@given(consents())
def test_13_recompiling_gives_equal_bytes(resource: dict[str, Any]) -> None:
    raw = json.dumps(resource)
    one, other = compile_consent(raw, CONTEXT, KEYED), compile_consent(raw, Context.from_wire(CONTEXT.to_wire()), KEYED)
    assert isinstance(one, Compiled)
    assert isinstance(other, Compiled)
    assert one.terms_bytes() == other.terms_bytes()
    wire = {"id": "c", "authority": [None, None], "retention_days": 0, **one.terms()}
    assert Consent.from_wire(wire).to_wire() == wire


@PROPERTY
@given(JSON_VALUES | disturbed())
def test_compile_never_raises_on_json(resource: Any) -> None:
    result = compile_consent(json.dumps(resource), CONTEXT, KEYED)
    assert isinstance(result, Compiled | Refusal)


@PROPERTY
@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_compile_never_raises_on_text(text: str) -> None:
    assert isinstance(compile_consent(text, CONTEXT, KEYED), Refusal)


@PROPERTY
@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.sampled_from(["2026-06", "2026"]))
def test_a_record_of_a_day_is_touched_by_every_cell_above_it(day: date, cell: str) -> None:
    record = describe_record(RecordFacts("r", "r", first=day.isoformat(), custodian="north"), 0, clear_tag)
    held = Policy((compile_as("c", consent({"type": "deny", "dataPeriod": {"start": cell, "end": cell}})),))
    world = World((), RecordFacts("r", "r", first=day.isoformat(), custodian="north"), _REQUEST, Directory())
    assert (decide(held, world.ask(), record).reason is Reason.DENIED_BY_CONSENT) == day.isoformat().startswith(cell)
