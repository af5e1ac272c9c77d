"""Run one entry over committed state and say whether it was stale: the same for ledger, custodian and auditor.

A transaction of block N is valid if, executed on the state before N, no key that it read was written after the height
of its endorsement, nor by an earlier valid transaction of block N. This is Fabric's rule (MVCC) with heights in place
of a read set, and it is computable from blocks alone because submits use point reads only (ATTACKS.md A2).
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Protocol

from ledger.blocks import Entry
from ledger.contract.caller import Caller
from ledger.contract.errors import ContractError
from ledger.contract.state import Archive, Committed, Key, StagedState, WorldState


class Outcome(Protocol):
    """What the contract answers to a submit."""

    @property
    def response(self) -> bytes:
        """Canonical public response."""

    @property
    def event_name(self) -> str:
        """The one event, empty for none."""

    @property
    def event_payload(self) -> bytes:
        """Canonical object of ids and codes."""


class Contract(Protocol):
    """The rules, as ``ledger.contract`` has them; tests hand in others."""

    def execute(
        self, state: WorldState, caller: Caller, transaction_id: str, timestamp: int, name: str, arguments: bytes, /
    ) -> Outcome:
        """Write one transaction's effects to ``state``, or raise ContractError."""

    def query(self, archive: Archive, caller: Caller, timestamp: int, name: str, arguments: bytes, /) -> bytes:
        """Return a query's canonical answer, or raise ContractError."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One entry as executed on some committed state.

    Attributes:
        reads: the keys it read; where it was refused, those up to the refusal.
        writes: its new values; empty where it was refused.
        outcome: None where it was refused.
        refusal: the contract's reason, None where it was not refused.
    """

    reads: tuple[Key, ...]
    writes: dict[Key, bytes] = field(default_factory=dict)
    outcome: Outcome | None = None
    refusal: ContractError | None = None


def run(contract: Contract, committed: Committed, entry: Entry) -> Execution:
    """Execute ``entry`` on ``committed``, which stays as it is."""
    state = StagedState(committed)
    try:
        outcome = contract.execute(state, entry.caller, entry.transaction_id, entry.at, entry.name, entry.arguments)
    except ContractError as refusal:
        return Execution(tuple(state.reads), refusal=refusal)
    return Execution(tuple(state.reads), state.writes, outcome)


def is_stale(execution: Execution, height: int, version_of: Callable[[Key], int], written: Container[Key]) -> bool:
    """Has something that was read changed since ``height``?

    Args:
        execution: on the state before the block.
        height: the last block whose state the endorsement read.
        version_of: the block that wrote a key last; negative for a key without value.
        written: the keys that earlier valid transactions of the same block wrote.
    """
    return any(key in written or version_of(key) > height for key in execution.reads)
