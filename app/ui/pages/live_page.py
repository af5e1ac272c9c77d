"""A page of rows beside one pane: loaded again every ten seconds while it is there, one load at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.ui.outcomes import state_of
from app.ui.page import Page
from app.ui.theme import scaled
from app.ui.widgets import Band, StateView

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QShowEvent

    from app.ui.pages.workplace import Workplace

_EVERY: Final = 10_000


class LivePage(Page):
    """Loads rows off the GUI thread; the old ones stay until the new ones are here.

    Subclasses show what was loaded in ``_loaded``, and start from ``_list_of`` a table that may be empty.

    Args:
        load: returns the rows; blocks.
        place: the door off the GUI thread among others.
    """

    def __init__(self, load: Callable[[], Any], place: Workplace) -> None:
        super().__init__()
        self._load, self._place = load, place
        self._is_loading = False
        self.band, self.empty_view = Band(), StateView()
        self._stack = QStackedWidget()
        self._every = QTimer(self, interval=_EVERY)
        self._every.timeout.connect(self._refresh_if_seen)

    def _list_of(self, table: QWidget, *head: QHBoxLayout) -> tuple[QWidget, QVBoxLayout]:
        """Lay out rows of a head, the band, and the table or why it is empty; return that and its column."""
        top = QVBoxLayout()
        top.setContentsMargins(scaled(24), scaled(16), scaled(24), scaled(12))
        top.setSpacing(scaled(12))
        for row in head:
            top.addLayout(row)
        top.addWidget(self.band)
        self._stack.addWidget(table)
        self._stack.addWidget(self.empty_view)
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._stack, 1)
        return main, column

    def refresh(self) -> None:
        """Load the rows again."""
        if not self._is_loading:
            self._is_loading = True
            self._place.background.run(self, self._load, self._arrived, self._not_loaded)

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    def _arrived(self, rows: Any) -> None:
        self._is_loading = False
        self._loaded(rows)

    def _loaded(self, rows: Any) -> None:
        """Show them."""
        raise NotImplementedError

    def _not_loaded(self, error: Exception) -> None:
        self._is_loading = False
        self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's: look again every ten seconds while the page is there."""
        super().showEvent(event)
        self._every.start()

    def blank(self) -> None:
        """Look no more (lock, sign-out); what is shown is the subclass's to forget."""
        self._every.stop()
        self.band.show_state(None)
