"""Typed views of what the contract wrote (PROTOCOL.md C1); the values come from verified blocks."""

from dataclasses import dataclass
from typing import Self

from ledger.contract.canonical import Json


@dataclass(frozen=True, slots=True)
class Access:
    """An access entry.

    Attributes:
        msp_id: of the one who asked.
        subject: of the one who asked.
        kind: ``open``, ``index`` or ``export``.
        purpose: code.
        device: the model's tag, or empty.
        at: seconds UTC.
        until: seconds UTC.
        records: record ids, empty for an index.
        denied: whether any item was denied.
        reason: of the first denied item, else of the first.
        consents: ids of the consents that decided.
        overridden: ids of the consents that were outvoted or set aside.
    """

    msp_id: str
    subject: str
    kind: str
    purpose: str
    device: str
    at: int
    until: int
    records: tuple[str, ...]
    denied: bool
    reason: str
    consents: tuple[str, ...]
    overridden: tuple[str, ...]

    @classmethod
    def of(cls, value: dict[str, Json]) -> Self:
        """Read the value of an access key."""
        by = an_object(value["by"])
        items = objects(value["items"])
        refused = [item for item in items if item["outcome"] != "permit"]
        told = (refused or items)[0]
        return cls(
            msp_id=str(by["msp_id"]),
            subject=str(by["subject"]),
            kind=str(value["kind"]),
            purpose=str(value["purpose"]),
            device=str(value["device"]),
            at=integer(value["at"]),
            until=integer(value["until"]),
            records=tuple(str(item["record_id"]) for item in items if item["record_id"]),
            denied=bool(refused),
            reason=str(told["reason"]),
            consents=consent_ids(items, "deciding"),
            overridden=consent_ids(items, "overridden"),
        )


def consent_ids(items: list[dict[str, Json]], member: str) -> tuple[str, ...]:
    """Return the consents named in ``deciding`` or ``overridden``, without the provision's number."""
    named = {str(each).rpartition("#")[0] for item in items for each in strings(item[member])}
    return tuple(sorted(named))


def integer(value: Json) -> int:
    """Return an integer of a value.

    Raises:
        TypeError: the contract wrote no integer.
    """
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def an_object(value: Json) -> dict[str, Json]:
    """Return an object of a value.

    Raises:
        TypeError: the contract wrote no object.
    """
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def objects(value: Json) -> list[dict[str, Json]]:
    """Return a list of objects of a value.

    Raises:
        TypeError: the contract wrote something else.
    """
    if not isinstance(value, list):
        raise TypeError(value)
    return [an_object(each) for each in value]


def strings(value: Json) -> list[str]:
    """Return a list of strings of a value.

    Raises:
        TypeError: the contract wrote no list.
    """
    if not isinstance(value, list):
        raise TypeError(value)
    return [str(each) for each in value]
