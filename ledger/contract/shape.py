"""What arguments must look like, declared once per transaction: every member known, every value of its form.

A shape answers whether a decoded value fits. Shapes nest as deep as they are declared, never as deep as the input.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from ledger.contract.canonical import Json
from ledger.contract.errors import ContractError

Fields = dict[str, Any]
"""An object whose members a shape has checked, or which the contract itself wrote."""

Shape = Callable[[object], bool]
Form = Mapping[str, Shape]
"""The members of an object: exactly these, each of its shape."""


def check(value: Mapping[str, Json], form: Form) -> Fields:
    """Return ``value`` once it has exactly the members of ``form``.

    Raises:
        ContractError: ``malformed``; the detail names the first member that does not fit.
    """
    for name in sorted(value.keys() ^ form.keys()):
        raise ContractError("malformed", f"{'missing' if name in form else 'unknown'}: {name[:64]}")
    for name, fits in form.items():
        if not fits(value[name]):
            raise ContractError("malformed", name)
    return dict(value)


def text(pattern: str) -> Shape:
    """Return the shape of a string that ``pattern`` matches whole."""
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def optional(shape: Shape) -> Shape:
    """Return the shape of a string that may be empty: "" means there is none."""
    return lambda value: value == "" or shape(value)


def one_of(*values: str) -> Shape:
    """Return the shape of one of these strings."""
    return lambda value: isinstance(value, str) and value in values


def integer(least: int, most: int = 2**53 - 1) -> Shape:
    """Return the shape of an integer from ``least`` to ``most``; a boolean is none."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def listed(shape: Shape, most: int, *, least: int = 0) -> Shape:
    """Return the shape of a list of at least ``least`` and at most ``most`` values."""
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(shape, value))


def ascending(shape: Shape, most: int) -> Shape:
    """Return the shape of a list of strings, sorted and unique (DECISION.md 2)."""
    plain = listed(shape, most)
    return lambda value: isinstance(value, list) and plain(value) and all(a < b for a, b in pairwise(value))


def members(form: Form) -> Shape:
    """Return the shape of a nested object with exactly the members of ``form``."""

    def fits(value: object) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() == form.keys()
            and all(shape(value[name]) for name, shape in form.items())
        )

    return fits


def is_flag(value: object) -> bool:
    """Tell whether ``value`` is true or false."""
    return isinstance(value, bool)


def is_object(value: object) -> bool:
    """Tell whether ``value`` is an object; its members are for the rule to check."""
    return isinstance(value, dict)


def is_list(value: object) -> bool:
    """Tell whether ``value`` is a list; its values are for the rule to check."""
    return isinstance(value, list)


PART: Final = text(r"[A-Za-z0-9.-]{1,64}")
"""A part of a key: an id, a subject, an msp_id (A39)."""
HASH: Final = text(r"[0-9a-f]{64}")
"""A hash or a commitment."""
SPKI: Final = text(r"(?:[A-Za-z0-9+/]{4}){10,256}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
"""A public key: SubjectPublicKeyInfo DER, base64."""
ENDPOINT: Final = text(r"[!-~]{0,256}")
"""Where a custodian listens; empty while it is in process."""
TIME: Final = integer(0)
"""Seconds UTC."""
