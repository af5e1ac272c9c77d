"""What preview panes and pages are made of: facts, cards, notes, scrolling columns."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.theme import scaled, token
from app.ui.widgets.buttons import Button
from app.ui.widgets.text import IconLabel, TextKind, label, surface

_BOLD = '<span style="font-weight:600">'  # <b> would be 700, which Qt would have to fake
_WIDE, _DRAWER_BELOW = 1560, 1180 - 88


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value in a preview pane.

    Attributes:
        name: "Held at".
        value: plain text.
        icon_name: shown before the value, with ``icon_colour`` (a token).
        link: if set the value is a link and ``followed`` carries this key.
        is_mono: ids and hashes.
    """

    name: str
    value: str
    icon_name: str = ""
    icon_colour: str = "text2"
    link: str = ""
    is_mono: bool = False
    tone: str = ""


class _Link(QLabel):
    """A link that takes the colour of another theme; Qt keeps the one it had when the text was set."""

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.text():
            text = self.text()
            self.clear()
            self.setText(text)


def link_label(text: str, key: str) -> QLabel:
    """Make an underlined link; its ``linkActivated`` carries ``key``. It is reached with Tab."""
    made = _Link()
    made.setTextFormat(Qt.TextFormat.RichText)
    made.setText(f'<a href="{escape(key, quote=True)}">{escape(text)}</a>')
    flags = Qt.TextInteractionFlag.LinksAccessibleByKeyboard | Qt.TextInteractionFlag.LinksAccessibleByMouse
    made.setTextInteractionFlags(flags)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.setAccessibleName(text)
    return made


