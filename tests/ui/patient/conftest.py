"""A small sandbox with a request that waits for Alma."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox import SandboxWorld, found_small, open_copy
from tests.support.turns import Asked, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.ui.background import Background


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxWorld]:
    """An open sandbox in which Alma Fictive of Alder has a chart, a letter and a cytology table."""
    made = open_copy(found_small(), tmp_path)
    yield made
    made.installation.close()


@pytest.fixture
def asked(world: SandboxWorld, background: Background, tmp_path: Path) -> Asked:
    """The request; workers stop before the sandbox closes."""
    return ask(world, background, tmp_path)
