"""Header and status line: who is signed in where, the search, the ledger badge that is never hidden, bell and lock."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.ui.keys import key_text
from app.ui.theme import scaled, size, token
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.panes import link_label
from app.ui.widgets.rail import paint_counter
from app.ui.widgets.text import IconLabel, KeyCap, TextKind, label, set_tone


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What the ledger badge says and its popover.

    Attributes:
        icon_name: ``hard-drive`` local, ``network`` channel, ``cloud-off`` without connection.
        text: "Local ledger, not shared".
        role: wait, ok or deny.
        facts: three sentences.
        link, link_key: what leads on ("Open the ledger").
    """

    icon_name: str
    text: str
    role: str
    facts: tuple[str, ...] = ()
    link: str = ""
    link_key: str = ""


LOCAL_LEDGER = LedgerFacts("hard-drive", "Local ledger, not shared", "wait")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs or ended something.

    Attributes:
        key: what ``notice_chosen`` carries.
        text: one sentence.
        when: already written.
    """

    key: str
    text: str
    icon_name: str
    when: str


class Popover(QFrame):
    """A small surface under a button that goes away with the next click elsewhere."""

    def __init__(self, under: QWidget, width: int = 300) -> None:
        super().__init__(under, Qt.WindowType.Popup)
        self.setProperty("surface", "dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(scaled(width))
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(scaled(16), scaled(12), scaled(16), scaled(12))
        self.body.setSpacing(scaled(6))
        self._under = under

    def open(self) -> None:
        """Show it below its button, right edges aligned."""
        self.adjustSize()
        corner = self._under.mapToGlobal(QPoint(self._under.width() - self.width(), self._under.height() + 4))
        self.move(corner)
        self.show()


class LedgerBadge(Button):
    """The kind of ledger in a button, everywhere. ``followed`` carries the key of the popover's link."""

    followed = Signal(str)

    def __init__(self, facts: LedgerFacts = LOCAL_LEDGER) -> None:
        super().__init__(facts.text, icon_name=facts.icon_name, small=True)
        self._facts = facts
        self.clicked.connect(self._open)
        self.show_facts(facts)

    @property
    def facts(self) -> LedgerFacts:
        """What is shown."""
        return self._facts

    def show_facts(self, facts: LedgerFacts) -> None:
        """Say something else."""
        self._facts = facts
        self.set_words(facts.text, facts.icon_name)
        self.setAccessibleName(f"Ledger: {facts.text}")
        self.set_tint(facts.role)

    def _open(self) -> None:
        popover = Popover(self)
        popover.body.addWidget(label(self._facts.text, TextKind.STRONG))
        for fact in self._facts.facts:
            popover.body.addWidget(label(fact, tone="text2", wrap=True))
        if self._facts.link:
            link = link_label(self._facts.link, self._facts.link_key)
            link.linkActivated.connect(self.followed)
            link.linkActivated.connect(popover.close)
            popover.body.addWidget(link)
        popover.open()


class SearchField(QFrame):
    """Looks like a field, opens the command palette. ``pressed``."""

    pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(scaled(32))
        self.setMinimumWidth(scaled(120))
        self.setMaximumWidth(scaled(360))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self._text = label("Search or type a command", tone="muted", gives_way=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(10), 0, scaled(8), 0)
        row.setSpacing(scaled(8))
        row.addWidget(IconLabel("search", "muted"))
        row.addWidget(self._text, 1)
        self._cap = KeyCap("")
        row.addWidget(self._cap)
        self.show_key()

    def show_key(self) -> None:
        """Show the key that opens the palette."""
        self._cap.show_key(key_text("palette"))
        self.setAccessibleName(f"Search or type a command, {key_text('palette')}")

    def set_hint(self, text: str) -> None:
        """Say what can be searched here."""
        self._text.setText(text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt's."""
        event.accept()
        self.pressed.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(token("line_strong", self))
        painter.setBrush(token("surface", self))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class Bell(Button):
    """The bell with its counter."""

    def __init__(self) -> None:
        super().__init__(kind=ButtonKind.BARE, icon_name="bell", accessible="Notifications")
        self.count = 0

    def set_count(self, count: int) -> None:
        """Show how many notices wait."""
        self.count = count
        self.say()
        self.update()

    def say(self) -> None:
        """Tell a screen reader the number, and everybody the key."""
        self.setAccessibleName(f"Notifications, {self.count}")
        self.setToolTip(f"Notifications, {key_text('notices')}")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_counter(painter, QPoint(self.width() - 1, scaled(2)), self.count, "emergency", self)


class Header(QFrame):
    """The header of the shell: every press of it is a signal."""

    search_pressed = Signal()
    ledger_followed = Signal(str)
    notice_chosen = Signal(str)
    lock_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "header")
        self.setFixedHeight(size("header"))
        self._hospital = label("", TextKind.STRONG)
        self._person = label("")
        self._role = label("", tone="text2")
        self.search = SearchField()
        self.badge = LedgerBadge()
        self.bell = Bell()
        self.lock_button = Button(kind=ButtonKind.BARE, icon_name="lock", accessible="Lock")
        self._notices: tuple[Notice, ...] = ()
        self.show_keys()
        left, right = QHBoxLayout(), QHBoxLayout()
        for part in (left, right):
            part.setSpacing(scaled(8))
        dot = label("·", tone="muted")
        for word in (IconLabel("hospital", "text2"), self._hospital, dot, self._person, self._role):
            left.addWidget(word)
        left.addStretch(1)
        right.addStretch(1)
        for button in (self.badge, self.bell, self.lock_button):
            right.addWidget(button)
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(16), 0, scaled(12), 0)
        row.setSpacing(scaled(12))
        row.addLayout(left, 1)
        row.addWidget(self.search, 4)
        row.addLayout(right, 1)
        self.search.pressed.connect(self.search_pressed)
        self.badge.followed.connect(self.ledger_followed)
        self.bell.clicked.connect(self.open_notices)
        self.lock_button.clicked.connect(self.lock_pressed)

    def show_keys(self) -> None:
        """Say which keys do what the header does."""
        self.search.show_key()
        self.bell.say()
        lock = f"Lock, {key_text('lock')}"
        self.lock_button.setAccessibleName(lock)
        self.lock_button.setToolTip(lock)

    def show_person(self, hospital: str, person: str, role: str) -> None:
        """Show who is signed in where."""
        self._hospital.setText(hospital)
        self._person.setText(person)
        self._role.setText(role)

    def show_notices(self, notices: tuple[Notice, ...]) -> None:
        """Give the bell its list, newest first."""
        self._notices = notices
        self.bell.set_count(len(notices))

    def open_notices(self) -> None:
        """Open the list under the bell."""
        popover = Popover(self.bell, 380)
        if not self._notices:
            popover.body.addWidget(label("Nothing needs you.", tone="text2"))
        for notice in self._notices:
            row = QHBoxLayout()
            row.setSpacing(scaled(8))
            row.addWidget(IconLabel(notice.icon_name, "text2"))
            link = link_label(notice.text, notice.key)
            link.linkActivated.connect(self.notice_chosen)
            link.linkActivated.connect(popover.close)
            row.addWidget(link, 1)
            row.addWidget(label(notice.when, TextKind.CAPTION))
            popover.body.addLayout(row)
        popover.open()


