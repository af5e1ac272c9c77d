"""Changing keys: one button per command, which takes the next key pressed, and says which other command has it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QKeyCombination, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QGridLayout, QWidget

from app.ui.keys import COMMANDS, EVERYWHERE, VIEWER, Command, trouble_of, written
from app.ui.theme import scaled
from app.ui.widgets import Button, ButtonKind, Column, Note, Sheet, TextKind, label

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODIFIERS: Final = {Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr}
_HEIGHT, _AROUND = 420, 232
_GROUPS: Final = (
    ("Everywhere", (EVERYWHERE,)),
    ("Worklist, patient, requests", ("worklist", "patient", "requests")),
    ("Suggestions", ("suggestions",)),
    ("Ledger", ("ledger",)),
    ("Images", (VIEWER,)),
)


class KeyButton(Button):
    """Shows a key; once pressed it takes the next one. Esc, Tab and a click elsewhere leave it as it was.

    ``taken`` carries a key as Qt writes it.
    """

    taken = Signal(str)
    _is_listening = False  # Qt sends events while the button is still being made

    def __init__(self, command: Command, key: str) -> None:
        super().__init__(written(key), small=True)
        self._command, self._key = command, key
        self.clicked.connect(self._listen)
        self._say()

    @property
    def key(self) -> str:
        """The key, as Qt writes it."""
        return self._key

    def show_key(self, key: str) -> None:
        """Show another key."""
        self._key = key
        self._say()

    def _listen(self) -> None:
        self._is_listening = True
        self._say()

    def _say(self) -> None:
        text = "Press a key…" if self._is_listening else written(self._key)
        self.setText(text)
        self.setAccessibleName(f"{self._command.meaning}: {text}")
        self.updateGeometry()

    def _stop(self) -> None:
        if self._is_listening:
            self._is_listening = False
            self._say()

    def event(self, event: QEvent) -> bool:
        """Qt's: while it listens, shortcuts of the window do not take the key away; Tab goes on as always."""
        if self._is_listening and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if isinstance(event, QKeyEvent) and event.key() in {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
            self._stop()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's."""
        if not self._is_listening:
            super().keyPressEvent(event)
            return
        key, modifiers = Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        event.accept()
        if key in _MODIFIERS:
            return
        self._stop()
        if key == Qt.Key.Key_Escape:
            return
        if event.text().isprintable() and event.text() and not event.text().isalpha():
            modifiers &= ~Qt.KeyboardModifier.ShiftModifier  # "/" and "+" need Shift on some keyboards
        self.taken.emit(QKeySequence(QKeyCombination(modifiers, key)).toString())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt's."""
        self._stop()
        super().focusOutEvent(event)


class KeysSheet(Sheet):
    """All commands with their keys.

    Args:
        over: any widget of the window.
        chosen: keys by command, where they differ from the standard.

    Signals:
        chosen: the same, as it is then.
    """

    chosen = Signal(object)

    def __init__(self, over: QWidget, chosen: Mapping[str, str]) -> None:
        super().__init__(over, "Change keys", 560, icon_name="keyboard")
        self._keys = dict(chosen)
        self.buttons: dict[str, KeyButton] = {}
        column = Column(0, 8)
        for heading, pages in _GROUPS:
            column.body.addWidget(label(heading, TextKind.STRONG))
            column.body.addLayout(self._group(pages))
        column.setMinimumHeight(min(scaled(_HEIGHT), over.window().height() - scaled(_AROUND)))
        self.trouble = Note("triangle-alert", "", "deny", TextKind.BODY)
        self.body.addWidget(label("Press a button, then the key you want.", tone="text2"))
        self.body.addWidget(self.trouble)
        self.body.addWidget(column, 1)
        self.add_cancel()
        self.standard_button = self.add_button(Button("Standard keys"))
        self.standard_button.clicked.connect(self._standard)
        self.save_button = self.add_button(Button("Save", kind=ButtonKind.PRIMARY))
        self.save_button.clicked.connect(self._save)
        self._complain("")

    def _group(self, pages: tuple[str, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, scaled(12), scaled(8))
        grid.setVerticalSpacing(scaled(4))
        grid.setColumnStretch(0, 1)
        for row, command in enumerate(each for each in COMMANDS if set(each.pages) & set(pages)):
            button = KeyButton(command, self._keys.get(command.name, command.standard))
            button.taken.connect(partial(self._take, command))
            self.buttons[command.name] = button
            grid.addWidget(label(command.meaning, tone="text2"), row, 0)
            grid.addWidget(button, row, 1, Qt.AlignmentFlag.AlignRight)
        return grid

    def _take(self, command: Command, key: str) -> None:
        trouble = trouble_of(command.name, key, self._keys)
        self._complain(trouble)
        if trouble:
            return
        self._keys[command.name] = key
        if key == command.standard:
            del self._keys[command.name]
        self.buttons[command.name].show_key(key)

    def _complain(self, text: str) -> None:
        self.trouble.show_note("triangle-alert", text, "deny")

    def _standard(self) -> None:
        """Show the standard keys; nothing is kept before Save."""
        self._keys.clear()
        self._complain("")
        for command in COMMANDS:
            self.buttons[command.name].show_key(command.standard)

    def _save(self) -> None:
        self.chosen.emit(dict(self._keys))
        self.accept()
