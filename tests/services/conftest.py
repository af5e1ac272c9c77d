"""A small sandbox for each test, copied from one that is founded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox import CAROL, SandboxWorld, allowed, world

if TYPE_CHECKING:
    from app.wiring.desks import StaffDesk

__all__ = ["allowed", "carol", "world"]


@pytest.fixture
def carol(allowed: SandboxWorld) -> StaffDesk:
    """Dr Carol Specimen, who may open."""
    return allowed.staff(CAROL)
