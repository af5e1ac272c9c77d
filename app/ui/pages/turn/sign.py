"""Step 4: the whole text once more, the very bytes that are signed, then card and PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from app.consent.sentences import facts, sentences
from app.ui.pages.turn.card import CardAndPin
from app.ui.pages.turn.sentence import icon_row
from app.ui.pages.turn.step import Step
from app.ui.theme import scaled
from app.ui.widgets import Band, Button, ButtonKind, Card, Rule, TextKind, label

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from app.consent.artefact import Artefact
    from app.ui.pages.turn.words import Words
    from app.ui.widgets import State


class Sign(Step):
    """The signature. ``sign_wanted`` when the button is pressed with card and PIN in place."""

    sign_wanted = Signal()

    def __init__(self, artefact: Artefact, words: Words, sandbox_card: Callable[[], str] | None) -> None:
        super().__init__(aside=True)
        self._words, self._is_busy = words, False
        self.sentences = sentences(artefact, words.language)
        self.title(words.say("sign_title"), words.say("sign.note"))
        text = Card(words.say("sign.text"), accent=True, padding=20)
        text.body.setSpacing(scaled(10))
        text.body.addWidget(label(self.sentences[0], TextKind.PATIENT_STRONG, wrap=True))
        for sentence in self.sentences[1:]:
            text.body.addWidget(label(sentence, TextKind.PATIENT, wrap=True))
        text.body.addWidget(Rule())
        for fact in facts(words.language):
            text.body.addLayout(icon_row("check", "ok_fg", fact))
        self.main.addWidget(text)
        self.main.addStretch(1)
        self.fields = CardAndPin(words, sandbox_card)
        self.button = Button(words.say("sign_button"), icon_name="pen-line", patient=True)
        self.band = Band()
        card = Card(padding=20)
        card.body.setSpacing(scaled(16))
        for part in (self.fields, self.button, self.band):
            card.body.addWidget(part)
        self.aside.addWidget(card)
        self.aside.addStretch(1)
        self.button.clicked.connect(self._press)
        self.fields.changed.connect(self._look)
        self._look()

    @property
    def is_ready(self) -> bool:
        """Never: only the signature leads on."""
        return False

    @property
    def speech(self) -> str:
        """What is read aloud."""
        return " ".join((*self.sentences, *facts(self._words.language)))

    def first_control(self) -> QWidget | None:
        """The card's field."""
        return self.fields.card

    def show_busy(self, *, busy: bool) -> None:
        """Lock the fields while something is sent, or while its outcome is not known."""
        self._is_busy = busy
        self.fields.setEnabled(not busy)
        self.button.set_words(self._words.say("sign.recording" if busy else "sign_button"))
        self._look()

    def show_state(self, state: State | None) -> None:
        """Show what came of it."""
        self.band.show_state(state)

    def _look(self) -> None:
        """The button has the colour of "act here" only once the PIN has its length; it is never a default."""
        is_complete = self.fields.is_complete and not self._is_busy
        self.button.setEnabled(is_complete)
        self.button.set_kind(ButtonKind.PRIMARY if is_complete else ButtonKind.PLAIN)

    def _press(self) -> None:
        if self.fields.is_complete and not self._is_busy:
            self.button.setFocus(Qt.FocusReason.OtherFocusReason)
            self.sign_wanted.emit()
