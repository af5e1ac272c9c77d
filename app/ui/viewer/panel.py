"""The record panel at the right (F8): window presets, the measured length, what is true of this opening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.ui.keys import key_text
from app.ui.theme import TextSize, font, scaled, token
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.panes import Column, Note
from app.ui.widgets.text import Rule, TextKind, label, paint_key_cap, surface

if TYPE_CHECKING:
    from app.records.images import Window
    from app.ui.readers.frame import OpeningFacts


def window_text(window: Window) -> str:
    """Write centre and width: "−550 / 1600"."""
    return f"{window.center:.0f} / {window.width:.0f}".replace("-", "−")


def _to_measure() -> str:
    return f"Press {key_text('length')} and drag on the image."


class PresetRow(QAbstractButton):
    """One preset: its key, its name, centre and width."""

    def __init__(self, number: int, window: Window) -> None:
        super().__init__()
        self.number, self.preset = number, window
        self.setCheckable(True)
        self.setAccessibleName(f"{window.name}, {window_text(window)}, key {number}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(200), scaled(28))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        if self.isChecked() or self.underMouse():
            painter.fillRect(self.rect(), token("raised", self))
        cap = scaled(18)
        paint_key_cap(painter, QRect(scaled(8), (self.height() - cap) // 2, cap, cap), str(self.number), "text2", self)
        painter.setFont(font(TextSize.BODY, 600 if self.isChecked() else 400))
        painter.setPen(token("text", self))
        left = scaled(36)
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.preset.name)
        painter.setFont(font(TextSize.BODY))
        painter.setPen(token("text2", self))
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(self.rect().adjusted(0, 0, -scaled(8), 0), side.value, window_text(self.preset))


class RecordPanel(QWidget):
    """Presets, measurement, this record, and Close.

    Signals:
        preset_chosen: the preset's number.
        save_asked: the window shown is to be saved.
        close_asked: the record is to be closed.
    """

    preset_chosen = Signal(int)
    save_asked = Signal()
    close_asked = Signal()

    def __init__(self, facts: OpeningFacts) -> None:
        super().__init__()
        self.setFixedWidth(scaled(232))
        self.setAccessibleName("Record")
        column = Column(margin=14, spacing=6)
        head = QHBoxLayout()
        head.addWidget(label("Window presets", TextKind.STRONG))
        head.addStretch(1)
        head.addWidget(label("centre / width", TextKind.CAPTION))
        column.body.addLayout(head)
        self._presets = QVBoxLayout()
        self._presets.setSpacing(0)
        column.body.addLayout(self._presets)
        self.save_button = Button("Save this window…", kind=ButtonKind.BARE, icon_name="plus", small=True)
        self.save_button.clicked.connect(self.save_asked)
        self.save_button.hide()
        column.body.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.body.addWidget(Rule())
        column.body.addWidget(label("Length", TextKind.STRONG))
        self._length = label(_to_measure(), tone="text2", wrap=True)
        column.body.addWidget(self._length)
        column.body.addWidget(Rule())
        column.body.addWidget(label("This record", TextKind.STRONG))
        for icon_name, text, tone in (
            ("shield-check", facts.checked, "ok"),
            ("receipt-text", facts.recorded, "text2"),
            ("eye", facts.seen_by_patient, "text2"),
        ):
            note = Note(icon_name, text, tone, TextKind.BODY)
            note.text.setProperty("tone", "text")
            column.body.addWidget(note)
        column.body.addStretch(1)
        close = Button("Close record", icon_name="x")
        close.clicked.connect(self.close_asked)
        foot = QHBoxLayout()
        foot.setContentsMargins(scaled(14), scaled(12), scaled(14), scaled(12))
        foot.addWidget(close, 1)
        frame = surface("right")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(1, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(column, 1)
        inside.addLayout(foot)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)
        self._rows: list[PresetRow] = []

    def show_presets(self, presets: dict[int, Window], current: Window | None) -> None:
        """Show what the keys 1 to 9 choose for the active viewport."""
        self.save_button.setEnabled(current is not None)
        if {row.number: row.preset for row in self._rows} != presets:
            for row in self._rows:
                row.hide()
                row.deleteLater()
            self._rows = []
            for number, window in sorted(presets.items()):
                row = PresetRow(number, window)
                row.clicked.connect(lambda _checked=False, number=number: self.preset_chosen.emit(number))
                self._presets.addWidget(row)
                self._rows.append(row)
        for row in self._rows:
            same = current is not None and (row.preset.center, row.preset.width) == (current.center, current.width)
            row.setChecked(same)

    def show_length(self, text: str) -> None:
        """Show the measured length."""
        self._length.setText(text or _to_measure())
