"""What the decision works on: sets and integers, and their wire forms (DECISION.md 2).

An empty set in a provision means "no limit". ``from_wire`` is for untrusted arguments and checks every member and size;
``from_state`` reads what the contract itself wrote after such a check.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger.contract import wire
from ledger.contract.canonical import Json

Actor = tuple[str, ...]
"""An actor entry, its kind first, for example ``("role", msp_id, function)``."""

ANYONE: Final[Actor] = ("anyone",)
NEVER: Final = "never"


class Kind(StrEnum):
    """What a provision does when it matches."""

    PERMIT = "permit"
    DENY = "deny"


class Emergency(StrEnum):
    """What a deny does in a declared emergency (DECISION.md 6)."""

    HOLDS = "holds"
    NAMED = "named"
    YIELDS = "yields"


@dataclass(frozen=True, slots=True)
class Provision:
    """One effective permit or deny: its elements are AND, the values of one element are OR, an empty set is no limit.

    Attributes:
        kind: permit or deny (``type`` on the wire).
        emergency: for a deny, whether a declared emergency sets it aside; a permit ``holds``.
        actors: entries of which the asker must carry one.
        purposes: codes of v3-ActReason, or ``system:code``.
        actions: of collect, access, use, disclose, correct.
        classes, codes, authors, related, records, levels, sensitivities, period: tags that the contract only compares.
        valid_from, valid_until: seconds UTC, half open; None is unlimited.
    """

    kind: Kind
    emergency: Emergency = Emergency.HOLDS
    actors: frozenset[Actor] = frozenset()
    purposes: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    period: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    sensitivities: frozenset[str] = frozenset()
    valid_from: int | None = None
    valid_until: int | None = None

    @classmethod
    def from_wire(cls, value: object) -> "Provision":
        """Return the provision of an untrusted argument.

        Raises:
            ContractError: ``malformed``; a member is missing, unknown, unsorted, too long or of the wrong form.
        """
        wire.check_provision(value)
        return cls.from_state(wire.members(value))

    @classmethod
    def from_state(cls, value: Mapping[str, Json]) -> "Provision":
        """Return the provision that the contract stored."""
        return cls(
            kind=Kind(wire.text(value["type"])),
            emergency=Emergency(wire.text(value["emergency"])),
            actors=frozenset(tuple(wire.strings(entry)) for entry in wire.items(value["actors"])),
            purposes=frozenset(wire.strings(value["purposes"])),
            actions=frozenset(wire.strings(value["actions"])),
            classes=frozenset(wire.strings(value["classes"])),
            codes=frozenset(wire.strings(value["codes"])),
            period=frozenset(wire.strings(value["period"])),
            authors=frozenset(wire.strings(value["authors"])),
            related=frozenset(wire.strings(value["related"])),
            records=frozenset(wire.strings(value["records"])),
            levels=frozenset(wire.strings(value["levels"])),
            sensitivities=frozenset(wire.strings(value["sensitivities"])),
            valid_from=wire.instant(value["valid_from"]),
            valid_until=wire.instant(value["valid_until"]),
        )

    def to_wire(self) -> dict[str, Json]:
        """Return the wire form: every list sorted and unique."""
        return {
            "type": self.kind.value,
            "emergency": self.emergency.value,
            "actors": [list(entry) for entry in sorted(self.actors)],
            "purposes": _sorted(self.purposes),
            "actions": _sorted(self.actions),
            "classes": _sorted(self.classes),
            "codes": _sorted(self.codes),
            "period": _sorted(self.period),
            "authors": _sorted(self.authors),
            "related": _sorted(self.related),
            "records": _sorted(self.records),
            "levels": _sorted(self.levels),
            "sensitivities": _sorted(self.sensitivities),
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
        }

    def limits_records(self) -> bool:
        """Tell whether any element is about the record, so that the list of records cannot be judged by it."""
        record_side = (self.classes, self.codes, self.period, self.authors, self.related, self.records)
        return any(record_side) or bool(self.levels) or bool(self.sensitivities)


@dataclass(frozen=True, slots=True)
class Consent:
    """A granted consent as the policy of a patient id holds it.

    Attributes:
        consent_id: ``id`` on the wire.
        base, nested: the base provision and its exceptions, all effective.
        authority: while whoever signed for the patient might do so; None is unlimited.
        retention_days: how long a recipient may keep ciphertext and derived text; the decision does not see it.
        custodians: whose records it covers; empty: the patient id implies the custodian. Not on the ledger.
        status: R4's; only active consents are in a policy. Not on the ledger.
    """

    consent_id: str
    base: Provision
    nested: tuple[Provision, ...] = ()
    authority: tuple[int | None, int | None] = (None, None)
    retention_days: int = 0
    custodians: frozenset[str] = frozenset()
    status: str = "active"

    @classmethod
    def from_wire(cls, value: object) -> "Consent":
        """Return the consent of an untrusted ``{id, authority, base, nested, retention_days}``.

        Raises:
            ContractError: ``malformed``.
        """
        wire.check_consent(value)
        return cls.from_state(wire.members(value))

    @classmethod
    def from_state(cls, value: Mapping[str, Json]) -> "Consent":
        """Return the consent that the contract stored."""
        start, end = wire.items(value["authority"])
        return cls(
            consent_id=wire.text(value["id"]),
            base=Provision.from_state(wire.members(value["base"])),
            nested=tuple(Provision.from_state(wire.members(each)) for each in wire.items(value["nested"])),
            authority=(wire.instant(start), wire.instant(end)),
            retention_days=wire.integer(value["retention_days"]),
        )

    def to_wire(self) -> dict[str, Json]:
        """Return the policy's wire form."""
        return {
            "id": self.consent_id,
            "authority": list(self.authority),
            "base": self.base.to_wire(),
            "nested": [each.to_wire() for each in self.nested],
            "retention_days": self.retention_days,
        }

    @property
    def provisions(self) -> tuple[Provision, ...]:
        """The base first, then the exceptions: the index is the n of ``consent_id#n``."""
        return (self.base, *self.nested)


