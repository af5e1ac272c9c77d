"""Small readings of FHIR elements that may be absent, of another type, or hostile; each returns something harmless."""

from typing import Any, Final

from app.records.description import plain
from app.records.jsontext import Number

_CODE_LETTERS: Final = 200


def as_dict(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return an array; a single value as an array of one; nothing as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def member_text(value: dict[str, Any], name: str) -> str:
    """Return a string member, or nothing."""
    found = value.get(name)
    return found if isinstance(found, str) and not isinstance(found, Number) else ""


def codings(value: Any) -> list[str]:
    """Return ``system|code`` of a CodeableConcept, a Coding or a list of either."""
    found = []
    for item in as_list(value):
        concept = as_dict(item)
        entries = map(as_dict, as_list(concept.get("coding")) if "coding" in concept else [concept])
        found += [
            f"{plain(member_text(coding, 'system'), _CODE_LETTERS)}|{plain(member_text(coding, 'code'), _CODE_LETTERS)}"
            for coding in entries
            if member_text(coding, "code")
        ]
    return found


def concept_text(value: Any) -> str:
    """Return what a CodeableConcept (or the first of several) says in words, else its code."""
    for item in as_list(value):
        concept = as_dict(item)
        coding = [as_dict(entry) for entry in as_list(concept.get("coding"))] or [concept]
        words = [member_text(concept, "text"), *(member_text(c, "display") for c in coding)]
        for word in [*words, *(member_text(c, "code") for c in coding)]:
            if shown := plain(word):
                return shown
    return ""


def name_text(person: dict[str, Any]) -> str:
    """Return the official (or first) name of a Patient or Practitioner."""
    names = [as_dict(item) for item in as_list(person.get("name"))]
    chosen = next((item for item in names if item.get("use") == "official"), names[0] if names else {})
    if text := plain(member_text(chosen, "text")):
        return text
    parts = [str(item) for item in as_list(chosen.get("given")) if isinstance(item, str)]
    return plain(" ".join([*parts, member_text(chosen, "family")]))


def number_of(value: Any) -> Number | None:
    """Return a JSON number, or None."""
    return value if isinstance(value, Number) else None
