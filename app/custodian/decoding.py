"""A provision on the ledger, read back by whoever holds the tag key: what the patient's notice says (A27)."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from app.consent import codes
from app.consent.calendar import cells_above, first_day, last_day
from app.consent.elements import UNKNOWN
from app.consent.tags import Tag, TagKind
from app.custodian.desk import Desk
from app.identity.badges import Badge, BadgeError
from app.records.description import Category
from ledger.contract.canonical import Json
from ledger.contract.shape import Fields

EARLIEST: Final = date(1890, 1, 1)
LATEST: Final = date(2110, 12, 31)
_A_YEAR: Final = 366


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
    today = datetime.fromtimestamp(desk.clock(), UTC).date()
    levels = _known(tag, provision["levels"], TagKind.LEVEL, codes.LEVELS)
    sensitive = _known(tag, provision["levels"], TagKind.SENSITIVE_LEVEL, codes.LEVELS)
    return {
        "type": provision["type"],
        "actors": [_actor(desk, entry, grantee) for entry in provision["actors"]],
        "purposes": [*provision["purposes"]],
        "actions": [*provision["actions"]],
        "categories": _categories(tag, provision["classes"]),
        "period": [[*each] for each in find_days(tag, provision["period"], today)],
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


def find_days(tag: Tag, period: Iterable[str], today: date) -> list[list[str]]:
    """Return the ranges of days, first and last, that the calendar cells of a period make up.

    Tags cannot be inverted, so cells are tried until every tag is explained: the few large ones first, then days beside
    what was found, then all days, nearest to ``today`` first. What is found does not depend on that order.

    Args:
        tag: of the patient id.
        period: tags of ``DATE`` and, of a refusal, of ``EXACT``.
        today: where the search for single days begins.
    """
    search = _Search(tag, set(period))
    stages: tuple[Callable[[], Iterable[str]], ...] = (
        lambda: _LARGE,
        _years,
        lambda: _beside(search.ranges()),
        lambda: _outward(today, _A_YEAR),
        _months,
        lambda: _beside(search.ranges()),
        lambda: _DECADES,
        lambda: _outward(today, LATEST.toordinal() - EARLIEST.toordinal()),
    )
    for stage in stages:
        for cell in stage():
            if not search.left:
                return _texts(search.ranges())
            search.try_cell(cell)
    return _texts(search.ranges())


class _Search:
    """Cells whose tags are among those of a period.

    Attributes:
        left: tags that no cell explains yet.
    """

    def __init__(self, tag: Tag, period: set[str]) -> None:
        self._tag = tag
        self._cells: set[str] = set()
        self.left = period - {tag(TagKind.EXACT, UNKNOWN)}

    def try_cell(self, cell: str) -> None:
        """Take a cell that is in the period; the cells above it are then in a refusal's as exact ones."""
        found = self._tag(TagKind.DATE, cell)
        if found in self.left:
            self._cells.add(cell)
            self.left -= {found, *(self._tag(TagKind.EXACT, above) for above in cells_above(cell))}

    def ranges(self) -> list[tuple[date, date]]:
        """Return what was found so far, cells that touch joined."""
        ranges: list[tuple[date, date]] = []
        for cell in sorted(self._cells, key=lambda cell: (first_day(cell), len(cell))):
            start, end = first_day(cell), last_day(cell)
            if ranges and start.toordinal() <= ranges[-1][1].toordinal() + 1:
                start, end = ranges[-1][0], max(end, ranges.pop()[1])
            ranges.append((start, end))
        return ranges


def _texts(ranges: list[tuple[date, date]]) -> list[list[str]]:
    return [[start.isoformat(), end.isoformat()] for start, end in ranges]


_DECADES: Final = tuple(f"{number:03d}" for number in range(1000))
_LARGE: Final = (
    *(str(number) for number in range(10)),
    *(f"{number:02d}" for number in range(100)),
    *_DECADES[EARLIEST.year // 10 : LATEST.year // 10 + 1],
)


def _years() -> Iterator[str]:
    return (f"{year:04d}" for year in range(EARLIEST.year, LATEST.year + 1))


def _months() -> Iterator[str]:
    return (f"{year}-{month:02d}" for year in _years() for month in range(1, 13))


def _beside(ranges: list[tuple[date, date]]) -> Iterator[str]:
    """Yield the months of the years, and the days of the months, at both ends of each range: a cover has no others."""
    for start, end in ranges:
        for edge, step in ((start.toordinal() - 1, -1), (end.toordinal() + 1, 1)):
            day = _within(edge)
            if day is None:
                continue
            yield from (f"{day.year:04d}-{month:02d}" for month in range(1, 13))
            for count in range(_A_YEAR):
                near = _within(edge + step * count)
                if near is None:
                    break
                yield near.isoformat()


def _outward(today: date, days: int) -> Iterator[str]:
    middle = min(max(today, EARLIEST), LATEST).toordinal()
    yield date.fromordinal(middle).isoformat()
    for distance in range(1, days + 1):
        for ordinal in (middle - distance, middle + distance):
            day = _within(ordinal)
            if day is not None:
                yield day.isoformat()


def _within(ordinal: int) -> date | None:
    """Return a day on which something of a living person can have been made, or None."""
    return date.fromordinal(ordinal) if EARLIEST.toordinal() <= ordinal <= LATEST.toordinal() else None
