"""Using the real window as a person does, by mouse or by keys alone: what is not visible and enabled cannot be used."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 40.0


class TooLateError(AssertionError):
    """What was waited for did not come."""


def wait_until(happened: Callable[[], Any], what: str = "", seconds: float = PATIENCE) -> Any:
    """Let events run until ``happened()`` is true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        QApplication.processEvents()
        found = happened()
        if found:
            return found
        time.sleep(0.004)
    raise TooLateError(what or getattr(happened, "__name__", "it"))


def name_of(widget: QWidget) -> str:
    """Return what a person calls a control: its text, else what a screen reader says."""
    if isinstance(widget, QAbstractButton) and widget.text():
        return widget.text()
    return widget.accessibleName()


def controls(window: QWidget) -> list[QWidget]:
    """Return what can be used now: of the newest dialog over the window, else of the window."""
    tops = [top for top in QApplication.topLevelWidgets() if top.isVisible()]
    over = [top for top in tops if _under(top, window)]
    where = over[-1] if over else window
    return [each for each in where.findChildren(QWidget) if each.isVisible() and each.isEnabled()]


def _under(dialog: QWidget, window: QWidget) -> bool:
    parent = dialog.parentWidget()
    while parent is not None:
        if parent is window:
            return True
        parent = parent.parentWidget()
    return False


def texts(widget: QWidget) -> str:
    """Return every text that a widget and what it holds carry, shown or not."""
    said = [widget.windowTitle()]
    for each in (widget, *widget.findChildren(QWidget)):
        said += [each.accessibleName(), each.accessibleDescription(), each.toolTip(), each.windowTitle()]
        for reader in ("text", "toPlainText", "currentText", "placeholderText"):
            read = getattr(each, reader, None)
            if callable(read):
                said.append(str(read()))
        if isinstance(each, QAbstractItemView) and each.model() is not None:
            said += [row_text(each.model(), number) for number in range(each.model().rowCount())]
    return "\n".join(part for part in said if part)


def row_text(model: QAbstractItemModel, row: int) -> str:
    """Return what a row says."""
    said = []
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
    for column in range(columns):
        index = model.index(row, column)
        said += [
            str(index.data(role) or "") for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        ]
    return " | ".join(said)


class Hand(Protocol):
    """One way of using the window."""

    window: QWidget

    def press(self, name: str) -> None:
        """Press a button, box or segment."""

    def type(self, name: str, text: str) -> None:
        """Fill in a field."""

    def row(self, name: str, text: str) -> None:
        """Choose the row of a list or table that says ``text``."""


class _Hand:
    """What mouse and keys share: finding by name, waiting."""

    def __init__(self, window: QWidget) -> None:
        self.window = window

    def find(self, name: str, kinds: Any = (QAbstractButton, QLineEdit, QPlainTextEdit)) -> QWidget:
        """Return the control of this name once it can be used; its start is enough, an exact name goes first."""

        def look() -> QWidget | None:
            usable = [each for each in controls(self.window) if isinstance(each, kinds) and name_of(each)]
            exact = [each for each in usable if name_of(each) == name]
            return next(iter(exact or [each for each in usable if name_of(each).startswith(name)]), None)

        try:
            made: QWidget = wait_until(look, name)
        except TooLateError:
            usable = sorted({name_of(each) for each in controls(self.window)})
            raise TooLateError(f"{name!r} among {usable}") from None
        return made

    def sees(self, text: str) -> None:
        """Wait until the window, or a dialog over it, says ``text``."""
        wait_until(lambda: self.said(text), f"{text!r} to be said")

    def said(self, text: str) -> bool:
        """Whether it is said now, where it can be seen."""
        tops = [top for top in QApplication.topLevelWidgets() if top.isVisible()]
        mine = [top for top in tops if top is self.window or _under(top, self.window)]
        shown = [each for top in mine for each in top.findChildren(QWidget) if each.isVisible()]
        return any(text in part for each in shown for part in _own_texts(each))

    def view(self, name: str) -> QAbstractItemView:
        """Return a list or table by name."""
        found = self.find(name, QAbstractItemView)
        assert isinstance(found, QAbstractItemView), found
        return found

    def index_of(self, view: QAbstractItemView, text: str) -> QModelIndex:
        """Return the first row that says ``text``, once there is one."""

        def look() -> QModelIndex | None:
            model = view.model()
            rows = [number for number in range(model.rowCount()) if text in row_text(model, number)]
            return model.index(rows[0], 0) if rows else None

        made: QModelIndex = wait_until(look, f"a row with {text!r}")
        return made


def _own_texts(each: QWidget) -> list[str]:
    said = [each.accessibleName()]
    read = getattr(each, "text", None)
    if callable(read):
        said.append(str(read()))
    if isinstance(each, QAbstractItemView) and each.model() is not None:
        said += [row_text(each.model(), number) for number in range(each.model().rowCount())]
    return said


class Mouse(_Hand):
    """By mouse; text is typed where it was clicked."""

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click, after scrolling there."""
        parent = widget.parentWidget()
        while parent is not None:
            inside = parent.widget() if isinstance(parent, QScrollArea) else None
            if isinstance(parent, QScrollArea) and inside is not None and inside.isAncestorOf(widget):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()
        QApplication.processEvents()
        QTest.mouseClick(
            widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at or widget.rect().center()
        )
        QApplication.processEvents()

    def press(self, name: str) -> None:
        """Click a button, box or segment."""
        self.click(self.find(name))

    def type(self, name: str, text: str) -> None:
        """Click into a field and type."""
        field = self.find(name)
        self.click(field)
        QTest.keyClicks(field, text)

    def row(self, name: str, text: str) -> None:
        """Click a row."""
        view = self.view(name)
        index = self.index_of(view, text)
        view.scrollTo(index)
        self.click(view.viewport(), view.visualRect(index).center())
        wait_until(lambda: text in row_text(view.model(), view.currentIndex().row()), f"the row {text!r} to be chosen")


class Keys(_Hand):
    """By keys alone."""

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifier)
        QApplication.processEvents()

    def go_to(self, widget: QWidget, limit: int = 160) -> None:
        """Press Tab until a control has the focus."""
        wait_until(lambda: QApplication.focusWidget() is not None, "a focus")
        for _ in range(limit):
            focused = QApplication.focusWidget()
            if focused is widget or (focused is not None and widget.focusProxy() is focused):
                return
            self.key(Qt.Key.Key_Tab)
        raise TooLateError(f"{name_of(widget)!r} is not reached with Tab")

    def press(self, name: str) -> None:
        """Go to a button, box or segment and press Space."""
        self.go_to(self.find(name))
        self.key(Qt.Key.Key_Space)

    def type(self, name: str, text: str) -> None:
        """Go to a field and type."""
        self.go_to(self.find(name))
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClicks(focused, text)
        QApplication.processEvents()

    def row(self, name: str, text: str) -> None:
        """Go to a list and press Down until a row is chosen."""
        view = self.view(name)
        index = self.index_of(view, text)
        self.go_to(view)
        self.key(Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
        for _ in range(view.model().rowCount()):
            if text in row_text(view.model(), view.currentIndex().row()):
                return
            self.key(Qt.Key.Key_Down)
        raise TooLateError(f"the row {text!r} at {index.row()}")
