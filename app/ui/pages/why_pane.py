"""Why a record is open or closed (SCREENS.md c): the sentence, every consent that decided, the rule, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.services.reasons import Stand
from app.services.requests import short_id
from app.services.worklist import RowState
from app.ui.kinds import kind_word, kinds_text, purpose_text
from app.ui.pages.phases import Phase, Step
from app.ui.pages.record_words import chip_of, held_at, icon_of, title_of, why_sentence
from app.ui.refusals import reason_sentence
from app.ui.theme import scaled
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    Card,
    IconLabel,
    Note,
    Rule,
    TextKind,
    label,
)
from app.ui.widgets.panes import empty_layout
from app.ui.widgets.row_panes import RowPane
from app.ui.widgets.states import empty
from app.ui.wording import NONE, moment_text, time_text

if TYPE_CHECKING:
    from app.services.opening_log import OpeningRow
    from app.services.reasons import Explanation, Ground
    from app.services.worklist import RecordRow
    from app.ui.pages.workplace import Workplace

_NOTHING: Final = empty("scale", "Choose a record to see why it is open or not.", "Nothing chosen")
_OPEN: Final = (RowState.OPEN, RowState.ENDS_SOON, RowState.NOT_LISTED)
_STANDS: Final = {
    Stand.PERMITS: ("circle-check", "ok_fg", "permits"),
    Stand.LEAVES_OUT: ("ban", "deny_fg", "leaves out"),
    Stand.REFUSES: ("ban", "deny_fg", "refuses"),
    Stand.WAITS: ("hourglass", "wait_fg", "asks for"),
    Stand.ENDED: ("circle-slash-2", "held_fg", "has ended:"),
}
_STRONGER: Final = "A refusal is stronger than a permission."


def ground_text(ground: Ground) -> tuple[str, str]:
    """Return the words of one consent: its name, and what it says."""
    verb = _STANDS[ground.stand][2]
    what = kinds_text(ground.categories).lower() if ground.categories else "this"
    return f"Consent {short_id(ground.consent_id)}", f"{verb} {what}"


def rule_text(explanation: Explanation) -> str:
    """Return the rule that decided, in words."""
    stands = {ground.stand for ground in explanation.grounds}
    if stands & {Stand.LEAVES_OUT, Stand.REFUSES} and explanation.row.state is RowState.DENIED:
        return _STRONGER
    if explanation.row.state is RowState.WAITING:
        return "Until the patient signs, nothing is open."
    if explanation.row.state is RowState.ENDED:
        return "A consent that has ended allows nothing."
    return reason_sentence(explanation.reason)


def explanation_text(explanation: Explanation) -> str:
    """Return the explanation to be copied: ids and rule, no name."""
    lines = [f"Record {explanation.row.record_id or NONE}, {explanation.row.category or 'kind not shown'}"]
    lines += [
        f"Consent {ground.consent_id}: {ground.stand.value}, block {ground.block}" for ground in explanation.grounds
    ]
    return "\n".join([*lines, f"Rule: {explanation.reason}. {rule_text(explanation)}"])


class WhyPane(RowPane):
    """The right pane of Patient.

    Args:
        place: time, zone, hospitals.

    Signals:
        acted: ``open``, ``ask``, ``copy``, ``requests``, or the key of a state's action.
    """

    acted = Signal(str)

    def __init__(self, place: Workplace) -> None:
        super().__init__(_NOTHING, width=364, spacing=8)
        self._place = place
        self.explanation: Explanation | None = None
        self._row: RecordRow | None = None
        self._first_key = "open"
        self.band = Band()
        self.band.acted.connect(self.acted)
        self._heading = label("", TextKind.STRONG)
        self._sentence = label("", tone="text2", wrap=True)
        self._card_place = QVBoxLayout()
        self._attempt = Note("receipt-text", "")
        self.content.addWidget(self.band)
        self.content.addSpacing(scaled(4))
        self.content.addWidget(self._heading)
        self.content.addWidget(self._sentence)
        self.content.addLayout(self._card_place)
        self.content.addWidget(self._attempt)
        self.content.addStretch(1)
        self._make_buttons()
        self.show_row(None)

    def _make_buttons(self) -> None:
        self.first_button = Button("Open", kind=ButtonKind.PRIMARY, key_hint="↵")
        self.first_button.clicked.connect(lambda: self.acted.emit(self._first_key))
        self.copy_button = Button("Copy explanation", icon_name="copy")
        self.copy_button.clicked.connect(lambda: self.acted.emit("copy"))
        self.buttons.addWidget(self.first_button)
        self.buttons.addWidget(self.copy_button)

    @property
    def row(self) -> RecordRow | None:
        """What is shown."""
        return self._row

    def show_row(self, row: RecordRow | None, phase: Phase | None = None) -> None:
        """Show a line; its explanation follows with ``show_explanation``."""
        same = row is not None and self._row is not None and row.key == self._row.key
        self._row = row
        for part in (self.first_button, self.copy_button):
            part.setVisible(row is not None)
        self.show_chosen(chosen=row is not None)
        if row is None or not same:
            self._clear_card()
        if row is None:
            return
        mine = phase if phase is not None and phase.key == row.key else None
        is_open = row.state in _OPEN
        held = held_at(row, self._place)
        where = held if held != NONE else self._place.hospital(row.patient.custodian)
        self.show_head(title_of(row), where, chip_of(row, self._place, mine))
        self.band.show_state(mine.state if mine is not None else None)
        self._heading.setText("Why you may open it" if is_open else "Why you cannot open it")
        self._sentence.setText(self._allowed_text(row) if row.can_open else why_sentence(row))
        self._show_first(row, phase, mine)

    def _allowed_text(self, row: RecordRow) -> str:
        if row.terms is None or row.until is None:
            return why_sentence(row)
        kinds, purpose = kinds_text(row.terms.categories).lower(), purpose_text(row.purpose).lower()
        until = moment_text(row.until, zone=self._place.zone)
        return f"{row.patient.name} allows you {kinds}, for {purpose}, until {until}."

    def _show_first(self, row: RecordRow, phase: Phase | None, mine: Phase | None) -> None:
        step = mine.step if mine is not None else Step.IDLE
        key, text, icon_name = "ask", f"Ask for {kind_word(row.category)}…", "send"
        if row.state is RowState.NOT_LISTED:
            key, text, icon_name = "open", "Open the list", icon_of(row)
        elif row.can_open:
            key, text, icon_name = "open", f"Open {title_of(row)}", icon_of(row)
        elif row.state is RowState.WAITING:
            key, text = "requests", "See the request"
        elif row.state is RowState.WITHHELD:
            text = "Ask for access…"
        self._first_key = key
        self.first_button.set_words("Recording…" if step is Step.RECORDING else text, icon_name)
        self.first_button.setVisible(step is not Step.CHANGED)
        self.first_button.setEnabled(not (key == "open" and phase is not None and phase.is_busy))

    def show_explanation(self, explanation: Explanation, attempt: OpeningRow | None) -> None:
        """Show the consents that decided, and the last denied attempt on this record if there is one."""
        row = explanation.row
        if self._row is None or row.key != self._row.key:
            return
        self.explanation = explanation
        self._clear_card(keep=True)
        if row.state is RowState.DENIED and not row.record_id and row.reason and explanation.asked:
            asked = kinds_text(explanation.asked).lower()
            left = kind_word(row.category)
            self._sentence.setText(f"You asked for {asked}. {row.patient.name} left out {left}.")
        self._card_place.addWidget(self._make_card(explanation))
        said = (
            ""
            if attempt is None
            else (
                f"Your attempt of {time_text(attempt.at, self._place.zone)} is recorded as denied. "
                "Nothing of the record was shown."
            )
        )
        self._attempt.show_note("receipt-text", said)

    def _make_card(self, explanation: Explanation) -> Card:
        card = Card("How it was decided", icon_name="scale")
        for ground in explanation.grounds:
            card.body.addWidget(self._make_ground(ground))
        if explanation.grounds:
            card.body.addWidget(Rule())
        card.body.addWidget(Note("gavel", rule_text(explanation), "text", TextKind.BODY))
        return card

    def _make_ground(self, ground: Ground) -> QWidget:
        icon_name, colour, _ = _STANDS[ground.stand]
        name, says = ground_text(ground)
        by = "Signed by the patient" if ground.by_patient else "Not signed yet"
        if ground.stand is Stand.LEAVES_OUT:
            by = "Narrowed by the patient before signing"
        parts = [f"{by}, {moment_text(ground.at, zone=self._place.zone)}"] if ground.at else [by]
        if ground.block >= 0:
            parts.append(f"block {ground.block}")
        made = QWidget()
        line = QHBoxLayout(made)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(scaled(8))
        line.addWidget(IconLabel(icon_name, colour, 16), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(f"{name} {says}", wrap=True))
        words.addWidget(label(" · ".join(parts), TextKind.CAPTION, wrap=True))
        line.addLayout(words, 1)
        return made

    def _clear_card(self, *, keep: bool = False) -> None:
        empty_layout(self._card_place)
        if not keep:
            self.explanation = None
            self._attempt.show_note("receipt-text", "")
