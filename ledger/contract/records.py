"""Records on the ledger: one commitment per version, and a description of tags that are only compared (A16)."""

from typing import Final

from ledger.contract import wire
from ledger.contract.errors import ContractError
from ledger.contract.limits import HISTORY_MAX, RECORDS_MAX
from ledger.contract.parties import of_custodian
from ledger.contract.shape import HASH, PART, Fields, Form, is_object, listed, members
from ledger.contract.transaction import Result, Transaction

_RECORD: Final[Form] = {"record_id": PART, "commitment": HASH, "description": is_object}
REGISTER_RECORDS: Final[Form] = {"patient_id": PART, "records": listed(members(_RECORD), RECORDS_MAX, least=1)}
ERASE_RECORD: Final[Form] = {"patient_id": PART, "record_id": PART, "certificate": HASH}


def register(tx: Transaction, arguments: Fields) -> Result:
    """Make records of a patient id known; whether anyone may open them is for the consents."""
    patient_id, records = arguments["patient_id"], arguments["records"]
    ids = [record["record_id"] for record in records]
    if len(frozenset(ids)) != len(ids):
        raise ContractError("malformed", "a record twice")
    for record in records:
        wire.check_description(record["description"])
    of_custodian(tx, patient_id, "custodian")
    tx.require_absent(*(("record", patient_id, record_id) for record_id in ids))
    for record in records:
        value = {
            "version": 1,
            "commitment": record["commitment"],
            "description": record["description"],
            "status": "active",
            "since": tx.timestamp,
            "history": [],
        }
        tx.write(("record", patient_id, record["record_id"]), value)
    return Result("RecordsRegistered", {"patient_id": patient_id, "record_ids": ids})


def erase(tx: Transaction, arguments: Fields) -> Result:
    """End a record: the custodian has destroyed its keys. What described it until now stays in its history."""
    patient_id, record_id = arguments["patient_id"], arguments["record_id"]
    of_custodian(tx, patient_id, "custodian")
    key = ("record", patient_id, record_id)
    record = tx.read(key, "unknown-record")
    if record["status"] == "erased":
        raise ContractError("illegal-transition", "erased")
    line = {"description": record["description"], "since": record["since"]}
    history = [*record["history"], line][-HISTORY_MAX:]
    tx.write(key, {**record, "status": "erased", "since": tx.timestamp, "history": history})
    return Result("RecordErased", {"patient_id": patient_id, "record_id": record_id})
