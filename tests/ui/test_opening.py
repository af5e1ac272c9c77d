"""From a line to an open record and back, on a real sandbox: nothing is shown before its entry, nothing stays after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from app.consent.terms import Category
from app.records.refusal import Change
from app.services.openings import ChangedError, Ending, Openings
from app.services.reasons import Reasons
from app.services.worklist import RecordRow, RowState
from app.ui import outcomes
from app.ui.pages.opening import Opener
from app.ui.pages.opening_view import OpeningView
from app.ui.pages.phases import Phase, Step
from app.ui.pages.record_views import row_values
from app.ui.pages.suggestions import SuggestionsPage
from app.ui.pages.workplace import Workplace
from app.ui.readers.chart import ChartReader
from app.ui.readers.document import DocumentReader
from app.ui.readers.table import TableReader
from app.ui.widgets import RailEntry
from app.ui.window import MainWindow, PageEntry
from app.wiring.sandbox import PIN
from tests.support.gateways import FailingGateway, Loss
from tests.support.qt import NotedPage
from tests.support.sandbox import ALMA, CAROL, SandboxWorld, found_small, open_copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.ui.background import Background
    from app.ui.readers.frame import RecordFrame
    from app.wiring.desks import StaffDesk

ASKED = frozenset({Category.CYTOLOGY, Category.DOCUMENT, Category.LABORATORY})


class Bench:
    """A window with an opener, as wiring joins them.

    Attributes:
        phases: every phase that was told.
        shown: every widget that was shown alone.
        said: lines for the corner.
    """

    def __init__(self, qtbot: QtBot, desk: StaffDesk, world: SandboxWorld, background: Background) -> None:
        self.qtbot, self.desk, self.world = qtbot, desk, world
        settle = desk.machine.submission(desk.identity).settle
        self.place = Workplace(background, world.clock, settle, desk.machine.hospitals, "AlderMSP")
        self.window = MainWindow(lambda: 0.0)
        qtbot.addWidget(self.window)
        entry = PageEntry(RailEntry("worklist", "Worklist", "layout-list"), NotedPage())
        self.window.register((entry,), "Alder Hospital", CAROL, "Practitioner")
        self.window.show()
        self.opener = Opener(desk.worklist, world.installation.reader, self.place, self.window)
        self.phases: list[Phase] = []
        self.said: list[str] = []
        self.opener.phase_changed.connect(self.phases.append)
        self.opener.said.connect(self.said.append)
        self.opener.shown.connect(self.window.show_alone)
        self.opener.left.connect(self.window.show_shell)

    def row(self, category: str) -> RecordRow:
        """Return the line of the record of a kind."""
        return next(row for row in self.desk.worklist.rows() if row.can_open and row.category == category)

    def open(self, row: RecordRow) -> RecordFrame:
        """Open a record and wait for its frame."""
        self.opener.open(row)
        self.qtbot.waitUntil(lambda: bool(self.opener.open_records), timeout=20_000)
        return self.frame()

    def frame(self) -> RecordFrame:
        """Return what shows the record."""
        return cast("RecordFrame", self.window._outer.currentWidget())

    def steps(self) -> list[Step]:
        """Return the steps that were told."""
        return [phase.step for phase in self.phases]

    def stop_consents(self) -> None:
        """Have Alma stop what she allowed."""
        alma = self.world.patient(ALMA)
        alma.consents.stop(next(row for row in alma.consents.rows() if row.asked_by is not None), PIN)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxWorld]:
    made = open_copy(found_small(), tmp_path)
    yield made
    made.installation.close()


@pytest.fixture
def bench(qtbot: QtBot, world: SandboxWorld, background: Background) -> Iterator[Bench]:
    desk = world.staff(CAROL)
    world.allow(desk, ALMA, ASKED, frozenset({Category.LABORATORY}))
    made = Bench(qtbot, desk, world, background)
    yield made
    made.opener.stop()
    made.window.close()


def list_records(bench: Bench) -> None:
    bench.desk.worklist.list_records(bench.desk.patients.known()[0], "TREAT")


def test_the_list_is_opened_first_and_is_an_entry(bench: Bench) -> None:
    unlisted = next(row for row in bench.desk.worklist.rows() if row.state is RowState.NOT_LISTED)
    bench.opener.open(unlisted)
    bench.qtbot.waitUntil(lambda: not bench.opener.is_busy)
    assert bench.steps() == [Step.RECORDING, Step.IDLE]
    assert any(row.can_open for row in bench.desk.worklist.rows())
    _, rows, log = Reasons(bench.desk.worklist).lines(unlisted.patient.patient_id)
    assert [entry.kind for entry in log] == ["index"]
    assert not any(row.state is RowState.NOT_LISTED for row in rows)


READERS = [("discharge", DocumentReader), ("Letter", ChartReader), ("Cytology", TableReader)]


@pytest.mark.parametrize(("title", "reader"), READERS)
def test_each_kind_has_its_reader_and_counts_as_seen(bench: Bench, title: str, reader: type[RecordFrame]) -> None:
    list_records(bench)
    row = next(row for row in bench.desk.worklist.rows() if title in row.title)
    frame = bench.open(row)
    assert isinstance(frame, reader)
    assert bench.steps()[0] is Step.RECORDING
    assert bench.steps()[-1] is Step.IDLE
    opened = bench.opener.open_records[0]
    assert opened.viewed == {item.name for item in opened.manifest.objects}
    assert "Treatment · C-" in frame.badge.text()
    with bench.qtbot.waitSignal(bench.opener.said):
        frame.back_asked.emit()
    assert bench.window.is_shell_shown
    assert opened.objects == []
    assert bench.said == ["Closed. Your copy is purged, the receipt recorded."]
    purge = bench.desk.machine.catch_up().get(("purge", row.patient.patient_id, opened.access_id))
    assert purge is not None


def test_withdrawal_blanks_at_once_and_shows_the_receipt(bench: Bench) -> None:
    list_records(bench)
    frame = bench.open(bench.row("cytology"))
    opened = bench.opener.open_records[0]
    bench.stop_consents()
    with bench.qtbot.waitSignal(bench.opener.record_ended):
        bench.opener.look()
    assert frame.is_ended
    state = frame.state_view.state
    assert state is not None
    assert state.heading == "Alma Fictive withdrew this consent."
    bench.qtbot.waitUntil(lambda: opened.access_id in bench.opener._closings)
    state = frame.state_view.state
    assert state is not None
    assert state.text.endswith("Receipt signed.")
    assert opened.objects == []
    frame.acted.emit("worklist")
    assert bench.window.is_shell_shown


def test_the_end_of_the_hour_closes(bench: Bench) -> None:
    list_records(bench)
    frame = bench.open(bench.row("cytology"))
    opened = bench.opener.open_records[0]
    bench.world.clock.now = opened.until
    frame.tick()
    assert frame.is_ended
    bench.qtbot.waitUntil(lambda: opened.objects == [])


def test_five_minutes_of_silence_close(bench: Bench) -> None:
    list_records(bench)
    frame = bench.open(bench.row("cytology"))
    bench.world.clock.now += 299
    bench.opener._silent(RuntimeError())
    before = frame.is_ended
    bench.world.clock.now += 1
    bench.opener._silent(RuntimeError())
    assert (before, frame.is_ended) == (False, True)
    state = frame.state_view.state
    assert state is not None
    assert "five minutes" in state.heading
    bench.qtbot.waitUntil(lambda: bool(bench.opener._closings))


def test_a_denied_attempt_is_told_on_the_line(bench: Bench) -> None:
    list_records(bench)
    row = bench.row("cytology")
    bench.stop_consents()
    bench.opener.open(row)
    bench.qtbot.waitUntil(lambda: Step.DENIED in bench.steps())
    assert bench.window.is_shell_shown
    state = bench.phases[-1].state
    assert state is not None
    assert state.role == "deny"
    assert not bench.opener.is_busy


def test_a_changed_record_is_not_drawn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    list_records(bench)
    row = bench.row("cytology")

    def changed(*_given: Any, **_named: Any) -> None:
        raise ChangedError(Change.PIXELS_CHANGED, 104, 1, 412)

    monkeypatch.setattr(Openings, "open", changed)
    bench.opener.open(row)
    bench.qtbot.waitUntil(lambda: Step.CHANGED in bench.steps())
    view = bench.window._outer.currentWidget()
    assert isinstance(view, OpeningView)
    assert view.state_view.state is not None
    assert "Pixels changed in 1 of 412 images (image 104)." in view.state_view.state.text
    view.acted.emit("worklist")
    assert bench.window.is_shell_shown


def test_an_unknown_outcome_opens_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "_WAITS", (30,))
    list_records(bench)
    row = bench.row("cytology")
    gateway = FailingGateway(bench.desk.machine.gateway, Loss.AFTER)
    object.__setattr__(bench.desk.machine, "gateway", gateway)
    bench.opener.open(row)
    bench.qtbot.waitUntil(lambda: Step.UNKNOWN in bench.steps())
    assert bench.opener.is_busy
    assert bench.window.is_shell_shown
    bench.opener.open(row)
    assert bench.steps().count(Step.RECORDING) == 1


def test_cancelling_shows_nothing_and_leaves_nothing_open(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    list_records(bench)
    row = bench.row("cytology")
    bench.opener.open(row)
    bench.opener.cancel()
    bench.qtbot.waitUntil(lambda: not bench.opener.is_busy)
    bench.qtbot.waitUntil(lambda: bench.desk.openings.count == 0)
    assert bench.opener.open_records == ()
    state = bench.phases[-1].state
    assert state is None or state.text == "The opening stays recorded, nothing was shown."


def test_locking_takes_everything_away(bench: Bench) -> None:
    list_records(bench)
    frame = bench.open(bench.row("cytology"))
    bench.opener.stop()
    assert frame.is_ended
    assert bench.opener.open_records == ()
    assert len(bench.desk.openings.close_all(Ending.LOCKED)) == 1


def test_a_suggestion_is_made_from_an_open_table(bench: Bench) -> None:
    page = SuggestionsPage(bench.desk.suggestions, bench.place)
    bench.qtbot.addWidget(page)
    bench.desk.suggestions.keep_card_read(bench.desk.suggestions.open_model("cytology")[1].model_hash)
    bench.opener.suggestion_wanted.connect(page.run)
    list_records(bench)
    bench.open(bench.row("cytology"))
    view = bench.opener._shown[bench.opener.open_records[0].access_id].view
    assert view is not None
    view.suggestion_button.click()
    bench.qtbot.waitUntil(lambda: page.view.answer is not None, timeout=20_000)
    answer = page.view.answer
    assert answer is not None
    assert answer.outcome == "uncertain"
    verdict = page.view.pane
    verdict.agree.set_checked(True)
    commit = bench.desk.suggestions.give_verdict(
        bench.desk.patients.known()[0].patient_id, answer.suggestion_id, verdict.verdict(), PIN
    )
    assert commit.block > answer.commit.block
    queue = bench.desk.suggestions.queue()
    assert [(row.outcome, row.verdicts, row.for_another) for row in queue] == [("uncertain", 1, True)]
    assert queue[0].title.startswith("Cytology")
    page.blank()


def test_names_and_dates_of_samples_are_no_measurements(bench: Bench) -> None:
    list_records(bench)
    bench.open(bench.row("cytology"))
    shown = bench.opener._shown[bench.opener.open_records[0].access_id]
    assert shown.read.table is not None
    values = row_values(shown.read.table, 0)
    assert len(values) == 30
    assert "sample" not in values
    assert values["mean texture"] == "30.72"
