"""Who could see a record, now or at an earlier time: ``decide``, run for everybody the consents speak of (C12).

The consents in force at that time come from their granted and ended times, the record's tags and a member's groups from
their histories. Besides those named, one stand-in answers for every other practitioner of the grantee.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ledger.contract.asks import actors_of
from ledger.contract.decision import Decision, decide
from ledger.contract.lineage import PURPOSES
from ledger.contract.provision import ANYONE, NEVER, Actor, Ask, Consent, Policy, Record
from ledger.contract.shape import PART, TIME, Fields, Form
from ledger.contract.transaction import Inquiry

WHO_COULD_SEE: Final[Form] = {"patient_id": PART, "record_id": PART, "at": TIME}


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody whom a decision can be made for.

    Attributes:
        named: how the consents name him.
        actors: every entry that fits him.
    """

    named: Actor
    actors: frozenset[Actor]


def who_could_see(inquiry: Inquiry, arguments: Fields, patient: Fields) -> Fields:
    """Return one row per actor and ground: the purposes for which he could open the record at that time.

    BTG stands for a declared emergency; whether somebody may declare one is in his member entry.
    """
    patient_id, at = arguments["patient_id"], arguments["at"]
    organization = inquiry.read(("organization", patient["grantee"]), "unknown-organization")
    record = _record_at(inquiry.read(("record", patient_id, arguments["record_id"]), "unknown-record"), arguments)
    policy = _policy_at(inquiry, patient_id, at, frozen=patient["status"] == "frozen" and at >= inquiry.timestamp)
    rows: list[Fields] = []
    if record is not None:
        for person in _people(inquiry, policy, patient["grantee"], at):
            rows += _rows(policy, record, person, frozenset(organization["groups"]), at)
    return {"patient_id": patient_id, "record_id": arguments["record_id"], "at": at, "rows": rows}


def _policy_at(inquiry: Inquiry, patient_id: str, at: int, *, frozen: bool) -> Policy:
    """Return the consents with granted_at <= at < ended_at; null means not ended. Of a freeze only today's is known."""
    consents = [
        Consent.from_state({"id": key[-1], **value["granted"]})
        for key, value in inquiry.scan("consent", patient_id)
        if value["granted_at"] is not None
        and value["granted_at"] <= at
        and (value["ended_at"] is None or at < value["ended_at"])
    ]
    return Policy(tuple(consents), frozen=frozen)


def _record_at(record: Fields, arguments: Fields) -> Record | None:
    """Return the record with the tags of that time, None if it was not known then.

    An erasure is a line of the history like a relabelling.
    """
    at = arguments["at"]
    line = next((line for line in (record, *reversed(record["history"])) if line["since"] <= at), None)
    if line is None:
        return None
    erased = line is record and record["status"] == "erased"
    return Record.from_description(arguments["record_id"], line["description"], erased=erased)


def _people(inquiry: Inquiry, policy: Policy, grantee: str, at: int) -> Iterator[_Person]:
    """Yield everybody named anywhere in the consents, and the stand-in for the grantee's other practitioners."""
    entries = {entry for consent in policy.consents for provision in consent.provisions for entry in provision.actors}
    stand_in: Actor = ("organization", grantee)
    for entry in sorted(entries | {stand_in}):
        if entry in (ANYONE, (NEVER,)):
            continue
        if entry[0] == "practitioner":
            yield from _practitioner(inquiry, entry, grantee, at)
        else:
            yield _Person(entry, frozenset({ANYONE, stand_in, entry}))


def _practitioner(inquiry: Inquiry, entry: Actor, grantee: str, at: int) -> Iterator[_Person]:
    """Yield the person as his member entry knew him at that time; a person unknown or suspended then is nobody."""
    member = inquiry.find(("member", grantee, entry[1]))
    if member is None:
        return
    line = next((line for line in reversed(member["history"]) if line["since"] <= at), None)
    if line is not None and line["status"] == "active":
        yield _Person(entry, actors_of(grantee, entry[1], line["functions"], line["groups"]))


def _rows(policy: Policy, record: Record, person: _Person, groups: frozenset[str], at: int) -> Iterator[Fields]:
    """Yield what one person could open, purposes of the same ground together."""
    grounds: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for purpose in _purposes(policy):
        decision = _decide(policy, record, person.actors, groups, purpose, at)
        if decision.is_permit:
            grounds.setdefault((decision.reason.value, decision.deciding), []).append(purpose)
    for (reason, deciding), purposes in sorted(grounds.items()):
        yield {"actor": list(person.named), "purposes": purposes, "reason": reason, "deciding": list(deciding)}


def _decide(
    policy: Policy, record: Record, actors: frozenset[Actor], groups: frozenset[str], purpose: str, at: int
) -> Decision:
    action = "use" if purpose == "TREATDS" else "access"
    return decide(policy, Ask(actors, purpose, action, at, groups, emergency=purpose == "BTG"), record)


def _purposes(policy: Policy) -> Iterable[str]:
    """Return every purpose there is: the known ones and those that a consent names."""
    named = {each for consent in policy.consents for provision in consent.provisions for each in provision.purposes}
    return sorted((named | PURPOSES) - {NEVER})
