"""The one door off the GUI thread: outcomes arrive on it, in silence where nobody listens any more."""

from __future__ import annotations

import sys
import threading
from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import delete

from app.ui.background import Background, CancelledError, Task

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def never(error: object) -> None:
    raise AssertionError(error)


def test_the_outcome_arrives_on_the_gui_thread(qtbot: QtBot, background: Background) -> None:
    owner = QObject()
    seen: list[tuple[str, threading.Thread]] = []

    def note(name: str) -> None:
        seen.append((name, threading.current_thread()))

    background.run(owner, lambda: threading.current_thread().name, note, never)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0][0].startswith("background")
    assert seen[0][1] is threading.main_thread()


def test_five_hundred_jobs_all_arrive(qtbot: QtBot, background: Background) -> None:
    owner = QObject()
    seen: list[Any] = []
    for number in range(500):
        background.run(owner, partial(mul, number, 2), seen.append, never)
    qtbot.waitUntil(lambda: len(seen) == 500)
    assert sorted(seen) == list(range(0, 1000, 2))


def test_a_failure_goes_to_failed_only(qtbot: QtBot, background: Background) -> None:
    owner = QObject()
    errors: list[Exception] = []

    def work() -> None:
        raise ValueError("no")

    background.run(owner, work, never, errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], ValueError)


def test_silence_when_the_owner_was_deleted_meanwhile(qtbot: QtBot, background: Background) -> None:
    owner, other = QWidget(), QObject()
    seen: list[object] = []
    gate = threading.Event()
    background.run(owner, gate.wait, never, never)
    delete(owner)
    gate.set()
    background.run(other, lambda: None, seen.append, never)
    background.run(other, lambda: None, seen.append, never)
    qtbot.waitUntil(lambda: len(seen) == 2)


def test_progress_is_the_newest_and_on_the_gui_thread(qtbot: QtBot, background: Background) -> None:
    owner = QObject()
    seen: list[Any] = []
    ended: list[str] = []

    def work(task: Task) -> str:
        for number in range(1000):
            task.report(number)
        return "done"

    background.follow(
        owner, work, lambda report: seen.append((report, threading.current_thread())), ended.append, never
    )
    qtbot.waitUntil(lambda: bool(ended))
    assert seen[-1][0] == 999
    assert {thread for _, thread in seen} == {threading.main_thread()}
    assert [report for report, _ in seen] == sorted(report for report, _ in seen)


def test_a_cancelled_task_says_nothing_more(qtbot: QtBot, background: Background) -> None:
    owner, other = QObject(), QObject()
    seen: list[object] = []
    started, stopped = threading.Event(), threading.Event()

    def work(task: Task) -> None:
        started.set()
        try:
            while not task.wait(5):
                task.report(1)
            task.check()
        finally:
            stopped.set()

    task = background.follow(owner, work, never, never, never)
    assert started.wait(5)
    task.cancel()
    assert task.is_cancelled
    assert stopped.wait(5)
    background.run(other, lambda: None, seen.append, never)
    qtbot.waitUntil(lambda: bool(seen))


def test_check_raises_only_once_cancelled() -> None:
    task = Task(never)
    task.check()
    task.cancel()
    with pytest.raises(CancelledError):
        task.check()


def test_a_task_that_ends_in_spite_of_cancel_is_not_reported(qtbot: QtBot, background: Background) -> None:
    owner, other = QObject(), QObject()
    seen: list[object] = []
    gate = threading.Event()
    task = background.follow(owner, lambda _task: gate.wait(5), never, never, never)
    task.cancel()
    gate.set()
    background.run(other, lambda: None, seen.append, never)
    qtbot.waitUntil(lambda: bool(seen))


def test_shutdown_stops_long_jobs_and_takes_no_more(qapp: QApplication) -> None:
    background, owner = Background(1), QObject()
    started = threading.Event()

    def work(task: Task) -> None:
        started.set()
        while not task.wait(60):
            task.report(0)

    background.follow(owner, work, never, never, never)
    assert started.wait(5)
    background.shutdown()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("background")]
    with pytest.raises(RuntimeError):
        background.run(owner, lambda: None, never, never)
    QCoreApplication.processEvents()


class Ticker(QObject):
    ticked = Signal(object)


def test_qt_does_not_lose_references_to_none_and_true(qtbot: QtBot, background: Background) -> None:
    """PySide6 6.12.0 did, and aborted the process after some thousand calls (FACTS.md)."""
    if sys.version_info >= (3, 12):
        assert sys.getrefcount(None) == sys.getrefcount(None)  # immortal there
        return
    ticker, owner = Ticker(), QWidget()
    seen: list[bool] = []
    ticker.ticked.connect(lambda value: seen.append(bool(value)))

    def round_trip(count: int) -> None:
        for number in range(count):
            ticker.ticked.emit(None if number % 2 else True)
            owner.setEnabled(bool(number % 2))
            owner.isEnabled()
            QApplication.processEvents()

    round_trip(100)
    before = sys.getrefcount(None), sys.getrefcount(True)  # noqa: FBT003
    round_trip(2_000)
    after: tuple[Any, ...] = (sys.getrefcount(None), sys.getrefcount(True))  # noqa: FBT003
    assert abs(after[0] - before[0]) < 200
    assert abs(after[1] - before[1]) < 1_200  # ``seen`` holds a thousand
    owner.deleteLater()
