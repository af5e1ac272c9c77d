"""Which pages each role has, in the order of the rail (SCREENS.md 2). A page is here only once it works."""

from typing import TYPE_CHECKING

from app.ui.window import PageEntry
from app.wiring.desks import Desk

if TYPE_CHECKING:
    from app.wiring.desktop import Desktop


def entries_for(desk: Desk, desktop: "Desktop") -> tuple[PageEntry, ...]:
    """Return the pages of whoever is signed in, the start page first."""
    raise NotImplementedError
