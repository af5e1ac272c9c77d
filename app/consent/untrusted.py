"""Reading JSON text that somebody else wrote: one meaning, or none."""

import json
from typing import NoReturn, final

from ledger.contract.canonical import Json


class ReadingError(Exception):
    """The text is not one JSON object that all parsers read alike."""


@final
class DuplicateKeyError(ReadingError):
    """A member occurs twice; parsers disagree about which one counts."""


def read_json(untrusted_text: str) -> dict[str, Json]:
    """Return the object that ``untrusted_text`` holds.

    Raises:
        DuplicateKeyError: a member occurs twice, at any depth.
        ReadingError: it is not JSON, not an object, nested too deep to read, or holds a lone surrogate.
    """
    try:
        value = json.loads(untrusted_text, object_pairs_hook=_members, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ReadingError("not JSON") from None
    if not isinstance(value, dict):
        raise ReadingError("not an object")
    return value


def has_member(value: Json, name: str) -> bool:
    """Tell whether ``name`` is a member of any object within ``value``."""
    pending: list[Json] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if name in item:
                return True
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return False


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise DuplicateKeyError("a member occurs twice")
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
