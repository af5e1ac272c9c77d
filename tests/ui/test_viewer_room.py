"""The rail's Viewer: what is open can be gone back to, what ended cannot, and lock forgets the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.pages.viewer_room import ViewerRoomPage
from tests.ui.test_opening import Bench, bench, list_records

if TYPE_CHECKING:
    from app.ui.widgets import State

__all__ = ["bench"]


@pytest.fixture
def page(bench: Bench) -> ViewerRoomPage:
    made = ViewerRoomPage(bench.opener, bench.place)
    bench.qtbot.addWidget(made)
    bench.opener.phase_changed.connect(made.show_phase)
    made.resize(1192, 700)
    made.show()
    list_records(bench)
    return made


def said(page: ViewerRoomPage) -> State:
    state = page.nothing.state
    assert state is not None
    return state


def test_nothing_open_says_where_to_go(bench: Bench, page: ViewerRoomPage) -> None:
    assert said(page).text == "Choose a patient on the worklist, or press Ctrl K."
    with bench.qtbot.waitSignal(page.page_wanted) as wanted:
        page.nothing.acted.emit("worklist")
    assert wanted.args == ["worklist"]


def test_what_is_open_is_listed_and_enter_shows_it_without_a_new_entry(bench: Bench, page: ViewerRoomPage) -> None:
    bench.open(bench.row("cytology"))
    bench.window.show_shell()
    (line,) = page.model.rows
    height = bench.desk.machine.catch_up().height
    page.table.choose(line.opened.access_id)
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert not bench.window.is_shell_shown
    assert bench.frame().facts.patient == "Alma Fictive"
    assert bench.desk.machine.catch_up().height == height


def test_what_ended_is_not_listed_and_can_be_opened_again(bench: Bench, page: ViewerRoomPage) -> None:
    frame = bench.open(bench.row("cytology"))
    frame.back_asked.emit()
    page.refresh()
    assert page.model.rows == ()
    assert "new entry" in said(page).text
    bench.qtbot.waitUntil(lambda: bench.desk.openings.count == 0)
    page.nothing.acted.emit("again")
    bench.qtbot.waitUntil(lambda: bool(bench.opener.open_records), timeout=20_000)
    assert len(page.model.rows) == 1


def test_a_stopped_consent_empties_the_list_at_once(bench: Bench, page: ViewerRoomPage) -> None:
    bench.open(bench.row("cytology"))
    assert len(page.model.rows) == 1
    bench.stop_consents()
    bench.qtbot.waitUntil(lambda: page.model.rows == (), timeout=10_000)


@pytest.mark.parametrize("how", ["escape", "lock"])
def test_the_last_record_is_forgotten_with_escape_and_lock(bench: Bench, page: ViewerRoomPage, how: str) -> None:
    bench.open(bench.row("cytology")).back_asked.emit()
    if how == "escape":
        assert page.escape()
        assert not page.escape()
    else:
        bench.opener.stop()
        page.blank()
    assert "Alma" not in said(page).sentence
    assert bench.opener.last is None
