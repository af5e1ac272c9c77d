"""The verified replica: world state recomputed from blocks, believing nothing that a ledger says (PROTOCOL.md E.2).

It is the only source of ``CommittedAccess``, and so the only way to a release. The first difference between what a
block says and what the rules give halts it for good: state stays that of the last right block, and nothing more is
answered as committed (ATTACKS.md A1 to A3, A10).
"""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from itertools import islice
from typing import Final, NoReturn, Protocol, final

import ledger.contract
from ledger.blocks import Block, Entry, Head
from ledger.contract import canonical
from ledger.contract.canonical import Json
from ledger.contract.state import Key
from ledger.execution import Contract, Execution, is_stale, run
from ledger.faults import Fault, LedgerFaultError
from ledger.gateway import Event

_SEAL: Final = object()
"""Only this module has it; without it there is no ``CommittedAccess``."""


class Chain(Protocol):
    """How one kind of ledger's bytes are read and judged; everything else is the replica's."""

    @property
    def network_id(self) -> str:
        """The ledger's id."""

    @property
    def start(self) -> Head:
        """The head before the first block that is fed."""

    def verify_block(self, untrusted_block: bytes, previous: Head) -> Block:
        """Return the block after ``previous``, or raise LedgerFaultError."""

    def verify_envelope(self, untrusted_envelope: bytes) -> Entry:
        """Return one entry of a verified block, or raise LedgerFaultError."""


