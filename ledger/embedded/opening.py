"""What an embedded ledger checks of itself before it opens: cheap, whatever its height."""

from dataclasses import dataclass
from typing import Final

from ledger.blocks import EmbeddedChain, Head, hash_of, header_of
from ledger.embedded.storage import Snapshot
from ledger.faults import LedgerFaultError
from ledger.genesis import verify_genesis

_NEWEST: Final = 64


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as it is held elsewhere: in the keyring, in a receipt (ATTACKS.md A42).

    Attributes:
        number: the block's number.
        hash: its hash, lower-case hex.
    """

    number: int
    hash: str


class HeadBehindError(Exception):
    """The files are an older copy, or another version, of the ledger whose head is known from elsewhere."""

    def __init__(self, found: Head, expected: Anchor) -> None:
        super().__init__(f"block {expected.number} was recorded and is not here; this copy ends at {found.number}")
        self.found = found
        self.expected = expected


class LedgerDamagedError(Exception):
    """The genesis block or the newest blocks do not verify."""

    def __init__(self, block: int, detail: str) -> None:
        super().__init__(f"block {block}: {detail}")
        self.block = block
        self.detail = detail


def verify_newest(snapshot: Snapshot, ledger_key: bytes, expected: Anchor | None) -> tuple[EmbeddedChain, Head]:
    """Check genesis, ledger key, the newest blocks and, if one is given, the anchor.

    Raises:
        HeadBehindError: the anchor's block is not here.
        LedgerDamagedError: something does not verify.
    """
    number = 0
    try:
        chain = EmbeddedChain(verify_genesis(snapshot.blocks(0, 1)[0]))
        if chain.genesis.ledger_key != ledger_key:
            raise LedgerDamagedError(0, "the ledger belongs to another ledger key")
        newest = snapshot.head()
        number = max(0, newest.number - _NEWEST)
        head = chain.start if number == 0 else snapshot.head_at(number)
        for block in snapshot.blocks(number + 1, _NEWEST + 1):
            number += 1
            head = chain.verify_block(block, head).head
    except (LedgerFaultError, IndexError) as error:
        raise LedgerDamagedError(number, str(error)) from None
    if head != newest:
        raise LedgerDamagedError(newest.number, "blocks are missing")
    if expected is not None and _hash_at(snapshot, chain, expected.number) != expected.hash:
        raise HeadBehindError(head, expected)
    return chain, head


def _hash_at(snapshot: Snapshot, chain: EmbeddedChain, number: int) -> str:
    """Return the hash of a stored block from its content, empty where there is none."""
    found = snapshot.blocks(number, 1)
    if number == 0:
        return chain.network_id
    return hash_of(header_of(found[0])) if found else ""
