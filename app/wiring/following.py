"""Following the ledger for as long as the window lives: custodians do what it asks of them, silence is noticed."""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.custodian.messages import CustodianRefusal
from app.ui.background import Task
from app.wiring.installation import Installation
from ledger.embedded.storage import LedgerStorageError
from ledger.gateway import GatewayError

_LOOK: Final = 0.5
"""Seconds between looks while nothing is recorded."""
_RETRY: Final = 2.0
"""Seconds until a silent ledger is asked again."""
_SILENCE: Final = (CustodianRefusal, GatewayError, LedgerStorageError, OSError, sqlite3.Error)


@dataclass(frozen=True, slots=True)
class Followed:
    """How far the ledger was followed.

    Attributes:
        height: number of blocks.
        at: time of the newest block, seconds UTC.
        silent_since: when the ledger stopped answering, seconds UTC; None while it answers.
    """

    height: int
    at: int
    silent_since: int | None = None


class Follower:
    """One job in the background.

    Args:
        installation: open.
        clock: seconds UTC.
    """

    def __init__(self, installation: Installation, clock: Callable[[], int]) -> None:
        self._installation, self._clock = installation, clock
        self._now = threading.Event()

    def look_now(self) -> None:
        """Do not wait for the next try."""
        self._now.set()

    def run(self, task: Task) -> None:
        """Follow until the task is cancelled; a ledger that does not answer is asked again and again.

        Raises:
            LedgerDamagedError, ReplicaHaltedError: the ledger was changed; nothing goes on.
        """
        told: Followed | None = None
        while not task.is_cancelled:
            followed = self._look()
            if followed.silent_since is not None and told is not None and told.silent_since is not None:
                followed = Followed(followed.height, followed.at, told.silent_since)
            if followed != told:
                told = followed
                task.report(followed)
            if followed.silent_since is None:
                self._installation.machine.gateway.wait(followed.height, _LOOK)
            else:
                self._wait(task)

    def _look(self) -> Followed:
        replica = self._installation.machine.replica
        try:
            self._installation.tick()
        except _SILENCE:
            return Followed(replica.height, replica.block_time, self._clock())
        return Followed(replica.height, replica.block_time)

    def _wait(self, task: Task) -> None:
        self._now.clear()
        waited = 0.0
        while waited < _RETRY and not task.is_cancelled and not self._now.wait(_LOOK / 2):
            waited += _LOOK / 2
