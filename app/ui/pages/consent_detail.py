"""One consent in the right pane: what was signed, how often it was used, its receipt, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from app.services.consents import ConsentState
from app.ui.pages.patient_words import consent_chip, moment, name_of, role_of
from app.ui.theme import scaled
from app.ui.widgets import (
    Button,
    ButtonKind,
    Card,
    ChipLabel,
    Fact,
    FactsGrid,
    Note,
    TextKind,
    label,
)
from app.ui.widgets.row_panes import FreshPane
from app.ui.widgets.states import empty
from app.ui.wording import NONE, count_text

if TYPE_CHECKING:
    from datetime import tzinfo

    from app.services.consents import ConsentRow

_NOTHING = empty("file-check", "Choose a consent to read what you signed.", "")


class ConsentDetail(FreshPane):
    """The right pane. ``save_wanted`` carries ``pdf`` or ``json``; the page knows the row."""

    stop_wanted = Signal()
    smaller_wanted = Signal()
    save_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(_NOTHING, width=364)
        self.pdf_button = Button("Save PDF", icon_name="download", small=True)
        self.json_button = Button("Save file", icon_name="download", small=True)
        self.saved = Note("circle-check", "", "ok")
        self.stop_button = Button("Stop…", kind=ButtonKind.DANGER_OUTLINE, icon_name="ban", patient=True)
        self.smaller_button = Button("Make smaller…", icon_name="pencil-line", patient=True)
        self.buttons.addWidget(self.smaller_button)
        self.buttons.addWidget(self.stop_button)
        self.smaller_button.clicked.connect(self.smaller_wanted)
        self.stop_button.clicked.connect(self.stop_wanted)
        self.pdf_button.clicked.connect(lambda: self.save_wanted.emit("pdf"))
        self.json_button.clicked.connect(lambda: self.save_wanted.emit("json"))
        self.show_row(None, None)

    def show_row(self, row: ConsentRow | None, zone: tzinfo | None) -> None:
        """Show a consent; None says that nothing is chosen."""
        layout = self.renew(self.pdf_button, self.json_button, self.saved)
        self.nothing.setVisible(row is None)
        is_active = row is not None and row.state is ConsentState.ACTIVE
        self.stop_button.setVisible(is_active)
        self.smaller_button.setVisible(is_active and row is not None and row.terms is not None)
        self.saved.show_note("circle-check", "")
        if row is None:
            return
        self.stop_button.set_words("Lift this block…" if row.denies else "Stop…")
        head = QHBoxLayout()
        head.addWidget(label(row.short_id, TextKind.PATIENT_STRONG))
        head.addStretch(1)
        head.addWidget(ChipLabel(consent_chip(row)))
        layout.addLayout(head)
        for place, sentence in enumerate(row.sentences or ("This request was refused. Nothing was signed.",)):
            kind = TextKind.PATIENT_STRONG if place == 0 and row.sentences else TextKind.PATIENT
            layout.addWidget(label(sentence, kind, wrap=True))
        layout.addWidget(FactsGrid(_facts(row, zone)))
        if row.given_at is not None:
            layout.addWidget(self._receipt())

    def _receipt(self) -> Card:
        card = Card()
        card.body.addWidget(Note("receipt-text", "Receipt", "text", TextKind.STRONG))
        text = "What you signed, and the proof that the ledger holds it."
        card.body.addWidget(label(text, TextKind.BODY, "text2", wrap=True))
        buttons = QHBoxLayout()
        buttons.setSpacing(scaled(8))
        for button in (self.pdf_button, self.json_button):
            buttons.addWidget(button)
            button.setEnabled(True)
            button.show()
        buttons.addStretch(1)
        card.body.addLayout(buttons)
        card.body.addWidget(self.saved)
        return card

    def show_saving(self) -> None:
        """Say that the receipt is being made."""
        for button in (self.pdf_button, self.json_button):
            button.setEnabled(False)
        self.saved.show_note("rotate-cw", "Making the receipt…", "text2")

    def show_saved(self, text: str, *, failed: bool = False) -> None:
        """Say what came of it; empty says nothing."""
        for button in (self.pdf_button, self.json_button):
            button.setEnabled(True)
        self.saved.show_note("triangle-alert" if failed else "circle-check", text, "wait" if failed else "ok")


def _facts(row: ConsentRow, zone: tzinfo | None) -> tuple[Fact, ...]:
    facts = []
    if row.asked_by is not None:
        facts.append(Fact("Asked by", f"{name_of(row.asked_by)}, {role_of(row.asked_by)}"))
    if row.given_at is not None:
        facts.append(Fact("You signed", moment(row.given_at, zone)))
        facts.append(Fact("Ends", NONE if row.ends_at is None else moment(row.ends_at, zone)))
    if not row.denies and row.given_at is not None:
        facts.append(Fact("Opened", count_text(row.times_opened, "time", "times")))
    return tuple(facts)
