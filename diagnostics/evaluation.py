"""What the model is worth, measured on cases that no choice has seen: nested cross-validation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from diagnostics.conformal import EVEN, zones
from diagnostics.fitting import fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = (0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a level costs, in shares.

    Attributes:
        missed: of the malignant cases, those called benign.
        false_alarms: of the benign cases, those called malignant.
        deferred: of all cases, those left to a second reader.
    """

    level: float
    missed: float
    false_alarms: float
    deferred: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of the outer cross-validation; thresholds at a probability of one half."""

    accuracy: float
    auc: float
    brier: float
    log_loss: float
    sensitivity: float
    specificity: float
    wrongly_declined: float
    frontier: tuple[Frontier, ...]


def evaluate(X: NDArray[np.float64], y: NDArray[np.int64], folds: int, random_state: int, margin: float) -> Figures:
    """Evaluate the whole procedure, choices and calibration included, on each fold by a model that never saw it.

    Args:
        X: cases, one row each.
        y: 1 for malignant.
        folds: outer folds.
        random_state: draws them.
        margin: of the range check, to count the true cases that it declines.
    """
    probability = np.empty(len(y))
    declined = np.zeros(len(y), dtype=bool)
    answers = {level: np.empty(len(y), dtype=object) for level in LEVELS}
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=random_state).split(X, y):
        fitted = fit(X[train], y[train], random_state)
        probability[test] = fitted.probability(X[test])
        lowest, highest = X[train].min(axis=0), X[train].max(axis=0)
        room = margin * (highest - lowest)
        declined[test] = ((X[test] < np.maximum(0, lowest - room)) | (X[test] > highest + room)).any(axis=1)
        for level in LEVELS:
            borders = zones(fitted.malignant, fitted.benign, level)
            answers[level][test] = [borders.remaining(float(one)) for one in probability[test]]
    called = probability >= EVEN
    return Figures(
        accuracy=float((called == y).mean()),
        auc=float(roc_auc_score(y, probability)),
        brier=float(brier_score_loss(y, probability)),
        log_loss=float(log_loss(y, probability)),
        sensitivity=float(called[y == 1].mean()),
        specificity=float((~called)[y == 0].mean()),
        wrongly_declined=float(declined.mean()),
        frontier=tuple(_frontier(level, answers[level], y) for level in LEVELS),
    )


def report(figures: list[Figures]) -> dict[str, object]:
    """The means over the repeats and each repeat, as plain values for JSON."""
    single = ("accuracy", "auc", "brier", "log_loss", "sensitivity", "specificity", "wrongly_declined")
    shares = ("missed", "false_alarms", "deferred")
    frontier = [
        {"level": level, **{name: _mean([getattr(one.frontier[index], name) for one in figures]) for name in shares}}
        for index, level in enumerate(LEVELS)
    ]
    return {
        "mean": {**{name: _mean([getattr(one, name) for one in figures]) for name in single}, "frontier": frontier},
        "repeats": [asdict(one) for one in figures],
    }


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _frontier(level: float, answers: NDArray[np.object_], y: NDArray[np.int64]) -> Frontier:
    only = {label: np.array([answer == frozenset({label}) for answer in answers]) for label in ("malignant", "benign")}
    return Frontier(
        level=level,
        missed=float(only["benign"][y == 1].mean()),
        false_alarms=float(only["malignant"][y == 0].mean()),
        deferred=float((~only["malignant"] & ~only["benign"]).mean()),
    )
