"""What may be wrong with the bytes of a ledger, whichever ledger it is."""

from enum import StrEnum


class Fault(StrEnum):
    """Why a block or an entry is not what a rightful ledger would hold."""

    GENESIS = "genesis"
    FORM = "form"
    NUMBER = "number"
    PREVIOUS = "previous"
    TIME = "time"
    BLOCK_SIGNATURE = "block-signature"
    COUNT = "count"
    MERKLE_ROOT = "merkle-root"
    ENVELOPE = "envelope"
    NETWORK = "network"
    ORGANIZATION = "organization"
    CERTIFICATE = "certificate"
    SIGNATURE = "signature"
    HEIGHT = "height"
    DUPLICATE = "duplicate"
    RULES = "rules"
    VALIDITY = "validity"
    FORK = "two-versions-of-the-ledger"
    STORAGE = "storage"


class LedgerFaultError(Exception):
    """Untrusted bytes are not a rightful block or entry.

    Attributes:
        fault: the reason, stable.
        detail: for people, in English.
        transaction_id: empty where none can be named.
    """

    def __init__(self, fault: Fault, detail: str, transaction_id: str = "") -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail
        self.transaction_id = transaction_id
