"""Consents: asked for by a practitioner, granted, narrowed, refused or ended by the patient's party (PROTOCOL.md C2).

What a consent means stands in its provisions, compiled from the artefact that she signed; here only its life is ruled.
"""

from dataclasses import dataclass
from typing import Final

from ledger.contract import wire
from ledger.contract.errors import ContractError
from ledger.contract.parties import of_custodian, of_grantee, party
from ledger.contract.policies import added, holds, removed
from ledger.contract.shape import HASH, PART, Fields, Form, integer, is_list, is_object, optional
from ledger.contract.transaction import Result, Transaction

_TERMS: Final[Form] = {"base": is_object, "nested": is_list, "retention_days": integer(0)}
_NAMED: Final[Form] = {"patient_id": PART, "consent_id": PART}
PROPOSE_CONSENT: Final[Form] = {**_NAMED, **_TERMS, "reason_commitment": HASH}
REJECT_CONSENT: Final[Form] = _NAMED
GRANT_CONSENT: Final[Form] = {**_NAMED, **_TERMS, "artefact_commitment": HASH, "replaces": optional(PART)}
REVOKE_CONSENT: Final[Form] = _NAMED

_NEXT: Final = {
    ("absent", "propose"): "proposed",
    ("absent", "grant"): "active",
    ("proposed", "grant"): "active",
    ("absent", "record"): "proposed",
    ("proposed", "record"): "proposed",
    ("proposed", "reject"): "rejected",
    ("active", "revoke"): "inactive",
    ("active", "replace"): "inactive",
}
_ABSENT: Final[Fields] = {
    "status": "absent",
    "asked": None,
    "granted": None,
    "proposer": "",
    "performer": "",
    "recorded_by": "",
    "confirmed_by": "",
    "artefact_commitment": "",
    "reason_commitment": "",
    "proposed_at": None,
    "granted_at": None,
    "ended_at": None,
    "replaces": "",
}


@dataclass(frozen=True, slots=True)
class _Signing:
    """Who gives a consent, and what it then amounts to.

    Attributes:
        action: ``grant`` by the party, ``record`` of a paper that a second person must confirm (A29).
    """

    action: str
    performer: str
    until: int | None


def propose(tx: Transaction, arguments: Fields) -> Result:
    """Ask the patient for a consent; nothing is allowed by it."""
    terms = _terms(arguments)
    of_grantee(tx, arguments["patient_id"], "practitioner")
    key = _key(arguments)
    tx.require_absent(key)
    proposed = {
        "status": _next(_ABSENT, "propose"),
        "asked": terms,
        "proposer": tx.caller.subject,
        "reason_commitment": arguments["reason_commitment"],
        "proposed_at": tx.timestamp,
    }
    tx.write(key, {**_ABSENT, **proposed})
    return _result("ConsentProposed", arguments, "proposed")


def reject(tx: Transaction, arguments: Fields) -> Result:
    """Answer a request with no."""
    party(tx, arguments["patient_id"])
    _end(tx, arguments["patient_id"], arguments["consent_id"], "reject")
    return _result("ConsentRejected", arguments, "rejected")


def grant(tx: Transaction, arguments: Fields) -> Result:
    """Put a consent in force, with what the patient narrowed; a recorded paper stays proposed until it is confirmed."""
    terms, replaced = _terms(arguments), arguments["replaces"]
    patient_id, consent_id = arguments["patient_id"], arguments["consent_id"]
    signing = _signing(tx, patient_id)
    key = _key(arguments)
    consent = tx.find(key) or _ABSENT
    status = _next(consent, signing.action)
    end = terms["base"]["valid_until"]
    if end is not None and end <= tx.timestamp:
        raise ContractError("expired", "the consent is over already")
    if replaced:
        _next(tx.read(("consent", patient_id, replaced), "unknown-consent"), "replace")
    granted = {**terms, "authority": [None, signing.until]}
    value = {
        **consent,
        "status": status,
        "granted": granted,
        "performer": signing.performer,
        "recorded_by": tx.caller.subject,
        "artefact_commitment": arguments["artefact_commitment"],
        "proposed_at": tx.timestamp if _begins(consent, status) else consent["proposed_at"],
        "granted_at": tx.timestamp if status == "active" else None,
        "replaces": replaced,
    }
    if status == "active":
        policy = tx.read(("policy", patient_id), "unknown-patient")
        tx.write(("policy", patient_id), added(policy, {"id": consent_id, **granted}, replaced, tx.timestamp))
        if replaced:
            _end(tx, patient_id, replaced, "replace")
    tx.write(key, value)
    return _result("ConsentGranted", arguments, status)


def revoke(tx: Transaction, arguments: Fields) -> Result:
    """End a consent. On paper instruction a registrar may, unless that would lift a refusal, which opens (A29)."""
    patient_id, consent_id = arguments["patient_id"], arguments["consent_id"]
    by_office = tx.caller.role == "registrar"
    if by_office:
        of_custodian(tx, patient_id, "registrar")
    else:
        party(tx, patient_id)
    consent = tx.read(_key(arguments), "unknown-consent")
    _next(consent, "revoke")
    if by_office and holds(consent["granted"], "deny"):
        raise ContractError("forbidden", "ending a refusal needs the patient")
    _end(tx, patient_id, consent_id, "revoke")
    policy = tx.read(("policy", patient_id), "unknown-patient")
    tx.write(("policy", patient_id), removed(policy, consent_id))
    return _result("ConsentRevoked", arguments, "inactive")


def _signing(tx: Transaction, patient_id: str) -> _Signing:
    if tx.caller.role == "registrar":
        of_custodian(tx, patient_id, "registrar")
        return _Signing("record", "paper", None)
    signer = party(tx, patient_id)
    return _Signing("grant", signer.kind, signer.until)


def _terms(arguments: Fields) -> Fields:
    """Return {base, nested, retention_days} once they are well formed."""
    wire.check_terms(arguments["base"], arguments["nested"], arguments["retention_days"])
    return {name: arguments[name] for name in _TERMS}


def _end(tx: Transaction, patient_id: str, consent_id: str, action: str) -> None:
    """Move a consent to its last status."""
    key = ("consent", patient_id, consent_id)
    consent = tx.read(key, "unknown-consent")
    tx.write(key, {**consent, "status": _next(consent, action), "ended_at": tx.timestamp})


def _next(consent: Fields, action: str) -> str:
    status = _NEXT.get((consent["status"], action))
    if status is None:
        raise ContractError("illegal-transition", f"{action}: {consent['status']}")
    return status


def _begins(consent: Fields, status: str) -> bool:
    """Tell whether a consent becomes proposed just now: a paper that nobody had asked for."""
    return status == "proposed" and consent["status"] == "absent"


def _key(arguments: Fields) -> tuple[str, str, str]:
    return ("consent", arguments["patient_id"], arguments["consent_id"])


def _result(event: str, arguments: Fields, status: str) -> Result:
    payload = {"patient_id": arguments["patient_id"], "consent_id": arguments["consent_id"], "status": status}
    return Result(event, payload)
