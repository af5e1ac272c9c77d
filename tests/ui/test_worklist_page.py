"""The worklist: lines by state, one thing to do for each, and nothing of what was not disclosed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.services.machine import LedgerDamagedError
from app.ui.pages.phases import Phase, Step
from app.ui.pages.worklist import WorklistPage
from app.ui.widgets import states
from tests.support.practitioner import (
    ENDED,
    LEFT_OUT,
    LINES,
    OPEN,
    SOON,
    UNLISTED,
    WAITING,
    WITHHELD,
    StubLines,
    workplace,
)

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.services.imports import Imports
    from app.services.worklist import RecordRow
    from app.ui.background import Background


@pytest.fixture
def service() -> StubLines:
    return StubLines()


@pytest.fixture
def page(qtbot: QtBot, background: Background, service: StubLines) -> WorklistPage:
    made = WorklistPage(service, cast("Imports", None), workplace(background))
    qtbot.addWidget(made)
    made.resize(1192, 724)
    made.show()
    load(qtbot, made)
    return made


def load(qtbot: QtBot, page: WorklistPage) -> None:
    with qtbot.waitSignal(page.count_changed):
        page.refresh()


def choose(page: WorklistPage, row: RecordRow) -> None:
    assert page.table.choose(row.key)


def shown(page: WorklistPage) -> list[str]:
    return [row.key for row in page.model.rows]


def test_segments_count_what_they_show(page: WorklistPage) -> None:
    counts = {segment.key: segment.count for segment in page._counted()}
    assert counts == {"all": 7, "open": 3, "waiting": 1, "soon": 1, "closed": 3}
    page.segments.button(4).click()
    assert set(shown(page)) == {LEFT_OUT.key, WITHHELD.key, ENDED.key}


def test_a_filter_without_hit_says_so_and_can_be_cleared(page: WorklistPage) -> None:
    page.filter.setText("xyz")
    assert page.empty_view.state == states.no_match("xyz")
    page.empty_view.acted.emit("clear")
    assert shown(page) == [row.key for row in LINES]
    page.filter.setText("greta")
    assert set(shown(page)) == {SOON.key, WAITING.key}


def test_nothing_of_a_withheld_record_is_found(page: WorklistPage) -> None:
    choose(page, WITHHELD)
    sentence = page.model.sentence(page.table.currentIndex())
    assert "One record" in sentence
    assert "Alder Hospital" not in sentence
    assert all("One record" not in item.title for item in page.palette_items())


@pytest.mark.parametrize(
    ("row", "words", "signal"),
    [
        (OPEN, "Open CT chest", "open_wanted"),
        (LEFT_OUT, "Ask again…", "ask_wanted"),
        (WITHHELD, "How it was decided", "patient_wanted"),
        (ENDED, "Ask again…", "ask_wanted"),
        (WAITING, "See the request", "page_wanted"),
    ],
)
def test_the_first_button_is_what_helps(
    qtbot: QtBot, page: WorklistPage, row: RecordRow, words: str, signal: str
) -> None:
    choose(page, row)
    assert page.pane.first_button.text() == words
    with qtbot.waitSignal(getattr(page, signal)):
        page.pane.first_button.click()


def test_a_kind_that_was_not_listed_is_opened_as_a_list(qtbot: QtBot, page: WorklistPage, service: StubLines) -> None:
    service.lines = (UNLISTED,)
    load(qtbot, page)
    assert page.pane.first_button.text() == "Open the list"
    assert "recorded first" in page.pane.note.text.text()
    with qtbot.waitSignal(page.open_wanted) as opened:
        page.pane.first_button.click()
    assert opened.args == [UNLISTED]


def test_enter_opens_and_keys_ask(qtbot: QtBot, page: WorklistPage) -> None:
    choose(page, OPEN)
    with qtbot.waitSignal(page.open_wanted) as opened:
        QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert opened.args == [OPEN]
    with qtbot.waitSignal(page.ask_wanted) as more:
        page._act("ask")
    assert more.args == [OPEN.patient.patient_id, "image"]
    with qtbot.waitSignal(page.copy_wanted) as copied:
        page._copy_id()
    assert copied.args == ["r1"]


def test_while_recording_the_button_says_so_and_is_off(page: WorklistPage) -> None:
    choose(page, OPEN)
    page.show_phase(Phase(OPEN, Step.RECORDING))
    assert page.pane.first_button.text() == "Recording…"
    assert not page.pane.first_button.isEnabled()
    choose(page, SOON)
    assert page.pane.first_button.text() == "Open MR brain"
    assert not page.pane.first_button.isEnabled()


def test_an_unknown_outcome_turns_the_line(page: WorklistPage) -> None:
    choose(page, OPEN)
    page.show_phase(Phase(OPEN, Step.UNKNOWN, states.unknown()))
    cells = [page.model.index(0, column).data() for column in range(page.model.columnCount())]
    assert "Not known yet" in cells
    assert "Checking…" in cells
    assert not page.pane.first_button.isEnabled()


def test_a_changed_record_cannot_be_opened_from_here(qtbot: QtBot, page: WorklistPage) -> None:
    choose(page, OPEN)
    page.show_phase(Phase(OPEN, Step.CHANGED, states.changed_record("Pixels changed.")))
    assert not page.pane.first_button.isVisible()
    assert "Changed, not shown" in [page.model.index(0, column).data() for column in range(2)]
    qtbot.waitUntil(lambda: not page._is_loading)


def test_a_failure_keeps_the_old_lines(qtbot: QtBot, page: WorklistPage, service: StubLines) -> None:
    service.error = LedgerDamagedError(173, "merkle")
    page.refresh()
    qtbot.waitUntil(lambda: page.band.state is not None)
    assert shown(page) == [row.key for row in LINES]
    service.error = None
    with qtbot.waitSignal(page.count_changed):
        page.band.acted.emit("again")
    assert page.band.state is None


def test_a_chosen_record_that_closes_is_announced(qtbot: QtBot, page: WorklistPage, service: StubLines) -> None:
    choose(page, OPEN)
    load(qtbot, page)
    assert page.announced == ""
    service.lines = tuple(row for row in LINES if row is not OPEN)
    load(qtbot, page)
    assert page.announced == "Access to CT chest ended"


def test_empty_offers_to_ask(qtbot: QtBot, page: WorklistPage, service: StubLines) -> None:
    service.lines = ()
    load(qtbot, page)
    state = page.empty_view.state
    assert state is not None
    assert "Records appear when you ask for them" in state.text
    with qtbot.waitSignal(page.ask_wanted):
        page.empty_view.acted.emit("ask")


def test_blank_forgets_every_name(page: WorklistPage) -> None:
    page.blank()
    assert page.model.rowCount() == 0
    assert page.pane.row is None
    assert page.palette_items()[0].group == "Actions"


def test_wide_windows_show_purpose_and_last_opening(page: WorklistPage) -> None:
    headers = [column.header for column in page.model.columns]
    hidden = [headers[number] for number in range(len(headers)) if page.table.isColumnHidden(number)]
    assert hidden == ["Purpose", "Last opened"]
    page.resize(1832, 1004)
    assert not any(page.table.isColumnHidden(number) for number in range(len(headers)))


def test_no_button_of_the_page_presses_itself(page: WorklistPage) -> None:
    buttons: list[Any] = [page.import_button, page.ask_button, page.pane.first_button]
    assert not any(button.autoDefault() for button in buttons)
