"""The elements of a provision: whether they may stand, and what they compile to (DECISION.md 3.1 and 3.3)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

from app.consent import calendar, codes
from app.consent.context import Context
from app.consent.dates import DateTime, day_of, ordinal_of, read_date_time
from app.consent.refusal import RefusalCode, RefusedError
from app.consent.tags import Tag, TagKind
from ledger.contract.canonical import Json
from ledger.contract.provision import ANYONE, NEVER, Actor, Kind

Elements = Mapping[str, Json]
"""The members of one provision of the artefact."""

INHERITED: Final = ("actor", "purpose", "action", "class", "code", "dataPeriod", "data", "securityLabel")
"""What an exception takes from the base if it does not state it."""
UNKNOWN: Final = "unknown"
"""The code of a missing author (kind author) and of a missing date (kind exact)."""
_LISTS: Final = (frozenset(INHERITED) | {"provision"}) - {"dataPeriod"}
_PERIODS: Final = frozenset({"period", "dataPeriod"})
_MEMBERS: Final = _LISTS | _PERIODS | {"type", "id"}
_RANGE_MEMBERS: Final = frozenset({"start", "end", "id"})
_HELD: Final = frozenset({(codes.ACT_REASON, "ETREAT"), (codes.ACT_REASON, "BTG")})


def check(untrusted: Elements, context: Context) -> None:
    """Check one provision.

    Raises:
        RefusedError: the first rule of DECISION.md 3.1 that it breaks.
    """
    for code, fits in _CHECKS:
        if not fits(untrusted, context):
            raise RefusedError(code)


def _has_known_members(elements: Elements, _: Context) -> bool:
    """An empty or misshapen element is refused too: guessing it would drop a limit."""
    return (
        elements.keys() <= _MEMBERS
        and all(_is_object_list(elements[name]) for name in _LISTS & elements.keys())
        and all(_is_range(elements[name]) for name in _PERIODS & elements.keys())
    )


def _is_object_list(untrusted: Json) -> bool:
    return isinstance(untrusted, list) and bool(untrusted) and all(isinstance(each, dict) for each in untrusted)


def _is_range(untrusted: Json) -> bool:
    if not isinstance(untrusted, dict) or not untrusted.keys() <= _RANGE_MEMBERS:
        return False
    return "start" in untrusted or "end" in untrusted


def _has_type(elements: Elements, _: Context) -> bool:
    return bool(elements.get("type"))


def _has_known_type(elements: Elements, _: Context) -> bool:
    return elements["type"] in ("permit", "deny")


def _has_valid_dates(elements: Elements, _: Context) -> bool:
    return all(_dates_exist(_member(elements, name)) for name in _PERIODS)


def _dates_exist(member: Elements) -> bool:
    return all(read_date_time(member[end]) is not None for end in ("start", "end") if end in member)


def _has_ordered_period(elements: Elements, context: Context) -> bool:
    return _is_ordered(*_range(elements, "period"), context.zone_seconds)


def _has_ordered_data_period(elements: Elements, context: Context) -> bool:
    return _is_ordered(*_range(elements, "dataPeriod"), context.zone_seconds)


def _is_ordered(start: DateTime | None, end: DateTime | None, zone: int) -> bool:
    return start is None or end is None or not end.is_before(start, zone)


def _has_known_purposes(elements: Elements, context: Context) -> bool:
    return all(codes.is_known_purpose(each, context.local_purposes) for each in _codings(elements, "purpose"))


def _has_known_labels(elements: Elements, _: Context) -> bool:
    known = {codes.CONFIDENTIALITY: frozenset(codes.LEVELS), codes.ACT_CODE: codes.SENSITIVITIES}
    return all(code in known.get(system, frozenset()) for system, code in _codings(elements, "securityLabel"))


def _has_recipients(elements: Elements, _: Context) -> bool:
    return all(codes.RECIPIENT in codes.codings(each.get("role")) for each in _objects(elements, "actor"))


def _has_supported_actors(elements: Elements, _: Context) -> bool:
    return all(codes.reference_type(each) in codes.ACTOR_TYPES for each in _references(elements, "actor"))


def _has_known_actions(elements: Elements, _: Context) -> bool:
    actions = [codes.codings(each) for each in _objects(elements, "action")]
    return all(
        each != [] and all(system == codes.CONSENT_ACTION and code in codes.ACTIONS for system, code in each)
        for each in actions
    )


def _has_supported_meanings(elements: Elements, _: Context) -> bool:
    meanings = [each.get("meaning") for each in _objects(elements, "data")]
    return all(isinstance(each, str) and each in codes.MEANINGS for each in meanings)


_CHECKS: Final[tuple[tuple[RefusalCode, Callable[[Elements, Context], bool]], ...]] = (
    (RefusalCode.UNKNOWN_FIELD, _has_known_members),
    (RefusalCode.MISSING_PROVISION_TYPE, _has_type),
    (RefusalCode.UNKNOWN_PROVISION_TYPE, _has_known_type),
    (RefusalCode.INVALID_DATE, _has_valid_dates),
    (RefusalCode.PERIOD_END_BEFORE_START, _has_ordered_period),
    (RefusalCode.DATA_PERIOD_END_BEFORE_START, _has_ordered_data_period),
    (RefusalCode.UNKNOWN_PURPOSE, _has_known_purposes),
    (RefusalCode.UNKNOWN_LABEL, _has_known_labels),
    (RefusalCode.UNKNOWN_ACTOR_ROLE, _has_recipients),
    (RefusalCode.UNSUPPORTED_ACTOR, _has_supported_actors),
    (RefusalCode.UNKNOWN_ACTION, _has_known_actions),
    (RefusalCode.UNSUPPORTED_DATA_MEANING, _has_supported_meanings),
)


def names_emergency(elements: Elements) -> bool:
    """Tell whether a provision states, itself, a purpose of emergencies."""
    return not _HELD.isdisjoint(_codings(elements, "purpose"))


def has_readable_period(untrusted: Elements) -> bool:
    """Tell whether ``period``, if there is one, is a range of dates that exist."""
    if "period" not in untrusted:
        return True
    return _is_range(untrusted["period"]) and _dates_exist(_member(untrusted, "period"))


def validity(elements: Elements, zone: int) -> tuple[int | None, int | None]:
    """Return first second and the second after the last one of ``period``; None is open."""
    start, end = _range(elements, "period")
    return (None if start is None else start.first_second(zone), None if end is None else end.end_second(zone))


def actors(elements: Elements, kind: Kind, context: Context, tag: Tag) -> frozenset[Actor]:
    """Return the actor entries. Who cannot be resolved is nobody in a permit and anyone in a deny."""
    entries: set[Actor] = set()
    for reference in _references(elements, "actor"):
        found = _entries(reference, context, tag)
        entries |= {entry for entry in found if entry is not None}
        if None in found and kind is Kind.DENY:
            entries.add(ANYONE)
    return frozenset(entries or {(NEVER,)}) if "actor" in elements else frozenset()


def purposes(elements: Elements) -> frozenset[str]:
    """Return the purposes as the wire has them."""
    return frozenset(codes.purpose_code(each) for each in _codings(elements, "purpose"))


def actions(elements: Elements) -> frozenset[str]:
    """Return the consent actions."""
    return frozenset(code for each in _objects(elements, "action") for _, code in codes.codings(each))


def classes(elements: Elements, tag: Tag) -> frozenset[str]:
    """Return the tags of ``class``."""
    return _limit(_tagged(TagKind.CLASS, _codings(elements, "class"), tag)) if "class" in elements else frozenset()


def content_codes(elements: Elements, tag: Tag) -> frozenset[str]:
    """Return the tags of ``code``."""
    stated = [code for each in _objects(elements, "code") for code in codes.codings(each)]
    return _limit(_tagged(TagKind.CODE, stated, tag)) if "code" in elements else frozenset()


def period(elements: Elements, kind: Kind, zone: int, tag: Tag) -> frozenset[str]:
    """Return the tags of ``dataPeriod``: for a permit the days wholly inside, for a deny every day touched."""
    if "dataPeriod" not in elements:
        return frozenset()
    if kind is Kind.PERMIT:
        return _limit(tag(TagKind.DATE, cell) for cell in _whole_days(elements, zone))
    cells = _touched_days(elements, zone)
    above = {each for cell in cells for each in calendar.cells_above(cell)}
    dates = {tag(TagKind.DATE, cell) for cell in cells}
    return frozenset(dates | {tag(TagKind.EXACT, cell) for cell in above | {UNKNOWN}})


def _whole_days(elements: Elements, zone: int) -> tuple[str, ...]:
    start, end = _range(elements, "dataPeriod")
    first, last = calendar.FIRST_DAY.toordinal(), calendar.LAST_DAY.toordinal()
    if start is not None:
        first = max(first, ordinal_of(start.first_second(zone) - 1, zone) + 1)
    if end is not None:
        last = min(last, ordinal_of(end.whole_end_second(zone), zone) - 1)
    return calendar.cover(date.fromordinal(first), date.fromordinal(last)) if first <= last else ()


def _touched_days(elements: Elements, zone: int) -> tuple[str, ...]:
    start, end = _range(elements, "dataPeriod")
    first = calendar.FIRST_DAY if start is None else day_of(start.starts_at(zone), zone)
    last = calendar.LAST_DAY if end is None else day_of(end.end_second(zone) - 1, zone)
    return calendar.cover(first, last)


def data(elements: Elements, kind: Kind, tag: Tag) -> dict[str, frozenset[str]]:
    """Return the tags of ``authors``, ``related`` and ``records``; a deny of authors also meets the unknown one."""
    tags: dict[str, set[str]] = {"authors": set(), "related": set(), "records": set()}
    kinds = {"authors": TagKind.AUTHOR, "related": TagKind.RELATED, "records": TagKind.RECORD}
    for each in _objects(elements, "data"):
        name = codes.MEANINGS[str(each["meaning"])]
        reference = codes.reference(each.get("reference"))
        tags[name].add(tag(kinds[name], reference) if reference else NEVER)
        if name == "authors" and kind is Kind.DENY:
            tags[name].add(tag(TagKind.AUTHOR, UNKNOWN))
    return {name: frozenset(found) for name, found in tags.items()}


def labels(elements: Elements, kind: Kind, tag: Tag) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tags of levels and of sensitivities (A48: what a permit of sensitivities also covers)."""
    stated = _codings(elements, "securityLabel")
    named = [codes.LEVELS.index(code) for system, code in stated if system == codes.CONFIDENTIALITY]
    sensitive = [
        each for system, code in stated if system == codes.ACT_CODE for each in codes.EXPANDED.get(code, (code,))
    ]
    covered: tuple[str, ...] = ()
    if named:
        covered = codes.LEVELS[: max(named) + 1] if kind is Kind.PERMIT else codes.LEVELS[min(named) :]
    implied = codes.LEVELS[:-1] if sensitive and kind is Kind.PERMIT else ()
    levels = {tag(TagKind.LEVEL, code) for code in covered}
    sensitive_levels = {tag(TagKind.SENSITIVE_LEVEL, code) for code in (*covered, *implied)}
    return frozenset(levels | sensitive_levels), frozenset(tag(TagKind.SENSITIVITY, code) for code in sensitive)


