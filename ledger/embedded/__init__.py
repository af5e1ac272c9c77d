"""The ledger of one machine: SQLite, signed blocks, no network (PROTOCOL.md C0, ATTACKS.md A42)."""

from ledger.embedded.ledger import EmbeddedLedger, LedgerKey
from ledger.embedded.opening import Anchor, HeadBehindError, LedgerDamagedError
from ledger.embedded.storage import LedgerInUseError, LedgerStorageError

__all__ = [
    "Anchor",
    "EmbeddedLedger",
    "HeadBehindError",
    "LedgerDamagedError",
    "LedgerInUseError",
    "LedgerKey",
    "LedgerStorageError",
]
