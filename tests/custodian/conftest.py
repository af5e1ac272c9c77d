import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.custody import Opened, World, document
from tests.support.service import Served

MEMORY = Path("/dev/shm")  # noqa: S108  -- a file system in memory, where flushing costs nothing


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two hospitals, their staff, and alice with her card."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        made = World(Path(folder))
        yield made
        made.close()


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    """Alder's custodian behind its TLS door, unlocked."""
    made = Served(world)
    made.unlock()
    yield made
    made.close()


@pytest.fixture
def opening(world: World) -> Opened:
    """An opening of one record, not yet released."""
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.dan, world.alice)
    return world.open(world.dan, patient_id, world.list(world.dan, patient_id).rows[0].record_id)