class StatusLine(QFrame):
    """The line at the bottom: what was last recorded at the left, what counts down at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "footer")
        self.setFixedHeight(size("statusline"))
        self._icon = IconLabel("check", "text2", 13)
        self._left = label("", TextKind.CAPTION)
        self._middle = label("", TextKind.CAPTION)
        self._lock = label("", TextKind.CAPTION)
        for part in (self._left, self._middle):
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._middle.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(16), 0, scaled(16), 0)
        row.setSpacing(scaled(8))
        row.addWidget(self._icon)
        row.addWidget(self._left, 1)
        row.addWidget(self._middle, 1)
        row.addSpacing(scaled(8))
        row.addWidget(self._lock)

    def show_left(self, text: str, icon_name: str = "check", tone: str = "muted") -> None:
        """Say what is true of the ledger: "Last entry recorded 14:31:58 · block 214"."""
        _say(self._left, text, tone)
        self._icon.show_icon(icon_name if text else "", "text2" if tone == "muted" else f"{tone}_fg")

    def show_middle(self, text: str, tone: str = "muted") -> None:
        """Say what stands before the countdown: "Custodian answers in 4 ms"."""
        _say(self._middle, text, tone)

    def show_lock(self, text: str, *, is_soon: bool = False) -> None:
        """Show the countdown to the lock; in the last 30 s in the colour of waiting."""
        _say(self._lock, text, "wait" if is_soon else "muted")

    @property
    def lock_text(self) -> str:
        """What the countdown says."""
        return self._lock.text()


def _say(where: QLabel, text: str, tone: str) -> None:
    if where.text() != text:
        where.setText(text)
    if where.property("tone") != tone:
        set_tone(where, tone)


class AlonePage(QWidget):
    """The frame of sign-in and lock: app mark, ``middle``, the ledger badge at the bottom.

    ``first`` gets the focus when the page does; a focus proxy would keep Tab between two controls (tried, Qt 6.11).
    """

    def __init__(self) -> None:
        super().__init__()
        self.first: QWidget | None = None
        self.badge = LedgerBadge()
        self.top = QHBoxLayout()
        self.top.setContentsMargins(scaled(32), scaled(16), scaled(32), scaled(16))
        self.top.setSpacing(scaled(8))
        self.top.addWidget(IconLabel("badge-check", "accent", 24))
        self.top.addWidget(label("Assent", TextKind.SECTION, "accent"))
        self.top.addStretch(1)
        self.middle = QVBoxLayout()
        self.bottom = QHBoxLayout()
        self.bottom.setContentsMargins(scaled(32), scaled(10), scaled(32), scaled(10))
        self.bottom.setSpacing(scaled(16))
        self.bottom.addWidget(self.badge)
        foot = QFrame()
        foot.setProperty("surface", "footer")
        foot.setLayout(self.bottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.top)
        layout.addLayout(self.middle, 1)
        layout.addWidget(foot)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt's."""
        super().focusInEvent(event)
        if self.first is not None:
            self.first.setFocus(event.reason())
