"""What kind of record something is, in the codes a consent can name (PROTOCOL.md C1, DECISION.md 4, A40)."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

CATEGORY_SYSTEM: Final = "https://assent.example.org/fhir/CodeSystem/category"
RESOURCE_SYSTEM: Final = "http://hl7.org/fhir/resource-types"
SERVICE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
CONFIDENTIALITY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SENSITIVITY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LEVELS: Final = "ULMNRV"
DISPLAY_LETTERS: Final = 120


class Category(StrEnum):
    """The eight kinds that a patient ticks; a record has exactly one."""

    IMAGE = "image"
    LABORATORY = "laboratory"
    CYTOLOGY = "cytology"
    DOCUMENT = "document"
    HEART = "heart"
    MEDICATION = "medication"
    PROBLEM = "problem"
    ENCOUNTER = "encounter"

    @property
    def code(self) -> str:
        """``system|code`` as a consent's ``class`` states it."""
        return f"{CATEGORY_SYSTEM}|{self.value}"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a file says it is about; for a person to compare before import, never for the ledger."""

    name: str = ""
    birth_date: str = ""
    sex: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class ConfidentialityRules:
    """A hospital's own list: a code (``system|code``) raises a record to labels (``system|code``)."""

    labels_of_code: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def labels_with_default(
    category: Category, stated: Iterable[str], codes: Iterable[str], rules: ConfidentialityRules
) -> tuple[str, ...]:
    """Return a record's labels: what it states, what the hospital's list adds, or else the default of its kind.

    The default is R for free text (documents and notes), N for all else (A40); a person may lower it later.
    """
    labels = set(stated)
    for code in codes:
        labels.update(rules.labels_of_code.get(code, ()))
    known = (f"{CONFIDENTIALITY_SYSTEM}|", f"{SENSITIVITY_SYSTEM}|")
    if not any(label.startswith(known) for label in labels):
        labels.add(f"{CONFIDENTIALITY_SYSTEM}|{'R' if category is Category.DOCUMENT else 'N'}")
    return tuple(sorted(labels))


def level_of(labels: Iterable[str]) -> str:
    """Return the letter of DECISION.md 4: the highest stated, V if unknown, at least R with any sensitivity."""
    rank = -1
    sensitive = False
    for label in labels:
        system, _, code = label.rpartition("|")
        if system == CONFIDENTIALITY_SYSTEM:
            rank = max(rank, LEVELS.index(code) if len(code) == 1 and code in LEVELS else LEVELS.index("V"))
        sensitive = sensitive or system == SENSITIVITY_SYSTEM
    rank = LEVELS.index("N") if rank < 0 else rank
    return LEVELS[max(rank, LEVELS.index("R"))] if sensitive else LEVELS[rank]


def plain(untrusted_text: str, letters: int = DISPLAY_LETTERS) -> str:
    """Return text that can be shown: one line without control or bidirectional letters, at most ``letters`` long."""
    kept = "".join(
        " " if letter.isspace() else letter
        for letter in untrusted_text
        if unicodedata.category(letter)[0] != "C" or letter.isspace()
    )
    line = " ".join(kept.split())
    return line if len(line) <= letters else line[: letters - 1] + "…"
