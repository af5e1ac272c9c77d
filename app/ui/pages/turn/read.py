"""Step 1: what is asked, one screen of plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout

from app.ui.pages.turn.step import Step
from app.ui.theme import scaled
from app.ui.widgets import Card, IconLabel, Rule, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent, QShowEvent
    from PySide6.QtWidgets import QWidget

    from app.services.turn import Turn
    from app.ui.pages.turn.words import Words

_ICONS: Final = ("user-round", "stethoscope", "files", "calendar", "clock")


class Read(Step):
    """The request as the clinician previewed it. Next is free at once if nothing scrolls, else at the end."""

    def __init__(self, turn: Turn, words: Words, *, seen: bool = False) -> None:
        super().__init__(centred=676)
        self._words, self._seen = words, seen
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._look)
        self.sentences = turn.asked_sentences()
        self._reason = words.say("reason", reason=turn.reason) if turn.reason else ""
        self.title(words.say("read.title"))
        card = Card(padding=20)
        card.body.setSpacing(scaled(14))
        for number, sentence in enumerate(self.sentences):
            icon_name = _ICONS[number] if number < len(_ICONS) else "chart-scatter"
            if number == len(_ICONS):
                card.body.addWidget(Rule())
            card.body.addLayout(self._line(icon_name, sentence))
            if number == 0 and turn.reason:
                card.body.addLayout(self._line("message-square", self._reason))
        self.main.addWidget(card)
        self.main.addWidget(label(words.say("fact_no"), TextKind.PATIENT, "text2", wrap=True))
        self.main.addStretch(1)
        self.column.verticalScrollBar().valueChanged.connect(self._look)
        self.column.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._later.start())
        self.column.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @staticmethod
    def _line(icon_name: str, text: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(scaled(14))
        row.addWidget(IconLabel(icon_name, "accent", 22), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label(text, TextKind.PATIENT, wrap=True), 1)
        return row

    @property
    def is_ready(self) -> bool:
        """Whether the end was seen."""
        return self._seen

    @property
    def gap(self) -> str:
        """That there is more."""
        return "" if self._seen else self._words.say("read.end")

    @property
    def speech(self) -> str:
        """What is read aloud."""
        return " ".join((self.sentences[0], self._reason, *self.sentences[1:]))

    def first_control(self) -> QWidget | None:
        """The text, so that arrows and Page Down scroll it."""
        return self.column

    def _look(self) -> None:
        bar = self.column.verticalScrollBar()
        if not self._seen and self.isVisible() and bar.value() >= bar.maximum():
            self._seen = True
            self.changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's: look once the layout is settled."""
        super().showEvent(event)
        self._later.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self._later.start()
