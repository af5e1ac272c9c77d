"""The frame of every open record: one header with the consent badge that counts down, and the blank that ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.ui.keys import key_text
from app.ui.theme import read_dark, scaled
from app.ui.widgets.bands import StateView
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.header import LOCAL_LEDGER, LedgerBadge, LedgerFacts, Popover
from app.ui.widgets.panes import Fact, FactsGrid
from app.ui.widgets.states import State, permission_ended
from app.ui.widgets.text import Rule, TextKind, label, surface
from app.ui.widgets.toast import Toast
from app.ui.wording import countdown_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from PySide6.QtGui import QFocusEvent

_SOON: Final = 3_600
_WARN: Final = 300


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """What is true of one opening, in words.

    Attributes:
        patient: name of the patient.
        about: "14 Mar 1961 · female".
        title: "CT chest, 24 Nov 2026".
        purpose: "Treatment".
        consent: "C-4RT8".
        until: seconds UTC when the permission ends by itself; None if it has no end.
        recorded: "Opening recorded 14:33:02".
        checked: "File, pixels and header unchanged".
        back: page that Esc leads to.
        allowed: what the popover of the badge lists.
        emergency: whether it was opened by breaking the glass.
        ledger: for the badge.
    """

    patient: str
    about: str
    title: str
    purpose: str
    consent: str
    until: int | None
    recorded: str
    checked: str
    back: str = "Worklist"
    allowed: tuple[Fact, ...] = field(default=())
    emergency: bool = False
    ledger: LedgerFacts = LOCAL_LEDGER
    seen_by_patient: str = "The patient sees this opening"


class ConsentBadge(Button):
    """Purpose, consent and time left; the one thing of a record that is never hidden."""

    def __init__(self, facts: OpeningFacts) -> None:
        super().__init__(small=True, icon_name="siren" if facts.emergency else "circle-check")
        self._facts = facts

    def show_time(self, now: int) -> None:
        """Count down to the end; under an hour in the colour of waiting."""
        facts = self._facts
        left = None if facts.until is None else facts.until - now
        time = "no end" if left is None else countdown_text(left)
        is_soon = left is not None and left < _SOON
        if facts.emergency:
            text, tint = f"Emergency · {time}", "emergency"
        else:
            text = " · ".join(part for part in (facts.purpose, facts.consent, time) if part)
            tint = "wait" if is_soon else "ok"
        if text != self.text():
            self.set_words(text)
        if tint != self.tint:
            self.set_tint(tint)


class RecordFrame(QFrame):
    """Header, body and bottom line of an open record, under the reading palette.

    ``end`` takes the body away at once and says why; nothing of the record stays drawn or held here.

    Args:
        facts: of this opening.
        clock: seconds UTC.
        zone: where the person is; None is the machine's.

    Signals:
        back_asked: Esc or the back button; the page closes the record or keeps it open, as its rules say.
        close_asked: "Close record".
        lock_asked: the lock button.
        ran_out: the permission ended by the clock; the frame is blank already.
        more_time_asked: from the toast five minutes before the end.
        acted: key of the action under the ending's state.
    """

    back_asked = Signal()
    close_asked = Signal()
    lock_asked = Signal()
    ran_out = Signal()
    more_time_asked = Signal()
    acted = Signal(str)

    def __init__(self, facts: OpeningFacts, clock: Callable[[], int], zone: tzinfo | None = None) -> None:
        super().__init__()
        self.setProperty("surface", "window")
        read_dark(self)
        self.facts = facts
        self._clock, self._zone = clock, zone
        self._is_warned = False
        self.badge = ConsentBadge(facts)
        self.badge.clicked.connect(self._open_facts)
        self.state_view = StateView()
        self.state_view.acted.connect(self.acted)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.state_view)
        self.toolbar = QHBoxLayout()
        self.toolbar.setContentsMargins(scaled(8), scaled(4), scaled(8), scaled(4))
        self.toolbar.setSpacing(scaled(4))
        self._toolbar_frame = surface("header")
        self._toolbar_frame.setLayout(self.toolbar)
        self._toolbar_frame.setFixedHeight(scaled(44))
        self._toolbar_frame.hide()
        self.bottom = QHBoxLayout()
        self.bottom.setContentsMargins(scaled(12), 0, scaled(12), 0)
        self.bottom.setSpacing(scaled(16))
        self._foot = foot = surface("footer")
        foot.setLayout(self.bottom)
        foot.setFixedHeight(scaled(30))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._make_header())
        layout.addWidget(self._toolbar_frame)
        layout.addWidget(self._stack, 1)
        layout.addWidget(foot)
        self._timer = QTimer(self, interval=1000)
        self._timer.timeout.connect(self.tick)
        self._body: QWidget | None = None
        self.first: QWidget | None = None
        self.badge.show_time(clock())

    def _make_header(self) -> QWidget:
        facts = self.facts
        header = surface("header")
        header.setFixedHeight(scaled(44))
        self.back_button = Button(facts.back, kind=ButtonKind.BARE, icon_name="arrow-left", key_hint="Esc", small=True)
        self.back_button.clicked.connect(self.back_asked)
        self.ledger = LedgerBadge(facts.ledger)
        lock = Button(kind=ButtonKind.BARE, icon_name="lock", accessible=f"Lock, {key_text('lock')}")
        lock.clicked.connect(self.lock_asked)
        row = QHBoxLayout(header)
        row.setContentsMargins(scaled(12), 0, scaled(8), 0)
        row.setSpacing(scaled(12))
        row.addWidget(self.back_button)
        line = Rule(is_vertical=True)
        line.setFixedHeight(scaled(22))
        row.addWidget(line)
        row.addWidget(label(facts.patient, TextKind.SECTION))
        for text in (facts.about, "·", facts.title) if facts.about else (facts.title,):
            row.addWidget(label(text, tone="text2", gives_way=text != "·"))  # to the badges
        row.addStretch(1)
        for button in (self.badge, self.ledger, lock):
            row.addWidget(button)
        return header

    def set_body(self, body: QWidget) -> None:
        """Show what was opened and begin to count."""
        self._body = body
        self._stack.addWidget(body)
        self._stack.setCurrentWidget(body)
        self.first = self.first or body
        self._timer.start()
        self.tick()

    def show_toolbar(self) -> None:
        """Use the toolbar under the header; fill ``toolbar``."""
        self._toolbar_frame.show()

    @property
    def is_ended(self) -> bool:
        """Whether the record is gone from here."""
        return self._body is None

    def end(self, state: State) -> None:
        """Go blank at once and say why: withdrawn, ended, changed, offline, closed. The body is deleted."""
        self._timer.stop()
        body, self._body = self._body, None
        self.first = self.state_view
        self.state_view.show_state(state)
        self._stack.setCurrentWidget(self.state_view)
        self._toolbar_frame.hide()
        self._foot.hide()
        self.badge.hide()
        if body is not None:
            self._stack.removeWidget(body)
            self.forget(body)
            body.hide()
            body.deleteLater()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt's: what was opened gets the focus (a focus proxy would keep Tab between two controls)."""
        super().focusInEvent(event)
        if self.first is not None:
            self.first.setFocus(event.reason())

    def forget(self, body: QWidget) -> None:
        """Drop what the body holds of the record; subclasses with images override it."""

    def tick(self) -> None:
        """Look at the clock; at zero the record is gone."""
        now = self._clock()
        self.badge.show_time(now)
        until = self.facts.until
        if until is None or self.is_ended:
            return
        if now >= until:
            self.end(permission_ended(until, self._zone))
            self.ran_out.emit()
        elif until - now <= _WARN and not self._is_warned:
            self._is_warned = True
            toast = Toast(self, "The permission ends in 5 minutes.", "clock-alert", "Ask for more time…")
            toast.acted.connect(self.more_time_asked)

    def _open_facts(self) -> None:
        popover = Popover(self.badge, 320)
        popover.body.addWidget(label("What is allowed", TextKind.STRONG))
        facts = (Fact("Purpose", self.facts.purpose), Fact("Consent", self.facts.consent, is_mono=True))
        popover.body.addWidget(FactsGrid((*facts, *self.facts.allowed)))
        popover.body.addWidget(Rule())
        popover.body.addWidget(label(self.facts.recorded, tone="text2", wrap=True))
        close = Button("Close record", icon_name="x")
        close.clicked.connect(popover.close)
        close.clicked.connect(self.close_asked)
        popover.body.addWidget(close)
        popover.open()

    def escape(self) -> bool:
        """Esc leads back (the window calls it, since its shortcut sees the key first)."""
        self.back_asked.emit()
        return True
