"""The window-filling widget of the patient's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

if TYPE_CHECKING:
    from app.services.turn import Turn
    from app.ui.pages.turn.place import Kept, TurnPlace


class ConsentTurn(QFrame):
    """One request being decided; shown with ``MainWindow.show_alone``.

    Args:
        where: what wiring gives.
        turn: already started, when she signed in herself; None begins with card and PIN.
        kept: what a lock left of the same turn.

    Signals:
        left: how it ended (a ``Leaving``); keys, card and PIN are forgotten before it is emitted.
    """

    left = Signal(str)

    def __init__(self, where: TurnPlace, turn: Turn | None = None, kept: Kept | None = None) -> None:
        super().__init__()
        self._where, self._turn, self._kept = where, turn, kept

    def kept(self) -> Kept | None:
        """Return what a lock may keep; None if nothing was chosen, or it is already signed."""
        return self._kept
