"""How uploaded files are read; the records room does it, wiring joins them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.custodian.results import ImportFile
from app.records.imported import ImportRecord


@dataclass(frozen=True, slots=True)
class FileFinding:
    """What one file is.

    Attributes:
        name: as it was sent.
        kind: dicom, fhir, pdf, csv, or empty.
        reason: why it is refused, or empty.
    """

    name: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an upload holds.

    Attributes:
        findings: one per file.
        records: of the accepted files; ``paths`` are names of files.
    """

    findings: tuple[FileFinding, ...]
    records: tuple[ImportRecord, ...]


class Importer(Protocol):
    """Reads untrusted files in a confined child."""

    def read(self, files: Sequence[ImportFile]) -> Reading:
        """Return what the files hold; never raises for a file's content."""
