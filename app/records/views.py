"""Opened charts, tables and documents as plain rows and pictures, read by the reader's child and checked here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.records.reader import Buffer, ReaderProcess
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, Any]

_BAD: Final = "The reader's answer about this record is not usable. It is not shown."


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis, allergy or family history."""

    text: str
    code: str
    status: str
    onset: str
    recorded: str
    by: str


@dataclass(frozen=True, slots=True)
class Medication:
    """A prescription, administration or vaccination."""

    text: str
    dosage: str
    status: str
    date: str
    by: str


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement; ``value``, ``low`` and ``high`` are digits as written, ``number`` is for the bar only.

    ``flag`` is ``low``, ``high``, ``abnormal`` or empty.
    """

    test: str
    value: str
    number: float | None
    unit: str
    low: str
    high: str
    flag: str
    date: str
    status: str
    by: str


@dataclass(frozen=True, slots=True)
class Visit:
    """An encounter, procedure or plan."""

    text: str
    kind: str
    status: str
    start: str
    end: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A report or document with its text; markup is never rendered."""

    title: str
    kind: str
    date: str
    status: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Other:
    """Any other resource, so that nothing in the record is passed over in silence."""

    kind: str
    text: str
    date: str
    by: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All rows of one FHIR record, by table. What an access withholds is not here; pages say it from the index."""

    problems: tuple[Problem, ...]
    medication: tuple[Medication, ...]
    results: tuple[Result, ...]
    encounters: tuple[Visit, ...]
    documents: tuple[Paper, ...]
    others: tuple[Other, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and, where the header states one, its unit."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as written, and its number where it is one."""

    text: str
    number: float | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.

    Attributes:
        category: cytology, heart or laboratory.
        columns: in the file's order.
        rows: of cells.
        roles: column numbers of test, value, unit, low, high and date in a laboratory list.
        reading: how it was read, in words; empty if nothing was decided.
    """

    category: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    roles: dict[str, int]
    reading: tuple[str, ...]

    def values(self, row: int) -> dict[str, float | None]:
        """Return one row's numbers by column name, for a model."""
        return {column.name: cell.number for column, cell in zip(self.columns, self.rows[row], strict=True)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page: number from 0, RGB picture (row, column, 3), and its words for screen readers."""

    number: int
    picture: "Pixels"
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """Some pages of a document of ``page_count`` pages."""

    page_count: int
    pages: tuple[Page, ...]


def open_chart(reader: ReaderProcess, content: Buffer) -> Chart:
    """Return the rows of an opened FHIR record.

    Raises:
        RefusedError: it cannot be shown, and why.
    """
    row = reader.ask("chart", content).document
    try:
        return Chart(
            problems=tuple(Problem(**item) for item in row["problems"]),
            medication=tuple(Medication(**item) for item in row["medication"]),
            results=tuple(Result(**item) for item in row["results"]),
            encounters=tuple(Visit(**item) for item in row["encounters"]),
            documents=tuple(Paper(**item) for item in row["documents"]),
            others=tuple(Other(**item) for item in row["others"]),
        )
    except (KeyError, TypeError):
        raise RefusedError(_BAD) from None


def open_table(reader: ReaderProcess, content: Buffer) -> Table:
    """Return an opened table.

    Raises:
        RefusedError: it cannot be shown, and why.
    """
    row = reader.ask("table", content).document
    try:
        return Table(
            category=str(row["category"]),
            columns=tuple(Column(str(item["name"]), str(item["unit"])) for item in row["columns"]),
            rows=tuple(tuple(Cell(str(text), number) for text, number in cells) for cells in row["rows"]),
            roles={str(role): int(place) for role, place in row["roles"].items()},
            reading=tuple(map(str, row["reading"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RefusedError(_BAD) from None


def open_document(
    reader: ReaderProcess, content: Buffer, *, first: int = 0, count: int = 1, scale: float = 1.5
) -> Document:
    """Return pages of an opened PDF.

    Args:
        reader: a running reader.
        content: verified bytes.
        first: page to begin with, from 0.
        count: how many; fewer at the end.
        scale: pixels per point (1/72 inch).

    Raises:
        RefusedError: it cannot be shown, and why.
    """
    reply = reader.ask("pages", content, {"first": first, "count": count, "scale": scale})
    row = reply.document
    try:
        numbers, texts = list(map(int, row["numbers"])), list(map(str, row["texts"]))
        pages = tuple(Page(*parts) for parts in zip(numbers, reply.arrays, texts, strict=True))
        if not all(page.picture.ndim == 3 and page.picture.shape[-1] == 3 for page in pages):  # noqa: PLR2004  -- RGB
            raise RefusedError(_BAD)
        return Document(int(row["pages"]), pages)
    except (KeyError, TypeError, ValueError):
        raise RefusedError(_BAD) from None
