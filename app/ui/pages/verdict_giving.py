"""A verdict on its way: asked for with the PIN, recorded once, and asked about while its outcome is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from app.identity.profiles import WrongPinError
from app.services.submission import UnsettledError
from app.ui.outcomes import Settling, pin_sentence, state_of
from app.ui.pages.pin_sheet import PinSheet
from app.ui.widgets import State
from app.ui.widgets.states import was_recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from app.services.suggestions import Verdict
    from app.ui.pages.workplace import Workplace
    from ledger.gateway import Commit

_SURE: Final = "Your verdict cannot be changed later. You can add another; the newest counts."


class VerdictGiving(QObject):
    """Gives one verdict at a time.

    Args:
        give: patient id, suggestion id, verdict and PIN to the commit; blocks.
        place: time, zone and the door off the GUI thread.
        over: the page, on which the PIN is asked for.

    Signals:
        told: what became of it, for the page to show.
        recorded: it stands; carries the commit.
        unsure: nobody knows yet; no other may be given meanwhile.
        settled: what an unknown outcome turned out to be: the commit or None.
    """

    told = Signal(object)
    recorded = Signal(object)
    unsure = Signal()
    settled = Signal(object)

    def __init__(self, give: Callable[[str, str, Verdict, str], Commit], place: Workplace, over: QWidget) -> None:
        super().__init__(over)
        self._give, self._place, self._over = give, place, over
        self._sheet: PinSheet | None = None
        self._settling = Settling(place.settle, place.background, place.clock, place.zone, self)
        self._settling.told.connect(self.told)
        self._settling.settled.connect(self.settled)

    def ask(self, patient_id: str, suggestion_id: str, verdict: Verdict) -> None:
        """Ask for the PIN and record; nothing happens while an earlier outcome is unknown."""
        if self._settling.is_open:
            return
        sheet = PinSheet(self._over, "Record verdict", _SURE, "Record")
        sheet.given.connect(lambda pin: self._record(patient_id, suggestion_id, verdict, pin))
        sheet.closed.connect(self._forget)
        self._sheet = sheet
        sheet.open()

    def begin(self, error: UnsettledError) -> None:
        """Find out what became of an entry that was sent elsewhere on the page."""
        self._settling.begin(error)

    def stop(self) -> None:
        """Ask no more (lock, sign-out, another case); the entry stays what it is."""
        self._settling.stop()
        if self._sheet is not None:
            self._sheet.reject()

    def _record(self, patient_id: str, suggestion_id: str, verdict: Verdict, pin: str) -> None:
        self._place.background.run(
            self, lambda: self._give(patient_id, suggestion_id, verdict, pin), self._recorded, self._not_recorded
        )

    def _forget(self) -> None:
        self._sheet = None

    def _close(self) -> None:
        sheet, self._sheet = self._sheet, None
        if sheet is not None:
            sheet.accept()

    def _recorded(self, commit: Commit) -> None:
        self._close()
        self.told.emit(was_recorded(commit.at, self._place.zone))
        self.recorded.emit(commit)

    def _not_recorded(self, error: Exception) -> None:
        if isinstance(error, WrongPinError) and self._sheet is not None:
            self._sheet.refuse(pin_sentence(error))
            return
        self._close()
        if isinstance(error, UnsettledError):
            self.unsure.emit()
            self._settling.begin(error)
            return
        state = state_of(error)
        self.told.emit(State(state.role, state.icon_name, state.heading, state.text))
