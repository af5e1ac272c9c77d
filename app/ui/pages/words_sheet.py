"""Writing a few sentences that go to another person: a patient's question, the privacy officer's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit

from app.custodian.results import QUESTION_MAX
from app.ui.theme import scaled
from app.ui.widgets import Band, Button, ButtonKind, Field, Sheet, State, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class WordsSheet(Sheet):
    """One text. It stays open, with the text kept, until ``accept``; there is no default button.

    Args:
        over: any widget of the window.
        title: what it is.
        about: what happens with it.
        heading: over the field.
        verb: on the button.
        patient: the patient's type.

    Signals:
        given: the text, without blanks around it.
    """

    given = Signal(str)

    def __init__(self, over: QWidget, title: str, about: str, heading: str, verb: str, *, patient: bool) -> None:
        super().__init__(over, title, 520, icon_name="message-circle-question-mark")
        self.body.setSpacing(scaled(12))
        self.body.addWidget(label(about, TextKind.PATIENT if patient else TextKind.BODY, wrap=True))
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(scaled(132))
        self._field = Field(heading, self.text, patient=patient)
        self.body.addWidget(self._field)
        self.band = Band()
        self.body.addWidget(self.band)
        self.cancel_button = self.add_cancel()
        self.send_button = self.add_button(Button(verb, kind=ButtonKind.PRIMARY, icon_name="send", patient=patient))
        self.send_button.clicked.connect(self._give)
        self.text.textChanged.connect(self._look)
        self._is_busy = False
        self._look()
        self.text.setFocus()

    @property
    def _words(self) -> str:
        return self.text.toPlainText().strip()

    def _look(self) -> None:
        over = len(self._words) - QUESTION_MAX
        self._field.show_gap(f"{over:,} characters too many." if over > 0 else "")
        self.send_button.setEnabled(bool(self._words) and over <= 0 and not self._is_busy)

    def _give(self) -> None:
        self.band.show_state(None)
        self.set_busy(busy=True)
        self.given.emit(self._words)

    def set_busy(self, *, busy: bool) -> None:
        """Wait for an answer, or go on."""
        self._is_busy = busy
        self.text.setReadOnly(busy)
        self._look()

    def show_failed(self, state: State) -> None:
        """Say what went wrong; the text is kept."""
        self.set_busy(busy=False)
        self.band.show_state(state)
        self.fit()
