"""The design tokens as typed values (SCREENS.md 1): the one place where a colour comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKENS: Final = Path(__file__).resolve().parents[3] / "resources" / "tokens.json"

_LINEAR_BELOW: Final = 0.04045  # WCAG 2.2, relative luminance of sRGB


class Scheme(StrEnum):
    """Which set of colours. Reading is the viewer's, in both themes."""

    LIGHT = "light"
    DARK = "dark"
    READING = "reading"


class TextSize(StrEnum):
    """The steps of the type scale (SCREENS.md 1.3)."""

    CAPTION = "caption"
    BODY = "body"
    STRONG = "body_strong"
    SECTION = "section"
    TITLE = "title"
    DISPLAY = "display"
    PATIENT_BODY = "patient_body"
    PATIENT_TITLE = "patient_title"
    OVERLAY = "overlay"


@dataclass(frozen=True, slots=True)
class TextStyle:
    """One step of the scale.

    Attributes:
        px: height of the letters at 100 %, in device-independent pixels.
        line: distance of two lines, same unit.
        weight: 400, 500 or 600.
    """

    px: int
    line: int
    weight: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A foreground on a background that must be told apart, with the WCAG 2.2 ratio it needs."""

    foreground: str
    background: str
    needs: float


@cache
def _document() -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(TOKENS.read_text(encoding="utf-8"))
    return document


@cache
def colours(scheme: Scheme) -> Mapping[str, str]:
    """Return every colour of a scheme as ``#RRGGBB``; reading takes what it does not name from dark."""
    own: dict[str, str] = dict(_document()["color"][scheme.value])
    if scheme is not Scheme.READING:
        return {**own, "canvas": _document()["color"]["reading"]["canvas"]}
    raised = {"header": own["surface"], "rail": own["window"], "sunken": own["window"], "hover": own["raised"]}
    accent = {"focus": own["accent"], "link": own["accent"], "selected": own["raised"], "selected_text": own["text"]}
    return {**_document()["color"]["dark"], **raised, **accent, **own}


@cache
def text_style(size: TextSize) -> TextStyle:
    """Return one step of the type scale."""
    step = _document()["font"]["scale"][size.value]
    return TextStyle(step["px"], step["line"], step["weight"])


@cache
def length(name: str) -> int:
    """Return a size in pixels at 100 %, for example ``control`` or ``row``."""
    return int(_document()["size"][name])


@cache
def families() -> tuple[str, ...]:
    """Return the text family and its fallbacks, best first."""
    font = _document()["font"]
    return (font["family"], *font["fallback"])


@cache
def mono_family() -> str:
    """Return the family for ids, hashes and keys."""
    return str(_document()["font"]["mono"])


@cache
def text_scales() -> tuple[float, ...]:
    """Return the text sizes a person can choose, 1.0 first."""
    return tuple(_document()["font"]["user_scale"])


@cache
def timing(name: str) -> int:
    """Return a duration in the unit its name ends with, for example ``idle_lock_s``."""
    return int(_document()["timing"][name])


def pairs(scheme: Scheme) -> tuple[Pair, ...]:
    """Return every pair whose contrast the design promises."""
    stated: dict[str, dict[str, float]] = _document()["contrast"][scheme.value]
    split = ((name.split(" on "), promise["needs"]) for name, promise in stated.items())
    return tuple(Pair(names[0], names[1], needs) for names, needs in split)


def contrast(first: str, second: str) -> float:
    """Return the WCAG 2.2 contrast ratio of two ``#RRGGBB`` colours, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [part / 12.92 if part <= _LINEAR_BELOW else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
