"""Asking for the PIN again before something is signed (feature O4): no default button, nothing kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from app.ui.widgets import Button, ButtonKind, Field, PinField, Sheet, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class PinSheet(Sheet):
    """One PIN. It stays open until ``accept``: a wrong PIN is said under the field.

    Args:
        over: any widget of the window.
        title: what is going to be signed.
        text: what signing means.
        verb: on the button.
        icon_name: on the button.

    Signals:
        given: the PIN; the field is empty already.
    """

    given = Signal(str)

    def __init__(self, over: QWidget, title: str, text: str, verb: str, icon_name: str = "pen-line") -> None:
        super().__init__(over, title, 440, icon_name=icon_name)
        self.body.addWidget(label(text, wrap=True))
        self.pin = PinField()
        self._field = Field("PIN", self.pin)
        self.body.addWidget(self._field)
        self.add_cancel()
        self.sign_button = self.add_button(Button(verb, kind=ButtonKind.PRIMARY, icon_name=icon_name))
        self.sign_button.setEnabled(False)
        self.sign_button.clicked.connect(self._give)
        self.pin.completed.connect(self.sign_button.setEnabled)
        self.pin.setFocus()

    def _give(self) -> None:
        self._field.show_gap("")
        pin = self.pin.take()
        self.set_busy(busy=True)
        self.given.emit(pin)

    def set_busy(self, *, busy: bool) -> None:
        """Wait for an answer, or go on."""
        self.pin.setEnabled(not busy)
        self.sign_button.setEnabled(not busy and self.pin.is_complete)

    def refuse(self, text: str) -> None:
        """Say that it was not the PIN."""
        self.set_busy(busy=False)
        self._field.show_gap(text)
        self.fit()
        self.pin.setFocus()
