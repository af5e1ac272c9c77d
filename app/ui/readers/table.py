"""Laboratory, cytology and heart values as a table with units and range bars, the raw file one click away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from app.ui.readers.chart import range_text, raw_view, rows_table
from app.ui.readers.frame import OpeningFacts, RecordFrame
from app.ui.readers.ranges import RangeDelegate, ranged
from app.ui.theme import scaled
from app.ui.widgets.bands import Band
from app.ui.widgets.rows import ColumnSpec, RowsModel
from app.ui.widgets.segments import Segment, Segments
from app.ui.widgets.states import State
from app.ui.widgets.text import TextKind, label
from app.ui.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from app.records.views import Cell, Table

_WIDE = 8
"""A table with more columns than this is shown as name and value, one block per row."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One value with what belongs to it, all as written in the file."""

    sample: str
    name: str
    value: str
    number: float | None
    unit: str
    low: str
    high: str
    date: str


def measured_rows(table: Table) -> tuple[Measured, ...]:
    """Return a laboratory list by its roles, or a wide table as one row per value."""
    if "test" in table.roles and "value" in table.roles:
        return tuple(_by_roles(table, row) for row in table.rows)
    many = len(table.rows) > 1
    return tuple(
        Measured(f"Row {number}" if many else "", column.name, cell.text, cell.number, column.unit, "", "", "")
        for number, row in enumerate(table.rows, 1)
        for column, cell in zip(table.columns, row, strict=True)
    )


def _by_roles(table: Table, row: tuple[Cell, ...]) -> Measured:
    def text(role: str) -> str:
        return row[table.roles[role]].text if role in table.roles else ""

    value = row[table.roles["value"]]
    return Measured("", text("test"), value.text, value.number, text("unit"), text("low"), text("high"), text("date"))


def _columns(rows: tuple[Measured, ...]) -> tuple[list[ColumnSpec[Measured]], int]:
    """Return the columns that have something in them, and which one is the bar (−1 for none)."""
    columns: list[ColumnSpec[Measured]] = []
    if any(row.sample for row in rows):
        columns.append(ColumnSpec("Sample", lambda row: row.sample, 90, tone="text2"))
    columns += [
        ColumnSpec("Value of", lambda row: row.name, weight=600),
        ColumnSpec("Value", lambda row: row.value, 120, sort_key=lambda row: row.number or 0.0, is_right=True),
    ]
    if any(row.unit for row in rows):
        columns.append(ColumnSpec("Unit", lambda row: row.unit, 110, tone="text2"))
    bar = -1
    if any(row.low or row.high for row in rows):
        columns.append(ColumnSpec("Range", lambda row: range_text(row.low, row.high), 130, tone="text2"))
        bar = len(columns)
        columns.append(ColumnSpec("", lambda _row: "", 180))
        columns.append(ColumnSpec("", _word, 90, tone="wait_fg", weight=600))
    if any(row.date for row in rows):
        columns.append(ColumnSpec("Date", lambda row: row.date, 120, tone="text2"))
    return columns, bar


def _word(row: Measured) -> str:
    value = ranged(row.number, row.low, row.high)
    return "" if value is None or value.word == "in range" else value.word


def _as_written(table: Table) -> tuple[ColumnSpec[tuple[Cell, ...]], ...]:
    def column(number: int, name: str, unit: str) -> ColumnSpec[tuple[Cell, ...]]:
        header = f"{name} ({unit})" if unit else name
        return ColumnSpec(header, lambda row: row[number].text, 0)

    return tuple(column(number, each.name, each.unit) for number, each in enumerate(table.columns))


class TableReader(RecordFrame):
    """Values with unit and range; how the file was read stands above them.

    Args:
        facts: of this opening.
        table: what was read.
        raw: the file as text.
        clock: seconds UTC.
        zone: where the person is.
    """

    def __init__(
        self, facts: OpeningFacts, table: Table, raw: str, clock: Callable[[], int], zone: tzinfo | None = None
    ) -> None:
        super().__init__(facts, clock, zone)
        self.raw_view = raw_view(raw)
        self.table_view = self._make_table(table)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.table_view)
        self._pages.addWidget(self.raw_view)
        self.segments = Segments((Segment("values", "Values", len(table.rows)), Segment("raw", "Raw file")))
        self.segments.chosen.connect(self.choose)
        body = QWidget()
        bar = QHBoxLayout()
        bar.setContentsMargins(scaled(24), scaled(12), scaled(24), scaled(12))
        bar.addWidget(self.segments)
        bar.addStretch(1)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        if table.reading:
            layout.addWidget(Band(State("wait", "info", "How it was read.", " ".join(table.reading)), flush=True))
        layout.addWidget(self._pages, 1)
        self.bottom.addWidget(label(f"{count_text(len(table.rows), 'row', 'rows')}, as written", TextKind.CAPTION))
        self.bottom.addStretch(1)
        self.bottom.addWidget(label("Nothing on disk in plain", TextKind.CAPTION))
        self.set_body(body)

    @staticmethod
    def _make_table(table: Table) -> Any:
        is_list = "test" in table.roles and "value" in table.roles
        if not is_list and len(table.columns) <= _WIDE:
            return rows_table(_as_written(table), table.rows, "row", "Values")
        rows = measured_rows(table)
        columns, bar = _columns(rows)
        made = rows_table(columns, rows, "value", "Values")
        if bar >= 0:
            made.setItemDelegateForColumn(bar, RangeDelegate(lambda row: ranged(row.number, row.low, row.high), made))
        return made

    def choose(self, key: str) -> None:
        """Show the values or the raw file."""
        self._pages.setCurrentIndex(1 if key == "raw" else 0)
        self.segments.choose(key)

    def forget(self, body: QWidget) -> None:
        """Drop rows and text."""
        super().forget(body)
        if isinstance(model := self.table_view.model(), RowsModel):
            model.set_rows(())
        for view in body.findChildren(QPlainTextEdit):
            view.clear()
