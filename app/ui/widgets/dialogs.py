"""Sheets: window-modal dialogs over a flat scrim. No default button unless the page says so; never a QMessageBox."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.theme import scaled, token
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.focus import FocusRing
from app.ui.widgets.text import IconLabel, TextKind, label, surface

_SCRIM_ALPHA = 128


class Scrim(QWidget):
    """Half-transparent black over a window while a sheet is open."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        over.installEventFilter(self)
        self.setGeometry(over.rect())
        self.raise_()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's: grow with the window."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        colour = token("canvas")
        colour.setAlpha(_SCRIM_ALPHA)
        QPainter(self).fillRect(self.rect(), colour)


class Sheet(QDialog):
    """A dialog of the window: title bar, ``body``, ``footer``. Show it with ``open()``; it deletes itself when closed.

    Args:
        over: any widget of the window it belongs to.
        title: text of the title bar.
        width: of the sheet, at 100 %.
        icon_name: before the title.
        emergency: crimson title bar (break-glass and nothing else).
        escape_closes: False where Esc must do nothing (the patient's turn).
    """

    closed = Signal()

    def __init__(
        self,
        over: QWidget,
        title: str,
        width: int = 480,
        *,
        icon_name: str = "",
        emergency: bool = False,
        escape_closes: bool = True,
    ) -> None:
        super().__init__(over.window(), Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(scaled(width))
        self._escape_closes = escape_closes
        self._default: Button | None = None
        self._scrolls = False
        self._scrim: Scrim | None = None
        self.close_button = Button(kind=ButtonKind.BARE, icon_name="x", small=True, accessible="Close")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Esc does the same
        self.close_button.clicked.connect(self.reject)
        if not escape_closes:
            self.close_button.hide()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(scaled(20), scaled(16), scaled(20), scaled(16))
        self.body.setSpacing(scaled(8))
        self.footer = QHBoxLayout()
        self.footer.setContentsMargins(scaled(20), scaled(12), scaled(20), scaled(12))
        self.footer.setSpacing(scaled(8))
        frame = surface("dialog")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        inside.addWidget(self._title_bar(title, icon_name, emergency=emergency))
        self._middle = QWidget()
        self._middle.setLayout(self.body)
        inside.addWidget(self._middle, 1)
        self._inside = inside
        self._foot = surface("footer")
        self._foot.setLayout(self.footer)
        inside.addWidget(self._foot)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._ring = FocusRing(self)
        self.finished.connect(self._end)

    def _title_bar(self, title: str, icon_name: str, *, emergency: bool) -> QWidget:
        bar = surface("header")
        if emergency:
            bar.setProperty("band", "emergency")
            bar.setProperty("flush", "true")
        row = QHBoxLayout(bar)
        row.setContentsMargins(scaled(20), scaled(6), scaled(12), scaled(6))
        row.setSpacing(scaled(8))
        if icon_name:
            row.addWidget(IconLabel(icon_name, "on_emergency" if emergency else "text2"))
        row.addWidget(label(title, TextKind.STRONG, "on-emergency" if emergency else ""))
        row.addStretch(1)
        row.addWidget(self.close_button)
        if emergency:
            self.close_button.set_tint("emergency")
        return bar

    def add_cancel(self, text: str = "Cancel") -> Button:
        """Put Cancel (Esc) at the left of the footer and return it."""
        button = Button(text, key_hint="Esc" if self._escape_closes else "")
        button.clicked.connect(self.reject)
        self.footer.insertWidget(0, button)
        self.footer.insertStretch(1, 1)
        return button

    def add_button(self, button: Button, *, is_default: bool = False) -> Button:
        """Put a button at the right of the footer.

        Args:
            button: what it does is the caller's to connect.
            is_default: Enter presses it; only where SCREENS.md says "default".
        """
        if not self.footer.count():
            self.footer.addStretch(1)  # one that stands alone stands at the right, too
        self.footer.addWidget(button)
        if is_default:
            self._default = button
            button.setDefault(True)
        return button

    def hide_footer(self) -> None:
        """Do without the footer."""
        self._foot.hide()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's: lay the scrim over the window and stand in its middle."""
        super().showEvent(event)
        window = self.parentWidget()
        if window is None:
            return
        if self._scrim is None:
            self._scrim = Scrim(window)
        self.fit()

    def fit(self) -> None:
        """Take the size that the content wants, in the middle of the window; what is higher than the window scrolls."""
        window = self.parentWidget()
        layout = self.layout()
        if window is None or layout is None:
            return
        hint = layout.totalSizeHint()
        width = min(max(self.minimumWidth(), hint.width()), window.width() - scaled(16))
        height = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else hint.height()
        room = window.height() - scaled(16)
        if height > room and self._middle.parent() is not None and not self._scrolls:
            self._let_scroll()
            for each in (self._inside, layout):  # both still hold the minimum from before
                each.invalidate()
                each.activate()
            self.setMinimumHeight(0)
        self.resize(width, min(height, room))
        middle = window.mapToGlobal(window.rect().center())
        self.move(middle - QPoint(self.width() // 2, self.height() // 2))

    def _let_scroll(self) -> None:
        """Put the body into an area that scrolls (large text on a small screen)."""
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        self._inside.replaceWidget(self._middle, area)
        self._middle.setProperty("scrolled", "true")
        self._middle.setAutoFillBackground(False)
        area.setWidget(self._middle)
        self._scrolls = True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: Esc closes only where it may; Enter presses only a stated default."""
        key = event.key()
        if key == Qt.Key.Key_Escape and not self._escape_closes:
            event.accept()
            return
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if self._default is not None and self._default.isEnabled():
                self._default.click()
            event.accept()
            return
        super().keyPressEvent(event)

    def _end(self, _result: int) -> None:
        if self._scrim is not None:
            self._scrim.hide()
            self._scrim.deleteLater()
            self._scrim = None
        window = self.parentWidget()
        if window is not None and window.isVisible():
            window.activateWindow()  # not every window manager gives the keyboard back
        self.closed.emit()
        self.deleteLater()


class Confirm(Sheet):
    """One question with two answers; neither is a default. ``confirmed`` when the person says yes.

    Args:
        over: any widget of the window.
        question: the whole question, for example the exact text of SCREENS.md.
        yes: the verb on the button, never "OK".
        no: the way out.
        danger: whether saying yes destroys or ends something.
    """

    confirmed = Signal()

    def __init__(
        self,
        over: QWidget,
        title: str,
        question: str,
        yes: str,
        no: str = "Cancel",
        *,
        danger: bool = False,
        patient: bool = False,
    ) -> None:
        super().__init__(over, title, 440)
        self.body.addWidget(label(question, TextKind.PATIENT if patient else TextKind.BODY, wrap=True))
        self.no_button = self.add_cancel(no)
        kind = ButtonKind.DANGER if danger else ButtonKind.PRIMARY
        self.yes_button = self.add_button(Button(yes, kind=kind, patient=patient))
        self.yes_button.clicked.connect(self._confirm)

    def _confirm(self) -> None:
        self.confirmed.emit()
        self.accept()
