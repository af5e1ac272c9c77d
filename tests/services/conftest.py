"""A small sandbox for each test, copied from one that is founded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox import CAROL, SandboxWorld, found_allowed, found_small, open_copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.wiring.desks import StaffDesk


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxWorld]:
    """An open sandbox in which Alma Fictive of Alder has a chart, a letter and a cytology table."""
    made = open_copy(found_small(), tmp_path)
    yield made
    made.installation.close()


@pytest.fixture
def allowed(tmp_path: Path) -> Iterator[SandboxWorld]:
    """The same after Alma allowed Dr Carol Specimen her cytology and documents for a week."""
    made = open_copy(found_allowed(), tmp_path)
    yield made
    made.installation.close()


@pytest.fixture
def carol(allowed: SandboxWorld) -> StaffDesk:
    """Dr Carol Specimen, who may open."""
    return allowed.staff(CAROL)
