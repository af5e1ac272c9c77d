"""The idle lock's clock: how long nobody has touched keyboard or mouse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal

from app.ui.theme import timing

if TYPE_CHECKING:
    from collections.abc import Callable

SOON_SECONDS: Final = 30
"""The last part of the countdown, shown in the colour of waiting."""

_INPUT: Final = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
    }
)


class IdleClock(QObject):
    """Counts down while nothing is typed or moved. ``ticked`` carries the seconds left, ``ran_out`` comes once.

    Args:
        clock: monotonic seconds.
    """

    ticked = Signal(int)
    ran_out = Signal()

    def __init__(self, parent: QObject, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._limit = timing("idle_lock_s")
        self._last = clock()
        self._timer = QTimer(self, interval=1000)
        self._timer.timeout.connect(self.tick)

    @property
    def limit(self) -> int:
        """Seconds until it locks."""
        return self._limit

    @property
    def is_running(self) -> bool:
        """Whether it counts: somebody's work is on the screen."""
        return self._timer.isActive()

    def set_limit(self, seconds: int) -> None:
        """Choose another time, 1 to 15 minutes; the hospital's upper limit is the caller's to keep."""
        self._limit = seconds
        self.touch()

    def start(self) -> None:
        """Count from now."""
        self.touch()
        application = QCoreApplication.instance()
        if application is not None and not self._timer.isActive():
            application.installEventFilter(self)
        self._timer.start()
        self.tick()

    def stop(self) -> None:
        """Do not count (locked, signed out)."""
        self._timer.stop()
        application = QCoreApplication.instance()
        if application is not None:
            application.removeEventFilter(self)

    def touch(self) -> None:
        """Somebody is there."""
        self._last = self._clock()

    def tick(self) -> None:
        """Look at the clock."""
        left = self._limit - int(self._clock() - self._last)
        if left > 0:
            self.ticked.emit(left)
            return
        self.stop()
        self.ran_out.emit()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Qt's: any input counts."""
        if event.type() in _INPUT:
            self.touch()
        return False
