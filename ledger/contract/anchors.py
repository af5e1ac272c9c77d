"""Anchors: a head of another history that an operator puts on this ledger, to hold it against that one (A42, A43)."""

from typing import Final

from ledger.contract.parties import staff
from ledger.contract.shape import HASH, Fields, Form, integer, optional
from ledger.contract.transaction import Result, Transaction

ANCHOR_LEDGER: Final[Form] = {
    "ledger_id": HASH,
    "height": integer(1),
    "head_hash": HASH,
    "archive_hash": optional(HASH),
}


def anchor(tx: Transaction, arguments: Fields) -> Result:
    """Keep how far a history went and which block was its last; an empty archive hash says that no archive is kept."""
    staff(tx, "operator")
    key = ("anchor", tx.caller.msp_id, arguments["ledger_id"])
    tx.require_absent(key)
    kept = {name: arguments[name] for name in ("height", "head_hash", "archive_hash")}
    tx.write(key, {**kept, "at": tx.timestamp})
    return Result("LedgerAnchored", {"msp_id": tx.caller.msp_id, "ledger_id": arguments["ledger_id"]})
