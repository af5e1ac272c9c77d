"""Controls of forms, the patient's larger ones too: options in boxes, PIN, steps, labelled fields."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QEvent, QLocale, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QDateEdit,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui.theme import TextSize, font, icon, scaled, token
from app.ui.widgets.text import IconLabel, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractButton

PIN_LENGTH = 8
"""A PIN or passphrase has at least this many characters (SCREENS.md a)."""


class Field(QWidget):
    """A heading, a hint beside it, a control, and the gap that a check found below it."""

    def __init__(self, heading: str, control: QWidget, hint: str = "", *, patient: bool = False) -> None:
        super().__init__()
        self.control = control
        self._gap = label("", TextKind.CAPTION, "deny", wrap=True)
        self._gap.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(6))
        if heading or hint:
            row = QHBoxLayout()
            row.setSpacing(scaled(10))
            row.addWidget(label(heading, TextKind.PATIENT_STRONG if patient else TextKind.STRONG))
            row.addWidget(label(hint, TextKind.CAPTION, wrap=True), 1)
            layout.addLayout(row)
        layout.addWidget(control)
        layout.addWidget(self._gap)
        if not control.accessibleName():
            control.setAccessibleName(heading)

    def show_gap(self, text: str) -> None:
        """Say what is missing ("Choose at least one kind of record."); empty takes it away."""
        self._gap.setText(text)
        self._gap.setVisible(bool(text))
        self.control.setAccessibleDescription(text)


class OptionKind(StrEnum):
    """Whether one of several can be chosen or each by itself."""

    CHECK = "check"
    RADIO = "radio"


class Option(QFrame):
    """A check box or radio button in a box with icon and caption; the whole box can be pressed. ``toggled``.

    Nothing is ever preselected here; the page says so with ``set_checked``.

    Args:
        kind: check or radio; radios of one question share a parent layout and a ``QButtonGroup`` made by the page.
        boxed: with a line around it, tinted while checked.
        patient: 44 high, larger type.
    """

    toggled = Signal(bool)

    def __init__(
        self,
        text: str,
        caption: str = "",
        *,
        kind: OptionKind = OptionKind.CHECK,
        icon_name: str = "",
        boxed: bool = True,
        patient: bool = False,
    ) -> None:
        super().__init__()
        self._boxed = boxed
        self.button: QAbstractButton = QCheckBox() if kind is OptionKind.CHECK else QRadioButton()
        self.button.setAccessibleName(f"{text}. {caption}" if caption else text)
        if patient:
            self.button.setProperty("patient", "true")
        words = QVBoxLayout()
        words.setSpacing(0)
        strong = bool(caption)
        self.caption_label = label(caption, TextKind.PATIENT_CAPTION if patient else TextKind.CAPTION, wrap=True)
        size = TextKind.PATIENT if patient else TextKind.STRONG if strong else TextKind.BODY
        self.text_label = label(text, size, wrap=patient)
        words.addWidget(self.text_label)
        words.addWidget(self.caption_label)
        if not caption:
            self.caption_label.hide()
        row = QHBoxLayout(self)
        margin, above = scaled(10) if boxed else 0, 0 if patient else (scaled(6) if boxed else 2)
        row.setContentsMargins(margin, above, margin, above)
        row.setSpacing(scaled(8))
        row.addWidget(self.button)
        if icon_name:
            row.addWidget(IconLabel(icon_name, "text2"))
        row.addLayout(words, 1)
        self.setMinimumHeight(scaled(44 if patient else 34) if boxed or patient else 0)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.toggled.connect(self._toggle)
        if boxed:
            self.setProperty("box", "true")

    @property
    def is_checked(self) -> bool:
        """Whether it is chosen."""
        return self.button.isChecked()

    def set_caption(self, caption: str) -> None:
        """Say something else below the text, for example why it cannot be chosen; it had a caption from the start."""
        self.caption_label.setText(caption)
        self.button.setAccessibleName(f"{self.text_label.text()}. {caption}")

    def set_checked(self, checked: bool) -> None:  # noqa: FBT001 (a slot's value)
        """Choose it or not."""
        self.button.setChecked(checked)

    def _toggle(self, checked: bool) -> None:  # noqa: FBT001 (a slot's value)
        if self._boxed:
            self.setProperty("box", "checked" if checked else "true")
            self.style().unpolish(self)
            self.style().polish(self)
        self.toggled.emit(checked)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt's: the whole box is the target."""
        if self.button.isEnabled() and event.button() == Qt.MouseButton.LeftButton:
            self.button.setFocus(Qt.FocusReason.MouseFocusReason)
            self.button.click()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's: words and button are enabled together."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.button.setEnabled(self.isEnabled())


