"""What a rule is given and what it gives back.

A rule is a function of a ``Transaction`` and its checked arguments; it reads keys, writes some of them, and returns one
``Result``. A query is a function of an ``Inquiry``. Both see state through ``find`` and ``read``.
"""

from dataclasses import dataclass, field
from typing import Final

from ledger.contract import canonical
from ledger.contract.caller import Caller
from ledger.contract.errors import ContractError
from ledger.contract.shape import Fields
from ledger.contract.state import Archive, Committed, Key, WorldState

STATE_VERSION: Final = 1
"""Stands as ``v`` in every state value (A46)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Committed state as one caller sees it at one time.

    Attributes:
        timestamp: seconds UTC, the transaction's own; the contract knows no other clock (A5).
    """

    state: Committed
    caller: Caller
    timestamp: int

    def find(self, key: Key) -> Fields | None:
        """Return the value of ``key``, or None."""
        raw = self.state.get(key)
        return None if raw is None else canonical.load(raw)

    def read(self, key: Key, code: str) -> Fields:
        """Return the value of ``key``.

        Raises:
            ContractError: ``code``; there is none.
        """
        value = self.find(key)
        if value is None:
            raise ContractError(code, "/".join(key))
        return value


@dataclass(frozen=True, slots=True)
class Inquiry(Reader):
    """What a query is given: it may scan, it cannot write."""

    state: Archive

    def scan(self, *prefix: str) -> list[tuple[Key, Fields]]:
        """Return key and value of everything below ``prefix``, in key order."""
        return [(key, canonical.load(raw)) for key, raw in self.state.scan(prefix)]


@dataclass(frozen=True, slots=True)
class Transaction(Reader):
    """What a rule is given: point reads and writes."""

    state: WorldState
    transaction_id: str

    def require_absent(self, *keys: Key) -> None:
        """Read keys that must have no value yet.

        Raises:
            ContractError: ``already-exists``.
        """
        for key in keys:
            if self.state.get(key) is not None:
                raise ContractError("already-exists", "/".join(key))

    def write(self, key: Key, value: Fields) -> None:
        """Stage the new value of a key that was read before."""
        self.state.put(key, canonical.encode({**value, "v": STATE_VERSION}))


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule announces: one event of ids and codes (Fabric keeps only a transaction's last one).

    Attributes:
        response: what the submitter gets; public, the event's payload unless a rule says more.
    """

    event: str
    payload: Fields
    response: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transaction as executed: its writes are in the state it was given.

    Attributes:
        response: canonical bytes for the submitter; in the block, so public.
        event_name, event_payload: the one event; the payload is canonical bytes.
    """

    response: bytes
    event_name: str
    event_payload: bytes
