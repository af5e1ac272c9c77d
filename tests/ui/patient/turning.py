"""Going through a turn as a person does: by mouse, or by keys alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.pages.turn.check import Check
from app.ui.pages.turn.choose import Choose
from app.ui.pages.turn.identity import Identity
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.window import At, ConsentTurn
from app.wiring.sandbox import PIN

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from tests.support.turns import Asked


def click(widget: QWidget) -> None:
    """Press a control with the mouse."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def type_into(widget: QWidget, text: str) -> None:
    """Type into a field."""
    QTest.keyClicks(widget, text)


def shown(qtbot: QtBot, turn: ConsentTurn) -> ConsentTurn:
    """Show a turn in a window of its own that has the keyboard."""
    qtbot.addWidget(turn)
    turn.resize(1280, 800)
    turn.show()
    turn.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is turn)
    return turn


def step(turn: ConsentTurn, kind: type[Any]) -> Any:
    """Return the step that is shown, which must be of a kind."""
    assert isinstance(turn.step, kind), turn.at
    return turn.step


def read_on(qtbot: QtBot, turn: ConsentTurn) -> None:
    """Wait until Next is free, then press it with the mouse."""
    qtbot.waitUntil(turn.footer.next_button.isEnabled)
    click(turn.footer.next_button)


def unlock(qtbot: QtBot, turn: ConsentTurn) -> None:
    """Show card and PIN."""
    fields = step(turn, Identity).fields
    click(fields.sandbox_button)
    type_into(fields.pin, PIN)
    read_on(qtbot, turn)
    qtbot.waitUntil(lambda: turn.at is At.READ)


def right_answer(card: Any) -> Any:
    """Return the option with the right answer."""
    answers = card._asked.question.answers
    return card.options[[answer.is_right for answer in answers].index(True)]


def to_choose(qtbot: QtBot, turn: ConsentTurn) -> Choose:
    """Go to step 2."""
    read_on(qtbot, turn)
    found: Choose = step(turn, Choose)
    return found


def to_sign(qtbot: QtBot, turn: ConsentTurn) -> Sign:
    """Say no to the computer, answer both questions, and go to step 4."""
    choose = to_choose(qtbot, turn)
    assert choose.ai is not None
    click(choose.ai.segments.button(1))
    read_on(qtbot, turn)
    for card in step(turn, Check).cards:
        click(right_answer(card).button)
    read_on(qtbot, turn)
    found: Sign = step(turn, Sign)
    return found


def sign(qtbot: QtBot, turn: ConsentTurn, asked: Asked, pin: str = PIN) -> None:
    """Fill in card and PIN and press the button."""
    found = step(turn, Sign)
    found.fields.card.setText(asked.card)
    type_into(found.fields.pin, pin)
    click(found.button)


def tab_to(target: QWidget, limit: int = 80) -> None:
    """Press Tab until a control has the focus; fail if it is not on the way."""
    for _ in range(limit):
        focused = QApplication.focusWidget()
        if focused is target:
            return
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    raise AssertionError(f"{target.accessibleName()!r} is not reached with Tab")


def press(key: Qt.Key) -> None:
    """Press a key where the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, key)


def type_text(text: str) -> None:
    """Type where the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, text)
