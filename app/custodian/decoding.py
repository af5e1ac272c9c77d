"""A provision on the ledger, read back by whoever holds the tag key: what the patient's notice says (A27)."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from app.consent import codes
from app.consent.calendar import cells_above, first_day, last_day
from app.consent.tags import Tag, TagKind
from app.custodian.desk import Desk
from app.identity.badges import Badge, BadgeError
from app.records.description import Category
from ledger.contract.canonical import Json
from ledger.contract.shape import Fields

EARLIEST: Final = date(1890, 1, 1)
LATEST: Final = date(2110, 12, 31)
OPEN_ENDS: Final = ("0001-01-01", "9999-12-31")


def decode_terms(desk: Desk, patient_id: str, granted: Fields, grantee: str) -> dict[str, Json]:
    """Return what a granted consent means, from the ledger's tags alone.

    Args:
        desk: the custodian.
        patient_id: whose tags they are.
        granted: {base, nested, retention_days, …} of the consent's value.
        grantee: msp_id, for the names on badges.
    """
    tag = desk.tag(patient_id)
    provisions: list[Json] = [_provision(desk, tag, each, grantee) for each in (granted["base"], *granted["nested"])]
    return {"provisions": provisions, "retention_days": granted["retention_days"]}


def _provision(desk: Desk, tag: Tag, provision: Fields, grantee: str) -> dict[str, Json]:
    levels = _known(tag, provision["levels"], TagKind.LEVEL, codes.LEVELS)
    sensitive = _known(tag, provision["levels"], TagKind.SENSITIVE_LEVEL, codes.LEVELS)
    return {
        "type": provision["type"],
        "actors": [_actor(desk, entry, grantee) for entry in provision["actors"]],
        "purposes": [*provision["purposes"]],
        "actions": [*provision["actions"]],
        "categories": _categories(tag, provision["classes"]),
        "period": _days(tag, provision["period"]),
        "levels": [*levels],
        "sensitive_levels": [*sensitive],
        "sensitivities": [*_known(tag, provision["sensitivities"], TagKind.SENSITIVITY, sorted(codes.SENSITIVITIES))],
        "valid_from": provision["valid_from"],
        "valid_until": provision["valid_until"],
        "emergency": provision["emergency"],
    }


def _actor(desk: Desk, entry: list[str], grantee: str) -> dict[str, Json]:
    """Return an actor with the name on its badge, where the custodian has it."""
    name = ""
    if entry[0] == "practitioner":
        opening = desk.index.badge(grantee, entry[1])
        if opening is not None:
            try:
                name = Badge.from_bytes(opening.badge).name
            except BadgeError:
                name = ""
    return {"kind": entry[0], "ids": [*entry[1:]], "name": name}


def _known(tag: Tag, tags: Iterable[str], kind: TagKind, candidates: Iterable[str]) -> list[str]:
    present = set(tags)
    return [code for code in candidates if tag(kind, code) in present]


def _categories(tag: Tag, classes: list[str]) -> list[Json]:
    """Return the categories; a class that is none of ours is shown as ``other``, never left out."""
    found = [each.value for each in Category if tag(TagKind.CLASS, each.code) in set(classes)]
    return [*found, *(["other"] if len(found) < len(classes) else [])]


def _days(tag: Tag, period: list[str]) -> list[Json]:
    """Return the ranges of days, first and last, that the calendar cells of a period make up."""
    if not period:
        return []
    present = set(period)
    ranges: list[list[date]] = []
    for cell in _cells():
        if tag(TagKind.DATE, cell) in present:
            start, end = first_day(cell), last_day(cell)
            if ranges and start <= ranges[-1][1] + timedelta(days=1):
                ranges[-1][1] = max(end, ranges[-1][1])
            else:
                ranges.append([start, end])
    return [[start.isoformat(), end.isoformat()] for start, end in ranges]


@lru_cache(maxsize=1)
def _cells() -> tuple[str, ...]:
    """Return every cell in which a record of a living person can lie, in order of its first day."""
    cells: set[str] = set()
    day = EARLIEST
    while day <= LATEST:
        text = day.isoformat()
        cells.update((text, *cells_above(text)))
        day += timedelta(days=1)
    cells.update(str(number) for number in range(10))
    cells.update(f"{number:02d}" for number in range(100))
    cells.update(f"{number:03d}" for number in range(1000))
    return tuple(sorted(cells, key=lambda cell: (first_day(cell), len(cell))))
