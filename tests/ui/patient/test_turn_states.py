"""What the turn says when something is wrong, unknown or late, in both languages."""

from __future__ import annotations

from functools import partial
from string import Formatter
from typing import TYPE_CHECKING, Any

import pytest

from app.services.consents import ConsentState
from app.ui.outcomes import Settling
from app.ui.pages.turn import ConsentTurn, Leaving
from app.ui.pages.turn.identity import Identity
from app.ui.pages.turn.receipt import OPEN_SECONDS, Finished
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.states import failed
from app.ui.pages.turn.window import At
from app.ui.pages.turn.words import LANGUAGES, own_texts, words
from app.wiring.sandbox import PIN
from ledger.gateway import CommitError, EndorseError, SubmitError
from tests.support.sandbox import ALMA
from tests.support.turns import Refusing
from tests.ui.patient.turning import read_on, shown, sign, step, to_sign, type_into

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.ui.pages.turn.card import CardAndPin
    from app.ui.widgets import State
    from tests.support.turns import Asked


def says(fields: CardAndPin, text: str) -> bool:
    """Whether a text stands under card and PIN."""
    return text in fields.trouble.text.text()


def failing(qtbot: QtBot, asked: Asked, *errors: Exception) -> ConsentTurn:
    """Return a turn at step 4 whose next submissions fail."""
    gateway = Refusing(asked.world.installation.machine.gateway)
    turn = shown(qtbot, ConsentTurn(asked.where(), asked.start(asked.card, PIN, gateway)))
    to_sign(qtbot, turn)
    gateway.errors = list(errors)
    return turn


@pytest.mark.parametrize(
    ("card", "pin", "said"),
    [
        ("no card", PIN, "This is not your card."),
        (None, "00000000", "That was not your PIN. 4 tries left."),
    ],
)
def test_card_or_pin_that_do_not_fit_say_so_and_leave_another_try(
    qtbot: QtBot, asked: Asked, card: str | None, pin: str, said: str
) -> None:
    turn = shown(qtbot, ConsentTurn(asked.where()))
    fields = step(turn, Identity).fields
    fields.card.setText(card or asked.card)
    type_into(fields.pin, pin)
    read_on(qtbot, turn)
    qtbot.waitUntil(lambda: said in fields.trouble.text.text())
    assert turn.at is At.IDENTITY
    assert fields.isEnabled()
    assert fields.pin.text() == ""


def test_the_fifth_wrong_pin_locks_the_card_and_says_what_to_do(qtbot: QtBot, asked: Asked) -> None:
    turn = shown(qtbot, ConsentTurn(asked.where(language="de")))
    fields = step(turn, Identity).fields
    fields.card.setText(asked.card)
    for tries in (4, 3, 2, 1, 0):
        type_into(fields.pin, "00000000")
        read_on(qtbot, turn)
        said = {0: "Zu viele Versuche", 1: "noch 1 Versuch."}.get(tries, f"noch {tries} Versuche")
        qtbot.waitUntil(partial(says, fields, said))


def test_another_persons_card_opens_nothing_of_hers(qtbot: QtBot, asked: Asked) -> None:
    turn = shown(qtbot, ConsentTurn(asked.where()))
    fields = step(turn, Identity).fields
    fields.card.setText(asked.world.cards["Greta Imaginary"])
    type_into(fields.pin, PIN)
    read_on(qtbot, turn)
    qtbot.waitUntil(lambda: "not your card" in fields.trouble.text.text())


def test_a_request_answered_meanwhile_says_so(qtbot: QtBot, asked: Asked) -> None:
    turn = shown(qtbot, ConsentTurn(asked.where()))
    asked.start(asked.card, PIN).refuse(asked.card, PIN)
    fields = step(turn, Identity).fields
    fields.card.setText(asked.card)
    type_into(fields.pin, PIN)
    read_on(qtbot, turn)
    qtbot.waitUntil(lambda: "answered or withdrawn" in fields.trouble.text.text())


def test_an_unknown_outcome_locks_the_button_and_ends_in_the_receipt(
    qtbot: QtBot, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.outcomes._WAITS", (0,))
    turn = failing(qtbot, asked, SubmitError("unavailable"), SubmitError("unavailable"))
    found = step(turn, Sign)
    told: list[str] = []
    show = found.show_state

    def note(state: State | None) -> None:
        told.append(state.heading if state else "")
        show(state)

    monkeypatch.setattr(found, "show_state", note)
    monkeypatch.setattr(Settling, "_next", slowly(Settling._next, found, told))
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT, timeout=10_000)
    assert words("en").say("unknown") in told
    assert "open" not in told
    rows = asked.world.patient(ALMA).consents.rows()
    assert [row.state for row in rows] == [ConsentState.ACTIVE]


def slowly(next_: Any, found: Sign, told: list[str]) -> Any:
    """Note, each time the settling waits, whether the button could be pressed meanwhile."""

    def wait(settling: Settling) -> None:
        if found.button.isEnabled() or found.fields.isEnabled():
            told.append("open")
        next_(settling)

    return wait


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EndorseError("clock-skew"), "Not sent. Nothing was recorded."),
        (EndorseError("illegal-transition"), "answered or withdrawn meanwhile"),
        (CommitError("stale-read"), "Your choices are kept."),
    ],
)
def test_a_refused_signature_says_what_is_true_and_can_be_tried_again(
    qtbot: QtBot, asked: Asked, error: Exception, said: str
) -> None:
    turn = failing(qtbot, asked, error)
    sign(qtbot, turn, asked)
    found = step(turn, Sign)
    qtbot.waitUntil(lambda: found.band.state is not None)
    assert said in found.band.state.text
    assert found.fields.isEnabled()
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT)


def test_a_wrong_pin_at_the_signature_says_how_many_tries_are_left(qtbot: QtBot, asked: Asked) -> None:
    turn = failing(qtbot, asked)
    sign(qtbot, turn, asked, "00000000")
    found = step(turn, Sign)
    qtbot.waitUntil(lambda: "4 tries left" in found.fields.trouble.text.text())
    assert found.band.state is None


def test_the_receipt_closes_after_a_minute(qtbot: QtBot) -> None:
    finished = Finished(words("en"), "Done.", "It is recorded.")
    qtbot.addWidget(finished)
    ended: list[bool] = []
    finished.finished.connect(lambda: ended.append(True))
    for _ in range(OPEN_SECONDS - 1):
        finished._count()
    assert ended == []
    assert finished.closes.text() == "This screen closes in 1 s"
    finished._count()
    assert ended == [True]
    finished.stop()


def test_leaving_ends_the_minute(qtbot: QtBot, asked: Asked) -> None:
    turn = failing(qtbot, asked)
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT)
    turn.leave(Leaving.SIGNED)
    assert turn.kept() is None


def fields(text: str) -> set[str]:
    """Return the names of the fields of a text."""
    return {field for _, field, _, _ in Formatter().parse(text) if field}


def test_both_languages_have_the_same_texts_with_the_same_fields() -> None:
    english, german = own_texts("en"), own_texts("de")
    assert english.keys() == german.keys()
    assert {key for key in english if fields(english[key]) != fields(german[key])} == set()
    assert set(LANGUAGES) == {"en", "de"}


def test_no_text_stands_with_the_consent_and_around_it() -> None:
    for language in LANGUAGES:
        for key in own_texts(language):
            with pytest.raises(KeyError):
                words(language).consent.say(key)


def test_an_error_of_another_kind_shows_nothing_of_itself() -> None:
    assert "secret" not in failed(RuntimeError("secret"), words("en")).sentence
