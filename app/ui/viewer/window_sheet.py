"""Saving the window that is shown, under a name and one of the keys 6 to 9."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.services.windows import KEYS, NAME_MAX, OwnWindow, WindowError
from app.ui.viewer.panel import window_text
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.dialogs import Sheet
from app.ui.widgets.forms import Field
from app.ui.widgets.segments import Segment, Segments
from app.ui.widgets.text import TextKind, label

if TYPE_CHECKING:
    from app.records.images import Window


class WindowSheet(Sheet):
    """Name and key of a window.

    Args:
        over: any widget of the window.
        shown: centre and width that are saved.
        unit: of its values.
        own: what is saved already; a key that has one says so, and is replaced.

    Signals:
        chosen: an ``OwnWindow``.
        removed: the key of a window that is not wanted any more.
    """

    chosen = Signal(object)
    removed = Signal(int)

    def __init__(self, over: QWidget, shown: Window, unit: str, own: tuple[OwnWindow, ...]) -> None:
        super().__init__(over, "Save this window", 400, icon_name="contrast")
        self._shown, self._unit = shown, unit
        self._taken = {each.key: each for each in own}
        self.name = QLineEdit()
        self.name.setMaxLength(NAME_MAX)
        self.name_field = Field("Name", self.name)
        free = next((key for key in KEYS if key not in self._taken), KEYS[0])
        self.keys = Segments(tuple(Segment(str(key), str(key)) for key in KEYS), str(free), accessible="Key")
        self.keys.chosen.connect(lambda _key: self._say())
        self.says = label("", TextKind.CAPTION, wrap=True)
        self.body.addWidget(label(f"Centre / width: {window_text(shown)} {unit}", tone="text2"))
        self.body.addWidget(self.name_field)
        self.body.addWidget(Field("Key", self.keys))
        self.body.addWidget(self.says)
        self.add_cancel()
        self.remove_button = self.add_button(Button("", kind=ButtonKind.DANGER_OUTLINE))
        self.remove_button.clicked.connect(self._remove)
        self.save_button = self.add_button(Button("Save", kind=ButtonKind.PRIMARY), is_default=True)
        self.save_button.clicked.connect(self._save)
        self._say()
        self.name.setFocus()

    @property
    def key(self) -> int:
        """The key that is chosen."""
        return int(self.keys.current)

    def _say(self) -> None:
        """Say what the chosen key means now."""
        before = self._taken.get(self.key)
        text = "Only you see it, on this machine, for images with the same kind of values."
        if before is not None:
            text = f"Key {before.key} is {before.name}, {before.center:g} / {before.width:g}. Saving replaces it."
            self.remove_button.setText(f"Remove {before.name}")
        self.remove_button.setVisible(before is not None)
        self.says.setText(text)

    def _save(self) -> None:
        name = " ".join(self.name.text().split())
        try:
            window = OwnWindow(self.key, name, self._shown.center, self._shown.width, self._unit)
        except WindowError as error:
            self.name_field.show_gap(str(error))
            self.name.setFocus()
            return
        self.chosen.emit(window)
        self.accept()

    def _remove(self) -> None:
        self.removed.emit(self.key)
        self.accept()
