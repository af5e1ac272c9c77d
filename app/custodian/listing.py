"""The list of records, which is health data itself: every row is decided like an opening (ATTACKS.md A18, A36)."""

from typing import Final

from app.custodian.desk import Desk
from app.custodian.entries import HeldRecord, SharedRecord
from app.custodian.sharing import policy_of
from ledger.contract.asks import party_ask, practitioner_ask
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json
from ledger.contract.decision import Ask, Decision, Reason, decide
from ledger.contract.parties import party
from ledger.contract.provision import Kind, Policy, Record
from ledger.replica import CommittedAccess

ROWS_MAX: Final = 10_000


def index_rows(desk: Desk, access: CommittedAccess, caller: Caller) -> dict[str, Json]:
    """Return the rows that the caller may see now, and how many are held back by label if the patient lets him know."""
    link = desk.index.link(access.patient_id)
    policy = policy_of(desk, access.patient_id)
    ask = ask_again(desk, access, caller)
    rows: list[Json] = []
    withheld = 0
    for shared in desk.index.shared_of(access.patient_id):
        record = desk.find("record", access.patient_id, shared.record_id)
        held = desk.index.record(shared.internal_id)
        if record is None or held is None:
            continue
        described = Record.from_description(
            shared.record_id, record["description"], erased=record["status"] == "erased"
        )
        decision = decide(policy, ask, described)
        if decision.is_permit:
            rows.append(_row(shared, held, int(record["version"])))
        elif link is not None and link.tell_withheld and _is_withheld(policy, decision):
            withheld += 1
    return {"rows": rows[:ROWS_MAX], "withheld": withheld}


def ask_again(desk: Desk, access: CommittedAccess, caller: Caller) -> Ask:
    """Return the ask of a committed access on the newest entries, by the custodian's clock."""
    value = access.value
    organization = desk.find("organization", caller.msp_id) or {"groups": []}
    if caller.role != "practitioner":
        signer = party(desk.reader(caller), access.patient_id)
        return party_ask(value, subject=caller.subject, kind=signer.kind, organization=organization, now=desk.clock())
    entry = desk.find("member", caller.msp_id, caller.subject) or {"functions": [], "groups": []}
    return practitioner_ask(
        value,
        msp_id=caller.msp_id,
        subject=caller.subject,
        member=entry,
        organization=organization,
        now=desk.clock(),
        emergency=bool(value["emergency_id"]),
    )


def _is_withheld(policy: Policy, decision: Decision) -> bool:
    """Held back by a label: the permit's own limit, or an exception that refuses by label."""
    if decision.reason is Reason.LABEL_NOT_COVERED:
        return True
    refusing = {
        f"{consent.consent_id}#{number}"
        for consent in policy.consents
        for number, each in enumerate(consent.provisions)
        if each.kind is Kind.DENY and number > 0 and (each.sensitivities or each.levels)
    }
    return bool(decision.deciding) and set(decision.deciding) <= refusing and decision.reason is not Reason.OWN_RECORD


def _row(shared: SharedRecord, held: HeldRecord, version: int) -> dict[str, Json]:
    return {
        "record_id": shared.record_id,
        "version": version,
        "class": held.category,
        "date": held.date,
        "display": held.display,
    }