class FactsGrid(QWidget):
    """Rows of label and value. ``followed`` carries the key of a link.

    Args:
        facts: the rows.
        name_width: width of the label column at 100 %.
    """

    followed = Signal(str)

    def __init__(self, facts: tuple[Fact, ...] = (), name_width: int = 108) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(scaled(8))
        self._grid.setVerticalSpacing(scaled(7))
        self._grid.setColumnMinimumWidth(0, scaled(name_width))
        self._grid.setColumnStretch(1, 1)
        self.show_facts(facts)

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        """Show other rows."""
        empty_layout(self._grid)
        for row, fact in enumerate(facts):
            name = label(fact.name, tone="muted")
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(self._value(fact), row, 1)

    def _value(self, fact: Fact) -> QWidget:
        if fact.link:
            value = link_label(fact.value, fact.link)
            value.linkActivated.connect(self.followed)
        else:
            value = label(fact.value, TextKind.MONO if fact.is_mono else TextKind.BODY, fact.tone, wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setAccessibleName(f"{fact.name}: {fact.value}")
        if not fact.icon_name:
            return value
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(scaled(6))
        row.addWidget(IconLabel(fact.icon_name, fact.icon_colour, 14), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(value, 1)
        return both


class Card(QFrame):
    """A surface with a line around it; ``body`` is its layout.

    Args:
        title: text of the head; without one the card has no head.
        icon_name: icon of the head.
        accent: whether the head has the accent's tint (the patient's "In one sentence").
        padding: inside, at 100 %.
    """

    def __init__(self, title: str = "", *, icon_name: str = "", accent: bool = False, padding: int = 14) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        self.head = QHBoxLayout()
        self.title_label = label(title, TextKind.STRONG, "accent" if accent else "")
        if title:
            self.setAccessibleName(title)
            frame = surface("card-head-accent" if accent else "card-head")
            frame.setLayout(self.head)
            self.head.setContentsMargins(scaled(padding), scaled(8), scaled(padding), scaled(8))
            self.head.setSpacing(scaled(8))
            if icon_name:
                self.head.addWidget(IconLabel(icon_name, "accent" if accent else "text2"))
            self.head.addWidget(self.title_label)
            self.head.addStretch(1)
            outer.addWidget(frame)
        else:
            self.title_label.setParent(self)
            self.title_label.hide()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(scaled(padding), scaled(12), scaled(padding), scaled(12))
        self.body.setSpacing(scaled(8))
        outer.addLayout(self.body)


class Note(QWidget):
    """An icon and a quiet sentence beside it, as under forms and above buttons."""

    def __init__(self, icon_name: str, text: str, tone: str = "muted", kind: TextKind = TextKind.CAPTION) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(scaled(8))
        colour = tone if tone in {"muted", "text", "text2", "accent"} else f"{tone}_fg"
        edge = {TextKind.CAPTION: 14, TextKind.BODY: 16}.get(kind, 20)
        self.mark = IconLabel(icon_name, colour, edge)
        self.text = label(text, kind, tone, wrap=True)
        column = QVBoxLayout()  # the icon stands at the first line
        column.setContentsMargins(0, 1, 0, 0)
        column.addWidget(self.mark)
        column.addStretch(1)
        row.addLayout(column)
        row.addWidget(self.text, 1)

    def show_note(self, icon_name: str, text: str, tone: str = "muted") -> None:
        """Say something else; an empty text hides the note."""
        self.mark.show_icon(icon_name, tone if tone in {"muted", "text", "text2", "accent"} else f"{tone}_fg")
        self.text.setText(text)
        self.text.setProperty("tone", tone)
        self.text.style().unpolish(self.text)
        self.text.style().polish(self.text)
        self.setVisible(bool(text))


class Column(QScrollArea):
    """A column that scrolls when it does not fit; ``body`` is its layout."""

    def __init__(self, margin: int = 20, spacing: int = 8) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        inner = QWidget()
        inner.setProperty("scrolled", "true")
        inner.setAutoFillBackground(False)
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(scaled(margin), scaled(margin), scaled(margin), scaled(margin))
        self.body.setSpacing(scaled(spacing))
        self.setWidget(inner)


def empty_layout(layout: QLayout) -> None:
    """Take everything out of a layout; its widgets are hidden at once and deleted later."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


def centred(widget: QWidget) -> QHBoxLayout:
    """Put a widget in the middle of a row; unlike an alignment flag this leaves wrapped text its height."""
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(widget)
    row.addStretch(1)
    return row


class PreviewPane(QFrame):
    """The right pane: a scrolling column above fixed buttons. ``PaneLayout`` makes it a drawer where room is scarce.

    ``body`` takes what is read, ``buttons`` what can be pressed.
    """

    def __init__(self, width: int = 324) -> None:
        super().__init__()
        self.setProperty("surface", "right")
        self.setFixedWidth(scaled(width))
        self._width = width
        column = Column()
        self.body = column.body
        self.buttons = QVBoxLayout()
        self.buttons.setContentsMargins(scaled(20), scaled(8), scaled(20), scaled(20))
        self.buttons.setSpacing(scaled(8))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(column, 1)
        layout.addLayout(self.buttons)

    def fit(self, page_width: int) -> None:
        """Take 420 pixels on wide windows (SCREENS.md 4), the own width otherwise."""
        self.setFixedWidth(scaled(420 if page_width >= scaled(_WIDE) else self._width))


class PaneLayout(QWidget):
    """A main part with a pane at its right; below 1180 pixels (at 100 % text) the pane is a drawer that F8 opens.

    Args:
        main: takes what is left.
        pane: the right pane.
    """

    def __init__(self, main: QWidget, pane: PreviewPane) -> None:
        super().__init__()
        self.main, self.pane = main, pane
        self._is_open = False
        self.handle = Button(icon_name="panel-right", small=True, accessible="Details, F8")
        self.handle.clicked.connect(self.toggle)
        for part in (main, pane, self.handle):
            part.setParent(self)
        shortcut = QShortcut(QKeySequence("F8"), self)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(self.toggle)

    @property
    def is_drawer(self) -> bool:
        """Whether there is too little room for both side by side."""
        return self.width() < scaled(_DRAWER_BELOW)

    def toggle(self) -> None:
        """Open or close the drawer; side by side it is always open."""
        self._is_open = not self._is_open
        self._place()

    def _place(self) -> None:
        self.pane.fit(self.width())
        width = self.pane.width()
        shown = self._is_open or not self.is_drawer
        self.pane.setVisible(shown)
        self.pane.setGeometry(self.width() - width, 0, width, self.height())
        self.main.setGeometry(0, 0, self.width() if self.is_drawer else self.width() - width, self.height())
        self.pane.raise_()
        self.handle.setVisible(self.is_drawer)
        self.handle.adjustSize()
        right = self.width() - (width if shown and self.is_drawer else 0)
        self.handle.move(right - self.handle.width() - scaled(4), (self.height() - self.handle.height()) // 2)
        self.handle.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's: another text size moves the limit."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.StyleChange, QEvent.Type.FontChange}:
            self._place()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(1000, 600)


def title_row(title: str, subtitle: str = "") -> tuple[QHBoxLayout, QLabel, QLabel]:
    """Make the first row of a page: title and subtitle left, room for buttons right; returns row, title, subtitle."""
    row = QHBoxLayout()
    row.setSpacing(scaled(8))
    words = QVBoxLayout()
    words.setSpacing(0)
    heading = label(title, TextKind.TITLE)
    below = label(subtitle, tone="text2")
    if not subtitle:
        below.hide()  # showing it here, without a parent, would open a window of its own
    words.addWidget(heading)
    words.addWidget(below)
    row.addLayout(words)
    row.addStretch(1)
    return row, heading, below


def rich(text: str, kind: TextKind = TextKind.BODY, tone: str = "") -> QLabel:
    """Make a label for a sentence of ours that marks parts with ``<b>``; everything else in it is escaped."""
    safe = escape(text, quote=False).replace("&lt;b&gt;", _BOLD).replace("&lt;/b&gt;", "</span>")
    made = label("", kind, tone, wrap=True)
    made.setTextFormat(Qt.TextFormat.RichText)
    made.setText(safe)
    return made


def bold_span(text: str, widget: QWidget) -> str:
    """Return ``text`` escaped and bold in the text colour, for use inside a rich label."""
    return f'<span style="font-weight:600;color:{token("text", widget).name()}">{escape(text)}</span>'
