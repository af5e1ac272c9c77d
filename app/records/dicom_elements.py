"""One DICOM data set, element by element, as files really state them: blanks, NaN and words where numbers belong.

Runs only in the reader's child.
"""

import datetime as dt
import io
import math
import re
from collections.abc import Iterable
from typing import Any, Final

from app.records.refusal import RefusedError

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
UID_LETTERS: Final = 64


class Header:
    """A data set whose absent elements cost nothing to ask for; most of those asked for are absent."""

    def __init__(self, ds: Any) -> None:
        from pydicom.datadict import tag_for_keyword

        self.dataset = ds
        self._tag_of = tag_for_keyword
        self._tags = frozenset(map(int, ds.keys()))

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return an element's value, or ``default`` if it is absent."""
        tag = self._tag_of(keyword)
        return self.dataset[tag].value if tag in self._tags else default

    def __contains__(self, keyword: str) -> bool:
        return self._tag_of(keyword) in self._tags


def read(untrusted: memoryview, *, stop_before_pixels: bool) -> Header:
    """Parse a surveyed file."""
    import pydicom

    return Header(pydicom.dcmread(io.BytesIO(untrusted), stop_before_pixels=stop_before_pixels))


def text_of(ds: Any, keyword: str) -> str:
    """Return an element as text without padding; empty if absent."""
    value = ds.get(keyword)
    return "" if value is None else str(value).strip(" \0")


def several(value: Any) -> list[Any]:
    """Return a value of any multiplicity as a list."""
    if value is None or isinstance(value, str | bytes):
        return [] if value is None else [value]
    return list(value) if isinstance(value, Iterable) else [value]


def number_of(value: Any) -> float | None:
    """Return a finite number or None; files write NaN, blanks and words where numbers belong."""
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def numbers_of(value: Any, count: int) -> list[float] | None:
    """Return exactly ``count`` finite numbers, or None."""
    numbers = [number for number in map(number_of, several(value)) if number is not None]
    return numbers if len(numbers) == count == len(several(value)) else None


def uid_of(ds: Any, keyword: str) -> str:
    """Return a valid UID.

    Raises:
        RefusedError: absent, or no UID (PS3.5 9.1).
    """
    uid = text_of(ds, keyword)
    if not _UID.fullmatch(uid) or len(uid) > UID_LETTERS:
        raise RefusedError(f"Its {keyword} is no valid UID. Ask for the file to be exported again.")
    return uid


def day_of(ds: Any, *keywords: str) -> str:
    """Return an ISO day as written; a DICOM date has no zone and is never shifted (CASES.md 9)."""
    for keyword in keywords:
        text = text_of(ds, keyword).replace(".", "")
        try:
            return dt.datetime.strptime(text, "%Y%m%d").date().isoformat()  # noqa: DTZ007  -- a day, no instant
        except ValueError:
            continue
    return ""
