"""Chips: icon and word in the colours of a status, as a widget and inside tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import TextSize, font, icon, scaled, token

if TYPE_CHECKING:
    from app.ui.vocabulary import Chip

_HEIGHT, _ICON, _LEFT, _GAP, _RIGHT = 22, 14, 6, 5, 7


def chip_size(chip: Chip) -> QSize:
    """Return how much room a chip needs."""
    words = QFontMetrics(font(TextSize.CAPTION, 500)).horizontalAdvance(chip.word)
    return QSize(scaled(_LEFT + _ICON + _GAP + _RIGHT) + words, scaled(_HEIGHT))


def role_colours(role: str) -> tuple[str, str, str]:
    """Return the tokens of a status: foreground, background, line. Emergency is solid."""
    if role == "emergency":
        return "on_emergency", "emergency", "emergency"
    return f"{role}_fg", f"{role}_bg", f"{role}_line"


def paint_chip(painter: QPainter, corner: QPoint, chip: Chip, widget: QWidget) -> QRect:
    """Draw a chip with its upper left corner at ``corner`` and return what it covers."""
    foreground, background, line = role_colours(chip.role)
    area = QRect(corner, chip_size(chip))
    edge = scaled(_ICON)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(token(line, widget), 1))
    painter.setBrush(token(background, widget))
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    mark = icon(chip.icon_name, token(foreground, widget), edge, widget.devicePixelRatioF())
    painter.drawPixmap(area.x() + scaled(_LEFT), area.y() + (area.height() - edge) // 2, mark)
    painter.setFont(font(TextSize.CAPTION, 500))
    painter.setPen(token(foreground, widget))
    text = area.adjusted(scaled(_LEFT + _ICON + _GAP), 0, 0, 0)
    painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, chip.word)
    painter.restore()
    return area


class ChipLabel(QWidget):
    """A chip that stands by itself: headers and preview panes."""

    def __init__(self, chip: Chip, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._chip = chip
        self.show_chip(chip)

    @property
    def chip(self) -> Chip:
        """What is shown."""
        return self._chip

    def show_chip(self, chip: Chip) -> None:
        """Show another status."""
        self._chip = chip
        self.setAccessibleName(chip.spoken or chip.word)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return chip_size(self._chip)

    def minimumSizeHint(self) -> QSize:
        """Qt's: a chip is never cut."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        paint_chip(QPainter(self), QPoint(0, 0), self._chip, self)
