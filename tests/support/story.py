"""A fixed story through every transaction of the contract, and what it writes, as text.

``python -m tests.support.story`` prints it. The text is the same under every Python and hash seed, and kept beside
the tests: a stored value or an announced byte that changes is seen as a changed line.
"""

import sys

from ledger.contract.transactions import REGISTRY
from tests.support.contract import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    MALLORY,
    OLGA,
    PETRA,
    RITA,
    STELLA,
    VAULT,
    anchor,
    appoint,
    approved,
    clinic,
    declare,
    description,
    digest,
    enrolment,
    inference,
    named,
    opened,
    opening,
    person,
    proposal,
    provision,
    purge,
    records,
    releases,
    signed,
    suggestion,
    tag,
    terms,
    verdict,
)
from tests.support.staged import Staged

WIDE = ["COC", "TREAT", "TREATDS"]


def story() -> Staged:
    """Return the ledger after every transaction was used, with its journal."""
    ledger = approved(clinic())
    _consents(ledger)
    _accesses(ledger)
    _ends(ledger)
    return ledger


def text(ledger: Staged) -> str:
    """Return one line per call, event, response and write, in order."""
    lines = []
    for name, endorsed in ledger.journal:
        lines.append(f"{name} {endorsed.transaction_id[:8]}")
        lines.append(f"  event {endorsed.outcome.event_name} {endorsed.outcome.event_payload.decode()}")
        lines.append(f"  response {endorsed.outcome.response.decode()}")
        lines += [f"  read {'/'.join(key)}" for key in endorsed.reads]
        lines += [f"  write {'/'.join(key)} {value.decode()}" for key, value in endorsed.writes.items()]
    return "\n".join(lines) + "\n"


def used(ledger: Staged) -> set[str]:
    """Return the names of the transactions in the journal."""
    return {name for name, _ in ledger.journal}


def _consents(ledger: Staged) -> None:
    ledger.submit(RITA, "EnrolMember", enrolment(person("alder", "nina", "practitioner"), functions=["a", "b", "c"]))
    ledger.submit(CAROL, "ProposeConsent", proposal("alice", "asked"))
    ledger.submit(DAN, "ProposeConsent", proposal("alice", "too-much"))
    ledger.now += 60
    ledger.submit(ALICE, "RejectConsent", named("alice", "too-much"))
    narrowed = terms(
        provision(type="deny", emergency="yields", sensitivities=sorted(tag("sensitivity", s) for s in ("PSY", "HIV"))),
        provision(purposes=["MLTRAINING"], actors=[["group", "ward-7"], ["role", "alder", "doctor"]]),
        actors=[["organization", "alder"], ["practitioner", "carol"]],
        purposes=WIDE,
        classes=sorted(tag("class", c) for c in ("cytology", "laboratory", "image")),
        period=sorted(tag("date", d) for d in ("2025", "2026", "2027")),
        valid_until=ledger.now + 30 * 86_400,
    )
    ledger.submit(ALICE, "GrantConsent", signed("alice", "asked", narrowed))
    block = terms(type="deny", actors=[["practitioner", "dan"]])
    ledger.submit(ALICE, "GrantConsent", signed("alice", "not-dan", block))
    ledger.submit(ALICE, "GrantConsent", signed("alice", "not-dan-2", block, replaces="not-dan"))
    ledger.submit(BOB, "GrantConsent", signed("bob", "all"))
    ledger.submit(RITA, "GrantConsent", signed("bob", "on-paper"))
    appoint(ledger, PETRA, "bob", until=ledger.now + 86_400)
    ledger.submit(PETRA, "GrantConsent", signed("bob", "by-proxy", terms(purposes=["TREAT"])))


def _accesses(ledger: Staged) -> None:
    ledger.submit(VAULT, "RegisterRecords", records("alice", "r3", description=description("heart", "2019-02-01")))
    index = opened(ledger, CAROL, opening("alice")).access_id
    reading = opened(ledger, CAROL, opening("alice", "r1", "r2", "r3")).access_id
    opened(ledger, DAN, opening("alice", "r1"))
    declare(ledger, DAN, "alice", "e1", until=ledger.now + 600)
    opened(ledger, DAN, opening("alice", "r1", purpose="BTG", emergency_id="e1"))
    opened(ledger, MALLORY, opening("bob", "r1", kind="export", action="disclose"))
    opened(ledger, ALICE, opening("alice", "r1", purpose="PATRQT"))
    ledger.submit(VAULT, "RecordReleases", releases(("alice", index), ("alice", reading)))
    running = opened(ledger, CAROL, inference("alice", "r1")).access_id
    ledger.submit(CAROL, "RecordSuggestion", suggestion("alice", running, "s1", outcome="uncertain"))
    ledger.submit(CAROL, "RecordVerdict", verdict("alice", "s1"))
    second = verdict("alice", "s1", 2, verdict="override", reason_code="quality")
    ledger.submit(DAN, "RecordVerdict", second)
    ledger.submit(CAROL, "RecordPurge", purge("alice", [reading]))


def _ends(ledger: Staged) -> None:
    ledger.now += 60
    ledger.submit(ALICE, "RevokeConsent", named("alice", "asked"))
    ledger.submit(STELLA, "VoteModel", {"model_id": "m1", "vote": "suspend"})
    ledger.submit(OLGA, "SuspendMember", {"subject": "dan"})
    ledger.submit(OLGA, "AnchorLedger", anchor("older"))
    ledger.submit(ALICE, "SetPatientKey", {"patient_id": "alice", "key_hash": digest("new"), "custody": "device"})
    ledger.submit(VAULT, "EraseRecord", {"patient_id": "alice", "record_id": "r3", "certificate": digest("gone")})
    ledger.submit(VAULT, "ErasePatient", {"patient_id": "bob", "certificate": digest("gone")})


if __name__ == "__main__":
    told = story()
    if used(told) != {*REGISTRY}:
        sys.exit(f"not in the story: {sorted({*REGISTRY} - used(told))}")
    sys.stdout.write(text(told))
