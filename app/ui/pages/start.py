"""What is shown while the machine is made ready; on a first start it asks for the passphrase (SCREENS.md a)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from app.ui.theme import scaled
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.forms import Field, PinField
from app.ui.widgets.header import AlonePage
from app.ui.widgets.panes import Card, Note, centred
from app.ui.widgets.text import IconLabel, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent


class StartPage(AlonePage):
    """What is shown while the machine is made ready, and where a passphrase is asked for if there is no key store.

    It is the first thing of Assent that is drawn, so it imports nothing but what it shows.

    Signals:
        drawn: it was painted for the first time.
        passphrase_given: what the person chose or typed.
        cancel_asked: stop; the program closes.
        retry_asked: look for the key store again.
    """

    drawn = Signal()
    passphrase_given = Signal(str)
    cancel_asked = Signal()
    retry_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._is_drawn = False
        self.passphrase, self.again = PinField(accessible="Passphrase"), PinField(accessible="The same again")
        self.go_button = Button("Continue", kind=ButtonKind.PRIMARY, key_hint="↵")
        self.retry_button = Button("Try again", icon_name="rotate-cw")
        self.cancel_button = Button("Cancel", key_hint="Esc")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self._heading = label("Starting", TextKind.TITLE)
        self._text = label("", tone="text2", wrap=True)
        self._again_field = Field("The same again", self.again)
        self._gap = Note("triangle-alert", "", "deny", TextKind.BODY)
        card = Card(padding=32)
        card.setFixedWidth(scaled(520))
        head = QHBoxLayout()
        head.setSpacing(scaled(12))
        head.addWidget(IconLabel("key-round", "accent", 24), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.addWidget(self._heading)
        words.addWidget(self._text)
        head.addLayout(words, 1)
        card.body.addLayout(head)
        card.body.addWidget(self.bar)
        self._form = QStackedWidget()
        self._form.addWidget(QWidget())
        self._form.addWidget(self._passphrase_form())
        card.body.addWidget(self._form)
        card.body.addWidget(self._gap)
        buttons = QHBoxLayout()
        buttons.addWidget(self.cancel_button)
        buttons.addStretch(1)
        buttons.addWidget(self.retry_button)
        buttons.addWidget(self.go_button)
        card.body.addLayout(buttons)
        self.middle.addStretch(1)
        self.middle.addLayout(centred(card))
        self.middle.addStretch(1)
        self.bottom.addStretch(1)
        self.go_button.clicked.connect(self._give)
        self.passphrase.entered.connect(self._next)
        self.again.entered.connect(self._give)
        self.cancel_button.clicked.connect(self.cancel_asked)
        self.retry_button.clicked.connect(self.retry_asked)
        self.show_progress("Starting", 0, 0)

    def _passphrase_form(self) -> QWidget:
        form = QWidget()
        layout = QVBoxLayout(form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Field("Passphrase", self.passphrase, "At least 8 characters; it cannot be recovered"))
        layout.addWidget(self._again_field)
        return form

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Say what is being made, and how far it is; a total of 0 is not known."""
        self._heading.setText("Getting ready")
        self._text.setText(text)
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self._show(bar=True, form=False, retry=False)

    def ask_passphrase(self, *, is_new: bool, trouble: str = "") -> None:
        """Ask for the passphrase that protects the keys where the system has no key store."""
        self._heading.setText("Choose a passphrase" if is_new else "Your passphrase")
        self._text.setText(
            "No key store was found. Choose a passphrase instead. Assent never stores keys unprotected."
            if is_new
            else "The keys of this machine are kept under a passphrase."
        )
        self._again_field.setVisible(is_new)
        self._show(bar=False, form=True, retry=False, gap=trouble)
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_trouble(self, text: str) -> None:
        """Say why it cannot start, and what to do."""
        self._heading.setText("Assent cannot start yet")
        self._text.setText(text)
        self._show(bar=False, form=False, retry=True)
        self.retry_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self, *, bar: bool, form: bool, retry: bool, gap: str = "") -> None:
        self.bar.setVisible(bar)
        self._form.setCurrentIndex(1 if form else 0)
        self._form.setVisible(form)
        self.go_button.setVisible(form)
        self.retry_button.setVisible(retry)
        self._gap.show_note("triangle-alert", gap, "deny")
        self._gap.setVisible(bool(gap))

    def _next(self) -> None:
        if self._again_field.isVisibleTo(self):
            self.again.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._give()

    def _give(self) -> None:
        is_new = self._again_field.isVisibleTo(self)
        first, second = self.passphrase.take(), self.again.take()
        if is_new and first != second:
            self.ask_passphrase(is_new=True, trouble="The two are not the same. Type them again.")
        elif len(first) < 8:  # noqa: PLR2004 (SCREENS.md a)
            self.ask_passphrase(is_new=is_new, trouble="At least 8 characters are needed.")
        else:
            self.passphrase_given.emit(first)

    def escape(self) -> bool:
        """Esc: cancel."""
        self.cancel_asked.emit()
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's: what waits for the first picture may begin once all of it is on the screen."""
        super().paintEvent(event)
        if not self._is_drawn:
            self._is_drawn = True
            QTimer.singleShot(0, self, self.drawn.emit)
