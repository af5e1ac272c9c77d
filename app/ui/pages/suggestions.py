"""Suggestions (SCREENS.md g): the queue of those that wait for a verdict, and the one that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.identity.profiles import WrongPinError
from app.services.submission import UnsettledError
from app.ui.outcomes import Settling, pin_sentence, state_of
from app.ui.page import Page
from app.ui.pages.pin_sheet import PinSheet
from app.ui.pages.suggestion import SURE, Suggesting, SuggestionView
from app.ui.pages.verdict_pane import VerdictPane
from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets import (
    Band,
    ColumnSpec,
    Fact,
    KeyLine,
    PaneLayout,
    RowsModel,
    RowsTable,
    State,
    StateView,
    title_row,
)
from app.ui.widgets.states import empty, was_recorded
from app.ui.wording import count_text, duration_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QShowEvent

    from app.services.openings import Opened
    from app.services.suggestions import QueueRow, Verdict
    from app.ui.pages.workplace import Workplace
    from ledger.gateway import Commit

_EVERY: Final = 10_000
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


class SuggestionsPage(Page):
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
        super().__init__()
        self._suggestions, self._place = suggestions, place
        self._is_loading = False
        self._chosen: QueueRow | None = None
        self._pin_sheet: PinSheet | None = None
        self._settling = Settling(place.settle, place.background, place.clock, place.zone, self)
        self._settling.told.connect(self._tell)
        self._settling.settled.connect(lambda _commit: self.refresh())
        self.model: RowsModel[QueueRow] = RowsModel(self._columns(), "suggestion")
        self.table = RowsTable(self.model, lambda row: row.suggestion_id, "Suggestions that wait")
        self.pane = VerdictPane()
        self.view = SuggestionView(suggestions, place)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_queue())
        self._pages.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self.table.row_chosen.connect(self._show_row)
        self.pane.wanted.connect(self._ask_pin)
        self.view.record_wanted.connect(self.record_wanted)
        self.view.ask_wanted.connect(self.ask_wanted)
        self.view.answered.connect(self.refresh)
        self.view.left.connect(self._show_queue)
        self._every = QTimer(self, interval=_EVERY)
        self._every.timeout.connect(self._refresh_if_seen)
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
        self.band = Band()
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(16), scaled(24), scaled(12))
        head.setSpacing(scaled(12))
        head.addLayout(top)
        head.addWidget(self.band)
        self.empty_view = StateView(_EMPTY)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty_view)
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
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

    def refresh(self) -> None:
        """Load the queue again; the old lines stay until the new ones are here."""
        if not self._is_loading:
            self._is_loading = True
            self._place.background.run(self, self._suggestions.queue, self._loaded, self._failed)

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    def _loaded(self, rows: tuple[QueueRow, ...]) -> None:
        self._is_loading = False
        self._show_rows(rows)
        self.count_changed.emit(sum(not row.for_another for row in rows), False)  # noqa: FBT003 (a signal's value)

    def _failed(self, error: Exception) -> None:
        self._is_loading = False
        self.band.show_state(state_of(error))

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

    def _ask_pin(self, verdict: Verdict) -> None:
        row = self._chosen
        if row is None or self._settling.is_open:
            return
        sheet = PinSheet(self, "Record verdict", SURE, "Record")
        sheet.given.connect(lambda pin: self._record(row, verdict, pin))
        sheet.closed.connect(self._forget_pin)
        self._pin_sheet = sheet
        sheet.open()

    def _record(self, row: QueueRow, verdict: Verdict, pin: str) -> None:
        self._place.background.run(
            self,
            lambda: self._suggestions.give_verdict(row.patient_id, row.suggestion_id, verdict, pin),
            self._recorded,
            self._not_recorded,
        )

    def _forget_pin(self) -> None:
        self._pin_sheet = None

    def _close_pin(self) -> None:
        sheet, self._pin_sheet = self._pin_sheet, None
        if sheet is not None:
            sheet.accept()

    def _recorded(self, commit: Commit) -> None:
        self._close_pin()
        self._chosen = None
        self._tell(was_recorded(commit.at, self._place.zone))
        self.refresh()

    def _not_recorded(self, error: Exception) -> None:
        if isinstance(error, WrongPinError) and self._pin_sheet is not None:
            self._pin_sheet.refuse(pin_sentence(error))
            return
        self._close_pin()
        if isinstance(error, UnsettledError):
            self.pane.set_enabled(enabled=False)
            self._settling.begin(error)
            return
        state = state_of(error)
        self._tell(State(state.role, state.icon_name, state.heading, state.text))

    def _tell(self, state: State) -> None:
        self.band.show_state(state)

    def blank(self) -> None:
        """Forget the queue and the case (lock, sign-out)."""
        self._every.stop()
        self._settling.stop()
        self._pages.setCurrentIndex(0)
        self.view.blank()
        self.band.show_state(None)
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

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's: look again every ten seconds while the page is there."""
        super().showEvent(event)
        self._every.start()

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys of this page."""
        return (
            KeyLine("G", "Agree"),
            KeyLine("V", "Override"),
            KeyLine("R", "Reason"),
            KeyLine("C", "Model card"),
        )

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        if self._pages.currentWidget() is self.view:
            return (self.view.record_button, self.view.pane.record_button)
        return (self.table, self.pane.record_button)
