"""Opening a record from a line (SCREENS.md b, f, 3): recorded, committed, opened, shown; closed with a purge receipt.

The opener holds what is open, asks every second what must close, and blanks at once. It draws nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from app.records.refusal import RefusedError
from app.services.openings import ChangedError, DeniedError, Ending
from app.services.submission import UnsettledError
from app.services.watching import SILENCE
from app.services.worklist import RowState
from app.ui.outcomes import Settling, state_of
from app.ui.pages.opening_view import OpeningView, ending_state
from app.ui.pages.phases import Phase, Step
from app.ui.pages.receipt_sheet import ReceiptSheet
from app.ui.pages.record_views import Read, RecordView, read_record
from app.ui.pages.record_words import title_of
from app.ui.widgets import Action, State
from app.ui.widgets.states import stopped, withdrawn
from app.ui.wording import time_text

if TYPE_CHECKING:
    from app.records.reader import ReaderProcess
    from app.services.notebook import PatientRef
    from app.services.openings import Closing, Opened, Openings
    from app.services.worklist import RecordRow
    from app.ui.background import Task
    from app.ui.pages.workplace import Workplace
    from app.ui.readers.frame import RecordFrame


class Lines(Protocol):
    """Whose lines are opened: a practitioner's worklist, or a patient's own records."""

    @property
    def openings(self) -> Openings:
        """How they are opened."""

    def list_records(self, patient: PatientRef, purpose: str) -> tuple[RecordRow, ...]:
        """Have the list of a patient's records released."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an opening is: steps done, in all, and ``recording``, ``opening`` or ``reading``."""

    done: int
    total: int
    what: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """That more of a record was read; ``read`` grows until all of it is there."""

    opened: Opened
    read: Read


@dataclass
class _Shown:
    """A record that is open, the frame that shows it while there is one, and what still reads its later images."""

    row: RecordRow
    opened: Opened
    read: Read
    task: Task | None = None
    view: RecordView | None = None

    def stop_reading(self) -> None:
        """Read no more images, and forget those that were read."""
        if self.task is not None:
            self.task.cancel()
        self.task = None
        self.read.forget()

    @property
    def frame(self) -> RecordFrame | None:
        """The frame, if the window has not deleted it."""
        view = self.view
        return view.frame if view is not None and isValid(view) and isValid(view.frame) else None


