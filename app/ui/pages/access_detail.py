"""One entry of Who saw what: who, what, why, which consent, the receipt, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.services.accesses import AccessState
from app.services.consents import ConsentState
from app.ui.pages.patient_words import PURPOSES, heading_of, how_long, is_own, moment, name_of, refusal_of, role_of
from app.ui.theme import scaled
from app.ui.widgets import Button, ButtonKind, Card, Note, TextKind, label, link_label
from app.ui.widgets.row_panes import FreshPane
from app.ui.widgets.states import empty
from app.ui.wording import NONE, time_text

if TYPE_CHECKING:
    from datetime import tzinfo

    from app.custodian.results import Question
    from app.services.accesses import AccessRow
    from app.services.consents import ConsentRow
    from app.services.proofs import Checked

_NOTHING = empty("eye", "Choose an entry to see why it happened.", "")
KEPT = "Kept on one machine only. A change would be noticed, unless its owner rewrote everything."


class AccessDetail(FreshPane):
    """The right pane. Signals carry nothing: the page knows the row."""

    consent_followed = Signal(str)
    save_wanted = Signal()
    check_wanted = Signal()
    stop_wanted = Signal()
    ask_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(_NOTHING, width=330)
        self.save_button = Button("Save PDF", icon_name="download", small=True)
        self.check_button = Button("Check it again", icon_name="rotate-cw", small=True)
        self.checked = Note("shield-check", "", "ok")
        self.stop_button = Button("Stop this access…", kind=ButtonKind.DANGER_OUTLINE, icon_name="ban", patient=True)
        self.ask_button = Button("Ask about this…", icon_name="message-circle-question-mark", patient=True)
        self.wrong = QWidget()
        words = QVBoxLayout(self.wrong)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addWidget(label("Does this look wrong?", TextKind.STRONG))
        words.addWidget(label("The privacy officer must answer you.", TextKind.BODY, "text2", wrap=True))
        for part in (self.wrong, self.ask_button, self.stop_button):
            self.buttons.addWidget(part)
        self.ask_button.clicked.connect(self.ask_wanted)
        self.save_button.clicked.connect(self.save_wanted)
        self.check_button.clicked.connect(self.check_wanted)
        self.stop_button.clicked.connect(self.stop_wanted)
        self.show_row(None, (), None)

    def show_row(
        self,
        row: AccessRow | None,
        consents: tuple[ConsentRow, ...],
        zone: tzinfo | None,
        question: Question | None = None,
    ) -> None:
        """Show an entry with the consents that decided it and what she asked about it; None: nothing is chosen."""
        layout = self.renew(self.save_button, self.check_button, self.checked)
        self.nothing.setVisible(row is None)
        active = [each for each in consents if each.state is ConsentState.ACTIVE and not each.denies]
        is_stoppable = bool(active) and row is not None and not is_own(row)
        self.stop_button.setVisible(is_stoppable)
        is_askable = row is not None and not is_own(row) and question is None
        self.wrong.setVisible(is_askable)
        self.ask_button.setVisible(is_askable)
        self.checked.show_note("shield-check", "")
        if row is None:
            return
        head = QVBoxLayout()
        head.setSpacing(scaled(2))
        head.addWidget(label(heading_of(row), TextKind.PATIENT_STRONG, wrap=True))
        head.addWidget(label(moment(row.at, zone), TextKind.BODY, "text2"))
        layout.addLayout(head)
        who = f"{role_of(row.who)}, {row.who.hospital}"
        layout.addLayout(_fact("Who", who if is_own(row) else f"{name_of(row.who)} · {who}"))
        layout.addLayout(_fact("Why", PURPOSES.get(row.purpose, row.purpose)))
        self._add_consents(layout, row, consents, zone)
        if (said := how_long(row, zone)) != NONE:
            layout.addLayout(_fact("How long it was open", said))
        layout.addWidget(self._receipt(row))
        if question is not None:
            layout.addWidget(_question(question, zone))

    def _add_consents(
        self, layout: QVBoxLayout, row: AccessRow, consents: tuple[ConsentRow, ...], zone: tzinfo | None
    ) -> None:
        if row.state is AccessState.NOT_OPENED:
            layout.addLayout(_fact("Why it stayed closed", refusal_of(row.reason)))
        for consent in consents:
            given = "" if consent.given_at is None else moment(consent.given_at, zone)
            until = "" if consent.ends_at is None else f", until {moment(consent.ends_at, zone)}"
            fact = _fact("You refused it" if consent.denies else "You allowed it", f"{given}{until}" or NONE)
            link = link_label(f"See my consent {consent.short_id}", consent.consent_id)
            link.linkActivated.connect(self.consent_followed)
            fact.addWidget(link)
            layout.addLayout(fact)

    def _receipt(self, row: AccessRow) -> Card:
        card = Card()
        head = QHBoxLayout()
        head.addWidget(Note("shield-check", "Receipt", "ok", TextKind.STRONG))
        card.body.addLayout(head)
        text = f"Recorded in block {row.block}, signed by who opened it. {KEPT}"
        card.body.addWidget(label(text, TextKind.BODY, "text2", wrap=True))
        buttons = QHBoxLayout()
        buttons.setSpacing(scaled(8))
        buttons.addWidget(self.save_button)
        buttons.addWidget(self.check_button)
        buttons.addStretch(1)
        card.body.addLayout(buttons)
        card.body.addWidget(self.checked)
        for kept in (self.save_button, self.check_button):
            kept.show()
        self.check_button.setEnabled(True)
        return card

    def show_checking(self) -> None:
        """Say that the entry is being checked."""
        self.check_button.setEnabled(False)
        self.checked.show_note("rotate-cw", "Checking…", "text2")

    def show_checked(self, checked: Checked, zone: tzinfo | None) -> None:
        """Say that the entry is what it was."""
        self.check_button.setEnabled(True)
        at = time_text(checked.at, zone)
        text = f"Checked at {at}: unchanged. It is entry {checked.number} of block {checked.block}."
        self.checked.show_note("shield-check", text, "ok")

    def show_unproven(self, text: str) -> None:
        """Say that it could not be checked, or that it was changed."""
        self.check_button.setEnabled(True)
        self.checked.show_note("triangle-alert", text, "deny")


def _question(question: Question, zone: tzinfo | None) -> Card:
    """Show what she asked, and the answer or that it waits."""
    card = Card()
    card.body.addWidget(Note("message-circle-question-mark", "Your question", "text", TextKind.STRONG))
    card.body.addWidget(label(question.text, TextKind.BODY, wrap=True))
    card.body.addWidget(label(f"Asked {moment(question.asked_at, zone)}", TextKind.CAPTION, "muted"))
    if question.answered_at is None:
        card.body.addWidget(Note("hourglass", "The privacy officer has not answered yet.", "wait", TextKind.BODY))
        return card
    card.body.addWidget(Note("circle-check", "The privacy officer answered", "ok", TextKind.STRONG))
    card.body.addWidget(label(question.answer, TextKind.BODY, wrap=True))
    card.body.addWidget(label(f"Answered {moment(question.answered_at, zone)}", TextKind.CAPTION, "muted"))
    return card


def _fact(name: str, value: str) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(scaled(1))
    column.addWidget(label(name, TextKind.PATIENT_CAPTION))
    text = label(value, TextKind.PATIENT, wrap=True)
    text.setAccessibleName(f"{name}: {value}")
    column.addWidget(text)
    return column
