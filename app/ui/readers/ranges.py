"""Values with their reference range: a bar with a mark, and always the word beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from app.ui.theme import scaled, token
from app.ui.widgets.cells import ChipDelegate, cell_left, paint_row
from app.ui.widgets.rows import ROW_ROLE, Index

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QObject
    from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

_EDGE = 0.25
"""The range takes the middle half of the bar; what lies beyond is drawn at its ends."""


@dataclass(frozen=True, slots=True)
class RangedValue:
    """A number between the ends of its range; an end may be open (None)."""

    number: float
    low: float | None
    high: float | None

    @property
    def place(self) -> float:
        """Where the mark stands on the bar, 0 to 1; the range is 0.25 to 0.75."""
        low, high = self.low, self.high
        if low is not None and high is not None and high > low:
            part = (self.number - low) / (high - low)
        elif high is not None and high > 0:
            part = self.number / high
        elif low is not None and low > 0:
            part = self.number / low - 1.0
        else:
            part = 0.5
        return min(1.0, max(0.0, _EDGE + part * (1 - 2 * _EDGE)))

    @property
    def word(self) -> str:
        """low, high, in range, or nothing where there is no range."""
        if self.low is None and self.high is None:
            return ""
        if self.low is not None and self.number < self.low:
            return "low"
        return "high" if self.high is not None and self.number > self.high else "in range"


def number_or_none(digits: str) -> float | None:
    """Return digits as a number; anything else has none."""
    try:
        return float(digits)
    except ValueError:
        return None


def ranged(number: float | None, low: str, high: str) -> RangedValue | None:
    """Return a value with its range, or None where a bar would say nothing."""
    if number is None:
        return None
    made = RangedValue(number, number_or_none(low), number_or_none(high))
    return made if made.word else None


class RangeDelegate(ChipDelegate):
    """A cell with a range bar.

    Args:
        value: of a row; None leaves the cell empty.
    """

    def __init__(self, value: Callable[[Any], RangedValue | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._value = value

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt's."""
        view: Any = option.widget
        widget: QWidget = view
        rect: QRect = option.rect
        painter.save()
        paint_row(painter, option, widget)
        value = self._value(index.data(ROW_ROLE))
        if value is not None:
            area = rect.adjusted(cell_left(index.column()), 0, -scaled(12), 0)
            self._paint_bar(painter, QRectF(area), value, widget)
        painter.restore()

    @staticmethod
    def _paint_bar(painter: QPainter, area: QRectF, value: RangedValue, widget: QWidget) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, height = area.center().y(), scaled(6)
        track = QRectF(area.left(), middle - height / 2, area.width(), height)
        painter.setBrush(token("sunken", widget))
        painter.drawRoundedRect(track, 3, 3)
        start = track.left() if value.low is None else track.left() + track.width() * _EDGE
        end = track.right() if value.high is None else track.right() - track.width() * _EDGE
        painter.setBrush(token("line_strong", widget))
        painter.drawRect(QRectF(start, track.top(), end - start, height))
        at = track.left() + track.width() * value.place
        is_inside = value.word == "in range"
        painter.setBrush(token("text" if is_inside else "wait_fg", widget))
        if is_inside:
            painter.drawEllipse(QPointF(at, middle), scaled(5), scaled(5))
        else:  # another shape, not only another colour
            half = scaled(6)
            points = (QPointF(at, middle - half), QPointF(at + half, middle), QPointF(at, middle + half))
            painter.drawPolygon([*points, QPointF(at - half, middle)])
