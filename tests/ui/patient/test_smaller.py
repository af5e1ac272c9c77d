"""Making a consent smaller on the screen: only less can be chosen, there is nothing to refuse, and it can be over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.services.consents import ConsentState
from app.ui.pages.consents import ConsentsPage
from app.ui.pages.turn.check import Check
from app.ui.pages.turn.place import Leaving
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.window import At, ConsentTurn
from app.wiring.sandbox import PIN
from ledger.gateway import SubmitError
from tests.support.sandbox import ALMA, CAROL
from tests.support.turns import Refusing
from tests.ui.patient.turning import click, read_on, right_answer, shown, sign, step, to_choose

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.services.turn import Turn
    from app.ui.widgets import State
    from app.wiring.desks import PatientDesk
    from tests.support.turns import Asked


@pytest.fixture
def alma(asked: Asked) -> PatientDesk:
    """Alma, who allowed for thirty days all that was asked but a suggestion."""
    turn = asked.start(asked.card, PIN)
    turn.narrow(ai_inference=False)
    turn.sign(asked.card, PIN)
    return asked.world.patient(ALMA)


def page_of(qtbot: QtBot, asked: Asked, alma: PatientDesk) -> ConsentsPage:
    """Return My consents with the one consent chosen."""
    page = ConsentsPage(alma.consents, alma.narrow, asked.place, "en", asked.folder)
    qtbot.addWidget(page)
    page.resize(1192, 724)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.list.current_row is not None)
    return page


def started(qtbot: QtBot, asked: Asked, turn: Turn, language: str = "en") -> ConsentTurn:
    """Show a turn as wiring does when she signed in herself."""
    where = asked.where(handed_over=False, language=language, asked_by=CAROL, unlock=lambda _card, _pin: turn)
    return shown(qtbot, ConsentTurn(where, turn))


def to_sign(qtbot: QtBot, turn: ConsentTurn) -> Sign:
    """Take laboratory results out, answer both questions and go to step 4."""
    click(to_choose(qtbot, turn).records.boxes["laboratory"].button)
    read_on(qtbot, turn)
    for card in step(turn, Check).cards:
        click(right_answer(card).button)
    read_on(qtbot, turn)
    found: Sign = step(turn, Sign)
    return found


def test_the_button_leads_to_a_turn_and_the_old_consent_is_ended_by_the_new(
    qtbot: QtBot, asked: Asked, alma: PatientDesk
) -> None:
    page = page_of(qtbot, asked, alma)
    with qtbot.waitSignal(page.turn_ready) as ready:
        click(page.detail.smaller_button)
    turn = started(qtbot, asked, ready.args[0])
    assert not turn.footer.refuse_button.isVisible()
    assert turn.footer.later_button.text() == "Leave it as it is"
    to_sign(qtbot, turn)
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT)
    page.refresh()
    qtbot.waitUntil(lambda: page.list.entries_model.rowCount() == 4)
    states = [each.state for each in alma.consents.rows()]
    assert states == [ConsentState.ACTIVE, ConsentState.REPLACED]
    page.list.choose(asked.consent_id)
    assert not page.detail.smaller_button.isVisible()
    turn.leave(Leaving.SIGNED)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Make something smaller first"), ("de", "Nehmen Sie zuerst etwas heraus")]
)
def test_next_waits_until_something_is_smaller(
    qtbot: QtBot, asked: Asked, alma: PatientDesk, language: str, said: str
) -> None:
    turn = started(qtbot, asked, alma.narrow(alma.consents.rows()[0]), language)
    choose = to_choose(qtbot, turn)
    assert not turn.footer.next_button.isEnabled()
    assert turn.footer.note.text.text() == said
    click(choose.records.boxes["laboratory"].button)
    assert turn.footer.next_button.isEnabled()
    click(choose.records.boxes["laboratory"].button)
    assert not turn.footer.next_button.isEnabled()


def test_a_consent_stopped_meanwhile_leads_nowhere(qtbot: QtBot, asked: Asked, alma: PatientDesk) -> None:
    page = page_of(qtbot, asked, alma)
    alma.consents.stop(alma.consents.rows()[0], PIN)
    with qtbot.waitSignal(page.toast_wanted) as said:
        click(page.detail.smaller_button)
    assert said.args == ["This consent ended meanwhile."]
    qtbot.waitUntil(lambda: page.list.current_row.state is ConsentState.WITHDRAWN)


def test_stopped_while_she_chose_the_signature_is_refused_in_plain_words(
    qtbot: QtBot, asked: Asked, alma: PatientDesk
) -> None:
    turn = started(qtbot, asked, alma.narrow(alma.consents.rows()[0]))
    found = to_sign(qtbot, turn)
    alma.consents.stop(alma.consents.rows()[0], PIN)
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: found.band.state is not None)
    assert found.band.state is not None
    assert found.band.state.text == "This consent ended meanwhile. There is nothing left to make smaller."


def test_an_unknown_outcome_cannot_be_sent_again(
    qtbot: QtBot, asked: Asked, alma: PatientDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.outcomes._WAITS", (0,))
    made = alma.narrow(alma.consents.rows()[0])
    gateway = Refusing(asked.world.installation.machine.gateway)
    turn = started(qtbot, asked, replace(made, machine=replace(made.machine, gateway=gateway)))
    found = to_sign(qtbot, turn)
    gateway.errors = [SubmitError("unavailable"), SubmitError("unavailable")]
    told: list[bool] = []
    show = found.show_state

    def note(state: State | None) -> None:
        told.append(found.button.isEnabled())
        show(state)

    monkeypatch.setattr(found, "show_state", note)
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT or len(told) > 2)
    assert told[:2] == [False, False]
