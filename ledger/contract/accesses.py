"""Opening records: one committed decision is one opening, and nothing is logged afterwards (PROTOCOL.md C2, C3).

An access writes exactly one key, its own, so that 200 of them in one block do not conflict (A35). A decision to deny is
an entry like any other; only a request that the rules cannot even decide is an error.
"""

from dataclasses import dataclass
from typing import Final

from ledger.contract.asks import party_ask, practitioner_ask
from ledger.contract.decision import Ask, Decision, Policy, Record, decide, decide_index, nearest
from ledger.contract.errors import ContractError
from ledger.contract.limits import ITEMS_MAX, SESSION_MAX
from ledger.contract.parties import of_grantee, party, staff
from ledger.contract.shape import HASH, PART, Fields, Form, integer, listed, members, one_of, optional, text
from ledger.contract.transaction import Reader, Result, Transaction

OPEN_RECORDS: Final[Form] = {
    "patient_id": PART,
    "kind": one_of("open", "index", "export"),
    "action": one_of("access", "use", "disclose"),
    "device": optional(PART),
    "purpose": text(r"[!-~]{1,265}"),
    "items": listed(members({"record_id": PART, "version": integer(1)}), ITEMS_MAX),
    "release_key_hash": optional(HASH),
    "emergency_id": optional(PART),
}
_OWN_PURPOSES: Final = ("PATRQT", "FAMRQT")


@dataclass(frozen=True, slots=True)
class Ruling:
    """An access as decided, before it is anybody's entry.

    Attributes:
        access: the value of the access key.
        decisions: one per item, in order.
        policy, ask, wanted: what was decided on; an index wants no records.
    """

    access: Fields
    decisions: tuple[Decision, ...]
    policy: Policy
    ask: Ask
    wanted: tuple[Record, ...]

    @property
    def closest(self) -> tuple[tuple[str, ...], ...]:
        """Per record the permits that came closest; screens show it and nothing stores it."""
        return tuple(nearest(self.policy, self.ask, record) for record in self.wanted)

    @property
    def outcome(self) -> str:
        """All permitted, all denied, or some of each."""
        permitted = [decision.is_permit for decision in self.decisions]
        return "permit" if all(permitted) else "mixed" if any(permitted) else "deny"


def open_records(tx: Transaction, arguments: Fields) -> Result:
    """Decide whether the caller may open these records, and record the decision."""
    ruling = decide_access(tx, arguments)
    patient_id = arguments["patient_id"]
    key = ("access", patient_id, tx.transaction_id)
    tx.require_absent(key)
    tx.write(key, ruling.access)
    payload = {"patient_id": patient_id, "access_id": tx.transaction_id, "outcome": ruling.outcome}
    answer = {name: ruling.access[name] for name in ("until", "retention_days", "items")}
    return Result("AccessDecided", payload, {**payload, **answer})


def decide_access(reader: Reader, arguments: Fields) -> Ruling:
    """Decide an access for the caller at the reader's time, without recording it.

    Raises:
        ContractError: the request cannot be decided; a denial is a decision, not an error.
    """
    _check_request(arguments)
    patient, kind, member = _asker(reader, arguments)
    emergency_end = _emergency_end(reader, arguments)
    stored = reader.read(("policy", arguments["patient_id"]), "unknown-patient")
    ask = _ask(reader, arguments, patient["grantee"], kind, member)
    policy = Policy.from_state(stored, frozen=patient["status"] == "frozen")
    records = tuple(_record(reader, arguments["patient_id"], item) for item in arguments["items"])
    decisions = tuple(decide(policy, ask, record) for record in records) or (decide_index(policy, ask),)
    permits = [decision for decision in decisions if decision.is_permit]
    ends = [reader.timestamp + SESSION_MAX, emergency_end, *(permit.until for permit in permits)]
    access = {
        "by": {"msp_id": reader.caller.msp_id, "subject": reader.caller.subject, "key_hash": reader.caller.key_hash},
        **{name: arguments[name] for name in ("purpose", "action", "device", "kind", "release_key_hash")},
        "emergency_id": arguments["emergency_id"],
        "at": reader.timestamp,
        "until": min(end for end in ends if end is not None),
        "items": _items(arguments["items"], decisions),
        "policy_version": stored["version"],
        "retention_days": _retention(stored, permits),
    }
    return Ruling(access, decisions, policy, ask, records)


