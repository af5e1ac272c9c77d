"""Committed state at the head, mostly from memory: what endorsements read.

Each commit would make the page cache of every other SQLite connection worthless, so values that were read or written
lately are kept here with the block that wrote them. The files are the truth; this only spares asking them again.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from ledger.blocks import Head
from ledger.contract.state import Key
from ledger.embedded.storage import Snapshot, Storage

T = TypeVar("T")
_KEPT: Final = 1 << 16
"""Values kept; the oldest half goes when there are more."""


class _AheadError(Exception):
    """The files already hold a block that is not yet the head here; it will be in a moment."""


class View:
    """State at one head, while ``HeadState.at_head`` runs."""

    def __init__(self, state: "HeadState") -> None:
        self._state = state

    @property
    def head(self) -> Head:
        """The head it belongs to."""
        return self._state.head

    def get(self, key: Key) -> bytes | None:
        """Return the value of ``key``."""
        return self._state.read(key)


class HeadState:
    """The head and the state that belongs to it.

    Args:
        storage: the files.
        head: their newest block.
    """

    def __init__(self, storage: Storage, head: Head) -> None:
        self._storage = storage
        self._head = head
        self._changed = threading.Condition(threading.RLock())
        self._values: dict[Key, tuple[bytes | None, int]] = {}

    @property
    def head(self) -> Head:
        """The newest block that is durable and published."""
        return self._head

    def publish(self, head: Head, writes: dict[Key, bytes]) -> None:
        """Make a stored block the head."""
        with self._changed:
            for key, value in writes.items():
                self._values[key] = (value, head.number)
            self._head = head
            self._shrink()
            self._changed.notify_all()

    def wait(self, height: int, timeout: float) -> int:
        """Return the number of blocks once it is above ``height``, or after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._head.number + 1 > height, timeout)
            return self._head.number + 1

    def at_head(self, work: Callable[[View], T]) -> T:
        """Return what ``work`` makes of the state at one head; it may be called again and must do nothing else."""
        while True:
            with self._changed:
                head = self._head
                try:
                    return work(View(self))
                except _AheadError:
                    self._changed.wait_for(partial(self._has_passed, head), 0.05)

    def _has_passed(self, head: Head) -> bool:
        return self._head is not head

    def version(self, key: Key, snapshot: Snapshot) -> int:
        """Return the block that wrote ``key`` last, -1 without one; ``snapshot`` is the head's, held for writing."""
        with self._changed:
            known = self._values.get(key)
        return snapshot.version(key) if known is None else known[1]

    def read(self, key: Key) -> bytes | None:
        """Return the value of ``key`` at the head; only inside ``at_head``."""
        known = self._values.get(key)
        if known is None:
            known = self._storage.read(key)
            if known[1] > self._head.number:
                raise _AheadError
            self._values[key] = known
        return known[0]

    def _shrink(self) -> None:
        if len(self._values) > _KEPT:
            for key in list(self._values)[: _KEPT // 2]:
                del self._values[key]
