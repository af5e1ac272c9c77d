"""A small sandbox for each test, copied from one that is founded once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox import SandboxWorld, found_allowed, found_small, open_copy

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let by what Qt's offscreen platform says it cannot do (size hints, raise, grab), and nothing else."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support ", extend=True))


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
