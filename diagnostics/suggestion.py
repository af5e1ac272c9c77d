"""A suggestion is an answer that may be "uncertain", with everything that moved it; or none, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnostics.applicability import Declined, Reason, read_values
from diagnostics.conformal import Zones, zones
from diagnostics.model import Model, ModelError, hash_of, load_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Contribution",
    "Declined",
    "KnownCase",
    "Model",
    "ModelError",
    "Reason",
    "Suggestion",
    "hash_of",
    "load_model",
    "suggest",
]

NEAREST = 3
DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one value moved the log-odds of malignancy from the start, and in which direction."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A training case that resembles this one.

    Attributes:
        label: what it turned out to be, ``malignant`` or ``benign``.
        distance: Euclidean, in training standard deviations of each feature.
        differs: the features that differ most, the largest difference first.
    """

    label: str
    distance: float
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the model says about one case.

    Attributes:
        label: ``malignant`` or ``benign`` if the other is ruled out at the level; "" where neither is: uncertain, a
            second reader is needed.
        probability: calibrated probability of malignancy.
        level: the level of the conformal zones.
        zones: where the answers change, on the scale of the probability.
        start: log-odds of a case in which nothing moves the result.
        contributions: by size, the largest first; with ``start`` they add up to ``log_odds``.
        log_odds: of malignancy, before calibration.
        nearest: the most similar training cases, the nearest first; not this case itself.
    """

    model_hash: str
    label: str
    probability: float
    level: float
    zones: Zones
    start: float
    contributions: tuple[Contribution, ...]
    log_odds: float
    nearest: tuple[KnownCase, ...]

    @property
    def is_certain(self) -> bool:
        """Whether exactly one answer remains."""
        return bool(self.label)


def suggest(model: Model, kind: str, values: Mapping[str, object], level: float = 0.98) -> Suggestion | Declined:
    """Judge one case.

    Args:
        model: verified and approved.
        kind: the category of the record that the values come from.
        values: one value per feature name, numbers or the texts of a table.
        level: the site's limit: of each class, the share that must not be ruled out wrongly.
    """
    numbers = read_values(model, kind, values)
    if isinstance(numbers, Declined):
        return numbers
    row = np.array([numbers], dtype=np.float64)
    contributions, log_odds, probability = model.session.run(["contributions", "log_odds", "probability"], {"X": row})
    borders = zones(model.malignant, model.benign, level)
    remaining = borders.remaining(float(probability[0]))
    return Suggestion(
        model_hash=model.model_hash,
        label=next(iter(remaining)) if len(remaining) == 1 else "",
        probability=float(probability[0]),
        level=level,
        zones=borders,
        start=model.start,
        contributions=_sorted(model, numbers, contributions[0]),
        log_odds=float(log_odds[0]),
        nearest=_nearest(model, row[0]),
    )


def _sorted(model: Model, numbers: Sequence[float], weights: NDArray[np.float64]) -> tuple[Contribution, ...]:
    parts = [
        Contribution(feature.name, number, float(weight))
        for feature, number, weight in zip(model.features, numbers, weights, strict=True)
    ]
    return tuple(sorted(parts, key=lambda part: -abs(part.weight)))


def _nearest(model: Model, row: NDArray[np.float64]) -> tuple[KnownCase, ...]:
    spread = np.array([feature.spread for feature in model.features])
    differences = (model.cases[:, :-1] - row) / spread
    distances = np.sqrt((differences**2).sum(axis=1))
    others = [int(index) for index in np.argsort(distances, kind="stable") if distances[index] > 0][:NEAREST]
    return tuple(
        KnownCase(
            label="malignant" if model.cases[index, -1] else "benign",
            distance=float(distances[index]),
            differs=tuple(model.features[column].name for column in np.argsort(-abs(differences[index]))[:DIFFERENCES]),
        )
        for index in others
    )
