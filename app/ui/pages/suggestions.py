"""Suggestions (SCREENS.md g): the queue of those that wait for a verdict, and the one that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.ui.pages.live_page import LivePage
from app.ui.pages.suggestion import Suggesting, SuggestionView
from app.ui.pages.verdict_giving import VerdictGiving
from app.ui.pages.verdict_pane import VerdictPane
from app.ui.vocabulary import Chip
from app.ui.widgets import (
    ColumnSpec,
    Fact,
    KeyLine,
    PaneLayout,
    RowsModel,
    RowsTable,
    State,
    key_line,
    title_row,
)
from app.ui.widgets.states import empty
from app.ui.wording import count_text, duration_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.services.openings import Opened
    from app.services.suggestions import QueueRow, Verdict
    from app.ui.pages.workplace import Workplace
    from ledger.gateway import Commit

_EMPTY: Final = empty(
    "chart-scatter",
    "Open a cytology record and press Suggestion… there. What waits for a verdict is listed here.",
    "No suggestion waits for you",
)
_CHIPS: Final = {
    "certain": Chip("Suggested", "chart-scatter", "info"),
    "uncertain": Chip("Uncertain", "circle-question-mark", "unknown"),
    "declined": Chip("No suggestion", "ban", "deny"),
}
_OTHER: Final = State(
    "wait", "users-round", "A second person has to read this.", "You gave your verdict. Somebody else decides next."
)


class Queueing(Suggesting, Protocol):
    """What the page needs of ``app.services.suggestions.Suggestions``."""

    def queue(self) -> tuple[QueueRow, ...]:
        """Return what waits for a verdict, oldest first."""


class SuggestionsPage(LivePage):
    """The queue, and one suggestion in full.

    A second reader sees here that somebody asks, never what the first one said.

    Args:
        suggestions: the practitioner's.
        place: time, zone, hospitals and the door off the GUI thread.

    Signals:
        record_wanted: an ``Opened`` record is to be shown again.
        ask_wanted: patient id and category.
    """

    record_wanted = Signal(object)
    ask_wanted = Signal(str, str)

    def __init__(self, suggestions: Queueing, place: Workplace) -> None:
        super().__init__(suggestions.queue, place)
        self._chosen: QueueRow | None = None
        self._giving = VerdictGiving(suggestions.give_verdict, place, self)
        self._giving.told.connect(self.band.show_state)
        self._giving.recorded.connect(self._recorded)
        self._giving.settled.connect(lambda _commit: self.refresh())
        self.model: RowsModel[QueueRow] = RowsModel(self._columns(), "suggestion")
        self.table = RowsTable(self.model, lambda row: row.suggestion_id, "Suggestions that wait")
        self.pane = VerdictPane()
        self._giving.unsure.connect(lambda: self.pane.set_enabled(enabled=False))
        self.view = SuggestionView(suggestions, place)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_queue())
        self._pages.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self.table.row_chosen.connect(self._show_row)
        self.pane.wanted.connect(self._give)
        self.view.record_wanted.connect(self.record_wanted)
        self.view.ask_wanted.connect(self.ask_wanted)
        self.view.answered.connect(self.refresh)
        self.view.left.connect(self._show_queue)
        self._show_rows(())

    def _columns(self) -> tuple[ColumnSpec[QueueRow], ...]:
        clock = self._place.clock
        return (
            ColumnSpec("Result", lambda row: _CHIPS[row.outcome].word, 160, chip=lambda row: _CHIPS[row.outcome]),
            ColumnSpec("Patient", lambda row: row.patient.name, 160, weight=500),
            ColumnSpec("Record", lambda row: row.title or "One record", icon=lambda _row: ("microscope", "text2")),
            ColumnSpec("Verdicts", lambda row: count_text(row.verdicts, "verdict", "verdicts"), 110, tone="text2"),
            ColumnSpec(
                "Waiting since",
                lambda row: duration_text(clock() - row.at),
                120,
                sort_key=lambda row: row.at,
                tone="text2",
            ),
        )

    def _make_queue(self) -> QWidget:
        top, _, _ = title_row("Suggestions", "They wait for a person's verdict.")
        self.empty_view.show_state(_EMPTY)
        main, _ = self._list_of(self.table, top)
        return PaneLayout(main, self.pane)

    def run(self, opened: Opened, values: Mapping[str, object], title: str) -> None:
        """Have a model judge one row of an open record, and show what it says."""
        self._pages.setCurrentWidget(self.view)
        self.view.start(opened, values, title)

    def forget(self, opened: Opened, state: State) -> None:
        """A record closed: if its suggestion is shown, it goes."""
        shown = self.view.opened
        if shown is not None and shown.access_id == opened.access_id:
            self.view.end(state)

    def _loaded(self, rows: tuple[QueueRow, ...]) -> None:
        self._show_rows(rows)
        self.count_changed.emit(sum(not row.for_another for row in rows), False)  # noqa: FBT003 (a signal's value)

    def _show_rows(self, rows: tuple[QueueRow, ...]) -> None:
        self.model.set_rows(rows)
        self._stack.setCurrentWidget(self.table if rows else self.empty_view)
        if rows:
            self.table.choose_first()
        self._show_row(self.table.current_row)

    def _show_row(self, row: QueueRow | None) -> None:
        if row is not None and self._chosen is not None and row == self._chosen:
            return
        self._chosen = row
        outcome = row.outcome if row is not None and not row.for_another else ""
        self.pane.show_outcome(outcome, "")
        if row is None:
            self.pane.show_facts(())
            return
        hidden = bool(row.verdicts) and not row.for_another
        self.pane.show_facts(
            (
                Fact("Patient", row.patient.name),
                Fact("Asked", moment_text(row.at, zone=self._place.zone)),
                Fact(
                    "Verdicts",
                    "Hidden until you gave yours" if hidden else str(row.verdicts),
                ),
            )
        )
        self.band.show_state(_OTHER if row.for_another else None)

    def _give(self, verdict: Verdict) -> None:
        if self._chosen is not None:
            self._giving.ask(self._chosen.patient_id, self._chosen.suggestion_id, verdict)

    def _recorded(self, _commit: Commit) -> None:
        self._chosen = None
        self.refresh()

    def blank(self) -> None:
        """Forget the queue and the case (lock, sign-out)."""
        super().blank()
        self._giving.stop()
        self._pages.setCurrentIndex(0)
        self.view.blank()
        self._show_rows(())

    def escape(self) -> bool:
        """Go back to the record that the suggestion is about, or to the queue."""
        if self._pages.currentWidget() is not self.view:
            return False
        if self.view.opened is not None:
            self.view.want_record()
        else:
            self._show_queue()
        return True

    def _show_queue(self) -> None:
        self._pages.setCurrentIndex(0)
        self.refresh()

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys of this page."""
        return (
            key_line("agree"),
            key_line("override"),
            key_line("reason"),
            key_line("card"),
        )

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        if self._pages.currentWidget() is self.view:
            return (self.view.record_button, self.view.pane.record_button)
        return (self.table, self.pane.record_button)
