"""Search every block for what must not be in one: identifiers and codes in every likely coding (ATTACKS.md A20, L5)."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

CODE_MIN: Final = 8
"""Shorter codes occur in random bytes by chance; they are looked for as whole JSON strings and after ``system|``."""


@dataclass(frozen=True, slots=True)
class Find:
    """Something that a block must not hold.

    Attributes:
        block: number of the block.
        what: the identifier or code.
        coding: in which form it was found.
    """

    block: int
    what: str
    coding: str


def scan(blocks: Iterable[bytes], identifiers: Iterable[str], codes: Iterable[str]) -> tuple[Find, ...]:
    """Return every trace of an identifier or code in ``blocks``; certificates and arguments are looked into, too.

    Args:
        blocks: as stored.
        identifiers: names, birth dates, numbers, UIDs, contacts, file names: looked for anywhere.
        codes: of categories, labels and terminologies.
    """
    needles = [
        (what, coding, needle)
        for what in sorted(set(identifiers) | {code for code in codes if len(code) >= CODE_MIN})
        for coding, needle in _forms(what)
    ]
    needles += [
        (code, coding, needle)
        for code in sorted({code for code in codes if len(code) < CODE_MIN})
        for coding, needle in _whole(code)
    ]
    return tuple(
        Find(number, what, coding)
        for number, block in enumerate(blocks)
        for haystack in _readings(block)
        for what, coding, needle in needles
        if needle in haystack
    )


def _readings(block: bytes) -> Iterator[bytes]:
    """Yield the block as stored, and what base64 members of it (certificates, keys) decode to."""
    yield block
    for part in block.replace(b"\\", b"").split(b'"'):
        if len(part) > 100 and len(part) % 4 == 0:  # noqa: PLR2004 -- keys and certificates; shorter ones are random
            try:
                yield base64.b64decode(part, validate=True)
            except ValueError:
                continue


def _forms(what: str) -> Iterator[tuple[str, bytes]]:
    raw = what.encode()
    yield "raw", raw
    yield "lower case", raw.lower()
    yield "hex", raw.hex().encode()
    escaped = what.encode("ascii", "backslashreplace")
    if escaped != raw:
        yield "escaped", escaped
    yield from _shifted("base64", raw, base64.b64encode, 3, 6)
    yield from _shifted("base32", raw, base64.b32encode, 5, 5)
    for name in ("sha256", "sha1"):
        digest = hashlib.new(name, raw, usedforsecurity=False).digest()
        yield name, digest.hex().encode()
        yield f"{name}, base64", base64.b64encode(digest).rstrip(b"=")
        yield f"{name}, base32", base64.b32encode(digest).rstrip(b"=").lower()


def _shifted(
    name: str, raw: bytes, encode: Callable[[bytes], bytes], group: int, bits: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the letters that stand for ``raw`` wherever it begins in a group, without those its neighbours decide."""
    for shift in range(group):
        core = encode(bytes(shift) + raw)[-(-shift * 8 // bits) : (shift + len(raw)) * 8 // bits]
        if len(core) >= CODE_MIN:
            yield f"{name} at {shift}", core
            yield f"{name} at {shift}, lower case", core.lower()


def _whole(code: str) -> Iterator[tuple[str, bytes]]:
    yield "a whole string", b'"' + code.encode() + b'"'
    yield "a whole string inside arguments", b'\\"' + code.encode() + b'\\"'
    yield "after a system", b"|" + code.encode()
