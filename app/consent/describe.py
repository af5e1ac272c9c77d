"""What the custodian says of a record and of a request, in tags (DECISION.md 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.consent import calendar, codes
from app.consent.codes import Coding
from app.consent.dates import day_of, read_date_time
from app.consent.elements import UNKNOWN
from app.consent.tags import Tag, TagKind
from ledger.contract.provision import Ask, Record, actor_entries
from ledger.contract.wire import MAX_DATE_GROUPS

_SENSITIVE_FLOOR: Final = codes.LEVELS.index("R")
_ROUNDING: Final = (calendar.DAY_LENGTH, len("yyyy-mm"), len("yyyy"), len("yyy"), len("yy"), len("y"))


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """A record as the custodian knows it.

    Attributes:
        record_id: its id on the ledger.
        reference: its own reference, which ``data.meaning = instance`` names.
        classes, codes: its categories and content codes.
        first, last: FHIR dateTimes, the same for a record of one date; empty if unknown.
        authors, related: references.
        labels: confidentiality and sensitivity codings.
    """

    record_id: str
    reference: str
    classes: tuple[Coding, ...] = ()
    codes: tuple[Coding, ...] = ()
    first: str = ""
    last: str = ""
    authors: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    labels: tuple[Coding, ...] = ()
    custodian: str = ""
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, as certificate and ledger entries say it; ``device`` is the reference of the model, if one is used."""

    person: str
    organization: str
    purpose: Coding
    action: str
    now: int
    functions: tuple[str, ...] = ()
    device: str = ""
    emergency: bool = False
    party: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Every group that the directory knows, and who is a current member of it."""

    groups: frozenset[str] = frozenset()
    memberships: Mapping[str, frozenset[str]] = field(default_factory=dict)


def describe_record(facts: RecordFacts, zone: int, tag: Tag) -> Record:
    """Return the tags of a record.

    Args:
        facts: the record.
        zone: the custodian's fixed offset, seconds east of UTC.
        tag: the tag function of the patient id.
    """
    level, sensitive = _level(facts.labels)
    kind = TagKind.SENSITIVE_LEVEL if sensitive else TagKind.LEVEL
    return Record(
        record_id=facts.record_id,
        dates=_dates(facts, zone, tag),
        level=tag(kind, level),
        classes=_tagged(TagKind.CLASS, map(codes.joined, facts.classes), tag),
        codes=_tagged(TagKind.CODE, map(codes.joined, facts.codes), tag),
        authors=_tagged(TagKind.AUTHOR, facts.authors or (UNKNOWN,), tag),
        related=_tagged(TagKind.RELATED, facts.related, tag),
        records=_tagged(TagKind.RECORD, (facts.reference,), tag),
        sensitivities=_tagged(TagKind.SENSITIVITY, sensitive, tag),
        erased=facts.erased,
        custodian=facts.custodian,
    )


def describe_request(request: Request, directory: Directory, tag: Tag) -> Ask:
    """Return what the decision is asked.

    Args:
        request: who asks, for what.
        directory: the groups of the organization acted for.
        tag: the tag function of the patient id, for the device only.
    """
    return Ask(
        actors=actor_entries(
            request.person,
            request.organization,
            functions=request.functions,
            groups=directory.memberships.get(request.person, frozenset()),
            device=tag(TagKind.DEVICE, request.device) if request.device else "",
        ),
        groups=directory.groups,
        purpose=codes.purpose_code(request.purpose),
        action=request.action,
        now=request.now,
        emergency=request.emergency,
        party=request.party,
    )


def _dates(facts: RecordFacts, zone: int, tag: Tag) -> tuple[frozenset[str], ...]:
    first, last = read_date_time(facts.first), read_date_time(facts.last or facts.first)
    if first is None or last is None:
        return (frozenset({tag(TagKind.EXACT, UNKNOWN)}),)
    if first == last:
        return (_group(first.day(zone), tag),)
    start, end = day_of(first.starts_at(zone), zone), day_of(last.end_second(zone) - 1, zone)
    return tuple(_group(cell, tag) for cell in _few_cells(*sorted((start, end))))


def _few_cells(first: date, last: date) -> tuple[str, ...]:
    """Return the cover, rounded outward until it is short enough: what is not certain counts against disclosure."""
    covers = (calendar.coarse_cover(first, last, length) for length in _ROUNDING)
    return next(cells for cells in covers if len(cells) <= MAX_DATE_GROUPS)


def _group(cell: str, tag: Tag) -> frozenset[str]:
    group = {tag(TagKind.DATE, each) for each in (cell, *calendar.cells_above(cell))}
    if len(cell) < calendar.DAY_LENGTH:
        group.add(tag(TagKind.EXACT, cell))
    return frozenset(group)


def _level(labels: tuple[Coding, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the level and the sensitivities; a label that is neither counts as V."""
    sensitive = tuple(code for system, code in labels if system == codes.ACT_CODE)
    ranks = [_rank(each) for each in labels if each[0] != codes.ACT_CODE]
    level = max(ranks, default=codes.LEVELS.index("N"))
    return codes.LEVELS[max(level, _SENSITIVE_FLOOR) if sensitive else level], sensitive


def _rank(label: Coding) -> int:
    is_known = label[0] == codes.CONFIDENTIALITY and label[1] in codes.LEVELS
    return codes.LEVELS.index(label[1] if is_known else "V")


def _tagged(kind: TagKind, values: Iterable[str], tag: Tag) -> frozenset[str]:
    return frozenset(tag(kind, value) for value in values)
