"""The bell: what was decided in the last day, what ends soon, what waits for the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.services.drafts import Draft
from app.services.submission import UnsettledError
from app.wiring.notices import notices_of, read
from tests.support.gateways import Loss, fail_between
from tests.support.sandbox import ALMA, CAROL

if TYPE_CHECKING:
    from tests.support.sandbox import SandboxWorld

DAY = 86_400


def texts(world: SandboxWorld, desk: object) -> list[str]:
    return [notice.text for notice in notices_of(desk, world.clock.now)]  # type: ignore[arg-type]


def test_a_decision_is_told_for_a_day_and_an_end_before_it_comes(world: SandboxWorld) -> None:
    carol = world.staff(CAROL)
    assert texts(world, carol) == []
    world.allow(carol, ALMA, frozenset({Category.CYTOLOGY, Category.DOCUMENT}), frozenset({Category.DOCUMENT}))
    assert texts(world, carol) == [f"{ALMA} allowed part of your request"]
    world.clock.now += 2 * DAY
    assert texts(world, carol) == []
    world.clock.now += 4 * DAY + DAY // 2
    assert texts(world, carol) == [f"What {ALMA} allowed ends soon"]
    world.clock.now += DAY
    assert texts(world, carol) == [f"What {ALMA} allowed has ended"]
    world.clock.now += DAY
    assert texts(world, carol) == []


def test_a_patient_is_told_who_asks(world: SandboxWorld) -> None:
    carol = world.staff(CAROL)
    reference = world.introduce(carol, ALMA, "Rita Roster", "AlderMSP")
    carol.requests.send(Draft(reference.patient_id, categories=frozenset({Category.CYTOLOGY}), reason="Care."))
    (notice,) = notices_of(world.patient(ALMA), world.clock.now)
    assert notice.text == f"{CAROL} asks for access"
    assert notice.key.startswith("inbox:")


def test_nobody_else_has_notices(world: SandboxWorld) -> None:
    for name in ("Rita Roster", "Petra Protocol", "Otto Operand"):
        assert notices_of(world.staff(name), world.clock.now) == ()


def test_who_sent_what_the_ledger_refused_is_told_what_to_do_until_it_is_read(world: SandboxWorld) -> None:
    gateway, rita = fail_between(world.installation), world.staff("Rita Roster")
    subject = world.staff(CAROL).identity.subject
    gateway.loss = Loss.BEFORE
    with pytest.raises(UnsettledError):
        rita.people.suspend(subject)
    gateway.loss = None
    world.staff("Petra Protocol").people.suspend(subject)
    world.tick()
    (notice,) = notices_of(world.staff("Rita Roster"), world.clock.now)
    assert notice.text.startswith("Not recorded: your suspension of a person. ")
    assert notice.key.startswith("people:")
    assert notices_of(world.staff("Petra Protocol"), world.clock.now) == ()
    read(rita, "people:other")
    assert notices_of(rita, world.clock.now) == (notice,)
    read(rita, notice.key)
    assert notices_of(rita, world.clock.now) == ()