def _check_request(arguments: Fields) -> None:
    """Refuse an act that contradicts itself."""
    kind, purpose, items = arguments["kind"], arguments["purpose"], arguments["items"]
    inference = purpose == "TREATDS"
    action = "disclose" if kind == "export" else "use" if inference else "access"
    if arguments["action"] != action or (inference and kind == "export"):
        raise ContractError("malformed", "action")
    if inference and not arguments["device"]:
        raise ContractError("malformed", "device")
    wanted = [(item["record_id"], item["version"]) for item in items]
    if (kind == "index") != (not items) or len(frozenset(wanted)) != len(wanted):
        raise ContractError("malformed", "items")


def _asker(reader: Reader, arguments: Fields) -> tuple[Fields, str, Fields]:
    """Return the patient, ``patient`` or ``proxy`` or "" for a practitioner, and a practitioner's member entry."""
    if reader.caller.role != "practitioner":
        signer = party(reader, arguments["patient_id"])
        if arguments["purpose"] not in _OWN_PURPOSES:
            raise ContractError("forbidden", "a party asks for the own record only")
        return signer.patient, signer.kind, {}
    member = staff(reader, "practitioner")
    patient = of_grantee(reader, arguments["patient_id"], "practitioner")
    if arguments["purpose"] == "MLTRAINING" and not member["steward"]:
        raise ContractError("forbidden", "training is a data steward's")
    return patient, "", member


def _emergency_end(reader: Reader, arguments: Fields) -> int | None:
    """Return when the caller's running emergency ends, None if the purpose is no emergency."""
    emergency_id = arguments["emergency_id"]
    if (arguments["purpose"] == "BTG") != bool(emergency_id):
        raise ContractError("emergency-required")
    if not emergency_id:
        return None
    emergency = reader.read(("emergency", arguments["patient_id"], emergency_id), "unknown-emergency")
    declarer = (emergency["by"]["msp_id"], emergency["by"]["subject"])
    if declarer != (reader.caller.msp_id, reader.caller.subject):
        raise ContractError("forbidden", "another person's emergency")
    end: int = emergency["until"]
    if reader.timestamp >= end:
        raise ContractError("expired", "the emergency is over")
    return end


def _ask(reader: Reader, arguments: Fields, grantee: str, kind: str, member: Fields) -> Ask:
    organization = reader.read(("organization", grantee), "unknown-organization")
    subject, now = reader.caller.subject, reader.timestamp
    if kind:
        return party_ask(arguments, subject=subject, kind=kind, organization=organization, now=now)
    return practitioner_ask(
        arguments,
        msp_id=grantee,
        subject=subject,
        member=member,
        organization=organization,
        now=now,
        emergency=bool(arguments["emergency_id"]),
    )


def _record(reader: Reader, patient_id: str, item: Fields) -> Record:
    """Return what is known of a record, of which the version asked for must exist."""
    record = reader.read(("record", patient_id, item["record_id"]), "unknown-record")
    if item["version"] > record["version"]:
        raise ContractError("unknown-record", "no such version")
    return Record.from_description(item["record_id"], record["description"], erased=record["status"] == "erased")


def _items(items: list[Fields], decisions: tuple[Decision, ...]) -> list[Fields]:
    """Return each item with its decision; an index is one item without a record."""
    asked = items or [{"record_id": "", "version": 0}]
    return [
        {
            **item,
            "outcome": decision.outcome.value,
            "reason": decision.reason.value,
            "deciding": list(decision.deciding),
            "overridden": list(decision.overridden),
        }
        for item, decision in zip(asked, decisions, strict=True)
    ]


def _retention(policy: Fields, permits: list[Decision]) -> int:
    """Return the shortest retention of the consents that permit, in days; 0 if no consent does."""
    deciding = {name.rpartition("#")[0] for permit in permits for name in permit.deciding}
    days = [int(each["retention_days"]) for each in policy["consents"] if each["id"] in deciding]
    return min(days, default=0)
