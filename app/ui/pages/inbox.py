"""Requests that wait for the patient (rail: Requests)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.services.turn import NotWaitingError
from app.ui.kinds import kinds_text
from app.ui.outcomes import state_of
from app.ui.page import Page
from app.ui.pages.patient_words import PURPOSES, moment, name_of, role_of
from app.ui.theme import scaled
from app.ui.vocabulary import Status, chip
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    ChipLabel,
    Column,
    Disc,
    State,
    StateView,
    TextKind,
    initials,
    label,
    surface,
)
from app.ui.widgets.states import empty
from app.ui.wording import count_text

if TYPE_CHECKING:
    from PySide6.QtWidgets import QFrame, QWidget

    from app.services.inbox import Inbox, InboxRow
    from app.services.turn import Turn
    from app.ui.pages.workplace import Workplace

_EMPTY = empty("inbox", "When somebody asks to see your records, you decide here.", "Nothing to decide")
_GONE = State("held", "circle-slash-2", "", "This request was answered or withdrawn meanwhile.")


class InboxPage(Page):
    """What still has to be decided. ``turn_ready`` carries a started ``Turn``: wiring shows ``ConsentTurn`` with it."""

    turn_ready = Signal(object)

    def __init__(self, inbox: Inbox, place: Workplace, language: str) -> None:
        super().__init__()
        self._inbox, self._place, self._language = inbox, place, language
        self._rows: tuple[InboxRow, ...] = ()
        self.decide_buttons: list[Button] = []
        self._cards: list[QFrame] = []
        self.subtitle = label("", TextKind.PATIENT, "text2", wrap=True)
        self.band = Band()
        self.band.acted.connect(lambda _key: self.refresh())
        self.nothing = StateView(_EMPTY)
        self.nothing.hide()
        self._column = Column(margin=0, spacing=12)
        head = QVBoxLayout()
        head.setSpacing(0)
        head.addWidget(label("Requests", TextKind.PATIENT_TITLE))
        head.addWidget(self.subtitle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(scaled(24), scaled(20), scaled(24), 0)
        layout.setSpacing(scaled(12))
        layout.addLayout(head)
        layout.addWidget(self.band)
        layout.addWidget(self._column, 1)
        layout.addWidget(self.nothing, 1)

    def refresh(self) -> None:
        """Ask again what waits."""
        self._place.background.run(self, self._inbox.rows, self._show, self._fail)

    def blank(self) -> None:
        """Forget the requests."""
        self._show(())
        self.nothing.hide()

    def panes(self) -> tuple[QWidget, ...]:
        """The list."""
        return tuple(self.decide_buttons[:1])

    def _show(self, rows: tuple[InboxRow, ...]) -> None:
        self._rows = rows
        self.band.show_state(None)
        for card in self._cards:
            self._column.body.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards, self.decide_buttons = [], []
        while self._column.body.count():
            self._column.body.takeAt(0)
        for row in rows:
            card = self._card(row)
            self._cards.append(card)
            self._column.body.addWidget(card)
        self._column.body.addStretch(1)
        self._column.setVisible(bool(rows))
        self.nothing.setVisible(not rows)
        waits = "waits" if len(rows) == 1 else "wait"
        self.subtitle.setText(f"{count_text(len(rows), 'request', 'requests')} {waits} for you." if rows else "")
        self.subtitle.setVisible(bool(rows))
        self.count_changed.emit(len(rows), False)  # noqa: FBT003 (a signal's value)

    def _card(self, row: InboxRow) -> QFrame:
        card = surface("card")
        words = QVBoxLayout()
        words.setSpacing(scaled(2))
        words.addWidget(label(name_of(row.asked_by), TextKind.PATIENT_STRONG))
        words.addWidget(label(f"{role_of(row.asked_by)}, {row.asked_by.hospital}", TextKind.PATIENT_CAPTION))
        purpose = PURPOSES.get(row.asked.purpose[1], row.asked.purpose[1])
        asked = f"{purpose}: {kinds_text(row.asked.categories).lower()}"
        words.addWidget(
            label(f"{asked}, for {count_text(row.asked.keep_open_days, 'day', 'days')}", TextKind.PATIENT, wrap=True)
        )
        if row.reason:
            words.addWidget(label(f"“{row.reason}”", TextKind.PATIENT, "text2", wrap=True))
        words.addWidget(
            label(f"{row.short_id} · asked {moment(row.sent_at, self._place.zone)}", TextKind.PATIENT_CAPTION)
        )
        button = Button("Read and decide…", kind=ButtonKind.PRIMARY, icon_name="file-check", patient=True)
        button.clicked.connect(lambda: self._decide(row))
        self.decide_buttons.append(button)
        right = QVBoxLayout()
        right.setSpacing(scaled(12))
        status = chip(Status.WAITING)
        mine = type(status)("Waits for you", status.icon_name, status.role)
        chip_row = QHBoxLayout()
        chip_row.addStretch(1)
        chip_row.addWidget(ChipLabel(mine))
        right.addLayout(chip_row)
        right.addStretch(1)
        right.addWidget(button)
        line = QHBoxLayout(card)
        line.setContentsMargins(scaled(20), scaled(16), scaled(20), scaled(16))
        line.setSpacing(scaled(16))
        disc = QVBoxLayout()
        disc.addWidget(Disc(initials(row.asked_by.name)))
        disc.addStretch(1)
        line.addLayout(disc)
        line.addLayout(words, 1)
        line.addLayout(right)
        return card

    def _decide(self, row: InboxRow) -> None:
        for button in self.decide_buttons:
            button.setEnabled(False)
        self._place.background.run(self, lambda: self._inbox.turn(row), self._start, self._fail)

    def _start(self, turn: Turn) -> None:
        for button in self.decide_buttons:
            button.setEnabled(True)
        self.turn_ready.emit(turn)

    def _fail(self, error: Exception) -> None:
        for button in self.decide_buttons:
            button.setEnabled(True)
        if isinstance(error, NotWaitingError):
            self.refresh()
            self.toast_wanted.emit(_GONE.text)
            return
        self.band.show_state(state_of(error))
