"""Settings (SCREENS.md 2), for every role: how it looks, and when it locks. Every choice holds at once and is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.page import Page
from app.ui.pages.keys_sheet import KeysSheet
from app.ui.preferences import MINUTES, Preferences, Theme
from app.ui.theme import scaled, text_scales
from app.ui.widgets import Button, Column, Rule, Segment, Segments, TextKind, label, title_row
from app.ui.wording import count_text

_WIDE: Final = 720
_NAMES: Final = 240
_THEMES: Final = {Theme.SYSTEM: "System", Theme.LIGHT: "Light", Theme.DARK: "Dark"}


def theme_word(theme: Theme) -> str:
    """Return a theme as people say it."""
    return _THEMES[theme]


class SettingsPage(Page):
    """What a person may choose.

    Args:
        chosen: as it is now.
        is_patient: the lock's time of patients is another than that of staff.

    Signals:
        changed: the new ``Preferences``.
        sign_out_wanted: leave for good.
    """

    changed = Signal(object)
    sign_out_wanted = Signal()

    def __init__(self, chosen: Preferences, *, is_patient: bool) -> None:
        super().__init__()
        self._chosen, self._is_patient = chosen, is_patient
        themes = tuple(Segment(theme.value, word) for theme, word in _THEMES.items())
        sizes = tuple(Segment(str(scale), f"{scale:.0%}".replace("%", " %")) for scale in text_scales())
        rows = (Segment("36", "Comfortable"), Segment("30", "Compact"))
        self.theme = Segments(themes, accessible="Theme")
        self.text_size = Segments(sizes, accessible="Text size")
        self.rows = Segments(rows, accessible="Row height")
        self.minutes = QComboBox()
        for minutes in MINUTES:
            self.minutes.addItem(count_text(minutes, "minute", "minutes"), minutes)
        self.keys_button = Button("Change keys…", icon_name="keyboard")
        self.keys_button.clicked.connect(self._change_keys)
        self.sign_out_button = Button("Sign out", icon_name="log-out")
        self._lay_out()
        self.show_chosen(chosen)
        self.theme.chosen.connect(lambda key: self._change(theme=Theme(key)))
        self.text_size.chosen.connect(lambda key: self._change(text_scale=float(key)))
        self.rows.chosen.connect(lambda key: self._change(compact=key == "30"))
        self.minutes.activated.connect(lambda _index: self._change(**{self._lock_name: self.minutes.currentData()}))
        self.sign_out_button.clicked.connect(self.sign_out_wanted)

    @property
    def _lock_name(self) -> str:
        return "patient_minutes" if self._is_patient else "staff_minutes"

    def _lay_out(self) -> None:
        top, _, _ = title_row("Settings", "They hold on this machine, for everybody who uses this account.")
        body = QWidget()
        body.setMaximumWidth(scaled(_WIDE))
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(scaled(16))
        lock = "Lock after" if not self._is_patient else "Lock after, for patients"
        for name, about, control in (
            ("Theme", "System follows what your system prefers.", self.theme),
            ("Text size", "Also Ctrl + and Ctrl − on every page.", self.text_size),
            ("Row height", "How close the lines of tables stand.", self.rows),
            (lock, "Without use. Locking closes what is open.", self.minutes),
            ("Keys", "What each key does. Press ? on any page to see its keys.", self.keys_button),
            ("Sign out", "Leaves the sign-in page for the next person.", self.sign_out_button),
        ):
            rows.addLayout(_row(name, about, control))
            rows.addWidget(Rule())
        rows.addStretch(1)
        column = Column(24, 16)
        column.body.addLayout(top)
        line = QHBoxLayout()
        line.addWidget(body, 1)
        line.addStretch(0)
        column.body.addLayout(line)
        column.body.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(column)

    def show_chosen(self, chosen: Preferences) -> None:
        """Show other choices, for example after Ctrl +; emits nothing."""
        self._chosen = chosen
        self.theme.choose(chosen.theme.value)
        self.text_size.choose(str(chosen.text_scale))
        self.rows.choose("30" if chosen.compact else "36")
        self.minutes.setCurrentIndex(self.minutes.findData(getattr(chosen, self._lock_name)))

    def _change_keys(self) -> None:
        sheet = KeysSheet(self, self._chosen.keys)
        sheet.chosen.connect(lambda keys: self._change(keys=keys))
        sheet.open()

    def _change(self, **change: Any) -> None:
        chosen = replace(self._chosen, **change)
        if chosen != self._chosen:
            self._chosen = chosen
            self.changed.emit(chosen)

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        return (self.theme, self.minutes)


def _row(name: str, about: str, control: QWidget) -> QHBoxLayout:
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(label(name, TextKind.STRONG))
    words.addWidget(label(about, TextKind.CAPTION, wrap=True))
    row = QHBoxLayout()
    row.setSpacing(scaled(16))
    holder = QWidget()
    holder.setFixedWidth(scaled(_NAMES))
    holder.setLayout(words)
    words.setContentsMargins(0, 0, 0, 0)
    row.addWidget(holder)
    row.addWidget(control)
    row.addStretch(1)
    if not control.accessibleName():
        control.setAccessibleName(name)
    return row
