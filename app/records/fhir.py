"""FHIR R4 in the child: which records a file holds (PROTOCOL.md C1), and what is refused.

A bundle is split into one record per encounter (per day where there is none), category and label set. A record keeps
the raw bytes of its entries: numbers, order and unknown elements stay as they came (CASES.md 8).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from app.records import fhir_codes as codes
from app.records.description import (
    CONFIDENTIALITY_SYSTEM,
    RESOURCE_SYSTEM,
    SENSITIVITY_SYSTEM,
    SERVICE_SYSTEM,
    Category,
    plain,
)
from app.records.fhir_chart import chart_of
from app.records.fhir_values import as_dict, as_list, codings, concept_text, member_text, name_text
from app.records.jsontext import members, text_of
from app.records.limits import Limits
from app.records.refusal import RefusedError

JSON_DEPTH: Final = 64
_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d))?)?)?"
)
_WORDS: Final = {
    Category.IMAGE: "Images",
    Category.LABORATORY: "Laboratory",
    Category.CYTOLOGY: "Cytology",
    Category.DOCUMENT: "Document",
    Category.HEART: "Heart",
    Category.MEDICATION: "Medication",
    Category.PROBLEM: "Problems",
    Category.ENCOUNTER: "Visit",
}
_AUTHORS: Final = ("Practitioner/", "PractitionerRole/", "Organization/")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One resource of the file and where it stands in it."""

    resource: dict[str, Any]
    full_url: str
    start: int
    end: int

    @property
    def type(self) -> str:
        return str(self.resource["resourceType"])

    @property
    def reference(self) -> str:
        identifier = member_text(self.resource, "id")
        return f"{self.type}/{plain(identifier, 64)}" if identifier else ""


@dataclass(slots=True)
class _Group:
    """Entries that become one record."""

    category: Category
    labels: tuple[str, ...]
    entries: list[_Entry] = field(default_factory=list)


def describe(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], tuple[()]]:
    """Return the records that the file would become, each with the byte ranges of its entries.

    Raises:
        RefusedError: no FHIR R4 JSON, several patients, or anything that cannot be right; nothing of the file is taken.
    """
    del arguments
    raw = bytes(untrusted)
    text = text_of(raw, JSON_DEPTH)
    entries, single = _entries(text, limits)
    for number, entry in enumerate(entries, 1):
        _check(entry, number)
    resolve = _resolver(entries)
    person = _one_patient(entries, resolve)
    groups = _split(entries, resolve)
    if not groups:
        raise RefusedError("It holds no record, only particulars of persons or places. There is nothing to import.")
    offsets = _Offsets(text)
    records = [_record(group, entries, resolve, offsets, single=single) for group in groups]
    return {"person": person, "records": records}, ()


def chart(untrusted: memoryview, arguments: dict[str, object], limits: Limits) -> tuple[dict[str, object], tuple[()]]:
    """Return the rows that a chart shows of one opened record.

    Raises:
        RefusedError: no FHIR R4 JSON.
    """
    del arguments
    entries, _ = _entries(text_of(bytes(untrusted), JSON_DEPTH), limits)
    for number, entry in enumerate(entries, 1):
        _check(entry, number)
    return chart_of([(entry.full_url, entry.resource) for entry in entries]), ()


def _entries(text: str, limits: Limits) -> tuple[list[_Entry], bool]:
    top, elements = members(text, "entry")
    if top.get("resourceType") != "Bundle":
        return [_Entry(_resource(top, 1), "", 0, len(text))], True
    if not elements:
        raise RefusedError("The bundle is empty. There is nothing to import.")
    if len(elements) > limits.entries:
        raise RefusedError(
            f"The bundle has {len(elements):,} entries; at most {limits.entries:,} are read. Export it in parts."
        )
    entries = []
    for number, (element, start, end) in enumerate(elements, 1):
        entry = as_dict(element)
        if "resource" not in entry:
            raise RefusedError(f"Entry {number} holds no resource. Export the bundle with its content.")
        resource = _resource(entry["resource"], number)
        asked = member_text(as_dict(entry.get("request")), "url").split("?")[0].split("/")[0]
        if asked in codes.RESOURCE_TYPES and asked != resource["resourceType"]:
            raise RefusedError(
                f"Entry {number} is announced as {asked} but holds {resource['resourceType']}. Ask the sender."
            )
        entries.append(_Entry(resource, member_text(entry, "fullUrl"), start, end))
    return entries, False


def _resource(value: Any, number: int) -> dict[str, Any]:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise RefusedError(f"Entry {number} is no FHIR resource (no resourceType).")
    if kind not in codes.RESOURCE_TYPES:
        raise RefusedError(f"Entry {number}: {plain(kind, 40)} is no resource of FHIR R4. Export it as R4 (4.0.1).")
    return dict(value)


