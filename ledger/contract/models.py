"""Which diagnostic models may run: the hospitals vote, one vote each; one hospital alone can stop a model (A21)."""

from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.parties import staff
from ledger.contract.shape import HASH, PART, Fields, Form, one_of
from ledger.contract.transaction import Reader, Result, Transaction

REGISTER_MODEL: Final[Form] = {"model_id": PART, "model_hash": HASH}
VOTE_MODEL: Final[Form] = {"model_id": PART, "vote": one_of("approve", "suspend")}
NO_REGISTRY: Final[Fields] = {"epoch": 0, "approved": []}
"""The registry before the first model."""


def register(tx: Transaction, arguments: Fields) -> Result:
    """Propose a model by the hash of its manifest; it may run once more than half of the hospitals approve it."""
    _steward(tx)
    model_id = arguments["model_id"]
    tx.require_absent(("model", model_id))
    registry = tx.find(("registry",)) or NO_REGISTRY
    tx.write(("model", model_id), {"model_hash": arguments["model_hash"], "votes": [], "status": "proposed"})
    return _register_epoch(tx, registry, "ModelRegistered", model_id, "proposed")


def vote(tx: Transaction, arguments: Fields) -> Result:
    """Give the vote of the caller's hospital; its newest counts. A suspension holds at once and voids all approvals."""
    _steward(tx)
    model_id, cast = arguments["model_id"], arguments["vote"]
    model = tx.read(("model", model_id), "unknown-model")
    network = tx.read(("network",), "unknown-organization")
    registry = tx.find(("registry",)) or NO_REGISTRY
    line = {"msp_id": tx.caller.msp_id, "subject": tx.caller.subject, "vote": cast, "at": tx.timestamp}
    others = [each for each in model["votes"] if each["msp_id"] != tx.caller.msp_id]
    standing = [each for each in others if cast == "approve" or each["vote"] == "suspend"]
    votes = sorted([*standing, line], key=lambda each: str(each["msp_id"]))
    status = _status(model["status"], votes, cast, len(network["organizations"]))
    tx.write(("model", model_id), {**model, "votes": votes, "status": status})
    return _register_epoch(tx, registry, "ModelVoted", model_id, status)


def _status(status: str, votes: list[Fields], cast: str, organizations: int) -> str:
    if cast == "suspend":
        return "suspended"
    approvals = sum(each["vote"] == "approve" for each in votes)
    return "approved" if 2 * approvals > organizations else status


def _register_epoch(tx: Transaction, registry: Fields, event: str, model_id: str, status: str) -> Result:
    """Begin a new epoch, so that nothing decided under the old list is accepted any more."""
    others = [each for each in registry["approved"] if each != model_id]
    approved = sorted([*others, model_id]) if status == "approved" else others
    epoch = registry["epoch"] + 1
    tx.write(("registry",), {"epoch": epoch, "approved": approved})
    return Result(event, {"model_id": model_id, "status": status, "epoch": epoch})


def _steward(reader: Reader) -> None:
    if not staff(reader, "practitioner")["steward"]:
        raise ContractError("forbidden", "a data steward's")
