"""The one door off the GUI thread (STYLE.md 4): services block, so pages call them here.

``work`` runs on a worker and touches no Qt. What it hands back arrives on the GUI thread, and only while the object
that asked still lives.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
P = TypeVar("P")


class CancelledError(Exception):
    """Raised inside work that was asked to stop; neither ``done`` nor ``failed`` is called for it."""


@final
class Task:
    """What reporting work holds: it says how far it is, and hears whether it should stop. Safe on any thread."""

    def __init__(self, deliver: Callable[[object], None]) -> None:
        self._deliver = deliver
        self._stop = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        """Whether the work should stop."""
        return self._stop.is_set()

    def check(self) -> None:
        """Go on, or stop here.

        Raises:
            CancelledError: the work should stop.
        """
        if self.is_cancelled:
            raise CancelledError

    def wait(self, seconds: float) -> bool:
        """Rest for up to ``seconds``; return True at once when the work should stop."""
        return self._stop.wait(seconds)

    def report(self, progress: object) -> None:
        """Tell the GUI how far the work is. Only the newest report is delivered when they come faster than it draws."""
        self._deliver(progress)

    def cancel(self) -> None:
        """Ask the work to stop. What is already recorded on the ledger stays recorded."""
        self._stop.set()


class Background(QObject):
    """Runs work off the GUI thread. ``done``, ``failed`` and ``progress`` run on it, if ``owner`` still lives."""

    _settled = Signal(object)

    def __init__(self, workers: int = 4, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="background")
        self._settled.connect(self._call, Qt.ConnectionType.QueuedConnection)
        self._tasks: set[Task] = set()
        self._guard = threading.Lock()
        self._undelivered = 0

    @property
    def pending(self) -> int:
        """How many jobs run, or have not handed back what they brought."""
        return self._undelivered

    @property
    def job_count(self) -> int:
        """How many jobs run, or have not handed back yet what they made; reporting ones are among them."""
        return self._undelivered

    @property
    def task_count(self) -> int:
        """How many reporting jobs go on that nobody asked to stop."""
        with self._guard:
            return sum(not task.is_cancelled for task in self._tasks)

    def run(
        self,
        owner: QObject,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> Future[T]:
        """Run ``work`` once.

        Args:
            owner: usually the page; once it is deleted nothing is called any more.
            work: blocks; touches no Qt.
            done: gets what ``work`` returned, on the GUI thread.
            failed: gets what it raised, on the GUI thread.

        Raises:
            RuntimeError: after ``shutdown``.
        """
        future = self._pool.submit(work)
        self._undelivered += 1

        def deliver() -> None:
            self._undelivered -= 1
            if future.cancelled() or not isValid(owner):
                return
            error = future.exception()
            if isinstance(error, CancelledError):
                return
            if isinstance(error, Exception):
                failed(error)
            else:
                done(future.result())

        future.add_done_callback(lambda _: self._settled.emit(deliver))
        return future

    def follow(
        self,
        owner: QObject,
        work: Callable[[Task], T],
        progress: Callable[[Any], None],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> Task:
        """Run work that reports on its way and can be cancelled; long-lived jobs too (``task.wait`` between looks).

        Args:
            owner: as in ``run``; deleting it does not stop the work, ``Task.cancel`` does.
            work: gets its ``Task``; calls ``report`` and, in every loop, ``check`` or ``wait``.
            progress: gets the newest report, on the GUI thread.
            done: as in ``run``; not called once the task is cancelled.
            failed: as in ``run``; not called once the task is cancelled.
        """
        newest: list[object] = []
        guard = threading.Lock()

        def show() -> None:
            with guard:
                report = newest.pop()
                newest.clear()
            if isValid(owner) and not task.is_cancelled:
                progress(report)

        def deliver(report: object) -> None:
            with guard:
                newest.append(report)
                is_waiting = len(newest) > 1
            if not is_waiting:
                self._settled.emit(show)

        task = Task(deliver)
        with self._guard:
            self._tasks.add(task)

        def end(answer: Callable[[T], None]) -> Callable[[T], None]:
            return lambda value: None if task.is_cancelled else answer(value)

        def fail(error: Exception) -> None:
            if not task.is_cancelled:
                failed(error)

        future = self.run(owner, lambda: work(task), end(done), fail)
        future.add_done_callback(lambda _: self._forget(task))
        return task

    def shutdown(self) -> None:
        """Stop taking work, ask all tasks to stop and wait for the workers.

        It must be called before this object dies: a late emit would otherwise raise on the worker (tried).
        """
        with self._guard:
            tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self, task: Task) -> None:
        with self._guard:
            self._tasks.discard(task)

    @Slot(object)
    def _call(self, deliver: Callable[[], None]) -> None:
        deliver()
