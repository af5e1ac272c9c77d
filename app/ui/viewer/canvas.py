"""The canvas: draws one frame of a series and answers mouse and keys; it holds pixels only while it shows them."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.records import rendering
from app.records.images import Unreadable, Window
from app.ui.keys import code_of
from app.ui.pixels import image_of
from app.ui.theme import TextSize, font, read_dark, scaled, token
from app.ui.viewer.geometry import View, edge_letters_on, scale_of, transform_of
from app.ui.viewer.series import ImageSeries, Place, corner_texts, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.services.windows import OwnWindow

FPS_MOST: Final = 60
_FPS: Final = 12
_STEP_WHEEL: Final = 120
_MARGIN: Final = 12
_PIXELS_PER_IMAGE: Final = 12


class Tool(StrEnum):
    """What dragging with the left button does."""

    WINDOW = "window"
    SCROLL = "scroll"
    ZOOM = "zoom"
    PAN = "pan"
    LENGTH = "length"


class ImageCanvas(QWidget):
    """One viewport.

    Signals:
        activated: it was pressed or got the focus.
        frame_shown: number of the frame now shown, from 0.
        view_changed: window, zoom, turn or tool changed.
        probed: what lies under the pointer, in words; empty outside the picture.
        series_asked: 1 for the next series, -1 for the one before.
        measured: a length in words.
    """

    activated = Signal()
    frame_shown = Signal(int)
    view_changed = Signal()
    probed = Signal(str)
    series_asked = Signal(int)
    measured = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        read_dark(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)
        self._series: ImageSeries | None = None
        self._index = 0
        self._window: Window | None = None
        self._own: tuple[OwnWindow, ...] = ()
        self._inverted = False
        self._view = View()
        self._tool = Tool.WINDOW
        self._is_active = False
        self._shows_text = True
        self._image: tuple[object, QImage, Any] | None = None
        self._drag: tuple[Qt.MouseButton, QPointF, float] | None = None
        self._line: tuple[QPointF, QPointF] | None = None
        self._cine = QTimer(self, interval=1000 // _FPS)
        self._cine.timeout.connect(self._play)
        self._fps = _FPS
        self._say()

    # What is shown

    @property
    def series(self) -> ImageSeries | None:
        """The series shown; None while blank."""
        return self._series

    @property
    def index(self) -> int:
        """Number of the frame shown, from 0."""
        return self._index

    @property
    def window_shown(self) -> Window | None:
        """The VOI window in use; None for colour or the file's own table."""
        return self._window

    @property
    def view(self) -> View:
        """How the picture is turned and where it is."""
        return self._view

    @property
    def is_inverted(self) -> bool:
        """Whether black and white are exchanged."""
        return self._inverted

    @property
    def tool(self) -> Tool:
        """What dragging with the left button does."""
        return self._tool

    @property
    def is_playing(self) -> bool:
        """Whether the cine runs."""
        return self._cine.isActive()

    def show_series(self, series: ImageSeries, index: int = 0) -> None:
        """Show a series from a frame on, with the window its file asks for."""
        self._series = series
        self._view, self._inverted, self._line = View(), False, None
        self._index = min(max(index, 0), max(len(series) - 1, 0))
        self._window = self._first_window()
        self._fps = self._own_fps()
        self._show()

    def blank(self) -> None:
        """Forget the series and every pixel; the canvas is black."""
        self._cine.stop()
        self._series, self._image, self._line, self._drag = None, None, None, None
        self.probed.emit("")
        self._say()
        self.update()

    def _place(self) -> Place | Unreadable | None:
        if self._series is None or not 0 <= self._index < len(self._series):
            return None
        return self._series.place(self._index)

    def _first_window(self) -> Window | None:
        place = self._place()
        if not isinstance(place, Place):
            return None
        return rendering.first_window(place.image, place.frame).window

    def _own_fps(self) -> int:
        place = self._place()
        stated = place.image.frame_time_ms if isinstance(place, Place) else None
        return min(FPS_MOST, max(1, round(1000 / stated))) if stated else _FPS

    def _show(self) -> None:
        self._say()
        self.update()
        self.frame_shown.emit(self._index)
        self.view_changed.emit()

    def _say(self) -> None:
        if self._series is None:
            self.setAccessibleName("Image, empty")
            return
        active = ", active" if self._is_active else ""
        self.setAccessibleName(f"Image {self._index + 1} of {len(self._series)}, {self._series.title}{active}")

    # What can be done

    def go_to(self, index: int) -> None:
        """Show a frame; beyond the ends the first or last."""
        if self._series is None or not len(self._series):
            return
        wanted = min(max(index, 0), len(self._series) - 1)
        if wanted != self._index:
            self._index, self._line = wanted, None
            self._say()
            self.update()
            self.frame_shown.emit(wanted)

    def set_window(self, window: Window | None) -> None:
        """Use a VOI window; colour has none."""
        place = self._place()
        if isinstance(place, Place) and place.image.is_color:
            return
        self._window = window
        self._changed()

    def set_own_windows(self, own: tuple[OwnWindow, ...]) -> None:
        """Offer windows of the person's own behind the keys 6 to 9."""
        self._own = own
        self.view_changed.emit()

    def choose_preset(self, number: int) -> None:
        """Use the window behind a key, if there is one."""
        window = self.presets().get(number)
        if window is not None:
            self.set_window(window)

    def presets(self) -> dict[int, Window]:
        """The windows by key: 1 to 5 the usual or the file's own, 6 to 9 the person's own for values of this unit."""
        numbered = dict(enumerate(self._usual_presets(), 1))
        unit = self.unit
        own = {each.key: Window(each.center, each.width, each.name) for each in self._own if each.unit == unit}
        return {**numbered, **own} if numbered else {}

    @property
    def unit(self) -> str:
        """Of the values that are windowed; empty while there is no picture, or one in colour."""
        place = self._place()
        return place.image.unit if isinstance(place, Place) and not place.image.is_color else ""

    def _usual_presets(self) -> tuple[Window, ...]:
        """For CT the usual windows, otherwise the file's own and the full range."""
        place = self._place()
        if not isinstance(place, Place) or place.image.is_color:
            return ()
        if place.image.unit == "HU":
            return rendering.PRESETS
        own = [window for stated in place.image.frames[place.frame].windows if (window := rendering.usable(stated)[0])]
        named = [window if window.name else replace(window, name=f"Window {n}") for n, window in enumerate(own, 1)]
        return (*named[:4], rendering.full_range(place.image, place.frame))

    def invert(self) -> None:
        """Exchange black and white (I)."""
        self._inverted = not self._inverted
        self._changed()

    def rotate(self) -> None:
        """Turn a quarter clockwise (R)."""
        self._set_view(self._view.turned())

    def flip(self, *, horizontal: bool) -> None:
        """Flip left to right (H) or upside down (V)."""
        self._set_view(self._view.flipped(horizontal=horizontal))

    def zoom(self, factor: float) -> None:
        """Magnify around the middle."""
        self._set_view(self._view.zoomed(factor))

    def reset(self) -> None:
        """Back to how the series was first shown (0)."""
        self._view, self._inverted, self._line = View(), False, None
        self._window = self._first_window()
        self._changed()

    def toggle_text(self) -> None:
        """Show or hide the corner texts (T)."""
        self._shows_text = not self._shows_text
        self.update()

    def toggle_cine(self) -> None:
        """Play or stop (C, space)."""
        if self._cine.isActive():
            self._cine.stop()
        elif self._series is not None and len(self._series) > 1:
            self._cine.start(1000 // self._fps)
        self.view_changed.emit()

    @property
    def fps(self) -> int:
        """Frames per second of the cine."""
        return self._fps

    def set_fps(self, fps: int) -> None:
        """Play faster or slower, 1 to 60 frames per second."""
        self._fps = min(FPS_MOST, max(1, fps))
        self._cine.setInterval(1000 // self._fps)

    def set_tool(self, tool: Tool) -> None:
        """Choose what dragging with the left button does."""
        self._tool = tool
        self._line = None
        self.view_changed.emit()
        self.update()

    def set_active(self, *, active: bool) -> None:
        """Draw the border of the active viewport."""
        self._is_active = active
        self._say()
        self.update()

    def _set_view(self, view: View) -> None:
        self._view = view
        self._changed()

    def _changed(self) -> None:
        self.update()
        self.view_changed.emit()

    def _play(self) -> None:
        if self._series is not None and len(self._series):
            self.go_to((self._index + 1) % len(self._series))

    # Where things are

    def _aspect(self, place: Place) -> float:
        spacing = place.image.frames[place.frame].pixel_spacing
        return spacing[0] / spacing[1] if spacing and min(spacing) > 0 else 1.0

    def _shape(self, place: Place) -> tuple[int, int]:
        rows, columns = place.image.pixels.shape[1:3]
        return int(rows), int(columns)

    def _room(self) -> QSizeF:
        return QSizeF(self.width(), self.height())

    @property
    def zoom_shown(self) -> float:
        """Canvas pixels per column of the picture."""
        place = self._place()
        return (
            scale_of(self._view, self._shape(place), self._room(), self._aspect(place))
            if isinstance(place, Place)
            else 1.0
        )

    def picture_point(self, at: QPointF) -> tuple[float, float] | None:
        """Return row and column (fractions of pixels) under a point of the canvas; None if there is no picture."""
        place = self._place()
        if not isinstance(place, Place):
            return None
        transform = transform_of(self._view, self._shape(place), self._room(), self._aspect(place))
        inverse, _ = transform.inverted()
        point = inverse.map(at)
        return point.y(), point.x()

    def canvas_point(self, row: float, column: float) -> QPointF:
        """Return where a place of the picture lies on the canvas."""
        place = self._place()
        if not isinstance(place, Place):
            return QPointF()
        return transform_of(self._view, self._shape(place), self._room(), self._aspect(place)).map(QPointF(column, row))

    def probe(self, at: QPointF) -> str:
        """Return what lies under a point: its value with unit, the stored value, row and column; empty outside."""
        place, point = self._place(), self.picture_point(at)
        if not isinstance(place, Place) or point is None:
            return ""
        row, column = int(point[0] // 1), int(point[1] // 1)
        try:
            found = rendering.read_out(place.image, place.frame, row, column)
        except IndexError:
            return ""
        stored = "" if found.value is None or found.unit == "stored" else f" · stored {found.stored[0]:g}"
        return f"{found.text}{stored} · row {row + 1}, column {column + 1}".replace("-", "−")

    def length_text(self) -> str:
        """Return the measured length in words; empty if none is drawn."""
        place = self._place()
        if self._line is None or not isinstance(place, Place):
            return ""
        first, last = self._line
        ends = ((first.y() - 0.5, first.x() - 0.5), (last.y() - 0.5, last.x() - 0.5))
        return rendering.length(place.image, place.frame, *ends).text

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt's: left uses the tool, right zooms, middle pans."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        self._drag = (event.button(), event.position(), 0.0)
        if event.button() == Qt.MouseButton.LeftButton and self._tool is Tool.LENGTH:
            point = self.picture_point(event.position())
            if point is not None:
                self._line = (QPointF(point[1], point[0]), QPointF(point[1], point[0]))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt's: drag, and read out what lies under the pointer."""
        self.probed.emit(self.probe(event.position()))
        if self._drag is None:
            return
        button, before, rest = self._drag
        moved = event.position() - before
        tool = {Qt.MouseButton.RightButton: Tool.ZOOM, Qt.MouseButton.MiddleButton: Tool.PAN}.get(button, self._tool)
        self._drag = (button, event.position(), self._use(tool, moved, event.position(), rest))

    def _use(self, tool: Tool, moved: QPointF, at: QPointF, rest: float) -> float:
        """Apply one step of a drag; return what is left of an image to scroll."""
        if tool is Tool.SCROLL:
            rest += moved.y() / _PIXELS_PER_IMAGE
            self.go_to(self._index + int(rest))
            return rest - int(rest)
        if tool is Tool.WINDOW and self._window is not None:
            step = max(self._window.width, 1.0) / 300
            width = max(1.0, self._window.width + moved.x() * step * 2)
            self.set_window(replace(self._window, width=width, center=self._window.center + moved.y() * step, name=""))
        elif tool is Tool.ZOOM:
            self._set_view(self._view.zoomed(1.01 ** -moved.y()))
        elif tool is Tool.PAN:
            self._set_view(self._view.moved((moved.x(), moved.y())))
        elif tool is Tool.LENGTH and self._line is not None and (point := self.picture_point(at)) is not None:
            self._line = (self._line[0], QPointF(point[1], point[0]))
            self.update()
        return 0.0

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt's."""
        self._drag = None
        if self._tool is Tool.LENGTH and self._line is not None:
            self.measured.emit(self.length_text())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Qt's: nothing lies under the pointer any more."""
        self.probed.emit("")
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt's: scroll through the images, with Ctrl zoom around the pointer."""
        steps = event.angleDelta().y() / _STEP_WHEEL
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            middle = QPointF(self.width() / 2, self.height() / 2)
            around = event.position() - middle
            self._set_view(self._view.zoomed(1.15**steps, (around.x(), around.y())))
        else:
            self.go_to(self._index - round(steps))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: see ``KEYS`` of the viewer page."""
        if event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier):
            super().keyPressEvent(event)
            return
        if (act := self._actions().get(event.key())) is not None:
            act()
        elif Qt.Key.Key_1 <= event.key() <= Qt.Key.Key_9:
            self.choose_preset(event.key() - Qt.Key.Key_0)
        else:
            super().keyPressEvent(event)

    def _actions(self) -> dict[int, Callable[[], None]]:
        count = len(self._series) if self._series is not None else 0
        table: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Up.value: lambda: self.go_to(self._index - 1),
            Qt.Key.Key_Down.value: lambda: self.go_to(self._index + 1),
            Qt.Key.Key_Home.value: lambda: self.go_to(0),
            Qt.Key.Key_End.value: lambda: self.go_to(count - 1),
            Qt.Key.Key_PageUp.value: lambda: self.series_asked.emit(-1),
            Qt.Key.Key_PageDown.value: lambda: self.series_asked.emit(1),
            Qt.Key.Key_Space.value: self.toggle_cine,
        }
        changeable: dict[str, Callable[[], None]] = {
            "invert": self.invert,
            "rotate": self.rotate,
            "flip-across": lambda: self.flip(horizontal=True),
            "flip-down": lambda: self.flip(horizontal=False),
            "reset": self.reset,
            "texts": self.toggle_text,
            "cine": self.toggle_cine,
            **{tool.value: partial(self.set_tool, tool) for tool in Tool},
        }
        return table | {code_of(name): act for name, act in changeable.items()}

    def focusInEvent(self, event: Any) -> None:
        """Qt's."""
        super().focusInEvent(event)
        self.activated.emit()

    # Drawing

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(512, 512)

    def _picture(self, place: Place) -> QImage:
        key = (id(place), self._window, self._inverted)
        if self._image is not None and self._image[0] == key:
            return self._image[1]
        pixels = picture(place, self._window, inverted=self._inverted)
        drawn = image_of(pixels)
        self._image = (key, drawn, pixels)
        return drawn

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's: picture, markers, texts, border."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), token("canvas", self))
        place = self._place()
        if isinstance(place, Place):
            self._paint_picture(painter, place)
        elif isinstance(place, Unreadable):
            painter.setPen(token("text2", self))
            painter.setFont(font(TextSize.SECTION))
            area = self.rect().adjusted(40, 0, -40, 0)
            flags = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value
            painter.drawText(area, flags, place.reason)
        if self._series is not None and place is not None and self._shows_text:
            self._paint_texts(painter)
        pen = QPen(token("accent" if self._is_active else "line", self), 2 if self._is_active else 1)
        painter.setPen(pen)
        edge = pen.widthF() / 2
        painter.drawRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge))

    def _paint_picture(self, painter: QPainter, place: Place) -> None:
        transform = transform_of(self._view, self._shape(place), self._room(), self._aspect(place))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(transform)
        painter.drawImage(QPointF(0, 0), self._picture(place))
        painter.restore()
        if self._line is not None:
            self._paint_line(painter, transform.map(self._line[0]), transform.map(self._line[1]))
        if self._shows_text:
            self._paint_letters(painter, edge_letters_on(self._view, rendering.edge_letters(place.image, place.frame)))

    def _paint_line(self, painter: QPainter, first: QPointF, last: QPointF) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = token("measure_active", self)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(first, last)
        for end in (first, last):
            painter.drawEllipse(end, 3.0, 3.0)
        text = self.length_text()
        painter.setFont(font(TextSize.OVERLAY))
        metrics = QFontMetricsF(painter.font())
        box = QRectF(last.x() + 12, last.y() - 22, metrics.horizontalAdvance(text) + 12, metrics.height() + 4)
        ground = token("canvas", self)
        ground.setAlphaF(0.8)
        painter.fillRect(box, ground)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _paint_letters(self, painter: QPainter, letters: tuple[str, ...]) -> None:
        painter.setFont(font(TextSize.OVERLAY))
        margin, height = scaled(_MARGIN), scaled(17)
        middle_x, middle_y = self.width() / 2, self.height() / 2
        wide = scaled(40)
        areas = (
            (QRectF(margin, middle_y - height / 2, wide, height), Qt.AlignmentFlag.AlignLeft),
            (QRectF(self.width() - margin - wide, middle_y - height / 2, wide, height), Qt.AlignmentFlag.AlignRight),
            (QRectF(middle_x - wide / 2, margin, wide, height), Qt.AlignmentFlag.AlignHCenter),
            (QRectF(middle_x - wide / 2, self.height() - margin - height, wide, height), Qt.AlignmentFlag.AlignHCenter),
        )
        for letter, (area, side) in zip(letters, areas, strict=True):
            self._text(painter, area, side | Qt.AlignmentFlag.AlignVCenter, letter, "overlay")

    def _paint_texts(self, painter: QPainter) -> None:
        series = self._series
        if series is None:
            return
        corners = corner_texts(series, self._index, self._window, self.zoom_shown)
        painter.setFont(font(TextSize.OVERLAY))
        margin, line = scaled(_MARGIN), scaled(17)
        width = self.width() / 2 - margin
        for number, lines in enumerate(corners):
            is_right, is_bottom = bool(number % 2), number > 1
            x = self.width() / 2 if is_right else margin
            y = self.height() - margin - line * len(lines) if is_bottom else margin
            side = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
            for text in lines:
                colour = "measure" if text in series.flags and text == "PRIOR" else "overlay"
                self._text(painter, QRectF(x, y, width, line), side | Qt.AlignmentFlag.AlignVCenter, text, colour)
                y += line

    def _text(self, painter: QPainter, area: QRectF, side: Qt.AlignmentFlag, text: str, colour: str) -> None:
        """Draw text that stays readable on white bone: a black copy one pixel off lies under it."""
        painter.setPen(token("canvas", self))
        painter.drawText(area.translated(1, 1), side, text)
        painter.setPen(token(colour, self))
        painter.drawText(area, side, text)
