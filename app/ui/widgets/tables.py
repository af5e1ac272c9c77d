"""Tables and lists of rows: they keep the chosen row over a refresh and say which row was chosen or opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QEvent, QItemSelectionModel, QModelIndex, QObject, QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QListView, QTableView, QWidget

from app.ui.theme import TextSize, font, icon, look, scaled, size, token
from app.ui.widgets.cells import ChipDelegate, Entry, Group, TwoLine, TwoLineDelegate, cell_left
from app.ui.widgets.rows import ROW_ROLE, Index, RowsModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

R = TypeVar("R")


class _Header(QHeaderView):
    """Headings with a small arrow beside the one that sorts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setFixedHeight(size("table_header"))
        self.setAccessibleName("Column headings")

    def paintSection(self, painter: QPainter, rect: QRect, logical_index: int) -> None:
        """Qt's: heading left or right, arrow after it."""
        model = self.model()
        text = str(model.headerData(logical_index, Qt.Orientation.Horizontal) or "")
        aligned = model.headerData(logical_index, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole.value)
        is_right = bool(aligned and aligned & Qt.AlignmentFlag.AlignRight.value)
        painter.save()
        painter.fillRect(rect, token("window", self))
        painter.setPen(token("line", self))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        text_font = font(TextSize.CAPTION, 500)
        painter.setFont(text_font)
        painter.setPen(token("text2", self))
        area = rect.adjusted(cell_left(logical_index), 0, -scaled(4), 0)
        side = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, (side | Qt.AlignmentFlag.AlignVCenter).value, text)
        if self.isSortIndicatorShown() and self.sortIndicatorSection() == logical_index and text:
            is_down = self.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
            edge = scaled(13)
            mark = icon("arrow-down" if is_down else "arrow-up", token("text2", self), edge, self.devicePixelRatioF())
            width = QFontMetrics(text_font).horizontalAdvance(text)
            left = area.right() - width - edge - 4 if is_right else area.left() + width + 5
            painter.drawPixmap(left, rect.center().y() - edge // 2, mark)
        painter.restore()


class RowsTable(QTableView, Generic[R]):
    """A table of frozen rows. Enter and double click open; ``row_chosen`` and ``row_opened`` carry the row.

    ``row_chosen`` carries None when no row is chosen. Sorting: click, or Alt+Shift+Up/Down for the column that sorts,
    Alt+Shift+Left/Right for another one.

    Args:
        model: its rows.
        key: what makes a row the same over a refresh.
        accessible: what the table is ("Records").
    """

    row_chosen = Signal(object)
    row_opened = Signal(object)

    def __init__(self, model: RowsModel[R], key: Callable[[R], object], accessible: str) -> None:
        super().__init__()
        self._model = model
        self._key = key
        self._kept: object = None
        self._scale = 0.0
        self.setAccessibleName(accessible)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(ChipDelegate(self))
        self.setHorizontalHeader(_Header(self))
        self.verticalHeader().hide()
        self.setModel(model)
        self.setSortingEnabled(True)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.horizontalHeader().setStretchLastSection(False)
        self.fit()
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        self.selectionModel().currentRowChanged.connect(self._announce)
        self.doubleClicked.connect(lambda _index: self._open())

    @property
    def current_row(self) -> R | None:
        """The chosen row."""
        index = self.currentIndex()
        return self._model.row_at(index) if index.isValid() else None

    def fit(self) -> None:
        """Give rows and columns their size at the text size that holds."""
        self._scale = look().text_scale
        self.horizontalHeader().setFixedHeight(size("table_header"))
        self.verticalHeader().setDefaultSectionSize(size("row"))
        header = self.horizontalHeader()
        for number, column in enumerate(self._model.columns):
            stretches = not column.width
            mode = QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Interactive
            header.setSectionResizeMode(number, mode)
            if column.width:
                header.resizeSection(number, scaled(column.width) + cell_left(number) - cell_left(1))

    def changeEvent(self, event: QEvent) -> None:
        """Qt's: another text size gives rows and columns another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._scale != look().text_scale:
            self.fit()

    def choose(self, key: object) -> bool:
        """Choose the row with this key; return whether there is one."""
        index = self._model.find(lambda row: self._key(row) == key)
        self.setCurrentIndex(index)
        return index.isValid()

    def choose_first(self) -> None:
        """Choose the first row if none is chosen."""
        if not self.currentIndex().isValid() and self._model.rowCount():
            self.setCurrentIndex(self._model.index(0, 0))

    def _keep(self) -> None:
        row = self.current_row
        self._kept = self._key(row) if row is not None else None

    def _restore(self) -> None:
        if self._kept is not None and not self.choose(self._kept):
            self.row_chosen.emit(None)

    def _announce(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self.row_chosen.emit(self._model.row_at(current) if current.isValid() else None)

    def _open(self) -> None:
        if (row := self.current_row) is not None:
            self.row_opened.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: Enter opens, Alt+Shift+arrow sorts."""
        self.setProperty("by_key", True)  # noqa: FBT003 (Qt's)
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.modifiers():
            self._open()
        elif event.modifiers() == Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier:
            self._sort_by_key(Qt.Key(event.key()))
        else:
            super().keyPressEvent(event)
        self.viewport().update()

    def _sort_by_key(self, key: Qt.Key) -> None:
        header = self.horizontalHeader()
        section, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        order = {Qt.Key.Key_Up: Qt.SortOrder.AscendingOrder, Qt.Key.Key_Down: Qt.SortOrder.DescendingOrder}.get(
            key, order
        )
        section = section if section < self._model.columnCount() else -1
        self.sortByColumn((max(section, 0) + step) % self._model.columnCount(), order)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt's."""
        self.setProperty("by_key", False)  # noqa: FBT003 (Qt's)
        super().mousePressEvent(event)


class EntriesModel(QAbstractListModel):
    """Headings and rows of two lines."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is shown."""
        return self._entries

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self._entries = tuple(entries)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Qt's."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole.value) -> Any:
        """Qt's."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == ROW_ROLE:
            return entry
        text = entry.heading if isinstance(entry, Group) else entry.title
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return text if isinstance(entry, Group) else entry.sentence
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt's: headings cannot be chosen."""
        if index.isValid() and isinstance(self._entries[index.row()], Group):
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)


