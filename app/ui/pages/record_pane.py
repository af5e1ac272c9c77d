"""The preview pane of the worklist: facts of a record, what its patient allows, and the one thing to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from app.services.worklist import RowState
from app.ui.pages.phases import Phase, Step
from app.ui.pages.record_words import chip_of, icon_of, record_facts, terms_facts, title_of, why_sentence
from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    FactsGrid,
    Note,
    Rule,
    TextKind,
    label,
)
from app.ui.widgets.row_panes import RowPane
from app.ui.widgets.states import empty
from app.ui.wording import iso_day_text

if TYPE_CHECKING:
    from app.services.worklist import RecordRow
    from app.ui.pages.workplace import Workplace

_NOTHING: Final = empty("layout-list", "Choose a line to see what it is and what you may do with it.", "Nothing chosen")
_FIRST: Final = {
    RowState.OPEN: ("open", "Open {title}"),
    RowState.ENDS_SOON: ("open", "Open {title}"),
    RowState.NOT_LISTED: ("open", "Open the list"),
    RowState.WAITING: ("requests", "See the request"),
    RowState.ENDED: ("ask", "Ask again…"),
    RowState.WITHHELD: ("why", "How it was decided"),
}
_ICONS: Final = {"requests": "send", "ask": "send", "why": "scale"}


class RecordPane(RowPane):
    """One line of the worklist in full.

    Args:
        place: time, zone and hospitals.

    Signals:
        acted: ``open``, ``ask``, ``why``, ``patient``, ``requests``, or the key of a state's action.
    """

    acted = Signal(str)

    def __init__(self, place: Workplace) -> None:
        super().__init__(_NOTHING)
        self._place = place
        self._row: RecordRow | None = None
        self._first_key = "open"
        self._facts = FactsGrid()
        self._why = label("", tone="text2", wrap=True)
        self._terms_title = label("", TextKind.STRONG, wrap=True)
        self._terms = FactsGrid()
        self._terms.followed.connect(self.acted)
        self._rule = Rule()
        self._band = Band()
        self._band.acted.connect(self.acted)
        for part in (self._band, self._facts, self._why, self._rule, self._terms_title, self._terms):
            self.content.addWidget(part)
        self.content.addStretch(1)
        self._make_buttons()
        self.show_row(None)

    def _make_buttons(self) -> None:
        self.note = Note("receipt-text", "")
        self.first_button = Button("Open", kind=ButtonKind.PRIMARY, icon_name="scan", key_hint="↵")
        self.first_button.clicked.connect(lambda: self.acted.emit(self._first_key))
        self.patient_button = Button("Patient page", icon_name="user-round")
        self.patient_button.clicked.connect(lambda: self.acted.emit("patient"))
        self.ask_button = Button("Ask for more…", icon_name="send")
        self.ask_button.clicked.connect(lambda: self.acted.emit("ask"))
        row = QHBoxLayout()
        row.setSpacing(scaled(8))
        row.addWidget(self.patient_button, 1)
        row.addWidget(self.ask_button, 1)
        self.buttons.addWidget(self.note)
        self.buttons.addSpacing(scaled(4))
        self.buttons.addWidget(self.first_button)
        self.buttons.addLayout(row)

    @property
    def row(self) -> RecordRow | None:
        """What is shown."""
        return self._row

    def show_row(self, row: RecordRow | None, phase: Phase | None = None) -> None:
        """Show a line, or that none is chosen."""
        self._row = row
        for part in (self.first_button, self.patient_button, self.ask_button, self.note):
            part.setVisible(row is not None)
        self.show_chosen(chosen=row is not None)
        if row is None:
            return
        mine = phase if phase is not None and phase.key == row.key else None
        made = chip_of(row, self._place, mine)
        self.show_head(
            title_of(row),
            f"{row.patient.name}, {iso_day_text(row.patient.birth_date)}",
            Chip("Open to you", made.icon_name, made.role) if made.word == "Open" else made,
        )
        self._band.show_state(mine.state if mine is not None else None)
        self._facts.show_facts(record_facts(row, self._place))
        self._why.setVisible(not row.can_open)
        self._why.setText(why_sentence(row))
        self._show_terms(row)
        self._show_first(row, mine, is_busy=phase is not None and phase.is_busy)

    def _show_terms(self, row: RecordRow) -> None:
        facts = terms_facts(row, self._place)
        waits = row.state is RowState.WAITING
        name = row.patient.name
        self._terms_title.setText(f"What you asked {name} for" if waits else f"What {name} allows you")
        if row.state in (RowState.DENIED, RowState.ENDED, RowState.WITHHELD):
            self._terms_title.setText(f"What {name} was asked or allowed")
        self._terms.show_facts(facts)
        for part in (self._rule, self._terms_title, self._terms):
            part.setVisible(bool(facts))

    def _show_first(self, row: RecordRow, mine: Phase | None, *, is_busy: bool) -> None:
        key, text = _FIRST.get(row.state, ("why", "How it was decided") if row.record_id else ("ask", "Ask again…"))
        step = mine.step if mine is not None else Step.IDLE
        self._first_key = key
        words = "Recording…" if step is Step.RECORDING else text.format(title=title_of(row))
        self.first_button.set_words(words, _ICONS.get(key, icon_of(row)))
        self.first_button.setVisible(step is not Step.CHANGED)
        self.first_button.setEnabled(not (is_busy and key == "open"))
        self.ask_button.setVisible(key != "ask")
        told = (
            "Opening the list is recorded first, with your name and purpose"
            if row.state is RowState.NOT_LISTED
            else ("Opening is recorded first, with your name and purpose")
        )
        opens = key == "open" and step is not Step.CHANGED
        self.note.show_note("receipt-text", f"{told}. {row.patient.name} sees it." if opens else "")
