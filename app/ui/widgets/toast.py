"""Toasts: one line at the bottom right for eight seconds; never for decisions or errors."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.ui.theme import scaled, timing
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.text import IconLabel, label

_MARGIN = 16


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
        self.adjustSize()
        self._place(over)
        self.raise_()
        self.show()

    def leave(self) -> None:
        """Go now."""
        self._timer.stop()
        self.hide()
        self.deleteLater()

    def _place(self, over: QWidget) -> None:
        self.move(over.width() - self.width() - scaled(_MARGIN), over.height() - self.height() - scaled(44))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's: stay in the corner."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self._place(watched)
        return False