class DateField(QDateEdit):
    """A day, written "24 Nov 2026", with a calendar to choose from. ``day_changed`` carries the ISO date."""

    day_changed = Signal(str)

    def __init__(self, day: str, accessible: str) -> None:
        super().__init__(QDate.fromString(day, Qt.DateFormat.ISODate))
        self.setLocale(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
        self.setDisplayFormat("d MMM yyyy")
        self.setCalendarPopup(True)
        self.setButtonSymbols(QDateEdit.ButtonSymbols.NoButtons)
        self.setAccessibleName(accessible)
        self.dateChanged.connect(lambda _day: self.day_changed.emit(self.day))

    @property
    def day(self) -> str:
        """The day as an ISO date."""
        return self.date().toString(Qt.DateFormat.ISODate)

    def set_day(self, day: str) -> None:
        """Show another day."""
        self.setDate(QDate.fromString(day, Qt.DateFormat.ISODate))


class PinField(QLineEdit):
    """A PIN or passphrase. It leaves the widget with ``take``; it cannot be copied, and there is no undo.

    ``completed`` carries whether it has its least length; ``entered`` is Enter.
    """

    completed = Signal(bool)
    entered = Signal()

    def __init__(self, *, patient: bool = False, accessible: str = "PIN") -> None:
        super().__init__()
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self.setAccessibleName(accessible)
        self.setMaxLength(128)
        if patient:
            self.setProperty("patient", "true")
        self.textChanged.connect(lambda text: self.completed.emit(len(text) >= PIN_LENGTH))

    @property
    def is_complete(self) -> bool:
        """Whether it has its least length."""
        return len(self.text()) >= PIN_LENGTH

    def take(self) -> str:
        """Return what was typed and empty the field."""
        text = self.text()
        self.clear()
        return text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: Enter is the page's to answer."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.entered.emit()
            event.accept()
            return
        super().keyPressEvent(event)


class StepBar(QWidget):
    """Where the patient is: done, now, to come.

    Args:
        steps: the words, for example Read, Choose, Check, Sign, Receipt.
    """

    def __init__(self, steps: tuple[str, ...], current: int = 0) -> None:
        super().__init__()
        self._steps, self._current = steps, current
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._say()

    @property
    def current(self) -> int:
        """Which step is now, from 0."""
        return self._current

    def show_steps(self, steps: tuple[str, ...], current: int) -> None:
        """Show other words (language) or another step."""
        self._steps, self._current = steps, current
        self._say()
        self.update()

    def _say(self) -> None:
        self.setAccessibleName(f"{self._current + 1}/{len(self._steps)}: {self._steps[self._current]}")

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(600), scaled(54))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(token("line", self))
        painter.drawLine(self.rect().bottomLeft(), self.rect().bottomRight())
        plain, strong = font(TextSize.PATIENT_BODY), font(TextSize.PATIENT_BODY, 600)
        for each in (plain, strong):
            each.setPixelSize(scaled(15))
        disc, gap, line = scaled(26), scaled(8), scaled(28)
        widths = [
            QFontMetrics(strong if number == self._current else plain).horizontalAdvance(step)
            for number, step in enumerate(self._steps)
        ]
        between = line + scaled(24)
        total = sum(widths) + len(widths) * (disc + gap) + (len(widths) - 1) * between
        x, middle = (self.width() - total) // 2, self.height() // 2
        for number, (step, width) in enumerate(zip(self._steps, widths, strict=True)):
            self._paint_disc(painter, QRect(x, middle - disc // 2, disc, disc), number)
            x += disc + gap
            painter.setFont(strong if number == self._current else plain)
            painter.setPen(token("text" if number == self._current else "text2", self))
            painter.drawText(QRect(x, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, step)
            x += width
            if number < len(self._steps) - 1:
                painter.setPen(QPen(token("accent" if number < self._current else "line", self), 1))
                painter.drawLine(QPoint(x + scaled(12), middle), QPoint(x + scaled(12) + line, middle))
            x += between

    def _paint_disc(self, painter: QPainter, area: QRect, number: int) -> None:
        is_done, is_now = number < self._current, number == self._current
        painter.setPen(QPen(token("accent" if is_done or is_now else "line_strong", self), 1))
        painter.setBrush(token("accent" if is_now else "surface", self))
        painter.drawEllipse(area.toRectF().adjusted(0.5, 0.5, -0.5, -0.5))
        if is_done:
            edge = scaled(14)
            mark = icon("check", token("accent", self), edge, self.devicePixelRatioF())
            painter.drawPixmap(area.center() - QPoint(edge // 2 - 1, edge // 2 - 1), mark)
            return
        painter.setFont(font(TextSize.STRONG))
        painter.setPen(token("on_accent" if is_now else "text2", self))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(number + 1))
