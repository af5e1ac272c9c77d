"""The guards behind ``tests/conftest.py``: network, log lines, threads, timers and windows."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import logging
import re
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

attempts: list[str] = []
"""Addresses beyond loopback that the running test tried to reach; also when it swallowed the error."""

PATIENCE_SECONDS = 5.0
"""How long a thread may take to end after its test."""


class NetworkForbiddenError(OSError):
    """A test tried to reach an address beyond loopback."""


def forbid_network() -> None:
    """Make every connection and datagram of Python's sockets to an address beyond loopback fail."""
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
            attempts.append(str(address))
            raise NetworkForbiddenError(f"tests may not reach {address}")
        return real(self, address)

    return connect


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ExpectedLogs:
    """Log warnings that a test announces."""

    def __init__(self) -> None:
        self._patterns: list[re.Pattern[str]] = []

    def add(self, pattern: str) -> None:
        """Expect lines that contain this regular expression."""
        self._patterns.append(re.compile(pattern))

    def surprises(self, records: list[logging.LogRecord]) -> list[str]:
        """The lines that nobody announced."""
        lines = [f"{record.name}: {record.getMessage()}" for record in records]
        return [line for line in lines if not any(pattern.search(line) for pattern in self._patterns)]


@contextlib.contextmanager
def recorded_warnings() -> Iterator[list[logging.LogRecord]]:
    """Collect every log record from warning upwards that reaches the root logger."""
    records: list[logging.LogRecord] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    collector = Collector(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(collector)
    try:
        yield records
    finally:
        root.removeHandler(collector)


def threads() -> frozenset[threading.Thread]:
    """The threads of Python that are alive."""
    return frozenset(threading.enumerate())


def wait_for_end(look: Callable[[], frozenset[T]], before: frozenset[T]) -> frozenset[T]:
    """What ``look`` shows beyond ``before`` once it no longer changes or patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := look() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def windows() -> frozenset[int]:
    """The identities of the top-level widgets there are; nothing is imported for it."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return frozenset()
    return frozenset(id(widget) for widget in widgets.QApplication.topLevelWidgets())


def assert_no_windows(before: frozenset[int]) -> None:
    """Fail on top-level widgets that were not there before and on timers that still run, after Qt deleted its own."""
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer  # noqa: PLC0415 (only tests with Qt come here)
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415
    from shiboken6 import isValid  # noqa: PLC0415

    def delete_later() -> None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()

    def left() -> list[str]:
        return [
            f"{type(widget).__name__} {widget.objectName()!r} {widget.windowTitle()!r}"
            for widget in QApplication.topLevelWidgets()
            if id(widget) not in before and type(widget).__name__ != "QTipLabel"  # Qt keeps one tooltip for itself
        ]

    delete_later()
    if left():
        gc.collect()
        delete_later()
    assert not left(), f"top-level widgets left: {left()}"
    timers = [item for item in gc.get_objects() if isinstance(item, QTimer)]
    running = [str(timer.parent()) for timer in timers if isValid(timer) and timer.isActive()]
    assert not running, f"timers left running, of: {running}"
