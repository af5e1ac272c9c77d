"""When a model must not answer: another kind of record, or values that it has no experience with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnostics.model import Feature, Model


class Reason(StrEnum):
    """Why there is no suggestion."""

    OTHER_KIND = "other-kind"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    NOT_A_NUMBER = "not-a-number"
    OUT_OF_RANGE = "out-of-range"


@dataclass(frozen=True, slots=True)
class Declined:
    """No suggestion, and why.

    Attributes:
        reason: the rule.
        fields: the values concerned, by name; for another kind, that kind.
        sentence: the same for a reader.
    """

    reason: Reason
    fields: tuple[str, ...]
    sentence: str


def read_values(model: Model, kind: str, values: Mapping[str, object]) -> list[float] | Declined:
    """The values in the model's order as numbers, or why the model must not judge them.

    Values are numbers, or texts that a table holds; anything that is not finite is no number.
    """
    if kind != model.kind:
        return Declined(Reason.OTHER_KIND, (kind,), f"This is a {kind} record; the model reads {model.kind}.")
    names = [feature.name for feature in model.features]
    if missing := tuple(name for name in names if values.get(name) in (None, "")):
        return Declined(Reason.MISSING, missing, f"{_listed(missing)} {_is(missing)} missing.")
    if unexpected := tuple(sorted(set(values) - set(names))):
        return Declined(Reason.UNEXPECTED, unexpected, f"The model does not know {_listed(unexpected)}.")
    numbers = {name: _number(values[name]) for name in names}
    if wrong := tuple(name for name, number in numbers.items() if number is None):
        return Declined(Reason.NOT_A_NUMBER, wrong, f"{_listed(wrong)} {_is(wrong)} not a number.")
    known = [number for number in numbers.values() if number is not None]
    outside = [
        (feature, number)
        for feature, number in zip(model.features, known, strict=True)
        if not _is_known(feature, number, model.margin)
    ]
    if outside:
        return Declined(Reason.OUT_OF_RANGE, tuple(feature.name for feature, _ in outside), _outside(outside))
    return known


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_known(feature: Feature, number: float, margin: float) -> bool:
    """Inside the training range and its margin; no value of this model is negative in nature."""
    room = margin * (feature.highest - feature.lowest)
    return max(0.0, feature.lowest - room) <= number <= feature.highest + room


def _outside(found: list[tuple[Feature, float]]) -> str:
    feature, number = found[0]
    more = f" So {_is(found[1:])} {_listed(tuple(other.name for other, _ in found[1:]))}." if len(found) > 1 else ""
    known = f"({feature.lowest:.4g} to {feature.highest:.4g})"
    return f"{feature.name.capitalize()} {number:g} is outside what the model knows {known}.{more}"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _is(several: tuple[object, ...] | list[tuple[Feature, float]]) -> str:
    return "is" if len(several) == 1 else "are"
