"""One request in full: what was asked and what was allowed side by side, narrowed terms marked (SCREENS.md d)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.consent.terms import narrowings
from app.services.requests import RequestState
from app.ui.kinds import kinds_text, purpose_text
from app.ui.pages.record_words import period_text
from app.ui.theme import scaled
from app.ui.vocabulary import Chip, Status, chip
from app.ui.widgets import (
    Button,
    ButtonKind,
    FactsGrid,
    Note,
    Rule,
    TextKind,
    label,
)
from app.ui.widgets.panes import Fact, empty_layout
from app.ui.widgets.row_panes import RowPane
from app.ui.widgets.states import empty
from app.ui.wording import NONE, count_text, iso_day_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.consent.terms import Narrowing, Terms
    from app.services.requests import RequestRow
    from app.ui.pages.workplace import Workplace

_NOTHING: Final = empty("send", "Choose a request to see what was asked and allowed.", "Nothing chosen")
_CHIPS: Final = {
    RequestState.WAITING: chip(Status.WAITING),
    RequestState.ALLOWED: Chip("Allowed", "circle-check", "ok"),
    RequestState.NARROWED: Chip("Allowed in part", "pencil-line", "ok"),
    RequestState.REFUSED: chip(Status.DENIED),
    RequestState.ENDED: chip(Status.ENDED),
}
_TERMS: Final[tuple[tuple[str, Callable[[Terms], str]], ...]] = (
    ("Records", lambda terms: kinds_text(terms.categories)),
    ("Made", period_text),
    ("Open for", lambda terms: count_text(terms.keep_open_days, "day", "days")),
    ("AI suggestion", lambda terms: "Yes" if terms.ai_inference else "No"),
    ("AI training", lambda terms: "Yes" if terms.ai_training else "No"),
)
_NAMES: Final = {
    "categories": 0,
    "made_from": 1,
    "made_until": 1,
    "keep_open_days": 2,
    "ai_inference": 3,
    "ai_training": 4,
}


def request_chip(row: RequestRow) -> Chip:
    """Return the chip of a request."""
    return _CHIPS[row.state]


def narrowed_text(narrowing: Narrowing) -> str:
    """Return one narrowed term: "30 days → 7 days"."""
    words: dict[str, Callable[[object], str]] = {
        "categories": lambda value: kinds_text(value) if isinstance(value, frozenset) else NONE,
        "keep_open_days": lambda value: count_text(int(str(value)), "day", "days"),
        "made_from": lambda value: f"since {iso_day_text(str(value))}" if value else "any time",
        "made_until": lambda value: f"until {iso_day_text(str(value))}" if value else "any time",
        "ai_inference": lambda value: "AI suggestion" if value else "none",
        "ai_training": lambda value: "AI training" if value else "none",
    }
    word = words.get(narrowing.term)
    if word is None:
        return {"grantee": "Only you", "labels": "Sensitive records stay closed"}.get(
            narrowing.term, "Emergencies are treated differently"
        )
    return f"{word(narrowing.asked)} → {word(narrowing.allowed)}"


class RequestPane(RowPane):
    """One request.

    Args:
        place: time and zone.

    Signals:
        acted: ``hand-over`` or ``ask``.
    """

    acted = Signal(str)

    def __init__(self, place: Workplace) -> None:
        super().__init__(_NOTHING, width=364)
        self._place = place
        self._facts = FactsGrid()
        self._terms_place = QVBoxLayout()
        self.content.addWidget(self._facts)
        self.content.addWidget(Rule())
        self.content.addLayout(self._terms_place)
        self.content.addStretch(1)
        self.hand_over_button = Button(
            "Hand over to the patient now", kind=ButtonKind.PRIMARY, icon_name="hand-helping"
        )
        self.hand_over_button.clicked.connect(lambda: self.acted.emit("hand-over"))
        self.ask_button = Button("Ask again…", icon_name="send")
        self.ask_button.clicked.connect(lambda: self.acted.emit("ask"))
        self.buttons.addWidget(self.hand_over_button)
        self.buttons.addWidget(self.ask_button)
        self.show_row(None)

    def show_row(self, row: RequestRow | None) -> None:
        """Show a request, or that none is chosen."""
        self.show_chosen(chosen=row is not None)
        self.ask_button.setVisible(row is not None)
        self.hand_over_button.setVisible(row is not None and row.state is RequestState.WAITING)
        if row is None:
            return
        zone = self._place.zone
        self.show_head(row.patient.name, f"{row.short_id} · {purpose_text(row.asked.purpose[1])}", request_chip(row))
        facts = [Fact("Sent", moment_text(row.sent_at, zone=zone))]
        if row.decided_at is not None:
            facts.append(Fact("Decided", moment_text(row.decided_at, zone=zone)))
        if row.until is not None:
            facts.append(Fact("Until", moment_text(row.until, zone=zone)))
        self._facts.show_facts(tuple(facts))
        self.ask_button.set_words("Ask for more…" if row.allowed is not None else "Ask again…")
        self._show_terms(row)

    def _show_terms(self, row: RequestRow) -> None:
        empty_layout(self._terms_place)
        narrowed = narrowings(row.asked, row.allowed) if row.allowed is not None else ()
        self._terms_place.addWidget(self._make_table(row, {_NAMES.get(each.term, -1) for each in narrowed}))
        for each in narrowed:
            self._terms_place.addWidget(
                Note("pencil-line", f"Narrowed: {narrowed_text(each)}", "accent", TextKind.BODY)
            )

    def _make_table(self, row: RequestRow, marked: set[int]) -> QWidget:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(scaled(12))
        grid.setVerticalSpacing(scaled(8))
        for column, heading in enumerate(("", "Asked", "Allowed")):
            grid.addWidget(label(heading, TextKind.STRONG), 0, column)
            grid.setColumnStretch(column, 1 if column else 0)
        for number, (name, words) in enumerate(_TERMS, 1):
            allowed = words(row.allowed) if row.allowed is not None else NONE
            tone = "accent" if number - 1 in marked else ""
            grid.addWidget(label(name, tone="muted"), number, 0)
            grid.addWidget(label(words(row.asked), wrap=True), number, 1)
            grid.addWidget(label(allowed, tone=tone, wrap=True), number, 2)
        return table
