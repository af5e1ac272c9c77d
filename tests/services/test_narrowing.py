"""Making a consent smaller: a new one replaces it, allows less, ends when it would have, and takes her card and PIN."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.consent.artefact import Artefact
from app.consent.receipt import verify_receipt
from app.consent.terms import Category, Labels, WideningError
from app.custodian.messages import CustodianRefusal
from app.custodian.results import Opening
from app.services.consents import ConsentState
from app.services.openings import DeniedError, Wanted
from app.services.pairs import WrongCardError, WrongPinError
from app.services.requests import RequestState
from app.services.turn import NotWaitingError
from app.services.watching import Ending
from app.wiring.sandbox import PIN
from ledger.gateway import EndorseError
from tests.support.sandbox import ALMA, CAROL

if TYPE_CHECKING:
    from app.services.consents import ConsentRow
    from app.services.turn import Turn
    from app.wiring.desks import PatientDesk
    from tests.support.sandbox import SandboxWorld

DAY = 86_400
BOTH = frozenset({Category.CYTOLOGY, Category.DOCUMENT})


def held(alma: PatientDesk) -> ConsentRow:
    """Return the consent that is in force."""
    return next(row for row in alma.consents.rows() if row.state is ConsentState.ACTIVE and not row.denies)


def narrowing(world: SandboxWorld) -> Turn:
    """Return Alma's turn in which she makes her consent smaller."""
    alma = world.patient(ALMA)
    return alma.narrow(held(alma))


def wanted(world: SandboxWorld, category: Category) -> Wanted:
    """Return one of Alma's records, as Dr Carol Specimen would open it."""
    own = next(row for row in world.patient(ALMA).records.rows() if row.category == category)
    patient_id = world.staff(CAROL).patients.known()[0].patient_id
    return Wanted(patient_id, "AlderMSP", own.record_id, own.version)


def test_what_she_took_away_stays_closed_and_the_rest_opens_until_the_same_second(allowed: SandboxWorld) -> None:
    alma = allowed.patient(ALMA)
    before = held(alma)
    allowed.clock.now += 2 * DAY + 17
    turn = alma.narrow(before)
    assert (turn.asked.categories, turn.asked.keep_open_days) == (BOTH, 5)
    turn.narrow(categories=frozenset({Category.DOCUMENT}))
    receipt = turn.sign(allowed.cards[ALMA], PIN)
    verify_receipt(receipt.content, allowed.installation.machine.gateway.network_id)
    allowed.tick()
    after = held(alma)
    assert (after.ends_at, after.consent_id) == (before.ends_at, turn.consent_id)
    assert after.asked_by is not None
    assert after.asked_by.name == CAROL
    states = {row.consent_id: row.state for row in alma.consents.rows()}
    assert states == {before.consent_id: ConsentState.REPLACED, after.consent_id: ConsentState.ACTIVE}
    carol = allowed.staff(CAROL)
    carol.openings.open(wanted(allowed, Category.DOCUMENT), "TREAT")
    allowed.clock.now += 1
    with pytest.raises(DeniedError):
        carol.openings.open(wanted(allowed, Category.CYTOLOGY), "TREAT")


def test_what_is_open_and_taken_away_closes_and_the_rest_stays(allowed: SandboxWorld) -> None:
    carol = allowed.staff(CAROL)
    opened = {}
    for category in BOTH:
        opened[category] = carol.openings.open(wanted(allowed, category), "TREAT")
        allowed.clock.now += 1
    turn = narrowing(allowed)
    turn.narrow(categories=frozenset({Category.DOCUMENT}))
    turn.sign(allowed.cards[ALMA], PIN)
    ended = carol.openings.ended()
    assert [(each.access_id, why) for each, why in ended] == [(opened[Category.CYTOLOGY].access_id, Ending.WITHDRAWN)]


def test_whoever_asked_reads_what_is_left_of_it(allowed: SandboxWorld) -> None:
    carol = allowed.staff(CAROL)
    sent = carol.requests.rows()[0]
    turn = narrowing(allowed)
    turn.narrow(categories=frozenset({Category.DOCUMENT}), keep_open_days=1)
    turn.sign(allowed.cards[ALMA], PIN)
    row = carol.requests.rows()[0]
    assert (row.consent_id, row.answered_by, row.state) == (sent.consent_id, turn.consent_id, RequestState.NARROWED)
    assert row.allowed is not None
    assert row.allowed.categories == {Category.DOCUMENT}
    assert (row.sent_at, row.until) == (sent.sent_at, allowed.clock.now + DAY)
    alma = allowed.patient(ALMA)
    alma.consents.stop(held(alma), PIN)
    assert carol.requests.rows()[0].state is RequestState.ENDED


