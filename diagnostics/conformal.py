"""Which diagnoses can be ruled out at a level: class-conditional (Mondrian) conformal prediction.

For each class apart, of new cases of that class at most 1 - level are wrongly ruled out on average, however good or bad
the model is, as long as they come from where the calibration cases came from (Vovk, Gammerman, Shafer, "Algorithmic
Learning in a Random World", 4.6). That a whole class may not be missed is why the classes are not pooled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EVEN = 0.5
"""The probability that speaks for neither class."""


@dataclass(frozen=True, slots=True)
class Zones:
    """The probabilities of malignancy that separate the answers.

    Attributes:
        malignant_from: from here on, malignant cannot be ruled out.
        benign_to: up to here, benign cannot be ruled out.
    """

    malignant_from: float
    benign_to: float

    def remaining(self, probability: float) -> frozenset[str]:
        """The classes that cannot be ruled out at this probability of malignancy; both is "uncertain"."""
        return frozenset(
            label
            for label, kept in (
                ("malignant", probability >= self.malignant_from),
                ("benign", probability <= self.benign_to),
            )
            if kept
        )


def zones(malignant: Sequence[float], benign: Sequence[float], level: float) -> Zones:
    """The zones at a level, from the calibration cases.

    Where the calibration cases would rule out both classes, or one that the probability speaks for, none is ruled out:
    this only adds answers, so the level holds.

    Args:
        malignant: out-of-sample probabilities of malignancy of the malignant calibration cases.
        benign: the same of the benign ones.
        level: share of each class that must keep its own label, between 0 and 1.

    Raises:
        ValueError: the level is no share.
    """
    if not 0 < level < 1:
        raise ValueError("a level lies between 0 and 1")
    borders = (1 - _quantile([1 - probability for probability in malignant], level), _quantile(benign, level), EVEN)
    return Zones(malignant_from=min(borders), benign_to=max(borders))


def _quantile(scores: Sequence[float], level: float) -> float:
    """The score that a new case of the class exceeds with a chance of at most 1 - level; 1 if cases are too few."""
    rank = math.ceil((len(scores) + 1) * level)
    return sorted(scores)[rank - 1] if rank <= len(scores) else 1.0
