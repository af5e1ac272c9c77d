"""Diagnostic suggestions and the verdicts on them: that there was one and who answered, never what it says (A21).

An uncertain suggestion stays open until two different practitioners have answered; so does one that its first reader
hands to a second.
"""

from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.limits import VERDICTS_MAX
from ledger.contract.models import NO_REGISTRY
from ledger.contract.parties import of_grantee
from ledger.contract.shape import HASH, PART, Fields, Form, integer, one_of, optional
from ledger.contract.transaction import Result, Transaction

RECORD_SUGGESTION: Final[Form] = {
    "patient_id": PART,
    "access_id": PART,
    "suggestion_id": PART,
    "registry_epoch": integer(0),
    "outcome": one_of("certain", "uncertain", "declined"),
    "commitment": HASH,
}
RECORD_VERDICT: Final[Form] = {
    "patient_id": PART,
    "suggestion_id": PART,
    "number": integer(1),
    "verdict": one_of("accept", "override", "second-reader"),
    "reason_code": optional(one_of("disagree", "quality", "other-evidence")),
    "commitment": HASH,
}


def record_suggestion(tx: Transaction, arguments: Fields) -> Result:
    """Record that an approved model answered about what this access allowed it to use."""
    patient_id, suggestion_id = arguments["patient_id"], arguments["suggestion_id"]
    of_grantee(tx, patient_id, "practitioner")
    access = tx.read(("access", patient_id, arguments["access_id"]), "unknown-access")
    _check_access(tx, access)
    registry = tx.find(("registry",)) or NO_REGISTRY
    if not registry["approved"] or registry["epoch"] != arguments["registry_epoch"]:
        raise ContractError("not-approved")
    key = ("suggestion", patient_id, suggestion_id)
    tx.require_absent(key)
    kept = ("access_id", "registry_epoch", "outcome", "commitment")
    by = {"msp_id": tx.caller.msp_id, "subject": tx.caller.subject}
    value = {name: arguments[name] for name in kept} | {"by": by, "status": "open", "verdicts": []}
    tx.write(key, value)
    return Result(
        "SuggestionRecorded",
        {"patient_id": patient_id, "suggestion_id": suggestion_id, "outcome": arguments["outcome"]},
    )


def record_verdict(tx: Transaction, arguments: Fields) -> Result:
    """Append a practitioner's answer; nothing is edited, the newest counts."""
    patient_id, suggestion_id = arguments["patient_id"], arguments["suggestion_id"]
    if arguments["verdict"] == "override" and not arguments["reason_code"]:
        raise ContractError("malformed", "an override has a reason")
    of_grantee(tx, patient_id, "practitioner")
    key = ("suggestion", patient_id, suggestion_id)
    suggestion = tx.read(key, "unknown-suggestion")
    given = suggestion["verdicts"]
    if arguments["number"] != len(given) + 1:
        raise ContractError("illegal-transition", "not the next verdict")
    if len(given) >= VERDICTS_MAX:
        raise ContractError("limit", f"{VERDICTS_MAX} verdicts")
    if given and suggestion["status"] == "open" and given[-1]["by"]["subject"] == tx.caller.subject:
        raise ContractError("same-person", "the second reader is another person")
    line = {name: arguments[name] for name in ("number", "verdict", "reason_code", "commitment")}
    line |= {"by": {"msp_id": tx.caller.msp_id, "subject": tx.caller.subject}, "at": tx.timestamp}
    status = _status(suggestion["outcome"], arguments["verdict"], arguments["number"])
    tx.write(key, {**suggestion, "verdicts": [*given, line], "status": status})
    payload = {"patient_id": patient_id, "suggestion_id": suggestion_id, "number": arguments["number"]}
    return Result("VerdictRecorded", {**payload, "status": status})


def _status(outcome: str, verdict: str, number: int) -> str:
    """Return whether the suggestion still waits for a second reader."""
    awaits_second = outcome == "uncertain" and number == 1
    return "open" if awaits_second or verdict == "second-reader" else "answered"


def _check_access(tx: Transaction, access: Fields) -> None:
    """Only who holds a running access for inference may state what came of it."""
    if access["by"]["subject"] != tx.caller.subject or access["by"]["msp_id"] != tx.caller.msp_id:
        raise ContractError("forbidden", "another person's access")
    permitted = any(item["outcome"] == "permit" for item in access["items"])
    if access["purpose"] != "TREATDS" or access["kind"] == "index" or not permitted:
        raise ContractError("forbidden", "no inference was permitted")
    if tx.timestamp >= access["until"]:
        raise ContractError("expired", "the access is over")
