"""Frozen rows as a table model: it shows them and decides nothing (STYLE.md 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.ui.vocabulary import Chip

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex

ROW_ROLE: Final = Qt.ItemDataRole.UserRole.value + 1
CHIP_ROLE: Final = Qt.ItemDataRole.UserRole.value + 2
ICON_ROLE: Final = Qt.ItemDataRole.UserRole.value + 3
COLUMN_ROLE: Final = Qt.ItemDataRole.UserRole.value + 4

PAGE: Final = 250
"""Rows that a view gets at a time."""


@dataclass(frozen=True)  # no slots: a frozen generic with slots cannot be made as ColumnSpec[Row](…) on 3.11
class ColumnSpec(Generic[R]):
    """One column of a table.

    Attributes:
        header: its heading.
        text: what the cell says (also for accessibility and copying).
        width: in pixels at 100 %; 0 takes what is left.
        chip: the chip in place of text.
        icon: Lucide's name of an icon before the text, and its token.
        sort_key: what it is sorted by; the text if None.
        tone: token of the text's colour.
        weight: 400 or 600.
        is_mono: for ids and hashes.
        is_right: numbers.
    """

    header: str
    text: Callable[[R], str]
    width: int = 0
    chip: Callable[[R], Chip | None] | None = None
    icon: Callable[[R], tuple[str, str]] | None = None
    sort_key: Callable[[R], Any] | None = None
    tone: str = "text"
    weight: int = 400
    is_mono: bool = False
    is_right: bool = False


class RowsModel(QAbstractTableModel, Generic[R]):
    """A tuple of frozen rows under columns; sorted here, shown page by page.

    Args:
        columns: what to show.
        noun: what a row is, for screen readers ("record").
    """

    def __init__(self, columns: Sequence[ColumnSpec[R]], noun: str = "row", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._noun = noun
        self._given: tuple[R, ...] = ()
        self._rows: tuple[R, ...] = ()
        self._shown = 0
        self._order: tuple[int, Qt.SortOrder] | None = None

    @property
    def rows(self) -> tuple[R, ...]:
        """All rows in the order shown, those not yet fetched by the view too."""
        return self._rows

    def set_rows(self, rows: Sequence[R]) -> None:
        """Show these rows instead; the order chosen by a header stays."""
        self.beginResetModel()
        self._given = tuple(rows)
        self._rows = self._sorted()
        self._shown = min(PAGE, len(self._rows))
        self.endResetModel()

    def row_at(self, index: Index) -> R:
        """Return the row under an index."""
        return self._rows[index.row()]

    def find(self, matches: Callable[[R], bool]) -> QModelIndex:
        """Return the index of the first row that matches, fetched if needed; invalid if there is none."""
        for number, row in enumerate(self._rows):
            if matches(row):
                while number >= self._shown:
                    self.fetchMore(QModelIndex())
                return self.index(number, 0)
        return QModelIndex()

    def _sorted(self) -> tuple[R, ...]:
        if self._order is None:
            return self._given
        number, order = self._order
        column = self.columns[number]
        key = column.sort_key or column.text
        return tuple(sorted(self._given, key=key, reverse=order == Qt.SortOrder.DescendingOrder))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt's: sort by a column; -1 is the order the service gave."""
        self._order = (column, order) if 0 <= column < len(self.columns) else None
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        kept = [(index, self._rows[index.row()]) for index in before]
        self._rows = self._sorted()
        places = {id(row): number for number, row in enumerate(self._rows)}
        after = [self._moved(index, places[id(row)]) for index, row in kept]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _moved(self, index: QModelIndex, number: int) -> QModelIndex:
        return self.index(number, index.column()) if number < self._shown else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Qt's: the rows fetched so far."""
        return 0 if parent.isValid() else self._shown

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Qt's."""
        return 0 if parent.isValid() else len(self.columns)

    def canFetchMore(self, parent: Index) -> bool:
        """Qt's: whether there are rows the view has not asked for."""
        return not parent.isValid() and self._shown < len(self._rows)

    def fetchMore(self, parent: Index) -> None:
        """Qt's: give the view the next page."""
        if parent.isValid():
            return
        more = min(PAGE, len(self._rows) - self._shown)
        self.beginInsertRows(QModelIndex(), self._shown, self._shown + more - 1)
        self._shown += more
        self.endInsertRows()

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole.value
    ) -> Any:
        """Qt's."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].header
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.columns[section].is_right else Qt.AlignmentFlag.AlignLeft
            return (side | Qt.AlignmentFlag.AlignVCenter).value
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole.value) -> Any:
        """Qt's: text, and for the delegate row, chip, icon and column."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            chip = column.chip(row) if column.chip else None
            return chip.word if chip else column.text(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.sentence(index)
        return self._own_data(row, column, role)

    def _own_data(self, row: R, column: ColumnSpec[R], role: int) -> Any:
        if role == ROW_ROLE:
            return row
        if role == CHIP_ROLE:
            return column.chip(row) if column.chip else None
        if role == ICON_ROLE:
            return column.icon(row) if column.icon else None
        return column if role == COLUMN_ROLE else None

    def sentence(self, index: Index) -> str:
        """Return what a screen reader says: "record 3 of 14, CT chest, Alma Fictive, open until 1 December"."""
        row = self._rows[index.row()]
        parts = [f"{self._noun} {index.row() + 1} of {len(self._rows)}"]
        for column in self.columns:
            chip = column.chip(row) if column.chip else None
            parts.append((chip.spoken or chip.word) if chip else column.text(row))
        return ", ".join(part for part in parts if part)
