"""A FHIR record as tables, with the raw resource one click away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.ui.readers.frame import OpeningFacts, RecordFrame
from app.ui.readers.ranges import RangeDelegate, ranged
from app.ui.theme import mono, scaled
from app.ui.widgets.bands import StateView
from app.ui.widgets.rows import ColumnSpec, RowsModel
from app.ui.widgets.segments import Segment, Segments
from app.ui.widgets.states import empty
from app.ui.widgets.tables import RowsTable
from app.ui.widgets.text import TextKind, label
from app.ui.wording import count_text, iso_day_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from app.records.views import Chart, Medication, Other, Paper, Problem, Result, Visit


def _day(written: str) -> str:
    """Write the day of an ISO date or instant; anything else as it stands."""
    try:
        return iso_day_text(written[:10])
    except (ValueError, IndexError):
        return written


PROBLEMS: tuple[ColumnSpec[Problem], ...] = (
    ColumnSpec("Problem", lambda row: row.text, weight=600),
    ColumnSpec("Status", lambda row: row.status, 120, tone="text2"),
    ColumnSpec("Since", lambda row: _day(row.onset), 110, sort_key=lambda row: row.onset, tone="text2"),
    ColumnSpec("Recorded", lambda row: _day(row.recorded), 110, sort_key=lambda row: row.recorded, tone="text2"),
    ColumnSpec("By", lambda row: row.by, 180, tone="text2"),
)
MEDICATION: tuple[ColumnSpec[Medication], ...] = (
    ColumnSpec("Medication", lambda row: row.text, weight=600),
    ColumnSpec("Dosage", lambda row: row.dosage, 260),
    ColumnSpec("Status", lambda row: row.status, 110, tone="text2"),
    ColumnSpec("Date", lambda row: _day(row.date), 110, sort_key=lambda row: row.date, tone="text2"),
    ColumnSpec("By", lambda row: row.by, 180, tone="text2"),
)
RESULTS: tuple[ColumnSpec[Result], ...] = (
    ColumnSpec("Test", lambda row: row.test, weight=600),
    ColumnSpec("Value", lambda row: row.value, 90, sort_key=lambda row: row.number or 0.0, is_right=True),
    ColumnSpec("Unit", lambda row: row.unit, 90, tone="text2"),
    ColumnSpec("Range", lambda row: range_text(row.low, row.high), 120, tone="text2"),
    ColumnSpec("", lambda _row: "", 160),
    ColumnSpec("", lambda row: row.flag, 80, tone="wait_fg", weight=600),
    ColumnSpec("Date", lambda row: _day(row.date), 110, sort_key=lambda row: row.date, tone="text2"),
)
VISITS: tuple[ColumnSpec[Visit], ...] = (
    ColumnSpec("Visit", lambda row: row.text, weight=600),
    ColumnSpec("Kind", lambda row: row.kind, 120, tone="text2"),
    ColumnSpec("Reason", lambda row: row.reason, 200),
    ColumnSpec("From", lambda row: _day(row.start), 110, sort_key=lambda row: row.start, tone="text2"),
    ColumnSpec("To", lambda row: _day(row.end), 110, sort_key=lambda row: row.end, tone="text2"),
    ColumnSpec("By", lambda row: row.by, 180, tone="text2"),
)
PAPERS: tuple[ColumnSpec[Paper], ...] = (
    ColumnSpec("Document", lambda row: row.title, weight=600),
    ColumnSpec("Date", lambda row: _day(row.date), 110, sort_key=lambda row: row.date, tone="text2"),
)
OTHERS: tuple[ColumnSpec[Other], ...] = (
    ColumnSpec("Kind", lambda row: row.kind, 180, tone="text2"),
    ColumnSpec("What", lambda row: row.text),
    ColumnSpec("Date", lambda row: _day(row.date), 110, sort_key=lambda row: row.date, tone="text2"),
    ColumnSpec("By", lambda row: row.by, 180, tone="text2"),
)
BAR_COLUMN = 4
"""Which column of ``RESULTS`` is the bar."""


def range_text(low: str, high: str) -> str:
    """Write a reference range with its digits as given: "3.5 to 5.1", "up to 5.1"."""
    if low and high:
        return f"{low} to {high}"
    return f"up to {high}" if high else (f"from {low}" if low else "")


def rows_table(columns: Sequence[ColumnSpec[Any]], rows: Sequence[Any], noun: str, accessible: str) -> RowsTable[Any]:
    """Make a table of rows that never change."""
    model: RowsModel[Any] = RowsModel(columns, noun)
    made: RowsTable[Any] = RowsTable(model, lambda row: row, accessible)
    model.setParent(made)
    model.set_rows(rows)
    return made


def raw_view(text: str) -> QPlainTextEdit:
    """Make the view of the raw file: read only, as it was signed."""
    made = QPlainTextEdit()
    made.setReadOnly(True)
    made.setFont(mono())
    made.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    made.setPlainText(text)
    made.setAccessibleName("Raw file")
    return made


class ChartReader(RecordFrame):
    """Tables of a chart, one at a time; keys 1 to 6 choose, the last segment is the raw file.

    Args:
        facts: of this opening.
        chart: its rows.
        raw: the bytes as text, exactly as they were sealed.
        clock: seconds UTC.
        zone: where the person is.
    """

    def __init__(
        self, facts: OpeningFacts, chart: Chart, raw: str, clock: Callable[[], int], zone: tzinfo | None = None
    ) -> None:
        super().__init__(facts, clock, zone)
        self.tables: dict[str, RowsTable[Any]] = {}
        self._count = 0
        self._pages = QStackedWidget()
        self._places: dict[str, int] = {}
        segments = []
        for key, title, columns, rows, noun in (
            ("problems", "Problems", PROBLEMS, chart.problems, "problem"),
            ("medication", "Medication", MEDICATION, chart.medication, "medication"),
            ("results", "Results", RESULTS, chart.results, "result"),
            ("encounters", "Visits", VISITS, chart.encounters, "visit"),
            ("documents", "Documents", PAPERS, chart.documents, "document"),
            ("others", "Other", OTHERS, chart.others, "row"),
        ):
            if not rows:
                continue
            self._count += len(rows)
            segments.append(Segment(key, title, len(rows)))
            table = rows_table(columns, rows, noun, title)
            self.tables[key] = table
            self._places[key] = self._pages.addWidget(self._with_text(table) if key == "documents" else table)
        if "results" in self.tables:
            bar = RangeDelegate(lambda row: ranged(row.number, row.low, row.high), self.tables["results"])
            self.tables["results"].setItemDelegateForColumn(BAR_COLUMN, bar)
        if not segments:
            self._pages.addWidget(StateView(empty("file-text", "Nothing in it has a form that Assent knows.", "Empty")))
        self.raw_view = raw_view(raw)
        segments.append(Segment("raw", "Raw file"))
        self._places["raw"] = self._pages.addWidget(self.raw_view)
        self.segments = Segments(tuple(segments), accessible="Tables of this record")
        self.segments.chosen.connect(self.choose)
        self.set_body(self._make_body())
        self.choose(segments[0].key)

    def _make_body(self) -> QWidget:
        body = QWidget()
        bar = QHBoxLayout()
        bar.setContentsMargins(scaled(24), scaled(12), scaled(24), scaled(12))
        bar.addWidget(self.segments)
        bar.addStretch(1)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self._pages, 1)
        number = self._count
        self.bottom.addWidget(
            label(f"{count_text(number, 'row', 'rows')}, dates and numbers as written", TextKind.CAPTION)
        )
        self.bottom.addStretch(1)
        self.bottom.addWidget(label("Nothing on disk in plain", TextKind.CAPTION))
        return body

    def _with_text(self, table: RowsTable[Paper]) -> QWidget:
        """Documents have their text beside them; markup was taken out before it came here."""
        text = QPlainTextEdit()
        text.setReadOnly(True)
        text.setAccessibleName("Text of the document")
        table.row_chosen.connect(lambda paper: text.setPlainText(paper.text if paper is not None else ""))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.addWidget(table)
        split.addWidget(text)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        table.choose_first()
        return split

    def choose(self, key: str) -> None:
        """Show one table, or the raw file."""
        if key in self._places:
            self._pages.setCurrentIndex(self._places[key])
            self.segments.choose(key)

    def forget(self, body: QWidget) -> None:
        """Drop rows and text."""
        super().forget(body)
        for table in self.tables.values():
            if isinstance(model := table.model(), RowsModel):
                model.set_rows(())
        for view in body.findChildren(QPlainTextEdit):
            view.clear()
