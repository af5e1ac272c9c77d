"""People, hospitals and arguments for contract tests: alice and bob are patients, mallory attacks.

Alder and birch are hospitals. ``ALICE`` is alder's patient towards alder's own staff, ``BOB`` alder's patient towards
birch. Only the standard library is needed, so that the same steps run under every Python present.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ledger.contract.caller import Caller
from tests.support.staged import NOW, Staged

ALDER, BIRCH = "alder", "birch"
DAY = 86_400


def digest(text: str) -> str:
    """Return a hash that depends on ``text`` alone."""
    return hashlib.sha256(text.encode()).hexdigest()


def tag(kind: str, code: str) -> str:
    """Return what looks like a keyed tag."""
    return base64.b32encode(hashlib.sha256(f"{kind}\0{code}".encode()).digest())[:16].decode().lower()


def person(msp_id: str, name: str, role: str) -> Caller:
    """Return a certificate holder whose subject is his name and whose key depends on both."""
    return Caller(msp_id, name, role, digest(f"key of {name} at {msp_id}"))


OLGA = person(ALDER, "olga", "operator")
RITA = person(ALDER, "rita", "registrar")
PIA = person(ALDER, "pia", "privacy-officer")
VAULT = person(ALDER, "vault", "custodian")
CAROL = person(ALDER, "carol", "practitioner")
DAN = person(ALDER, "dan", "practitioner")
PETRA = person(ALDER, "petra", "proxy")
OSCAR = person(BIRCH, "oscar", "operator")
REMY = person(BIRCH, "remy", "registrar")
BIRCH_VAULT = person(BIRCH, "birch-vault", "custodian")
MALLORY = person(BIRCH, "mallory", "practitioner")
STELLA = person(BIRCH, "stella", "practitioner")
ALICE = person(ALDER, "alice", "patient")
BOB = person(ALDER, "bob", "patient")
STRANGER = person(ALDER, "stranger", "practitioner")

CUSTODIAN_KEY = base64.b64encode(b"a public key, SubjectPublicKeyInfo in DER, as the contract sees it").decode()


def other_key(caller: Caller) -> Caller:
    """Return the same person by another key: a re-minted certificate (A4)."""
    return replace(caller, key_hash=digest("another key"))


def organization(name: str) -> dict[str, object]:
    return {
        "custodian_key": CUSTODIAN_KEY,
        "endpoint": f"custodian.{name}.example.org:7443",
        "tls_root_hash": digest(f"tls root of {name}"),
        "badge_commitment": digest(f"badge of the operator of {name}"),
    }


def enrolment(member: Caller, **changed: object) -> dict[str, object]:
    practitioner = member.role == "practitioner"
    return {
        "subject": member.subject,
        "role": member.role,
        "key_hash": member.key_hash,
        "badge_commitment": digest(f"badge of {member.subject}"),
        "emergency": False,
        "steward": False,
        "functions": ["doctor"] if practitioner else [],
        "groups": ["ward-7"] if practitioner else [],
        **changed,
    }


def patient(caller: Caller, grantee: str, **changed: object) -> dict[str, object]:
    return {
        "patient_id": caller.subject,
        "grantee": grantee,
        "key_hash": caller.key_hash,
        "custody": "card",
        **changed,
    }


def description(category: str = "cytology", day: str = "2026-11-20", **changed: object) -> dict[str, object]:
    """Return the tags of a record of one day."""
    group = sorted(tag("date", day[:size]) for size in (10, 7, 4, 3, 2, 1))
    return {
        "classes": [tag("class", category)],
        "codes": [],
        "dates": [group],
        "authors": [tag("author", "unknown")],
        "related": [],
        "records": [tag("record", f"{category}/{day}")],
        "level": tag("level", "N"),
        "sensitivities": [],
        **changed,
    }


def record(record_id: str, **changed: object) -> dict[str, object]:
    return {
        "record_id": record_id,
        "commitment": digest(f"manifest of {record_id}"),
        "description": description(),
        **changed,
    }


def records(patient_id: str, *record_ids: str, **changed: object) -> dict[str, object]:
    return {"patient_id": patient_id, "records": [record(record_id, **changed) for record_id in record_ids]}


def anchor(name: str, height: int = 7) -> dict[str, object]:
    return {"ledger_id": digest(name), "height": height, "head_hash": digest("head"), "archive_hash": digest("archive")}


def provision(**changed: object) -> dict[str, object]:
    """Return a permit without any limit."""
    lists = ("actors", "purposes", "actions", "classes", "codes", "period", "authors", "related", "records")
    return {
        "type": "permit",
        "emergency": "holds",
        **{name: [] for name in (*lists, "levels", "sensitivities")},
        "valid_from": None,
        "valid_until": None,
        **changed,
    }


def terms(*nested: dict[str, object], retention_days: int = 30, **base: object) -> dict[str, object]:
    return {"base": provision(**base), "nested": list(nested), "retention_days": retention_days}


def proposal(patient_id: str, consent_id: str, what: dict[str, object] | None = None) -> dict[str, object]:
    reason = digest(f"why {consent_id}")
    return {"patient_id": patient_id, "consent_id": consent_id, "reason_commitment": reason, **(what or terms())}


def signed(
    patient_id: str, consent_id: str, what: dict[str, object] | None = None, replaces: str = ""
) -> dict[str, object]:
    """Return the arguments of ``GrantConsent``."""
    return {
        "patient_id": patient_id,
        "consent_id": consent_id,
        "artefact_commitment": digest(f"artefact of {consent_id}"),
        "replaces": replaces,
        **(what or terms()),
    }


def named(patient_id: str, consent_id: str) -> dict[str, object]:
    return {"patient_id": patient_id, "consent_id": consent_id}


def opening(patient_id: str, *record_ids: str, **changed: object) -> dict[str, object]:
    """Return the arguments of ``OpenRecords``; without records, of an index."""
    return {
        "patient_id": patient_id,
        "kind": "open" if record_ids else "index",
        "action": "access",
        "device": "",
        "purpose": "TREAT",
        "items": [{"record_id": record_id, "version": 1} for record_id in record_ids],
        "release_key_hash": digest("a fresh key"),
        "emergency_id": "",
        **changed,
    }


MODEL_TAG = tag("device", "breast-cytology")


def inference(patient_id: str, *record_ids: str) -> dict[str, object]:
    """Return the arguments of ``OpenRecords`` for a model."""
    return opening(patient_id, *record_ids, purpose="TREATDS", action="use", device=MODEL_TAG, release_key_hash="")


def releases(*accesses: tuple[str, object]) -> dict[str, object]:
    return {
        "items": [
            {"patient_id": patient_id, "access_id": access_id, "receipt": digest(f"reply to {access_id}")}
            for patient_id, access_id in accesses
        ],
        "head": {"number": 0, "hash": digest("genesis")},
        "journal": {"sequence": 1, "hash": digest("journal")},
    }


def purge(patient_id: str, access_ids: Iterable[object]) -> dict[str, object]:
    return {"patient_id": patient_id, "access_ids": list(access_ids), "receipt": digest("what was deleted")}


def suggestion(patient_id: str, access_id: object, suggestion_id: str, **changed: object) -> dict[str, object]:
    return {
        "patient_id": patient_id,
        "access_id": access_id,
        "suggestion_id": suggestion_id,
        "registry_epoch": 3,
        "outcome": "certain",
        "commitment": digest(f"what {suggestion_id} says"),
        **changed,
    }


def verdict(patient_id: str, suggestion_id: str, number: int = 1, **changed: object) -> dict[str, object]:
    return {
        "patient_id": patient_id,
        "suggestion_id": suggestion_id,
        "number": number,
        "verdict": "accept",
        "reason_code": "",
        "commitment": digest(f"verdict {number} on {suggestion_id}"),
        **changed,
    }


@dataclass(frozen=True)
class Access:
    """An access as its submitter sees it."""

    access_id: str
    outcome: str
    reasons: tuple[str, ...]


def opened(ledger: Staged, caller: Caller, arguments: dict[str, object]) -> Access:
    """Submit ``OpenRecords``."""
    response = ledger.submit(caller, "OpenRecords", arguments)
    items = response["items"]
    assert isinstance(items, list)
    reasons = tuple(str(item["reason"]) for item in items if isinstance(item, dict))
    return Access(str(response["access_id"]), str(response["outcome"]), reasons)


def hospitals(now: int = NOW) -> Staged:
    """Return a ledger of two hospitals with their staff."""
    ledger = Staged(now=now)
    ledger.submit(OLGA, "RegisterOrganization", organization(ALDER))
    ledger.submit(OSCAR, "RegisterOrganization", organization(BIRCH))
    for office in (RITA, PIA, VAULT):
        ledger.submit(OLGA, "EnrolMember", enrolment(office))
    for office in (REMY, BIRCH_VAULT):
        ledger.submit(OSCAR, "EnrolMember", enrolment(office))
    ledger.submit(RITA, "EnrolMember", enrolment(CAROL, steward=True))
    ledger.submit(RITA, "EnrolMember", enrolment(DAN, emergency=True))
    ledger.submit(RITA, "EnrolMember", enrolment(PETRA))
    ledger.submit(REMY, "EnrolMember", enrolment(MALLORY))
    ledger.submit(REMY, "EnrolMember", enrolment(STELLA, steward=True))
    return ledger


def clinic(now: int = NOW) -> Staged:
    """Return the two hospitals with alice and bob, each with two records and no consent."""
    ledger = hospitals(now)
    ledger.submit(RITA, "RegisterPatient", patient(ALICE, ALDER))
    ledger.submit(VAULT, "RegisterPatient", patient(BOB, BIRCH))
    for who in (ALICE, BOB):
        ledger.submit(VAULT, "RegisterRecords", records(who.subject, "r1", "r2"))
    return ledger


def approved(ledger: Staged) -> Staged:
    """Register a model and have both hospitals approve it: epoch 3."""
    ledger.submit(CAROL, "RegisterModel", {"model_id": "m1", "model_hash": digest("a model")})
    ledger.submit(CAROL, "VoteModel", {"model_id": "m1", "vote": "approve"})
    ledger.submit(STELLA, "VoteModel", {"model_id": "m1", "vote": "approve"})
    return ledger


def appoint(ledger: Staged, caller: Caller, patient_id: str, until: int, status: str = "active") -> None:
    """Make ``caller`` a proxy; the transactions that do it come later."""
    value = {"kind": "representative", "until": until, "appointed_by": patient_id, "confirmations": []}
    ledger.put(("proxy", patient_id, caller.subject), {**value, "status": status})


def declare(ledger: Staged, caller: Caller, patient_id: str, emergency_id: str, until: int) -> None:
    """Declare an emergency; the transaction that does it comes later."""
    by = {"msp_id": caller.msp_id, "subject": caller.subject}
    ledger.put(("emergency", patient_id, emergency_id), {"by": by, "at": ledger.now, "until": until, "status": "open"})
