"""Generated records of nobody: a CT phantom with lines of known length, a FHIR R4 bundle, a PDF, cytology rows.

For the sandbox, the tour and tests. Everything follows from the arguments, so the same sandbox is made twice. Written
with a few lines of its own instead of pydicom, whose import costs a second.
"""

import datetime as dt
import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.records.description import CONFIDENTIALITY_SYSTEM, SENSITIVITY_SYSTEM, SERVICE_SYSTEM, Person
from app.records.table import CYTOLOGY_COLUMNS

SLICES: Final = 200
SIDE: Final = 256
SPACING_MM: Final = 0.8
SLICE_MM: Final = 2.0
_ROOT: Final = "2.25."  # UIDs derived from a UUID (PS3.5 B.2)
_CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
_EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
_IMPLEMENTATION: Final = "2.25.314159265358979323846264338327950288419"
_LONG: Final = frozenset({"OB", "OW", "SQ", "UN"})
_AIR, _WATER, _BONE, _LUNG, _MARK = -1000, 0, 700, -750, 1200
_OFFSET: Final = 1024
_UCUM: Final = "http://unitsofmeasure.org"
_LOINC: Final = "http://loinc.org"
_SNOMED: Final = "http://snomed.info/sct"
_OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"


@dataclass(frozen=True, slots=True)
class Line:
    """A bright line drawn into a slice, from the centre of one pixel to the centre of another."""

    slice_number: int
    first: tuple[int, int]
    last: tuple[int, int]
    millimetres: float


LINES: Final = (
    Line(100, (40, 98), (40, 148), 40.0),
    Line(100, (203, 78), (203, 178), 80.0),
    Line(100, (90, 100), (120, 140), 40.0),
)
"""Row and column of both ends; 50 columns at 0.8 mm, 100 columns, and a 3-4-5 diagonal of 50 pixels."""


