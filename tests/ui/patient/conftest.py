"""A small sandbox with a request that waits for Alma."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.turns import Asked, ask

if TYPE_CHECKING:
    from pathlib import Path

    from app.ui.background import Background
    from tests.support.sandbox import SandboxWorld


@pytest.fixture
def asked(world: SandboxWorld, background: Background, tmp_path: Path) -> Asked:
    """The request; workers stop before the sandbox closes."""
    return ask(world, background, tmp_path)
