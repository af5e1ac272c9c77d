"""Organizations and their people: who is on the ledger, with which key, and whether he still may act (B3, B6).

A member is named by a random subject; name and department are on a badge, of which only a commitment stands here (A19).
"""

from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.limits import FUNCTIONS_MAX, GROUPS_MAX, HISTORY_MAX
from ledger.contract.parties import MEMBERS, OFFICES, staff
from ledger.contract.shape import ENDPOINT, HASH, PART, SPKI, Fields, Form, ascending, is_flag, one_of, optional
from ledger.contract.transaction import Result, Transaction

REGISTER_ORGANIZATION: Final[Form] = {
    "custodian_key": SPKI,
    "endpoint": ENDPOINT,
    "tls_root_hash": optional(HASH),
    "badge_commitment": HASH,
}
ENROL_MEMBER: Final[Form] = {
    "subject": PART,
    "role": one_of(*MEMBERS),
    "key_hash": HASH,
    "badge_commitment": HASH,
    "emergency": is_flag,
    "steward": is_flag,
    "functions": ascending(PART, FUNCTIONS_MAX),
    "groups": ascending(PART, GROUPS_MAX),
}
SUSPEND_MEMBER: Final[Form] = {"subject": PART}

_ENROLLED_BY: Final = {
    "operator": "operator",
    "registrar": "operator",
    "privacy-officer": "operator",
    "custodian": "operator",
    "practitioner": "registrar",
    "proxy": "registrar",
}
_NEXT: Final = {("active", "suspend"): "suspended"}


def register_organization(tx: Transaction, arguments: Fields) -> Result:
    """Put the caller's hospital on the ledger and enrol him, its first operator."""
    caller = tx.caller
    if caller.role != "operator":
        raise ContractError("wrong-role", caller.role)
    network = tx.find(("network",)) or {"organizations": []}
    organization_key, member_key = ("organization", caller.msp_id), ("member", caller.msp_id, caller.subject)
    tx.require_absent(organization_key, member_key)
    tx.write(("network",), {"organizations": sorted([*network["organizations"], caller.msp_id])})
    organization = {name: arguments[name] for name in ("custodian_key", "endpoint", "tls_root_hash")}
    tx.write(organization_key, {**organization, "groups": [], "since": tx.timestamp})
    operator = {
        "role": "operator",
        "key_hash": caller.key_hash,
        "badge_commitment": arguments["badge_commitment"],
        "emergency": False,
        "steward": False,
        "functions": [],
        "groups": [],
    }
    tx.write(member_key, _standing(tx, operator, "active"))
    return Result("OrganizationRegistered", {"msp_id": caller.msp_id})


def enrol(tx: Transaction, arguments: Fields) -> Result:
    """Let a person or a service of the caller's hospital act, with the key whose hash is given."""
    role, subject = arguments["role"], arguments["subject"]
    staff(tx, _ENROLLED_BY[role])
    if subject == tx.caller.subject:
        raise ContractError("same-person")
    if role != "practitioner" and (arguments["emergency"] or arguments["steward"]):
        raise ContractError("malformed", "emergency and steward are a practitioner's")
    key = ("member", tx.caller.msp_id, subject)
    tx.require_absent(key)
    tx.write(key, _standing(tx, {name: value for name, value in arguments.items() if name != "subject"}, "active"))
    return Result("MemberEnrolled", {"msp_id": tx.caller.msp_id, "subject": subject, "role": role})


def suspend(tx: Transaction, arguments: Fields) -> Result:
    """Stop a member from acting, from the next ordered transaction on; his accesses in flight become invalid."""
    subject = arguments["subject"]
    staff(tx, *(MEMBERS if subject == tx.caller.subject else OFFICES))
    key = ("member", tx.caller.msp_id, subject)
    member = tx.read(key, "unknown-member")
    status = _NEXT.get((member["status"], "suspend"))
    if status is None:
        raise ContractError("illegal-transition", member["status"])
    tx.write(key, _standing(tx, member, status))
    return Result("MemberSuspended", {"msp_id": tx.caller.msp_id, "subject": subject})


def _standing(tx: Transaction, member: Fields, status: str) -> Fields:
    """Return the member with its new status and, as the newest line of its history, what holds from now on."""
    line = {name: member[name] for name in ("key_hash", "emergency", "steward", "functions", "groups")}
    line |= {"status": status, "since": tx.timestamp, "by": tx.caller.subject}
    return {**member, "status": status, "history": [*member.get("history", []), line][-HISTORY_MAX:]}
