"""Canonical JSON: one value has one encoding, so what is hashed or signed compares byte for byte (PROTOCOL.md C0)."""

import json
import re
from typing import Final, NoReturn

from ledger.contract.errors import ContractError

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
LIMIT: Final = 2**53 - 1
MAX_DEPTH: Final = 8
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")


def encode(value: object) -> bytes:
    """Return the canonical bytes of ``value``.

    Sorted keys, no white space, ASCII, integers within ±(2^53-1), depth ≤ 8.

    Raises:
        ContractError: ``malformed``; the value has no canonical form.
    """
    _check(value)
    return _ENCODER.encode(value).encode("ascii")


def decode(raw: bytes) -> Json:
    """Return the value of canonical bytes.

    Raises:
        ContractError: ``malformed``; the bytes are not exactly what ``encode`` would give for their value.
    """
    try:
        value: Json = _DECODER.decode(raw.decode("ascii"))
    except (ValueError, RecursionError):
        raise ContractError("malformed", "not canonical JSON") from None
    if encode(value) != raw:
        raise ContractError("malformed", "not canonical JSON")
    return value


def load(raw: bytes) -> dict[str, Json]:
    """Return a value that this contract itself wrote to the world state; its bytes are canonical by construction."""
    value: dict[str, Json] = json.loads(raw)
    return value


def decode_object(raw: bytes) -> dict[str, Json]:
    """Return canonical bytes that must hold one object.

    Raises:
        ContractError: ``malformed``.
    """
    value = decode(raw)
    if not isinstance(value, dict):
        raise ContractError("malformed", "an object is needed")
    return value


def _check(value: object) -> None:
    """Walk without recursion: depth is the input's choice, the stack is ours."""
    pending: list[tuple[object, int]] = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, str | bool) or item is None:
            if isinstance(item, str) and not item.isascii() and _SURROGATE.search(item):
                raise ContractError("malformed", "a lone surrogate is no character")
        elif isinstance(item, int):
            if not -LIMIT <= item <= LIMIT:
                raise ContractError("malformed", "integer out of range")
        elif not isinstance(item, list | dict):
            raise ContractError("malformed", f"no canonical form for {type(item).__name__}")
        elif depth > MAX_DEPTH:
            raise ContractError("malformed", "nested too deep")
        elif isinstance(item, dict):
            pending += [(name, depth + 1) for name in item]
            pending += [(member, depth + 1) for member in item.values()]
            if not all(isinstance(name, str) for name in item):
                raise ContractError("malformed", "member names are strings")
        else:
            pending += [(member, depth + 1) for member in item]


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate member")
    return value


_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
_DECODER: Final = json.JSONDecoder(
    parse_float=_refuse, parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_object
)
"""Made once: making them costs as much as a small value does."""
