"""The model as it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnostics.model import Model, hash_of, load_model

FOLDER = Path(__file__).parents[2] / "resources" / "models" / "breast-cytology"


@pytest.fixture(scope="session")
def model() -> Model:
    """The shipped model, approved."""
    return load_model(FOLDER, {hash_of(FOLDER)})
