"""A small sandbox for each test, copied from one that is founded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sandbox import allowed, world

__all__ = ["allowed", "world"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let by what Qt's offscreen platform says it cannot do (size hints, raise, grab), and nothing else."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support ", extend=True))