def test_nobody_else_reads_what_she_signed_anew(allowed: SandboxWorld) -> None:
    turn = narrowing(allowed)
    turn.narrow(keep_open_days=1)
    turn.sign(allowed.cards[ALMA], PIN)
    dan = allowed.staff("Dr Dan Template")
    reference = allowed.introduce(dan, ALMA, "Rita Roster", "AlderMSP")
    client = allowed.installation.machine.custodians["AlderMSP"]
    assert not client.explain(dan.identity, reference.patient_id, [turn.consent_id]).artefacts


@pytest.mark.parametrize(
    "more",
    [
        {"categories": BOTH | {Category.IMAGE}},
        {"keep_open_days": 30},
        {"ai_training": True},
    ],
)
def test_it_can_never_become_larger(allowed: SandboxWorld, more: dict[str, object]) -> None:
    turn = narrowing(allowed)
    with pytest.raises(WideningError):
        turn.narrow(**more)


def test_the_same_again_is_not_signed(allowed: SandboxWorld) -> None:
    turn = narrowing(allowed)
    assert not turn.is_signable
    with pytest.raises(WideningError):
        turn.sign(allowed.cards[ALMA], PIN)


def test_it_takes_her_own_card_and_pin(allowed: SandboxWorld) -> None:
    turn = narrowing(allowed)
    turn.narrow(labels=Labels.NOT_MENTAL_HEALTH)
    with pytest.raises(WrongPinError):
        turn.sign(allowed.cards[ALMA], "00000000")
    other = next(card for name, card in allowed.cards.items() if name != ALMA)
    with pytest.raises(WrongCardError):
        turn.sign(other, PIN)
    assert held(allowed.patient(ALMA)).consent_id == turn.replaces


def test_another_patient_cannot_make_it_smaller(allowed: SandboxWorld) -> None:
    row = held(allowed.patient(ALMA))
    other = next(name for name in allowed.cards if name != ALMA)
    with pytest.raises(WrongCardError):
        allowed.patient(other).narrow(row)


def test_stopped_meanwhile_nothing_comes_back(allowed: SandboxWorld) -> None:
    alma = allowed.patient(ALMA)
    row = held(alma)
    turn = alma.narrow(row)
    turn.narrow(keep_open_days=1)
    alma.consents.stop(row, PIN)
    with pytest.raises(EndorseError) as refused:
        turn.sign(allowed.cards[ALMA], PIN)
    assert refused.value.code == "illegal-transition"
    assert not [each for each in alma.consents.rows() if each.state is ConsentState.ACTIVE]
    with pytest.raises(NotWaitingError):
        alma.narrow(row)


def test_signed_twice_the_second_is_refused(allowed: SandboxWorld) -> None:
    first, second = narrowing(allowed), narrowing(allowed)
    for turn in (first, second):
        turn.narrow(keep_open_days=1)
    first.sign(allowed.cards[ALMA], PIN)
    with pytest.raises(EndorseError):
        second.sign(allowed.cards[ALMA], PIN)
    with pytest.raises(CustodianRefusal):
        first.sign(allowed.cards[ALMA], PIN)


def test_what_ended_while_she_chose_is_refused_as_over(allowed: SandboxWorld) -> None:
    alma = allowed.patient(ALMA)
    row = held(alma)
    assert row.ends_at is not None
    allowed.clock.now = row.ends_at - 60
    turn = allowed.patient(ALMA).narrow(row)
    assert turn.asked.keep_open_days == 1
    turn.narrow(categories=frozenset({Category.DOCUMENT}))
    allowed.clock.now = row.ends_at
    with pytest.raises(EndorseError) as refused:
        turn.sign(allowed.cards[ALMA], PIN)
    assert refused.value.code == "expired"
    with pytest.raises(NotWaitingError):
        allowed.patient(ALMA).narrow(row)


def test_a_block_is_lifted_not_made_smaller(allowed: SandboxWorld) -> None:
    alma = allowed.patient(ALMA)
    alma.consents.block_person(alma.consents.people()[0], PIN, emergency_opens=False)
    blocked = next(row for row in alma.consents.rows() if row.denies)
    assert blocked.terms is None
    with pytest.raises(NotWaitingError):
        alma.narrow(blocked)


def test_a_copy_that_the_ledger_does_not_commit_to_is_not_started_from(
    allowed: SandboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    alma = allowed.patient(ALMA)
    row, client = held(alma), alma.unlocked.pairs[0].client
    explain = type(client).explain

    def lie(self: object, signer: object, patient_id: str, ids: list[str]) -> object:
        found = explain(client, signer, patient_id, ids)  # type: ignore[arg-type]  # what the page passed
        opening = found.artefacts[row.consent_id]
        other = replace(Artefact.from_bytes(opening.content), assisted_by="another")
        return replace(found, artefacts={row.consent_id: Opening(other.to_bytes(), opening.salt)})

    monkeypatch.setattr(type(client), "explain", lie)
    with pytest.raises(NotWaitingError):
        alma.narrow(row)
