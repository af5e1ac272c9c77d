"""Kinds of records and purposes as clinicians read them: one word and one icon each (SCREENS.md 1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.consent.terms import Category

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS: Final[Mapping[Category, tuple[str, str]]] = {
    Category.IMAGE: ("CT and other images", "scan"),
    Category.LABORATORY: ("Laboratory", "test-tube"),
    Category.CYTOLOGY: ("Cytology", "microscope"),
    Category.DOCUMENT: ("Letters and reports", "file-text"),
    Category.HEART: ("Heart tests", "activity"),
    Category.MEDICATION: ("Medication", "pill"),
    Category.PROBLEM: ("Problems and allergies", "clipboard-list"),
    Category.ENCOUNTER: ("Visits", "calendar-days"),
}
_SHORT: Final[Mapping[Category, str]] = {
    Category.IMAGE: "images",
    Category.DOCUMENT: "letters and reports",
    Category.PROBLEM: "problems and allergies",
}
PURPOSES: Final[Mapping[str, tuple[str, str]]] = {
    "TREAT": ("Treatment", "You care for this patient now"),
    "COC": ("Second opinion", "Another clinician asked you"),
    "HQUALIMP": ("Quality assurance", "Hospital operations"),
    "HRESCH": ("Research", "Needs a study number"),
    "TREATDS": ("Treatment, by a computer program", ""),
    "PATRQT": ("Your own record", ""),
}


def kind_text(category: str) -> str:
    """Return the name of a kind of record: "CT and other images"."""
    try:
        return _KINDS[Category(category)][0]
    except ValueError:
        return "One record"


def kind_icon(category: str) -> str:
    """Return the icon of a kind of record; of a kind that is not shown, a locked file."""
    try:
        return _KINDS[Category(category)][1]
    except ValueError:
        return "file-lock"


def kind_word(category: str) -> str:
    """Return the name of a kind inside a sentence: "images", "laboratory"."""
    try:
        return _SHORT.get(Category(category), _KINDS[Category(category)][0].lower())
    except ValueError:
        return "this"


def kinds_text(categories: Iterable[Category]) -> str:
    """Return kinds in one line: "Images, cytology"."""
    chosen = frozenset(categories)
    words = [_SHORT.get(each, kind_text(each).lower()) for each in Category if each in chosen]
    return ", ".join(words).capitalize()


def purpose_text(code: str) -> str:
    """Return the name of a purpose of use."""
    return PURPOSES.get(code, (code, ""))[0]
