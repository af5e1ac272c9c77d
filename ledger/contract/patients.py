"""Patient ids: random, one per (patient, custodian, grantee), each bound to its own key (B4, B5; A4, A17)."""

from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.parties import of_custodian, party, staff
from ledger.contract.policies import EMPTY, cleared
from ledger.contract.shape import HASH, PART, Fields, Form, one_of, optional
from ledger.contract.transaction import Result, Transaction

_CUSTODY: Final = one_of("card", "device", "none")
REGISTER_PATIENT: Final[Form] = {"patient_id": PART, "grantee": PART, "key_hash": optional(HASH), "custody": _CUSTODY}
SET_PATIENT_KEY: Final[Form] = {"patient_id": PART, "key_hash": HASH, "custody": _CUSTODY}
ERASE_PATIENT: Final[Form] = {"patient_id": PART, "certificate": HASH}

_REGISTRARS: Final = ("registrar", "custodian")


def register(tx: Transaction, arguments: Fields) -> Result:
    """Make a patient id of the caller's hospital towards one grantee, with an empty policy: nobody may open a thing."""
    staff(tx, *_REGISTRARS)
    patient_id, grantee = arguments["patient_id"], arguments["grantee"]
    patient_key, policy_key = ("patient", patient_id), ("policy", patient_id)
    tx.require_absent(patient_key, policy_key)
    tx.read(("organization", grantee), "unknown-organization")
    patient = {
        "custodian": tx.caller.msp_id,
        "grantee": grantee,
        "key_hash": arguments["key_hash"],
        "custody": arguments["custody"],
        "status": "active",
        "frozen_by": "",
    }
    tx.write(patient_key, patient)
    tx.write(policy_key, EMPTY)
    return Result("PatientRegistered", {"patient_id": patient_id})


def set_key(tx: Transaction, arguments: Fields) -> Result:
    """Give a patient id its key: the patient by her old one, an office only while there is none."""
    patient_id = arguments["patient_id"]
    if tx.caller.role in _REGISTRARS:
        patient = of_custodian(tx, patient_id, *_REGISTRARS)
        allowed = patient["key_hash"] == ""
    else:
        signer = party(tx, patient_id)
        patient, allowed = signer.patient, signer.kind == "patient"
    if not allowed:
        raise ContractError("forbidden", "a key is changed by the old key, and claimed only once")
    key = {"key_hash": arguments["key_hash"], "custody": arguments["custody"]}
    tx.write(("patient", patient_id), {**patient, **key})
    return Result("PatientKeySet", {"patient_id": patient_id})


def erase(tx: Transaction, arguments: Fields) -> Result:
    """End a patient id for ever; the custodian has destroyed the keys of all its records."""
    patient_id = arguments["patient_id"]
    patient = of_custodian(tx, patient_id, "custodian")
    policy = tx.read(("policy", patient_id), "unknown-patient")
    tx.write(("patient", patient_id), {**patient, "status": "erased"})
    tx.write(("policy", patient_id), cleared(policy))
    return Result("PatientErased", {"patient_id": patient_id})
