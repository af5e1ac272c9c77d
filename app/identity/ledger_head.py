"""The head of the embedded ledger, kept where a copied-back older database cannot reach it (ATTACKS.md A42)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from app.identity.keystore import Entry, KeyStore, KeyStoreMismatchError

WRITE_EVERY: Final = 10
"""Seconds: the head is written at most this often, and at close."""

_FORM: Final = re.compile(r"([0-9a-f]{64}) ([0-9]{1,16}) ([0-9a-f]{64})")


class OlderLedgerError(Exception):
    """The ledger's file is behind what this machine has seen: an operator may accept it, it does not open by itself."""


class OtherLedgerError(Exception):
    """The ledger's file is another ledger, or was written anew: it never opens here."""


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """Which ledger, how far, and the hash of its last block.

    Attributes:
        ledger_id: hex SHA-256 of the genesis block.
        height: number of blocks.
        head_hash: hex hash of block ``height - 1``.
    """

    ledger_id: str
    height: int
    head_hash: str

    def to_text(self) -> str:
        """Return at most 146 characters for the key store."""
        return f"{self.ledger_id} {self.height} {self.head_hash}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read ``to_text``.

        Raises:
            KeyStoreMismatchError: another form.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise KeyStoreMismatchError("The ledger head in the key store cannot be read.")
        return cls(match[1], int(match[2]), match[3])


class HeadKeeper:
    """Writes the head to the key store as the ledger grows, and compares it at start."""

    def __init__(self, store: KeyStore, clock: Callable[[], int]) -> None:
        """Keep heads in ``store``; ``clock`` gives seconds UTC."""
        self._store: Final = store
        self._clock: Final = clock
        self._written_at: int | None = None
        self._pending: LedgerHead | None = None

    def seen(self) -> LedgerHead | None:
        """Return the head this machine has seen last, None on a new one.

        Raises:
            KeyStoreError: the key store does not answer.
        """
        text = self._store.get(Entry.LEDGER_HEAD)
        return None if text is None else LedgerHead.from_text(text)

    def verify(self, ledger_id: str, height: int, hash_of: Callable[[int], str]) -> None:
        """Accept a ledger that contains the head this machine has seen last.

        Args:
            ledger_id: of the ledger that is opened.
            height: its number of blocks.
            hash_of: the hex hash of its block of a number.

        Raises:
            OlderLedgerError: it is shorter.
            OtherLedgerError: its block at that height differs, or it is another ledger.
            KeyStoreError: the key store does not answer.
        """
        seen = self.seen()
        if seen is None:
            return
        if seen.ledger_id != ledger_id:
            raise OtherLedgerError("This is another ledger than the one this machine has used. Put that one back.")
        if height < seen.height:
            raise OlderLedgerError(
                f"This is an older copy of the ledger: {height} blocks, {seen.height} were seen. Put the newer one "
                "back, or have an operator accept this one: ./assent accept-ledger"
            )
        if hash_of(seen.height - 1) != seen.head_hash:
            raise OtherLedgerError(
                f"Block {seen.height - 1} of this ledger is not the one this machine has seen. Put that ledger back."
            )

    def note(self, head: LedgerHead) -> None:
        """Take note of a new head; it is written at once or, within 10 s of the last writing, later.

        Raises:
            KeyStoreError: the key store does not keep it.
        """
        self._pending = head
        if self._written_at is None or self._clock() - self._written_at >= WRITE_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what is pending; at close.

        Raises:
            KeyStoreError: the key store does not keep it; it stays pending.
        """
        if self._pending is not None:
            self._store.set(Entry.LEDGER_HEAD, self._pending.to_text())
            self._pending = None
            self._written_at = self._clock()

    def accept(self, head: LedgerHead) -> None:
        """Take a restored ledger as it is; the caller has recorded that as an event."""
        self._pending = head
        self.flush()
