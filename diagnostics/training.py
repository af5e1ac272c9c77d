"""Train, evaluate and store the breast cytology model; by hand: ``python -m diagnostics.training FOLDER``.

The data are scikit-learn's copy of the Wisconsin diagnostic breast cancer data (569 cases, 30 features computed from
the outlines of cell nuclei in fine needle aspirates). Rows that the sandbox shows are left out of the training, so that
what a person sees there was not learnt by heart; the evaluation is nested and uses all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import skops.io
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_breast_cancer

from diagnostics.evaluation import evaluate, report
from diagnostics.fitting import Fitted, fit
from diagnostics.model import CARD, CASES, MANIFEST, ONNX, SKOPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM_STATE = 20
OUTER_FOLDS = 10
REPEATS = 5
SHORT_FOLDS = 2
"""Outer folds of the short evaluation that the report also holds, for a quick test that it is reproducible."""

MARGIN = 0.3
"""How far beyond the training range a value may lie, as a share of the range: less than 1 % of true cases decline."""

SHOWN_ROWS = (0, 8, 19, 50, 100, 146, 363, 455)
"""Rows of the data that the sandbox may show; not in the training."""

REPORT = "report.json"
SALT = hashlib.sha256(b"assent breast-cytology training cases").digest()
"""Public like the data: the commitment binds the cases, it hides nothing."""

TRUSTED_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.StratifiedKFold",
)
"""Everything beyond skops' own defaults that the stored estimator may hold."""


def training_data() -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    """All cases, 1 for malignant (scikit-learn has 0), and the names of the features."""
    bunch = load_breast_cancer()
    return bunch.data, (1 - bunch.target).astype(np.int64), tuple(str(name) for name in bunch.feature_names)


def train(folder: Path, repeats: int = REPEATS) -> str:
    """Write the model's folder and return the model hash. The same data and versions give the same numbers."""
    X, y, names = training_data()
    kept = np.ones(len(y), dtype=bool)
    kept[list(SHOWN_ROWS)] = False
    fitted = fit(X[kept], y[kept], RANDOM_STATE)
    figures = [evaluate(X, y, OUTER_FOLDS, RANDOM_STATE + repeat, MARGIN) for repeat in range(repeats)]
    measured = json_bytes({**report(figures), "short": asdict(evaluate(X, y, SHORT_FOLDS, RANDOM_STATE, MARGIN))})
    buffer = io.BytesIO()
    np.save(buffer, np.column_stack([X[kept], y[kept]]), allow_pickle=False)
    files = {
        REPORT: measured,
        CASES: buffer.getvalue(),
        ONNX: graph(fitted).SerializeToString(deterministic=True),
        SKOPS: skops.io.dumps(fitted.estimator),
        CARD: json_bytes(card(fitted, X[kept], names, measured)),
    }
    manifest = {
        "skops": hashlib.sha256(files[SKOPS]).hexdigest(),
        "onnx": hashlib.sha256(files[ONNX]).hexdigest(),
        "card": hashlib.sha256(files[CARD]).hexdigest(),
        "training_commitment": hmac.digest(SALT, hashlib.sha256(files[CASES]).digest(), "sha256").hex(),
        "training_consents": [],  # published data, given before there was this ledger
    }
    # The ledger's canonical form, which this room cannot import: sorted keys, no white space (tests compare).
    files[MANIFEST] = json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        fresh = folder / f"{name}.new"
        fresh.write_bytes(content)
        os.replace(fresh, folder / name)  # noqa: PTH105 (the name of the pattern, STYLE.md 11)
    return hashlib.sha256(files[MANIFEST]).hexdigest()


def json_bytes(value: object) -> bytes:
    """JSON for people and programs: indented, with a final newline."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def graph(fitted: Fitted) -> onnx.ModelProto:
    """The model as ONNX in double precision: contributions, log-odds, probability.

    Built node by node: skl2onnx 1.20 puts probabilities where the calibrator of scikit-learn 1.9 expects log-odds (a
    difference of 0.53 on this data), and its linear classifier rounds to single precision.
    """
    constants = {
        "mean": fitted.mean,
        "scale": fitted.scale,
        "coefficients": fitted.coefficients,
        "intercept": np.array([fitted.intercept]),
        "slope": np.array([fitted.slope]),
        "offset": np.array([fitted.offset]),
    }
    nodes = [
        helper.make_node("Sub", ["X", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["standardised"]),
        helper.make_node("Mul", ["standardised", "coefficients"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "features"], ["moved"], keepdims=0),
        helper.make_node("Add", ["moved", "intercept"], ["log_odds"]),
        helper.make_node("Mul", ["log_odds", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["calibrated"]),
        helper.make_node("Sigmoid", ["calibrated"], ["probability"]),
    ]
    width = len(fitted.mean)
    described = helper.make_graph(
        nodes,
        "breast-cytology",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["n_samples", width])],
        [
            helper.make_tensor_value_info("contributions", TensorProto.DOUBLE, ["n_samples", width]),
            helper.make_tensor_value_info("log_odds", TensorProto.DOUBLE, ["n_samples"]),
            helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["n_samples"]),
        ],
        [numpy_helper.from_array(np.asarray(value, dtype=np.float64), name) for name, value in constants.items()]
        + [numpy_helper.from_array(np.array([1], dtype=np.int64), "features")],
    )
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def card(fitted: Fitted, X: NDArray[np.float64], names: tuple[str, ...], measured: bytes) -> dict[str, object]:
    """What a decision needs besides the graph, and what a person must know before trusting one."""
    columns = zip(names, X.min(axis=0), X.max(axis=0), fitted.mean, fitted.scale, strict=True)
    keys = ("lowest", "highest", "mean", "spread")
    return {
        "name": "Cytology LR",
        "version": "1.0",
        "reads": "cytology",
        "says": "whether the nuclei of a breast fine needle aspirate look malignant",
        "not_for": "any other record, screening without a reader, or values measured in another way",
        "method": f"logistic regression (L2, C = {fitted.C:g}) on 30 standardised features; Platt calibration, 5 folds",
        "margin": MARGIN,
        "start": fitted.intercept,
        "features": [
            {"name": name, **{key: float(value) for key, value in zip(keys, numbers, strict=True)}}
            for name, *numbers in columns
        ],
        "calibration": {"malignant": fitted.malignant, "benign": fitted.benign},
        "training": {
            "cases": len(X),
            "malignant": len(fitted.malignant),
            "source": "Wisconsin diagnostic breast cancer data, 1995, as shipped with scikit-learn",
            "held_out_rows": SHOWN_ROWS,
            "salt": SALT.hex(),
            "unknown": ["sex", "age", "site", "scanner", "later course"],
        },
        "evaluation": {**json.loads(measured)["mean"], "how": "nested, 10 outer and 5 inner folds, all cases"},
        "report": hashlib.sha256(measured).hexdigest(),
    }


if __name__ == "__main__":
    sys.stdout.write(f"{train(Path(sys.argv[1]))}\n")
