"""Which records a grantee gets to know of, and when: not before a consent reaches them (ATTACKS.md A17, A18)."""

from collections.abc import Iterator
from dataclasses import replace

from app.custodian.artefacts import is_faithful
from app.custodian.describing import describe, describe_all
from app.custodian.desk import Desk
from app.custodian.entries import HeldRecord, Link
from app.custodian.pairs import complete_pair, register_shared, share_record
from ledger.contract.asks import actors_of
from ledger.contract.decision import Ask, Policy, decide
from ledger.contract.provision import ANYONE, NEVER, Actor, Kind, Provision, Record


def share_with(desk: Desk, link: Link) -> int:
    """Register what a pair may know of by now; return how many records were new on the ledger.

    The hospital's own pair knows every record. Another grantee knows those that a consent's scope reaches; what is held
    back only by its label is among them if the patient lets him know that something is withheld.
    """
    complete_pair(desk, link)
    known = {shared.internal_id for shared in desk.index.shared_of(link.patient_id)}
    new = [held for held in desk.index.records_of(link.person_id) if held.internal_id not in known]
    for held in new if link.grantee == desk.msp_id else _reached(desk, link, new):
        share_record(desk, link, held.internal_id, held.version)
    shared = desk.index.shared_of(link.patient_id)
    return register_shared(desk, link, describe_all(desk, link, shared))


def policy_of(desk: Desk, patient_id: str) -> Policy:
    """Return the newest policy of a patient id."""
    stored, patient = desk.find("policy", patient_id), desk.find("patient", patient_id)
    if stored is None or patient is None:
        return Policy()
    return Policy.from_state(stored, frozen=patient["status"] == "frozen")


def _reached(desk: Desk, link: Link, new: list[HeldRecord]) -> list[HeldRecord]:
    """Return the records that somebody of the grantee may know of by now, or once a permit begins."""
    if not new:
        return []
    policy, tag = _told_policy(desk, link), desk.tag(link.patient_id)
    asks = _asks(desk, link, policy)
    described = [(held, describe(held, "", desk.zone, tag)) for held in new]
    return [held for held, record in described if any(_permits(policy, ask, record) for ask in asks)]


def _permits(policy: Policy, ask: Ask, record: Record) -> bool:
    """Tell whether a consent permits; the emergency's default does so without one, and nobody has declared any."""
    decision = decide(policy, ask, record)
    return decision.is_permit and bool(decision.deciding)


def _told_policy(desk: Desk, link: Link) -> Policy:
    """Return the consents as they say what the grantee may know of.

    A permit counts only if its artefact means what the ledger says (A28); a refusal counts always. Where the patient
    lets the grantee know that something is withheld, labels neither limit a permit nor hide what a refusal names.
    """
    policy = policy_of(desk, link.patient_id)
    told = []
    for consent in policy.consents:
        honoured = is_faithful(desk, link.patient_id, consent.consent_id)
        base, *nested = (_told(each, consent.base, link, honoured=honoured) for each in consent.provisions)
        told.append(replace(consent, base=base, nested=tuple(nested)))
    return replace(policy, consents=tuple(told))


def _told(provision: Provision, base: Provision, link: Link, *, honoured: bool) -> Provision:
    if provision.kind is Kind.PERMIT:
        if not honoured:
            return _silent(provision)
        return _unlabelled(provision) if link.tell_withheld else provision
    return _silent(provision) if link.tell_withheld and _is_about_labels(provision, base) else provision


def _is_about_labels(provision: Provision, base: Provision) -> bool:
    """Tell whether a refusal adds nothing but labels to the scope that its base has anyway."""
    scopes = [(each.classes, each.codes, each.related, each.records) for each in (provision, base)]
    return bool(provision.levels or provision.sensitivities) and (scopes[0] == scopes[1] or provision is base)


def _silent(provision: Provision) -> Provision:
    """Return a provision that matches nobody."""
    return replace(provision, actors=frozenset({(NEVER,)}))


def _unlabelled(provision: Provision) -> Provision:
    return replace(provision, levels=frozenset(), sensitivities=frozenset())


def _asks(desk: Desk, link: Link, policy: Policy) -> list[Ask]:
    """Return, for each permit that is not over, everybody whom it is for, at a time when it holds."""
    now, groups = desk.clock(), (desk.find("organization", link.grantee) or {"groups": []})["groups"]
    asks: list[Ask] = []
    for consent in policy.consents:
        for permit in consent.provisions:
            until = permit.valid_until
            if permit.kind is not Kind.PERMIT or (until is not None and until <= now):
                continue
            at = max(now, permit.valid_from or now, consent.base.valid_from or now)
            asks += [
                Ask(actors, purpose, action, at, frozenset(groups), emergency=purpose == "BTG")
                for actors in _actors(desk, link, permit)
                for purpose in sorted(permit.purposes - {NEVER}) or ["TREAT"]
                for action in sorted(permit.actions - {NEVER}) or ["access"]
            ]
    return asks


def _actors(desk: Desk, link: Link, permit: Provision) -> Iterator[frozenset[Actor]]:
    """Yield, for each entry of a permit, every entry that fits such a person of the grantee."""
    anybody: frozenset[Actor] = frozenset({ANYONE, ("organization", link.grantee)})
    for entry in sorted(permit.actors) or [ANYONE]:
        if entry[0] == "practitioner":
            member = desk.find("member", link.grantee, entry[1]) or {"functions": [], "groups": []}
            yield actors_of(link.grantee, entry[1], member["functions"], member["groups"])
        elif entry != (NEVER,):
            yield anybody | {entry}
