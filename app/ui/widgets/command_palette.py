"""The command palette (Ctrl K) and the list of a page's keys (?): both show only what the person may see anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.keys import key_text, meaning_of
from app.ui.theme import TextSize, font, icon, scaled, size, token
from app.ui.widgets.cells import elided
from app.ui.widgets.chips import chip_size, paint_chip
from app.ui.widgets.dialogs import Sheet
from app.ui.widgets.rows import ROW_ROLE, Index
from app.ui.widgets.text import IconLabel, KeyCap, TextKind, key_cap_width, label, paint_key_cap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.ui.vocabulary import Chip

_WIDTH, _ROW, _MOST = 624, 40, 9


@dataclass(frozen=True, slots=True)
class PaletteItem:
    """Something that can be opened or done.

    Attributes:
        group: "Patients", "Records you may open", "Actions" or "Pages"; groups stand in the order of their first item.
        title: what is matched first.
        run: what Enter does, on the GUI thread.
        caption: quieter, matched too (birth date, hospital number, consent id).
        more: what Tab shows.
    """

    group: str
    title: str
    run: Callable[[], None]
    icon_name: str = ""
    caption: str = ""
    chip: Chip | None = None
    key_hint: str = ""
    hint: str = ""
    more: tuple[PaletteItem, ...] = ()


def fuzzy(query: str, text: str) -> int | None:
    """Return how badly ``query`` matches ``text`` (0 is best), or None: its letters must occur in order."""
    wanted, given = query.casefold().strip(), text.casefold()
    if not wanted:
        return 0
    if (at := given.find(wanted)) >= 0:
        return 0 if at == 0 or not given[at - 1].isalnum() else 1 + at
    position, cost = -1, 100
    for letter in wanted:
        if letter.isspace():
            continue
        found = given.find(letter, position + 1)
        if found < 0:
            return None
        cost += found - position - 1
        position = found
    return cost


def match(query: str, items: Sequence[PaletteItem]) -> tuple[PaletteItem, ...]:
    """Return what matches, best first inside its group; groups keep their order."""
    groups = list(dict.fromkeys(item.group for item in items))
    scored = []
    for number, item in enumerate(items):
        scores = [score for text in (item.title, item.caption) if (score := fuzzy(query, text)) is not None]
        if scores:
            scored.append((groups.index(item.group), min(scores), number, item))
    return tuple(entry[3] for entry in sorted(scored, key=lambda entry: entry[:3]))


class _Model(QAbstractListModel):
    """Headings (str) and items."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: list[str | PaletteItem] = []

    def show_items(self, items: Sequence[PaletteItem]) -> None:
        self.beginResetModel()
        self.rows = []
        group = ""
        for item in items:
            if item.group != group:
                group = item.group
                self.rows.append(group)
            self.rows.append(item)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole.value) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return row if isinstance(row, str) else f"{row.title} {row.caption}".strip()
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and isinstance(self.rows[index.row()], str):
            return Qt.ItemFlag.ItemIsEnabled
        return super().flags(index)


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, scaled(30 if isinstance(index.data(ROW_ROLE), str) else _ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: str | PaletteItem = index.data(ROW_ROLE)
        view: Any = option.widget
        widget: QListView = view
        rect: QRect = option.rect
        painter.save()
        if isinstance(row, str):
            painter.setFont(font(TextSize.CAPTION, 500))
            painter.setPen(token("text2", widget))
            painter.drawText(rect.adjusted(scaled(16), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, row)
        else:
            is_current = widget.currentIndex().row() == index.row()
            if is_current:
                painter.fillRect(rect, token("selected", widget))
            self._paint_item(painter, rect, row, widget, is_current=is_current)
        painter.restore()

    @staticmethod
    def _paint_item(painter: QPainter, rect: QRect, item: PaletteItem, widget: QWidget, *, is_current: bool) -> None:
        x, right = rect.x() + scaled(16), rect.right() - scaled(16)
        if item.icon_name:
            edge = scaled(16)
            mark = icon(item.icon_name, token("text2", widget), edge, widget.devicePixelRatioF())
            painter.drawPixmap(x, rect.center().y() - edge // 2, mark)
        x += scaled(28)
        cap = "↵" if is_current else item.key_hint
        if item.chip is not None:
            needed = chip_size(item.chip)
            paint_chip(
                painter, QPoint(right - needed.width(), rect.center().y() - needed.height() // 2), item.chip, widget
            )
            right -= needed.width() + scaled(12)
        elif cap:
            width, height = key_cap_width(cap), scaled(18)
            area = QRect(right - width, rect.center().y() - height // 2, width, height)
            paint_key_cap(painter, area, cap, "text2", widget)
            right -= width + scaled(12)
            if is_current and item.hint:
                painter.setFont(font(TextSize.CAPTION))
                painter.setPen(token("selected_text", widget))
                hint = QRect(x, rect.y(), right - x - scaled(12), rect.height())
                side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(hint, side.value, item.hint)
                right -= QFontMetrics(painter.font()).horizontalAdvance(item.hint) + scaled(24)
        title_font = font(TextSize.BODY, 500)
        title = elided(item.title, title_font, right - x)
        painter.setFont(title_font)
        painter.setPen(token("selected_text" if is_current else "text", widget))
        painter.drawText(QRect(x, rect.y(), right - x, rect.height()), Qt.AlignmentFlag.AlignVCenter, title)
        x += QFontMetrics(title_font).horizontalAdvance(title) + scaled(12)
        caption_font = font(TextSize.CAPTION)
        painter.setFont(caption_font)
        painter.setPen(token("text2", widget))
        caption = elided(item.caption, caption_font, max(0, right - x))
        painter.drawText(QRect(x, rect.y(), right - x, rect.height()), Qt.AlignmentFlag.AlignVCenter, caption)


class CommandPalette(QFrame):
    """Search over what the person may see: 624 wide, 40 below the header. It hides itself; the window owns it.

    Args:
        window: what it lies over.
        items: all that can be found now; it is asked each time the palette opens, on the GUI thread.
    """

    def __init__(self, window: QWidget, items: Callable[[], Sequence[PaletteItem]]) -> None:
        super().__init__(window)
        self._items = items
        self._all: tuple[PaletteItem, ...] = ()
        self._before: QWidget | None = None
        self.setAccessibleName("Command palette")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search or type a command")
        self.field.setAccessibleName("Search")
        self.field.setFrame(False)
        self.field.setProperty("bare", "true")
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self._model = _Model(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setProperty("ground", "surface")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Results")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._press)
        self._nothing = label("", tone="text2", wrap=True)
        self._nothing.setContentsMargins(scaled(16), scaled(12), scaled(16), scaled(12))
        top = QHBoxLayout()
        top.setContentsMargins(scaled(16), scaled(8), scaled(16), scaled(8))
        top.setSpacing(scaled(4))
        top.addWidget(IconLabel("search", "text2", 18))
        top.addWidget(self.field, 1)
        top.addWidget(KeyCap("Esc"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.list)
        layout.addWidget(self._nothing)
        layout.addLayout(self._foot())
        window.installEventFilter(self)
        self.hide()

    @staticmethod
    def _foot() -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setContentsMargins(scaled(16), scaled(8), scaled(16), scaled(8))
        foot.setSpacing(scaled(4))
        for keys, words in ((("↑", "↓"), "choose"), (("↵",), "open"), (("Tab",), "more on this item")):
            for key in keys:
                foot.addWidget(KeyCap(key))
            foot.addWidget(label(words, TextKind.CAPTION))
            foot.addSpacing(scaled(12))
        foot.addStretch(1)
        foot.addWidget(label("Searches only what you may see", TextKind.CAPTION))
        return foot

    @property
    def shown(self) -> tuple[PaletteItem, ...]:
        """The items that match now."""
        return tuple(row for row in self._model.rows if isinstance(row, PaletteItem))

    def open(self) -> None:
        """Show it, empty, with the focus in its field."""
        window = self.parentWidget()
        self._before = window.focusWidget() if window is not None else None
        self._all = tuple(self._items())
        self.field.clear()
        self._search("")
        self.raise_()
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave(self) -> None:
        """Hide it, forget what it listed and give the focus back."""
        self.hide()
        self._all = ()
        self._model.show_items(())
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._before = None

    def _search(self, query: str) -> None:
        found = match(query, self._all)
        self._model.show_items(found)
        self.list.setVisible(bool(found))
        self._nothing.setVisible(not found)
        self._nothing.setText(f"Nothing that you may see matches '{query}'.")
        self._move(1)
        height = sum(scaled(30 if isinstance(row, str) else _ROW) for row in self._model.rows)
        self.list.setFixedHeight(min(height, scaled(_ROW * _MOST)))
        self._place()

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        width = min(scaled(_WIDTH), window.width() - 2 * scaled(16))
        self.setFixedWidth(width)
        self.adjustSize()
        left = size("rail") + (window.width() - size("rail") - width) // 2
        self.move(max(scaled(16), left), size("header") + scaled(40))

    def _move(self, step: int) -> None:
        """Go to the next or previous item; headings are passed over, the ends meet."""
        count = len(self._model.rows)
        number = self.list.currentIndex().row()
        for _ in range(count):
            number = (number + step) % count
            if isinstance(self._model.rows[number], PaletteItem):
                self.list.setCurrentIndex(self._model.index(number))
                return

    def _current(self) -> PaletteItem | None:
        row = self.list.currentIndex().data(ROW_ROLE)
        return row if isinstance(row, PaletteItem) else None

    def _press(self, _index: QModelIndex | None = None) -> None:
        item = self._current()
        if item is not None:
            self.leave()
            item.run()

    def _show_more(self) -> None:
        item = self._current()
        if item is not None and item.more:
            self._all = item.more
            self.field.clear()
            self._search("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's: keys of the field; stay in place when the window grows; leave when another control gets the focus."""
        if watched is not self.field:
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self._place()
            return False
        if event.type() == QEvent.Type.FocusOut and self.isVisible() and self.window().isActiveWindow():
            self.hide()
        return isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._handle(event)

    def _handle(self, event: QKeyEvent) -> bool:
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Down.value: lambda: self._move(1),
            Qt.Key.Key_Up.value: lambda: self._move(-1),
            Qt.Key.Key_Return.value: self._press,
            Qt.Key.Key_Enter.value: self._press,
            Qt.Key.Key_Escape.value: self.leave,
            Qt.Key.Key_Tab.value: self._show_more,
        }
        if (act := actions.get(event.key())) is None:
            return False
        act()
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(token("line_strong", self))
        painter.setBrush(token("surface", self))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setPen(token("line", self))
        top = self.field.mapTo(self, QPoint(0, 0)).y() + self.field.height() + scaled(8)
        painter.drawLine(1, top - 1, self.width() - 2, top - 1)
        foot = self.height() - scaled(36)
        painter.drawLine(1, foot, self.width() - 2, foot)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key of a page: as it is written ("Ctrl E") and what it does."""

    key: str
    meaning: str


def key_line(name: str) -> KeyLine:
    """Return the line of a command whose key can be changed."""
    return KeyLine(key_text(name), meaning_of(name))


def conflicts(keys: Sequence[KeyLine]) -> tuple[str, ...]:
    """Return the keys that are given twice."""
    written = [line.key for line in keys]
    return tuple(sorted({key for key in written if written.count(key) > 1}))


class KeyHelp(Sheet):
    """All keys that work here (?)."""

    def __init__(self, over: QWidget, here: Sequence[KeyLine], everywhere: Sequence[KeyLine]) -> None:
        super().__init__(over, "Keys", 460, icon_name="keyboard")
        for heading, lines in (("On this page", here), ("Everywhere", everywhere)):
            if not lines:
                continue
            self.body.addWidget(label(heading, TextKind.STRONG))
            for line in lines:
                row = QHBoxLayout()
                row.addWidget(label(line.meaning, tone="text2"), 1)
                row.addWidget(KeyCap(line.key))
                self.body.addLayout(row)
            self.body.addSpacing(scaled(8))
        self.hide_footer()
