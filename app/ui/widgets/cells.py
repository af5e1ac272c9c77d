"""Delegates: chips, icons and one or two lines in rows, with the focus ring inside the current row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.ui.theme import TextSize, font, icon, mono, scaled, size, token
from app.ui.widgets.chips import chip_size, paint_chip
from app.ui.widgets.rows import CHIP_ROLE, COLUMN_ROLE, ICON_ROLE, ROW_ROLE, ColumnSpec, Index

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from app.ui.vocabulary import Chip

_LEFT, _RIGHT, _ICON, _GAP, _MARGIN = 11, 4, 16, 8, 24


def cell_left(column: int) -> int:
    """Return where a cell's content starts: the first column stands at the page's margin."""
    return scaled(_LEFT if column else _MARGIN)


def _is(option: QStyleOptionViewItem, flag: QStyle.StateFlag) -> bool:
    state: Any = option.state
    return bool(state & flag)


def paint_row(painter: QPainter, option: QStyleOptionViewItem, widget: QWidget, *, is_plain: bool = False) -> None:
    """Draw the ground of a row: chosen, under the mouse, or plain, with its line below."""
    rect: QRect = option.rect
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    ground = "surface"
    if is_plain:
        ground = "window"
    elif _is(option, QStyle.StateFlag.State_Selected):
        ground = "selected"
    elif _is(option, QStyle.StateFlag.State_MouseOver):
        ground = "hover"
    painter.fillRect(rect, token(ground, widget))
    painter.setPen(QPen(token("line", widget), 1))
    painter.drawLine(rect.bottomLeft(), rect.bottomRight())


def paint_row_focus(painter: QPainter, rect: QRect, widget: QWidget) -> None:
    """Draw the ring of two pixels inside the current row."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(token("focus", widget), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(rect).adjusted(2, 2, -2, -3), 4, 4)
    painter.restore()


def _widget(option: QStyleOptionViewItem) -> QWidget:
    widget: QWidget = option.widget
    return widget


def elided(text: str, text_font: QFont, width: int) -> str:
    """Return text shortened with an ellipsis to a width."""
    return QFontMetrics(text_font).elidedText(text, Qt.TextElideMode.ElideRight, width)


