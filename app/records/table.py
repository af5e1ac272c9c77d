"""Tables (CSV) in the child: cytology, heart and laboratory values, read only where one reading is certain (case 12).

One file has one delimiter and one decimal mark. Whatever could be read in two ways is refused with its line; what was
decided is told, for a person to confirm. Text is never run, and never written back as a formula.
"""

import csv
import datetime as dt
import io
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from app.records.description import Category, plain
from app.records.limits import Limits
from app.records.refusal import RefusedError

CYTOLOGY_COLUMNS: Final = (
    "mean radius",
    "mean texture",
    "mean perimeter",
    "mean area",
    "mean smoothness",
    "mean compactness",
    "mean concavity",
    "mean concave points",
    "mean symmetry",
    "mean fractal dimension",
    "radius error",
    "texture error",
    "perimeter error",
    "area error",
    "smoothness error",
    "compactness error",
    "concavity error",
    "concave points error",
    "symmetry error",
    "fractal dimension error",
    "worst radius",
    "worst texture",
    "worst perimeter",
    "worst area",
    "worst smoothness",
    "worst compactness",
    "worst concavity",
    "worst concave points",
    "worst symmetry",
    "worst fractal dimension",
)
"""scikit-learn's names of the 30 features of ``load_breast_cancer`` (WDBC), in its order."""
HEART_COLUMNS: Final = (
    *("age", "sex", "cp", "trestbps", "chol", "fbs", "restecg"),
    *("thalach", "exang", "oldpeak", "slope", "ca", "thal"),
)
"""The 13 inputs of the UCI heart table."""
_TEST: Final = frozenset(["test", "analyte", "parameter", "name", "untersuchung", "analyt"])
_VALUE: Final = frozenset(["value", "result", "wert", "ergebnis"])
_UNIT: Final = frozenset(["unit", "units", "einheit"])
_LOW: Final = frozenset({"low", "lower", "min", "reference low", "von", "untergrenze"})
_HIGH: Final = frozenset({"high", "upper", "max", "reference high", "bis", "obergrenze"})
_DATE: Final = frozenset(["date", "datum", "collected", "effective", "taken"])
_NOT_NUMBERS: Final = _TEST | _UNIT | _DATE | frozenset({"sample", "id", "note", "comment", "status", "flag", "method"})
_DELIMITERS: Final = ",;\t"
_HEADER_UNIT: Final = re.compile(r"^(?P<name>.+?)\s*[\[(](?P<unit>[^\])]{1,30})[\])]$")
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+(?P<mark>[.,])\d+|[.,]\d+|\d+[.,])(?:[eE][+-]?\d{1,3})?")
_WHOLE: Final = re.compile(r"[+-]?\d+(?:[eE][+-]?\d{1,3})?")
_GROUPED: Final = re.compile(
    r"[+-]?\d{1,3}(?:[., ']\d{3})+[.,]\d+|[+-]?\d{1,3}(?:[., ']\d{3}){2,}|[+-]?\d{1,3}[ ']\d{3}"
)
_UNCERTAIN: Final = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_MISSING: Final = frozenset({"", "?", "na", "n/a", "nan", "null", "-"})
_LETTERS: Final = 4000


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A table whose numbers all have one meaning."""

    columns: list[str]
    rows: list[list[str]]
    comma: bool
    reading: list[str]


def describe(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], tuple[()]]:
    """Return what kind of table it is and how it was read.

    Raises:
        RefusedError: not a table, or not readable in one way only; the reason names the line.
    """
    del arguments
    parsed = _parse(untrusted, limits)
    category, word = _kind(parsed.columns)
    dates = sorted(set(_dates(parsed)))
    return {
        "category": category.value,
        "display": f"{word}, {len(parsed.rows)} {'row' if len(parsed.rows) == 1 else 'rows'}",
        "dates": [dates[0], dates[-1]] if len(dates) > 1 else dates,
        "reading": parsed.reading + _mixed_units(parsed),
    }, ()


def rows(untrusted: memoryview, arguments: dict[str, object], limits: Limits) -> tuple[dict[str, object], tuple[()]]:
    """Return the table's columns and rows: each cell as written, with its number where it is one.

    Raises:
        RefusedError: as ``describe``.
    """
    del arguments
    parsed = _parse(untrusted, limits)
    category, _ = _kind(parsed.columns)
    split = [_HEADER_UNIT.match(name) for name in parsed.columns]
    return {
        "category": category.value,
        "columns": [
            {"name": found["name"] if found else name, "unit": found["unit"] if found else ""}
            for name, found in zip(parsed.columns, split, strict=True)
        ],
        "roles": _roles(parsed.columns),
        "rows": [
            [_cell(text, column, parsed) for column, text in zip(parsed.columns, row, strict=True)]
            for row in parsed.rows
        ],
        "reading": parsed.reading + _mixed_units(parsed),
    }, ()


def _parse(untrusted: memoryview, limits: Limits) -> _Parsed:
    text = _text(bytes(untrusted))
    head = text.split("\n", 1)[0].rstrip("\r")
    delimiter = _delimiter(head, limits)
    try:
        lines = list(_lines(text, delimiter, limits))
    except csv.Error as error:
        raise RefusedError(f"It is no table: {plain(str(error))}. Save it as CSV again.") from None
    if len(lines) < 2:  # noqa: PLR2004 (what a table is)  -- names and one row
        raise RefusedError(
            "It has no rows below its first line. The first line names the columns, each further line is a row."
        )
    columns = [plain(name) for name in lines[0][1]]
    _check_columns(columns, lines)
    comma, reading = _decimal_mark(columns, lines[1:], delimiter)
    if not any(_number_like(cell) for _, row in lines[1:] for cell in row):
        raise RefusedError("It holds no number. A table of values is needed.")
    return _Parsed(columns, [row for _, row in lines[1:]], comma, reading)


def _text(raw: bytes) -> str:
    if b"\0" in raw:
        raise RefusedError("It holds NUL bytes; it is no text. Save it as CSV in UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RefusedError(f"Line {line} is not UTF-8. Save it as CSV in UTF-8.") from None


def _delimiter(head: str, limits: Limits) -> str:
    if len(head) > limits.columns * 400:
        raise RefusedError(
            f"Its first line is {len(head):,} letters long; it is no table of at most {limits.columns:,} columns."
        )
    outside = re.sub(r'"[^"]*"', "", head)
    counts = {mark: outside.count(mark) for mark in _DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    if counts[best] == 0:
        return ","
    if sum(count > 0 for count in counts.values()) > 1:
        raise RefusedError(
            "Line 1 holds several of comma, semicolon and tab. Save it as CSV with one of them between columns."
        )
    return best


def _lines(text: str, delimiter: str, limits: Limits) -> "list[tuple[int, list[str]]]":
    csv.field_size_limit(_LETTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > limits.columns:
            raise RefusedError(f"Line {reader.line_num} has {len(row):,} columns; at most {limits.columns:,} are read.")
        found.append((reader.line_num, [cell.strip() for cell in row]))
        if len(found) > limits.rows + 1:
            raise RefusedError(f"It has more than {limits.rows:,} rows. Import it in parts.")
    return found


def _check_columns(columns: list[str], lines: list[tuple[int, list[str]]]) -> None:
    if not all(columns) or all(_number_like(name) for name in columns):
        raise RefusedError("Line 1 must name every column. Add a first line with the names.")
    if len(columns) < 2:  # noqa: PLR2004 (what a table is)
        raise RefusedError(
            "It has one column only. A table of values is needed, with comma, semicolon or tab between columns."
        )
    twice = [name for name, count in Counter(map(str.lower, columns)).items() if count > 1]
    if twice:
        raise RefusedError(f'Line 1 names the column "{twice[0]}" twice. Give each its own name.')
    for number, row in lines[1:]:
        if len(row) != len(columns):
            raise RefusedError(
                f"Line {number} has {len(row)} columns where line 1 names {len(columns)}. Save it as CSV again."
            )


def _number_like(text: str) -> bool:
    return bool(_WHOLE.fullmatch(text) or _DECIMAL.fullmatch(text))


@dataclass(slots=True)
class _Marks:
    """The first cell of each decimal mark that can be read in one way only, and of each that can be read in two."""

    certain: dict[str, tuple[int, str]] = field(default_factory=dict)
    uncertain: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, number: int, cell: str) -> None:
        if _GROUPED.fullmatch(cell):
            raise RefusedError(f"Line {number}: {cell} has marks between thousands. Write it without them.")
        if not _number_like(cell):
            return
        if not math.isfinite(float(cell.replace(",", "."))):
            raise RefusedError(f"Line {number}: {cell} is too large to be a measurement. Ask the sender.")
        for mark in ",.":
            if mark in cell:
                (self.uncertain if _UNCERTAIN.fullmatch(cell) else self.certain).setdefault(mark, (number, cell))


def _decimal_mark(columns: list[str], lines: list[tuple[int, list[str]]], delimiter: str) -> tuple[bool, list[str]]:
    """Find the file's one decimal mark, or refuse with the line that leaves it open."""
    marks = _Marks()
    numeric = [index for index, name in enumerate(columns) if name.lower() not in _NOT_NUMBERS]
    for number, row in lines:
        for index in numeric:
            marks.add(number, row[index])
    if len(marks.certain) == 2:  # noqa: PLR2004 (what a table is)  -- both marks
        (one, a), (two, b) = marks.certain["."], marks.certain[","]
        raise RefusedError(f"Line {one} writes {a} and line {two} writes {b}. Use one decimal mark throughout.")
    usual = "" if delimiter == ";" or "," in marks.uncertain else "."
    mark = next(iter(marks.certain), usual)
    for other, (number, cell) in sorted(marks.uncertain.items()):
        if other != mark:
            raise RefusedError(
                f"Line {number}: {cell} can be read in two ways "
                f"({cell.replace(other, '')} or {cell.replace(other, '.')}). "
                "Write it without marks between thousands and with a decimal point."
            )
    if mark != ",":
        return False, []
    number, cell = marks.certain[","]
    return True, [f"Decimal commas: {cell} in line {number} was read as {cell.replace(',', '.')}. Please confirm."]


