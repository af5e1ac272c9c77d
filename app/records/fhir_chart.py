"""Rows of a chart from opened FHIR R4 resources: problems, medication, results with ranges, visits, documents.

Dates and numbers are shown as they were written (CASES.md 8, 9). What an access withholds is not in the bytes and so
not here.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from app.records.description import plain
from app.records.fhir_codes import DATE_MEMBERS, SUPPORTING
from app.records.fhir_values import as_dict, as_list, codings, concept_text, member_text, name_text, number_of

_TEXT_LETTERS: Final = 20_000
_TAGS: Final = re.compile(r"<[^>]{0,500}>")
_FLAGS: Final = {
    "H": "high",
    "HH": "high",
    "HU": "high",
    "L": "low",
    "LL": "low",
    "LU": "low",
    "N": "",
    "A": "abnormal",
}
Row = dict[str, object]
Names = dict[str, str]


def chart_of(resources: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, object]:
    """Return all rows of a record, by table; each resource appears in exactly one or is supporting."""
    names = _names(resources)
    tables: dict[str, list[Row]] = {
        name: [] for name in ("problems", "medication", "results", "encounters", "documents", "others")
    }
    for _, resource in resources:
        kind = str(resource["resourceType"])
        if kind in SUPPORTING:
            continue
        table, make = _TABLES.get(kind, ("others", _other))
        tables[table].extend(make(resource, names))
    return dict(tables)


def _names(resources: Sequence[tuple[str, dict[str, Any]]]) -> Names:
    names: Names = {}
    for full_url, resource in resources:
        shown = name_text(resource) if isinstance(resource.get("name"), list) else plain(member_text(resource, "name"))
        shown = shown or concept_text(resource.get("code"))
        for key in (full_url, f"{resource['resourceType']}/{member_text(resource, 'id')}"):
            if key and shown:
                names[key] = shown
    return names


def _named(value: Any, names: Names) -> str:
    found = []
    for item in as_list(value):
        holder = as_dict(item)
        actor = as_dict(holder.get("individual")) or as_dict(holder.get("actor")) or holder
        shown = plain(member_text(actor, "display")) or names.get(member_text(actor, "reference"), "")
        if shown:
            found.append(shown)
    return ", ".join(found)


def _date(resource: dict[str, Any]) -> str:
    for name in DATE_MEMBERS:
        value = resource.get(name)
        if isinstance(value, str):
            return plain(value, 40)
        if isinstance(value, dict) and isinstance(value.get("start"), str):
            return plain(value["start"], 40)
    return ""


def _problem(resource: dict[str, Any], names: Names) -> list[Row]:
    status = concept_text(resource.get("clinicalStatus")) or plain(member_text(resource, "status"), 40)
    onset = member_text(resource, "onsetDateTime") or member_text(resource, "onsetString")
    return [
        {
            "text": concept_text(resource.get("code")) or str(resource["resourceType"]),
            "code": next(iter(codings(resource.get("code"))), ""),
            "status": status,
            "onset": plain(onset, 40),
            "recorded": _date(resource),
            "by": _named(resource.get("recorder") or resource.get("asserter") or resource.get("performer"), names),
        }
    ]


def _medication(resource: dict[str, Any], names: Names) -> list[Row]:
    text = concept_text(resource.get("medicationCodeableConcept")) or concept_text(resource.get("vaccineCode"))
    if not text:
        text = _named(resource.get("medicationReference"), names) or _contained(resource)
    dosages = [as_dict(item) for item in as_list(resource.get("dosageInstruction") or resource.get("dosage"))]
    return [
        {
            "text": text or str(resource["resourceType"]),
            "dosage": "; ".join(filter(None, (_dosage(item) for item in dosages))),
            "status": plain(member_text(resource, "status"), 40),
            "date": _date(resource),
            "by": _named(resource.get("requester") or resource.get("performer"), names),
        }
    ]


def _contained(resource: dict[str, Any]) -> str:
    reference = member_text(as_dict(resource.get("medicationReference")), "reference")
    for item in map(as_dict, as_list(resource.get("contained"))):
        if reference == f"#{member_text(item, 'id')}":
            return concept_text(item.get("code"))
    return ""


def _dosage(dosage: dict[str, Any]) -> str:
    if text := plain(member_text(dosage, "text")):
        return text
    repeat = as_dict(as_dict(dosage.get("timing")).get("repeat"))
    doses = [_quantity(as_dict(item).get("doseQuantity")) for item in as_list(dosage.get("doseAndRate"))]
    times, period = number_of(repeat.get("frequency")), number_of(repeat.get("period"))
    often = f"{times.shown()}x per {period.shown()} {member_text(repeat, 'periodUnit')}" if times and period else ""
    return plain(", ".join(filter(None, [*doses, often])))


def _quantity(value: Any) -> str:
    quantity = as_dict(value)
    number = number_of(quantity.get("value"))
    if number is None:
        return ""
    unit = member_text(quantity, "unit") or member_text(quantity, "code")
    return plain(f"{member_text(quantity, 'comparator')}{number.shown()} {unit}")


def _results(resource: dict[str, Any], names: Names) -> list[Row]:
    parts = [as_dict(item) for item in as_list(resource.get("component"))]
    holders = [resource, *parts] if _has_value(resource) or not parts else parts
    return [_result(holder, resource, names) for holder in holders]


def _has_value(holder: dict[str, Any]) -> bool:
    return any(name.startswith("value") for name in holder)


def _result(holder: dict[str, Any], resource: dict[str, Any], names: Names) -> Row:
    quantity = as_dict(holder.get("valueQuantity"))
    number = number_of(quantity.get("value")) or number_of(holder.get("valueInteger"))
    unit = plain(member_text(quantity, "unit") or member_text(quantity, "code"), 40)
    low, high = _reference_range(holder, unit)
    stated = [code.rpartition("|")[2] for code in codings(holder.get("interpretation"))]
    flag = next((_FLAGS[code] for code in stated if code in _FLAGS), None)
    if flag is None:
        flag = _flag(number.value(), low, high) if number is not None else ""
    return {
        "test": concept_text(holder.get("code")) or "Result",
        "value": (member_text(quantity, "comparator") + number.shown()) if number is not None else _other_value(holder),
        "number": number.value() if number is not None else None,
        "unit": unit,
        "low": low,
        "high": high,
        "flag": flag,
        "date": _date(resource),
        "status": plain(member_text(resource, "status"), 40),
        "by": _named(resource.get("performer"), names),
    }


def _reference_range(holder: dict[str, Any], unit: str) -> tuple[str, str]:
    """Return the digits of the first range in the result's own unit; a range in another unit is no range for it."""
    for item in map(as_dict, as_list(holder.get("referenceRange"))):
        ends = [as_dict(item.get(end)) for end in ("low", "high")]
        units = {member_text(end, "unit") or member_text(end, "code") for end in ends if end} - {"", unit}
        digits = [number_of(end.get("value")) for end in ends]
        if not units and any(number is not None for number in digits):
            low, high = ("" if number is None else number.shown() for number in digits)
            return low, high
    return "", ""


