"""The terms of one sharing: what is asked, and what the patient leaves of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.consent.calendar import DAY_LENGTH
from app.consent.codes import Coding
from app.consent.dates import read_date_time
from ledger.contract import wire
from ledger.contract.canonical import Json
from ledger.contract.errors import ContractError


class Category(StrEnum):
    """The one category of a record (PROTOCOL.md C1), in the order in which they are named to a patient."""

    IMAGE = "image"
    LABORATORY = "laboratory"
    CYTOLOGY = "cytology"
    DOCUMENT = "document"
    HEART = "heart"
    MEDICATION = "medication"
    PROBLEM = "problem"
    ENCOUNTER = "encounter"


AI_CATEGORIES: Final = frozenset({Category.CYTOLOGY, Category.HEART})
"""The categories that the bundled models can read; AI is never asked for others."""
DAYS: Final = (1, 7, 30, 90)
"""What the dialog offers for "keep open"."""


class Labels(StrEnum):
    """Which records stay closed by their sensitivity."""

    ALL = "all"
    NOT_MENTAL_HEALTH = "not-mental-health"
    NORMAL_ONLY = "normal-only"


class GranteeKind(StrEnum):
    """Who a consent is for, widest first."""

    ORGANIZATION = "organization"
    ROLE = "role"
    PRACTITIONER = "practitioner"


class WideningError(ValueError):
    """A change would allow more than was asked."""


@dataclass(frozen=True, slots=True)
class Grantee:
    """Who may open.

    Attributes:
        kind: a person, all who hold a function, or all of the organization.
        msp_id, organization_name: the organization acted for.
        subject: ledger id of the person, empty for others.
        function: ledger id of the function, empty unless ``kind`` is a role.
        name: as the patient reads it, ``Dr Carol Specimen``; of a role, the function's.
    """

    kind: GranteeKind
    msp_id: str
    organization_name: str
    name: str = ""
    subject: str = ""
    function: str = ""

    def covers(self, other: "Grantee") -> bool:
        """Tell whether narrowing this grantee to ``other`` allows nobody new."""
        if self.msp_id != other.msp_id:
            return False
        if self.kind is GranteeKind.ORGANIZATION:
            return True
        if self.kind is GranteeKind.ROLE and other.kind is not GranteeKind.ORGANIZATION:
            return self.function == other.function
        return self == other

    def to_wire(self) -> dict[str, Json]:
        """Return the canonical form."""
        return {name: str(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_wire(cls, value: object) -> "Grantee":
        """Return the grantee of an untrusted object.

        Raises:
            ContractError: ``malformed``.
        """
        grantee = _exactly(value, frozenset(cls.__slots__))
        texts = {name: wire.text(grantee[name]) for name in cls.__slots__ if name != "kind"}
        return cls(kind=_one_of(GranteeKind, grantee["kind"]), **texts)


@dataclass(frozen=True, slots=True)
class Party:
    """Whose consent it is, and who holds the records.

    Attributes:
        patient_id: the pairwise id.
        custodian, custodian_name: msp_id and name of the hospital that holds the records.
        zone: the custodian's fixed offset.
        representative: subject of the proxy who signs, empty if the patient does.
        representative_until: FHIR date or dateTime when that ends, empty if it has no end.
    """

    patient_id: str
    custodian: str
    custodian_name: str
    zone: str = "+00:00"
    representative: str = ""
    representative_until: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """One sharing. The same form holds what is asked and what is allowed.

    Attributes:
        purpose: coding of the purpose of use.
        categories: which records; never empty.
        made_from, made_until: ISO days between which a record was made, empty for no limit.
        keep_open_days: for how long it may be opened, and kept as ciphertext (A25).
        ai_inference: a computer may suggest a diagnosis.
        ai_training: computers may learn.
        labels: what stays closed by its sensitivity.
        emergency_opens: the patient's answer "open it then" for what ``labels`` keeps closed.
    """

    grantee: Grantee
    purpose: Coding
    categories: frozenset[Category]
    keep_open_days: int
    made_from: str = ""
    made_until: str = ""
    ai_inference: bool = False
    ai_training: bool = False
    labels: Labels = Labels.ALL
    emergency_opens: bool = True

    @property
    def ai_categories(self) -> frozenset[Category]:
        """The chosen categories that models can read; if empty, nothing about AI can be asked."""
        return self.categories & AI_CATEGORIES

    def narrowed(self, **changes: Any) -> "Terms":
        """Return the terms with ``changes``, each of which must allow the same or less.

        AI answers fall away by themselves when no chosen category can be read by a model.

        Raises:
            WideningError: a change would allow more, or leaves nothing.
        """
        changed = replace(self, **changes)
        if not changed.ai_categories:
            changed = replace(changed, ai_inference=False, ai_training=False)
        wider = [name for name, is_within in _WITHIN.items() if not is_within(self, changed)]
        if wider:
            raise WideningError(f"more than was asked: {', '.join(wider)}")
        return changed

    def to_wire(self) -> dict[str, Json]:
        """Return the canonical form, as a request carries it."""
        return {
            "grantee": self.grantee.to_wire(),
            "purpose": list(self.purpose),
            "categories": [*sorted(self.categories)],
            "keep_open_days": self.keep_open_days,
            "made_from": self.made_from,
            "made_until": self.made_until,
            "ai_inference": self.ai_inference,
            "ai_training": self.ai_training,
            "labels": self.labels.value,
            "emergency_opens": self.emergency_opens,
        }

    @classmethod
    def from_wire(cls, value: object) -> "Terms":
        """Return the terms of an untrusted object.

        Raises:
            ContractError: ``malformed``.
        """
        terms = _exactly(value, frozenset(cls.__slots__))
        purpose = wire.strings(terms["purpose"])
        categories = frozenset(_one_of(Category, each) for each in wire.items(terms["categories"]))
        days = wire.integer(terms["keep_open_days"])
        if len(purpose) != 2 or not categories or not 1 <= days <= wire.MAX_RETENTION_DAYS:  # noqa: PLR2004 (system, code)
            raise ContractError("malformed", "terms")
        return cls(
            grantee=Grantee.from_wire(terms["grantee"]),
            purpose=(purpose[0], purpose[1]),
            categories=categories,
            keep_open_days=days,
            made_from=_day(terms["made_from"]),
            made_until=_day(terms["made_until"]),
            ai_inference=_flag(terms["ai_inference"]),
            ai_training=_flag(terms["ai_training"]),
            labels=_one_of(Labels, terms["labels"]),
            emergency_opens=_flag(terms["emergency_opens"]),
        )


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One term that the patient cut: what was asked and what is allowed."""

    term: str
    asked: object
    allowed: object


