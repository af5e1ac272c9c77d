"""What stands in the window while a record is opened, and the words for why one closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout

from app.services.openings import Ending
from app.ui.theme import read_dark
from app.ui.widgets import Action, LoadingView, State, StateView
from app.ui.widgets.states import permission_ended, withdrawn
from app.ui.wording import time_text

if TYPE_CHECKING:
    from app.services.openings import Opened
    from app.services.worklist import RecordRow
    from app.ui.pages.workplace import Workplace

_ENDINGS: Final = {
    Ending.SUSPENDED: "Your access was suspended.",
    Ending.FROZEN: "The patient has stopped all access for now.",
    Ending.ERASED: "The record was erased.",
    Ending.OFFLINE: "The ledger has not answered for five minutes.",
}


class OpeningView(QFrame):
    """What stands in the window while a record is opened, and when it cannot be shown.

    Signals:
        cancelled: Cancel.
        acted: key of a state's action.
    """

    cancelled = Signal()
    acted = Signal(str)

    def __init__(self, what: str, recorded: str) -> None:
        super().__init__()
        self.setProperty("surface", "window")
        read_dark(self)
        self.loading = LoadingView()
        self.loading.cancelled.connect(self.cancelled)
        self.state_view = StateView()
        self.state_view.acted.connect(self.acted)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.loading)
        self._stack.addWidget(self.state_view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.loading.start(f"Opening {what}", recorded)

    def show_state(self, state: State) -> None:
        """Say why there is nothing to see."""
        self.loading.stop()
        self.state_view.show_state(state)
        self._stack.setCurrentWidget(self.state_view)


def ending_state(
    row: RecordRow, opened: Opened, ending: Ending, place: Workplace, actions: tuple[Action, ...]
) -> State:
    """Return why an open record closed, before its receipt is recorded.

    Args:
        row: the line it was opened from.
        opened: the record.
        ending: why.
        place: clock and zone.
        actions: what can be done then.
    """
    now, zone = place.clock(), place.zone
    if ending is Ending.WITHDRAWN:
        text = f"The record was closed at {time_text(now, zone, seconds=True)} and your copy purged."
        return replace(withdrawn(row.patient.name, now, zone), text=text, actions=actions)
    if ending is Ending.ENDED:
        return permission_ended(opened.until, zone)
    heading = _ENDINGS.get(ending, "The record was closed.")
    return State("held", "eye-off", heading, "The record is closed and your copy purged.", actions)
