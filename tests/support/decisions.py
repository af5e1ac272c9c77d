"""Plain policies, asks and records for tests of the decision; codes stand in for tags."""

from dataclasses import replace
from typing import Any

from ledger.contract.decision import Ask, Consent, Emergency, Kind, Policy, Provision, Record

NOW = 1_000
CAROL = ("practitioner", "carol")
FRANK = ("practitioner", "frank")
NORTH = ("organization", "north")
WARD = ("group", "ward")

_SETS = (
    "actors",
    "purposes",
    "actions",
    "classes",
    "codes",
    "period",
    "authors",
    "related",
    "records",
    "levels",
    "sensitivities",
    "groups",
    "custodians",
)


def _frozen(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: frozenset(value) if name in _SETS else value for name, value in changes.items()}


def permit(**changes: Any) -> Provision:
    """Return a permit without limits, except ``changes``."""
    return Provision(Kind.PERMIT, **_frozen(changes))


def deny(emergency: Emergency = Emergency.HOLDS, **changes: Any) -> Provision:
    """Return a deny without limits, except ``changes``."""
    return Provision(Kind.DENY, emergency, **_frozen(changes))


def consent(base: Provision, *nested: Provision, name: str = "c", **changes: Any) -> Consent:
    """Return an active consent."""
    return Consent(name, base, nested, **_frozen(changes))


def policy(*consents: Consent, ended: bool = False, frozen: bool = False) -> Policy:
    """Return a policy."""
    return Policy(consents, ended=ended, frozen=frozen)


def ask(**changes: Any) -> Ask:
    """Return carol of north asking for treatment, with ``changes``."""
    plain = Ask(
        actors=frozenset({("anyone",), CAROL, NORTH, WARD}),
        purpose="TREAT",
        action="access",
        now=NOW,
        groups=frozenset({"ward"}),
    )
    return replace(plain, **_frozen(changes))


def break_glass(**changes: Any) -> Ask:
    """Return carol asking in a declared emergency."""
    return ask(purpose="BTG", emergency=True, **changes)


def record(**changes: Any) -> Record:
    """Return a CT of one day by dan, without labels, with ``changes``."""
    plain = Record(
        record_id="r",
        dates=(frozenset({"d1", "m1"}),),
        level="N",
        classes=frozenset({"ct"}),
        codes=frozenset({"chest"}),
        authors=frozenset({"dan"}),
        related=frozenset({"visit"}),
        records=frozenset({"r"}),
    )
    return replace(plain, **_frozen(changes))
