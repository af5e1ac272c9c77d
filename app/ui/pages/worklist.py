"""Worklist (SCREENS.md b): every record that was asked for or shared, whether it is open, and the one thing to do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.services.requests import short_id
from app.services.worklist import RowState
from app.ui.keys import bind, key_text
from app.ui.kinds import purpose_text
from app.ui.pages.import_sheet import ImportSheet
from app.ui.pages.live_page import LivePage
from app.ui.pages.phases import Phase, Step
from app.ui.pages.record_pane import RecordPane
from app.ui.pages.record_words import chip_of, ends_text, held_at, icon_of, title_of
from app.ui.theme import scaled
from app.ui.widgets import (
    Action,
    Button,
    ButtonKind,
    ColumnSpec,
    KeyLine,
    PaletteItem,
    PaneLayout,
    RowsModel,
    RowsTable,
    Segment,
    Segments,
    key_line,
    label,
    title_row,
)
from app.ui.widgets.states import empty, no_match
from app.ui.wording import NONE, count_text, iso_day_text, moment_text

if TYPE_CHECKING:
    from app.services.imports import Imports
    from app.services.worklist import RecordRow
    from app.ui.pages.workplace import Workplace
    from app.ui.vocabulary import Chip

_WIDE: Final = 1560
_NARROW: Final = 900
_EMPTY: Final = empty(
    "layout-list",
    "Records appear when you ask for them, or when a patient shares them with you.",
    action=Action("ask", "Ask for access…", "send", ButtonKind.PRIMARY),
)
_IN_SEGMENT: Final = {
    "all": frozenset(RowState),
    "open": frozenset({RowState.OPEN, RowState.ENDS_SOON, RowState.NOT_LISTED}),
    "waiting": frozenset({RowState.WAITING}),
    "soon": frozenset({RowState.ENDS_SOON}),
    "closed": frozenset({RowState.DENIED, RowState.WITHHELD, RowState.ENDED}),
}
_SEGMENTS: Final = {
    "all": "All",
    "open": "Can open",
    "waiting": "Waiting",
    "soon": "Ends in 24 h",
    "closed": "Closed to me",
}


class Lines(Protocol):
    """What the page needs of ``app.services.worklist.Worklist``."""

    def rows(self) -> tuple[RecordRow, ...]:
        """Return all lines, newest record first."""


class WorklistPage(LivePage):
    """The practitioner's start page.

    Args:
        worklist: his lines.
        imports: what "Import…" uses.
        place: time, zone, hospitals and the door off the GUI thread.

    Signals:
        open_wanted: a ``RecordRow`` to be opened (or its list, if its state is "not listed").
        patient_wanted: patient id and key of the row to show there.
        ask_wanted: patient id and category; both may be empty.
        copy_wanted: an id for the clipboard.
    """

    open_wanted = Signal(object)
    patient_wanted = Signal(str, str)
    ask_wanted = Signal(str, str)
    copy_wanted = Signal(str)

    def __init__(self, worklist: Lines, imports: Imports, place: Workplace) -> None:
        super().__init__(worklist.rows, place)
        self._imports = imports
        self._rows: tuple[RecordRow, ...] = ()
        self._phase: Phase | None = None
        self.announced = ""
        self.model: RowsModel[RecordRow] = RowsModel(self._columns(), "record")
        self.table = RowsTable(self.model, lambda row: row.key, "Records")
        self.pane = RecordPane(place)
        self._make_layout()
        self._connect()
        self._show_rows()

    def _columns(self) -> tuple[ColumnSpec[RecordRow], ...]:
        place = self._place
        return (
            ColumnSpec("Access", lambda row: self._chip(row).word, 178, chip=self._chip),
            ColumnSpec("Patient", lambda row: row.patient.name, 148, weight=500),
            ColumnSpec("Record", title_of, icon=lambda row: (icon_of(row), "text2")),
            ColumnSpec("Held at", lambda row: held_at(row, place), 116, tone="text2"),
            ColumnSpec("Purpose", lambda row: purpose_text(row.purpose), 140, tone="text2"),
            ColumnSpec("Last opened", self._last_opened, 140, sort_key=lambda row: row.last_opened or 0, tone="text2"),
            ColumnSpec(
                "Made on", lambda row: iso_day_text(row.made_on), 96, sort_key=lambda row: row.made_on, tone="text2"
            ),
            ColumnSpec(
                "Access ends",
                lambda row: ends_text(row, place, self._phase),
                108,
                sort_key=lambda row: row.until or 0,
                tone="text2",
            ),
        )

    def _chip(self, row: RecordRow) -> Chip:
        return chip_of(row, self._place, self._phase)

    def _last_opened(self, row: RecordRow) -> str:
        return NONE if row.last_opened is None else moment_text(row.last_opened, zone=self._place.zone)

    def _make_layout(self) -> None:
        top, _, _ = title_row("Worklist")
        self.import_button = Button("Import…", icon_name="file-plus")
        self.ask_button = Button("Ask for access…", icon_name="send", key_hint=key_text("ask"))
        top.addWidget(self.import_button)
        top.addWidget(self.ask_button)
        self.segments = Segments(self._counted(), "all", accessible="Which lines")
        self.filter = QLineEdit(placeholderText="Filter", clearButtonEnabled=True)
        self.filter.setAccessibleName("Filter")
        self.filter.setFixedWidth(scaled(150))
        second = QHBoxLayout()
        second.addWidget(self.segments)
        second.addStretch(1)
        second.addWidget(self.filter)
        self._count = label("", tone="muted")
        self._count.setContentsMargins(scaled(24), scaled(8), scaled(24), scaled(8))
        main, column = self._list_of(self.table, top, second)
        column.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._layout = PaneLayout(main, self.pane)
        layout.addWidget(self._layout)

    def _connect(self) -> None:
        self.import_button.clicked.connect(self._import)
        self.ask_button.clicked.connect(lambda: self.ask_wanted.emit("", ""))
        self.segments.chosen.connect(lambda _key: self._show_rows())
        self.filter.textChanged.connect(lambda _text: self._show_rows())
        self.table.row_chosen.connect(self._show_row)
        self.table.row_opened.connect(lambda _row: self._press_first())
        self.band.acted.connect(self._act)
        self.empty_view.acted.connect(self._act)
        self.pane.acted.connect(self._act)
        bind(self, "ask", lambda: self.ask_wanted.emit("", ""))
        bind(self, "more", partial(self._act, "ask"))
        bind(self, "patient", partial(self._act, "patient"))
        for key, run in {"Space": self._focus_pane, "Ctrl+C": self._copy_id}.items():
            shortcut = QShortcut(QKeySequence(key), self.table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(run)

    def _loaded(self, rows: tuple[RecordRow, ...]) -> None:
        if self._phase is None or not self._phase.is_busy:
            self.band.show_state(None)
        self._announce(self.table.current_row, rows)
        self._rows = rows
        self._show_rows()
        self.count_changed.emit(0, False)  # noqa: FBT003 (a signal's values)

    def _announce(self, before: RecordRow | None, rows: tuple[RecordRow, ...]) -> None:
        """Let a screen reader say that the chosen record was closed to him meanwhile; nothing flashes."""
        if before is None or not before.can_open:
            return
        if not any(row.key == before.key and row.can_open for row in rows):
            self.announced = f"Access to {title_of(before)} ended"
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.table, self.announced))

    def _counted(self) -> tuple[Segment, ...]:
        return tuple(
            Segment(key, text, sum(row.state in _IN_SEGMENT[key] for row in self._rows))
            for key, text in _SEGMENTS.items()
        )

    def _show_rows(self) -> None:
        self.segments.show_segments(self._counted())
        query = self.filter.text().strip()
        wanted = _IN_SEGMENT[self.segments.current or "all"]
        shown = [row for row in self._rows if row.state in wanted and self._matches(row, query)]
        self.model.set_rows(shown)
        self._count.setText(
            f"{count_text(len(shown), 'line', 'lines')}. "
            "Only records that you asked for, or that a patient shared with you, are listed."
        )
        self._count.setVisible(bool(shown))
        self._stack.setCurrentWidget(self.table if shown else self.empty_view)
        if shown:
            self.table.choose_first()
        else:
            self.empty_view.show_state(no_match(query) if query and self._rows else _EMPTY)
        self._show_row(self.table.current_row)

    def _matches(self, row: RecordRow, query: str) -> bool:
        texts = (row.patient.name, title_of(row), held_at(row, self._place), short_id(row.consent_id), row.made_on)
        return query.casefold() in " ".join(texts).casefold()

    def _show_row(self, row: RecordRow | None) -> None:
        self.pane.show_row(row, self._phase)

    def show_phase(self, phase: Phase) -> None:
        """Show how far the opening of a row is; at its end the lines are loaded again."""
        self._phase = phase if phase.step is not Step.IDLE else None
        self.table.viewport().update()
        self._show_row(self.table.current_row)
        if not phase.is_busy:
            self.refresh()

    def _press_first(self) -> None:
        if self.pane.first_button.isEnabled() and self.pane.row is not None:
            self.pane.first_button.click()

    def _act(self, key: str) -> None:
        row = self.table.current_row
        if key == "clear":
            self.filter.clear()
        elif key in {"again", "look"}:
            self.refresh()
        elif key == "requests":
            self.page_wanted.emit("requests")
        elif key == "ask":
            self.ask_wanted.emit(row.patient.patient_id if row else "", row.category if row else "")
        elif row is not None and key == "open":
            self.open_wanted.emit(row)
        elif row is not None:
            self.patient_wanted.emit(row.patient.patient_id, row.key)

    def _focus_pane(self) -> None:
        self.pane.first_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _copy_id(self) -> None:
        row = self.table.current_row
        if row is not None:
            self.copy_wanted.emit(row.record_id or row.consent_id)

    def _import(self) -> None:
        sheet = ImportSheet(self, self._imports, self._place)
        sheet.imported.connect(self.toast_wanted)
        sheet.open()

    def blank(self) -> None:
        """Forget all lines (lock, sign-out)."""
        super().blank()
        self._rows, self._phase = (), None
        self.filter.clear()
        self._show_rows()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's: keys work at once."""
        super().showEvent(event)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's: wide windows show two more columns."""
        super().resizeEvent(event)
        for number, column in enumerate(self.model.columns):
            if column.header in {"Purpose", "Last opened"}:
                self.table.setColumnHidden(number, self.width() < scaled(_WIDE))
            elif column.header == "Held at":
                self.table.setColumnHidden(number, self.width() < scaled(_NARROW))

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys of this page."""
        return (
            KeyLine("↵", "Open"),
            key_line("ask"),
            key_line("more"),
            key_line("patient"),
            KeyLine("Space", "Go to the preview"),
            KeyLine("Ctrl C", "Copy the id"),
            key_line("filter"),
        )

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        return (self.filter, self.table, self.pane.first_button)

    def focus_filter(self) -> None:
        """Go to the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def palette_items(self) -> tuple[PaletteItem, ...]:
        """Records that may be opened, and actions."""
        records = tuple(
            PaletteItem(
                "Records you may open",
                title_of(row),
                partial(self.open_wanted.emit, row),
                icon_of(row),
                f"{row.patient.name} · {iso_day_text(row.made_on)}",
                chip_of(row, self._place, self._phase),
            )
            for row in self._rows
            if row.can_open
        )
        ask = PaletteItem(
            "Actions", "Ask for access…", partial(self.ask_wanted.emit, "", ""), "send", key_hint=key_text("ask")
        )
        return (*records, ask, PaletteItem("Actions", "Import…", self._import, "file-plus"))
