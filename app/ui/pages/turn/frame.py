"""Header and footer of the turn: nothing of the clinician's, and a way out that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QVBoxLayout

from app.ui.pages.turn.words import LANGUAGES, Words
from app.ui.theme import scaled
from app.ui.widgets import Button, ButtonKind, Note, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from app.ui.pages.turn.place import TurnPlace


class TurnHeader(QFrame):
    """Whose part this is, who asks, and the buttons that work in every step."""

    read_aloud = Signal()
    larger = Signal()
    language_chosen = Signal(str)
    given_back = Signal()

    def __init__(self, where: TurnPlace, words: Words) -> None:
        super().__init__()
        self.setProperty("surface", "header")
        name = words.consent.name(where.asked_by)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(label(words.say("turn", patient=where.patient_name.partition(" ")[0]), TextKind.SECTION))
        by = words.say("by" if where.handed_over else "turn.asked_by", name=name)
        left.addWidget(label(by, TextKind.CAPTION))
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(32), scaled(10), scaled(32), scaled(10))
        row.setSpacing(scaled(16))
        row.addLayout(left, 1)
        self.aloud_button = Button(words.say("read_aloud"), icon_name="volume-2")
        self.larger_button = Button(words.say("larger"), icon_name="a-large-small")
        self.larger_button.setCheckable(True)
        self.language = QComboBox()
        self.language.setAccessibleName(words.say("language"))
        for code, text in LANGUAGES.items():
            self.language.addItem(text, code)
        self.language.setCurrentIndex(self.language.findData(words.language))
        self.give_back_button = Button(
            words.say("give_back", short_name=words.consent.short_name(where.asked_by)), icon_name="log-out"
        )
        for part in (self.aloud_button, self.larger_button, self.language, self.give_back_button):
            row.addWidget(part)
        self.aloud_button.setVisible(where.speech is not None)
        self.give_back_button.setVisible(where.handed_over)
        self.aloud_button.clicked.connect(self.read_aloud)
        self.larger_button.clicked.connect(self.larger)
        self.give_back_button.clicked.connect(self.given_back)
        self.language.activated.connect(lambda place: self.language_chosen.emit(self.language.itemData(place)))


class TurnFooter(QFrame):
    """Refuse all at the left; Decide later, Back and Next at the right, with the reason why Next is not free."""

    refused = Signal()
    later = Signal()
    back = Signal()
    next = Signal()

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.setProperty("surface", "footer")
        self.refuse_button = Button(words.say("refuse"), kind=ButtonKind.DANGER_OUTLINE, patient=True)
        self.note = Note("circle-alert", "", "wait", TextKind.PATIENT_CAPTION)
        self.note.text.setWordWrap(False)
        self.later_button = Button(words.say("later"), patient=True)
        self.back_button = Button(words.say("back"), icon_name="arrow-left", patient=True)
        self.next_button = Button(words.say("next"), patient=True)
        both = QVBoxLayout(self)
        both.setContentsMargins(scaled(32), scaled(14), scaled(32), scaled(14))
        both.setSpacing(scaled(6))
        self._above, self._row = QHBoxLayout(), QHBoxLayout()
        self._above.addStretch(1)
        row = self._row
        row.setSpacing(scaled(12))
        row.addWidget(self.refuse_button)
        row.addStretch(1)
        row.addWidget(self.note, 0, Qt.AlignmentFlag.AlignVCenter)
        both.addLayout(self._above)
        both.addLayout(row)
        for part in (self.later_button, self.back_button, self.next_button):
            row.addWidget(part)
        self.refuse_button.clicked.connect(self.refused)
        self.later_button.clicked.connect(self.later)
        self.back_button.clicked.connect(self.back)
        self.next_button.clicked.connect(self.next)

    def show_gap(self, text: str) -> None:
        """Say why one may not go on; empty says nothing."""
        self.note.show_note("circle-alert", text, "wait")
        self.next_button.setAccessibleDescription(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Put the reason above the buttons where it has no room beside them (large text)."""
        buttons = (self.refuse_button, self.later_button, self.back_button, self.next_button)
        wanted = [each.sizeHint().width() for each in buttons if not each.isHidden()]
        wanted.append(self.note.sizeHint().width())
        is_tight = sum(wanted) + scaled(12) * (len(wanted) + 1) + scaled(64) > self.width()
        where, other = (self._above, self._row) if is_tight else (self._row, self._above)
        if where.indexOf(self.note) < 0:
            other.removeWidget(self.note)
            where.insertWidget(1 if is_tight else 2, self.note, 0, Qt.AlignmentFlag.AlignVCenter)
