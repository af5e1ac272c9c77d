"""Thumbnails at the left: one per series, under the day of its study, with the number of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.records import rendering
from app.ui.pixels import image_of
from app.ui.theme import TextSize, font, scaled, token
from app.ui.viewer.series import Place, picture
from app.ui.widgets.cells import elided
from app.ui.widgets.panes import Column, empty_layout
from app.ui.widgets.text import Rule, TextKind, label

if TYPE_CHECKING:
    from app.ui.viewer.series import ImageSeries

_PICTURE = 76


class Thumbnail(QAbstractButton):
    """One series: its middle image, how many there are, its title; a bar while more come."""

    def __init__(self, series: ImageSeries) -> None:
        super().__init__()
        self.series = series
        self.setCheckable(True)
        self.setAccessibleName(series.title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._image: QImage | None = None

    def refresh(self) -> None:
        """Draw again after images came."""
        self.setAccessibleName(f"{self.series.title}, {len(self.series)} images")
        self._image = self._middle() if self._image is None or len(self.series) >= self.series.expected else self._image
        self.update()

    def blank(self) -> None:
        """Forget the picture."""
        self._image = None
        self.update()

    def _middle(self) -> QImage | None:
        places = [place for place in self.series.places if isinstance(place, Place)]
        if not places:
            return None
        place = places[len(places) // 2]
        pixels = picture(place, rendering.first_window(place.image, place.frame).window, inverted=False)
        whole = image_of(pixels)
        edge = 2 * scaled(110)
        mode = Qt.AspectRatioMode.KeepAspectRatio
        return whole.scaled(edge, edge, mode, Qt.TransformationMode.SmoothTransformation).copy()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(110), scaled(_PICTURE + 26))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRect(0, 0, self.width(), scaled(_PICTURE))
        painter.fillRect(area, token("canvas", self))
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self._image.size().scaled(area.size() - QSize(4, 4), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(0, 0, size.width(), size.height())
            target.moveCenter(area.center())
            painter.drawImage(target, self._image)
        if len(self.series) < self.series.expected:
            part = len(self.series) / self.series.expected
            painter.fillRect(QRectF(4, area.bottom() - 7, (area.width() - 8) * part, 4), token("accent", self))
        painter.setFont(font(TextSize.CAPTION))
        count = str(len(self.series))
        metrics = QFontMetrics(painter.font())
        box = QRect(0, 0, metrics.horizontalAdvance(count) + scaled(10), metrics.height())
        box.moveBottomRight(area.bottomRight() - area.topLeft() - QRect(0, 0, 5, 5).bottomRight())
        painter.fillRect(box, token("surface", self))
        painter.setPen(token("text", self))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, count)
        chosen = self.isChecked() or self.hasFocus()
        painter.setPen(QPen(token("accent" if chosen else "line", self), 2 if chosen else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), 4, 4)
        painter.setPen(token("text2", self))
        below = QRect(0, area.bottom() + scaled(4), self.width(), scaled(20))
        title = elided(self.series.title, painter.font(), self.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, title)


class Thumbnails(Column):
    """All series of the record; priors stand under a line. ``chosen`` carries the number of the series."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__(margin=10, spacing=6)
        self.setFixedWidth(scaled(132))
        self.setAccessibleName("Series")
        self._items: list[Thumbnail] = []

    @property
    def items(self) -> tuple[Thumbnail, ...]:
        """The thumbnails from top to bottom."""
        return tuple(self._items)

    def show_series(self, every: tuple[ImageSeries, ...]) -> None:
        """Show these series."""
        empty_layout(self.body)
        self._items = []
        group = ""
        for number, series in enumerate(every):
            if series.group != group:
                if group:
                    self.body.addWidget(Rule())
                group = series.group
                is_prior = "PRIOR" in series.flags
                self.body.addWidget(label(f"{group}, prior" if is_prior else group, TextKind.CAPTION))
            made = Thumbnail(series)
            made.clicked.connect(lambda _checked=False, number=number: self.chosen.emit(number))
            self._items.append(made)
            self.body.addWidget(made)
            made.refresh()
        self.body.addStretch(1)

    def mark(self, number: int) -> None:
        """Show which series the active viewport holds."""
        for at, item in enumerate(self._items):
            item.setChecked(at == number)

    def blank(self) -> None:
        """Forget all pictures."""
        for item in self._items:
            item.blank()
