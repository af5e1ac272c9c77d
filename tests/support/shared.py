"""Public data that travels beside the project, for tests only; what a user needs never depends on it."""

from pathlib import Path

import pytest

_PLACE = Path(__file__).resolve().parents[3] / "shared"


def shared_data(name: str = "data") -> Path:
    """Return a file or folder of the shared data, or fail with what to do."""
    found = _PLACE / name
    if not found.exists():
        pytest.fail(f"../shared/{name} is missing: put the shared test data beside the project's folder")
    return found
