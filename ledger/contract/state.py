"""World state as a transaction may see it: point reads, one write per key, and never its own writes."""

from collections.abc import Iterator
from typing import Protocol

Key = tuple[str, ...]
"""Object type first, for example ``("consent", patient_id, consent_id)``. Parts match ``[A-Za-z0-9.-]{1,64}``."""


class ReadAfterWriteError(Exception):
    """A rule read a key that it had written; Fabric would answer with the old value (a defect of the contract)."""


class RewriteError(Exception):
    """A rule wrote a key without reading it first, or twice (a defect of the contract, PROTOCOL.md C3)."""


class Committed(Protocol):
    """Committed values, as the backend holds them."""

    def get(self, key: Key) -> bytes | None:
        """Return the committed value of ``key``, or None."""


class WorldState(Protocol):
    """What a submitted transaction is given: no scan, no delete, no clock."""

    def get(self, key: Key) -> bytes | None:
        """Return the committed value of ``key``, or None; it joins the read set."""

    def put(self, key: Key, value: bytes) -> None:
        """Stage ``value`` for ``key``, which was read before and is written once."""


class Archive(Protocol):
    """What queries are given. ``scan`` yields keys that begin with all parts of ``prefix``, in key order."""

    def get(self, key: Key) -> bytes | None:
        """Return the committed value of ``key``, or None."""

    def scan(self, prefix: Key) -> Iterator[tuple[Key, bytes]]:
        """Yield ``(key, value)`` of every key that begins with the parts of ``prefix``, in key order."""


class StagedState:
    """Read and write set of one execution, over committed state; stricter than either backend.

    Attributes:
        reads: every key read, in order of the first read, with the committed value.
        writes: every key written, with its new value.
    """

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        self.reads: dict[Key, bytes | None] = {}
        self.writes: dict[Key, bytes] = {}

    def get(self, key: Key) -> bytes | None:
        """Return the committed value of ``key``.

        Raises:
            ReadAfterWriteError: this transaction already wrote ``key``.
        """
        if key in self.writes:
            raise ReadAfterWriteError(key)
        if key not in self.reads:
            self.reads[key] = self._committed.get(key)
        return self.reads[key]

    def put(self, key: Key, value: bytes) -> None:
        """Stage ``value`` for ``key``.

        Raises:
            RewriteError: ``key`` was not read before, or was already written.
        """
        if key in self.writes or key not in self.reads:
            raise RewriteError(key)
        self.writes[key] = value
