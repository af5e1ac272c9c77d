"""Readers of charts, tables and documents: as written, with the raw file one click away, blank when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit

from app.records.views import Cell, Chart, Column, Document, Medication, Page, Paper, Problem, Result, Table
from app.ui.readers.chart import BAR_COLUMN, ChartReader, range_text
from app.ui.readers.document import DocumentReader
from app.ui.readers.ranges import RangeDelegate, RangedValue, ranged
from app.ui.readers.table import TableReader, measured_rows
from app.ui.widgets import RowsModel, states
from tests.support.qt import opening

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

POTASSIUM = Result("Potassium", "5.60", 5.6, "mmol/l", "3.5", "5.1", "high", "2026-11-20T08:00:00Z", "final", "Lab")
SODIUM = Result("Sodium", "140", 140.0, "mmol/l", "135", "145", "", "2026-11-20", "final", "Lab")
CHART = Chart(
    problems=(Problem("Asthma", "195967001", "active", "2019", "2019-05", "Dr Carol Specimen"),),
    medication=(Medication("Salbutamol", "2 puffs", "active", "2026-01-02", ""),),
    results=(POTASSIUM, SODIUM),
    encounters=(),
    documents=(Paper("Letter", "Letter", "2026-11-20", "final", "Dr Dan Template", "Dear colleague"),),
    others=(),
)
RAW = '{"resourceType": "Bundle", "note": "as it was signed"}'


def now() -> int:
    return 1_000


@pytest.fixture
def chart(qtbot: QtBot) -> ChartReader:
    made = ChartReader(opening(), CHART, RAW, now)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    return made


def test_a_chart_shows_the_tables_that_have_rows(chart: ChartReader) -> None:
    assert set(chart.tables) == {"problems", "medication", "results", "documents"}
    model = chart.tables["results"].model()
    assert model.index(0, 1).data() == "5.60"
    assert model.index(0, 3).data() == "3.5 to 5.1"
    assert model.index(0, 5).data() == "high"
    assert chart.tables["problems"].model().index(0, 2).data() == "2019"
    assert isinstance(chart.tables["results"].itemDelegateForColumn(BAR_COLUMN), RangeDelegate)


def test_the_raw_file_is_one_click_away(chart: ChartReader) -> None:
    chart.segments.button(4).click()
    assert chart.raw_view.isVisible()
    assert chart.raw_view.toPlainText() == RAW
    assert chart.raw_view.isReadOnly()


def test_documents_show_their_text(chart: ChartReader) -> None:
    chart.choose("documents")
    shown = [view.toPlainText() for view in chart.findChildren(QPlainTextEdit) if view.isVisible()]
    assert shown == ["Dear colleague"]


def test_results_are_drawn_with_their_bars(chart: ChartReader, scheme: object) -> None:
    chart.choose("results")
    drawn = chart.tables["results"].grab().toImage()
    assert len({drawn.pixelColor(x, 48).name() for x in range(0, drawn.width(), 2)}) > 4


def test_an_ended_chart_holds_nothing(chart: ChartReader) -> None:
    tables, raw = chart.tables, chart.raw_view
    models = [table.model() for table in tables.values()]
    chart.end(states.withdrawn("Alma Fictive", 52_802))
    assert chart.is_ended
    assert [model.rows for model in models if isinstance(model, RowsModel)] == [()] * 4
    assert raw.toPlainText() == ""
    chart.end(states.stopped())
    assert chart.state_view.accessibleName() == states.stopped().sentence


def test_an_empty_chart_says_so(qtbot: QtBot) -> None:
    made = ChartReader(opening(), Chart((), (), (), (), (), ()), RAW, now)
    qtbot.addWidget(made)
    assert made.segments.current == "raw"


@pytest.mark.parametrize(
    ("value", "place", "word"),
    [
        (RangedValue(3.5, 3.5, 5.1), 0.25, "in range"),
        (RangedValue(5.1, 3.5, 5.1), 0.75, "in range"),
        (RangedValue(3.4, 3.5, 5.1), 0.21875, "low"),
        (RangedValue(99, 3.5, 5.1), 1.0, "high"),
        (RangedValue(2, None, 4), 0.5, "in range"),
        (RangedValue(5, None, 4), 0.875, "high"),
        (RangedValue(1, 2, None), 0.0, "low"),
        (RangedValue(1, None, None), 0.5, ""),
    ],
)
def test_where_a_value_stands_on_its_bar(value: RangedValue, place: float, word: str) -> None:
    assert value.place == pytest.approx(place)
    assert value.word == word


def test_no_bar_without_number_or_range() -> None:
    assert ranged(None, "1", "2") is None
    assert ranged(1.0, "", "") is None
    assert ranged(1.0, "about 1", "") is None
    assert range_text("3.5", "5.1") == "3.5 to 5.1"
    assert range_text("", "5.1") == "up to 5.1"
    assert range_text("3.5", "") == "from 3.5"
    assert range_text("", "") == ""


def laboratory() -> Table:
    rows = (
        (Cell("Potassium", None), Cell("5.60", 5.6), Cell("mmol/l", None), Cell("3.5", 3.5), Cell("5.1", 5.1)),
        (Cell("Comment", None), Cell("haemolytic", None), Cell("", None), Cell("", None), Cell("", None)),
    )
    columns = tuple(Column(name, "") for name in ("test", "value", "unit", "low", "high"))
    return Table("laboratory", columns, rows, {"test": 0, "value": 1, "unit": 2, "low": 3, "high": 4}, ())


def test_a_laboratory_list_is_read_by_its_roles(qtbot: QtBot) -> None:
    made = TableReader(opening(), laboratory(), "test,value", now)
    qtbot.addWidget(made)
    model = made.table_view.model()
    headers = [model.headerData(number, Qt.Orientation.Horizontal) for number in range(model.columnCount())]
    assert headers == ["Value of", "Value", "Unit", "Range", "", ""]
    assert [model.index(0, column).data() for column in range(6)] == [
        *("Potassium", "5.60", "mmol/l", "3.5 to 5.1"),
        *("", "high"),
    ]
    assert model.index(1, 5).data() == ""
    made.choose("raw")
    assert made.raw_view.toPlainText() == "test,value"


def test_a_wide_table_is_shown_value_by_value(qtbot: QtBot) -> None:
    columns = tuple(Column(f"feature {number}", "mm" if number else "") for number in range(12))
    row = tuple(Cell(str(number), float(number)) for number in range(12))
    table = Table("cytology", columns, (row, row), {}, ("Decimal commas: 1,5 in line 2 was read as 1.5.",))
    rows = measured_rows(table)
    assert len(rows) == 24
    assert (rows[1].sample, rows[1].name, rows[1].value, rows[1].unit) == ("Row 1", "feature 1", "1", "mm")
    made = TableReader(opening(), table, "", now)
    qtbot.addWidget(made)
    assert not made.grab().isNull()


def test_a_narrow_table_is_shown_as_written(qtbot: QtBot) -> None:
    table = Table("laboratory", (Column("a", ""), Column("b", "mm")), ((Cell("x", None), Cell("1.50", 1.5)),), {}, ())
    made = TableReader(opening(), table, "", now)
    qtbot.addWidget(made)
    model = made.table_view.model()
    assert model.headerData(1, Qt.Orientation.Horizontal) == "b (mm)"
    assert model.index(0, 1).data() == "1.50"
    made.end(states.stopped())
    assert isinstance(model, RowsModel)
    assert model.rows == ()


def page(number: int) -> Page:
    return Page(number, np.full((141, 100, 3), 255, np.uint8), f"Words of page {number + 1}")


def test_pages_in_sight_are_asked_for_once(qtbot: QtBot) -> None:
    asked: list[tuple[int, int]] = []
    made = DocumentReader(opening(), Document(12, (page(0),)), now)
    qtbot.addWidget(made)
    made.pages_wanted.connect(lambda first, count: asked.append((first, count)))
    made.resize(1280, 800)
    made.show()
    qtbot.waitUntil(lambda: (1, 1) in asked)
    assert (11, 1) not in asked
    made.area.verticalScrollBar().setValue(made.area.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: (11, 1) in asked)
    assert len(asked) == len(set(asked))
    made.add_pages(Document(12, (page(1),)))
    assert made.pages[1].is_shown
    assert made.text_view.toPlainText() == "Words of page 1\n\nWords of page 2"


def test_a_document_is_enlarged_read_and_forgotten(qtbot: QtBot) -> None:
    made = DocumentReader(opening(), Document(1, (page(0),)), now)
    qtbot.addWidget(made)
    width = made.pages[0].sizeHint().width()
    made.zoom(1.2)
    assert made.pages[0].sizeHint().width() > width
    for _ in range(30):
        made.zoom(1.2)
    assert made.pages[0].sizeHint().width() == 3 * width
    made.toggle_text()
    pages, words = made.pages, made.text_view
    made.end(states.withdrawn("Alma Fictive", 52_802))
    assert not pages[0].is_shown
    assert words.toPlainText() == ""
    assert pages[0].accessibleDescription() == ""