class EntriesList(QListView):
    """A list of two-line rows under headings. ``row_chosen`` and ``row_opened`` carry the entry's ``row``.

    Args:
        key: what makes a row the same over a refresh.
        accessible: what the list is.
        middle_at: where the second column starts, as a part of the width; 1.0 has none.
        patient: larger type.
    """

    row_chosen = Signal(object)
    row_opened = Signal(object)

    def __init__(
        self,
        key: Callable[[Any], object],
        accessible: str,
        middle_at: float = 0.52,
        *,
        patient: bool = False,
    ) -> None:
        super().__init__()
        self.entries_model = EntriesModel(self)
        self._key = key
        self.setAccessibleName(accessible)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(TwoLineDelegate(middle_at, patient=patient, parent=self))
        self.setModel(self.entries_model)
        self.selectionModel().currentChanged.connect(self._announce)
        self.doubleClicked.connect(lambda _index: self._open())

    @property
    def current_row(self) -> Any:
        """The chosen entry's row, or None."""
        return self._row(self.currentIndex())

    def _row(self, index: QModelIndex) -> object:
        entry = index.data(ROW_ROLE) if index.isValid() else None
        return entry.row if isinstance(entry, TwoLine) else None

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these; the chosen row stays chosen if it is still there, and ``row_chosen`` tells either way."""
        row = self.current_row
        kept = self._key(row) if row is not None else None
        self.entries_model.set_entries(entries)
        if kept is not None and not self.choose(kept):
            self.row_chosen.emit(None)

    def choose(self, key: object) -> bool:
        """Choose the row with this key; return whether there is one."""
        for number, entry in enumerate(self.entries_model.entries):
            if isinstance(entry, TwoLine) and entry.row is not None and self._key(entry.row) == key:
                index = self.entries_model.index(number)
                self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                self.scrollTo(index)
                return True
        return False

    def choose_first(self) -> None:
        """Choose the first row if none is chosen."""
        if self.current_row is not None:
            return
        for number, entry in enumerate(self.entries_model.entries):
            if isinstance(entry, TwoLine):
                self.setCurrentIndex(self.entries_model.index(number))
                return

    def _announce(self, current: QModelIndex, _previous: QModelIndex) -> None:
        entry = current.data(ROW_ROLE) if current.isValid() else None
        if isinstance(entry, Group):
            return
        self.row_chosen.emit(self._row(current))

    def _open(self) -> None:
        if self.current_row is not None:
            self.row_opened.emit(self.current_row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: Enter opens; arrows pass over headings."""
        self.setProperty("by_key", True)  # noqa: FBT003 (Qt's)
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.modifiers():
            self._open()
        else:
            super().keyPressEvent(event)
        self.viewport().update()

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Qt's: a heading is passed over in the direction of the move."""
        index = super().moveCursor(action, modifiers)
        ups = {QAbstractItemView.CursorAction.MoveUp, QAbstractItemView.CursorAction.MovePrevious}
        step = -1 if action in ups else 1
        number = index.row()
        entries = self.entries_model.entries
        while 0 <= number < len(entries) and isinstance(entries[number], Group):
            number += step
        return self.entries_model.index(number) if 0 <= number < len(entries) else self.currentIndex()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt's: a heading cannot be chosen."""
        if isinstance(self.indexAt(event.position().toPoint()).data(ROW_ROLE), Group):
            event.accept()
            return
        self.setProperty("by_key", False)  # noqa: FBT003 (Qt's)
        super().mousePressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()
