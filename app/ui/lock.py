"""The lock page (SCREENS.md m): own name and hospital, a PIN, no patient's name, no count by patient."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.ui.theme import scaled
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.forms import PinField
from app.ui.widgets.header import AlonePage
from app.ui.widgets.panes import Card, Note, centred
from app.ui.widgets.text import Disc, Rule, TextKind, label
from app.ui.wording import count_text


@dataclass(frozen=True, slots=True)
class LockFacts:
    """What the lock page may say.

    Attributes:
        name, hospital: of the person who locked; never of a patient.
        closed: how many records locking closed.
        reason: "Locked after 5 minutes without use".
        is_working: whether an import or verification goes on.
        is_turn: whether a patient is deciding: only then the text differs.
    """

    name: str
    hospital: str
    closed: int = 0
    reason: str = ""
    is_working: bool = False
    is_turn: bool = False


class LockPage(AlonePage):
    """Replaces the whole window. ``unlock_asked`` carries the PIN; the field is empty afterwards."""

    unlock_asked = Signal(str)
    sign_out_asked = Signal()
    someone_else_asked = Signal()

    def __init__(self, facts: LockFacts) -> None:
        super().__init__()
        self.pin = PinField()
        self.unlock_button = Button("Unlock", kind=ButtonKind.PRIMARY, key_hint="↵")
        self.sign_out_button = Button("Sign out", icon_name="log-out", parent=self)
        self.someone_else_button = Button("Someone else…", icon_name="users-round", parent=self)
        self.trouble = Note("triangle-alert", "", "wait")
        self.trouble.hide()
        for button in (self.sign_out_button, self.someone_else_button):
            button.setVisible(not facts.is_turn)
        card = Card(padding=32)
        card.setFixedWidth(scaled(420))
        card.body.setContentsMargins(scaled(32), scaled(28), scaled(32), scaled(28))
        card.body.setSpacing(scaled(10))
        card.body.addLayout(self._head(facts))
        card.body.addSpacing(scaled(8))
        card.body.addWidget(label("PIN", TextKind.STRONG))
        row = QHBoxLayout()
        row.setSpacing(scaled(8))
        row.addWidget(self.pin, 1)
        row.addWidget(self.unlock_button)
        card.body.addLayout(row)
        card.body.addWidget(self.trouble)
        self._add_rest(card, facts)
        self.middle.addStretch(1)
        self.middle.addLayout(centred(card))
        self.middle.addStretch(1)
        self.bottom.addWidget(label(facts.reason, TextKind.CAPTION))
        self.bottom.addStretch(1)
        self.unlock_button.clicked.connect(self._ask)
        self.pin.entered.connect(self._ask)
        self.sign_out_button.clicked.connect(self.sign_out_asked)
        self.someone_else_button.clicked.connect(self.someone_else_asked)
        self.first = self.pin

    @staticmethod
    def _head(facts: LockFacts) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(scaled(12))
        head.addWidget(Disc("lock", 44, is_icon=True))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label("Locked", TextKind.TITLE))
        who = "Your choices are kept." if facts.is_turn else f"{facts.name} · {facts.hospital}"
        words.addWidget(label(who, tone="text2"))
        head.addLayout(words)
        head.addStretch(1)
        return head

    def _add_rest(self, card: Card, facts: LockFacts) -> None:
        lines = []
        if facts.closed and not facts.is_turn:
            was = "was" if facts.closed == 1 else "were"
            again = "Opening it again is a new entry." if facts.closed == 1 else "Opening them again is a new entry."
            lines.append(("scan", f"{count_text(facts.closed, 'record', 'records')} {was} closed. {again}"))
        if facts.is_working:
            lines.append(("rotate-cw", "Work goes on in the background."))
        if not facts.is_turn:
            card.body.addWidget(Rule())
            for icon_name, text in lines:
                card.body.addWidget(Note(icon_name, text, "text2", TextKind.BODY))
            buttons = QHBoxLayout()
            buttons.setSpacing(scaled(8))
            buttons.addWidget(self.sign_out_button, 1)
            buttons.addWidget(self.someone_else_button, 1)
            card.body.addLayout(buttons)

    def _ask(self) -> None:
        if self.pin.text():
            self.unlock_button.setEnabled(False)
            self.unlock_asked.emit(self.pin.take())

    def show_trouble(self, text: str) -> None:
        """Say why it stays locked: "That was not your PIN. 4 tries left."."""
        self.trouble.show_note("triangle-alert", text, "wait")
        self.unlock_button.setEnabled(True)
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)
