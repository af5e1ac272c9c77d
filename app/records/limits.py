"""What a file may cost before and while it is read (FACTS.md "DICOM and FHIR", ATTACKS.md A24 and A40)."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20
GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds; bytes, seconds or counts.

    Attributes:
        object_bytes: largest file; age objects above it are refused at import (A24).
        text_bytes: largest FHIR or CSV file.
        memory_bytes: address space a reader may add to its start, besides input and output.
        output_bytes: largest answer of one reader call.
        seconds: wall time of one call; CPU time is limited to twice this.
        depth: nesting of DICOM sequences and of JSON.
        inflation: most bytes out per byte in of a deflated data set.
        inflated_bytes: most bytes out of a deflated data set.
        elements: DICOM data elements of one file.
        entries: resources of one bundle.
        columns: columns of a table.
        rows: rows of a table.
        pages: pages of a document.
        files: files of one import.
    """

    object_bytes: int = 2 * GIB
    text_bytes: int = 256 * MIB
    memory_bytes: int = 768 * MIB
    output_bytes: int = 2 * GIB
    seconds: float = 30.0
    depth: int = 32
    inflation: int = 200
    inflated_bytes: int = 512 * MIB
    elements: int = 2_000_000
    entries: int = 50_000
    columns: int = 1_000
    rows: int = 100_000
    pages: int = 2_000
    files: int = 100_000
