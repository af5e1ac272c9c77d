"""The shell: pages by role, keys, and a lock that leaves nothing of a patient on screen or in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap, QPixmapCache
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from app.ui.lock import LockFacts, LockPage
from app.ui.theme import Look, Scheme, apply, look, token
from app.ui.widgets import LedgerFacts, Notice, PaletteItem, RailEntry, Sheet, conflicts, states
from app.ui.window import MainWindow, PageEntry, everywhere
from tests.support.qt import Clock, NotedPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

CAROL = LockFacts("Dr Carol Specimen", "Alder Hospital", 2, "Locked after 5 minutes without use")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(qtbot: QtBot, clock: Clock) -> Iterator[MainWindow]:
    made = MainWindow(clock)
    qtbot.addWidget(made)
    entries = (
        PageEntry(RailEntry("worklist", "Worklist", "layout-list"), NotedPage()),
        PageEntry(RailEntry("requests", "Requests", "send"), NotedPage("Bruno Mockup")),
        PageEntry(RailEntry("settings", "Settings", "settings", at_bottom=True), NotedPage("")),
    )
    made.register(entries, "Alder Hospital", "Dr Carol Specimen", "Practitioner")
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def noted(window: MainWindow, key: str) -> NotedPage:
    page = window.page(key)
    assert isinstance(page, NotedPage)
    return page


def texts(widget: QWidget) -> str:
    """Every text a person or a screen reader could find that is visible."""
    found = []
    for child in widget.findChildren(QWidget):
        if child.isVisible():
            text = getattr(child, "text", None)
            shown = text() if callable(text) else ""
            found.append(f"{shown if isinstance(shown, str) else ''} {child.accessibleName()}")
    return "\n".join(found)


def test_the_first_page_is_open_and_loaded(window: MainWindow) -> None:
    assert window.current_key == "worklist"
    assert noted(window, "worklist").asked == ["refresh"]
    assert "Dr Carol Specimen" in texts(window.header)
    assert window.rail.keys == ("worklist", "requests", "settings")


def test_ctrl_and_a_number_open_pages(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.current_key == "requests"
    QTest.keyClick(window, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    assert window.current_key == "requests"
    window.open_page("no-such-page")
    assert window.current_key == "requests"


def test_the_page_is_asked_for_its_keys(window: MainWindow) -> None:
    page = noted(window, "worklist")
    for key, asked in ((Qt.Key.Key_F5, "refresh"), (Qt.Key.Key_Escape, "escape"), (Qt.Key.Key_Slash, "filter")):
        page.asked.clear()
        QTest.keyClick(window, key)
        assert page.asked == [asked]


def test_f6_goes_through_the_panes(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    page = noted(window, "worklist")
    page.button.show()
    window.setFocus()
    QTest.keyClick(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is page.button)
    QTest.keyClick(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.rail.item("worklist"))


def test_a_question_mark_lists_keys_that_do_not_conflict(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_Question)
    sheets = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    assert len(sheets) == 1
    sheets[0].reject()
    assert conflicts((*noted(window, "worklist").keys(), *everywhere())) == ()


def test_counters_and_status_come_from_the_pages(window: MainWindow) -> None:
    noted(window, "requests").count_changed.emit(4, False)
    assert window.rail.item("requests").accessibleName() == "Requests, 4"
    noted(window, "requests").status_said.emit("not the page that is open", "check", "muted")
    noted(window, "worklist").status_said.emit("Last entry recorded 14:31:58 · block 214", "check", "muted")
    assert "block 214" in texts(window.status)
    assert "not the page" not in texts(window.status)


def test_the_palette_finds_pages_and_the_page_s_actions_only(window: MainWindow) -> None:
    window.set_palette_items(lambda: (PaletteItem("Patients", "Alma Fictive", lambda: None),))
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    titles = [item.title for item in window.palette_view.shown]
    assert titles == ["Alma Fictive", "Ask for access…", "Worklist", "Requests", "Settings"]
    QTest.keyClicks(window.palette_view.field, "settings")
    QTest.keyClick(window.palette_view.field, Qt.Key.Key_Return)
    assert window.current_key == "settings"


def test_the_countdown_turns_wait_in_the_last_half_minute(window: MainWindow, clock: Clock) -> None:
    window.idle.touch()
    clock.now += 48
    window.idle.tick()
    assert window.status.lock_text == "Locks in 4:12"
    lock = next(each for each in window.status.findChildren(QLabel) if each.text() == "Locks in 4:12")
    assert lock.property("tone") == "muted"
    clock.now += 222
    window.idle.tick()
    assert window.status.lock_text == "Locks in 0:30"
    assert lock.property("tone") == "wait"


def test_idle_asks_for_the_lock_once(window: MainWindow, clock: Clock, qtbot: QtBot) -> None:
    window.idle.touch()
    clock.now += 300
    with qtbot.waitSignal(window.lock_asked, check_params_cb=lambda why: why == "Locked after 5 minutes without use"):
        window.idle.tick()


def test_input_keeps_it_open(window: MainWindow, clock: Clock) -> None:
    clock.now += 290
    QTest.keyClick(window, Qt.Key.Key_Shift)
    clock.now += 100
    window.idle.tick()
    assert window.status.lock_text == "Locks in 3:20"


def test_the_idle_time_can_be_chosen(window: MainWindow, clock: Clock) -> None:
    window.idle.set_limit(60)
    window.idle.tick()
    assert window.status.lock_text == "Locks in 1:00"


def test_ctrl_l_asks_for_the_lock(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.lock_asked, check_params_cb=lambda why: why == "Locked by you"):
        QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


def test_locking_leaves_no_patient_on_screen(window: MainWindow) -> None:
    assert "Alma Fictive" in texts(window)
    window.set_palette_items(lambda: (PaletteItem("Patients", "Alma Fictive", lambda: None),))
    window.open_palette()
    sheet = Sheet(window, "Ask Alma Fictive")
    sheet.open()
    page = window.lock(CAROL)
    shown = texts(window)
    assert "Alma" not in shown
    assert "Bruno" not in shown
    assert not sheet.isVisible()
    assert "Dr Carol Specimen · Alder Hospital" in shown
    assert "2 records were closed. Opening them again is a new entry." in shown
    assert "Emergency" not in shown  # nothing promises what is not built
    assert window.is_locked
    assert not window.is_shell_shown
    for key in ("worklist", "requests"):
        assert noted(window, key).asked[-1] == "blank"
    assert isinstance(page, LockPage)


def test_locking_drops_images_and_our_clipboard(window: MainWindow) -> None:
    key = "test/pixels"
    QPixmapCache.insert(key, window.grab())
    window.copy("C-4RT8 rule 4")
    window.lock(CAROL)
    assert not QPixmapCache.find(key, QPixmap())
    assert QApplication.clipboard().text() == ""


def test_a_foreign_clipboard_is_left_alone(window: MainWindow) -> None:
    window.copy("C-4RT8")
    QApplication.clipboard().setText("someone else's")
    window.lock(CAROL)
    assert QApplication.clipboard().text() == "someone else's"
    QApplication.clipboard().clear()


def test_while_locked_no_key_shows_anything(window: MainWindow) -> None:
    window.lock(CAROL)
    page = noted(window, "worklist")
    page.asked.clear()
    control = Qt.KeyboardModifier.ControlModifier
    for key in (Qt.Key.Key_K, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_J):
        QTest.keyClick(window, key, control)
    for key in (Qt.Key.Key_F5, Qt.Key.Key_F6, Qt.Key.Key_Escape):
        QTest.keyClick(window, key)
    assert window.is_locked
    assert not window.palette_view.isVisible()
    assert page.asked == []


def test_unlocking_asks_for_the_pin_and_loads_anew(window: MainWindow, qtbot: QtBot) -> None:
    page = window.lock(CAROL)
    QTest.keyClicks(page.pin, "24681012")
    with qtbot.waitSignal(page.unlock_asked, check_params_cb=lambda pin: pin == "24681012"):
        QTest.keyClick(page.pin, Qt.Key.Key_Return)
    assert page.pin.text() == ""
    page.show_trouble("That was not your PIN. 4 tries left.")
    assert "That was not your PIN. 4 tries left." in texts(page)
    noted(window, "worklist").asked.clear()
    window.unlock()
    assert window.is_shell_shown
    assert not window.is_locked
    assert noted(window, "worklist").asked == ["refresh"]


def test_a_patient_s_turn_locks_with_other_words(window: MainWindow) -> None:
    window.lock(LockFacts("Alma Fictive", "Alder Hospital", is_turn=True))
    shown = texts(window)
    assert "Your choices are kept." in shown
    assert "Alma" not in shown
    assert "Sign out" not in shown


def test_work_that_goes_on_is_named_without_detail(window: MainWindow) -> None:
    window.lock(LockFacts("Dr Carol Specimen", "Alder Hospital", 1, is_working=True))
    shown = texts(window)
    assert "Work goes on in the background." in shown
    assert "1 record was closed. Opening it again is a new entry." in shown


def test_one_widget_alone_takes_the_whole_window(window: MainWindow, qtbot: QtBot) -> None:
    alone = NotedPage("the patient's turn")
    window.show_alone(alone)
    assert not window.rail.isVisible()
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert not window.palette_view.isVisible()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert alone.asked == ["escape"]
    window.show_shell()
    assert window.rail.isVisible()


def test_signing_out_forgets_every_page(window: MainWindow) -> None:
    pages = [noted(window, key) for key in ("worklist", "requests")]
    window.header.show_notices((Notice("a", "Alma Fictive allowed part of your request", "inbox", "14:31"),))
    window.clear_pages()
    assert [page.asked[-1] for page in pages] == ["blank", "blank"]
    assert window.rail.keys == ()
    assert window.header.bell.count == 0


def test_the_band_stands_under_the_header_of_every_page(window: MainWindow) -> None:
    window.show_band(states.offline(0, 1, None))
    for key in ("worklist", "requests"):
        window.open_page(key)
        assert window.band.isVisible()
    window.show_band(None)
    assert not window.band.isVisible()


def test_text_size_and_theme_reach_everything(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.look_changed):
        QTest.keyClick(window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert look().text_scale == 1.15
    for _ in range(9):
        window.change_text_size(1)
    assert look().text_scale == 1.5
    qtbot.waitUntil(lambda: window.header.height() == 72)
    assert window.rail.width() == 132
    window.change_text_size(-1)
    assert look().text_scale == 1.3
    window.set_look(Look(Scheme.DARK))
    assert window.palette().window().color() == token("window")


def test_the_ledger_badge_is_never_hidden(window: MainWindow) -> None:
    window.header.badge.show_facts(LedgerFacts("cloud-off", "care-channel, offline since 14:31", "deny"))
    page = window.lock(CAROL)
    assert page.badge.isVisible()
    assert page.badge.text() == "care-channel, offline since 14:31"


def test_notices_lead_somewhere(window: MainWindow, qtbot: QtBot) -> None:
    window.header.show_notices((Notice("request/1", "Alma Fictive allowed part of your request", "inbox", "14:31"),))
    assert window.header.bell.accessibleName() == "Notifications, 1"
    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    link = next(each for each in window.header.bell.findChildren(QLabel) if "href" in each.text())
    with qtbot.waitSignal(window.notice_chosen, check_params_cb=lambda key: key == "request/1"):
        link.linkActivated.emit("request/1")


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nothing_of_the_header_is_cut_at_the_smallest_window(
    window: MainWindow, qapp: QApplication, scale: float
) -> None:
    apply(qapp, Look(text_scale=scale))
    window.resize(1280, 800)
    QApplication.processEvents()
    for button in (window.header.badge, window.header.bell, window.header.lock_button):
        assert button.width() >= button.sizeHint().width()
        assert window.header.rect().contains(button.geometry())
    buttons = (window.header.badge, window.header.bell)
    assert buttons[0].geometry().right() < buttons[1].geometry().left()
    assert window.header.search.geometry().right() < buttons[0].geometry().left()