def _entries(reference: str, context: Context, tag: Tag) -> list[Actor | None]:
    """Return what one actor reference stands for; None for what cannot be resolved."""
    kind = codes.reference_type(reference)
    if kind == "Device":
        return [("device", tag(TagKind.DEVICE, reference))]
    if kind == "PractitionerRole":
        return _role_entries(context.resource(reference), context)
    person = "practitioner" if kind == "RelatedPerson" else kind.lower()
    found = context.ids.get(reference)
    return [None if found is None else (person, found)]


def _role_entries(untrusted: Elements | None, context: Context) -> list[Actor | None]:
    """Return one entry per code of a PractitionerRole, with its organization and, if it names one, its person."""
    if untrusted is None:
        return [None]
    if untrusted.get("active") is False:
        return []
    organization = context.ids.get(codes.reference(untrusted.get("organization")))
    stated = [codes.joined(code) for each in _objects(untrusted, "code") for code in codes.codings(each)]
    if organization is None or not stated:
        return [None]
    functions = [context.ids.get(each) for each in stated]
    if "practitioner" not in untrusted:
        return [None if function is None else ("role", organization, function) for function in functions]
    person = context.ids.get(codes.reference(untrusted["practitioner"]))
    return [
        None if person is None or function is None else ("practitioner", person, organization, function)
        for function in functions
    ]


def _limit(tags: Iterable[str]) -> frozenset[str]:
    """A stated element never compiles to "no limit" (DECISION.md 2)."""
    return frozenset(tags) or frozenset({NEVER})


def _tagged(kind: TagKind, stated: list[codes.Coding], tag: Tag) -> set[str]:
    return {tag(kind, codes.joined(code)) for code in stated if code[1]}


def _range(elements: Elements, name: str) -> tuple[DateTime | None, DateTime | None]:
    member = _member(elements, name)
    return read_date_time(member.get("start")), read_date_time(member.get("end"))


def _member(elements: Elements, name: str) -> Elements:
    member = elements.get(name)
    return member if isinstance(member, dict) else {}


def _objects(elements: Elements, name: str) -> list[Elements]:
    member = elements.get(name)
    return [each for each in member if isinstance(each, dict)] if isinstance(member, list) else []


def _codings(elements: Elements, name: str) -> list[codes.Coding]:
    return [codes.coding(each) for each in _objects(elements, name)]


def _references(elements: Elements, name: str) -> list[str]:
    return [codes.reference(each.get("reference")) for each in _objects(elements, name)]
