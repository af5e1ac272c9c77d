"""The ledger as an auditor looks at it: verified anew on request, block by block, and exported for the verifier."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.services.entries import integer, objects
from app.services.machine import Machine
from app.services.openings import Progress, StoppedError
from ledger.blocks import Entry, envelopes_of, hash_of, header_of, verify_envelope
from ledger.contract.canonical import Json, decode_object, load
from ledger.genesis import Genesis
from ledger.replica import Replica

DENIED: Final = "deny"


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One block in the list.

    Attributes:
        number: from 0, the genesis block.
        at: seconds UTC.
        entries: how many.
        size: bytes as stored.
        hash: lower-case hex.
    """

    number: int
    at: int
    entries: int
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of a block.

    Attributes:
        number: from 1.
        name: of the transaction, as on the wire.
        msp_id: of the caller.
        subject: of the caller; names are joined only for the own hospital.
        role: of the caller.
        result: ``valid``, ``denied`` (valid, access was refused) or ``stale``.
        transaction_id: lower-case hex.
        arguments: as signed, indented.
    """

    number: int
    name: str
    msp_id: str
    subject: str
    role: str
    result: str
    transaction_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class BlockDetail:
    """One block with its entries.

    Attributes:
        row: as in the list.
        previous: hash of the block before it.
        merkle_root: of its entries.
        entries: in their order.
    """

    row: BlockRow
    previous: str
    merkle_root: str
    entries: tuple[EntryRow, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying the whole ledger.

    Attributes:
        ok: nothing was changed.
        blocks: how many verified.
        total: how many there are.
        entries: signatures of clients verified.
        seconds: it took.
        at: seconds UTC.
        damaged_block: number of the first wrong block, or None.
        damaged_entry: position in it, from 1, or None if the block as a whole is wrong.
        reason: stable code of what is wrong, or empty.
        detail: for people.
    """

    ok: bool
    blocks: int
    total: int
    entries: int
    seconds: float
    at: int
    damaged_block: int | None = None
    damaged_entry: int | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LedgerAudit:
    """The ledger page's work.

    Attributes:
        machine: this installation.
        new_replica: makes an empty replica of the same ledger.
        export: writes the ledger to a file.
    """

    machine: Machine
    new_replica: Callable[[], Replica]
    export: Callable[[Path], None]

    def verify(self, progress: Progress, cancelled: Callable[[], bool]) -> Verification:
        """Verify every block and execute every entry again, from the genesis block on.

        Raises:
            StoppedError: cancelled.
        """
        started, replica = time.perf_counter(), self.new_replica()
        total = self.machine.gateway.wait(-1, 0)
        entries = 0
        for block in self.machine.gateway.blocks(1):
            if cancelled():
                raise StoppedError
            progress(replica.height, total, "verifying")
            if not replica.feed(block):
                break
            entries += len(envelopes_of(block))
        alarm, took, now = replica.halted, time.perf_counter() - started, self.machine.clock()
        if alarm is None:
            return Verification(
                ok=True, blocks=replica.height, total=max(total, replica.height), entries=entries, seconds=took, at=now
            )
        return Verification(
            ok=False,
            blocks=replica.height,
            total=total,
            entries=entries,
            seconds=took,
            at=now,
            damaged_block=alarm.block,
            damaged_entry=None if alarm.entry is None else alarm.entry + 1,
            reason=alarm.reason.value,
            detail=alarm.detail,
        )

    def blocks(self) -> tuple[BlockRow, ...]:
        """Return all blocks, newest first."""
        rows = [_row(self._genesis(), number, block) for number, block in enumerate(self.machine.gateway.blocks(0))]
        return tuple(reversed(rows))

    def block(self, number: int) -> BlockDetail:
        """Return one block with its entries; of the genesis block there are none.

        Raises:
            LookupError: there is no such block.
        """
        for content in self.machine.gateway.blocks(number):
            row = _row(self._genesis(), number, content)
            if number == 0:
                return BlockDetail(row, "", "", ())
            header = load(header_of(content))
            stale = frozenset(header["invalid"]) if isinstance(header["invalid"], list) else frozenset()
            entries = tuple(
                self._entry(place, envelope, is_stale=place in stale)
                for place, envelope in enumerate(envelopes_of(content))
            )
            return BlockDetail(row, str(header["previous"]), str(header["merkle_root"]), entries)
        raise LookupError(number)

    def _entry(self, place: int, envelope: bytes, *, is_stale: bool) -> EntryRow:
        entry = verify_envelope(envelope, self._genesis())
        arguments = decode_object(entry.arguments)
        return EntryRow(
            number=place + 1,
            name=entry.name,
            msp_id=entry.caller.msp_id,
            subject=entry.caller.subject,
            role=entry.caller.role,
            result="stale" if is_stale else self._result(entry, arguments),
            transaction_id=entry.transaction_id,
            arguments=json.dumps(arguments, indent=1),
        )

    def _result(self, entry: Entry, arguments: dict[str, Json]) -> str:
        if entry.name != "OpenRecords":
            return "valid"
        access = self.machine.find("access", str(arguments["patient_id"]), entry.transaction_id)
        items = [] if access is None else objects(access["items"])
        return "denied" if all(item["outcome"] == DENIED for item in items) else "valid"

    def _genesis(self) -> Genesis:
        return self.machine.genesis


def _row(genesis: Genesis, number: int, block: bytes) -> BlockRow:
    if number == 0:
        return BlockRow(0, genesis.at, 0, len(block), genesis.network_id)
    content = header_of(block)
    header = load(content)
    return BlockRow(number, integer(header["at"]), integer(header["count"]), len(block), hash_of(content))
