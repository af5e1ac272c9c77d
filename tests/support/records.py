"""Records for tests: a store in memory, small DICOM files, records of one object."""

import hashlib
import struct
from types import TracebackType
from typing import Self

from app.records.description import Category, Person
from app.records.imported import ImportObject, ImportRecord
from app.records.phantom import ct_series
from app.records.refusal import Change, IntegrityError

ALMA = Person("Alma Fictive", "1969-04-05", "female", "FIC-1")
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


class MemoryStore:
    """Objects in a dictionary, behind the same verbs as the folder."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def create(self) -> "MemorySink":
        return MemorySink(self)

    def put(self, name: str, data: bytes) -> None:
        if hashlib.sha256(data).hexdigest() != name:
            raise IntegrityError(Change.OBJECT_DAMAGED, name)
        self.objects[name] = data

    def get(self, name: str, offset: int = 0) -> bytes:
        return self.read(name, offset, -1)

    def read(self, name: str, offset: int, size: int) -> bytes:
        if name not in self.objects:
            raise IntegrityError(Change.OBJECT_MISSING, name)
        return self.objects[name][offset:] if size < 0 else self.objects[name][offset : offset + size]

    def has(self, name: str) -> bool:
        return name in self.objects

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)


class MemorySink:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._content = bytearray()

    def write(self, data: bytes, /) -> int:
        self._content += data
        return len(data)

    def keep(self, name: str) -> None:
        self._store.objects[name] = bytes(self._content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        del self._content[:]


def record_of(*objects: ImportObject, kind: str = "dicom", display: str = "CT chest") -> ImportRecord:
    """Return a record with these objects and nothing else of note."""
    return ImportRecord(
        kind=kind,
        category=Category.IMAGE,
        classes=(Category.IMAGE.code,),
        codes=("http://loinc.org|24627-2",),
        dates=("2026-11-10",),
        labels=(),
        authors=(),
        related=(),
        references=(),
        display=display,
        person=ALMA,
        objects=objects,
    )


def ct_slice(seed: str = "phantom") -> bytes:
    """Return one instance of the phantom."""
    return next(ct_series(ALMA, "2026-11-10", seed=seed, slices=1))


def element(group: int, number: int, vr: str, value: bytes) -> bytes:
    """Return one explicit VR little endian element."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "OW", "UN") else b" "
    if vr in ("OB", "OW", "SQ", "UN", "UT"):
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr.encode(), len(value)) + value


def part10(content: bytes, *, syntax: str = EXPLICIT_LITTLE, preamble: bytes = bytes(128)) -> bytes:
    """Return a DICOM file of a data set's bytes."""
    meta = element(2, 0x10, "UI", syntax.encode()) if syntax else element(2, 0x02, "UI", CT_IMAGE.encode())
    return preamble.ljust(128, b"\0") + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + content


def identified(**changed: str) -> bytes:
    """Return the elements that name an instance; ``changed`` replaces SOPInstanceUID, PatientName and so on."""
    values = {
        "SOPInstanceUID": "1.2.3.4",
        "StudyDate": "20261110",
        "Modality": "CT",
        "PatientName": "Fictive^Alma",
        "PatientID": "FIC-1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
        **changed,
    }
    places = {
        "SpecificCharacterSet": (0x0008, 0x0005, "CS"),
        "SOPClassUID": (0x0008, 0x0016, "UI"),
        "SOPInstanceUID": (0x0008, 0x0018, "UI"),
        "StudyDate": (0x0008, 0x0020, "DA"),
        "Modality": (0x0008, 0x0060, "CS"),
        "StudyDescription": (0x0008, 0x1030, "LO"),
        "PatientName": (0x0010, 0x0010, "PN"),
        "PatientID": (0x0010, 0x0020, "LO"),
        "StudyInstanceUID": (0x0020, 0x000D, "UI"),
        "SeriesInstanceUID": (0x0020, 0x000E, "UI"),
    }
    ordered = sorted(values, key=lambda name: places[name])
    return b"".join(element(*places[name], values[name].encode("latin-1")) for name in ordered)


def picture(pixels: bytes, rows: int, columns: int, **changed: bytes) -> bytes:
    """Return the picture's elements: 16 bits signed, MONOCHROME2, with DS values that ``changed`` adds by keyword."""
    places = {
        "NumberOfFrames": (0x0028, 0x0008, "IS"),
        "PixelSpacing": (0x0028, 0x0030, "DS"),
        "WindowCenter": (0x0028, 0x1050, "DS"),
        "WindowWidth": (0x0028, 0x1051, "DS"),
        "RescaleIntercept": (0x0028, 0x1052, "DS"),
        "RescaleSlope": (0x0028, 0x1053, "DS"),
    }
    parts = [
        ((0x0028, 0x0002), element(0x0028, 0x0002, "US", struct.pack("<H", 1))),
        ((0x0028, 0x0004), element(0x0028, 0x0004, "CS", b"MONOCHROME2")),
        ((0x0028, 0x0010), element(0x0028, 0x0010, "US", struct.pack("<H", rows))),
        ((0x0028, 0x0011), element(0x0028, 0x0011, "US", struct.pack("<H", columns))),
        *(
            ((0x0028, number), element(0x0028, number, "US", struct.pack("<H", value)))
            for number, value in ((0x0100, 16), (0x0101, 16), (0x0102, 15), (0x0103, 1))
        ),
        *(((0x0028, places[name][1]), element(*places[name], value)) for name, value in changed.items()),
    ]
    return b"".join(part for _, part in sorted(parts)) + element(0x7FE0, 0x0010, "OW", pixels)
