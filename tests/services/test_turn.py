"""The patient's turn: card and PIN, only what was asked or less, only what the ledger holds, refusals and receipts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.receipt import ReceiptError, verify_receipt
from app.consent.terms import AI_CATEGORIES, DAYS, Category, Grantee, GranteeKind, Labels, Terms, WideningError
from app.custodian.client import CustodianClient
from app.custodian.messages import CustodianRefusal
from app.services.choices import Choices, Unanswered, asks_emergency, days_offered, labels_offered, since_offered
from app.services.consents import ConsentState
from app.services.drafts import Draft
from app.services.openings import DeniedError
from app.services.pairs import WrongCardError, WrongPinError
from app.services.requests import RequestState
from app.services.submission import UnsettledError
from app.services.turn import NotWaitingError, Turn
from app.wiring.sandbox import PIN
from ledger.contract.canonical import encode
from ledger.gateway import EndorseError
from tests.support.gateways import Loss, fail_between
from tests.support.sandbox import ALMA, CAROL, SandboxWorld
from tests.support.sharing import ASKED as PLAIN
from tests.support.verifier import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.custodian.results import StoredRequest
    from app.services.notebook import PatientRef
    from app.wiring.desks import StaffDesk

GRETA = "Greta Imaginary"
ASKED = frozenset({Category.CYTOLOGY, Category.DOCUMENT})


@pytest.fixture
def asked(world: SandboxWorld) -> tuple[StaffDesk, PatientRef, str]:
    """Carol asks Alma for two kinds of records of two years, for a month, and a suggestion."""
    desk = world.staff(CAROL)
    patient = world.introduce(desk, ALMA, "Rita Roster", "AlderMSP")
    draft = Draft(
        patient.patient_id,
        categories=ASKED,
        first_day="2024-11-24",
        last_day="2026-11-24",
        days=30,
        ai=True,
        reason="To compare.",
    )
    return desk, patient, desk.requests.send(draft)


def turn_of(world: SandboxWorld, name: str = ALMA) -> Turn:
    inbox = world.patient(name).inbox
    return inbox.turn(inbox.rows()[0])


Asked = tuple["StaffDesk", "PatientRef", str]


def test_she_reads_who_asks_for_what_and_why(world: SandboxWorld, asked: Asked) -> None:
    turn = turn_of(world)
    assert (turn.asked_by.name, turn.asked_by.hospital, turn.reason) == (CAROL, "Alder Hospital", "To compare.")
    assert (turn.asked.categories, turn.asked.keep_open_days, turn.patient_name) == (ASKED, 30, ALMA)
    assert turn.terms == turn.asked
    assert turn.narrowed == ()
    english = turn.asked_sentences()
    turn.read("de")
    assert turn.asked_sentences() != english


def test_signing_gives_a_receipt_that_verifies_offline(world: SandboxWorld, asked: Asked, tmp_path: Path) -> None:
    desk, patient, consent_id = asked
    turn = turn_of(world)
    turn.narrow(categories=frozenset({Category.CYTOLOGY}), keep_open_days=7, ai_inference=False)
    signed = turn.fix()
    receipt = turn.sign(world.cards[ALMA], PIN)
    machine = world.installation.machine
    verified = verify_receipt(
        receipt.content, machine.gateway.network_id, custodian_key=machine.custodian_key("AlderMSP")
    )
    assert (verified.consent_id, verified.patient_id) == (consent_id, patient.patient_id)
    assert verified.sentences == receipt.sentences
    assert json.loads(receipt.content)["proof"]["artefact"] == json.loads(signed.to_bytes())
    (tmp_path / "receipt").write_bytes(receipt.content)
    verdict = load().verify(tmp_path / "receipt", network=machine.gateway.network_id, fingerprint=receipt.hash)
    assert (verdict.ok, verdict.height - 1) == (True, receipt.block)
    with pytest.raises(ReceiptError):
        verify_receipt(receipt.content, "0" * 64)
    (row,) = desk.requests.rows()
    assert row.state is RequestState.NARROWED
    assert row.allowed is not None
    assert row.allowed.categories == {Category.CYTOLOGY}
    (consent,) = world.patient(ALMA).consents.rows()
    assert consent.state is ConsentState.ACTIVE
    again = world.patient(ALMA).consents.receipt(consent)  # attested anew, of the same entry
    assert (again.transaction_id, again.block, again.sentences) == (
        receipt.transaction_id,
        receipt.block,
        receipt.sentences,
    )


def test_what_is_fixed_is_what_is_signed_though_time_goes_on(world: SandboxWorld, asked: Asked) -> None:
    turn = turn_of(world)
    fixed = turn.fix()
    world.clock.now += 60
    assert turn.artefact() is fixed
    turn.narrow(keep_open_days=7)
    assert turn.artefact() != fixed


def test_she_signs_with_her_own_card_and_pin_only(world: SandboxWorld, asked: Asked) -> None:
    turn = turn_of(world)
    for card in ("", "assent1", world.cards[GRETA], world.cards["Kara Figment"]):
        with pytest.raises(WrongCardError):
            turn.sign(card, PIN)
        with pytest.raises(WrongCardError):
            turn.refuse(card, PIN)
    assert asked[0].requests.rows()[0].state is RequestState.WAITING


def test_wrong_pins_count_and_lock_the_card(world: SandboxWorld, asked: Asked) -> None:
    turn = turn_of(world)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongPinError) as wrong:
            turn.sign(world.cards[ALMA], "13579246")
        assert wrong.value.tries_left == left
    for act in (lambda: turn.sign(world.cards[ALMA], PIN), lambda: turn.refuse(world.cards[ALMA], PIN)):
        with pytest.raises(WrongPinError) as locked:
            act()
        assert locked.value.tries_left == 0
    with pytest.raises(WrongPinError):
        world.patient(ALMA)
    people = world.staff("Rita Roster").people
    people.reset_pin(next(row.person_id for row in people.persons() if row.person.name == ALMA), "97531864")
    assert turn.sign(world.cards[ALMA], "97531864").consent_id == asked[2]


def test_she_refuses_and_nobody_opens(world: SandboxWorld, asked: Asked) -> None:
    desk, patient, _ = asked
    turn_of(world).refuse(world.cards[ALMA], PIN)
    assert desk.requests.rows()[0].state is RequestState.REFUSED
    assert world.patient(ALMA).inbox.rows() == ()
    with pytest.raises(DeniedError):
        desk.worklist.list_records(patient, "TREAT")
    rows = desk.worklist.of_patient(patient)
    assert {row.state.value for row in rows} == {"denied"}


def test_a_request_that_was_answered_meanwhile_is_not_decided_again(world: SandboxWorld, asked: Asked) -> None:
    alma = world.patient(ALMA)
    (row,) = alma.inbox.rows()
    late = alma.inbox.turn(row)
    turn_of(world).sign(world.cards[ALMA], PIN)
    with pytest.raises(NotWaitingError):
        alma.inbox.turn(row)
    with pytest.raises(CustodianRefusal) as decided:
        late.sign(world.cards[ALMA], PIN)
    assert decided.value.code == "already-exists"
    with pytest.raises(EndorseError) as refused:
        late.refuse(world.cards[ALMA], PIN)
    assert refused.value.code == "illegal-transition"


def test_a_grant_that_was_not_recorded_can_be_signed_again(world: SandboxWorld, asked: Asked) -> None:
    gateway = fail_between(world.installation)
    turn = turn_of(world)
    gateway.loss = Loss.REFUSED
    with pytest.raises(EndorseError):
        turn.sign(world.cards[ALMA], PIN)
    gateway.loss = None
    world.clock.now += 30
    assert turn.sign(world.cards[ALMA], PIN).consent_id == asked[2]
    assert asked[0].worklist.list_records(asked[1], "TREAT")


def test_she_can_refuse_one_person_in_her_turn(world: SandboxWorld, asked: Asked) -> None:
    turn = turn_of(world)
    people = {person.name: person for person in turn.people()}
    assert set(people) == {"Dr Clara Invented"}
    turn.block_person(people["Dr Clara Invented"], world.cards[ALMA], PIN, emergency_opens=False)
    turn.sign(world.cards[ALMA], PIN)
    rows = world.patient(ALMA).consents.rows()
    assert [row.denies for row in rows].count(True) == 1
    assert asked[0].worklist.list_records(asked[1], "TREAT")


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_a_grant_of_unknown_outcome_is_settled_and_gets_its_receipt(
    world: SandboxWorld, asked: Asked, loss: Loss
) -> None:
    gateway = fail_between(world.installation)
    turn = turn_of(world)
    gateway.loss = loss
    with pytest.raises(UnsettledError) as unsettled:
        turn.sign(world.cards[ALMA], PIN)
    gateway.loss = None
    commit = world.installation.machine.submission(turn.pair.identity).settle(unsettled.value)
    assert commit is not None
    assert turn.receipt(commit).transaction_id == unsettled.value.envelope.transaction_id
    assert gateway.prepared == ["GrantConsent"]


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_stopping_is_sent_again_by_itself(world: SandboxWorld, asked: Asked, loss: Loss) -> None:
    turn_of(world).sign(world.cards[ALMA], PIN)
    gateway = fail_between(world.installation)
    alma = world.patient(ALMA)
    (row,) = alma.consents.rows()
    gateway.loss = loss
    with pytest.raises(UnsettledError):
        alma.consents.stop(row, PIN)
    alma.lock()
    gateway.loss = None
    world.tick()
    (row,) = world.patient(ALMA).consents.rows()
    assert row.state is ConsentState.WITHDRAWN
    assert gateway.prepared == ["RevokeConsent"]


# what the custodian stores is compared with the ledger


def stored(monkeypatch: pytest.MonkeyPatch, change: Callable[[StoredRequest], StoredRequest]) -> None:
    """Have the custodian answer with another stored request."""
    real = CustodianClient.read_request

    def changed(client: CustodianClient, *given: Any) -> StoredRequest:
        return change(real(client, *given))

    monkeypatch.setattr(CustodianClient, "read_request", changed)


def with_terms(**changes: Any) -> Callable[[StoredRequest], StoredRequest]:
    def change(request: StoredRequest) -> StoredRequest:
        terms = replace(Terms.from_wire(json.loads(request.text)), **changes)
        return replace(request, text=encode(terms.to_wire()).decode())

    return change


def with_grantee(**changes: Any) -> Callable[[StoredRequest], StoredRequest]:
    def change(request: StoredRequest) -> StoredRequest:
        terms = Terms.from_wire(json.loads(request.text))
        terms = replace(terms, grantee=replace(terms.grantee, **changes))
        return replace(request, text=encode(terms.to_wire()).decode())

    return change


CHANGES: dict[str, Callable[[StoredRequest], StoredRequest]] = {
    "reason": lambda request: replace(request, reason="Only a formality."),
    "salt": lambda request: replace(request, salt=b"0" * 32),
    "proposer": lambda request: replace(request, subject="a" * 26),
    "fewer categories": with_terms(categories=frozenset({Category.DOCUMENT})),
    "more categories": with_terms(categories=ASKED | {Category.IMAGE}),
    "shorter": with_terms(keep_open_days=7),
    "later": with_terms(made_from="2026-01-01"),
    "no limit": with_terms(made_from=""),
    "no suggestion": with_terms(ai_inference=False),
    "training": with_terms(ai_training=True),
    "labels": with_terms(labels=Labels.NORMAL_ONLY),
    "another purpose": with_terms(purpose=(PLAIN.purpose[0], "HRESCH")),
    "another name": with_grantee(name="Dr Somebody Else"),
    "another hospital's name": with_grantee(organization_name="Birch Hospital"),
    "everybody": with_grantee(kind=GranteeKind.ORGANIZATION, subject="", name=""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_stored_request_that_is_not_the_ledgers_is_refused(
    world: SandboxWorld, asked: Asked, change: Callable[[StoredRequest], StoredRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    alma = world.patient(ALMA)
    (row,) = alma.inbox.rows()
    stored(monkeypatch, change)
    with pytest.raises(NotWaitingError):
        alma.inbox.turn(row)


def test_a_request_without_readable_words_does_not_hide_the_others(world: SandboxWorld, asked: Asked) -> None:
    desk, patient, consent_id = asked
    client = world.installation.machine.custodians["AlderMSP"]
    world.installation.machine.catch_up()
    proposal = world.installation.machine.find("consent", patient.patient_id, consent_id)
    assert proposal is not None
    terms: dict[str, Any] = {name: value for name, value in dict(proposal["asked"]).items() if name != "v"}  # type: ignore[arg-type]
    for name in ("nowords", "garbage"):
        if name == "garbage":
            client.store_request(desk.identity, patient.patient_id, name, text="no terms", reason="x", salt=b"s" * 32)
        arguments = {"patient_id": patient.patient_id, "consent_id": name, **terms, "reason_commitment": "0" * 64}
        world.installation.machine.submission(desk.identity).send("ProposeConsent", arguments)
    assert [row.consent_id for row in world.patient(ALMA).inbox.rows()] == [consent_id]


# narrowing never widens

GRANTEES = [
    PLAIN.grantee,
    Grantee(GranteeKind.ORGANIZATION, PLAIN.grantee.msp_id, PLAIN.grantee.organization_name),
    Grantee(GranteeKind.ORGANIZATION, "OtherMSP", "Other"),
]
DAY = st.one_of(st.just(""), st.dates(date(2015, 1, 1), date(2026, 12, 31)).map(date.isoformat))
CATEGORIES = st.frozensets(st.sampled_from(Category))


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    categories = draw(CATEGORIES.filter(bool))
    reads = bool(categories & AI_CATEGORIES)
    first, last = draw(DAY), draw(DAY)
    if last and first > last:
        first, last = last, first
    return Terms(
        grantee=draw(st.sampled_from(GRANTEES)),
        purpose=PLAIN.purpose,
        categories=categories,
        keep_open_days=draw(st.integers(1, 365)),
        made_from=first,
        made_until=last,
        ai_inference=reads and draw(st.booleans()),
        ai_training=reads and draw(st.booleans()),
        labels=draw(st.sampled_from(Labels)),
        emergency_opens=draw(st.booleans()),
    )


@st.composite
def choices(draw: st.DrawFn) -> Choices:
    answer = st.sampled_from([None, True, False])
    return Choices(
        categories=draw(CATEGORIES),
        made_from=draw(DAY),
        made_until=draw(DAY),
        days=draw(st.integers(-1, 400)),
        grantee=draw(st.sampled_from(GRANTEES)),
        labels=draw(st.sampled_from(Labels)),
        ai=draw(answer),
        training=draw(answer),
        emergency_opens=draw(answer),
    )


def allows_no_more(asked: Terms, left: Terms) -> bool:
    """Compare by what each means, not as the product does."""
    first, last = asked.made_from or "0000", asked.made_until or "9999-99"
    return all(
        (
            left.categories <= asked.categories,
            bool(left.categories),
            1 <= left.keep_open_days <= asked.keep_open_days,
            (left.made_from or "0000") >= first,
            (left.made_until or "9999-99") <= last,
            left.purpose == asked.purpose,
            asked.ai_inference or not left.ai_inference,
            asked.ai_training or not left.ai_training,
            left.grantee.msp_id == asked.grantee.msp_id,
            [*Labels].index(left.labels) >= [*Labels].index(asked.labels),
        )
    )


@given(terms(), choices())
def test_no_choice_allows_more_than_was_asked(asked: Terms, chosen: Choices) -> None:
    try:
        left = chosen.terms(asked)
    except WideningError:
        return
    assert allows_no_more(asked, left)
    assert not left.ai_inference or chosen.ai is True
    assert not left.ai_training or chosen.training is True


@given(terms())
def test_what_is_offered_can_be_chosen(asked: Terms) -> None:
    plain = Choices.asked(asked)
    for days in days_offered(asked):
        assert plain.change(days=days).terms(asked).keep_open_days == days <= asked.keep_open_days
    for labels in labels_offered(asked):
        assert plain.change(labels=labels).terms(asked).labels is labels
    for since in since_offered(asked, date(2026, 11, 24)):
        assert plain.change(made_from=since.first_day).terms(asked).made_from >= asked.made_from


@given(terms())
def test_nothing_is_answered_for_her(asked: Terms) -> None:
    plain = Choices.asked(asked)
    left = plain.terms(asked)
    assert not left.ai_inference
    assert not left.ai_training
    questions = plain.open_questions(asked)
    assert (Unanswered.AI in questions) == asked.ai_inference
    assert (Unanswered.TRAINING in questions) == asked.ai_training
    assert Unanswered.CATEGORIES in plain.change(categories=frozenset()).open_questions(asked)
    assert asks_emergency(asked, Labels.NORMAL_ONLY) == asked.emergency_opens


def test_an_answer_about_emergencies_is_asked_anew_with_other_labels() -> None:
    chosen = Choices.asked(PLAIN).change(labels=Labels.NORMAL_ONLY, emergency_opens=True)
    assert chosen.change(labels=Labels.NOT_MENTAL_HEALTH).emergency_opens is None
    assert chosen.change(days=DAYS[0]).emergency_opens is True


def test_first_days_are_offered_on_a_leap_day() -> None:
    leap = date(2028, 2, 29)
    offered = since_offered(replace(PLAIN, made_from=(leap - timedelta(days=3000)).isoformat(), made_until=""), leap)
    assert "2027-02-28" in {since.first_day for since in offered}


def test_asking_needs_an_introduction(world: SandboxWorld) -> None:
    desk = world.staff(CAROL)
    with pytest.raises(LookupError):
        desk.requests.send(Draft("unknown", categories=ASKED, reason="x"))
    with pytest.raises(CustodianRefusal):
        desk.patients.introduce("AlderMSP", "no-such-code")


def test_a_draft_with_gaps_is_not_sent(world: SandboxWorld, asked: Asked) -> None:
    desk, patient, _ = asked
    whole = Draft(patient.patient_id, categories=ASKED, reason="x")
    broken = [
        replace(whole, categories=frozenset()),
        replace(whole, reason=" "),
        replace(whole, reason="x" * 201),
        replace(whole, first_day="2026-01-02", last_day="2026-01-01"),
        replace(whole, purpose="HRESCH"),
    ]
    for draft in broken:
        assert len(desk.requests.gaps(draft)) == 1
        with pytest.raises(ValueError, match="Gap"):
            desk.requests.send(draft)
    assert desk.requests.gaps(whole) == ()
    assert len(desk.requests.rows()) == 1
