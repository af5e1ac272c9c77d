"""Hostile files, made here: what HOSTILE.md 1 to 20 lists, as bytes. Nothing of it comes from the network."""

import json
import struct
import zlib
from typing import Any

from app.records.phantom import document_pdf
from tests.support.records import ALMA, element, identified, part10, picture

UNDEFINED = 0xFFFFFFFF
JPEG_2000 = "1.2.840.10008.1.2.4.90"
DEFLATED = "1.2.840.10008.1.2.1.99"


def image(**changed: bytes) -> bytes:
    """Return a good two by two picture as a DICOM file; ``changed`` adds DS values."""
    return part10(identified() + picture(struct.pack("<4h", 0, 100, 200, 300), 2, 2, **changed))


def with_preamble(start: bytes) -> bytes:
    """Return a good picture whose 128 free bytes begin with another kind's mark."""
    return part10(identified() + picture(bytes(8), 2, 2), preamble=start)


def deflate_bomb(megabytes: int = 400) -> bytes:
    """Return a deflated data set of some hundred kB that inflates to ``megabytes``."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = machine.compress(identified() + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, megabytes << 20))
    body = b"".join(machine.compress(bytes(1 << 20)) for _ in range(megabytes))
    return part10(head + body + machine.flush(), syntax=DEFLATED)


def nested(depth: int) -> bytes:
    """Return a data set of sequences inside sequences, all of undefined length."""
    begin = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, UNDEFINED) + struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return part10(identified() + begin * depth + end * depth)


def huge_codestream() -> bytes:
    """Return a small picture whose JPEG 2000 stream claims 10^12 pixels."""
    side = 1_000_000
    size = struct.pack(">HHHIIIIIIIIHBBB", 0xFF51, 41, 0, side, side, 0, 0, side, side, 0, 0, 1, 15, 1, 1)
    stream = b"\xff\x4f" + size + bytes(40)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(stream)) + stream
    fragments = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    described = picture(b"", 2, 2)[:-12]
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED) + fragments
    return part10(identified() + described + pixels, syntax=JPEG_2000)


def huge_picture() -> bytes:
    """Return a header that promises 60000 by 60000 pixels in 1000 frames."""
    return part10(identified() + picture(bytes(8), 60_000, 60_000, NumberOfFrames=b"1000"))


def truncated() -> bytes:
    """Return a picture cut in its pixels."""
    return image()[:-3]


def many_elements(count: int) -> bytes:
    """Return a data set of very many empty elements."""
    return part10(identified() + element(0x0021, 0x1001, "LO", b"") * count)


def sequence_beyond_its_parent() -> bytes:
    """Return an item that is longer than the sequence that holds it."""
    inner = element(0x0008, 0x0100, "SH", b"ABCD")
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    return part10(identified() + struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, len(item) - 4) + item + bytes(20))


def directory(*paths: str) -> bytes:
    """Return a DICOMDIR that points to other files, also outside its folder."""
    names = "\\".join(paths).encode()
    record = element(0x0004, 0x1430, "CS", b"IMAGE") + element(0x0004, 0x1500, "CS", names)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(record)) + record
    content = element(0x0008, 0x0016, "UI", b"1.2.840.10008.1.3.10")
    return part10(content + struct.pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, len(item)) + item)


def resource(kind: str = "Observation", **content: Any) -> dict[str, Any]:
    """Return a small good resource of alma's."""
    base: dict[str, Any] = {"resourceType": kind, "id": f"{kind.lower()}-1"}
    if kind == "Observation":
        base |= {"status": "final", "code": {"text": "Glucose"}, "effectiveDateTime": "2026-11-10"}
    return base | content


def bundle(*resources: dict[str, Any], **content: Any) -> bytes:
    """Return a bundle of resources as JSON."""
    entries = [{"resource": item} for item in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries, **content}).encode()


def nested_json(depth: int) -> bytes:
    """Return a resource with arrays inside arrays."""
    return b'{"resourceType":"Basic","x":' + b"[" * depth + b"]" * depth + b"}"


def active_pdf() -> bytes:
    """Return a PDF that wants to run a script and to start a program when it is opened."""
    action = (
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert(1)) >> "
        b"/AA << /WC << /S /Launch /F (calc.exe) >> >> >>"
    )
    return document_pdf(ALMA, "2026-11-10").replace(b"<< /Type /Catalog /Pages 2 0 R >>", action)


def looping_pdf() -> bytes:
    """Return a PDF whose tree of pages holds itself."""
    return document_pdf(ALMA, "2026-11-10").replace(b"/Kids [4 0 R 6 0 R]", b"/Kids [2 0 R 2 0 R]")
