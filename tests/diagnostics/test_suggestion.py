"""What the model says, why, and when it says nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
import skops.io

from diagnostics.conformal import zones
from diagnostics.model import SKOPS
from diagnostics.suggestion import Declined, Reason, Suggestion, suggest
from diagnostics.training import SHOWN_ROWS, TRUSTED_TYPES, training_data
from tests.diagnostics.conftest import FOLDER

if TYPE_CHECKING:
    from diagnostics.model import Model

X, Y, NAMES = training_data()


def values(row: int) -> dict[str, object]:
    return dict(zip(NAMES, X[row].tolist(), strict=True))


def suggested(model: Model, row: int, level: float = 0.98) -> Suggestion:
    answer = suggest(model, "cytology", values(row), level)
    assert isinstance(answer, Suggestion)
    return answer


def declined(model: Model, changed: dict[str, object], kind: str = "cytology") -> Declined:
    answer = suggest(model, kind, {**values(50), **changed})
    assert isinstance(answer, Declined)
    return answer


@pytest.mark.parametrize(("row", "label"), [(0, "malignant"), (8, "malignant"), (50, "benign"), (455, "")])
def test_it_says_malignant_benign_or_uncertain(model: Model, row: int, label: str) -> None:
    answer = suggested(model, row)
    assert answer.label == label
    assert answer.is_certain == bool(label)
    assert 0 < answer.probability < 1


@pytest.mark.parametrize("row", SHOWN_ROWS)
def test_contributions_and_start_add_up_to_the_log_odds(model: Model, row: int) -> None:
    answer = suggested(model, row)
    total = math.fsum(part.weight for part in answer.contributions) + answer.start
    assert abs(total - answer.log_odds) < 1e-9
    assert {part.name: part.value for part in answer.contributions} == values(row)
    sizes = [abs(part.weight) for part in answer.contributions]
    assert sizes == sorted(sizes, reverse=True)


def test_a_contribution_has_the_sign_of_its_effect(model: Model) -> None:
    answer = suggested(model, 50)
    part = answer.contributions[0]
    mean = next(feature.mean for feature in model.features if feature.name == part.name)
    neutral = suggest(model, "cytology", {**values(50), part.name: mean})
    assert isinstance(neutral, Suggestion)
    assert neutral.log_odds == pytest.approx(answer.log_odds - part.weight, abs=1e-9)


def test_probability_is_the_stored_estimators(model: Model) -> None:
    """ONNX and scikit-learn agree on every row of the data (limit of the issue on suggestions: 1e-5)."""
    stored = skops.io.load(FOLDER / SKOPS, trusted=list(TRUSTED_TYPES))
    (probability,) = model.session.run(["probability"], {"X": X})
    assert np.abs(stored.predict_proba(X)[:, 1] - probability).max() < 1e-9


def test_texts_of_a_table_are_read_as_numbers(model: Model) -> None:
    assert suggest(model, "cytology", {name: str(value) for name, value in values(0).items()}) == suggested(model, 0)


def test_nearest_cases_are_not_the_case_itself(model: Model) -> None:
    kept = next(row for row in range(len(X)) if row not in SHOWN_ROWS)
    answer = suggested(model, kept)
    assert len(answer.nearest) == 3
    assert 0 < answer.nearest[0].distance <= answer.nearest[1].distance <= answer.nearest[2].distance
    assert set(answer.nearest[0].differs) <= set(NAMES)


def test_the_nearest_case_is_the_one_that_a_plain_search_finds(model: Model) -> None:
    spread = np.array([feature.spread for feature in model.features])
    distances = {
        row: float(np.linalg.norm((X[row] - X[455]) / spread)) for row in range(len(X)) if row not in SHOWN_ROWS
    }
    first = min(distances, key=lambda row: distances[row])
    nearest = suggested(model, 455).nearest[0]
    assert nearest.distance == pytest.approx(distances[first], abs=1e-9)
    assert nearest.label == ("malignant" if Y[first] else "benign")


def test_the_shown_rows_are_in_no_training_case(model: Model) -> None:
    trained = {tuple(row[:-1]) for row in model.cases.tolist()}
    assert not trained & {tuple(X[row].tolist()) for row in SHOWN_ROWS}


def test_another_kind_of_record_is_declined(model: Model) -> None:
    answer = declined(model, {}, kind="heart")
    assert answer.reason is Reason.OTHER_KIND
    assert answer.sentence == "This is a heart record; the model reads cytology."


@pytest.mark.parametrize(
    ("changed", "reason", "fields"),
    [
        ({"mean radius": None}, Reason.MISSING, ("mean radius",)),
        ({"mean radius": "", "worst area": ""}, Reason.MISSING, ("mean radius", "worst area")),
        ({"shoe size": 42}, Reason.UNEXPECTED, ("shoe size",)),
        ({"mean radius": "n/a"}, Reason.NOT_A_NUMBER, ("mean radius",)),
        ({"mean radius": float("nan")}, Reason.NOT_A_NUMBER, ("mean radius",)),
        ({"mean radius": "inf"}, Reason.NOT_A_NUMBER, ("mean radius",)),
        ({"mean radius": True}, Reason.NOT_A_NUMBER, ("mean radius",)),
        ({"mean radius": [1]}, Reason.NOT_A_NUMBER, ("mean radius",)),
        ({"mean radius": 10**400}, Reason.NOT_A_NUMBER, ("mean radius",)),
        ({"mean radius": 900}, Reason.OUT_OF_RANGE, ("mean radius",)),
        ({"mean radius": -1}, Reason.OUT_OF_RANGE, ("mean radius",)),
        ({"mean radius": 900, "worst area": 1e9}, Reason.OUT_OF_RANGE, ("mean radius", "worst area")),
    ],
)
def test_values_it_does_not_know_are_declined_by_name(
    model: Model, changed: dict[str, object], reason: Reason, fields: tuple[str, ...]
) -> None:
    answer = declined(model, changed)
    assert (answer.reason, answer.fields) == (reason, fields)


def test_the_sentence_names_value_and_range(model: Model) -> None:
    assert declined(model, {"mean radius": 900}).sentence == (
        "Mean radius 900 is outside what the model knows (6.981 to 28.11)."
    )


def test_a_value_inside_the_margin_is_judged_and_one_beyond_is_not(model: Model) -> None:
    feature = model.features[0]
    edge = feature.highest + model.margin * (feature.highest - feature.lowest)
    assert isinstance(suggest(model, "cytology", {**values(0), feature.name: edge - 1e-9}), Suggestion)
    assert isinstance(suggest(model, "cytology", {**values(0), feature.name: edge + 1e-9}), Declined)


def test_a_stricter_level_leaves_more_to_a_second_reader(model: Model) -> None:
    narrow, wide = zones(model.malignant, model.benign, 0.95), zones(model.malignant, model.benign, 0.99)
    assert wide.malignant_from < narrow.malignant_from
    assert wide.benign_to >= narrow.benign_to


@pytest.mark.parametrize("level", [0.95, 0.98, 0.99])
def test_of_each_class_at_most_the_stated_share_is_ruled_out(model: Model, level: float) -> None:
    borders = zones(model.malignant, model.benign, level)
    for label, cases in (("malignant", model.malignant), ("benign", model.benign)):
        kept = sum(label in borders.remaining(probability) for probability in cases)
        assert kept / len(cases) >= level


def test_too_few_cases_rule_nothing_out() -> None:
    assert zones([0.9] * 10, [0.1] * 10, 0.98).remaining(0.99) == {"malignant", "benign"}


def test_both_or_neither_is_uncertain() -> None:
    separated = zones([0.9] * 100, [0.1] * 100, 0.95)
    assert separated.remaining(0.6) == {"malignant", "benign"}
    assert separated.remaining(0.95) == {"malignant"}
    assert separated.remaining(0.05) == {"benign"}


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        zones([0.5], [0.5], level)


def test_one_row_is_computed_on_one_thread(model: Model) -> None:
    assert isinstance(model.session, onnxruntime.InferenceSession)
    assert model.session.get_session_options().intra_op_num_threads == 1
