"""Fixtures of the desktop's tests: the look, and workers that are always stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.ui.background import Background
from app.ui.theme import Fonts, Look, Scheme, apply, look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let by what Qt's offscreen platform says it cannot do (size hints, raise, grab), and nothing else."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support ", extend=True))


@pytest.fixture(scope="session")
def _fonts(qapp: QApplication) -> None:
    """Give Qt the fonts of the product, nothing is cut for it; and the look that each test begins with."""
    Fonts().load(Path("no such folder"))
    apply(qapp, Look())


@pytest.fixture(autouse=True)
def _light(qapp: QApplication, _fonts: None) -> Iterator[None]:
    """Begin each test in the same look."""
    yield
    if look() != Look():
        apply(qapp, Look())


@pytest.fixture(params=[Scheme.LIGHT, Scheme.DARK], ids=str)
def scheme(request: pytest.FixtureRequest, qapp: QApplication) -> Scheme:
    """Run a test in light and in dark."""
    chosen: Scheme = request.param
    apply(qapp, Look(chosen))
    return chosen


@pytest.fixture
def background(qapp: QApplication) -> Iterator[Background]:
    """Workers, stopped before the test ends."""
    made = Background(2)
    yield made
    made.shutdown()
    made.deleteLater()
