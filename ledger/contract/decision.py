"""May this person open this record? The pure function that contract, custodian and every verifier run (DECISION.md 5).

Consents are combined without order: any deny overrides any permit, age does not matter, and a consent that matches
nothing says nothing. Nothing here reads a clock, a directory or a key; tags are only compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger.contract.canonical import Json
from ledger.contract.lineage import lineage, must_be_named
from ledger.contract.provision import Ask, Consent, Emergency, Kind, Policy, Provision, Record

__all__ = [
    "REASON_ORDER",
    "Ask",
    "Consent",
    "Decision",
    "Emergency",
    "Kind",
    "Outcome",
    "Policy",
    "Provision",
    "Reason",
    "Record",
    "decide",
    "decide_index",
    "lineage",
    "nearest",
]


class Outcome(StrEnum):
    """The two answers."""

    PERMIT = "permit"
    DENY = "deny"


class Reason(StrEnum):
    """Why (DECISION.md 8). The first fifteen are gaps, in the order of how far a permit reached."""

    NO_CONSENT = "NO_CONSENT"
    CUSTODIAN_NOT_COVERED = "CUSTODIAN_NOT_COVERED"
    NOT_ACTIVE = "NOT_ACTIVE"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    AUTHORITY_ENDED = "AUTHORITY_ENDED"
    ACTOR_NOT_COVERED = "ACTOR_NOT_COVERED"
    PURPOSE_NOT_COVERED = "PURPOSE_NOT_COVERED"
    ACTION_NOT_COVERED = "ACTION_NOT_COVERED"
    CATEGORY_NOT_COVERED = "CATEGORY_NOT_COVERED"
    DATE_NOT_COVERED = "DATE_NOT_COVERED"
    AUTHOR_NOT_COVERED = "AUTHOR_NOT_COVERED"
    INSTANCE_NOT_COVERED = "INSTANCE_NOT_COVERED"
    RELATION_NOT_COVERED = "RELATION_NOT_COVERED"
    LABEL_NOT_COVERED = "LABEL_NOT_COVERED"
    PERMITTED_BY_CONSENT = "PERMITTED_BY_CONSENT"
    PERMITTED_BREAK_GLASS = "PERMITTED_BREAK_GLASS"
    DENIED_BY_CONSENT = "DENIED_BY_CONSENT"
    DENY_OVERRIDES = "DENY_OVERRIDES"
    CONFLICTING_EXCEPTIONS = "CONFLICTING_EXCEPTIONS"
    PURPOSE_NOT_AUTHORISED = "PURPOSE_NOT_AUTHORISED"
    RECORD_ERASED = "RECORD_ERASED"
    PATIENT_FROZEN = "PATIENT_FROZEN"
    OWN_RECORD = "OWN_RECORD"


REASON_ORDER: Final = {reason: order for order, reason in enumerate(Reason)}
"""How far a gap is; only the first fifteen are ever compared."""

_OWN_PURPOSES: Final = frozenset({"PATRQT", "FAMRQT"})


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one ask.

    Attributes:
        deciding, overridden: sorted ``consent_id#n``, n = 0 for the base, 1… for the exceptions.
        until: seconds UTC when the answer ends by itself; None if it has no end (or is a deny).
    """

    outcome: Outcome
    reason: Reason
    deciding: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    until: int | None = None

    @property
    def is_permit(self) -> bool:
        """Whether the record may be opened."""
        return self.outcome is Outcome.PERMIT

    def to_wire(self) -> dict[str, Json]:
        """Return the wire form, as previews carry it."""
        return {
            "outcome": self.outcome.value,
            "reason": self.reason.value,
            "deciding": list(self.deciding),
            "overridden": list(self.overridden),
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class _Hit:
    """A provision that takes part in the answer."""

    consent: Consent
    number: int

    @property
    def provision(self) -> Provision:
        return self.consent.provisions[self.number]

    @property
    def name(self) -> str:
        return f"{self.consent.consent_id}#{self.number}"

    @property
    def until(self) -> int | None:
        ends = [end for end in (self.provision.valid_until, self.consent.authority[1]) if end is not None]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What one consent says about one ask."""

    permits: tuple[_Hit, ...] = ()
    denies: tuple[_Hit, ...] = ()
    aside: tuple[_Hit, ...] = ()
    reached: Reason = Reason.NO_CONSENT


def decide(policy: Policy, ask: Ask, record: Record) -> Decision:
    """Decide whether ``ask`` may have ``record`` under ``policy``."""
    if record.erased:
        return Decision(Outcome.DENY, Reason.RECORD_ERASED)
    judgements = [_judge(consent, ask, record) for consent in policy.consents]
    if (early := _before_consents(policy, ask, [hit for each in judgements for hit in each.denies])) is not None:
        return early
    denying = [each for each in judgements if each.denies]
    permits = [hit for each in judgements if not each.denies for hit in each.permits]
    if denying:
        conflict = any(each.permits for each in denying)
        reason = Reason.CONFLICTING_EXCEPTIONS if conflict else Reason.DENIED_BY_CONSENT
        return _deny([hit for each in denying for hit in each.denies], permits, reason)
    aside = [hit for each in judgements for hit in each.aside]
    if permits:
        reason = Reason.PERMITTED_BREAK_GLASS if aside else Reason.PERMITTED_BY_CONSENT
        return Decision(Outcome.PERMIT, reason, _names(permits), _names(aside), _latest(permits))
    return _by_default(policy, ask, [each.reached for each in judgements], aside)


def decide_index(policy: Policy, ask: Ask) -> Decision:
    """Decide whether ``ask`` may have the list of records. A wide gate: every row is decided by ``decide``."""
    blocks: list[_Hit] = []
    permits: list[_Hit] = []
    reached: list[Reason] = []
    for consent in policy.consents:
        if (code := _standing(consent, ask.now, None)) is not None:
            reached.append(_reached_at(consent, code))
            continue
        meeting = [hit for hit in _live(consent, ask.now) if _asker_gap(hit.provision, ask) is None]
        allowing = [hit for hit in meeting if hit.provision.kind is Kind.PERMIT]
        permits += allowing
        blocks += [] if allowing else [hit for hit in meeting if hit.number == 0 and not hit.provision.limits_records()]
        reached += [
            gap for hit in _live_permits(consent, ask.now) if (gap := _asker_gap(hit.provision, ask)) is not None
        ]
    if (early := _before_consents(policy, ask, blocks)) is not None:
        return early
    if blocks:
        return _deny(blocks, permits, Reason.DENIED_BY_CONSENT)
    if permits:
        return Decision(Outcome.PERMIT, Reason.PERMITTED_BY_CONSENT, _names(permits), (), _latest(permits))
    return _by_default(policy, ask, reached, [])


def nearest(policy: Policy, ask: Ask, record: Record) -> tuple[str, ...]:
    """Return the permits that came furthest when a gap denied the record (``consent_id#n``); shown, never stored."""
    reason = decide(policy, ask, record).reason
    if REASON_ORDER[reason] > REASON_ORDER[Reason.LABEL_NOT_COVERED]:
        return ()
    hits: list[_Hit] = []
    for consent in policy.consents:
        if (code := _standing(consent, ask.now, record)) is not None:
            hits += [hit for hit in _all(consent) if hit.provision.kind is Kind.PERMIT and code is reason]
        else:
            hits += [hit for hit in _live_permits(consent, ask.now) if _gap(hit.provision, ask, record) is reason]
    return _names(hits)


def _before_consents(policy: Policy, ask: Ask, denies: list[_Hit]) -> Decision | None:
    """Return the answer that does not depend on what the consents permit."""
    if ask.purpose == "BTG" and not ask.emergency:
        return Decision(Outcome.DENY, Reason.PURPOSE_NOT_AUTHORISED)
    if policy.frozen and not _is_emergency(ask):
        return Decision(Outcome.DENY, Reason.PATIENT_FROZEN)
    if not ask.party or ask.purpose not in _OWN_PURPOSES:
        return None
    named = [hit for hit in denies if ask.party == "proxy" and _names_person(hit.provision, ask)]
    return _deny(named, [], Reason.DENIED_BY_CONSENT) if named else Decision(Outcome.PERMIT, Reason.OWN_RECORD)


def _by_default(policy: Policy, ask: Ask, reached: list[Reason], aside: list[_Hit]) -> Decision:
    """Return the answer when no consent says anything: deny, or PCF's break-glass policy."""
    best = max(reached, key=REASON_ORDER.__getitem__, default=Reason.NO_CONSENT)
    if _is_emergency(ask) and REASON_ORDER[best] <= REASON_ORDER[Reason.PURPOSE_NOT_COVERED]:
        return Decision(Outcome.PERMIT, Reason.PERMITTED_BREAK_GLASS, (), _names(aside))
    return Decision(Outcome.DENY, Reason.NOT_ACTIVE if best is Reason.NO_CONSENT and policy.ended else best)


def _deny(denies: list[_Hit], permits: list[_Hit], reason: Reason) -> Decision:
    return Decision(Outcome.DENY, Reason.DENY_OVERRIDES if permits else reason, _names(denies), _names(permits))


def _judge(consent: Consent, ask: Ask, record: Record) -> _Judgement:
    """Let one consent speak: its exceptions first, its base if none of them does."""
    if (code := _standing(consent, ask.now, record)) is not None:
        return _Judgement(reached=_reached_at(consent, code))
    live = list(_live(consent, ask.now))
    matching = [hit for hit in live if _gap(hit.provision, ask, record) is None]
    exceptions = [hit for hit in matching if hit.number > 0]
    aside = tuple(hit for hit in exceptions if _is_aside(hit.provision, ask))
    hits = [hit for hit in exceptions if hit not in aside] or [hit for hit in matching if hit.number == 0]
    gaps = [gap for hit in _live_permits(consent, ask.now) if (gap := _gap(hit.provision, ask, record)) is not None]
    return _Judgement(
        permits=tuple(hit for hit in hits if hit.provision.kind is Kind.PERMIT),
        denies=tuple(hit for hit in hits if hit.provision.kind is Kind.DENY),
        aside=aside,
        reached=max(gaps, key=REASON_ORDER.__getitem__, default=Reason.NO_CONSENT),
    )


def _standing(consent: Consent, now: int, record: Record | None) -> Reason | None:
    """Return why ``consent`` is not in force now, or None."""
    if record is not None and consent.custodians and record.custodian not in consent.custodians:
        return Reason.CUSTODIAN_NOT_COVERED
    if consent.status != "active":
        return Reason.NOT_ACTIVE
    if consent.base.valid_from is not None and now < consent.base.valid_from:
        return Reason.NOT_YET_VALID
    if consent.base.valid_until is not None and now >= consent.base.valid_until:
        return Reason.EXPIRED
    return None if _within(now, *consent.authority) else Reason.AUTHORITY_ENDED


def _reached_at(consent: Consent, code: Reason) -> Reason:
    """Return ``code`` for a consent not in force, if it held anything that could have allowed something."""
    return code if any(each.kind is Kind.PERMIT for each in consent.provisions) else Reason.NO_CONSENT


def _gap(provision: Provision, ask: Ask, record: Record) -> Reason | None:
    """Return the first test that ``provision`` fails, or None if it matches."""
    return _asker_gap(provision, ask) or _record_gap(provision, record)


def _asker_gap(provision: Provision, ask: Ask) -> Reason | None:
    """Return the first test about the asker that fails: person, purpose, action."""
    if not _actor_fits(provision, ask):
        return Reason.ACTOR_NOT_COVERED
    if not _purpose_fits(provision, ask.purpose):
        return Reason.PURPOSE_NOT_COVERED
    if provision.actions and ask.action not in provision.actions:
        return Reason.ACTION_NOT_COVERED
    return None


def _actor_fits(provision: Provision, ask: Ask) -> bool:
    if not provision.actors or not provision.actors.isdisjoint(ask.actors):
        return True
    # A group that the directory has lost may hold anyone: unknown counts against disclosure.
    return provision.kind is Kind.DENY and any(
        entry[0] == "group" and entry[1] not in ask.groups for entry in provision.actors
    )


def _purpose_fits(provision: Provision, purpose: str) -> bool:
    if not provision.purposes:
        return provision.kind is Kind.DENY or not must_be_named(purpose)
    return not provision.purposes.isdisjoint(lineage(purpose))


def _record_gap(provision: Provision, record: Record) -> Reason | None:
    """Return the first test about the record that fails: category, date, data, labels."""
    if _misses(provision.classes, record.classes) or _misses(provision.codes, record.codes):
        return Reason.CATEGORY_NOT_COVERED
    if not _date_fits(provision, record):
        return Reason.DATE_NOT_COVERED
    return _part_gap(provision, record) or (None if _label_fits(provision, record) else Reason.LABEL_NOT_COVERED)


def _misses(limit: frozenset[str], tags: frozenset[str]) -> bool:
    return bool(limit) and limit.isdisjoint(tags)


def _date_fits(provision: Provision, record: Record) -> bool:
    """A permit must contain the whole interval of the record, a deny need only touch it."""
    if not provision.period:
        return True
    met = [not provision.period.isdisjoint(group) for group in record.dates]
    return all(met) if provision.kind is Kind.PERMIT else any(met)


def _part_gap(provision: Provision, record: Record) -> Reason | None:
    """Authors, related and records are one element, so OR across them."""
    stated = [
        (limit, tags, reason)
        for limit, tags, reason in (
            (provision.authors, record.authors, Reason.AUTHOR_NOT_COVERED),
            (provision.related, record.related, Reason.RELATION_NOT_COVERED),
            (provision.records, record.records, Reason.INSTANCE_NOT_COVERED),
        )
        if limit
    ]
    if not stated or any(not limit.isdisjoint(tags) for limit, tags, _ in stated):
        return None
    return stated[0][2]


def _label_fits(provision: Provision, record: Record) -> bool:
    """A permit must cover every sensitivity once it names one; a deny needs one (A48)."""
    level, named = provision.levels, provision.sensitivities
    if provision.kind is Kind.PERMIT:
        return not level or (record.level in level and (not named or record.sensitivities <= named))
    return (not level and not named) or record.level in level or not named.isdisjoint(record.sensitivities)


def _is_emergency(ask: Ask) -> bool:
    """An emergency counts for its own purpose only."""
    return ask.emergency and ask.purpose == "BTG"


def _is_aside(provision: Provision, ask: Ask) -> bool:
    """Tell whether a matching exception is set aside by the emergency rule (DECISION.md 6)."""
    if not _is_emergency(ask) or provision.emergency is Emergency.HOLDS:
        return False
    return provision.emergency is Emergency.YIELDS or not _names_person(provision, ask)


def _names_person(provision: Provision, ask: Ask) -> bool:
    """Tell whether an entry names this very person; a hospital, group or role does not count."""
    return any(entry[0] == "practitioner" for entry in provision.actors & ask.actors)


def _all(consent: Consent) -> Iterator[_Hit]:
    return (_Hit(consent, number) for number in range(len(consent.provisions)))


def _live(consent: Consent, now: int) -> Iterator[_Hit]:
    return (hit for hit in _all(consent) if _within(now, hit.provision.valid_from, hit.provision.valid_until))


def _live_permits(consent: Consent, now: int) -> Iterator[_Hit]:
    return (hit for hit in _live(consent, now) if hit.provision.kind is Kind.PERMIT)


def _within(now: int, start: int | None, end: int | None) -> bool:
    return (start is None or start <= now) and (end is None or now < end)


def _names(hits: list[_Hit] | tuple[_Hit, ...]) -> tuple[str, ...]:
    return tuple(sorted({hit.name for hit in hits}))


def _latest(hits: list[_Hit]) -> int | None:
    """Return when the last of the deciding permits ends; None if one never does."""
    ends = [hit.until for hit in hits]
    return None if None in ends else max(end for end in ends if end is not None)
