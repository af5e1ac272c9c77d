"""One block in the making: which waiting envelopes become entries, and which of these are stale."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.blocks import Entry, Head, block_content, envelopes_of, hash_of, header_content, transaction_part
from ledger.embedded.headstate import HeadState
from ledger.embedded.storage import Recorded, Snapshot
from ledger.execution import Contract, Execution, is_stale, run
from ledger.faults import Fault
from ledger.gateway import EndorseError, Envelope

if TYPE_CHECKING:
    from ledger.contract.state import Key

STALE_READ: Final = "stale-read"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rightly signed envelope that waits for a block.

    Attributes:
        execution: at its height, None if it was not kept. As long as nothing that it read has changed since, it is also
            the execution on the state before the block.
    """

    envelope: Envelope
    entry: Entry
    execution: Execution | None


class Assembly:
    """Collects entries over the state before the block.

    Attributes:
        writes: the new values of its valid entries.

    Args:
        state: the head, held for writing.
        contract: the rules.
        known: the head's state in memory.
    """

    def __init__(self, state: Snapshot, contract: Contract, known: HeadState) -> None:
        self._state = state
        self._contract = contract
        self._known = known
        self._previous = known.head
        self._number = self._previous.number + 1
        self._envelopes: list[bytes] = []
        self._recorded: dict[str, Recorded] = {}
        self.writes: dict[Key, bytes] = {}

    def place(self, candidate: Candidate) -> Recorded | EndorseError:
        """Give a candidate its place in this block, or find the one it has; or say why it gets none."""
        transaction_id = candidate.entry.transaction_id
        known = self._recorded.get(transaction_id) or self._state.find(transaction_id)
        if known is not None:
            if self._is_same(candidate, known):
                return known
            return EndorseError(Fault.DUPLICATE, "another transaction has this id", transaction_id)
        if candidate.entry.height > self._previous.number:
            return EndorseError(Fault.HEIGHT, "endorsed on a state that is not yet", transaction_id)
        execution = candidate.execution or run(self._contract, self._state, candidate.entry)
        stale = is_stale(execution, candidate.entry.height, self._version, self.writes)
        if not stale and execution.refusal is not None:
            return EndorseError(execution.refusal.code, execution.refusal.detail, transaction_id)
        recorded = self._describe(candidate.entry, None if stale else execution)
        self._envelopes.append(candidate.envelope.content)
        self._recorded[transaction_id] = recorded
        if not stale:
            self.writes |= execution.writes
        return recorded

    def store(self, now: int, sign: Callable[[bytes], bytes]) -> Head:
        """Store the block, if it has entries, and return the head after it."""
        if not self._envelopes:
            return self._previous
        at = max(now, self._previous.at)
        invalid = [one.index for one in self._recorded.values() if one.code]
        header = header_content(self._number, self._previous.hash, at, self._envelopes, invalid)
        content = block_content(header, sign(header), self._envelopes)
        head = Head(self._number, hash_of(header), at)
        self._state.append(head, content, self.writes, self._recorded.values())
        return head

    def _version(self, key: "Key") -> int:
        return self._known.version(key, self._state)

    def _describe(self, entry: Entry, execution: Execution | None) -> Recorded:
        index = len(self._envelopes)
        if execution is None or execution.outcome is None:
            return Recorded(entry.transaction_id, self._number, index, entry.at, STALE_READ, "", b"", b"")
        outcome = execution.outcome
        return Recorded(
            entry.transaction_id,
            self._number,
            index,
            entry.at,
            "",
            outcome.event_name,
            outcome.event_payload,
            outcome.response,
        )

    def _is_same(self, candidate: Candidate, known: Recorded) -> bool:
        """Is it the same signed transaction? The id covers nonce and creator only."""
        if known.block == self._number:
            envelopes = self._envelopes
        else:
            envelopes = envelopes_of(self._state.blocks(known.block, 1)[0])
        return transaction_part(envelopes[known.index]) == transaction_part(candidate.envelope.content)