def narrowings(asked: Terms, allowed: Terms) -> tuple[Narrowing, ...]:
    """Return every term in which ``allowed`` differs from ``asked``, in the order of the dialog."""
    pairs = [(name, getattr(asked, name), getattr(allowed, name)) for name in _WITHIN]
    return tuple(Narrowing(name, before, after) for name, before, after in pairs if before != after)


def _is_stricter_label(asked: Terms, allowed: Terms) -> bool:
    return asked.labels in (Labels.ALL, allowed.labels)


def _is_stricter_emergency(asked: Terms, allowed: Terms) -> bool:
    return asked.emergency_opens or not allowed.emergency_opens


_FOREVER: Final = "9999-12-31"
_WITHIN: Final[Mapping[str, Callable[[Terms, Terms], bool]]] = {
    "categories": lambda asked, allowed: bool(allowed.categories) and allowed.categories <= asked.categories,
    "made_from": lambda asked, allowed: asked.made_from <= allowed.made_from <= (allowed.made_until or _FOREVER),
    "made_until": lambda asked, allowed: not asked.made_until or "" < allowed.made_until <= asked.made_until,
    "keep_open_days": lambda asked, allowed: 1 <= allowed.keep_open_days <= asked.keep_open_days,
    "grantee": lambda asked, allowed: asked.grantee.covers(allowed.grantee),
    "purpose": lambda asked, allowed: allowed.purpose == asked.purpose,
    "ai_inference": lambda asked, allowed: asked.ai_inference or not allowed.ai_inference,
    "ai_training": lambda asked, allowed: asked.ai_training or not allowed.ai_training,
    "labels": _is_stricter_label,
    "emergency_opens": _is_stricter_emergency,
}
"""For each term, whether the allowed value is the asked one or less; ISO days compare as text, empty is no limit."""


def _exactly(value: object, names: frozenset[str]) -> dict[str, Json]:
    found = wire.members(value)
    if found.keys() != names:
        raise ContractError("malformed", "members")
    return found


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise ContractError("malformed", "true or false is needed")
    return value


def _day(value: Json) -> str:
    text = wire.text(value)
    read = read_date_time(text) if text else None
    if text and (read is None or read.cell != text or len(text) != DAY_LENGTH):
        raise ContractError("malformed", "a day is needed")
    return text


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(choices: type[Choice], value: Json) -> Choice:
    try:
        return choices(wire.text(value))
    except ValueError:
        raise ContractError("malformed", "not one of the choices") from None
