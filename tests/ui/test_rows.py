"""Tables and lists: frozen rows, sorted and paged; the chosen row outlives a refresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest

from app.ui.vocabulary import Chip, Status, chip
from app.ui.widgets import ColumnSpec, EntriesList, Group, RowsModel, RowsTable, TwoLine
from app.ui.widgets.rows import CHIP_ROLE, PAGE

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot


@dataclass(frozen=True)
class Record:
    number: int
    title: str
    state: Chip


COLUMNS = (
    ColumnSpec[Record]("Access", lambda row: row.state.word, 120, chip=lambda row: row.state),
    ColumnSpec[Record]("Record", lambda row: row.title, icon=lambda _row: ("scan", "text2")),
    ColumnSpec[Record]("No", lambda row: str(row.number), 60, sort_key=lambda row: row.number, is_right=True),
)
OPEN = Chip("Open until 1 Dec", "circle-check", "ok", "open until 1 December")


def records(count: int) -> tuple[Record, ...]:
    return tuple(Record(number, f"CT {number}", OPEN) for number in range(count))


@pytest.fixture
def model(qapp: object) -> RowsModel[Record]:
    return RowsModel(COLUMNS, "record")


@pytest.fixture
def table(qtbot: QtBot, model: RowsModel[Record]) -> RowsTable[Record]:
    made: RowsTable[Record] = RowsTable(model, lambda row: row.number, "Records")
    qtbot.addWidget(made)
    model.set_rows(records(14))
    made.resize(600, 400)
    made.show()
    return made


def test_the_model_keeps_qt_s_rules(model: RowsModel[Record], qtmodeltester: ModelTester) -> None:
    model.set_rows(records(3))
    qtmodeltester.check(model, force_py=True)  # type: ignore[no-untyped-call]


def test_a_chip_is_told_with_icon_and_word(model: RowsModel[Record]) -> None:
    model.set_rows(records(14))
    assert model.index(2, 0).data(CHIP_ROLE) == OPEN
    assert model.index(2, 0).data() == "Open until 1 Dec"
    spoken = model.index(2, 1).data(Qt.ItemDataRole.AccessibleTextRole.value)
    assert spoken == "record 3 of 14, open until 1 December, CT 2, 2"


def test_numbers_sort_as_numbers(model: RowsModel[Record]) -> None:
    model.set_rows(records(12))
    model.sort(2, Qt.SortOrder.DescendingOrder)
    assert [row.number for row in model.rows][:3] == [11, 10, 9]
    model.set_rows(records(3))
    assert [row.number for row in model.rows] == [2, 1, 0]
    model.sort(-1)
    assert [row.number for row in model.rows] == [0, 1, 2]


def test_a_view_gets_250_rows_at_a_time(model: RowsModel[Record]) -> None:
    model.set_rows(records(600))
    assert model.rowCount() == PAGE
    assert model.canFetchMore(QModelIndex())
    assert model.find(lambda row: row.number == 599).row() == 599
    assert model.rowCount() == 600
    assert not model.find(lambda row: row.number == 600).isValid()


def test_the_chosen_row_outlives_a_refresh(table: RowsTable[Record], model: RowsModel[Record]) -> None:
    assert table.choose(5)
    model.set_rows(tuple(reversed(records(14))))
    assert table.current_row is not None
    assert table.current_row.number == 5


def test_a_row_that_went_away_is_told(table: RowsTable[Record], model: RowsModel[Record], qtbot: QtBot) -> None:
    table.choose(13)
    with qtbot.waitSignal(table.row_chosen, check_params_cb=lambda row: row is None):
        model.set_rows(records(3))
    assert table.current_row is None


def test_sorting_keeps_the_chosen_row(table: RowsTable[Record]) -> None:
    table.choose(0)
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert table.current_row is not None
    assert table.current_row.number == 0
    assert table.currentIndex().row() == 13


def test_enter_opens_and_arrows_choose(table: RowsTable[Record], qtbot: QtBot) -> None:
    table.choose(0)
    with qtbot.waitSignal(table.row_chosen, check_params_cb=lambda row: row.number == 1):
        QTest.keyClick(table, Qt.Key.Key_Down)
    with qtbot.waitSignal(table.row_opened, check_params_cb=lambda row: row.number == 1):
        QTest.keyClick(table, Qt.Key.Key_Return)


def test_the_headings_sort_by_key(table: RowsTable[Record], qtbot: QtBot) -> None:
    both = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(table, Qt.Key.Key_Right, both)
    QTest.keyClick(table, Qt.Key.Key_Right, both)
    QTest.keyClick(table, Qt.Key.Key_Down, both)
    assert table.horizontalHeader().sortIndicatorSection() == 2
    assert table.horizontalHeader().sortIndicatorOrder() is Qt.SortOrder.DescendingOrder


def entries() -> list[Any]:
    denied = chip(Status.DENIED)
    return [
        Group("Not open to you"),
        TwoLine("Laboratory", "Number and dates are not shown", "test-tube", chip=denied, dot="deny_fg", row="lab"),
        Group("November 2026"),
        TwoLine("CT chest", "24 Nov", "scan", middle="Treatment", unread=True, lead="14:33", row="ct"),
    ]


@pytest.fixture
def listed(qtbot: QtBot) -> EntriesList:
    made = EntriesList(lambda row: row, "Records")
    qtbot.addWidget(made)
    made.show_entries(entries())
    made.resize(700, 400)
    made.show()
    return made


def test_headings_are_passed_over(listed: EntriesList, qtbot: QtBot) -> None:
    listed.choose_first()
    assert listed.current_row == "lab"
    QTest.keyClick(listed, Qt.Key.Key_Down)
    assert listed.current_row == "ct"
    QTest.keyClick(listed, Qt.Key.Key_Up)
    assert listed.current_row == "lab"
    QTest.keyClick(listed, Qt.Key.Key_Up)
    assert listed.current_row == "lab"


def test_a_list_row_opens_and_outlives_a_refresh(listed: EntriesList, qtbot: QtBot) -> None:
    listed.choose("ct")
    with qtbot.waitSignal(listed.row_opened, check_params_cb=lambda row: row == "ct"):
        QTest.keyClick(listed, Qt.Key.Key_Return)
    listed.show_entries(entries()[2:])
    assert listed.current_row == "ct"
    with qtbot.waitSignal(listed.row_chosen, check_params_cb=lambda row: row is None):
        listed.show_entries(entries()[:2])


def test_a_click_on_a_heading_chooses_nothing(listed: EntriesList, qtbot: QtBot) -> None:
    listed.choose("ct")
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(40, 10))
    assert listed.current_row == "ct"


def test_a_list_row_says_everything(listed: EntriesList) -> None:
    said = listed.entries_model.index(3).data(Qt.ItemDataRole.AccessibleTextRole.value)
    assert said == "new, 14:33, CT chest, 24 Nov, Treatment"
    said = listed.entries_model.index(1).data(Qt.ItemDataRole.AccessibleTextRole.value)
    assert said == "Laboratory, Number and dates are not shown, Denied"


def test_rows_are_painted_in_both_themes(scheme: object, table: RowsTable[Record], listed: EntriesList) -> None:
    table.choose(1)
    for widget, line, width in ((table, 200, 600), (listed, 50, 700)):
        drawn = widget.grab().toImage()
        assert len({drawn.pixelColor(x, line).name() for x in range(0, width, 3)}) > 2
