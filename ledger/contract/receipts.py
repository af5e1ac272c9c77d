"""What followed an access, as stated by whoever did it: keys released by the custodian, copies purged by the recipient.

Only hashes of the signed statements stand here. That nobody kept a copy cannot be proven and is not claimed (A52).
"""

from typing import Final

from ledger.contract.errors import ContractError
from ledger.contract.limits import PURGES_MAX, RELEASES_MAX
from ledger.contract.parties import of_custodian, of_grantee, party
from ledger.contract.shape import HASH, PART, TIME, Fields, Form, listed, members
from ledger.contract.transaction import Result, Transaction

_RELEASE: Final[Form] = {"patient_id": PART, "access_id": PART, "receipt": HASH}
RECORD_RELEASES: Final[Form] = {
    "items": listed(members(_RELEASE), RELEASES_MAX, least=1),
    "head": members({"number": TIME, "hash": HASH}),
    "journal": members({"sequence": TIME, "hash": HASH}),
}
RECORD_PURGE: Final[Form] = {"patient_id": PART, "access_ids": listed(PART, PURGES_MAX, least=1), "receipt": HASH}


def record_releases(tx: Transaction, arguments: Fields) -> Result:
    """State which accesses were answered with keys, with the heads of the ledger and of the journal as seen then."""
    items = arguments["items"]
    wanted = [(item["patient_id"], item["access_id"]) for item in items]
    if len(frozenset(wanted)) != len(wanted):
        raise ContractError("malformed", "an access twice")
    for item in items:
        of_custodian(tx, item["patient_id"], "custodian", erased=True)
        access = tx.read(("access", item["patient_id"], item["access_id"]), "unknown-access")
        if all(each["outcome"] != "permit" for each in access["items"]):
            raise ContractError("forbidden", "nothing was permitted")
        tx.require_absent(("release", item["patient_id"], item["access_id"]))
    for item in items:
        key = ("release", item["patient_id"], item["access_id"])
        tx.write(key, {"receipt": item["receipt"], "at": tx.timestamp})
    ids = [{"patient_id": patient_id, "access_id": access_id} for patient_id, access_id in wanted]
    return Result("ReleasesRecorded", {"msp_id": tx.caller.msp_id, "releases": ids})


def record_purge(tx: Transaction, arguments: Fields) -> Result:
    """State that what these accesses opened is gone, as whoever opened it or the custodian of his hospital says."""
    patient_id, access_ids = arguments["patient_id"], arguments["access_ids"]
    if len(frozenset(access_ids)) != len(access_ids):
        raise ContractError("malformed", "an access twice")
    _recipient(tx, patient_id)
    for access_id in access_ids:
        access = tx.read(("access", patient_id, access_id), "unknown-access")
        if not _opened_by(tx, access["by"]):
            raise ContractError("forbidden", "another person's access")
        tx.require_absent(("purge", patient_id, access_id))
    by = {"msp_id": tx.caller.msp_id, "subject": tx.caller.subject}
    for access_id in access_ids:
        tx.write(("purge", patient_id, access_id), {"receipt": arguments["receipt"], "by": by, "at": tx.timestamp})
    return Result("CopiesPurged", {"patient_id": patient_id, "access_ids": access_ids})


def _recipient(tx: Transaction, patient_id: str) -> None:
    if tx.caller.role in ("practitioner", "custodian"):
        of_grantee(tx, patient_id, "practitioner", "custodian", erased=True)
    else:
        party(tx, patient_id, erased=True)


def _opened_by(tx: Transaction, by: Fields) -> bool:
    own = by["msp_id"] == tx.caller.msp_id
    return own and (tx.caller.role == "custodian" or by["subject"] == tx.caller.subject)
