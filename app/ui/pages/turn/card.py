"""Card and PIN, which only together open a patient's keys (ATTACKS.md A27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.services.pairs import WrongCardError, WrongPinError
from app.services.turn import NotWaitingError
from app.ui.theme import scaled
from app.ui.widgets import Button, Field, Note, PinField, TextKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QFocusEvent

    from app.ui.pages.turn.words import Words


class CardField(QLineEdit):
    """A card's text: read while it is typed, hidden once the focus is elsewhere.

    Qt's own mode for this empties the field at the next key, Esc and Enter included (tried).
    """

    def __init__(self) -> None:
        super().__init__()
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt's."""
        self.setEchoMode(QLineEdit.EchoMode.Normal)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt's."""
        super().focusOutEvent(event)
        self.setEchoMode(QLineEdit.EchoMode.Password)


class CardAndPin(QWidget):
    """The two fields. ``changed`` when they become complete or no longer are.

    Args:
        words: in the patient's language.
        sandbox_card: returns the text of her card; a button fills it in.
        card: False where her card is known already and the PIN is enough.
    """

    changed = Signal()

    def __init__(self, words: Words, sandbox_card: Callable[[], str] | None = None, *, card: bool = True) -> None:
        super().__init__()
        self._needs_card = card
        self.card = CardField()
        self.card.setProperty("patient", "true")
        self.card.setPlaceholderText(words.say("card.hint"))
        self.card.setAccessibleName(words.say("card"))
        self.card.setMaxLength(400)
        self.pin = PinField(patient=True, accessible=words.say("pin"))
        self.sandbox_button: Button | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(16))
        if card:
            layout.addWidget(Field(words.say("card"), self._card_row(words, sandbox_card), patient=True))
        layout.addWidget(Field(words.say("pin"), self.pin, patient=True))
        self.trouble = Note("triangle-alert", "", "wait", TextKind.PATIENT_CAPTION)
        self.trouble.hide()
        layout.addWidget(self.trouble)
        self.card.textChanged.connect(self._change)
        self.pin.textChanged.connect(self._change)

    def _card_row(self, words: Words, sandbox_card: Callable[[], str] | None) -> QWidget:
        row = QWidget()
        layout = QVBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(8))
        layout.addWidget(self.card)
        if sandbox_card is not None:
            self.sandbox_button = Button(words.say("card.sandbox"), icon_name="receipt-text", patient=True)
            self.sandbox_button.clicked.connect(lambda: self.card.setText(sandbox_card()))
            layout.addWidget(self.sandbox_button, 0, Qt.AlignmentFlag.AlignLeft)
        row.setAccessibleName(words.say("card"))
        row.setFocusProxy(self.card)
        return row

    @property
    def is_complete(self) -> bool:
        """Whether there is a card and a PIN of its least length."""
        return self.pin.is_complete and (not self._needs_card or bool(self.card.text().strip()))

    def take(self) -> tuple[str, str]:
        """Return card text and PIN; the PIN leaves its field, the card stays for another try."""
        return self.card.text().strip(), self.pin.take()

    def forget(self) -> None:
        """Empty both fields."""
        self.card.clear()
        self.pin.clear()

    def show_trouble(self, text: str) -> None:
        """Say what was wrong, and go to where it is put right; empty says nothing."""
        self.trouble.show_note("triangle-alert", text, "wait")
        if text:
            self.pin.setFocus()

    def _change(self) -> None:
        self.changed.emit()


def own_trouble(error: Exception, words: Words) -> str:
    """Return what stands under card and PIN for an error of theirs; empty for every other."""
    if isinstance(error, WrongPinError):
        return (
            words.counted("wrong_pin", error.tries_left, tries=error.tries_left)
            if error.tries_left
            else words.say("locked_card")
        )
    if isinstance(error, WrongCardError):
        return words.say("wrong_card")
    if isinstance(error, NotWaitingError):
        return words.say("not_waiting")
    return ""