def _check(entry: _Entry, number: int) -> None:
    """Refuse another FHIR release, a status R4 does not have, and days that do not exist."""
    release = _other_release(entry)
    if release:
        raise RefusedError(f"Entry {number} ({entry.type}) is written in FHIR {release}. Export it as R4 (4.0.1).")
    allowed = codes.STATUSES.get(entry.type)
    status = entry.resource.get("status")
    if allowed is not None and status is not None and status not in allowed:
        shown = plain(str(status), 40)
        raise RefusedError(f'Entry {number}: {entry.type}.status is "{shown}", which R4 does not have. Ask the sender.')
    for value in _dates(entry.resource):
        _check_date(value, f"Entry {number} ({entry.type})")


def _other_release(entry: _Entry) -> str:
    resource, kind = entry.resource, entry.type
    if kind == "Encounter" and isinstance(resource.get("class"), list):
        return "R5"
    if kind.startswith("Medication") and isinstance(resource.get("medication"), dict):
        return "R5"
    if kind in ("Observation", "Condition", "DiagnosticReport", "Procedure") and "context" in resource:
        return "STU3"
    if kind == "MedicationRequest" and "context" in resource:
        return "STU3"
    return "STU3" if kind == "DocumentReference" and ("class" in resource or "indexed" in resource) else ""


def _check_date(value: str, where: str) -> None:
    if not _exists(value):
        raise RefusedError(f'{where} has the date "{plain(value, 40)}", which does not exist. Ask the sender.')


def _exists(value: str) -> bool:
    found = _DATE.fullmatch(value)
    try:
        return found is not None and bool(date(*(int(part or 1) for part in found.groups())))
    except ValueError:
        return False


def _dates(resource: dict[str, Any]) -> list[str]:
    """Return the first date that the resource states, as it is written; both ends of a period."""
    for name in codes.DATE_MEMBERS:
        value = resource.get(name)
        if isinstance(value, str):
            return [value]
        if name.lower().endswith("period") and isinstance(value, dict):
            found = [str(value[end]) for end in ("start", "end") if isinstance(value.get(end), str)]
            if found:
                return found
    return []


def _resolver(entries: list[_Entry]) -> dict[str, str]:
    """Map every way the file refers to one of its resources to ``Type/id``."""
    known: dict[str, str] = {}
    for entry in entries:
        reference = entry.reference or (f"{entry.type}/{plain(entry.full_url, 64)}" if entry.full_url else "")
        for name in (entry.full_url, entry.reference):
            if name:
                known[name] = reference
    return known


