"""What the window expects of a page: it lays out and connects; its model shows rows, its service is plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

if TYPE_CHECKING:
    from app.ui.widgets.command_palette import KeyLine, PaletteItem


class Page(QFrame):
    """A page of the rail. Subclasses get service and background by constructor and override what they need.

    Signals:
        count_changed: how many things wait here (the rail's counter), and whether that is urgent.
        status_said: text, icon and tone of the status line's left while this page is open.
        page_wanted: key of another page to go to.
        toast_wanted: one line for the corner.
    """

    count_changed = Signal(int, bool)
    status_said = Signal(str, str, str)
    page_wanted = Signal(str)
    toast_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "window")

    def refresh(self) -> None:
        """Load again (F5, on entering, after unlock). Old rows stay until the new ones are here."""

    def blank(self) -> None:
        """Forget everything shown: rows, pixmaps, typed text. Called when the window locks or the person signs out."""

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys that work on this page, for ? and the conflict check."""
        return ()

    def panes(self) -> tuple[QWidget, ...]:
        """The controls that F6 goes through, one per pane."""
        return ()

    def escape(self) -> bool:
        """Go back or cancel (Esc); return whether there was something to go back from."""
        return False

    def focus_filter(self) -> None:
        """Go to the filter (/)."""

    def palette_items(self) -> tuple[PaletteItem, ...]:
        """What the command palette finds of this page: only what it already shows or may do."""
        return ()

    def search_hint(self) -> str:
        """What the search field says while this page is open."""
        return "Search or type a command"
