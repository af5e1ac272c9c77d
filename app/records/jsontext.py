"""Strict JSON for FHIR: numbers keep their digits, duplicates and extremes are refused (CASES.md 8, HOSTILE.md 18)."""

import decimal
import itertools
import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # json's own scanner, absent from its stubs
from typing import Any, Final, NoReturn

from app.records.refusal import RefusedError

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\x02\x02")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_LARGEST_EXPONENT: Final = 300
_DIGITS: Final = 400


class Number(str):
    """A JSON number as its text: 19, 19.0 and 0.00 stay what they are."""

    __slots__ = ()

    def shown(self) -> str:
        """Return the digits without exponent: 1.2E+2 is 120, 19.0 is 19.0."""
        return format(decimal.Decimal(self), "f") if "e" in self or "E" in self else str(self)

    def value(self) -> float:
        """Return the number, for bars and comparison only."""
        return float(self)


def text_of(untrusted: bytes, depth: int) -> str:
    """Return the text of JSON bytes that are UTF-8, without byte order mark, and not nested deeper than ``depth``.

    Raises:
        RefusedError: with what to do.
    """
    if untrusted.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise RefusedError("It begins with a byte order mark, which JSON does not have. Save it as UTF-8 without one.")
    try:
        text = untrusted.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"It is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    brackets = _STRING.sub(b"", untrusted).translate(_STEPS, _NOT_BRACKETS)
    deepest = max(itertools.accumulate(1 if step == 1 else -1 for step in brackets), default=0)
    if deepest > depth:
        raise RefusedError(f"It is nested {deepest} levels deep; at most {depth} are read. It is not opened.")
    return text


def parse(text: str) -> Any:
    """Return the value of JSON text.

    Raises:
        RefusedError: with line and column.
    """
    value, end = _value(text, _skip(text, 0))
    if _skip(text, end) != len(text):
        raise RefusedError(f"Something follows its end ({_place(text, end)}).")
    return value


def members(text: str, list_name: str) -> tuple[dict[str, Any], list[tuple[Any, int, int]]]:
    """Return an object's members, and for the array ``list_name`` each element with its place in the text.

    So a bundle can be split without writing any of its numbers again.

    Raises:
        RefusedError: not one JSON object.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise RefusedError("It is no JSON object. A FHIR resource or bundle is needed.")
    found: dict[str, Any] = {}
    elements: list[tuple[Any, int, int]] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        if found:
            at = _expect(text, at, ",")
        name, at = _name(text, at)
        if name in found:
            raise RefusedError(f"It has the member {name[:40]!r} twice. Only one of them can be meant; ask the sender.")
        at = _expect(text, at, ":")
        if name == list_name and text[at : at + 1] == "[":
            elements, at = _elements(text, at)
            found[name] = [element for element, _, _ in elements]
        else:
            found[name], at = _value(text, at)
        at = _skip(text, at)
    if _skip(text, at + 1) != len(text):
        raise RefusedError(f"Something follows its end ({_place(text, at + 1)}).")
    return found, elements


def _elements(text: str, at: int) -> tuple[list[tuple[Any, int, int]], int]:
    elements: list[tuple[Any, int, int]] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        if elements:
            at = _expect(text, at, ",")
        value, end = _value(text, at)
        elements.append((value, at, end))
        at = _skip(text, end)
    return elements, at + 1


def _name(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise RefusedError(f"It is no JSON ({_place(text, at)}).")
    try:
        name, end = scanstring(text, at + 1, True)  # noqa: FBT003  -- the library's own order
    except ValueError:
        raise RefusedError(f"It is no JSON ({_place(text, at)}).") from None
    return str(name), _skip(text, end)


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise RefusedError(f"It is no JSON ({_place(text, at)}).")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise RefusedError(f"It is no JSON ({_place(text, error.pos)}).") from None


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RefusedError(f"It has the member {twice[:40]!r} twice. Only one of them can be meant; ask the sender.")
    return value


def _number(text: str) -> Number:
    _, _, exponent = text.lower().partition("e")
    if len(text) > _DIGITS or (exponent and (len(exponent) > 5 or abs(int(exponent)) > _LARGEST_EXPONENT)):  # noqa: PLR2004 ("+0300")
        raise RefusedError(f"Its number {text[:40]} is too large to be a measurement. Ask the sender.")
    return Number(text)


def _refuse(text: str) -> NoReturn:
    raise RefusedError(f"It holds {text}, which is no JSON number. Ask the sender.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_refuse
)
