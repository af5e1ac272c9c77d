"""Before the first step: card and PIN of the patient to whom the screen was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.pages.turn.card import CardAndPin
from app.ui.pages.turn.step import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from app.ui.pages.turn.words import Words


class Identity(Step):
    """Who is there. The window unlocks with what ``fields`` hold."""

    def __init__(self, words: Words, sandbox_card: Callable[[], str] | None) -> None:
        super().__init__(centred=640)
        self._words = words
        self.title(words.say("identity.title"), words.say("identity.text"))
        self.fields = CardAndPin(words, sandbox_card)
        self.main.addSpacing(8)
        self.main.addWidget(self.fields)
        self.main.addStretch(1)
        self.fields.changed.connect(self.changed)

    @property
    def is_ready(self) -> bool:
        """Whether card and PIN are there."""
        return self.fields.is_complete

    @property
    def speech(self) -> str:
        """What is read aloud."""
        return f"{self._words.say('identity.title')}. {self._words.say('identity.text')}"

    def first_control(self) -> QWidget | None:
        """The card's field."""
        return self.fields.card
