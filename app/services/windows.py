"""Image windows that a person saved: behind the keys 6 to 9 of the viewer, sealed for that person (SCREENS.md f)."""

import math
import threading
from dataclasses import dataclass
from typing import Final

from app.identity.keys import UnwrapError
from app.identity.private_files import ExposedFileError
from app.services.sealed_file import SealedFile
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError

KEYS: Final = range(6, 10)
"""Keys of own windows; 1 to 5 are the usual ones."""
NAME_MAX: Final = 24
PURPOSE: Final = "assent/windows/1"
"""Of the key that seals them."""
_WIDEST: Final = 1_000_000.0
_NARROWEST: Final = 0.001
_UNREADABLE: Final = (UnwrapError, ExposedFileError, ContractError, KeyError, TypeError, ValueError)


class WindowError(ValueError):
    """A window that no image can be shown with, or a name or key that cannot be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class OwnWindow:
    """A saved window.

    Attributes:
        key: 6 to 9.
        name: as the person called it.
        center: in modality values.
        width: same; greater than 0.
        unit: of the values (``Image.unit``); it is offered for images of that unit only.

    Raises:
        WindowError: one of them makes no sense.
    """

    key: int
    name: str
    center: float
    width: float
    unit: str

    def __post_init__(self) -> None:
        """Refuse what makes no sense, whether typed or read from a file."""
        if self.key not in KEYS:
            raise WindowError(f"Choose one of the keys {KEYS[0]} to {KEYS[-1]}.")
        if not self.name.strip() or not self.name.isprintable():
            raise WindowError("Give the window a name.")
        if len(self.name) > NAME_MAX:
            raise WindowError(f"The name has more than {NAME_MAX} characters.")
        if not (math.isfinite(self.center) and abs(self.center) <= _WIDEST):
            raise WindowError("The centre of this window is out of range.")
        if not (math.isfinite(self.width) and _NARROWEST <= self.width <= _WIDEST):
            raise WindowError("The width of this window is out of range.")


class OwnWindows:
    """One person's windows, at most one per key. A file that cannot be read is set aside; there are none then."""

    def __init__(self, file: SealedFile) -> None:
        self._file: Final = file
        self._turn: Final = threading.Lock()

    def read(self) -> tuple[OwnWindow, ...]:
        """Return them by key; blocks.

        Raises:
            LockedError: the person's key was wiped.
        """
        with self._turn:
            return _sorted(self._read())

    def save(self, window: OwnWindow) -> tuple[OwnWindow, ...]:
        """Keep a window in place of what its key had; return all; blocks."""
        with self._turn:
            return self._write({**self._read(), window.key: window})

    def remove(self, key: int) -> tuple[OwnWindow, ...]:
        """Forget the window of a key; return the others; blocks."""
        with self._turn:
            return self._write({at: each for at, each in self._read().items() if at != key})

    def _read(self) -> dict[int, OwnWindow]:
        try:
            raw = self._file.read()
            return {} if raw is None else _parse(raw)
        except _UNREADABLE:
            self._file.set_aside()
            return {}

    def _write(self, windows: dict[int, OwnWindow]) -> tuple[OwnWindow, ...]:
        self._file.write(encode({"v": 1, "windows": [_to_json(each) for each in _sorted(windows)]}))
        return _sorted(windows)


def _sorted(windows: dict[int, OwnWindow]) -> tuple[OwnWindow, ...]:
    return tuple(windows[key] for key in sorted(windows))


def _to_json(window: OwnWindow) -> dict[str, Json]:
    """Write numbers as text: canonical JSON has integers only."""
    return {
        "key": window.key,
        "name": window.name,
        "center": repr(window.center),
        "width": repr(window.width),
        "unit": window.unit,
    }


def _parse(raw: bytes) -> dict[int, OwnWindow]:
    value = decode_object(raw)
    windows = value["windows"]
    if value["v"] != 1 or not isinstance(windows, list):
        raise ValueError("another form")
    found = [_from_json(each) for each in windows]
    return {each.key: each for each in found}


def _from_json(value: Json) -> OwnWindow:
    if not isinstance(value, dict) or not isinstance(value["key"], int):
        raise TypeError("another form")
    numbers = float(str(value["center"])), float(str(value["width"]))
    return OwnWindow(value["key"], str(value["name"]), *numbers, unit=str(value["unit"]))
