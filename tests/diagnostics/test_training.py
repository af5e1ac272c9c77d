"""What is shipped is what the training makes, and the report is what an evaluation measures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import numpy as np
import onnx
import pytest
import skops.io

from diagnostics.evaluation import evaluate
from diagnostics.fitting import fit
from diagnostics.model import CARD, ONNX, SKOPS, Model
from diagnostics.training import (
    MARGIN,
    RANDOM_STATE,
    REPORT,
    SHORT_FOLDS,
    SHOWN_ROWS,
    TRUSTED_TYPES,
    card,
    graph,
    training_data,
)
from tests.diagnostics.conftest import FOLDER

NUMERIC_TOLERANCE = 1e-6


def test_training_again_gives_the_shipped_model(model: Model) -> None:
    X, y, names = training_data()
    kept = np.setdiff1d(np.arange(len(y)), SHOWN_ROWS)
    fitted = fit(X[kept], y[kept], RANDOM_STATE)
    shipped = onnx.load_from_string((FOLDER / ONNX).read_bytes())
    again = graph(fitted)
    assert [node.op_type for node in again.graph.node] == [node.op_type for node in shipped.graph.node]
    for ours, theirs in zip(again.graph.initializer, shipped.graph.initializer, strict=True):
        first, second = onnx.numpy_helper.to_array(ours), onnx.numpy_helper.to_array(theirs)
        assert first == pytest.approx(second, rel=NUMERIC_TOLERANCE)
    facts = json.loads(json.dumps(card(fitted, X[kept], names, (FOLDER / REPORT).read_bytes())))
    stored = json.loads((FOLDER / CARD).read_bytes())
    assert facts["training"] == stored["training"]
    assert facts["start"] == pytest.approx(model.start, rel=NUMERIC_TOLERANCE)
    assert facts["calibration"]["malignant"] == pytest.approx(stored["calibration"]["malignant"], rel=NUMERIC_TOLERANCE)


def test_the_report_is_reproducible() -> None:
    """Its short evaluation, measured again, and the mean from the repeats as they stand."""
    X, y, _ = training_data()
    stored = json.loads((FOLDER / REPORT).read_bytes())
    again = json.loads(json.dumps(asdict(evaluate(X, y, SHORT_FOLDS, RANDOM_STATE, MARGIN))))
    expected = stored["short"]
    for ours, theirs in zip(again.pop("frontier"), expected.pop("frontier"), strict=True):
        assert ours == pytest.approx(theirs, abs=NUMERIC_TOLERANCE)
    assert again == pytest.approx(expected, abs=NUMERIC_TOLERANCE)
    accuracies = [one["accuracy"] for one in stored["repeats"]]
    assert stored["mean"]["accuracy"] == pytest.approx(sum(accuracies) / len(accuracies))


def test_the_report_holds_what_was_promised() -> None:
    """About one standard error from what such a model reached in a plain trial: 0.979, 0.995, 0.0202, 1.3 % missed."""
    mean = json.loads((FOLDER / REPORT).read_bytes())["mean"]
    assert mean["accuracy"] >= 0.973
    assert mean["auc"] >= 0.992
    assert mean["brier"] <= 0.0235
    assert mean["wrongly_declined"] <= 0.01
    at_98 = next(one for one in mean["frontier"] if one["level"] == 0.98)
    assert at_98["missed"] <= 0.02


def test_the_card_is_bound_to_the_report() -> None:
    stored = json.loads((FOLDER / CARD).read_bytes())
    assert stored["report"] == hashlib.sha256((FOLDER / REPORT).read_bytes()).hexdigest()


def test_the_stored_estimator_holds_only_trusted_types() -> None:
    assert set(skops.io.get_untrusted_types(file=FOLDER / SKOPS)) <= set(TRUSTED_TYPES)
