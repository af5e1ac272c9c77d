"""What may be asked of the ledger's state; a courtesy towards honest clients, no secrecy (PROTOCOL.md C2, A53).

Whoever can read blocks reads all of this, which is why nothing on the ledger identifies a patient.
"""

from typing import Final

from ledger.contract.accesses import decide_access
from ledger.contract.errors import ContractError
from ledger.contract.exposure import who_could_see
from ledger.contract.limits import PAGE_MAX
from ledger.contract.models import NO_REGISTRY
from ledger.contract.parties import MEMBERS, STAFF, party, read_patient, staff
from ledger.contract.shape import PART, Fields, Form, integer, optional
from ledger.contract.transaction import Inquiry

READ_ORGANIZATION: Final[Form] = {"msp_id": PART}
READ_MEMBER: Final[Form] = {"msp_id": PART, "subject": PART}
OF_PATIENT: Final[Form] = {"patient_id": PART}
FIND_ACCESSES: Final[Form] = {"patient_id": PART, "after": optional(PART), "limit": integer(1, PAGE_MAX)}
FIND_EMERGENCIES: Final[Form] = {"msp_id": PART}
READ_REGISTRY: Final[Form] = {}


def read_organization(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return an organization: where its custodian is and with which key it signs."""
    value = inquiry.read(("organization", arguments["msp_id"]), "unknown-organization")
    return {**arguments, **value}


def read_member(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return a member of staff, as random as his subject."""
    return {**arguments, **inquiry.read(("member", arguments["msp_id"], arguments["subject"]), "unknown-member")}


def read_patient_id(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return a patient id."""
    return {**arguments, **_readable(inquiry, arguments["patient_id"])}


def find_records(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return the records of a patient id: commitments and tags."""
    _readable(inquiry, arguments["patient_id"])
    found = inquiry.scan("record", arguments["patient_id"])
    return {"records": [{"record_id": key[-1], **value} for key, value in found]}


def find_consents(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return every consent there was for a patient id, whatever became of it."""
    _readable(inquiry, arguments["patient_id"])
    found = inquiry.scan("consent", arguments["patient_id"])
    return {"consents": [{"consent_id": key[-1], **value} for key, value in found]}


def find_accesses(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return a page of accesses in the order of their ids, each with its release and purge; ``next`` continues."""
    patient_id = arguments["patient_id"]
    _readable(inquiry, patient_id)
    rest = [each for each in inquiry.scan("access", patient_id) if each[0][-1] > arguments["after"]]
    page = rest[: arguments["limit"]]
    rows = [
        {
            "access_id": key[-1],
            **value,
            "release": inquiry.find(("release", patient_id, key[-1])),
            "purge": inquiry.find(("purge", patient_id, key[-1])),
        }
        for key, value in page
    ]
    return {"accesses": rows, "next": rows[-1]["access_id"] if len(rest) > len(page) else ""}


def find_suggestions(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return the suggestions about a patient id and the verdicts on them."""
    _readable(inquiry, arguments["patient_id"])
    found = inquiry.scan("suggestion", arguments["patient_id"])
    return {"suggestions": [{"suggestion_id": key[-1], **value} for key, value in found]}


def find_emergencies(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return the declared emergencies that concern the caller's hospital, as custodian or as grantee."""
    staff(inquiry, *STAFF)
    msp_id = arguments["msp_id"]
    if inquiry.caller.msp_id != msp_id:
        raise ContractError("wrong-organization")
    rows = []
    for key, value in inquiry.scan("emergency"):
        patient = inquiry.read(("patient", key[1]), "unknown-patient")
        if msp_id in (patient["custodian"], patient["grantee"]):
            rows.append({"patient_id": key[1], "emergency_id": key[-1], **value})
    return {"emergencies": rows}


def read_registry(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return which models may run, and every model with its votes."""
    registry = inquiry.find(("registry",)) or NO_REGISTRY
    models = [{"model_id": key[-1], **value} for key, value in inquiry.scan("model")]
    return {**arguments, **registry, "models": models}


def preview_decision(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return what ``OpenRecords`` would decide now, and which permits came closest where it would deny."""
    ruling = decide_access(inquiry, arguments)
    near = ruling.closest or ((),)
    items = [{**item, "nearest": list(names)} for item, names in zip(ruling.access["items"], near, strict=True)]
    shown = {name: ruling.access[name] for name in ("until", "retention_days", "policy_version")}
    return {**shown, "outcome": ruling.outcome, "items": items}


def exposure(inquiry: Inquiry, arguments: Fields) -> Fields:
    """Return who could see a record at a time, for which purposes and by which consents."""
    return who_could_see(inquiry, arguments, _readable(inquiry, arguments["patient_id"]))


def _readable(inquiry: Inquiry, patient_id: str) -> Fields:
    """Return the patient if the caller is her party, or staff of her custodian or grantee.

    Raises:
        ContractError: as ``party`` and ``staff``; ``wrong-organization``.
    """
    if inquiry.caller.role in ("patient", "proxy"):
        return party(inquiry, patient_id, erased=True).patient
    staff(inquiry, *MEMBERS)
    patient = read_patient(inquiry, patient_id, erased=True)
    if inquiry.caller.msp_id not in (patient["custodian"], patient["grantee"]):
        raise ContractError("wrong-organization")
    return patient