def ct_series(person: Person, day: str, *, seed: str = "phantom", slices: int = SLICES) -> Iterator[bytes]:
    """Yield the instances of a CT phantom, each a DICOM Part 10 file.

    Args:
        person: who it is said to be of; a fictive name.
        day: study date, ``YYYY-MM-DD``.
        seed: another seed gives other UIDs.
        slices: how many.
    """
    study, series, frame = (_uid(seed, name) for name in ("study", "series", "frame"))
    for number in range(1, slices + 1):
        instance = _uid(seed, f"instance {number}")
        pixels = _slice(number, slices)
        yield _part10(
            instance,
            [
                (0x0008, 0x0005, "CS", "ISO_IR 192"),
                (0x0008, 0x0008, "CS", "DERIVED\\SECONDARY\\AXIAL"),
                (0x0008, 0x0016, "UI", _CT_IMAGE),
                (0x0008, 0x0018, "UI", instance),
                (0x0008, 0x0020, "DA", day.replace("-", "")),
                (0x0008, 0x0023, "DA", day.replace("-", "")),
                (0x0008, 0x0030, "TM", "091500"),
                (0x0008, 0x0060, "CS", "CT"),
                (0x0008, 0x0070, "LO", "Assent phantom, no patient"),
                (0x0008, 0x1030, "LO", "CT chest (phantom)"),
                (0x0008, 0x103E, "LO", "Axial 2 mm"),
                (0x0010, 0x0010, "PN", _dicom_name(person.name)),
                (0x0010, 0x0020, "LO", person.identifier),
                (0x0010, 0x0030, "DA", person.birth_date.replace("-", "")),
                (0x0010, 0x0040, "CS", {"female": "F", "male": "M"}.get(person.sex, "O")),
                (0x0018, 0x0015, "CS", "CHEST"),
                (0x0018, 0x0050, "DS", f"{SLICE_MM:g}"),
                (0x0018, 0x5100, "CS", "HFS"),
                (0x0020, 0x000D, "UI", study),
                (0x0020, 0x000E, "UI", series),
                (0x0020, 0x0010, "SH", "1"),
                (0x0020, 0x0011, "IS", "1"),
                (0x0020, 0x0013, "IS", str(number)),
                (
                    0x0020,
                    0x0032,
                    "DS",
                    f"{-SIDE * SPACING_MM / 2:g}\\{-SIDE * SPACING_MM / 2:g}\\{number * SLICE_MM:g}",
                ),
                (0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
                (0x0020, 0x0052, "UI", frame),
                (0x0028, 0x0002, "US", 1),
                (0x0028, 0x0004, "CS", "MONOCHROME2"),
                (0x0028, 0x0010, "US", SIDE),
                (0x0028, 0x0011, "US", SIDE),
                (0x0028, 0x0030, "DS", f"{SPACING_MM:g}\\{SPACING_MM:g}"),
                (0x0028, 0x0100, "US", 16),
                (0x0028, 0x0101, "US", 16),
                (0x0028, 0x0102, "US", 15),
                (0x0028, 0x0103, "US", 1),
                (0x0028, 0x1050, "DS", "50\\-550"),
                (0x0028, 0x1051, "DS", "400\\1600"),
                (0x0028, 0x1052, "DS", f"-{_OFFSET}"),
                (0x0028, 0x1053, "DS", "1"),
                (0x0028, 0x1054, "LO", "HU"),
                (0x0028, 0x1055, "LO", "Soft tissue\\Lung"),
                (0x7FE0, 0x0010, "OW", pixels),
            ],
        )


def _slice(number: int, slices: int) -> bytes:
    """Draw one slice: an oval body, two lungs, a spine, a sphere, steps of density, and the measured lines."""
    import numpy as np  # noqa: PLC0415  -- only who makes a phantom needs it

    row, column = np.mgrid[0:SIDE, 0:SIDE]
    middle = SIDE / 2
    along = (number - 1) / max(slices - 1, 1)
    values = np.full((SIDE, SIDE), _AIR, np.int16)
    wide, high = 108 - 10 * abs(along - 0.5), 88 - 12 * abs(along - 0.5)
    values[((column - middle) / wide) ** 2 + ((row - middle) / high) ** 2 <= 1] = _WATER
    swell = max(0.05, 1 - (2 * along - 1) ** 2)
    for side in (-1, 1):
        lung = ((column - middle - side * 48) / (34 * swell)) ** 2 + ((row - middle) / (52 * swell)) ** 2 <= 1
        values[lung] = _LUNG
    values[(column - middle) ** 2 + (row - middle - 62) ** 2 <= 13**2] = _BONE
    sphere = 18**2 - ((along - 0.5) * slices * SLICE_MM / SPACING_MM) ** 2
    values[(column - middle) ** 2 + (row - middle) ** 2 <= sphere] = 60
    for step, density in enumerate((-100, 20, 40, 80, 160)):
        values[150:162, 92 + 15 * step : 104 + 15 * step] = density
    for line in LINES:
        if line.slice_number == number:
            for place in _places(line):
                values[place] = _MARK
    return (values + _OFFSET).astype("<i2").tobytes()


def _places(line: Line) -> list[tuple[int, int]]:
    rows, columns = line.last[0] - line.first[0], line.last[1] - line.first[1]
    steps = max(abs(rows), abs(columns))
    return [
        (line.first[0] + round(rows * step / steps), line.first[1] + round(columns * step / steps))
        for step in range(steps + 1)
    ]


def _uid(seed: str, name: str) -> str:
    return _ROOT + str(int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:16], "big"))


def _dicom_name(name: str) -> str:
    given, _, family = name.rpartition(" ")
    return f"{family}^{given}"


def _part10(instance: str, elements: Sequence[tuple[int, int, str, str | int | bytes]]) -> bytes:
    meta = b"".join(
        _element(*item)
        for item in (
            (0x0002, 0x0001, "OB", b"\0\1"),
            (0x0002, 0x0002, "UI", _CT_IMAGE),
            (0x0002, 0x0003, "UI", instance),
            (0x0002, 0x0010, "UI", _EXPLICIT_LITTLE),
            (0x0002, 0x0012, "UI", _IMPLEMENTATION),
        )
    )
    group = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(meta))
    return bytes(128) + b"DICM" + group + meta + b"".join(_element(*item) for item in elements)


def _element(group: int, element: int, vr: str, value: str | int | bytes) -> bytes:
    raw = struct.pack("<H", value) if isinstance(value, int) else value.encode() if isinstance(value, str) else value
    if len(raw) % 2:
        raw += b"\0" if vr in ("UI", "OB") else b" "
    if vr in _LONG:
        return struct.pack("<HH2sHI", group, element, vr.encode(), 0, len(raw)) + raw
    return struct.pack("<HH2sH", group, element, vr.encode(), len(raw)) + raw