class ChipDelegate(QStyledItemDelegate):
    """Cells of a ``RowsModel``: chip, or icon and text in the column's colour, weight and alignment."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt's."""
        return QSize(super().sizeHint(option, index).width(), size("row"))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt's."""
        widget = _widget(option)
        rect: QRect = option.rect
        painter.save()
        paint_row(painter, option, widget)
        chip: Chip | None = index.data(CHIP_ROLE)
        if chip is not None:
            corner = QPoint(rect.x() + cell_left(index.column()), rect.center().y() - chip_size(chip).height() // 2)
            painter.setClipRect(rect)
            paint_chip(painter, corner, chip, widget)
        else:
            self._paint_text(painter, option, index)
        painter.restore()
        if _shows_focus(widget, index):
            _paint_part_of_ring(painter, rect, index, widget)

    def _paint_text(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        widget = _widget(option)
        column: ColumnSpec[Any] | None = index.data(COLUMN_ROLE)
        rect = QRect(option.rect).adjusted(cell_left(index.column()), 0, -scaled(_RIGHT), -1)
        mark: tuple[str, str] | None = index.data(ICON_ROLE)
        if mark is not None and mark[0]:
            edge = scaled(_ICON)
            drawn = icon(mark[0], token(mark[1], widget), edge, widget.devicePixelRatioF())
            painter.drawPixmap(rect.x(), rect.center().y() - edge // 2, drawn)
            rect.setLeft(rect.left() + edge + scaled(_GAP))
        text_font = mono() if column is not None and column.is_mono else font(TextSize.BODY)
        if column is not None and not column.is_mono:
            text_font.setWeight(QFont.Weight(column.weight))
        tone = column.tone if column is not None else "text"
        if _is(option, QStyle.StateFlag.State_Selected) and tone == "text":
            tone = "selected_text"
        painter.setFont(text_font)
        painter.setPen(token(tone, widget))
        side = Qt.AlignmentFlag.AlignRight if column is not None and column.is_right else Qt.AlignmentFlag.AlignLeft
        text = elided(str(index.data()), text_font, rect.width())
        painter.drawText(rect, (side | Qt.AlignmentFlag.AlignVCenter).value, text)


def _shows_focus(widget: QWidget, index: Index) -> bool:
    if not isinstance(widget, QAbstractItemView) or not widget.hasFocus():
        return False
    return widget.currentIndex().row() == index.row() and bool(widget.property("by_key"))


def _paint_part_of_ring(painter: QPainter, rect: QRect, index: Index, widget: QWidget) -> None:
    """Each cell draws its part of the row's ring: the row is one thing to the eye."""
    wide = QRect(rect)
    last = index.model().columnCount() - 1
    if index.column() > 0:
        wide.setLeft(wide.left() - 12)
    if index.column() < last:
        wide.setRight(wide.right() + 12)
    painter.save()
    painter.setClipRect(rect)
    paint_row_focus(painter, wide, widget)
    painter.restore()


@dataclass(frozen=True, slots=True)
class Group:
    """A heading between rows of a list."""

    heading: str


@dataclass(frozen=True, slots=True)
class TwoLine:
    """A row of two lines.

    Attributes:
        title, caption: first and second line.
        icon_name, icon_colour: before them.
        lead: a time before the icon (the patient's list).
        middle, middle_caption: a second column.
        chip: at the right; with ``chip_below`` as a third line instead.
        note: quiet text at the right of the title ("3 d").
        dot: token of a timeline dot's colour; the line runs through the rows.
        unread: a filled dot at the very left.
        row: the service's row that it stands for.
        spoken: what a screen reader says; empty joins all texts.
    """

    title: str
    caption: str = ""
    icon_name: str = ""
    icon_colour: str = "text2"
    lead: str = ""
    middle: str = ""
    middle_caption: str = ""
    chip: Chip | None = None
    chip_below: bool = False
    note: str = ""
    dot: str = ""
    unread: bool = False
    row: object = None
    spoken: str = ""

    @property
    def sentence(self) -> str:
        """What a screen reader says."""
        if self.spoken:
            return self.spoken
        chip = (self.chip.spoken or self.chip.word) if self.chip else ""
        parts = ("new" if self.unread else "", self.lead, self.title, self.caption, self.middle, self.middle_caption)
        return ", ".join(part for part in (*parts, chip, self.note) if part)


Entry = Group | TwoLine


class TwoLineDelegate(QStyledItemDelegate):
    """Rows of ``TwoLine`` and headings of ``Group``.

    Args:
        middle_at: where the second column starts, as a part of the width.
        patient: larger type and rows of 60.
    """

    def __init__(self, middle_at: float = 0.52, *, patient: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._middle_at = middle_at
        self._patient = patient

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt's."""
        entry: Entry = index.data(ROW_ROLE)
        if isinstance(entry, Group):
            return QSize(100, scaled(33 if self._patient else 30))
        height = 60 if self._patient else 52
        if entry.chip_below and entry.chip is not None:
            height = 85
        elif not entry.caption:
            height = 40
        return QSize(100, scaled(height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt's."""
        entry: Entry = index.data(ROW_ROLE)
        widget = _widget(option)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(entry, Group):
            self._paint_group(painter, option, entry.heading)
        else:
            paint_row(painter, option, widget)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_entry(painter, QRect(option.rect), entry, widget)
        painter.restore()
        if _shows_focus(widget, index):
            paint_row_focus(painter, option.rect, widget)

    def _paint_group(self, painter: QPainter, option: QStyleOptionViewItem, heading: str) -> None:
        widget = _widget(option)
        paint_row(painter, option, widget, is_plain=True)
        painter.setFont(font(TextSize.BODY if self._patient else TextSize.CAPTION, 600 if self._patient else 500))
        painter.setPen(token("text2", widget))
        rect = QRect(option.rect).adjusted(scaled(24 if self._middle_at < 1 else 16), 0, -16, -1)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter.value, heading)

    def _paint_entry(self, painter: QPainter, rect: QRect, entry: TwoLine, widget: QWidget) -> None:
        x = rect.x() + scaled(24 if entry.dot or self._patient else 16)
        if entry.unread:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(token("accent", widget))
            painter.drawEllipse(QPoint(rect.x() + scaled(18), rect.center().y()), scaled(4), scaled(4))
        if entry.dot:
            x = self._paint_dot(painter, rect, entry.dot, widget)
        if entry.lead:
            painter.setFont(font(TextSize.PATIENT_BODY if self._patient else TextSize.BODY))
            painter.setPen(token("text", widget))
            x = max(x, rect.x() + scaled(38))
            painter.drawText(QRect(x, rect.y(), scaled(70), rect.height()), Qt.AlignmentFlag.AlignVCenter, entry.lead)
            x += scaled(78)
        if entry.icon_name:
            edge = scaled(20 if self._patient else 18)
            drawn = icon(entry.icon_name, token(entry.icon_colour, widget), edge, widget.devicePixelRatioF())
            top = rect.y() + scaled(10) if entry.chip_below else rect.center().y() - edge // 2
            painter.drawPixmap(x, top, drawn)
            x += edge + scaled(12)
        right = self._paint_right(painter, rect, entry, widget, x)
        middle = rect.x() + round(rect.width() * self._middle_at)
        end = middle - scaled(12) if entry.middle and middle > x else right
        self._lines(painter, QRect(x, rect.y(), end - x, rect.height()), entry, (entry.title, entry.caption), widget)
        if entry.middle:
            area = QRect(middle, rect.y(), right - middle, rect.height())
            self._lines(painter, area, entry, (entry.middle, entry.middle_caption), widget, is_middle=True)

    @staticmethod
    def _paint_dot(painter: QPainter, rect: QRect, colour: str, widget: QWidget) -> int:
        middle = QPoint(rect.x() + scaled(34), rect.center().y())
        painter.setPen(QPen(token("line", widget), 2))
        painter.drawLine(QPoint(middle.x(), rect.top()), QPoint(middle.x(), rect.bottom()))
        painter.setPen(QPen(token(colour, widget), 3))
        painter.setBrush(token("surface", widget))
        painter.drawEllipse(middle, scaled(5), scaled(5))
        return middle.x() + scaled(20)

    @staticmethod
    def _paint_right(painter: QPainter, rect: QRect, entry: TwoLine, widget: QWidget, x: int) -> int:
        """Draw chip and note; return where the text must end."""
        right = rect.right() - scaled(16)
        if entry.note:
            text_font = font(TextSize.CAPTION)
            width = QFontMetrics(text_font).horizontalAdvance(entry.note)
            painter.setFont(text_font)
            painter.setPen(token("muted", widget))
            area = QRect(right - width, rect.y() + scaled(8), width + 2, scaled(18))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, entry.note)
            right -= width + scaled(12)
        if entry.chip is not None:
            needed = chip_size(entry.chip)
            if entry.chip_below:
                paint_chip(painter, QPoint(x, rect.y() + scaled(51)), entry.chip, widget)
                return right
            corner = QPoint(right - needed.width(), rect.center().y() - needed.height() // 2)
            paint_chip(painter, corner, entry.chip, widget)
            right -= needed.width() + scaled(12)
        return right

    def _lines(
        self,
        painter: QPainter,
        area: QRect,
        entry: TwoLine,
        lines: tuple[str, str],
        widget: QWidget,
        *,
        is_middle: bool = False,
    ) -> None:
        first = font(TextSize.PATIENT_BODY if self._patient else TextSize.BODY, 400 if is_middle else 500)
        if self._patient:
            first.setPixelSize(scaled(15))
            first.setWeight(QFont.Weight(400 if is_middle else 600))
        second = font(TextSize.BODY if self._patient else TextSize.CAPTION)
        high, low = QFontMetrics(first).height(), QFontMetrics(second).height()
        block = high + (low if lines[1] else 0)
        top = area.y() + scaled(8) if entry.chip_below else area.y() + (area.height() - block) // 2
        quiet = is_middle and not self._patient
        painter.setFont(first)
        painter.setPen(token("text2" if quiet else "text", widget))
        upper = QRect(area.x(), top, area.width(), high)
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, elided(lines[0], first, area.width()))
        if lines[1]:
            painter.setFont(second)
            painter.setPen(token("text2", widget))
            lower = QRect(area.x(), top + high, area.width(), low)
            painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, elided(lines[1], second, area.width()))