def _flag(value: float, low: str, high: str) -> str:
    if low and value < float(low):
        return "low"
    return "high" if high and value > float(high) else ""


def _other_value(holder: dict[str, Any]) -> str:
    if text := concept_text(holder.get("valueCodeableConcept")):
        return text
    for name in ("valueString", "valueDateTime", "valueTime"):
        if text := plain(member_text(holder, name), 400):
            return text
    if isinstance(holder.get("valueBoolean"), bool):
        return "yes" if holder["valueBoolean"] else "no"
    for name in ("valueRatio", "valueRange"):
        ends = as_dict(holder.get(name))
        if ends:
            return " to ".join(filter(None, (_quantity(end) for end in ends.values())))
    return concept_text(holder.get("dataAbsentReason")) and "not measured"


def _encounter(resource: dict[str, Any], names: Names) -> list[Row]:
    period = as_dict(resource.get("period")) or as_dict(resource.get("performedPeriod"))
    return [
        {
            "text": concept_text(resource.get("type"))
            or concept_text(resource.get("code"))
            or str(resource["resourceType"]),
            "kind": concept_text([as_dict(resource.get("class"))]) if resource.get("class") else "",
            "status": plain(member_text(resource, "status"), 40),
            "start": plain(member_text(period, "start"), 40) or _date(resource),
            "end": plain(member_text(period, "end"), 40),
            "reason": concept_text(resource.get("reasonCode")),
            "by": _named(resource.get("participant") or resource.get("performer"), names),
        }
    ]


