"""The first image is shown while the others are still being read; ending the record ends the reading (A6 to A8)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.consent.terms import Category
from app.custodian.results import ImportFile
from app.records.description import Person
from app.records.images import Unreadable, open_images
from app.records.phantom import ct_series
from app.records.sealing import open_object
from app.services.openings import Ending
from app.ui.pages import record_views
from app.ui.pages.opening_view import OpeningView
from app.ui.pages.phases import Step
from app.ui.viewer.page import ViewerPage
from app.ui.viewer.series import series_of
from tests.support.qt import ct_image
from tests.support.sandbox import ALMA, CAROL, SandboxWorld, found_small, open_copy
from tests.ui.test_opening import Bench, list_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.records.images import Image
    from app.records.manifest import Manifest
    from app.records.reader import Buffer, ReaderProcess
    from app.ui.background import Background

SLICES = 6


class Gate:
    """Lets images through one by one, in place of ``open_images``.

    Attributes:
        read: how many were handed over.
        fault: raised in place of the next image.
        is_over: set when nothing is read any more.
    """

    def __init__(self) -> None:
        self._turn = threading.Semaphore(0)
        self.read = 0
        self.fault: Exception | None = None
        self.is_over = threading.Event()

    def let(self, count: int) -> None:
        """Let so many more images through."""
        self._turn.release(count)

    def open_images(self, reader: ReaderProcess, objects: Iterable[Buffer]) -> Iterator[Image | Unreadable]:
        try:
            for image in open_images(reader, objects):
                assert self._turn.acquire(timeout=20)
                if self.fault is not None:
                    raise self.fault
                self.read += 1
                yield image
        finally:
            self.is_over.set()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxWorld]:
    made = open_copy(found_small(), tmp_path)
    rita = made.staff("Rita Roster")
    person = next(row for row in rita.people.persons() if row.person.name == ALMA)
    slices = ct_series(Person(ALMA, "1961-03-14", "female"), "2026-11-20", slices=SLICES)
    files = [ImportFile(f"{number}.dcm", content) for number, content in enumerate(slices)]
    client = made.installation.machine.custodians["AlderMSP"]
    assert all(each.accepted for each in client.import_files(rita.identity, person.person_id, files))
    made.tick()
    yield made
    made.installation.close()


@pytest.fixture
def bench(qtbot: QtBot, world: SandboxWorld, background: Background) -> Iterator[Bench]:
    desk = world.staff(CAROL)
    world.allow(desk, ALMA, frozenset({Category.IMAGE, Category.CYTOLOGY}))
    made = Bench(qtbot, desk, world, background)
    list_records(made)
    yield made
    made.opener.stop()
    made.window.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setattr(record_views, "open_images", made.open_images)
    yield made
    made.let(SLICES)


def begin(bench: Bench, gate: Gate) -> ViewerPage:
    """Open the CT, let its first image through and return the page that shows it."""
    gate.let(1)
    frame = bench.open(bench.row("image"))
    assert isinstance(frame, ViewerPage)
    return frame


def test_the_first_image_is_shown_while_the_others_are_read(bench: Bench, gate: Gate) -> None:
    page = begin(bench, gate)
    assert not gate.is_over.is_set()
    assert page.canvas.series is not None
    assert len(page.canvas.series) == 1
    assert "1 of 6 images in memory" in page._memory.text()
    opened = bench.opener.open_records[0]
    assert len(opened.objects) == SLICES
    assert opened.viewed == {opened.manifest.objects[0].name}
    gate.let(2)
    bench.qtbot.waitUntil(lambda: "3 of 6 images in memory" in page._memory.text())
    assert page.canvas.index == 0
    page.canvas.go_to(2)
    assert opened.viewed == {item.name for item in (opened.manifest.objects[0], opened.manifest.objects[2])}
    gate.let(SLICES)
    bench.qtbot.waitUntil(lambda: "6 of 6 images in memory" in page._memory.text())
    assert gate.is_over.is_set()
    assert page.thumbnails.items[0].accessibleName() == "Axial 2 mm, 6 images"
    assert not bench.opener.is_busy


def test_closing_meanwhile_stops_the_reading(bench: Bench, gate: Gate) -> None:
    page = begin(bench, gate)
    opened = bench.opener.open_records[0]
    read = bench.opener._shown[opened.access_id].read
    with bench.qtbot.waitSignal(bench.opener.said):
        page.close_asked.emit()
    assert opened.objects == []
    gate.let(1)
    assert gate.is_over.wait(20)
    assert gate.read == 2  # the one that was on its way, and no further
    assert read.images == []
    assert bench.desk.openings.count == 0
    assert bench.said == ["Closed. Your copy is purged, the receipt recorded."]


def test_a_withdrawal_meanwhile_blanks_at_once(bench: Bench, gate: Gate) -> None:
    page = begin(bench, gate)
    opened = bench.opener.open_records[0]
    bench.stop_consents()
    with bench.qtbot.waitSignal(bench.opener.record_ended):
        bench.opener.look()
    assert page.is_ended
    assert all(len(series) == 0 for series in page.series)
    gate.let(SLICES)
    assert gate.is_over.wait(20)
    bench.qtbot.waitUntil(lambda: opened.access_id in bench.opener._closings)
    closing = bench.opener._closings[opened.access_id]
    assert (closing.ending, bool(closing.receipt)) == (Ending.WITHDRAWN, True)
    assert all(len(series) == 0 for series in page.series)


def test_locking_meanwhile_stops_the_reading(bench: Bench, gate: Gate) -> None:
    page = begin(bench, gate)
    bench.opener.stop()
    assert page.is_ended
    gate.let(1)
    assert gate.is_over.wait(20)
    assert gate.read == 2
    assert len(bench.desk.openings.close_all(Ending.LOCKED)) == 1


def test_a_fault_meanwhile_takes_the_images_away(bench: Bench, gate: Gate) -> None:
    page = begin(bench, gate)
    opened = bench.opener.open_records[0]
    gate.fault = OSError("no memory")
    gate.let(1)
    bench.qtbot.waitUntil(lambda: page.is_ended)
    assert all(len(series) == 0 for series in page.series)
    bench.qtbot.waitUntil(lambda: bench.desk.openings.count == 0)
    assert opened.objects == []
    page.acted.emit("worklist")
    assert bench.window.is_shell_shown


def test_nothing_is_shown_when_the_last_object_does_not_verify(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(identity: str, name: str, sealed: bytes | None, manifest: Manifest) -> bytes | memoryview:
        if name == manifest.objects[-1].name:
            sealed = bytes(sealed or b"")[:-1]
        return open_object(identity, name, sealed, manifest)

    monkeypatch.setattr("app.services.openings.open_object", opened)
    gate.let(SLICES)
    bench.opener.open(bench.row("image"))
    bench.qtbot.waitUntil(lambda: Step.CHANGED in bench.steps(), timeout=20_000)
    assert isinstance(bench.window._outer.currentWidget(), OpeningView)
    assert gate.read == 0


def test_images_of_a_second_series_get_a_thumbnail_of_their_own(qtbot: QtBot, bench: Bench, gate: Gate) -> None:
    page = begin(bench, gate)
    shown = bench.opener._shown[bench.opener.open_records[0].access_id]
    assert shown.view is not None
    other = ct_image(np.zeros((2, 4, 4)), series="other")
    shown.read.images += [Unreadable("no"), other]
    shown.view.add_arrived()
    assert [len(series) for series in page.series] == [2, 2]
    assert [item.series for item in page.thumbnails.items] == list(page.series)
    assert page.canvas.series is page.series[0]


def test_what_cannot_be_read_before_the_first_image_goes_with_it() -> None:
    (only,) = series_of([Unreadable("no"), ct_image(np.zeros((1, 4, 4)))])
    assert len(only) == 2