def _cell(text: str, column: str, parsed: _Parsed) -> list[Any]:
    """Return a cell as shown and its number, or None where it is none."""
    shown = plain(text, _LETTERS)
    if column.lower() in _NOT_NUMBERS or not _number_like(text):
        return [shown, None]
    return [shown, float(text.replace(",", ".") if parsed.comma else text)]


def _kind(columns: list[str]) -> tuple[Category, str]:
    names = {name.lower() for name in columns}
    if names >= set(CYTOLOGY_COLUMNS):
        return Category.CYTOLOGY, "Cytology measurements"
    if names >= set(HEART_COLUMNS):
        return Category.HEART, "Heart measurements"
    return Category.LABORATORY, "Laboratory table"


def _roles(columns: list[str]) -> dict[str, int]:
    """Say which column of a laboratory list holds test, value, unit, low, high and date."""
    found: dict[str, int] = {}
    for role, names in (
        ("test", _TEST),
        ("value", _VALUE),
        ("unit", _UNIT),
        ("low", _LOW),
        ("high", _HIGH),
        ("date", _DATE),
    ):
        for index, name in enumerate(columns):
            if name.lower() in names and role not in found:
                found[role] = index
    return found


def _dates(parsed: _Parsed) -> list[str]:
    """Return the ISO days of a date column; another form of date is none (never guessed)."""
    index = _roles(parsed.columns).get("date")
    days = []
    for row in parsed.rows if index is not None else ():
        text = row[index or 0][:10]
        try:
            days.append(dt.date.fromisoformat(text).isoformat())
        except ValueError:
            continue
    return days


def _mixed_units(parsed: _Parsed) -> list[str]:
    roles = _roles(parsed.columns)
    if "test" not in roles or "unit" not in roles:
        return []
    units: dict[str, set[str]] = {}
    for row in parsed.rows:
        if row[roles["unit"]].lower() not in _MISSING:
            units.setdefault(row[roles["test"]], set()).add(row[roles["unit"]])
    return [
        plain(f"{test} is given in {' and '.join(sorted(found))}; nothing was converted.")
        for test, found in sorted(units.items())
        if len(found) > 1
    ]
