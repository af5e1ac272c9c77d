"""The whole main job in the real window, once by mouse and once by keys alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from app.ui.readers.chart import ChartReader
from app.ui.readers.document import DocumentReader
from app.ui.readers.table import TableReader
from app.ui.viewer.page import ViewerPage
from tests.support.desktop import open_desktop, sign_in
from tests.support.hands import Keys, Mouse, texts, wait_until
from tests.support.sandbox import CAROL, found_once, open_copy
from tests.wiring import job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.wiring.desktop import Desktop
    from tests.support.sandbox import SandboxWorld

pytestmark = pytest.mark.onscreen


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox with all its records."""
    return found_once(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def world(founded: Path, tmp_path: Path) -> Iterator[SandboxWorld]:
    """A copy of it."""
    made = open_copy(founded, tmp_path / "world")
    yield made
    made.installation.close()


@pytest.fixture
def desks(qapp: object, world: SandboxWorld, tmp_path: Path) -> Iterator[tuple[Desktop, Desktop]]:
    """The clinician's window and the patient's, on one ledger."""
    hers = open_desktop(world, tmp_path / "hers")
    his = open_desktop(world, tmp_path / "his")
    yield his, hers
    for desktop in (hers, his):
        desktop.window.close()
        desktop.window.deleteLater()


@pytest.mark.parametrize("way", [Mouse, Keys])
def test_the_whole_main_job(desks: tuple[Desktop, Desktop], world: SandboxWorld, way: type[Mouse | Keys]) -> None:
    his, hers = desks
    hand = way(his.window)
    sign_in(hand, his, CAROL)
    turn = job.ask_and_hand_over(hand, his, job.introduction_code(world))
    assert his.desk is None
    job.decide(hand, turn)
    job.unlock(hand, his)
    job.list_records(hand, his)
    for title, kind in (("CT chest", ViewerPage), ("Ferrous", ChartReader), ("discharge letter", DocumentReader)):
        assert isinstance(job.open_record(hand, his, title), kind)
        job.leave(hand, his)
    assert isinstance(job.open_record(hand, his, "Cytology"), TableReader)
    job.judge(hand, his)
    hand.press("Worklist")
    frame = job.open_record(hand, his, "CT chest")
    job.see_and_stop(way(hers.window), hers, world)
    began = time.monotonic()
    wait_until(lambda: frame.is_ended, "the open record to go blank")
    assert time.monotonic() - began < 5
    wait_until(lambda: "withdrew this consent" in texts(frame), "the reason")
