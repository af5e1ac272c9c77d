"""Buttons with icon and key hint. None is ever a default or an auto-default unless a page says so."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QStyleOptionFocusRect, QWidget

from app.ui.theme import icon, look, scaled, token
from app.ui.widgets.text import key_cap_width, paint_key_cap


class ButtonKind(StrEnum):
    """What a button is for; the accent is for the one thing to do, danger for what destroys."""

    PLAIN = ""
    PRIMARY = "primary"
    DANGER = "danger"
    DANGER_OUTLINE = "danger-outline"
    EMERGENCY = "emergency"
    FLAT = "flat"
    BARE = "bare"
    LINK = "link"


_COLOUR = {
    ButtonKind.PLAIN: "text",
    ButtonKind.PRIMARY: "on_accent",
    ButtonKind.DANGER: "on_danger",
    ButtonKind.DANGER_OUTLINE: "deny_fg",
    ButtonKind.EMERGENCY: "on_emergency",
    ButtonKind.FLAT: "accent",
    ButtonKind.BARE: "text",
    ButtonKind.LINK: "link",
}
_GAP = 8


class Button(QPushButton):
    """A push button: icon, text and, if there is one, the key that presses it.

    Args:
        text: what it does, a verb; "…" at the end if it asks more.
        kind: how it looks.
        icon_name: Lucide's name, or empty.
        key_hint: "Ctrl ↵", "N"; shown only, the page owns the shortcut.
        small: 26 instead of 32 pixels high.
        patient: 44 pixels high with larger type, for the patient's turn.
        accessible: what a screen reader says where the text is no sentence of its own (icons only).
    """

    def __init__(
        self,
        text: str = "",
        *,
        kind: ButtonKind = ButtonKind.PLAIN,
        icon_name: str = "",
        key_hint: str = "",
        small: bool = False,
        patient: bool = False,
        accessible: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.icon_name, self.key_hint = icon_name, key_hint
        self._kind = kind
        self.tint = ""
        self.setAutoDefault(False)
        self.setDefault(False)
        if kind:
            self.setProperty("kind", kind.value)
        if small:
            self.setProperty("small", "true")
        if patient:
            self.setProperty("patient", "true")
        self.setAccessibleName(accessible or text)
        if accessible:
            self.setToolTip(accessible)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def kind(self) -> ButtonKind:
        """How the button looks."""
        return self._kind

    def set_kind(self, kind: ButtonKind) -> None:
        """Change how the button looks, for example once a form is complete."""
        self._kind = kind
        self.setProperty("kind", kind.value or None)
        self._polish()

    def set_tint(self, role: str) -> None:
        """Fill the button with the colours of a status (ledger badge); empty takes it back."""
        self.tint = role
        self.setProperty("tint", role or None)
        self._polish()

    def set_words(self, text: str, icon_name: str | None = None) -> None:
        """Change the text, its accessible name and, if given, the icon."""
        self.setText(text)
        self.setAccessibleName(text)
        if icon_name is not None:
            self.icon_name = icon_name
        self.updateGeometry()
        self.update()

    def _polish(self) -> None:
        self.style().unpolish(self)
        self.style().polish(self)
        self.update()

    def _text_font(self) -> QFont:
        """The font the style sheet gave; a chosen segment is semi-bold."""
        made = QFont(self.font())
        if self.property("segment") and self.isChecked():
            made.setWeight(QFont.Weight.DemiBold)
        if self._kind is ButtonKind.LINK:
            made.setUnderline(True)
        return made

    def _colour_name(self) -> str:
        if look().high_contrast:
            return "button"
        if not self.isEnabled():
            return "disabled"
        if self.tint:
            return "on_emergency" if self.tint == "emergency" else f"{self.tint}_fg"
        if self.isChecked():
            return "on_accent" if self._kind is ButtonKind.BARE else "selected_text"
        return _COLOUR[self._kind]

    def _icon_edge(self) -> int:
        return scaled(14 if self.property("small") else 16)

    def _widths(self) -> tuple[int, int, int]:
        """Widths of icon, text (at its widest weight) and key cap, gaps not included."""
        text = QFont(self._text_font())
        if self.property("segment"):
            text.setWeight(QFont.Weight.DemiBold)
        words = QFontMetrics(text).horizontalAdvance(self.text()) + 1 if self.text() else 0
        return (
            self._icon_edge() if self.icon_name else 0,
            words,
            key_cap_width(self.key_hint) if self.key_hint else 0,
        )

    def sizeHint(self) -> QSize:
        """Qt's: room for icon, text and key, so that nothing is ever cut."""
        self.ensurePolished()
        parts = [width for width in self._widths() if width]
        content = sum(parts) + scaled(_GAP) * max(0, len(parts) - 1)
        bare = super().sizeHint()
        text_only = QFontMetrics(self.font()).size(Qt.TextFlag.TextShowMnemonic.value, self.text() or "XXXX").width()
        padding = bare.width() - text_only
        if look().high_contrast:
            padding = max(padding, scaled(16))
        return QSize(content + max(0, padding), bare.height())

    def minimumSizeHint(self) -> QSize:
        """Qt's: a button is never cut."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's: the style draws the button, we its content."""
        painter = QPainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        self._paint_content(painter)
        if look().high_contrast and self.hasFocus():
            frame = QStyleOptionFocusRect()
            frame.initFrom(self)
            self.style().drawPrimitive(QStyle.PrimitiveElement.PE_FrameFocusRect, frame, painter, self)

    def _paint_content(self, painter: QPainter) -> None:
        mark, words, cap = self._text_widths()
        gap = scaled(_GAP)
        total = sum(width for width in (mark, words, cap)) + gap * max(0, sum(1 for w in (mark, words, cap) if w) - 1)
        x = 0 if self._kind is ButtonKind.LINK else (self.width() - total) // 2
        colour = self._colour_name()
        if mark:
            drawn = icon(self.icon_name, token(colour, self), mark, self.devicePixelRatioF())
            painter.drawPixmap(QPoint(x, (self.height() - mark) // 2), drawn)
            x += mark + gap
        if words:
            painter.setFont(self._text_font())
            painter.setPen(token(colour, self))
            painter.drawText(QRect(x, 0, words + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
            x += words + gap
        if cap:
            height = scaled(18)
            area = QRect(x, (self.height() - height) // 2, cap, height)
            paint_key_cap(painter, area, self.key_hint, colour, self)

    def _text_widths(self) -> tuple[int, int, int]:
        mark, _, cap = self._widths()
        words = QFontMetrics(self._text_font()).horizontalAdvance(self.text()) if self.text() else 0
        return mark, words, cap
