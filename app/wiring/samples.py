"""The sandbox's records: generated, or from locked packages; none of them is anybody's (DESIGN.md)."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from app.custodian.results import ImportFile
from app.custodian.results import Person as Registered
from app.records.description import Person
from app.records.phantom import ct_series, cytology_csv, document_pdf, fhir_bundle

_CASES: Final = (455, 0, 19)
"""Rows of scikit-learn's table: one near the border, one plainly malignant, one plainly benign."""

_Make = Callable[[Person, date], list[ImportFile]]


def samples_of(person: Registered, today: str) -> Sequence[ImportFile]:
    """Return the sample files of one of the sandbox's patients.

    Args:
        person: who they are said to be of.
        today: ISO date; the samples lie in the weeks before it.
    """
    about = Person(person.name, person.birth_date, person.sex, person.number)
    return [file for make in _OF.get(person.name, ()) for file in make(about, date.fromisoformat(today))]


def _ct(person: Person, today: date) -> list[ImportFile]:
    day = (today - timedelta(days=1)).isoformat()
    slices = enumerate(ct_series(person, day, seed=f"{person.name} ct"), 1)
    return [ImportFile(f"CT/{number:03}.dcm", content) for number, content in slices]


def _chart(person: Person, today: date) -> list[ImportFile]:
    day = (today - timedelta(days=3)).isoformat()
    return [ImportFile("chart.json", fhir_bundle(person, day, seed=f"{person.name} chart"))]


def _letter(person: Person, today: date) -> list[ImportFile]:
    return [ImportFile("discharge-letter.pdf", document_pdf(person, (today - timedelta(days=12)).isoformat()))]


def _cytology(_: Person, today: date) -> list[ImportFile]:
    return [ImportFile("cytology.csv", cytology_csv((today - timedelta(days=4)).isoformat(), _CASES))]


_OF: Final[dict[str, tuple[_Make, ...]]] = {
    "Alma Fictive": (_ct, _chart, _letter, _cytology),
    "Greta Imaginary": (_cytology,),
    "Bruno Mockup": (_chart, _letter),
    "Kara Figment": (_chart,),
}