class Opener(QObject):
    """Opens lines of the worklist, one at a time, and closes what must not stay open.

    Args:
        worklist: the practitioner's, or the patient's own records; its openings are used.
        reader: the confined reader of untrusted content.
        place: background, clock, zone, settle.
        parent: usually the window.
        back: what the page is called to which a state leads back.

    Signals:
        phase_changed: a ``Phase``, for the pages that list the row.
        shown: a widget to be shown alone.
        left: the shell is to be shown again.
        said: one line for the corner.
        suggestion_wanted: an ``Opened``, values of one row by name, and the record's title.
        record_ended: an ``Opened`` that closed, and the ``State`` that says why.
        ask_wanted: patient id and category.
        lock_wanted: the lock button of a record's header.
    """

    phase_changed = Signal(object)
    shown = Signal(object)
    left = Signal()
    said = Signal(str)
    suggestion_wanted = Signal(object, object, str)
    record_ended = Signal(object, object)
    ask_wanted = Signal(str, str)
    lock_wanted = Signal()

    def __init__(
        self, worklist: Lines, reader: ReaderProcess, place: Workplace, parent: QObject | None, back: str = "Worklist"
    ) -> None:
        super().__init__(parent)
        self._back = (Action("worklist", back),)
        self._worklist, self._reader, self._place = worklist, reader, place
        self._task: Task | None = None
        self._row: RecordRow | None = None
        self._last: RecordRow | None = None
        self._fresh: list[Opened] = []
        self._view: OpeningView | None = None
        self._shown: dict[str, _Shown] = {}
        self._closings: dict[str, Closing] = {}
        self._is_looking = False
        self._answered_at = 0
        self._settling = Settling(place.settle, place.background, place.clock, place.zone, self)
        self._settling.told.connect(self._tell_settling)
        self._timer = QTimer(self, interval=1000)
        self._timer.timeout.connect(self.look)

    @property
    def is_busy(self) -> bool:
        """Whether an opening is under way or its outcome unknown."""
        return self._task is not None or self._settling.is_open

    @property
    def open_records(self) -> tuple[Opened, ...]:
        """What is open."""
        return tuple(each.opened for each in self._shown.values())

    @property
    def open_lines(self) -> tuple[tuple[RecordRow, Opened], ...]:
        """What is open, each with the line it was opened from; without what ended and only still says so."""
        alive = (each for each in self._shown.values() if each.frame is None or not each.frame.is_ended)
        return tuple((each.row, each.opened) for each in alive)

    @property
    def last(self) -> RecordRow | None:
        """The line that was opened last; nothing of the record's content."""
        return self._last

    def forget_last(self) -> None:
        """Forget which line was opened last."""
        self._last = None

    def open(self, row: RecordRow) -> None:
        """Open a record, or the list of a patient's records; nothing happens while another opening is under way."""
        if self.is_busy:
            return
        fresh: list[Opened] = []
        self._row, self._fresh = row, fresh
        self._say(Step.RECORDING)
        if row.state is RowState.NOT_LISTED:
            self._task = self._place.background.follow(
                self,
                lambda _task: self._worklist.list_records(row.patient, row.purpose),
                lambda _progress: None,
                lambda _rows: self._listed(),
                self._failed,
            )
            return
        self._task = self._place.background.follow(
            self,
            lambda task: self._open(row, task, fresh),
            self._progress,
            self._opened,
            lambda error: self._not_opened(row, fresh, error),
        )

    def _open(self, row: RecordRow, task: Task, fresh: list[Opened]) -> tuple[Opened, Read]:
        """Open and read; on a worker. What is open is noted first, so that cancelling never leaves it open."""
        openings = self._worklist.openings
        opened = openings.open(
            row.wanted,
            row.purpose,
            progress=lambda done, total, what: task.report(Progress(done, total, what)),
            cancelled=lambda: task.is_cancelled,
        )

        fresh.append(opened)

        def arrived(read: Read) -> bool:
            task.report(Arrived(opened, read))
            return not task.is_cancelled

        try:
            read = read_record(opened, self._reader, arrived)
        except RefusedError:
            openings.close(opened)
            raise
        if task.is_cancelled:
            read.forget()
            if not read.is_shown:  # otherwise whoever ended it closes it, and says why
                openings.close(opened)
        return opened, read

    def _listed(self) -> None:
        self._task = None
        self._say(Step.IDLE)

    def _progress(self, progress: Progress | Arrived) -> None:
        if isinstance(progress, Arrived):
            self._arrived(progress)
            return
        row = self._row
        if row is None or progress.what == "recording":
            return
        if self._view is None:
            self._say(Step.OPENING)
            at = time_text(self._place.clock(), self._place.zone, seconds=True)
            self._show_view(OpeningView(title_of(row), f"The opening is already recorded, {at}."))
        if self._view is not None and isValid(self._view):
            verb = "Decrypting" if progress.what == "opening" else "Reading"
            noun = "image" if row.category == "image" else "part"
            detail = f"{verb} {noun} {progress.done:,} of {progress.total:,}"
            self._view.loading.report(progress.done, progress.total, detail)

    def _show_view(self, view: OpeningView) -> None:
        self._view = view
        view.cancelled.connect(self.cancel)
        view.acted.connect(self._act)
        self.shown.emit(view)

    def cancel(self) -> None:
        """Stop the work; the entry stays."""
        if self._task is not None and self._row is not None:
            self._task.cancel()
            self._task = None
            for opened in self._fresh:
                self._close_later(self._row, opened, Ending.CLOSED)
            self._end_view(stopped())

    def _end_view(self, state: State) -> None:
        """Say in the window why nothing is shown, with the way back; on the row too."""
        self._say(Step.FAILED if self._row is not None else Step.IDLE, state)
        if self._view is not None and isValid(self._view):
            self._view.show_state(replace(state, actions=self._back))

    def _arrived(self, arrived: Arrived) -> None:
        """Show the first image as soon as it was read, and the others as they come."""
        opened, read = arrived.opened, arrived.read
        shown = self._shown.get(opened.access_id)
        if shown is None and read.has_picture:
            self._begin(opened, read, self._task)
        elif shown is None:
            self._progress(Progress(len(read.images), read.total, "reading"))
        elif shown.view is not None and isValid(shown.view):
            shown.view.add_arrived()

    def _opened(self, opened_and_read: tuple[Opened, Read]) -> None:
        opened, read = opened_and_read
        shown = self._shown.get(opened.access_id)
        if shown is None:
            self._begin(opened, read, None)
            return
        shown.task = None
        self._arrived(Arrived(opened, read))

    def _begin(self, opened: Opened, read: Read, task: Task | None) -> None:
        """Show an open record; another may be opened from now on, even while the later images of this one come."""
        row, self._task = self._row, None
        if row is None:
            return
        self._view = None
        self._last = row
        read.is_shown = True
        self._shown[opened.access_id] = _Shown(row, opened, read, task)
        self._answered_at = self._place.clock()
        self._timer.start()
        self._say(Step.IDLE)
        self.show_again(opened)

    def _not_opened(self, row: RecordRow, fresh: list[Opened], error: Exception) -> None:
        """Say why a record is not shown, or no longer is: half of a record does not stay in the window."""
        for opened in fresh if not isinstance(error, RefusedError) else ():
            self._close_later(row, opened, Ending.CLOSED)
        shown = next((self._shown[each.access_id] for each in fresh if each.access_id in self._shown), None)
        if shown is None:
            self._failed(error)
            return
        shown.stop_reading()
        if shown.frame is not None and not shown.frame.is_ended:
            shown.frame.end(replace(state_of(error), actions=self._back))

    def show_again(self, opened: Opened) -> None:
        """Show an open record, for example after its suggestion; nothing happens once it is closed."""
        shown = self._shown.get(opened.access_id)
        if shown is None:
            return
        view = RecordView(shown.row, opened, shown.read, self._reader, self._place, self._back[0].text)
        shown.view = view
        frame, access_id, row = view.frame, opened.access_id, shown.row
        frame.back_asked.connect(lambda: self._leave(access_id))
        frame.close_asked.connect(lambda: self._leave(access_id))
        frame.lock_asked.connect(self.lock_wanted)
        frame.ran_out.connect(lambda: self._end(access_id, Ending.ENDED))
        frame.more_time_asked.connect(lambda: self._ask_more(access_id))
        frame.acted.connect(lambda key: self._act(key, access_id))
        view.suggestion_wanted.connect(lambda values: self.suggestion_wanted.emit(opened, values, title_of(row)))
        self.shown.emit(frame)

    def _failed(self, error: Exception) -> None:
        self._task = None
        if isinstance(error, UnsettledError):
            self._settling.begin(error)
            return
        state = state_of(error)
        if isinstance(error, ChangedError):
            back = replace(state, actions=self._back)
            self._say(Step.CHANGED, replace(state, actions=()))
            if self._view is None or not isValid(self._view):
                self._show_view(OpeningView("", ""))
            if self._view is not None:
                self._view.show_state(back)
            return
        if isinstance(error, DeniedError):
            self._say(Step.DENIED, state)
            self._go_back()
            return
        self._end_view(replace(state, actions=()))

    def _go_back(self) -> None:
        if self._view is not None:
            self._view = None
            self.left.emit()

    def _tell_settling(self, state: State) -> None:
        self._say(Step.UNKNOWN if self._settling.is_open else Step.FAILED, state)

    def _say(self, step: Step, state: State | None = None) -> None:
        if self._row is not None:
            self.phase_changed.emit(Phase(self._row, step, state))

    def _act(self, key: str, access_id: str = "") -> None:
        if key == "receipt" and access_id in self._closings:
            frame = self._shown_frame(access_id)
            if frame is not None:
                ReceiptSheet(frame, self._closings[access_id], self._place).open()
            return
        self._view = None
        self._shown.pop(access_id, None)
        self._closings.pop(access_id, None)
        self.left.emit()

    def _shown_frame(self, access_id: str) -> RecordFrame | None:
        shown = self._shown.get(access_id)
        return shown.frame if shown is not None else None

    def _ask_more(self, access_id: str) -> None:
        shown = self._shown.get(access_id)
        if shown is not None:
            self._leave(access_id)
            self.ask_wanted.emit(shown.row.patient.patient_id, shown.row.category)

    def _leave(self, access_id: str) -> None:
        """Close at the person's wish: gone from the window at once, purged, receipt recorded."""
        shown = self._shown.pop(access_id, None)
        if shown is not None:
            shown.stop_reading()
        if shown is not None and access_id not in self._closings:
            self._close_later(shown.row, shown.opened, Ending.CLOSED)
        self._closings.pop(access_id, None)
        self.left.emit()

    def look(self) -> None:
        """Ask what must close now; the timer does it every second."""
        if not self._shown:
            self._timer.stop()
        elif not self._is_looking:
            self._is_looking = True
            self._place.background.run(self, self._worklist.openings.ended, self._looked, self._silent)

    def _looked(self, ended: tuple[tuple[Opened, Ending], ...]) -> None:
        self._is_looking = False
        self._answered_at = self._place.clock()
        for opened, ending in ended:
            self._end(opened.access_id, ending)

    def _silent(self, _error: Exception) -> None:
        """Nobody can say what must close; after five minutes of that nothing may stay open (ATTACKS.md A8)."""
        self._is_looking = False
        if self._place.clock() - self._answered_at >= SILENCE:
            for access_id in list(self._shown):
                self._end(access_id, Ending.OFFLINE)

    def _end(self, access_id: str, ending: Ending) -> None:
        """Blank at once, then purge and record the receipt."""
        shown = self._shown.get(access_id)
        if shown is None or access_id in self._closings:
            return
        state = ending_state(shown.row, shown.opened, ending, self._place, self._back)
        if shown.frame is not None and not shown.frame.is_ended:
            shown.frame.end(state)
        shown.stop_reading()
        self.record_ended.emit(shown.opened, replace(state, actions=()))
        if shown.frame is None or shown.frame.isHidden():
            self._shown.pop(access_id)
        self._close_later(shown.row, shown.opened, ending)

    def _close_later(self, row: RecordRow, opened: Opened, ending: Ending) -> None:
        self._place.background.run(
            self,
            lambda: self._worklist.openings.close(opened, ending),
            lambda closing: self._closed(row, closing),
            lambda error: self._not_receipted(row, error),
        )

    def _closed(self, row: RecordRow, closing: Closing) -> None:
        access_id = closing.opened.access_id
        shown = self._shown.get(access_id)
        self.phase_changed.emit(Phase(row, Step.IDLE))
        if shown is None or shown.frame is None:
            receipt = "the receipt recorded" if closing.receipt else "the receipt follows by itself"
            self.said.emit(f"Closed. Your copy is purged, {receipt}.")
            return
        self._closings[access_id] = closing
        if closing.ending is Ending.WITHDRAWN and closing.receipt:
            shown.frame.state_view.show_state(withdrawn(shown.row.patient.name, closing.at, self._place.zone))

    def _not_receipted(self, row: RecordRow, error: Exception) -> None:
        """The plaintext is gone whatever happens; only the receipt is not on the ledger."""
        state = replace(state_of(error), heading="Closed and purged.", actions=())
        self.phase_changed.emit(Phase(row, Step.FAILED, state))

    def stop(self) -> None:
        """Drop everything (lock, sign-out); the desk closes what is open and records the receipts."""
        self._timer.stop()
        self._settling.stop()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for shown in self._shown.values():
            shown.stop_reading()
            if shown.frame is not None and not shown.frame.is_ended:
                shown.frame.end(State("held", "lock", "Locked."))
        self._shown.clear()
        self._closings.clear()
        self._view = self._row = self._last = None
