"""The contract's table: wire name, form of the arguments, rule; and the two doors through which it is called.

The same code runs in the embedded ledger, in Fabric's chaincode, and in every replica that executes blocks again (A3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ledger.contract import (
    accesses,
    anchors,
    canonical,
    consents,
    exposure,
    members,
    models,
    patients,
    queries,
    receipts,
    records,
    shape,
    suggestions,
)
from ledger.contract.caller import Caller
from ledger.contract.errors import ContractError
from ledger.contract.limits import ARGUMENTS_MAX_BYTES, CLOCK_TOLERANCE
from ledger.contract.parties import ROLES
from ledger.contract.shape import PART, TIME, Fields, Form
from ledger.contract.state import Archive, WorldState
from ledger.contract.transaction import Inquiry, Outcome, Result, Transaction

CONTRACT_VERSION: Final = 1
"""A replica halts at a version it does not know (A46)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A transaction: what its arguments look like, and what it does."""

    form: Form
    run: Callable[[Transaction, Fields], Result]


@dataclass(frozen=True, slots=True)
class Question:
    """A query: what its arguments look like, and what it answers."""

    form: Form
    run: Callable[[Inquiry, Fields], Fields]


REGISTRY: Final[Mapping[str, Rule]] = {
    "RegisterOrganization": Rule(members.REGISTER_ORGANIZATION, members.register_organization),
    "EnrolMember": Rule(members.ENROL_MEMBER, members.enrol),
    "SuspendMember": Rule(members.SUSPEND_MEMBER, members.suspend),
    "RegisterPatient": Rule(patients.REGISTER_PATIENT, patients.register),
    "SetPatientKey": Rule(patients.SET_PATIENT_KEY, patients.set_key),
    "ErasePatient": Rule(patients.ERASE_PATIENT, patients.erase),
    "RegisterRecords": Rule(records.REGISTER_RECORDS, records.register),
    "EraseRecord": Rule(records.ERASE_RECORD, records.erase),
    "ProposeConsent": Rule(consents.PROPOSE_CONSENT, consents.propose),
    "RejectConsent": Rule(consents.REJECT_CONSENT, consents.reject),
    "GrantConsent": Rule(consents.GRANT_CONSENT, consents.grant),
    "RevokeConsent": Rule(consents.REVOKE_CONSENT, consents.revoke),
    "OpenRecords": Rule(accesses.OPEN_RECORDS, accesses.open_records),
    "RecordReleases": Rule(receipts.RECORD_RELEASES, receipts.record_releases),
    "RecordPurge": Rule(receipts.RECORD_PURGE, receipts.record_purge),
    "RegisterModel": Rule(models.REGISTER_MODEL, models.register),
    "VoteModel": Rule(models.VOTE_MODEL, models.vote),
    "RecordSuggestion": Rule(suggestions.RECORD_SUGGESTION, suggestions.record_suggestion),
    "RecordVerdict": Rule(suggestions.RECORD_VERDICT, suggestions.record_verdict),
    "AnchorLedger": Rule(anchors.ANCHOR_LEDGER, anchors.anchor),
}
QUESTIONS: Final[Mapping[str, Question]] = {
    "ReadOrganization": Question(queries.READ_ORGANIZATION, queries.read_organization),
    "ReadMember": Question(queries.READ_MEMBER, queries.read_member),
    "ReadPatient": Question(queries.OF_PATIENT, queries.read_patient_id),
    "FindRecords": Question(queries.OF_PATIENT, queries.find_records),
    "FindConsents": Question(queries.OF_PATIENT, queries.find_consents),
    "FindAccesses": Question(queries.FIND_ACCESSES, queries.find_accesses),
    "FindSuggestions": Question(queries.OF_PATIENT, queries.find_suggestions),
    "FindEmergencies": Question(queries.FIND_EMERGENCIES, queries.find_emergencies),
    "ReadRegistry": Question(queries.READ_REGISTRY, queries.read_registry),
    "PreviewDecision": Question(accesses.OPEN_RECORDS, queries.preview_decision),
    "WhoCouldSee": Question(exposure.WHO_COULD_SEE, queries.exposure),
}


def execute(
    state: WorldState, caller: Caller, transaction_id: str, timestamp: int, name: str, arguments: bytes
) -> Outcome:
    """Apply one transaction; its writes are then in ``state``, of which a refused one leaves nothing to commit.

    Args:
        state: committed state; never read after it is written.
        caller: from a chain-verified certificate.
        transaction_id: lower-case hex SHA-256, part of keys.
        timestamp: the transaction's own time, seconds UTC, that ``check_clock`` accepted when it arrived.
        name: wire name, a key of ``REGISTRY``.
        arguments: canonical bytes of one object, at most 64 KiB.

    Raises:
        ContractError: the rules refuse; its ``code`` is protocol.
    """
    rule = REGISTRY.get(name)
    if rule is None:
        raise ContractError("unknown-transaction", name[:64])
    checked = _checked(caller, transaction_id, timestamp, arguments, rule.form)
    result = rule.run(Transaction(state, caller, timestamp, transaction_id), checked)
    payload = canonical.encode(result.payload)
    return Outcome(canonical.encode(result.response) if result.response else payload, result.event, payload)


def query(archive: Archive, caller: Caller, timestamp: int, name: str, arguments: bytes) -> bytes:
    """Answer one query with canonical bytes; it leaves no trace and proves nothing.

    Raises:
        ContractError: the caller may not ask, or what he names does not exist.
    """
    question = QUESTIONS.get(name)
    if question is None:
        raise ContractError("unknown-transaction", name[:64])
    checked = _checked(caller, "query", timestamp, arguments, question.form)
    return canonical.encode(question.run(Inquiry(archive, caller, timestamp), checked))


def check_clock(node_now: int, timestamp: int) -> None:
    """Refuse a transaction whose time is not the node's; both backends call this before ``execute`` (A5).

    Raises:
        ContractError: ``clock-skew``; the detail is the offset in seconds, positive if the sender's clock is ahead.
    """
    offset = timestamp - node_now
    if abs(offset) > CLOCK_TOLERANCE:
        raise ContractError("clock-skew", str(offset))


def _checked(caller: Caller, transaction_id: str, timestamp: int, arguments: bytes, form: Form) -> Fields:
    """Return the arguments of a call that is well formed in every part."""
    if len(arguments) > ARGUMENTS_MAX_BYTES:
        raise ContractError("limit", "arguments are at most 64 KiB")
    if not all(map(PART, (caller.msp_id, caller.subject, transaction_id))) or not TIME(timestamp):
        raise ContractError("malformed", "caller, transaction id or time")
    if caller.role not in ROLES:
        raise ContractError("wrong-role", caller.role[:64])
    return shape.check(canonical.decode_object(arguments), form)
