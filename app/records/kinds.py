"""Which kind a file is, by its first bytes; a name that says otherwise is refused (HOSTILE.md 13)."""

from pathlib import PurePath
from typing import Final

from app.records.dicom_structure import is_dicom
from app.records.refusal import RefusedError

MEDIA_TYPES: Final = {
    "dicom": "application/dicom",
    "fhir": "application/fhir+json",
    "pdf": "application/pdf",
    "csv": "text/csv",
}
_EXTENSIONS: Final = {
    ".dcm": "dicom",
    ".dicom": "dicom",
    ".pdf": "pdf",
    ".json": "fhir",
    ".csv": "csv",
    ".tsv": "csv",
}
_TABLE_NAMES: Final = frozenset({".csv", ".tsv", ".txt", ".data", ""})
_WORDS: Final = {"dicom": "DICOM", "pdf": "a PDF", "fhir": "JSON", "csv": "a table"}
_FOREIGN: Final = (
    (b"PK\x03\x04", "a ZIP archive. Unpack it and import the folder"),
    (b"\x1f\x8b", "a compressed file. Unpack it and import what is inside"),
    (b"\x89PNG", "a PNG picture. Import the DICOM image or a PDF instead"),
    (b"\xff\xd8\xff", "a JPEG picture. Import the DICOM image or a PDF instead"),
    (b"\x7fELF", "a program. It is not opened"),
    (b"MZ", "a program. It is not opened"),
    (b"<", "XML or a web page. Export FHIR as JSON"),
)
_TEXT: Final = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D} | frozenset(range(0x80, 0x100))
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")


def kind_of(head: bytes, name: str) -> str:
    """Return dicom, fhir, pdf or csv.

    Args:
        head: the first bytes of the file.
        name: its path, for the extension only.

    Raises:
        RefusedError: of no kind that is taken, or of another kind than its name says.
    """
    kind = _by_content(head)
    said = _EXTENSIONS.get(PurePath(name).suffix.lower(), kind)
    if not kind:
        raise RefusedError(_foreign(head, said))
    if kind == said == "csv" and PurePath(name).suffix.lower() not in _TABLE_NAMES:
        raise RefusedError("It is text of an unknown kind. A table must be named .csv, .tsv or .txt.")
    if said != kind:
        raise RefusedError(
            f"Its name says {_WORDS[said]}, but it holds {_WORDS[kind]}. Rename it if that is what you want."
        )
    return kind


def _by_content(head: bytes) -> str:
    if is_dicom(head):
        return "dicom"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if any(head.startswith(mark) for mark, _ in _FOREIGN) or head.startswith(_WIDE):
        return ""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start in (b"{", b"["):
        return "fhir"
    return "csv" if start and _TEXT.issuperset(head) else ""


def _foreign(head: bytes, said: str) -> str:
    for mark, sentence in _FOREIGN:
        if head.startswith(mark):
            return f"It is {sentence}."
    if head.startswith(_WIDE):
        return "It is text in UTF-16. Save it as UTF-8."
    if said == "dicom":
        return "It is no DICOM file: the mark DICM is missing. Export it again as a DICOM Part 10 file."
    if said == "csv":
        return "It is empty, or holds bytes that are no text. Save it as CSV in UTF-8."
    return "It is none of DICOM, FHIR (JSON), PDF and CSV. Only these are imported."
