"""What every step of the turn has: content, whether one may go on, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme import scaled
from app.ui.widgets import Column, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel


class _Aside(Column):
    """The right part: it is never narrower than its buttons."""

    def minimumSizeHint(self) -> QSize:
        """Qt's."""
        inner = self.widget()
        width = inner.minimumSizeHint().width() + scaled(8) if inner is not None else 0
        return QSize(width, super().minimumSizeHint().height())


class Step(QWidget):
    """A step: a scrolling main part, and at its right, where there is something to say, ``aside``.

    Signals:
        changed: whether one may go on may have changed.
        next_wanted, back_wanted: the step itself leads on or back.
    """

    changed = Signal()
    next_wanted = Signal()
    back_wanted = Signal()

    def __init__(self, *, aside: bool = False, centred: int = 0) -> None:
        super().__init__()
        self.column = Column(margin=0, spacing=12)
        self.main = self.column.body
        self.main.setContentsMargins(scaled(6), scaled(6), scaled(18), scaled(16))
        self.aside_column = _Aside(margin=0, spacing=12)
        self.aside = self.aside_column.body
        self.aside.setContentsMargins(scaled(6), scaled(6), scaled(6), scaled(16))
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(26), scaled(12), scaled(26), 0)
        row.setSpacing(0)
        if centred:
            row.addStretch(1)
            self.column.setMaximumWidth(scaled(centred))
            row.addWidget(self.column, 100)
            row.addStretch(1)
        else:
            row.addWidget(self.column, 63)
        if aside:
            row.addWidget(self.aside_column, 37)
        else:
            self.aside_column.setParent(self)
            self.aside_column.hide()

    @property
    def is_ready(self) -> bool:
        """Whether one may go on."""
        return True

    @property
    def gap(self) -> str:
        """Why one may not go on yet, in a few words."""
        return ""

    @property
    def speech(self) -> str:
        """What is read aloud."""
        return ""

    def first_control(self) -> QWidget | None:
        """Where the focus goes when the step begins."""
        return None

    def title(self, text: str, note: str = "") -> QLabel:
        """Put the title above everything."""
        words = QVBoxLayout()
        words.setSpacing(0)
        heading = label(text, TextKind.PATIENT_TITLE, wrap=True)
        words.addWidget(heading)
        if note:
            words.addWidget(label(note, TextKind.PATIENT, "text2", wrap=True))
        self.main.addLayout(words)
        return heading
