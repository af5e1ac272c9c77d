"""The rail: only the pages of the signed-in role, icon over label, a counter at the top right."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.ui.theme import TextSize, font, icon, look, scaled, size, token
from app.ui.widgets.text import IconLabel, Rule, label


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One page in the rail.

    Attributes:
        key: what ``chosen`` carries.
        text: its name; two lines are fine.
        icon_name: Lucide's name.
        at_bottom: Lessons and Settings.
    """

    key: str
    text: str
    icon_name: str
    at_bottom: bool = False


def paint_counter(painter: QPainter, corner: QPoint, count: int, colour: str, widget: QWidget) -> None:
    """Draw a counter with its upper right corner at ``corner``; 0 draws nothing."""
    if count <= 0:
        return
    text_font = QFont(font(TextSize.CAPTION, 600))
    text_font.setPixelSize(scaled(11))
    text = str(count) if count < 100 else "99+"  # noqa: PLR2004 (three digits do not fit)
    height = scaled(16)
    width = max(height, QFontMetrics(text_font).horizontalAdvance(text) + scaled(9))
    area = QRect(corner.x() - width, corner.y(), width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(token(colour, widget))
    painter.drawRoundedRect(area, height / 2, height / 2)
    painter.setFont(text_font)
    painter.setPen(token(f"on_{colour}", widget))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


_BESIDE = 14
"""Left and right of a label, together: the bar and the rounded corner stay clear."""


class RailItem(QAbstractButton):
    """One entry: bar, icon, label of up to two lines, counter."""

    def __init__(self, entry: RailEntry) -> None:
        super().__init__()
        self.entry = entry
        self._count = 0
        self._is_urgent = False
        self._hovered = False
        self.setText(entry.text)
        self.setCheckable(True)
        self.setAccessibleName(entry.text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_count(self, count: int, *, urgent: bool = False) -> None:
        """Show how many things wait there; ``urgent`` in crimson (a verdict that is missing)."""
        self._count, self._is_urgent = count, urgent
        self.setAccessibleName(f"{self.entry.text}, {count}" if count else self.entry.text)
        self.update()

    def _font(self) -> QFont:
        made = font(TextSize.CAPTION, 600 if self.isChecked() else 400)
        widest = max(self.entry.text.split(), key=len)
        room = size("rail") - scaled(_BESIDE)
        if QFontMetrics(made).horizontalAdvance(widest) > room:
            made.setPixelSize(max(scaled(10), made.pixelSize() - scaled(1)))
        return made

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(size("rail") - scaled(12), scaled(58))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Qt's."""
        self._hovered = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Qt's."""
        self._hovered = False
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = self.rect().adjusted(scaled(6), 1, -scaled(6), -1)
        if self.isChecked() or self._hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(token("selected" if self.isChecked() else "hover", self))
            painter.drawRoundedRect(QRectF(body), 6, 6)
        if self.isChecked():
            painter.fillRect(
                QRect(body.left(), body.top() + scaled(12), 3, body.height() - scaled(24)), token("accent")
            )
        tone = "selected_text" if self.isChecked() else "text2"
        text_font = self._font()
        metrics = QFontMetrics(text_font)
        width = self.width() - scaled(_BESIDE)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        bounds = metrics.boundingRect(QRect(0, 0, width, 200), flags.value, self.entry.text)
        edge = scaled(20)
        top = (self.height() - edge - scaled(4) - bounds.height()) // 2
        mark = icon(self.entry.icon_name, token("accent" if self.isChecked() else tone), edge, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - edge) // 2, top, mark)
        painter.setFont(text_font)
        painter.setPen(token(tone, self))
        area = QRect(scaled(_BESIDE) // 2, top + edge + scaled(4), width, bounds.height())
        painter.drawText(area, flags.value, self.entry.text)
        corner = QPoint(self.width() // 2 + scaled(31), body.top() + scaled(2))
        paint_counter(painter, corner, self._count, "emergency" if self._is_urgent else "accent", self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: up and down move along the rail."""
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
            return
        super().keyPressEvent(event)


class Rail(QFrame):
    """The pages of a role. ``chosen`` carries the key."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(size("rail"))
        self.setAccessibleName("Pages")
        self._items: dict[str, RailItem] = {}
        mark = QWidget()
        row = QHBoxLayout(mark)
        row.setContentsMargins(scaled(9), 0, 0, 0)
        row.setSpacing(scaled(6))
        row.addWidget(IconLabel("badge-check", "accent", 18))
        self._name = label("Assent", tone="accent")
        self._name.setFont(font(TextSize.SECTION, 500))
        row.addWidget(self._name)
        row.addStretch(1)
        mark.setFixedHeight(size("header") - 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, scaled(8))
        layout.setSpacing(0)
        layout.addWidget(mark)
        layout.addWidget(Rule())
        layout.addSpacing(scaled(7))
        self._top, self._bottom = QVBoxLayout(), QVBoxLayout()
        for part in (self._top, self._bottom):
            part.setSpacing(0)
        layout.addLayout(self._top)
        layout.addStretch(1)
        layout.addLayout(self._bottom)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the pages from top to bottom; Ctrl 1..5 choose the first five."""
        return tuple(self._items)

    def item(self, key: str) -> RailItem:
        """Return one entry."""
        return self._items[key]

    def show_entries(self, entries: tuple[RailEntry, ...]) -> None:
        """Show these pages instead."""
        for old in self._items.values():
            old.hide()
            old.deleteLater()
        self._items = {}
        for entry in entries:
            made = RailItem(entry)
            made.clicked.connect(lambda _checked=False, key=entry.key: self._choose(key))
            (self._bottom if entry.at_bottom else self._top).addWidget(made)
            self._items[entry.key] = made

    def _choose(self, key: str) -> None:
        self.mark(key)
        self.chosen.emit(key)

    def mark(self, key: str) -> None:
        """Show which page is open, without emitting. No button group: it would let Tab reach only the checked entry."""
        if key in self._items:
            for each, item in self._items.items():
                item.setChecked(each == key)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), token("rail", self))
        painter.setPen(token("line", self))
        painter.drawLine(self.rect().topRight(), self.rect().bottomRight())
        if self.width() != size("rail"):
            self.setFixedWidth(size("rail"))
        if look().high_contrast:
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
