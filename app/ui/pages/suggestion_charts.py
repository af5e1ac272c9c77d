"""Pictures of a suggestion: icon array, zones, contributions, calibration. Shape tells classes apart, not hue alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.pages.suggestion_words import percent_text, signed_text
from app.ui.theme import TextSize, font, scaled, token
from app.ui.widgets.cells import elided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnostics.conformal import Zones

_SIDE: Final = 10
_CELL: Final = 17
_BAR: Final = 22
_SHADE: Final = 90


def paint_mark(painter: QPainter, area: QRectF, widget: QWidget, *, malignant: bool) -> None:
    """Draw one case: a filled disc is malignant, a hollow square benign."""
    if malignant:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(token("mark_a", widget))
        painter.drawEllipse(area)
        return
    painter.setPen(QPen(token("mark_b", widget), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area.adjusted(0.75, 0.75, -0.75, -0.75), 2, 2)


class CaseMark(QWidget):
    """One mark beside a word."""

    def __init__(self, *, malignant: bool) -> None:
        super().__init__()
        self._malignant = malignant
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(12), scaled(12))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_mark(painter, QRectF(self.rect()), self, malignant=self._malignant)


class IconArray(QWidget):
    """A hundred cases; the malignant ones fill from below."""

    def __init__(self) -> None:
        super().__init__()
        self._malignant = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(_CELL) * _SIDE, scaled(_CELL) * _SIDE)

    @property
    def malignant(self) -> int:
        """How many of the hundred are malignant."""
        return self._malignant

    def show_count(self, malignant: int) -> None:
        """Show another number."""
        self._malignant = malignant
        self.setAccessibleName(f"Of 100 cases, {malignant} malignant and {100 - malignant} benign")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cell, edge = scaled(_CELL), scaled(13)
        for number in range(_SIDE * _SIDE):
            row, column = _SIDE - 1 - number // _SIDE, number % _SIDE
            area = QRectF(column * cell, row * cell, edge, edge)
            paint_mark(painter, area, self, malignant=number < self._malignant)


class ZonesScale(QWidget):
    """The three zones of the conformal rule on the scale of the probability, and where this case stands."""

    def __init__(self) -> None:
        super().__init__()
        self._zones: Zones | None = None
        self._probability = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(scaled(420))

    def show_result(self, zones: Zones, probability: float) -> None:
        """Show another result."""
        self._zones, self._probability = zones, probability
        remaining = zones.remaining(probability)
        where = "uncertain" if len(remaining) > 1 else next(iter(remaining), "uncertain")
        self.setAccessibleName(
            f"Probability of malignancy {percent_text(probability)}, in the zone {where}. "
            f"Malignant cannot be ruled out from {percent_text(zones.malignant_from)}, "
            f"benign up to {percent_text(zones.benign_to)}."
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(300), scaled(64))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        zones = self._zones
        if zones is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(scaled(16), scaled(22), self.width() - scaled(32), scaled(12))
        edges = (0.0, zones.malignant_from, zones.benign_to, 1.0)
        for colour, (first, last) in zip(("mark_b", "unknown_fg", "mark_a"), pairwise(edges), strict=True):
            shade = token(colour, self)
            shade.setAlpha(_SHADE)
            zone = QRectF(bar.x() + first * bar.width(), bar.y(), (last - first) * bar.width(), bar.height())
            painter.fillRect(zone, shade)
        painter.setPen(QPen(token("line_strong", self), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        self._paint_marker(painter, bar)
        self._paint_words(painter, bar, zones)

    def _paint_marker(self, painter: QPainter, bar: QRectF) -> None:
        x = bar.x() + self._probability * bar.width()
        painter.setPen(QPen(token("text", self), 2))
        painter.drawLine(QPointF(x, bar.top() - 3), QPointF(x, bar.bottom() + 3))
        painter.setBrush(token("text", self))
        painter.setPen(Qt.PenStyle.NoPen)
        tip = QPointF(x, bar.bottom() + 2)
        painter.drawPolygon(QPolygonF([tip, tip + QPointF(-5, 8), tip + QPointF(5, 8)]))
        text_font = font(TextSize.CAPTION, 600)
        words = percent_text(self._probability)
        width = QFontMetrics(text_font).horizontalAdvance(words)
        left = min(max(0, round(x - width / 2)), self.width() - width)
        painter.setFont(text_font)
        painter.setPen(token("text", self))
        painter.drawText(QRect(left, 0, width + 2, scaled(18)), Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_words(self, painter: QPainter, bar: QRectF, zones: Zones) -> None:
        remaining = zones.remaining(self._probability)
        now = "Uncertain" if len(remaining) > 1 else next(iter(remaining), "").capitalize()
        top = round(bar.bottom()) + scaled(12)
        area = QRect(round(bar.x()), top, round(bar.width()), scaled(18))
        sides = (
            ("Benign", Qt.AlignmentFlag.AlignLeft),
            ("Uncertain", Qt.AlignmentFlag.AlignHCenter),
            ("Malignant", Qt.AlignmentFlag.AlignRight),
        )
        for word, side in sides:
            painter.setFont(font(TextSize.CAPTION, 600 if word == now else 400))
            painter.setPen(token("text" if word == now else "muted", self))
            painter.drawText(area, (side | Qt.AlignmentFlag.AlignVCenter).value, word)


class ContributionBars(QWidget):
    """Exact contributions to the log-odds: left towards benign, right towards malignant."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: tuple[tuple[str, str, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_bars(self, bars: Sequence[tuple[str, str, float]]) -> None:
        """Show name, value and weight of each."""
        self._bars = tuple(bars)
        said = ", ".join(f"{name} {signed_text(weight)}" for name, _, weight in self._bars)
        self.setAccessibleName(f"What moved it: {said}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(480), scaled(_BAR) * (len(self._bars) + 1))

    def minimumSizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(380), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        if not self._bars:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = scaled(_BAR)
        names, values = round(self.width() * 0.3), scaled(56)
        left = names + values + scaled(8)
        room = self.width() - left
        number_room = scaled(48)
        half = room // 2 - number_room
        largest = max(abs(weight) for _, _, weight in self._bars) or 1.0
        middle = left + room // 2
        words = font(TextSize.BODY)
        for number, (name, value, weight) in enumerate(self._bars):
            top = number * row
            painter.setFont(words)
            painter.setPen(token("text", self))
            flag = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRect(0, top, names, row), flag, elided(name, words, names))
            painter.setPen(token("text2", self))
            painter.drawText(QRect(names, top, values, row), (flag | Qt.AlignmentFlag.AlignRight).value, value)
            self._paint_bar(painter, QRect(middle, top, max(1, round(abs(weight) / largest * half)), row), weight)
        painter.setPen(QPen(token("line_strong", self), 1))
        bottom = len(self._bars) * row
        painter.drawLine(middle, 0, middle, bottom)
        painter.setFont(font(TextSize.CAPTION))
        painter.setPen(token("muted", self))
        flag = Qt.AlignmentFlag.AlignVCenter
        gap = scaled(6)
        left_area = QRect(left, bottom, room // 2 - gap, row)
        painter.drawText(left_area, (flag | Qt.AlignmentFlag.AlignRight).value, "◂ towards benign")
        painter.drawText(QRect(middle + gap, bottom, room // 2, row), flag, "towards malignant ▸")

    def _paint_bar(self, painter: QPainter, place: QRect, weight: float) -> None:
        malignant = weight >= 0
        height = scaled(14)
        top = place.y() + (place.height() - height) // 2
        x = place.x() if malignant else place.x() - place.width()
        painter.fillRect(QRect(x, top, place.width(), height), token("mark_a" if malignant else "mark_b", self))
        painter.setFont(font(TextSize.CAPTION))
        painter.setPen(token("text", self))
        gap, width = scaled(6), scaled(44)
        flag = Qt.AlignmentFlag.AlignVCenter
        if malignant:
            painter.drawText(
                QRect(x + place.width() + gap, place.y(), width, place.height()), flag, signed_text(weight)
            )
            return
        area = QRect(x - gap - width, place.y(), width, place.height())
        painter.drawText(area, (flag | Qt.AlignmentFlag.AlignRight).value, signed_text(weight))


def reliability(
    malignant: Sequence[float], benign: Sequence[float], bins: int = 5
) -> tuple[tuple[float, float, int], ...]:
    """Return per bin of the calibration cases: mean predicted probability, share that was malignant, and n."""
    cases = [(value, 1) for value in malignant] + [(value, 0) for value in benign]
    found = []
    for number in range(bins):
        inside = [each for each in cases if number == min(int(each[0] * bins), bins - 1)]
        if inside:
            mean = sum(value for value, _ in inside) / len(inside)
            found.append((mean, sum(truth for _, truth in inside) / len(inside), len(inside)))
    return tuple(found)


class ReliabilityCurve(QWidget):
    """Predicted against observed, with the number of cases in each bin."""

    def __init__(self, points: Sequence[tuple[float, float, int]]) -> None:
        super().__init__()
        self._points = tuple(points)
        self.setFixedSize(scaled(340), scaled(300))
        said = "; ".join(
            f"predicted {percent_text(mean)}, observed {percent_text(share)}, {count} cases"
            for mean, share, count in self._points
        )
        self.setAccessibleName(f"Calibration. {said}")

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(scaled(40), scaled(12), self.width() - scaled(60), self.height() - scaled(56))
        painter.setPen(QPen(token("line_strong", self), 1))
        painter.drawRect(area)
        painter.setPen(QPen(token("line", self), 1, Qt.PenStyle.DashLine))
        painter.drawLine(area.bottomLeft(), area.topRight())
        painter.setFont(font(TextSize.CAPTION))
        painter.setPen(token("muted", self))
        below = QRect(round(area.x()), round(area.bottom()) + 6, round(area.width()), scaled(18))
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter.value, "predicted to be malignant")
        painter.save()
        painter.translate(scaled(14), area.bottom())
        painter.rotate(-90)
        painter.drawText(
            QRect(0, 0, round(area.height()), scaled(18)), Qt.AlignmentFlag.AlignHCenter.value, "were malignant"
        )
        painter.restore()
        places = [
            QPointF(area.x() + mean * area.width(), area.bottom() - share * area.height())
            for mean, share, _ in self._points
        ]
        painter.setPen(QPen(token("accent", self), 2))
        painter.drawPolyline(places)
        painter.setBrush(token("accent", self))
        bold = QFont(font(TextSize.CAPTION, 500))
        for place, (_, _, count) in zip(places, self._points, strict=True):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(place, 4, 4)
            painter.setFont(bold)
            painter.setPen(token("text", self))
            right = place.x() > area.center().x()
            corner = place.toPoint() + QPoint(-scaled(60) if right else scaled(8), scaled(4))
            painter.drawText(QRect(corner, QSize(scaled(56), scaled(16))), f"n = {count}")
