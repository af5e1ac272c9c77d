"""The ten tricky cases of DECISION.md 9, from artefact to answer."""

from typing import Any

import pytest

from app.consent.codes import ACT_CODE, ACT_REASON, CONFIDENTIALITY
from app.consent.describe import Directory, RecordFacts, Request, describe_record, describe_request
from app.consent.tags import clear_tag
from ledger.contract.decision import Decision, Policy, Reason, decide
from tests.support.consents import IDS, actor, compiled, consent, context, data, labels, purpose

NOW = 1_780_315_200
PEOPLE = ("alice", "bob", "carol", "dan", "erin", "frank")
CONTEXT = context(ids=IDS | {f"Practitioner/{name}": name for name in PEOPLE})


def answer(
    *artefacts: dict[str, Any], person: str = "carol", code: str = "TREAT", marks: str = "", **facts: Any
) -> Decision:
    """Decide for ``person`` asking with purpose ``code`` for a record with ``marks`` as labels."""
    ask = describe_request(
        Request(person, "north", (ACT_REASON, code), "access", NOW, emergency=code == "BTG"),
        Directory(frozenset({"ward"}), {"frank": frozenset({"ward"})}),
        clear_tag,
    )
    stated = tuple((CONFIDENTIALITY if len(mark) == 1 else ACT_CODE, mark) for mark in marks.split())
    record = describe_record(RecordFacts("r", "r", labels=stated, custodian="north", **facts), 0, clear_tag)
    held = [compiled(each | {"id": f"c{number}"}, CONTEXT).consent for number, each in enumerate(artefacts)]
    return decide(Policy(tuple(held)), ask, record)


def permit(**elements: Any) -> dict[str, Any]:
    return {"type": "permit", **elements}


def deny(**elements: Any) -> dict[str, Any]:
    return {"type": "deny", **elements}


LABELLED: list[tuple[dict[str, Any], str, Reason]] = [
    # 1: R alone covers every sensitivity up to R; once sensitivities are named, all must be
    (permit(securityLabel=labels("N", "R")), "R PSY", Reason.PERMITTED_BY_CONSENT),
    (permit(securityLabel=labels("R", "PSY")), "R PSY HIV", Reason.LABEL_NOT_COVERED),
    (permit(securityLabel=labels("R", "PSY")), "R PSY", Reason.PERMITTED_BY_CONSENT),
    # 2: a permit of PSY is no permit of restricted data, nor of very restricted
    (permit(securityLabel=labels("PSY")), "R", Reason.LABEL_NOT_COVERED),
    (permit(securityLabel=labels("PSY")), "V PSY", Reason.LABEL_NOT_COVERED),
    (permit(securityLabel=labels("PSY")), "PSY", Reason.PERMITTED_BY_CONSENT),
    # 3: a deny of R is R or higher
    (deny(securityLabel=labels("R")), "V", Reason.DENIED_BY_CONSENT),
    (deny(securityLabel=labels("R")), "N", Reason.NO_CONSENT),
]


@pytest.mark.parametrize(("base", "marks", "reason"), LABELLED)
def test_1_to_3_labels(base: dict[str, Any], marks: str, reason: Reason) -> None:
    assert answer(consent(base), marks=marks).reason is reason


def test_4_partial_dates() -> None:
    from_june = consent(permit(dataPeriod={"start": "2022-06"}))
    assert answer(from_june, first="2022").reason is Reason.DATE_NOT_COVERED
    assert answer(from_june, first="2022-06").reason is Reason.PERMITTED_BY_CONSENT
    but_june = consent(permit(), deny(dataPeriod={"start": "2022-06-10", "end": "2022-06-20"}))
    assert answer(but_june, first="2022-06").deciding == ("c0#1",)
    assert answer(but_june, first="2022-06").reason is Reason.DENIED_BY_CONSENT
    assert answer(but_june, first="2021").reason is Reason.PERMITTED_BY_CONSENT
    assert answer(but_june, first="2022-06-21").reason is Reason.PERMITTED_BY_CONSENT
    assert answer(but_june, first="").reason is Reason.DENIED_BY_CONSENT


def test_5_a_note_without_author_might_be_dans() -> None:
    not_dans = consent(permit(), deny(data=data("authoredby", "Practitioner/dan")))
    assert answer(not_dans).reason is Reason.DENIED_BY_CONSENT
    assert answer(not_dans, authors=("Practitioner/erin",)).reason is Reason.PERMITTED_BY_CONSENT
    assert answer(not_dans, authors=("Practitioner/dan",)).reason is Reason.DENIED_BY_CONSENT


def test_6_all_but_dan() -> None:
    all_but_dan = consent(deny(), permit(actor=actor("Practitioner/dan"), purpose=purpose("TREAT")))
    for_carol = consent(permit(actor=actor("Practitioner/carol")))
    carol = answer(all_but_dan, for_carol)
    assert (carol.reason, carol.deciding, carol.overridden) == (Reason.DENY_OVERRIDES, ("c0#0",), ("c1#0",))
    dan = answer(all_but_dan, for_carol, person="dan")
    assert (dan.reason, dan.deciding) == (Reason.PERMITTED_BY_CONSENT, ("c0#1",))
    research = answer(all_but_dan, for_carol, person="dan", code="HRESCH")
    assert (research.reason, research.deciding) == (Reason.DENIED_BY_CONSENT, ("c0#0",))


def test_7_a_deny_that_matches_nothing_leaves_the_default_on() -> None:
    only = consent(deny(securityLabel=labels("PSY")))
    assert answer(only, code="BTG") == answer(code="BTG")
    assert answer(only, code="BTG").reason is Reason.PERMITTED_BREAK_GLASS
    assert answer(only, code="BTG", marks="PSY").reason is Reason.DENIED_BY_CONSENT


def test_8_an_inherited_name_is_no_named_block() -> None:
    for_frank = consent(permit(actor=actor("Practitioner/frank")), deny(securityLabel=labels("PSY")))
    opened = answer(for_frank, person="frank", code="BTG", marks="PSY")
    assert opened.reason is Reason.PERMITTED_BREAK_GLASS
    assert (opened.deciding, opened.overridden) == (("c0#0",), ("c0#1",))
    assert answer(for_frank, person="frank", marks="PSY").reason is Reason.DENIED_BY_CONSENT


def test_9_a_permit_past_person_and_purpose_switches_the_default_off() -> None:
    group = permit(actor=actor("Group/ward"), purpose=purpose("BTG"), securityLabel=labels("R"))
    normal = consent(permit(securityLabel=labels("N")), group)
    assert answer(normal, code="BTG").reason is Reason.PERMITTED_BY_CONSENT
    assert answer(normal, code="BTG", marks="R").reason is Reason.LABEL_NOT_COVERED
    assert answer(normal, person="frank", code="BTG", marks="R").deciding == ("c0#1",)


def test_10_inheritance_precedes_translation() -> None:
    lost = consent(deny(actor=actor("Group/lost")), permit())
    assert answer(lost).reason is Reason.DENIED_BY_CONSENT
    assert answer(lost).deciding == ("c0#0",)
    assert compiled(lost, CONTEXT).consent.base.actors == {("anyone",)}
    assert compiled(lost, CONTEXT).consent.nested[0].actors == {("never",)}
