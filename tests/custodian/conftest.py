import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.custody import World

MEMORY = Path("/dev/shm")  # noqa: S108  -- a file system in memory, where flushing costs nothing


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two hospitals, their staff, and alice with her card."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        made = World(Path(folder))
        yield made
        made.close()
