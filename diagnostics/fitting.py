"""Fit the breast cytology model: standardised features, logistic regression (L2), calibration, conformal scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Candidates for C, the inverse strength of the penalty; chosen by the log-loss of inner folds."""

INNER_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model in numbers. Probability of malignancy = sigmoid(slope * log-odds + offset).

    Attributes:
        estimator: the scikit-learn object, for storage.
        C: the chosen inverse strength.
        mean, scale, coefficients: per feature.
        intercept: log-odds where every feature is at its mean.
        malignant, benign: calibrated probabilities of the inner folds' test cases, sorted.
    """

    estimator: CalibratedClassifierCV
    C: float
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: float
    slope: float
    offset: float
    malignant: tuple[float, ...]
    benign: tuple[float, ...]

    def probability(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probability of malignancy per row."""
        log_odds = ((X - self.mean) / self.scale) @ self.coefficients + self.intercept
        return _sigmoid(self.slope * log_odds + self.offset)


def fit(X: NDArray[np.float64], y: NDArray[np.int64], random_state: int) -> Fitted:
    """Choose the penalty, fit on all cases, and calibrate (Platt) on the inner folds' test cases.

    Args:
        X: cases, one row each.
        y: 1 for malignant.
        random_state: draws the inner folds; the rest is deterministic.
    """
    folds = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=random_state)
    scores = {C: cross_val_predict(_pipeline(C), X, y, cv=folds, method="decision_function") for C in STRENGTHS}
    C = min(STRENGTHS, key=lambda strength: log_loss(y, _sigmoid(scores[strength])))
    estimator = CalibratedClassifierCV(_pipeline(C), method="sigmoid", cv=folds, ensemble=False).fit(X, y)
    calibrated = estimator.calibrated_classifiers_[0]
    platt = calibrated.calibrators[0]
    scaler, regression = calibrated.estimator.named_steps.values()
    slope, offset = -float(platt.a_), -float(platt.b_)
    out_of_sample = _sigmoid(slope * scores[C] + offset)
    return Fitted(
        estimator=estimator,
        C=C,
        mean=scaler.mean_,
        scale=scaler.scale_,
        coefficients=regression.coef_[0],
        intercept=float(regression.intercept_[0]),
        slope=slope,
        offset=offset,
        malignant=tuple(np.sort(out_of_sample[y == 1]).tolist()),
        benign=tuple(np.sort(out_of_sample[y == 0]).tolist()),
    )


def _pipeline(C: float) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression(C=C, max_iter=5000, tol=1e-8))])


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))
