"""One entry of a patient on its way: sent once; if nobody knows what came of it, asked about until it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.services.submission import UnsettledError
from app.ui.outcomes import Settling

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.ui.pages.workplace import Workplace
    from ledger.gateway import Commit


class Recording(QObject):
    """Sends in the background and tells what came of it.

    Signals:
        recorded: it is; carries what ``work`` or ``after`` returned.
        failed: it is not; carries the exception.
        unsure: nobody knows yet; it may not be sent again, and is asked about until it is known.
        not_recorded: an unknown outcome turned out to be none.
    """

    recorded = Signal(object)
    failed = Signal(object)
    unsure = Signal()
    not_recorded = Signal()

    def __init__(self, place: Workplace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._place = place
        self._after: Callable[[Commit], Any] = lambda commit: commit
        self._is_running = False
        self._settling = Settling(place.settle, place.background, place.clock, place.zone, self)
        self._settling.settled.connect(self._settled)

    @property
    def is_open(self) -> bool:
        """Whether something is being sent, or its outcome is not known."""
        return self._is_running or self._settling.is_open

    def start(self, work: Callable[[], Any], after: Callable[[Commit], Any] = lambda commit: commit) -> None:
        """Send.

        Args:
            work: blocks, records, and returns what ``recorded`` carries.
            after: makes the same from the commit, for an outcome that was unknown at first; blocks too.
        """
        if self.is_open:
            return
        self._after, self._is_running = after, True
        self._place.background.run(self, work, self._done, self._fail)

    def stop(self) -> None:
        """Ask no more (lock, leaving); the entry stays what it is."""
        self._settling.stop()

    def _done(self, result: object) -> None:
        self._is_running = False
        self.recorded.emit(result)

    def _fail(self, error: Exception) -> None:
        self._is_running = False
        if isinstance(error, UnsettledError):
            self._settling.begin(error)
            self.unsure.emit()
        else:
            self.failed.emit(error)

    def _settled(self, commit: Commit | None) -> None:
        if commit is None:
            self.not_recorded.emit()
            return
        self._is_running = True
        self._place.background.run(self, lambda: self._after(commit), self._done, self._fail)
