"""What a replica is told by the judge of one kind of ledger: heads, blocks and entries, whichever ledger it is.

A ``Chain`` turns untrusted bytes into verified entries; the replica executes them (PROTOCOL.md E.2). The embedded
ledger states the height of an endorsement and leaves the rest to be recomputed. Fabric states what an entry read, wrote
and answered: its ``Claim``, which is compared with what the rules give.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ledger.contract.caller import Caller
from ledger.contract.state import Key

Version = tuple[int, int]
"""Block and position of the entry that wrote a key last."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block of a chain; anchors elsewhere hold number and hash (ATTACKS.md A42).

    Attributes:
        number: 0 for the genesis block.
        hash: lower-case hex SHA-256 by which the next block names it.
        at: the block's time, seconds UTC.
    """

    number: int
    hash: str
    at: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a ledger says that an entry read and did; true only if the rules give the same.

    Attributes:
        reads: each key with the version that was read, None for a key without value.
        writes: each key with its new value.
        beside: what was read of the ledger's administration, which the contract does not see.
        response, event_name, event_payload: as ``ledger.execution.Outcome`` has them.
    """

    reads: Mapping[Key, Version | None]
    writes: Mapping[Key, bytes]
    beside: Mapping[Key, Version | None] = field(default_factory=dict)
    response: bytes = b""
    event_name: str = ""
    event_payload: bytes = b""

    def is_stale(self, version_of: Callable[[Key], Version | None], written: Container[Key]) -> bool:
        """Has something that was read changed since (Fabric's rule, MVCC)?

        Args:
            version_of: the version of a key in the state before the block.
            written: the keys that earlier valid entries of the same block wrote.
        """
        return any(
            key in written or version_of(key) != version for key, version in (*self.reads.items(), *self.beside.items())
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A call of the contract whose form, network, creator, signatures and endorsements are verified.

    Attributes:
        at: the client's time, seconds UTC.
        arguments: bytes as signed; whether they are canonical is the contract's check.
        height: number of the last block whose state its endorsement read, where the ledger states that.
        claim: what the ledger says that it did, where the ledger states that.
    """

    transaction_id: str
    caller: Caller
    at: int
    name: str
    arguments: bytes
    height: int = -1
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Administrative:
    """A verified entry of the ledger's own administration, which calls no rule of the contract.

    Attributes:
        transaction_id: empty where it has none.
        claim: the keys of its own that it read and wrote; none is a key of the contract.
    """

    transaction_id: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Block:
    """A block whose form, linkage, signature and content are verified; its entries are not.

    Attributes:
        invalid: positions of the entries that, as the ledger says, took no effect.
        after: the judge of the next block, for this one may change whom the ledger trusts.
    """

    head: Head
    invalid: tuple[int, ...]
    envelopes: tuple[bytes, ...]
    after: "Chain"


class Chain(Protocol):
    """How one kind of ledger's bytes are read and judged; everything else is the replica's."""

    @property
    def network_id(self) -> str:
        """The ledger's id."""

    @property
    def start(self) -> Head:
        """The head before the first block that is fed."""

    @property
    def records_refused(self) -> bool:
        """May blocks hold envelopes that the ledger itself refuses, marked as invalid?"""

    def verify_block(self, untrusted_block: bytes, previous: Head) -> Block:
        """Return the block after ``previous``, or raise LedgerFaultError."""

    def verify_envelope(self, untrusted_envelope: bytes) -> Entry | Administrative:
        """Return one entry of a verified block, or raise LedgerFaultError."""

    def calls(self, untrusted_block: bytes, block_hash: str) -> Mapping[str, bytes]:
        """Return the arguments of each call by its transaction id, from a block that was verified before.

        Args:
            untrusted_block: the block, read again.
            block_hash: the hash of the block that was verified.

        Raises:
            LedgerFaultError: it is not that block.
        """
