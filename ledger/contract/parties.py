"""Who is calling: a member of staff, the patient, or a proxy of hers (PROTOCOL.md B1, B2, C2).

The certificate says who; the ledger's entry says what that person may. Both must name the same key (A4).
"""

from dataclasses import dataclass
from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.shape import Fields
from ledger.contract.transaction import Reader

OFFICES: Final = ("operator", "registrar", "privacy-officer")
STAFF: Final = (*OFFICES, "custodian", "practitioner")
MEMBERS: Final = (*STAFF, "proxy")
ROLES: Final = frozenset({*MEMBERS, "patient"})


@dataclass(frozen=True, slots=True)
class Party:
    """The patient, or someone who acts for her.

    Attributes:
        kind: ``patient`` or ``proxy``.
        patient: the value of the patient id.
        until: seconds UTC when the proxy's authority ends; None for the patient.
    """

    kind: str
    patient: Fields
    until: int | None = None


def staff(reader: Reader, *roles: str) -> Fields:
    """Return the caller's member entry, active, with his key and one of ``roles``.

    Raises:
        ContractError: ``not-enrolled``, ``suspended``, ``wrong-key``, ``wrong-role``.
    """
    caller = reader.caller
    member = reader.read(("member", caller.msp_id, caller.subject), "not-enrolled")
    if member["status"] != "active":
        raise ContractError("suspended")
    if member["key_hash"] != caller.key_hash:
        raise ContractError("wrong-key")
    if member["role"] != caller.role or caller.role not in roles:
        raise ContractError("wrong-role", caller.role)
    return member


def read_patient(reader: Reader, patient_id: str, *, erased: bool = False) -> Fields:
    """Return the value of a patient id, which must live unless ``erased`` is allowed.

    Raises:
        ContractError: ``unknown-patient``, ``illegal-transition``.
    """
    patient = reader.read(("patient", patient_id), "unknown-patient")
    _refuse_erased(patient, erased=erased)
    return patient


def of_custodian(reader: Reader, patient_id: str, *roles: str, erased: bool = False) -> Fields:
    """Return the patient value for staff with one of ``roles`` of that id's custodian; nobody else's, ever (B5).

    Raises:
        ContractError: those of ``staff`` and ``read_patient``, ``wrong-organization``.
    """
    return _of(reader, patient_id, "custodian", roles, erased=erased)


def of_grantee(reader: Reader, patient_id: str, *roles: str, erased: bool = False) -> Fields:
    """Return the patient value for staff with one of ``roles`` of that id's grantee (A38).

    Raises:
        ContractError: those of ``staff`` and ``read_patient``, ``wrong-organization``.
    """
    return _of(reader, patient_id, "grantee", roles, erased=erased)


def party(reader: Reader, patient_id: str, *, erased: bool = False) -> Party:
    """Return the patient's party that the caller is: she herself by her key, or an active proxy.

    Raises:
        ContractError: ``unknown-patient``, ``wrong-organization``, ``wrong-key``, ``wrong-role``, ``forbidden``,
            ``illegal-transition``, those of ``staff`` for a proxy.
    """
    caller = reader.caller
    patient = reader.read(("patient", patient_id), "unknown-patient")
    if caller.msp_id != patient["custodian"]:
        raise ContractError("wrong-organization")
    found = _herself(reader, patient) if caller.subject == patient_id else _proxy(reader, patient_id, patient)
    _refuse_erased(patient, erased=erased)
    return found


def _herself(reader: Reader, patient: Fields) -> Party:
    if reader.caller.key_hash != patient["key_hash"]:
        raise ContractError("wrong-key")
    if reader.caller.role != "patient":
        raise ContractError("wrong-role", reader.caller.role)
    return Party("patient", patient)


def _proxy(reader: Reader, patient_id: str, patient: Fields) -> Party:
    proxy = reader.find(("proxy", patient_id, reader.caller.subject))
    if proxy is None or proxy["status"] != "active" or reader.timestamp >= proxy["until"]:
        raise ContractError("forbidden", "neither the patient nor an active proxy")
    staff(reader, "proxy")
    return Party("proxy", patient, proxy["until"])


def _of(reader: Reader, patient_id: str, side: str, roles: tuple[str, ...], *, erased: bool) -> Fields:
    staff(reader, *roles)
    patient = reader.read(("patient", patient_id), "unknown-patient")
    if reader.caller.msp_id != patient[side]:
        raise ContractError("wrong-organization")
    _refuse_erased(patient, erased=erased)
    return patient


def _refuse_erased(patient: Fields, *, erased: bool) -> None:
    """An erased id refuses everything but reads, release receipts and purge receipts."""
    if patient["status"] == "erased" and not erased:
        raise ContractError("illegal-transition", "the patient id is erased")
