"""The patient's turn: the whole window, from reading to the receipt (SCREENS.md e)."""

from app.ui.pages.turn.place import Kept, Leaving, TurnPlace
from app.ui.pages.turn.window import ConsentTurn

__all__ = ["ConsentTurn", "Kept", "Leaving", "TurnPlace"]
