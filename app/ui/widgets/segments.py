"""Segments: buttons of which exactly one is chosen, with counts beside the words."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from app.ui.theme import icon, scaled, token
from app.ui.widgets.buttons import Button

_GAP = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """One choice.

    Attributes:
        key: what ``chosen`` carries.
        text: the words.
        count: how many rows it shows; None hides the number.
    """

    key: str
    text: str
    count: int | None = None


class _SegmentButton(Button):
    """Text, and the count in a quieter colour; a tick when a choice of the patient is taken."""

    def __init__(self, segment: Segment, *, small: bool, patient: bool) -> None:
        super().__init__(segment.text, small=small, patient=patient)
        self.setCheckable(True)
        self.count = segment.count
        self.is_patient = patient

    def _count_width(self) -> int:
        if self.count is None:
            return 0
        return QFontMetrics(self.font()).horizontalAdvance(f"{self.count:,}") + scaled(_GAP)

    def sizeHint(self) -> QSize:
        base = super().sizeHint()
        tick = scaled(16 + _GAP) if self.is_patient else 0
        return QSize(base.width() + self._count_width() + tick, base.height())

    def _paint_content(self, painter: QPainter) -> None:
        text_font = self._text_font()
        words = QFontMetrics(text_font).horizontalAdvance(self.text())
        ticked = self.is_patient and self.isChecked()
        tick = scaled(16 + _GAP) if ticked else 0
        x = (self.width() - words - self._count_width() - tick) // 2
        colour = token(self._colour_name(), self)
        if ticked:
            edge = scaled(16)
            mark = icon("check", colour, edge, self.devicePixelRatioF())
            painter.drawPixmap(x, (self.height() - edge) // 2, mark)
            x += tick
        painter.setFont(text_font)
        painter.setPen(colour)
        painter.drawText(QRect(x, 0, words + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.count is not None:
            quiet = QFont(text_font)
            quiet.setWeight(QFont.Weight.Normal)
            painter.setFont(quiet)
            painter.setPen(token("text2" if self.isChecked() else "muted", self))
            rest = QRect(x + words + scaled(_GAP), 0, self._count_width() + 2, self.height())
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, f"{self.count:,}")


class Segments(QWidget):
    """A row of segments; arrows move between them. ``chosen`` carries the key.

    Args:
        segments: what there is to choose.
        current: key that starts chosen; "" starts with none (the patient's Yes and No).
        small: 26 high.
        patient: 44 high, with a tick in the chosen one.
    """

    chosen = Signal(str)

    def __init__(
        self,
        segments: tuple[Segment, ...] = (),
        current: str | None = None,
        *,
        small: bool = False,
        patient: bool = False,
        accessible: str = "",
    ) -> None:
        super().__init__()
        self._small, self._patient = small, patient
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(accessible)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._announce)
        self._segments: tuple[Segment, ...] = ()
        self.show_segments(segments, current)

    @property
    def current(self) -> str:
        """Key of the chosen segment; empty if none is."""
        number = self._group.checkedId()
        return self._segments[number].key if number >= 0 else ""

    def show_segments(self, segments: tuple[Segment, ...], current: str | None = None) -> None:
        """Show these segments; the chosen one stays if its key is still there. Emits nothing."""
        keep = current if current is not None else (self.current or (segments[0].key if segments else ""))
        if [segment.key for segment in segments] != [segment.key for segment in self._segments]:
            self._build(segments)
        self._segments = segments
        for number, segment in enumerate(segments):
            button = self.button(number)
            button.set_words(segment.text)
            button.count = segment.count
            if segment.count is not None:
                button.setAccessibleName(f"{segment.text}, {segment.count}")
        self.choose(keep)

    def _build(self, segments: tuple[Segment, ...]) -> None:
        for old in self._group.buttons():
            self._group.removeButton(old)
            self._layout.removeWidget(old)
            old.deleteLater()
        last = len(segments) - 1
        for number, segment in enumerate(segments):
            button = _SegmentButton(segment, small=self._small, patient=self._patient)
            place = "only" if last == 0 else {0: "first", last: "last"}.get(number, "mid")
            button.setProperty("segment", place)
            self._group.addButton(button, number)
            self._layout.addWidget(button)

    def button(self, number: int) -> _SegmentButton:
        """Return one of the buttons, from 0."""
        found = self._group.button(number)
        if not isinstance(found, _SegmentButton):
            raise IndexError(number)
        return found

    def choose(self, key: str) -> None:
        """Choose a segment without emitting; an unknown key leaves none chosen."""
        keys = [segment.key for segment in self._segments]
        self._group.setExclusive(False)
        for number, each in enumerate(keys):
            self.button(number).setChecked(each == key)
        self._group.setExclusive(True)

    def _announce(self, number: int) -> None:
        self.chosen.emit(self._segments[number].key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: left and right choose the neighbour."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self._segments:
            super().keyPressEvent(event)
            return
        number = (max(self._group.checkedId(), 0) + step) % len(self._segments)
        self.button(number).setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.button(number).click()
