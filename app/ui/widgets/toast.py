"""Toasts: one line at the bottom right for eight seconds; never for decisions or errors."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QTimer, Signal
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLineEdit, QPlainTextEdit, QWidget

from app.ui.theme import scaled, timing
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.text import IconLabel, label

_MARGIN = 16
_ABOVE_FOOT = 44
_LOOK_AGAIN_MS = 200
_CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit)


class Toast(QFrame):
    """A line that goes by itself. ``acted`` when its one action is pressed."""

    acted = Signal()

    def __init__(self, over: QWidget, text: str, icon_name: str = "circle-check", action: str = "") -> None:
        super().__init__(over)
        self.setProperty("band", "info")
        self.setAccessibleName(text)
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(12), scaled(8), scaled(12), scaled(8))
        row.setSpacing(scaled(8))
        row.addWidget(IconLabel(icon_name, "info_fg"))
        row.addWidget(label(text, tone="info"))
        if action:
            button = Button(action, kind=ButtonKind.LINK)
            button.clicked.connect(self.acted)
            button.clicked.connect(self.leave)
            row.addWidget(button)
        over.installEventFilter(self)
        self._timer = QTimer(self, singleShot=True, interval=timing("toast_s") * 1000)
        self._timer.timeout.connect(self.leave)
        self._timer.start()
        self._over = over
        self._again = QTimer(self, interval=_LOOK_AGAIN_MS)  # the page below may change, its buttons with it
        self._again.timeout.connect(self.place)
        self._again.start()
        self.adjustSize()
        self.place()
        self.raise_()
        self.show()

    def leave(self) -> None:
        """Go now."""
        self._timer.stop()
        self._again.stop()
        self.hide()
        self.deleteLater()

    def place(self) -> None:
        """Stand at the bottom right, or as far above it as nothing that can be pressed or filled in is covered."""
        over, gap = self._over, scaled(8)
        corner = QPoint(over.width() - self.width() - scaled(_MARGIN), over.height() - self.height())
        area = QRect(corner - QPoint(0, scaled(_ABOVE_FOOT)), self.size())
        taken = [part for each in over.findChildren(QWidget) if (part := self._taken(each)) is not None]
        while covered := [part for part in taken if part.intersects(area)]:
            area.moveBottom(min(part.top() for part in covered) - gap)
        self.move(area.topLeft() if area.top() >= 0 else corner)

    def _taken(self, widget: QWidget) -> QRect | None:
        """Return where a control can be used; None if it is no control, hidden, only read, or a part of a toast."""
        if not isinstance(widget, _CONTROLS) or not widget.isVisible() or isinstance(widget.parentWidget(), Toast):
            return None
        if isinstance(widget, QPlainTextEdit) and widget.isReadOnly():
            return None
        seen = widget.visibleRegion().boundingRect()
        return None if seen.isEmpty() else seen.translated(widget.mapTo(self._over, QPoint(0, 0)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's: stay in the corner."""
        if event.type() == QEvent.Type.Resize and watched is self._over:
            self.place()
        return False
