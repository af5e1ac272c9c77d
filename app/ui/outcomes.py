"""What came of a service call: each error as the state that pages show, and the wait until an unknown is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.custodian.messages import CustodianRefusal
from app.identity.profiles import ProfileLockedError, WrongPinError
from app.records.refusal import SENTENCES, Change
from app.services.machine import LedgerDamagedError
from app.services.openings import ChangedError, DeniedError, StoppedError
from app.services.requests import short_id
from app.services.submission import UnsettledError
from app.ui.refusals import error_sentence, reason_sentence
from app.ui.widgets import states
from app.ui.widgets.states import State
from app.ui.wording import code_sentence, count_text, time_text
from ledger.gateway import CommitError, CommitStatusError, EndorseError, SubmitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from app.ui.background import Background
    from ledger.gateway import Commit

_WAITS: Final = (1, 2, 4, 8, 16, 30)
_LONG: Final = 120
_ORDINALS: Final = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
_PARTS: Final = {
    Change.PIXELS_CHANGED: "Pixels changed in {some}. Header unchanged.",
    Change.HEADER_CHANGED: "Header changed in {some}. Pixels unchanged.",
}
_CODES: Final = {
    "refused": "The custodian refused. A code works once and for 15 minutes. Ask for a new one.",
}


def state_of(error: Exception) -> State:
    """Return what a page shows for an error of a service; an unknown outcome is ``Settling``'s to show."""
    for kind, state in _STATES:
        if isinstance(error, kind):
            return state(error)
    return states.failed(failure_sentence(error))


def failure_sentence(error: Exception) -> str:
    """Return one sentence for an error that is neither a decision nor the ledger's."""
    if isinstance(error, WrongPinError):
        return pin_sentence(error)
    if isinstance(error, ProfileLockedError):
        return "Too many tries. Ask a registrar to enrol you with a new key."
    if isinstance(error, CustodianRefusal):
        return _CODES.get(error.code) or code_sentence(error.code)
    return error_sentence(error)


def pin_sentence(error: WrongPinError) -> str:
    """Return what stands under a PIN that was wrong."""
    return f"That was not your PIN. {count_text(error.tries_left, 'try', 'tries')} left."


def denied_sentence(error: DeniedError) -> str:
    """Return why an opening was denied, naming the consents that decided."""
    names = [f"Consent {short_id(each)}" for each in error.access.consents]
    decided = f"Decided by {', '.join(names)}." if names else ""
    return f"{reason_sentence(error.access.reason)} {decided}".rstrip()


def changed_sentence(error: ChangedError) -> str:
    """Return what of a record was changed: "Pixels changed in 1 of 412 images (image 104). Header unchanged."."""
    if error.change not in _PARTS:
        return SENTENCES[error.change]
    some = f"{error.count} of {count_text(error.total, 'image', 'images')} (image {error.first})"
    return _PARTS[error.change].format(some=some)


def damaged(block: int) -> State:
    """The ledger does not verify: nothing can be opened."""
    text = "You can look, but nothing can be opened. Tell the operator."
    return State("deny", "circle-x", f"The ledger on this machine was changed at block {block}.", text)


_STATES: Final[tuple[tuple[type[Exception], Callable[[Any], State]], ...]] = (
    (EndorseError, lambda error: states.not_sent(error.code)),
    (UnsettledError, lambda _: states.unknown()),
    (SubmitError, lambda _: states.unknown()),
    (CommitStatusError, lambda _: states.unknown()),
    (CommitError, lambda _: states.conflict()),
    (DeniedError, lambda error: states.denied(denied_sentence(error))),
    (ChangedError, lambda error: states.changed_record(changed_sentence(error))),
    (StoppedError, lambda _: states.stopped()),
    (LedgerDamagedError, lambda error: damaged(error.block)),
)


class Settling(QObject):
    """Finds out what became of one envelope: after 1, 2, 4 … 30 s, again and again, until it is known.

    Signals:
        told: the state to show now.
        settled: the commit, or None if it was not recorded.
    """

    told = Signal(object)
    settled = Signal(object)

    def __init__(
        self,
        settle: Callable[[UnsettledError], Commit | None],
        background: Background,
        clock: Callable[[], int],
        zone: tzinfo | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Make one that waits for nothing yet; ``settle`` blocks and runs in the background."""
        super().__init__(parent)
        self._settle, self._background, self._clock, self._zone = settle, background, clock, zone
        self._error: UnsettledError | None = None
        self._sent_at = self._tries = 0
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._ask)

    @property
    def is_open(self) -> bool:
        """Whether the outcome is still unknown; while it is, nothing may be sent."""
        return self._error is not None

    def begin(self, error: UnsettledError) -> None:
        """Start to ask."""
        self._error, self._sent_at, self._tries = error, self._clock(), 0
        self._next()

    def stop(self) -> None:
        """Ask no more (lock, sign-out); the envelope stays what it is."""
        self._error = None
        self._timer.stop()

    def _next(self) -> None:
        seconds = _WAITS[min(self._tries, len(_WAITS) - 1)]
        name = _ORDINALS[self._tries] if self._tries < len(_ORDINALS) else "Next"
        note = f"{name} check in {seconds} s · sent {time_text(self._sent_at, self._zone, seconds=True)}"
        self._tries += 1
        self._timer.start(seconds * 1000)
        self.told.emit(states.unknown(note, is_long=self._clock() - self._sent_at >= _LONG))

    def _ask(self) -> None:
        error = self._error
        if error is not None:
            self._background.run(self, lambda: self._settle(error), self._done, self._failed)

    def _done(self, commit: Commit | None) -> None:
        if self._error is None:
            return
        self.stop()
        told = states.was_not_recorded() if commit is None else states.was_recorded(commit.at, self._zone)
        self.told.emit(told)
        self.settled.emit(commit)

    def _failed(self, error: Exception) -> None:
        if self._error is None:
            return
        if isinstance(error, UnsettledError):
            self._next()
            return
        if isinstance(error, CommitError):
            self.stop()
            self.told.emit(states.conflict())
            self.settled.emit(None)
            return
        self._next()
