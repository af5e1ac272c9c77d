"""A ledger on which one call of every transaction would succeed, and these calls: what generic refusals start from."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ledger.contract.caller import Caller
from tests.support.contract import (
    ALDER,
    ALICE,
    CAROL,
    DAN,
    OLGA,
    RITA,
    STELLA,
    VAULT,
    anchor,
    approved,
    clinic,
    digest,
    enrolment,
    inference,
    named,
    opened,
    opening,
    organization,
    patient,
    person,
    proposal,
    purge,
    records,
    releases,
    signed,
    suggestion,
    terms,
    verdict,
)
from tests.support.staged import Staged

LAB_PURPOSES = ["TREAT", "TREATDS"]


@dataclass(frozen=True)
class Call:
    """A transaction that would succeed.

    Attributes:
        by: ``staff``, ``party`` (of ``patient_id``) or ``nobody`` yet enrolled.
        side: which organization of the patient id the caller must belong to, if the call is about one.
    """

    name: str
    caller: Caller
    arguments: dict[str, Any]
    by: str
    side: str = ""

    def with_arguments(self, **changed: object) -> "Call":
        return replace(self, arguments={**self.arguments, **changed})


def stage() -> tuple[Staged, dict[str, Call]]:
    """Return the ledger and, by name, a call of every transaction of the contract."""
    ledger, calls = _made()
    return ledger.copy(), calls


@cache
def _made() -> tuple[Staged, dict[str, Call]]:
    ledger = approved(clinic())
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "asked"))
    ledger.submit(ALICE, "GrantConsent", signed("alice", "given", terms(purposes=LAB_PURPOSES)))
    reading = opened(ledger, CAROL, opening("alice", "r1")).access_id
    running = opened(ledger, CAROL, inference("alice", "r1")).access_id
    ledger.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s0"))
    new_operator = person("cedar", "otto", "operator")
    nurse = person(ALDER, "nina", "practitioner")
    carla = person(ALDER, "carla", "patient")
    keyless = patient(carla, ALDER, key_hash="", custody="none")
    ledger.submit(RITA, "RegisterPatient", keyless)
    calls = [
        Call("RegisterOrganization", new_operator, organization("cedar"), "nobody"),
        Call("EnrolMember", RITA, enrolment(nurse), "staff"),
        Call("SuspendMember", OLGA, {"subject": "dan"}, "staff"),
        Call("RegisterPatient", RITA, patient(person(ALDER, "cora", "patient"), ALDER), "staff"),
        Call("SetPatientKey", ALICE, {"patient_id": "alice", "key_hash": digest("new"), "custody": "device"}, "party"),
        Call("ErasePatient", VAULT, {"patient_id": "alice", "certificate": digest("gone")}, "staff", "custodian"),
        Call("RegisterRecords", VAULT, records("alice", "r9"), "staff", "custodian"),
        Call(
            "EraseRecord",
            VAULT,
            {"patient_id": "alice", "record_id": "r2", "certificate": digest("gone")},
            "staff",
            "custodian",
        ),
        Call("ProposeConsent", DAN, proposal("alice", "new"), "staff", "grantee"),
        Call("RejectConsent", ALICE, named("alice", "asked"), "party"),
        Call("GrantConsent", ALICE, signed("alice", "asked"), "party"),
        Call("RevokeConsent", ALICE, named("alice", "given"), "party"),
        Call("OpenRecords", DAN, opening("alice", "r1"), "staff", "grantee"),
        Call("RecordReleases", VAULT, releases(("alice", reading)), "staff", "custodian"),
        Call("RecordPurge", CAROL, purge("alice", [reading]), "staff", "grantee"),
        Call("RegisterModel", STELLA, {"model_id": "m2", "model_hash": digest("m2")}, "staff"),
        Call("VoteModel", STELLA, {"model_id": "m1", "vote": "suspend"}, "staff"),
        Call("RecordSuggestion", CAROL, suggestion("alice", running, "s1"), "staff", "grantee"),
        Call("RecordVerdict", DAN, verdict("alice", "s0"), "staff", "grantee"),
        Call("AnchorLedger", OLGA, anchor("older"), "staff"),
    ]
    return ledger, {call.name: call for call in calls}
