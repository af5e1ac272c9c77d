"""A bounded walk over DICOM's element structure, before any parser sees the file (PS3.5 7, FACTS.md "DICOM and FHIR").

Answers: is it DICOM, how deep is it nested, how far does it inflate, is it cut short, and where does its pixel data
    lie.
Pure Python, one loop, no recursion: depth and length are the file's choice, the stack is ours.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from app.records.limits import Limits
from app.records.refusal import RefusedError

PREAMBLE: Final = 128
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
IMPLICIT: Final = "1.2.840.10008.1.2"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_TRANSFER_SYNTAX: Final = 0x00020010
_META_GROUP: Final = 0x0002
_PROGRAMS: Final = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xce\xfa\xed\xfe", "a program"),
    (b"#!", "a script"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"<", "a web page"),
)


@dataclass(frozen=True, slots=True)
class Structure:
    """What the walk found.

    Attributes:
        transfer_syntax_uid: of the data set; empty if the file states none.
        pixels: offset and length of the pixel data's value in the file, or None (also when deflated).
        depth: deepest nesting of sequences.
        elements: how many data elements.
    """

    transfer_syntax_uid: str
    pixels: tuple[int, int] | None
    depth: int
    elements: int


@dataclass(slots=True)
class _Open:
    """A sequence or item that the walk is inside of; ``end`` is None if its length is undefined."""

    sequence: bool
    end: int | None
    implicit: bool


def is_dicom(head: bytes) -> bool:
    """Say whether a file's first 132 bytes carry DICOM's mark."""
    return head[PREAMBLE : PREAMBLE + 4] == b"DICM"


def survey(untrusted: memoryview, limits: Limits) -> Structure:
    """Walk a DICOM file within limits.

    Raises:
        RefusedError: no DICOM, hidden program, too deep, too many elements, inflates too far, cut short or malformed.
    """
    head = bytes(untrusted[: PREAMBLE + 4])
    if not is_dicom(head):
        raise RefusedError("It is no DICOM file: the mark DICM is missing. Export it again as a DICOM Part 10 file.")
    for mark, what in _PROGRAMS:
        if head.startswith(mark):
            raise RefusedError(
                f"It hides {what} in its first 128 bytes. It is not opened; ask the sender for a clean export."
            )
    syntax, start = _meta(untrusted, limits)
    if syntax == DEFLATED:
        inflated = _inflate(untrusted[start:], limits)
        found = _Walk(memoryview(inflated), 0, limits, implicit=False, little=True)
        found.run()
        return Structure(syntax, None, found.depth, found.elements)
    found = _Walk(untrusted, start, limits, implicit=syntax == IMPLICIT, little=syntax != BIG_ENDIAN)
    found.run()
    return Structure(syntax, found.pixels, found.depth, found.elements)


def _meta(untrusted: memoryview, limits: Limits) -> tuple[str, int]:
    """Read group 0002 (always explicit VR little endian) and return transfer syntax and where the data set begins."""
    walk = _Walk(untrusted, PREAMBLE + 4, limits, implicit=False, little=True, stop_after_group=_META_GROUP)
    walk.run()
    if not walk.transfer_syntax:
        raise RefusedError(
            "It does not say how it is encoded (no Transfer Syntax UID). Export it again from the sending system."
        )
    return walk.transfer_syntax, walk.position


def _inflate(deflated: memoryview, limits: Limits) -> bytes:
    most = min(limits.inflated_bytes, limits.inflation * max(len(deflated), 4096))
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = machine.decompress(deflated, most + 1)
    except zlib.error:
        raise RefusedError("Its compressed part is damaged. Ask for the file to be exported again.") from None
    if len(inflated) > most:
        raise RefusedError(
            f"Its compressed part unpacks to more than {most >> 20} MiB from {len(deflated) >> 10} KiB: "
            "it is made to fill memory. It is not opened."
        )
    return inflated


class _Walk:
    """One pass over elements; sequences are entered, values are skipped."""

    def __init__(
        self,
        view: memoryview,
        position: int,
        limits: Limits,
        *,
        implicit: bool,
        little: bool,
        stop_after_group: int | None = None,
    ) -> None:
        self._view = view
        self.position = position
        self._limits = limits
        self._implicit = implicit
        self._tag = struct.Struct("<HH" if little else ">HH")
        self._short = struct.Struct("<H" if little else ">H")
        self._length = struct.Struct("<I" if little else ">I")
        self._group = stop_after_group
        self._open: list[_Open] = []
        self.transfer_syntax = ""
        self.pixels: tuple[int, int] | None = None
        self.depth = 0
        self.elements = 0

    def run(self) -> None:
        while True:
            self._close_finished()
            left = len(self._view) - self.position
            if left < 8:  # noqa: PLR2004 (an item's tag and length)  -- shorter than any element
                if any(self._view[self.position :]) or any(level.end is not None for level in self._open):
                    raise RefusedError("It is cut short. Ask for the file to be sent again.")
                return
            group, element = self._tag.unpack_from(self._view, self.position)
            if self._group is not None and group != self._group:
                return
            self._step(group << 16 | element)

    def _close_finished(self) -> None:
        while self._open and (end := self._open[-1].end) is not None and end <= self.position:
            if end < self.position:
                raise RefusedError(
                    "A part of it reaches beyond the part that holds it. Ask for the file to be exported again."
                )
            self._open.pop()

    def _step(self, tag: int) -> None:
        if tag in (_ITEM, _ITEM_END, _SEQUENCE_END):
            self._delimiter(tag)
            return
        if self._open and self._open[-1].sequence:
            raise self._malformed(tag)
        self.elements += 1
        if self.elements > self._limits.elements:
            raise RefusedError(f"It has more than {self._limits.elements:,} data elements; it is made to be slow.")
        implicit = self._open[-1].implicit if self._open else self._implicit
        vr, length, value = self._header(tag, implicit=implicit)
        if tag in PIXEL_TAGS and not self._open:
            self._pixels(value, length)
        elif length == _UNDEFINED or vr == b"SQ" or (implicit and self._looks_like_items(value, length)):
            self._enter(tag, vr, length, value, implicit=implicit or (vr == b"UN" and length == _UNDEFINED))
        else:
            self._skip(tag, value, length)
            if tag == _TRANSFER_SYNTAX:
                self.transfer_syntax = (
                    bytes(self._view[value : value + length]).rstrip(b"\0 ").decode("ascii", "replace")
                )

    def _header(self, tag: int, *, implicit: bool) -> tuple[bytes, int, int]:
        at = self.position + 4
        if implicit:
            return b"", self._length.unpack_from(self._view, at)[0], at + 4
        vr = bytes(self._view[at : at + 2])
        if not (vr.isalpha() and vr.isupper()):
            raise self._malformed(tag)
        if vr not in _LONG:
            return vr, self._short.unpack_from(self._view, at + 2)[0], at + 4
        if at + 8 > len(self._view):
            raise self._short_of(tag)
        return vr, self._length.unpack_from(self._view, at + 4)[0], at + 8

    def _delimiter(self, tag: int) -> None:
        length = self._length.unpack_from(self._view, self.position + 4)[0]
        top = self._open[-1] if self._open else None
        self.position += 8
        if tag == _ITEM and top is not None and top.sequence:
            end = None if length == _UNDEFINED else self.position + length
            if end is not None and end > len(self._view):
                raise self._short_of(tag)
            self._open.append(_Open(sequence=False, end=end, implicit=top.implicit))
        elif top is not None and top.end is None and top.sequence == (tag == _SEQUENCE_END) and tag != _ITEM:
            self._open.pop()
        else:
            raise self._malformed(tag)

    def _enter(self, tag: int, vr: bytes, length: int, value: int, *, implicit: bool) -> None:
        if vr not in (b"SQ", b"UN", b""):
            raise self._malformed(tag)
        depth = sum(level.sequence for level in self._open) + 1
        if depth > self._limits.depth:
            raise RefusedError(f"It is nested more than {self._limits.depth} levels deep. It is not opened.")
        self.depth = max(self.depth, depth)
        end = None if length == _UNDEFINED else value + length
        if end is not None and end > len(self._view):
            raise self._short_of(tag)
        self._open.append(_Open(sequence=True, end=end, implicit=implicit))
        self.position = value

    def _pixels(self, value: int, length: int) -> None:
        if length != _UNDEFINED:
            self._skip(0x7FE00010, value, length)
            self.pixels = (value, length)
            return
        self.position = value
        while True:
            if self.position + 8 > len(self._view):
                raise self._short_of(0x7FE00010)
            group, element = self._tag.unpack_from(self._view, self.position)
            size = self._length.unpack_from(self._view, self.position + 4)[0]
            tag = group << 16 | element
            self.position += 8
            if tag == _SEQUENCE_END:
                self.pixels = (value, self.position - value)
                return
            if tag != _ITEM or size == _UNDEFINED:
                raise self._malformed(tag)
            self._skip(0x7FE00010, self.position, size)

    def _looks_like_items(self, value: int, length: int) -> bool:
        """Implicit VR names no type: a value that begins with an item is a sequence."""
        fits = length >= 8 and value + 8 <= len(self._view)  # noqa: PLR2004 (an item's tag and length)
        return fits and self._tag.unpack_from(self._view, value) == (0xFFFE, 0xE000)

    def _skip(self, tag: int, value: int, length: int) -> None:
        self.position = value + length
        if self.position > len(self._view):
            raise self._short_of(tag)

    def _malformed(self, tag: int) -> RefusedError:
        return RefusedError(
            f"Its element ({tag >> 16:04x},{tag & 0xFFFF:04x}) is malformed. Ask for the file to be exported again."
        )

    def _short_of(self, tag: int) -> RefusedError:
        return RefusedError(
            f"It is cut short inside element ({tag >> 16:04x},{tag & 0xFFFF:04x}). Ask for the file to be sent again."
        )
