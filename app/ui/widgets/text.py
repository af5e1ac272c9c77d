"""Labels of the type scale, icons, key caps and lines; colours come from the style sheet and the tokens."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from app.ui.theme import TextSize, font, icon, mono, scaled, token


class TextKind(StrEnum):
    """Which step of the type scale a label has."""

    BODY = "body"
    CAPTION = "caption"
    STRONG = "strong"
    SECTION = "section"
    TITLE = "title"
    DISPLAY = "display"
    PATIENT = "patient"
    PATIENT_CAPTION = "patient-caption"
    PATIENT_STRONG = "patient-strong"
    PATIENT_TITLE = "patient-title"
    MONO = "mono"


def _font(kind: TextKind) -> QFont:
    """The font where there is no style sheet (high contrast); otherwise the sheet's size and weight win."""
    if kind is TextKind.MONO:
        return mono()
    steps = {
        TextKind.CAPTION: TextSize.CAPTION,
        TextKind.STRONG: TextSize.STRONG,
        TextKind.SECTION: TextSize.SECTION,
        TextKind.TITLE: TextSize.TITLE,
        TextKind.DISPLAY: TextSize.DISPLAY,
        TextKind.PATIENT: TextSize.PATIENT_BODY,
        TextKind.PATIENT_STRONG: TextSize.PATIENT_BODY,
        TextKind.PATIENT_TITLE: TextSize.PATIENT_TITLE,
    }
    return font(steps.get(kind, TextSize.BODY), 600 if kind is TextKind.PATIENT_STRONG else None)


class GivingWay(QLabel):
    """A label that is happy with any width, and shows by "…" that there is more; ``setText`` gives all of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._all = text

    def setText(self, text: str) -> None:
        """Qt's."""
        self._all = text
        self._fit()
        self.updateGeometry()

    def _fit(self) -> None:
        super().setText(self.fontMetrics().elidedText(self._all, Qt.TextElideMode.ElideRight, self.width()))

    def sizeHint(self) -> QSize:
        """Qt's: room for all of it."""
        return QSize(self.fontMetrics().horizontalAdvance(self._all) + 1, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Qt's: next to nothing will do."""
        return QSize(1, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self._fit()


def label(
    text: str = "",
    kind: TextKind = TextKind.BODY,
    tone: str = "",
    *,
    wrap: bool = False,
    selectable: bool = False,
    gives_way: bool = False,
) -> QLabel:
    """Make a label.

    Args:
        text: plain text; markup is shown as it stands, so that names cannot bring any.
        kind: its step of the type scale.
        tone: text, text2, muted, accent, ok, wait, deny, unknown, held or info; empty is the kind's own.
        wrap: whether it breaks into lines.
        selectable: whether it can be copied (ids).
        gives_way: whether it ends in "…" where there is no room for all of it.
    """
    made = GivingWay(text) if gives_way else QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", kind.value)
    made.setFont(_font(kind))
    if tone:
        made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    if wrap:
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)  # a new policy forgets that wrapped text has it; its height is its least, too
        made.setSizePolicy(policy)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def set_tone(made: QLabel, tone: str) -> None:
    """Change a label's colour."""
    made.setProperty("tone", tone)
    made.style().unpolish(made)
    made.style().polish(made)


class IconLabel(QWidget):
    """A Lucide icon in a token's colour; decoration, so it has no accessible name of its own."""

    def __init__(self, name: str, colour: str = "text2", size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._colour, self._size = name, colour, size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_icon(self, name: str, colour: str) -> None:
        """Show another icon."""
        self._name, self._colour = name, colour
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's: the icon at the text size that holds."""
        edge = scaled(self._size)
        return QSize(edge, edge)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's: draw the icon in the middle."""
        if not self._name:
            return
        edge = scaled(self._size)
        corner = QPoint((self.width() - edge) // 2, (self.height() - edge) // 2)
        drawn = icon(self._name, token(self._colour, self), edge, self.devicePixelRatioF())
        QPainter(self).drawPixmap(corner, drawn)


class Disc(QWidget):
    """A round mark with an icon or initials, as on tiles and banners."""

    def __init__(self, content: str, size: int = 40, *, is_icon: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content, self._size, self._is_icon = content, size, is_icon
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_content(self, content: str) -> None:
        """Show other initials or another icon."""
        self._content = content
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(self._size), scaled(self._size))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's: the disc in the tint of the accent."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(token("accent_tint", self))
        painter.drawEllipse(self.rect())
        if self._is_icon:
            edge = scaled(self._size // 2)
            corner = QPoint((self.width() - edge) // 2, (self.height() - edge) // 2)
            painter.drawPixmap(corner, icon(self._content, token("accent", self), edge, self.devicePixelRatioF()))
        else:
            painter.setFont(font(TextSize.STRONG))
            painter.setPen(token("accent", self))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._content)


def initials(name: str) -> str:
    """Return up to two initials of a name, titles left out: "Dr Carol Specimen" is CS."""
    words = [word for word in name.split() if word.rstrip(".").lower() not in {"dr", "prof", "nurse"}]
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))


def key_cap_width(key: str) -> int:
    """Return how wide the cap of a key is, in pixels."""
    return QFontMetrics(font(TextSize.CAPTION, 500)).horizontalAdvance(key) + scaled(10)


def paint_key_cap(painter: QPainter, rect: QRect, key: str, colour_name: str, widget: QWidget) -> None:
    """Draw a key as a small outlined cap that fills ``rect``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = token(colour_name, widget)
    painter.setPen(QPen(colour, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setFont(font(TextSize.CAPTION, 500))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, key)
    painter.restore()


class KeyCap(QWidget):
    """A key as a small outlined cap: "Ctrl K"."""

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_key(self, key: str) -> None:
        """Show another key."""
        self._key = key
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(key_cap_width(self._key), scaled(18))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        paint_key_cap(QPainter(self), self.rect(), self._key, "text2", self)


class Rule(QFrame):
    """A line one pixel thick between groups."""

    def __init__(self, *, is_vertical: bool = False) -> None:
        super().__init__()
        self.setProperty("surface", "line")
        if is_vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)


def surface(name: str) -> QFrame:
    """Make a plain frame: window, pane, sunken, header, footer, right, left, card, card-head or dialog."""
    made = QFrame()
    made.setProperty("surface", name)
    return made
