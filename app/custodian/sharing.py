"""Which records a grantee gets to know of, and when: not before a consent reaches them (ATTACKS.md A17, A18)."""

from collections.abc import Iterator
from dataclasses import replace

from app.custodian.describing import describe, describe_all
from app.custodian.desk import Desk
from app.custodian.entries import HeldRecord, Link
from app.custodian.pairs import complete_pair, register_shared, share_record
from ledger.contract.decision import Ask, Policy, decide
from ledger.contract.provision import Consent, Kind, Provision, Record


def share_with(desk: Desk, link: Link) -> int:
    """Register what a pair may know of by now; return how many records were new on the ledger.

    The hospital's own pair knows every record. Another grantee knows those that a consent's scope reaches; what is held
    back only by its label is among them if the patient lets him know that something is withheld.
    """
    complete_pair(desk, link)
    known = {shared.internal_id for shared in desk.index.shared_of(link.patient_id)}
    for held in desk.index.records_of(link.person_id):
        if held.internal_id not in known and (link.grantee == desk.msp_id or _is_reached(desk, link, held)):
            share_record(desk, link, held.internal_id, held.version)
    shared = desk.index.shared_of(link.patient_id)
    return register_shared(desk, link, describe_all(desk, link, shared))


def policy_of(desk: Desk, patient_id: str) -> Policy:
    """Return the newest policy of a patient id."""
    stored, patient = desk.find("policy", patient_id), desk.find("patient", patient_id)
    if stored is None or patient is None:
        return Policy()
    return Policy.from_state(stored, frozen=patient["status"] == "frozen")


def _is_reached(desk: Desk, link: Link, held: HeldRecord) -> bool:
    """Tell whether some permit that is not over reaches a record."""
    record = describe(held, "", desk.zone, desk.tag(link.patient_id))
    now = desk.clock()
    policy = policy_of(desk, link.patient_id)
    return any(_reaches(consent, ask, record, link) for consent in policy.consents for ask in _askers(consent, now))


def _reaches(consent: Consent, ask: Ask, record: Record, link: Link) -> bool:
    if link.tell_withheld:
        consent = replace(consent, base=_unlabelled(consent.base), nested=_permits(consent))
    return decide(Policy((consent,)), ask, record).is_permit


def _permits(consent: Consent) -> tuple[Provision, ...]:
    return tuple(_unlabelled(each) for each in consent.nested if each.kind is Kind.PERMIT)


def _unlabelled(provision: Provision) -> Provision:
    return replace(provision, levels=frozenset(), sensitivities=frozenset())


def _askers(consent: Consent, now: int) -> Iterator[Ask]:
    """Yield, for each permit that is not over, somebody whom it is for, at a time when it holds."""
    for permit in consent.provisions:
        until = permit.valid_until
        if permit.kind is not Kind.PERMIT or (until is not None and until <= now):
            continue
        at = max(now, permit.valid_from or now, consent.base.valid_from or now)
        purposes = sorted(permit.purposes) or ["TREAT"]
        actions = sorted(permit.actions) or ["access"]
        actors = permit.actors or frozenset({("anyone",)})
        yield Ask(actors=actors, purpose=purposes[0], action=actions[0], now=at, emergency=purposes[0] == "BTG")