def _document(resource: dict[str, Any], names: Names) -> list[Row]:
    texts = [_narrative(resource), plain(member_text(resource, "conclusion"), _TEXT_LETTERS)]
    texts += [_section(as_dict(item)) for item in as_list(resource.get("section"))]
    attachments = [as_dict(item).get("attachment") for item in as_list(resource.get("content"))]
    texts += [_attachment(as_dict(item)) for item in [*attachments, *as_list(resource.get("presentedForm"))]]
    title = member_text(resource, "title") or member_text(resource, "description")
    kind = (
        concept_text(resource.get("type"))
        or concept_text(resource.get("code"))
        or concept_text(resource.get("category"))
    )
    return [
        {
            "title": plain(title) or kind or str(resource["resourceType"]),
            "kind": kind or str(resource["resourceType"]),
            "date": _date(resource),
            "status": plain(member_text(resource, "status"), 40),
            "by": _named(resource.get("author") or resource.get("performer"), names),
            "text": "\n\n".join(dict.fromkeys(filter(None, texts)))[:_TEXT_LETTERS],
        }
    ]


def _narrative(holder: dict[str, Any]) -> str:
    """Return a narrative as text; its markup is never rendered."""
    return _readable(html.unescape(_TAGS.sub(" ", member_text(as_dict(holder.get("text")), "div"))))


def _section(section: dict[str, Any]) -> str:
    return "\n".join(filter(None, (plain(member_text(section, "title")), _narrative(section))))


def _attachment(attachment: dict[str, Any]) -> str:
    media_type = plain(member_text(attachment, "contentType"), 60)
    data = member_text(attachment, "data")
    if media_type.startswith("text/plain") and data:
        try:
            return _readable(base64.b64decode(data, validate=True).decode("utf-8", "replace"))
        except (binascii.Error, ValueError):
            return "An attached text is damaged."
    title = plain(member_text(attachment, "title"))
    return " ".join(filter(None, ("Attachment:", title, media_type))) if media_type or title else ""


def _readable(text: str) -> str:
    """Keep line breaks, drop everything that could disturb the page."""
    return "\n".join(plain(line, 2000) for line in text[:_TEXT_LETTERS].splitlines() if line.strip())


def _other(resource: dict[str, Any], names: Names) -> list[Row]:
    text = concept_text(resource.get("code")) or concept_text(resource.get("type")) or _narrative(resource)
    return [
        {
            "kind": str(resource["resourceType"]),
            "text": text,
            "date": _date(resource),
            "by": _named(resource.get("author"), names),
        }
    ]


_TABLES: Final[dict[str, tuple[str, Callable[[dict[str, Any], Names], list[Row]]]]] = {
    "AllergyIntolerance": ("problems", _problem),
    "CarePlan": ("encounters", _encounter),
    "ClinicalImpression": ("documents", _document),
    "Composition": ("documents", _document),
    "Condition": ("problems", _problem),
    "DiagnosticReport": ("documents", _document),
    "DocumentReference": ("documents", _document),
    "Encounter": ("encounters", _encounter),
    "FamilyMemberHistory": ("problems", _problem),
    "Immunization": ("medication", _medication),
    "MedicationAdministration": ("medication", _medication),
    "MedicationDispense": ("medication", _medication),
    "MedicationRequest": ("medication", _medication),
    "MedicationStatement": ("medication", _medication),
    "Observation": ("results", _results),
    "Procedure": ("encounters", _encounter),
}
