from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.custody import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two hospitals, their staff, and alice with her card."""
    made = World(tmp_path)
    yield made
    made.close()
