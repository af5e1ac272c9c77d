"""A stored model, opened only if its hash is approved: every byte is verified before anything is parsed.

A folder holds ``manifest.json``, the canonical object {skops, onnx, card, training_commitment, training_consents} whose
SHA-256 is the ``model_hash`` on the ledger (PROTOCOL.md C1); ``model.onnx``, which computes contributions, log-odds and
probability in double precision; ``card.json`` with what a decision needs besides; ``cases.npy``, the training cases,
bound by the training commitment; ``model.skops``, the estimator for those who want to look inside, never loaded here.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    import onnxruntime
    from numpy.typing import NDArray

MANIFEST, ONNX, SKOPS, CARD, CASES = "manifest.json", "model.onnx", "model.skops", "card.json", "cases.npy"
MAX_BYTES = 8_000_000
"""No file of a model may be larger; looked at before it is read."""


class ModelError(Exception):
    """A model must not run.

    Attributes:
        code: ``not-approved``, ``changed``, ``missing`` or ``too-large``.
        file: the file concerned.
    """

    def __init__(self, code: str, file: str) -> None:
        super().__init__(f"{file}: {code}")
        self.code = code
        self.file = file


@dataclass(frozen=True, slots=True)
class Feature:
    """One input: its name and the training cases' range, mean and spread."""

    name: str
    lowest: float
    highest: float
    mean: float
    spread: float


@dataclass(frozen=True, slots=True)
class Model:
    """A verified model, ready to answer.

    Attributes:
        model_hash: what the ledger's registry approves.
        kind: the category of records that it reads.
        margin: how far beyond the training range a value may lie, as a share of the range.
        start: log-odds of a case in which nothing moves the result.
        malignant, benign: out-of-sample probabilities of the calibration cases, for the conformal zones.
        cases: training cases, one row each, features in order and a last column that is 1 for malignant.
        card: the facts shown to people.
    """

    model_hash: str
    kind: str
    features: tuple[Feature, ...]
    margin: float
    start: float
    malignant: tuple[float, ...]
    benign: tuple[float, ...]
    cases: NDArray[np.float64]
    card: dict[str, Any]
    session: onnxruntime.InferenceSession


def hash_of(folder: Path) -> str:
    """The hash under which the model of a folder is registered; says nothing about the other files."""
    return hashlib.sha256(_read(folder, MANIFEST)).hexdigest()


def load_model(folder: Path, approved_hashes: Collection[str]) -> Model:
    """Open the model of a folder.

    Args:
        folder: holds the files named above.
        approved_hashes: ``model_hash`` of the models that the ledger's registry approves now.

    Raises:
        ModelError: not approved, or a file is missing, too large or not what the manifest says. Nothing was parsed.
    """
    manifest_bytes = _read(folder, MANIFEST)
    model_hash = hashlib.sha256(manifest_bytes).hexdigest()
    if model_hash not in approved_hashes:
        raise ModelError("not-approved", MANIFEST)
    manifest = json.loads(manifest_bytes)
    files = {
        name: _verified(folder, name, manifest[key]) for name, key in ((SKOPS, "skops"), (ONNX, "onnx"), (CARD, "card"))
    }
    card: dict[str, Any] = json.loads(files[CARD])
    cases = _read(folder, CASES)
    # PROTOCOL.md C1: commitment = HMAC-SHA256(salt, SHA-256(bytes)).
    opened = hmac.digest(bytes.fromhex(card["training"]["salt"]), hashlib.sha256(cases).digest(), "sha256").hex()
    if not hmac.compare_digest(opened, manifest["training_commitment"]):
        raise ModelError("changed", CASES)
    return Model(
        model_hash=model_hash,
        kind=card["reads"],
        features=tuple(Feature(**feature) for feature in card["features"]),
        margin=card["margin"],
        start=card["start"],
        malignant=tuple(card["calibration"]["malignant"]),
        benign=tuple(card["calibration"]["benign"]),
        cases=np.load(io.BytesIO(cases), allow_pickle=False),
        card=card,
        session=_session(files[ONNX]),
    )


def _session(onnx: bytes) -> onnxruntime.InferenceSession:
    import onnxruntime  # noqa: PLC0415 (a window is up before any model is opened, and need not wait for this)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # one row: threads cost more than they give
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


def _verified(folder: Path, name: str, expected: str) -> bytes:
    content = _read(folder, name)
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError("changed", name)
    return content


def _read(folder: Path, name: str) -> bytes:
    path = Path(folder) / name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError("too-large", name)
        return path.read_bytes()
    except OSError as error:
        raise ModelError("missing", name) from error