@dataclass(frozen=True, slots=True)
class Policy:
    """All consents of one patient id.

    Attributes:
        consents: the active ones (screens and vectors also give those that are not).
        ended: some permit existed and is no longer active.
        frozen: the patient id is frozen: nothing opens without a declared emergency.
    """

    consents: tuple[Consent, ...] = ()
    ended: bool = False
    frozen: bool = False

    @classmethod
    def from_state(cls, value: Mapping[str, Json], *, frozen: bool = False) -> "Policy":
        """Return the policy of the stored ``{consents, ended, …}``; ``frozen`` comes from the patient's value."""
        consents = tuple(Consent.from_state(wire.members(each)) for each in wire.items(value["consents"]))
        return cls(consents, ended=value["ended"] is True, frozen=frozen)

    def to_wire(self) -> dict[str, Json]:
        """Return ``{consents, ended}``, to which the contract adds its version members."""
        return {"consents": [each.to_wire() for each in self.consents], "ended": self.ended}


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger knows about one record: tags only.

    Attributes:
        dates: one group of date tags per part of its interval, never empty ("no date" is a group too).
        level: the one tag of kind ``level`` or ``sensitive-level``.
        custodian: who holds it, where a policy spans custodians; never on the ledger.
    """

    record_id: str
    dates: tuple[frozenset[str], ...]
    level: str
    classes: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    sensitivities: frozenset[str] = frozenset()
    erased: bool = False
    custodian: str = ""

    @classmethod
    def from_wire(cls, value: object) -> "Record":
        """Return the record of an untrusted ``{record_id, …description, erased}``.

        Raises:
            ContractError: ``malformed``.
        """
        wire.check_record(value)
        record = wire.members(value)
        return cls.from_description(wire.text(record["record_id"]), record, erased=record["erased"] is True)

    @classmethod
    def from_description(cls, record_id: str, value: Mapping[str, Json], *, erased: bool = False) -> "Record":
        """Return the record of a stored (checked) description; other members of ``value`` are not looked at."""
        return cls(
            record_id=record_id,
            dates=tuple(frozenset(wire.strings(group)) for group in wire.items(value["dates"])),
            level=wire.text(value["level"]),
            classes=frozenset(wire.strings(value["classes"])),
            codes=frozenset(wire.strings(value["codes"])),
            authors=frozenset(wire.strings(value["authors"])),
            related=frozenset(wire.strings(value["related"])),
            records=frozenset(wire.strings(value["records"])),
            sensitivities=frozenset(wire.strings(value["sensitivities"])),
            erased=erased,
        )

    def description(self) -> dict[str, Json]:
        """Return the eight members of the description, as ``RegisterRecords`` takes them."""
        groups: list[Json] = [list(group) for group in sorted({tuple(sorted(group)) for group in self.dates})]
        return {
            "dates": groups,
            "level": self.level,
            "classes": _sorted(self.classes),
            "codes": _sorted(self.codes),
            "authors": _sorted(self.authors),
            "related": _sorted(self.related),
            "records": _sorted(self.records),
            "sensitivities": _sorted(self.sensitivities),
        }

    def to_wire(self) -> dict[str, Json]:
        """Return the wire form."""
        return {"record_id": self.record_id, **self.description(), "erased": self.erased}


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, for what, when. All but the device come from the certificate and the ledger's entries.

    Attributes:
        actors: every entry that fits the asker, ``("anyone",)`` among them.
        groups: every group the directory knows; a deny naming another counts against disclosure.
        now: seconds UTC.
        emergency: a running, own, declared emergency stands behind the purpose BTG.
        party: ``patient`` or ``proxy`` when the asker is the patient's party, else empty.
    """

    actors: frozenset[Actor]
    purpose: str
    action: str
    now: int
    groups: frozenset[str] = frozenset()
    emergency: bool = False
    party: str = ""

    @classmethod
    def from_wire(cls, value: object) -> "Ask":
        """Return the ask of an untrusted object.

        Raises:
            ContractError: ``malformed``.
        """
        wire.check_ask(value)
        ask = wire.members(value)
        return cls(
            actors=frozenset(tuple(wire.strings(entry)) for entry in wire.items(ask["actors"])),
            groups=frozenset(wire.strings(ask["groups"])),
            purpose=wire.text(ask["purpose"]),
            action=wire.text(ask["action"]),
            now=wire.integer(ask["now"]),
            emergency=ask["emergency"] is True,
            party=wire.text(ask["party"]),
        )

    def to_wire(self) -> dict[str, Json]:
        """Return the wire form."""
        return {
            "actors": [list(entry) for entry in sorted(self.actors)],
            "groups": _sorted(self.groups),
            "purpose": self.purpose,
            "action": self.action,
            "now": self.now,
            "emergency": self.emergency,
            "party": self.party,
        }


def actor_entries(
    person: str, organization: str, *, functions: Iterable[str] = (), groups: Iterable[str] = (), device: str = ""
) -> frozenset[Actor]:
    """Return every entry that fits an asker (DECISION.md 4): the one place where asks get their actors.

    Args:
        person: ledger id of the practitioner or proxy.
        organization: msp_id acted for.
        functions: the person's functions there.
        groups: the groups of which the person is a current member.
        device: tag of the model that is used, or empty.
    """
    entries = {ANYONE, ("practitioner", person), ("organization", organization)}
    for function in functions:
        entries |= {("role", organization, function), ("practitioner", person, organization, function)}
    entries |= {("group", group) for group in groups}
    return frozenset(entries | {("device", device)} if device else entries)


def _sorted(values: frozenset[str]) -> list[Json]:
    return [*sorted(values)]