def _references(value: Any) -> Iterator[str]:
    """Yield every reference below a value; no recursion, depth is the file's choice."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if isinstance(found := item.get("reference"), str):
                yield found
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _resolved(value: Any, known: dict[str, str]) -> list[str]:
    return [known.get(name, plain(name, 128)) for name in _references(value)]


def _one_patient(entries: list[_Entry], known: dict[str, str]) -> dict[str, str]:
    patients = [entry for entry in entries if entry.type == "Patient"]
    subjects = {
        name
        for entry in entries
        for member in ("subject", "patient", "beneficiary")
        for name in _resolved(entry.resource.get(member), known)
        if name.startswith("Patient/")
    }
    if len(patients) > 1 or len(subjects | {entry.reference for entry in patients if entry.reference}) > 1:
        raise RefusedError("It holds records of more than one patient. Export each patient's records apart.")
    if not patients:
        return {}
    patient = patients[0].resource
    identifiers = [as_dict(item) for item in as_list(patient.get("identifier"))]
    numbers = [item for item in identifiers if any(c.endswith("|MR") for c in codings(item.get("type")))] or identifiers
    birth = member_text(patient, "birthDate")
    if birth:
        _check_date(birth, "Patient")
    return {
        "name": name_text(patient),
        "birth_date": birth,
        "sex": plain(member_text(patient, "gender"), 16) or "unknown",
        "identifier": plain(member_text(numbers[0], "value")) if numbers else "",
    }


def _category(resource: dict[str, Any]) -> Category:
    kind = resource["resourceType"]
    groups = codings(resource.get("category"))
    services = {code.rpartition("|")[2] for code in groups if code.startswith(f"{SERVICE_SYSTEM}|")}
    if codes.CYTOLOGY_CODES & set(codings(resource.get("code"))) or services & codes.CYTOLOGY_SERVICES:
        return Category.CYTOLOGY
    if services & codes.HEART_SERVICES:
        return Category.HEART
    if kind == "Observation" and {code.rpartition("|")[2] for code in groups} & codes.OBSERVATIONS_OF_A_VISIT:
        return Category.ENCOUNTER
    if kind == "DiagnosticReport" and (services & codes.LABORATORY_SERVICES or (not services and "result" in resource)):
        return Category.LABORATORY
    return codes.CATEGORY_OF_TYPE.get(kind, Category.DOCUMENT)


def _labels(resource: dict[str, Any]) -> tuple[str, ...]:
    meta = as_dict(resource.get("meta"))
    ours = (f"{CONFIDENTIALITY_SYSTEM}|", f"{SENSITIVITY_SYSTEM}|")
    return tuple(sorted({code for code in codings({"coding": meta.get("security")}) if code.startswith(ours)}))


def _split(entries: list[_Entry], known: dict[str, str]) -> list[_Group]:
    groups: dict[tuple[str, Category, tuple[str, ...]], _Group] = {}
    for entry in entries:
        if entry.type in codes.SUPPORTING:
            continue
        category, labels = _category(entry.resource), _labels(entry.resource)
        key = (_occasion(entry, known), category, labels)
        groups.setdefault(key, _Group(category, labels)).entries.append(entry)
    return list(groups.values())


def _occasion(entry: _Entry, known: dict[str, str]) -> str:
    """Return the encounter of a resource, or else its day as written."""
    if entry.type == "Encounter":
        return entry.reference or f"{entry.full_url or entry.start}"
    context = as_dict(entry.resource.get("context"))
    for value in (entry.resource.get("encounter"), context.get("encounter")):
        for name in _resolved(value, known):
            return name
    found = _dates(entry.resource)
    return f"day {found[0][:10]}" if found else "day unknown"


def _record(
    group: _Group, entries: list[_Entry], known: dict[str, str], offsets: "_Offsets", *, single: bool
) -> dict[str, object]:
    resources = [entry.resource for entry in group.entries]
    mentioned = {name for resource in resources for name in _resolved(resource, known)}
    along = [
        entry
        for entry in entries
        if entry.type in codes.SUPPORTING
        and (entry.type == "Patient" or known.get(entry.full_url or entry.reference) in mentioned)
    ]
    kept = sorted([*along, *group.entries], key=lambda entry: entry.start)
    stated = {
        code
        for resource in resources
        for name in ("code", "type", "vaccineCode", "medicationCodeableConcept")
        for code in codings(resource.get(name))
    }
    authors = {
        name
        for resource in resources
        for member in codes.AUTHOR_MEMBERS
        for name in _resolved(resource.get(member), known)
        if name.startswith(_AUTHORS)
    }
    related = {
        name
        for resource in resources
        for member in codes.RELATED_MEMBERS
        for name in _resolved(resource.get(member), known)
    }
    # FHIR's "related" means a resource and what refers to it: a consent to one visit covers the visit itself.
    related |= {entry.reference for entry in group.entries if entry.type == "Encounter" and entry.reference}
    services = {
        code
        for resource in resources
        for code in codings(resource.get("category"))
        if code.startswith(f"{SERVICE_SYSTEM}|")
    }
    return {
        "category": group.category.value,
        "classes": sorted({f"{RESOURCE_SYSTEM}|{entry.type}" for entry in group.entries} | services),
        "codes": sorted(stated),
        "dates": _range([value for resource in resources for value in _dates(resource)]),
        "labels": list(group.labels),
        "authors": sorted(authors),
        "related": sorted(related),
        "references": sorted({entry.reference for entry in group.entries if entry.reference}),
        "display": _display(group),
        "spans": [[0, offsets.total]]
        if single
        else [[offsets.at(entry.start), offsets.at(entry.end)] for entry in kept],
        "whole": single or len(kept) == len(entries),
    }


def _range(values: list[str]) -> list[str]:
    """Return the first and the last of dates as written; a short date begins early and ends late."""
    if not values:
        return []
    first = min(values, key=lambda value: value[:10])
    last = max(values, key=lambda value: (value[:10] + "-99-99")[:10])
    return [first] if first == last else [first, last]


def _display(group: _Group) -> str:
    names = []
    for entry in group.entries:
        resource = entry.resource
        for member in ("code", "medicationCodeableConcept", "vaccineCode", "type"):
            if (name := concept_text(resource.get(member))) and name not in names:
                names.append(name)
                break
    more = "" if len(names) < 2 else f" and {len(names) - 1} more"  # noqa: PLR2004  -- one is named
    if not names:
        return f"{_WORDS[group.category]}: {group.entries[0].type}"
    return plain(f"{_WORDS[group.category]}: {plain(names[0], 80)}{more}")


class _Offsets:
    """Places in the text as places in its bytes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        self._place = 0
        self._bytes = 0
        self.total = len(text) if self._ascii else len(text.encode())

    def at(self, place: int) -> int:
        """Return the byte offset of a letter's place; cheap when asked in order."""
        if self._ascii:
            return place
        if place < self._place:
            self._place = self._bytes = 0
        self._bytes += len(self._text[self._place : place].encode())
        self._place = place
        return self._bytes
