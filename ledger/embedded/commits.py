"""Group commit: many waiting submits share one block and one fsync.

Whoever submits while nobody commits leads: he commits for all who wait, so that they share a block, wakes them, and
hands the lead to the first who came meanwhile. There is no thread of the ledger's own to start, stop or lose.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.embedded.assembly import Assembly, Candidate
from ledger.embedded.headstate import HeadState
from ledger.embedded.storage import Recorded, Storage
from ledger.execution import Contract
from ledger.gateway import Commit, CommitError, CommitStatusError, GatewayError, SubmitError

MAX_ENTRIES: Final = 1000
"""Entries of one block."""


@dataclass(slots=True)
class _Waiting:
    """A submitted candidate until it is answered.

    Attributes:
        turn: held until there is an answer, or until it is this one's turn to lead.
    """

    candidate: Candidate
    turn: threading.Lock
    answer: Commit | GatewayError | None = None


class Committer:
    """Puts candidates into blocks, from any thread, one block at a time.

    Attributes:
        lock: held while a block is made.

    Args:
        storage: the files.
        state: the head, which it moves.
        contract: the rules, for candidates whose execution was not kept.
        sign: signs a canonical header with the ledger key.
        clock: seconds UTC.
    """

    def __init__(
        self,
        storage: Storage,
        state: HeadState,
        contract: Contract,
        sign: Callable[[bytes], bytes],
        clock: Callable[[], int],
    ) -> None:
        self.lock = threading.Lock()
        self._storage = storage
        self._state = state
        self._contract = contract
        self._sign = sign
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._queue_lock = threading.Lock()
        self._is_led = False

    def commit(self, candidate: Candidate) -> Commit | GatewayError:
        """Return what became of a candidate, once its block is durable."""
        waiting = _Waiting(candidate, threading.Lock())
        waiting.turn.acquire()
        with self._queue_lock:
            self._queue.append(waiting)
            leads, self._is_led = not self._is_led, True
        if not leads:
            waiting.turn.acquire()
        if waiting.answer is None:
            self._lead()
        return waiting.answer or CommitStatusError("interrupted", "", candidate.entry.transaction_id)

    def _lead(self) -> None:
        """Commit what waits; the first in the queue leads, so his own is in it. Then pass the lead on."""
        with self._queue_lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_ENTRIES))]
        try:
            with self.lock:
                self._record(batch)
        finally:
            with self._queue_lock:
                self._is_led = bool(self._queue)
                if self._queue:
                    self._queue[0].turn.release()
            for waiting in batch:
                if waiting.turn.locked():
                    waiting.turn.release()

    def _record(self, batch: Sequence[_Waiting]) -> None:
        """Put what is rightful of ``batch`` into one block, durably, and answer all; under the commit lock."""
        try:
            with self._storage.writing() as state:
                assembly = Assembly(state, self._contract, self._state)
                placed = [assembly.place(waiting.candidate) for waiting in batch]
                head = assembly.store(self._clock(), self._sign)
        except BaseException as error:
            for waiting in batch:
                waiting.answer = SubmitError("storage", str(error), waiting.candidate.entry.transaction_id)
            if not isinstance(error, sqlite3.Error):
                raise
            return
        self._state.publish(head, assembly.writes)
        for waiting, place in zip(batch, placed, strict=True):
            waiting.answer = place if isinstance(place, GatewayError) else answer_of(place)


def answer_of(recorded: Recorded) -> Commit | CommitError:
    """Return the answer of a recorded transaction."""
    if recorded.code:
        return CommitError(recorded.code, "what it read had changed", recorded.transaction_id)
    return Commit(recorded.transaction_id, recorded.block, recorded.index, recorded.at, recorded.response)