class BlockSource(Protocol):
    """What a replica follows; every gateway is one."""

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield untrusted blocks from number ``start`` on."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why a replica halted.

    Attributes:
        block: the number at which the difference was found.
        entry: the position in that block, None where it concerns the block as a whole.
        transaction_id: empty where none can be named.
        reason: stable.
        detail: for people, in English.
    """

    block: int
    entry: int | None
    transaction_id: str
    reason: Fault
    detail: str


class ReplicaHaltedError(Exception):
    """The replica found a difference and answers nothing as committed any more."""

    def __init__(self, alarm: Alarm) -> None:
        super().__init__(f"block {alarm.block}: {alarm.reason}")
        self.alarm = alarm


@final
@dataclass(frozen=True, slots=True)
class CommittedAccess:
    """An access that verified blocks hold as valid. Only a replica can make one.

    Attributes:
        patient_id: the pairwise id.
        access_id: the id of the transaction that decided it.
        content: the canonical access value of PROTOCOL.md C1.
        block: number of the block that holds the transaction.
        block_hash: that block's hash, lower-case hex.
        seal: proves the maker.
    """

    patient_id: str
    access_id: str
    content: bytes
    block: int
    block_hash: str
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """Refuse every maker but this module."""
        if seal is not _SEAL:
            raise TypeError("only a replica states that an access is committed")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a committed access does not travel")

    @property
    def value(self) -> dict[str, Json]:
        """The access value, decoded afresh."""
        return canonical.load(self.content)


class Replica:
    """World state, events and hashes of the blocks that were fed, all verified and executed again.

    Safe for several threads; hold ``lock`` to read several values at one height.

    Args:
        chain: the judge of untrusted bytes, which knows the genesis.
        contract: the rules to execute.
    """

    def __init__(self, chain: Chain, contract: Contract = ledger.contract) -> None:
        self.lock = threading.RLock()
        self._chain = chain
        self._contract = contract
        self._head = chain.start
        self._halted: Alarm | None = None
        self._hashes = bytearray.fromhex(self._head.hash)
        self._values: dict[Key, tuple[bytes, int]] = {}
        self._keys: dict[Key, set[Key]] = {}
        self._seen: set[bytes] = set()
        self._events: list[Event] = []

    @property
    def network_id(self) -> str:
        """The ledger's id."""
        return self._chain.network_id

    @property
    def height(self) -> int:
        """Number of verified blocks."""
        return self._head.number + 1

    @property
    def head(self) -> Head:
        """The newest verified block."""
        return self._head

    @property
    def head_hash(self) -> str:
        """Hash of the newest verified block."""
        return self._head.hash

    @property
    def block_time(self) -> int:
        """Time of the newest verified block, seconds UTC."""
        return self._head.at

    @property
    def halted(self) -> Alarm | None:
        """What stopped it, None while all was right."""
        return self._halted

    def block_hash(self, number: int) -> str:
        """Return the hash of a verified block.

        Raises:
            IndexError: there is no such block.
        """
        if not 0 <= number < self.height:
            raise IndexError(number)
        return self._hashes[32 * number : 32 * number + 32].hex()

    def get(self, key: Key) -> bytes | None:
        """Return the committed value of ``key`` at the head."""
        with self.lock:
            found = self._values.get(key)
            return None if found is None else found[0]

    def scan(self, prefix: Key) -> Iterator[tuple[Key, bytes]]:
        """Yield what is at the head below ``prefix``, in key order."""
        with self.lock:
            buckets = [self._keys.get(prefix[:2], set())] if len(prefix) > 1 else list(self._keys.values())
            keys = sorted(key for bucket in buckets for key in bucket if key[: len(prefix)] == prefix)
            found = [(key, self._values[key][0]) for key in keys]
        yield from found

    def everything(self) -> Iterator[tuple[Key, tuple[bytes, int]]]:
        """Yield every key with its value and the number of the block that wrote it last, in no order."""
        with self.lock:
            found = list(self._values.items())
        yield from found

    def events(self, block: int = 0, transaction_id: str = "") -> Iterator[Event]:
        """Yield the events of valid entries after a checkpoint; the same meaning as ``Gateway.events``."""
        with self.lock:
            start = bisect_right(self._events, block - 1, key=lambda event: event.block)
            found = self._events[start:]
        passed = [number for number, event in enumerate(found) if event.transaction_id == transaction_id]
        yield from islice(found, passed[0] + 1 if passed else 0, None)

    def committed_access(self, patient_id: str, access_id: str) -> CommittedAccess | None:
        """Return an access that is committed as valid, or None while there is none.

        Raises:
            ReplicaHaltedError: a difference was found; nothing is released any more.
        """
        with self.lock:
            if self._halted is not None:
                raise ReplicaHaltedError(self._halted)
            if (found := self._values.get(("access", patient_id, access_id))) is None:
                return None
            content, block = found
            return CommittedAccess(patient_id, access_id, content, block, self.block_hash(block), _SEAL)

    def follow(self, source: BlockSource) -> None:
        """Take what ``source`` has beyond the head; stops at the first difference, see ``halted``."""
        with self.lock:
            if self._halted is None:
                for untrusted_block in source.blocks(self.height):
                    if not self.feed(untrusted_block):
                        return

    def feed(self, untrusted_block: bytes) -> bool:
        """Take the block after the head and say whether it was right; after a difference nothing is taken any more."""
        with self.lock:
            if self._halted is not None:
                return False
            index: int | None = None
            pending = _Pending(self.height)
            try:
                block = self._chain.verify_block(untrusted_block, self._head)
                for index, envelope in enumerate(block.envelopes):  # a fault is at this one
                    self._examine(envelope, block, index, pending)
            except LedgerFaultError as fault:
                self._halted = Alarm(self.height, index, fault.transaction_id, fault.fault, fault.detail)
                return False
            self._accept(block, pending)
            return True

    def _examine(self, untrusted_envelope: bytes, block: Block, index: int, pending: "_Pending") -> None:
        """Verify and execute one entry on the state before its block.

        Raises:
            LedgerFaultError: it is not what a rightful ledger would hold.
        """
        entry = self._chain.verify_envelope(untrusted_envelope)
        identity = bytes.fromhex(entry.transaction_id)
        if identity in self._seen or identity in pending.seen:
            raise LedgerFaultError(Fault.DUPLICATE, "recorded before", entry.transaction_id)
        if entry.height >= block.head.number:
            raise LedgerFaultError(Fault.HEIGHT, "endorsed on a state that was not yet", entry.transaction_id)
        execution = self._execute(entry)
        stale = is_stale(execution, entry.height, self._version, pending.written)
        if stale != (index in block.invalid):
            raise LedgerFaultError(
                Fault.VALIDITY, f"the ledger says {'valid' if stale else 'stale'}", entry.transaction_id
            )
        if not stale and execution.outcome is None:
            raise LedgerFaultError(Fault.RULES, f"the rules refuse it: {execution.refusal}", entry.transaction_id)
        pending.seen.add(identity)
        if not stale:
            self._compare_head(entry)
            pending.take(entry, execution)

    def _execute(self, entry: Entry) -> Execution:
        try:
            return run(self._contract, self, entry)
        except Exception as defect:  # noqa: BLE001  # whatever a recorded entry does to the rules must end in an alarm
            raise LedgerFaultError(
                Fault.RULES, f"the rules fail: {type(defect).__name__}", entry.transaction_id
            ) from None

    def _compare_head(self, entry: Entry) -> None:
        """Compare the head that a custodian saw with this chain (ATTACKS.md A10).

        Only an entry that took effect counts: a stale one may be anybody's, whom the rules never judged.

        Raises:
            LedgerFaultError: the custodian follows another version of the ledger.
        """
        if entry.name != "RecordReleases":
            return
        head = canonical.load(entry.arguments).get("head")  # canonical, since the rules took it
        number, seen = (head.get("number"), head.get("hash")) if isinstance(head, dict) else (None, None)
        if not isinstance(number, int):
            return
        if not 0 <= number < self.height or self.block_hash(number) != seen:
            raise LedgerFaultError(Fault.FORK, f"a custodian saw another block {number}", entry.transaction_id)

    def _version(self, key: Key) -> int:
        found = self._values.get(key)
        return -1 if found is None else found[1]

    def _accept(self, block: Block, pending: "_Pending") -> None:
        number = block.head.number
        for key, value in pending.written.items():
            self._values[key] = (value, number)
            self._keys.setdefault(key[:2], set()).add(key)
        self._seen |= pending.seen
        self._events += pending.events
        self._hashes += bytes.fromhex(block.head.hash)
        self._head = block.head


class _Pending:
    """What the entries of one block would change, until all of them were right."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.seen: set[bytes] = set()
        self.written: dict[Key, bytes] = {}
        self.events: list[Event] = []

    def take(self, entry: Entry, execution: Execution) -> None:
        """Add a valid entry."""
        self.written |= execution.writes
        outcome = execution.outcome
        if outcome is not None and outcome.event_name:
            payload = canonical.load(outcome.event_payload)
            self.events.append(Event(outcome.event_name, payload, self._number, entry.transaction_id))
