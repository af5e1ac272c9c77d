"""Preview panes of one row of a list: filled in place, or made anew for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets.bands import StateView
from app.ui.widgets.chips import ChipLabel
from app.ui.widgets.panes import PreviewPane
from app.ui.widgets.text import TextKind, label

if TYPE_CHECKING:
    from app.ui.widgets.states import State


class RowPane(PreviewPane):
    """A pane with a head (title, a line about it, a chip) and ``content`` below, or words that nothing is chosen.

    Args:
        width: in pixels at 100 % text.
        nothing: what to say while no row is chosen.
        spacing: between the parts of the content, in pixels at 100 % text.
    """

    def __init__(self, nothing: State, *, width: int = 324, spacing: int = 12) -> None:
        super().__init__(width)
        self._title = label("", TextKind.SECTION, wrap=True)
        self._about = label("", tone="text2", wrap=True)
        self._chip = ChipLabel(Chip("", "", "held"))
        self._full = QWidget()
        self._nothing = StateView(nothing)
        words = QVBoxLayout()
        words.setSpacing(scaled(2))
        words.addWidget(self._title)
        words.addWidget(self._about)
        head = QHBoxLayout()
        head.setSpacing(scaled(8))
        head.addLayout(words, 1)
        head.addWidget(self._chip)
        self.content = QVBoxLayout(self._full)
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(scaled(spacing))
        self.content.addLayout(head)
        self.body.addWidget(self._full)
        self.body.addWidget(self._nothing, 1)

    def show_head(self, title: str, about: str, chip: Chip) -> None:
        """Show what the row is."""
        self._title.setText(title)
        self._about.setText(about)
        self._chip.show_chip(chip)

    def show_chosen(self, *, chosen: bool) -> None:
        """Show the content, or that nothing is chosen."""
        self._full.setVisible(chosen)
        self._nothing.setVisible(not chosen)


class FreshPane(PreviewPane):
    """A pane whose content is made anew for each row.

    Args:
        width: in pixels at 100 % text.
        nothing: what to say while no row is chosen.
    """

    def __init__(self, nothing: State, *, width: int) -> None:
        super().__init__(width)
        self._content = QWidget()
        self.nothing = StateView(nothing)
        self.body.addWidget(self._content)
        self.body.addWidget(self.nothing)
        self.body.addStretch(1)

    def renew(self, *kept: QWidget) -> QVBoxLayout:
        """Drop the content, but for widgets that are kept, which are hidden; return the layout of the new one."""
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(14))
        for each in kept:
            each.setParent(self)
            each.hide()
        self.body.replaceWidget(self._content, content)
        self._content.hide()
        self._content.deleteLater()
        self._content = content
        return layout