def fhir_bundle(person: Person, last_day: str, *, seed: str = "chart") -> bytes:
    """Return a FHIR R4 bundle: three visits with laboratory, medication, problems and a report; one psychiatric note.

    Args:
        person: whom it is said to be about.
        last_day: of the last visit; the others lie 40 and 200 days before.
        seed: another seed gives other ids.
    """
    chart = _Chart(person, seed)
    last = dt.date.fromisoformat(last_day)
    chart.visit(last - dt.timedelta(days=200), "Check-up", "185349003")
    chart.problem("Essential hypertension", "59621000")
    chart.medication("Lisinopril 10 mg oral tablet", "314076", "One tablet in the morning")
    chart.result("Glucose", "15074-8", "5.4", "mmol/L", "3.9", "5.6")
    chart.result("Creatinine", "14682-9", "78", "umol/L", "45", "84")
    chart.visit(last - dt.timedelta(days=40), "Consultation", "11429006")
    chart.note(
        "Psychiatric note",
        "34788-0",
        "Sleeps badly since spring. No danger to self or others. (Fictive text.)",
        ("PSY", "R"),
    )
    chart.visit(last, "Follow-up", "185389009")
    chart.problem("Iron deficiency anemia", "87522002")
    chart.medication("Ferrous sulfate 325 mg oral tablet", "310325", "One tablet every second day")
    chart.result("Hemoglobin", "718-7", "10.8", "g/dL", "12.0", "15.5")
    chart.result("Ferritin", "2276-4", "9.0", "ug/L", "15", "150")
    chart.result("Leukocytes", "6690-2", "6.20", "10*3/uL", "4.00", "10.00")
    chart.result("Potassium", "2823-3", "4.10", "mmol/L", "3.5", "5.1")
    chart.note(
        "Letter to the family doctor",
        "68609-7",
        "Iron was low and is being replaced. Check again in three months. (Fictive text.)",
        (),
    )
    return chart.bundle()


class _Chart:
    """Builds resources of one person, visit by visit."""

    def __init__(self, person: Person, seed: str) -> None:
        self._seed = seed
        self._day = ""
        self._visit = ""
        self._count = 0
        given, _, family = person.name.rpartition(" ")
        self._entries: list[dict[str, Any]] = []
        self._patient = self._add(
            "Patient",
            **(
                {
                    "identifier": [
                        {
                            "type": _concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", ""),
                            "value": person.identifier,
                        }
                    ]
                }
                if person.identifier
                else {}
            ),
            name=[{"use": "official", "family": family, "given": given.split()}],
            gender=person.sex or "unknown",
            birthDate=person.birth_date,
        )
        self._doctor = self._add("Practitioner", name=[{"text": "Dr Ines Sample"}])

    def visit(self, day: dt.date, text: str, code: str) -> None:
        self._day = day.isoformat()
        self._visit = self._add(
            "Encounter",
            status="finished",
            **{
                "class": {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                    "code": "AMB",
                    "display": "Ambulatory",
                }
            },
            type=[_concept(_SNOMED, code, text)],
            subject=_to(self._patient),
            participant=[{"individual": _to(self._doctor)}],
            period={"start": f"{self._day}T09:00:00+01:00", "end": f"{self._day}T09:30:00+01:00"},
        )

    def problem(self, text: str, code: str) -> None:
        self._clinical(
            "Condition",
            clinicalStatus=_concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
            code=_concept(_SNOMED, code, text),
            recordedDate=self._day,
            recorder=_to(self._doctor),
        )

    def medication(self, text: str, code: str, dosage: str) -> None:
        self._clinical(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept=_concept("http://www.nlm.nih.gov/research/umls/rxnorm", code, text),
            authoredOn=self._day,
            requester=_to(self._doctor),
            dosageInstruction=[{"text": dosage}],
        )

    def result(self, text: str, code: str, number: str, unit: str, low: str, high: str) -> None:
        self._clinical(
            "Observation",
            status="final",
            category=[_concept(_OBSERVATION_CATEGORY, "laboratory", "Laboratory")],
            code=_concept(_LOINC, code, text),
            effectiveDateTime=f"{self._day}T09:10:00+01:00",
            performer=[_to(self._doctor)],
            valueQuantity=_quantity(number, unit),
            referenceRange=[{"low": _quantity(low, unit), "high": _quantity(high, unit)}],
        )

    def note(self, text: str, code: str, words: str, labels: tuple[str, ...]) -> None:
        security = [
            {"system": CONFIDENTIALITY_SYSTEM if len(label) == 1 else SENSITIVITY_SYSTEM, "code": label}
            for label in labels
        ]
        self._clinical(
            "DiagnosticReport",
            **({"meta": {"security": security}} if security else {}),
            status="final",
            category=[_concept(SERVICE_SYSTEM, "OTH", "Other")],
            code=_concept(_LOINC, code, text),
            effectiveDateTime=f"{self._day}T09:20:00+01:00",
            performer=[_to(self._doctor)],
            conclusion=words,
        )

    def bundle(self) -> bytes:
        text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": self._entries}, indent=1)
        # Numbers stand as written, 4.10 not 4.1: JSON libraries would drop the last digit (CASES.md 8).
        return text.replace('"\\u0000', "").replace('\\u0000"', "").encode()

    def _clinical(self, kind: str, **content: Any) -> None:
        self._add(kind, subject=_to(self._patient), encounter=_to(self._visit), **content)

    def _add(self, kind: str, **content: Any) -> str:
        self._count += 1
        identifier = hashlib.sha256(f"{self._seed}/{self._count}".encode()).hexdigest()[:16]
        resource = {"resourceType": kind, "id": identifier, **content}
        self._entries.append({"fullUrl": f"https://sandbox.invalid/fhir/{kind}/{identifier}", "resource": resource})
        return f"{kind}/{identifier}"


