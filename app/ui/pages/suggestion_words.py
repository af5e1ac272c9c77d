"""What a suggestion says, in words: exactly one result, features by their names, verdicts by their wording (g)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from app.services.openings import DeniedError
from app.services.requests import short_id
from app.services.suggestions import NotRunError
from app.ui.outcomes import state_of
from app.ui.widgets import State
from diagnostics.applicability import Declined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.services.suggestions import Answer
    from diagnostics.suggestion import Contribution, KnownCase, Suggestion

_NOT_RUN: Final = {
    "suspended": ("wait", "Suspended.", "The hospitals must vote before this model runs again."),
    "not-approved": ("deny", "Not run.", "The hospitals have not approved this model."),
    "changed": ("deny", "Not run.", "The model's files are not those that were approved."),
    "missing": ("deny", "Not run.", "The model's files are missing."),
    "too-large": ("deny", "Not run.", "The model's files are not those that were approved."),
    "no-model": ("deny", "No suggestion.", "No approved model reads this kind of record."),
}
_OTHER: Final = {"malignant": "benign", "benign": "malignant"}
_NOTHING_FAR: Final = 1e-9
READINGS: Final = {"benign": "Benign", "malignant": "Malignant", "neither": "Neither"}
REASONS: Final = {
    "disagree": "I read the values otherwise",
    "quality": "The sample is of poor quality",
    "other-evidence": "Other findings decide",
}


def result_state(result: Suggestion | Declined) -> State:
    """Return the one band that says what came out."""
    if isinstance(result, Declined):
        return State("deny", "ban", "No suggestion.", result.sentence)
    limit = percent_text(result.level)
    if result.is_certain:
        other = _OTHER[result.label].capitalize()
        text = f"{other} is ruled out at the site's limit of {limit}."
        return State("info", "chart-scatter", f"Suggests {result.label}.", text)
    text = f"At the site's limit of {limit}, neither benign nor malignant can be ruled out."
    return State("unknown", "circle-question-mark", "Uncertain. A second reader is needed.", text)


def failure_state(error: Exception, patient: str) -> State:
    """Return why the model did not run."""
    if isinstance(error, NotRunError):
        role, heading, text = _NOT_RUN.get(error.code, _NOT_RUN["not-approved"])
        return State(role, "pause" if role == "wait" else "ban", heading, text)
    if isinstance(error, DeniedError):
        names = ", ".join(f"consent {short_id(each)}" for each in error.access.consents)
        by = f" ({names})" if names else ""
        text = f"{patient} did not allow computer suggestions{by}. Your attempt is recorded."
        return State("deny", "ban", "Not run.", text)
    return state_of(error)


def percent_text(share: float) -> str:
    """Write a share: "98 %", "0.4 %"; never 0 or 100 where it is neither."""
    value = share * 100
    digits = 0 if 1 <= value <= 99 or value in (0, 100) else 1  # noqa: PLR2004 -- per cent
    if digits and value > 99.9:  # noqa: PLR2004 -- per cent
        return "over 99.9 %"
    return "under 0.1 %" if digits and value < 0.1 else f"{value:.{digits}f} %"  # noqa: PLR2004 -- per cent


def of_hundred(probability: float) -> int:
    """Return of how many in a hundred such cases would be malignant."""
    return round(probability * 100)


def of_hundred_text(probability: float) -> tuple[str, str, str]:
    """Return the sentence beside the picture; the middle part is bold."""
    malignant = of_hundred(probability)
    return "Of 100 such cases, about ", f"{malignant} would be malignant", f" and {100 - malignant} benign."


def feature_text(name: str) -> str:
    """Return a measurement's name: "worst texture" is "Texture, largest"."""
    head, _, rest = name.partition(" ")
    if head in {"mean", "worst"}:
        return f"{rest.capitalize()}, {'mean' if head == 'mean' else 'largest'}"
    if name.endswith(" error"):
        return f"{name.removesuffix(' error').capitalize()}, error"
    return name.capitalize()


def number_text(value: float) -> str:
    """Write a measured value with three significant digits."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 4)}f}"


def signed_text(value: float) -> str:
    """Write a number with its sign: "+2.76", "−0.46"."""
    return f"{'−' if value < 0 else '+'}{abs(value):.2f}"


def bars_of(contributions: Sequence[Contribution], most: int) -> tuple[tuple[str, str, float], ...]:
    """Return name, value and weight of the largest contributions, and the rest in one; they add up exactly."""
    shown, rest = contributions[:most], contributions[most:]
    bars = [(feature_text(each.name), number_text(each.value), each.weight) for each in shown]
    if rest:
        bars.append((f"{len(rest)} other features", "", sum(each.weight for each in rest)))
    return tuple(bars)


def sum_text(result: Suggestion) -> str:
    """Return start and sum of the log-odds, and the calibrated probability they lead to."""
    start, total = signed_text(result.start), signed_text(result.log_odds)
    return f"log-odds · start {start}, sum {total} · calibrated {percent_text(result.probability)}"


def nearest_text(cases: Sequence[KnownCase]) -> str:
    """Return one sentence about the nearest known cases."""
    labels = {case.label for case in cases}
    if len(labels) == 1:
        return f"All {len(cases)} are {labels.pop()} by histology."
    malignant = sum(case.label == "malignant" for case in cases)
    return f"{malignant} of {len(cases)} are malignant by histology."


def differs_text(case: KnownCase) -> str:
    """Return which values of a known case differ most."""
    return f"differs in {', '.join(feature_text(name).lower() for name in case.differs[:2])}"


def agree_text(outcome: str, label: str = "") -> str:
    """Return the wording of agreement, which follows the result."""
    if outcome == "certain":
        return f"Agree: {label or 'as suggested'}"
    if outcome == "declined":
        return "Agree: a second reader decides"
    return "Agree: ask a second reader"


def title_of_answer(answer: Answer) -> str:
    """Return the model's name and version."""
    return f"{answer.model.card['name']} {answer.model.card['version']}"
