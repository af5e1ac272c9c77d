"""The focus ring: one transparent overlay per window, outside the control, so nothing moves and nothing is clipped."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QDateEdit,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from app.ui.theme import token

_OWN_MARK = (QLineEdit, QComboBox, QPlainTextEdit, QDateEdit, QAbstractItemView, QAbstractScrollArea)
"""These show focus themselves: inputs by their border, lists by a ring inside the current row."""

_MOVES = {QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide}


class FocusRing(QWidget):
    """A ring of two pixels, two pixels outside the focused control. Shown for keys, not after a mouse click."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        self._target: QWidget | None = None
        self._by_mouse = True  # the first focus is Qt's own, nobody asked for it
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow)
            application.installEventFilter(self)

    @property
    def target(self) -> QWidget | None:
        """The control that the ring surrounds."""
        return self._target

    def surround(self, widget: QWidget) -> None:
        """Put the ring around a control of this window."""
        self._target = widget
        parent = self.parentWidget()
        if parent is None:
            return
        corner = widget.mapTo(parent, QPoint(0, 0))
        self.setGeometry(QRect(corner, widget.size()).adjusted(-4, -4, 4, 4))
        self.raise_()
        self.show()

    def _follow(self, _old: QWidget | None, new: QWidget | None) -> None:
        self._target = None
        self.hide()
        parent = self.parentWidget()
        if new is None or parent is None or self._by_mouse or isinstance(new, _OWN_MARK):
            return
        is_control = isinstance(new, QAbstractButton) or new.focusPolicy() != Qt.FocusPolicy.NoFocus
        if is_control and new.window() is parent.window() and parent.isAncestorOf(new):
            self.surround(new)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's: remember whether the mouse or a key moves the focus, and move along with the control."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress:
            self._by_mouse = True
            self._target = None
            self.hide()
        elif kind == QEvent.Type.KeyPress:
            self._by_mouse = False
        elif kind in _MOVES and self._target is not None and isinstance(watched, QWidget):
            self._adjust(watched)
        return False

    def _adjust(self, moved: QWidget) -> None:
        target = self._target
        if target is None or moved is self or not (moved is target or moved.isAncestorOf(target)):
            return
        if target.isVisible():
            self.surround(target)
        else:
            self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(token("focus", self._target), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