def _concept(system: str, code: str, text: str) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": text} if text else coding], **({"text": text} if text else {})}


def _to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def _quantity(digits: str, unit: str) -> dict[str, str]:
    """Mark a number so that its digits survive: ``bundle`` takes the marks and quotes away."""
    return {"value": f"\0{digits}\0", "unit": unit, "system": _UCUM, "code": unit}


def document_pdf(person: Person, day: str, *, hospital: str = "Alder Hospital") -> bytes:
    """Return a two-page PDF letter, valid by itself; plainly fictive.

    Args:
        person: whom it is said to be about.
        day: of the letter; also the file's own date.
        hospital: sender.
    """
    first = [
        (18, f"{hospital}: discharge letter"),
        (11, f"Patient: {person.name}, born {person.birth_date}, number {person.identifier}"),
        (11, f"Date: {day}"),
        (11, ""),
        (11, "This letter is fictive. Nobody of this name exists."),
        (11, "The chest CT shows a water phantom with two lungs of foam and a spine of plastic."),
        (11, "The bright lines in slice 100 measure 40.0 mm and 80.0 mm."),
        (11, "No further examination is needed, since there is nobody to examine."),
    ]
    second = [(14, "Page 2: medication"), (11, "None."), (11, "Signed: Dr Ines Sample (fictive)")]
    return _pdf([first, second], f"{hospital}: discharge letter", day)


def _pdf(pages: Sequence[Sequence[tuple[int, str]]], title: str, day: str) -> bytes:
    """Write the smallest PDF 1.4 that holds lines of Helvetica."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, lines in enumerate(pages):
        shown = _page_content(lines)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(shown)} >>\nstream\n".encode() + shown + b"\nendstream")
    objects.append(
        f"<< /Title ({_escaped(title)}) /CreationDate (D:{day.replace('-', '')}090000Z) >>".encode("cp1252", "replace")
    )
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += "".join(f"{place:010d} 00000 n \n" for place in places).encode()
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\n".encode()
    out += f"startxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _page_content(lines: Sequence[tuple[int, str]]) -> bytes:
    parts = ["BT 60 780 Td"]
    for size, text in lines:
        parts.append(f"/F1 {size} Tf ({_escaped(text)}) Tj 0 -{size * 2} Td")
    return " ".join([*parts, "ET"]).encode("cp1252", "replace")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def cytology_csv(day: str, rows: Sequence[int] = (455, 21, 40)) -> bytes:
    """Return rows of scikit-learn's breast cancer table (WDBC), without their diagnosis, as an import would bring them.

    Args:
        day: of the sample.
        rows: numbers of rows in that table, from 0; 455 is near the border of benign and malignant.
    """
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415  -- two seconds of imports, for the sandbox only

    table = load_breast_cancer()
    lines = [",".join(("sample", "date", *CYTOLOGY_COLUMNS))]
    for row in rows:
        values = (repr(float(value)) for value in table.data[row])
        lines.append(",".join((f"FNA-{row:03d}", day, *values)))
    return ("\n".join(lines) + "\n").encode()
