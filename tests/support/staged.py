"""The smallest ledger there is: committed values with versions, execution on a staged state, stale reads refused.

Stricter than either backend (a rule may not read what it wrote) and without signatures: callers are taken as given.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.contract import check_clock, execute, query
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.state import Key, StagedState
from ledger.contract.transaction import Outcome

NOW = 1_800_000_000
"""The tests' usual present: 2027-01-15 08:00:00 UTC."""


class StaleReadError(Exception):
    """What the transaction had read was changed by another one before it was committed."""


@dataclass(frozen=True)
class Endorsed:
    """A transaction that was executed and not yet committed.

    Attributes:
        reads: the version of every key read.
    """

    transaction_id: str
    reads: Mapping[Key, int]
    writes: Mapping[Key, bytes]
    outcome: Outcome


@dataclass
class Archived:
    """Committed values in key order, as queries see them."""

    values: dict[Key, bytes]

    def get(self, key: Key) -> bytes | None:
        return self.values.get(key)

    def scan(self, prefix: Key) -> Iterator[tuple[Key, bytes]]:
        found = [key for key in self.values if key[: len(prefix)] == prefix]
        return iter([(key, self.values[key]) for key in sorted(found)])


@dataclass
class Staged:
    """A ledger in memory.

    Attributes:
        now: the node's clock, seconds UTC; the tests move it.
        sequence: makes transaction ids, the same ones in every run.
    """

    now: int = NOW
    committed: dict[Key, bytes] = field(default_factory=dict)
    versions: dict[Key, int] = field(default_factory=dict)
    block: int = 0
    sequence: int = 0
    journal: list[tuple[str, Endorsed]] = field(default_factory=list)

    def copy(self) -> "Staged":
        """Return a ledger that goes its own way from here."""
        return replace(self, committed={**self.committed}, versions={**self.versions}, journal=[*self.journal])

    def endorse(self, caller: Caller, name: str, arguments: Mapping[str, object], *, at: int | None = None) -> Endorsed:
        """Execute a transaction on what is committed; commits nothing."""
        return self.endorse_bytes(caller, name, encode(dict(arguments)), at=at)

    def endorse_bytes(self, caller: Caller, name: str, arguments: bytes, *, at: int | None = None) -> Endorsed:
        timestamp = self.now if at is None else at
        check_clock(self.now, timestamp)
        self.sequence += 1
        transaction_id = hashlib.sha256(f"transaction {self.sequence}".encode()).hexdigest()
        state = StagedState(Archived(self.committed))
        outcome = execute(state, caller, transaction_id, timestamp, name, arguments)
        reads = {key: self.versions.get(key, 0) for key in state.reads}
        endorsed = Endorsed(transaction_id, reads, dict(state.writes), outcome)
        self.journal.append((name, endorsed))
        return endorsed

    def commit(self, transactions: Sequence[Endorsed]) -> list[bool]:
        """Put transactions into one block; tell of each whether it was valid when its turn came."""
        self.block += 1
        valid = []
        for each in transactions:
            fresh = all(self.versions.get(key, 0) == version for key, version in each.reads.items())
            valid.append(fresh)
            if fresh:
                self.committed |= each.writes
                self.versions |= dict.fromkeys(each.writes, self.block)
        return valid

    def submit(self, caller: Caller, name: str, arguments: Mapping[str, object]) -> dict[str, Json]:
        """Execute and commit one transaction; return its response."""
        endorsed = self.endorse(caller, name, arguments)
        if self.commit([endorsed]) != [True]:
            raise StaleReadError(name)
        return decode_object(endorsed.outcome.response)

    def ask(self, caller: Caller, name: str, arguments: Mapping[str, object]) -> dict[str, Json]:
        """Answer a query."""
        return decode_object(query(Archived(self.committed), caller, self.now, name, encode(dict(arguments))))

    def value(self, *key: str) -> dict[str, Json]:
        """Return a committed value, which must exist."""
        return decode_object(self.committed[key])

    def put(self, key: Key, value: Mapping[str, object]) -> None:
        """Commit a value that no transaction of this issue writes, for example a declared emergency."""
        self.block += 1
        self.committed[key] = encode({**value, "v": 1})
        self.versions[key] = self.block

    def change(self, key: Key, **members: object) -> None:
        """Commit a value with other members than it has."""
        self.put(key, {**self.value(*key), **members})
