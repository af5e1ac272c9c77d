"""Keys that a person chose: each does one thing, none takes what always means the same, and a broken file is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.ui.keys import COMMANDS, bind, code_of, key_of, key_text, sensible, trouble_of, use_keys, written
from app.ui.pages.keys_sheet import KeysSheet
from app.ui.pages.settings import SettingsPage
from app.ui.preferences import Preferences, keep_preferences, read_preferences
from app.ui.viewer.canvas import ImageCanvas, Tool
from app.ui.viewer.page import viewer_keys
from app.ui.window import MainWindow, everywhere
from tests.support.qt import ct_series

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def _standard() -> Iterator[None]:
    yield
    use_keys({})


def test_the_standard_keys_do_not_clash() -> None:
    assert [(each.name, trouble_of(each.name, each.standard, {})) for each in COMMANDS] == [
        (each.name, "") for each in COMMANDS
    ]
    assert len({each.name for each in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("agree", "V", "“Override”"),
        ("agree", "Ctrl+K", "“Search or type a command”"),
        ("palette", "Ctrl+G", "“Go to block”"),
        ("ask", "W", "“Why”"),  # asking works on the patient's page, too
        ("window", "S", "“Scroll: drag”"),
        ("window", "/", "“Filter”"),
        ("agree", "Esc", "always"),
        ("agree", "Tab", "always"),
        ("palette", "Ctrl+1", "always"),
        ("lock", "Ctrl+C", "always"),
        ("window", "7", "always"),
        ("window", "Ctrl+B", "stands alone"),
        ("window", "Shift+B", "stands alone"),
        ("lock", "L", "with Ctrl or Alt"),
        ("lock", "5", "always"),
        ("lock", "", "not one key"),
        ("lock", "Ctrl+K, Ctrl+L", "not one key"),
        ("lock", "ctrl+q", "not one key"),
        ("lock", "Nonsense", "not one key"),
        ("lock", "Ctrl+", "not one key"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_the_reason(name: str, key: str, why: str) -> None:
    assert why in trouble_of(name, key, {})


def test_the_same_key_may_do_different_things_on_different_pages() -> None:
    assert trouble_of("agree", "A", {}) == ""
    assert trouble_of("patient", "W", {}) == ""
    assert trouble_of("more", "P", {"patient": "Q"}) == ""  # what it had is free again


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        "keys",
        {"agree": 7},
        {"agree": None},
        {"no such command": "X"},
        {"agree": "V"},
        {"agree": "X", "override": "X"},
        {"lock": "Esc"},
        {"window": "Ctrl+B"},
    ],
)
def test_keys_of_a_broken_file_are_the_standard_ones(tmp_path: Path, kept: object) -> None:
    assert sensible(kept) == {}
    path = tmp_path / "settings.json"
    keep_preferences(path, Preferences(compact=True))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"keys": kept}))
    assert read_preferences(path) == Preferences(compact=True)


def test_two_keys_may_be_exchanged_and_are_kept(tmp_path: Path) -> None:
    swapped = {"agree": "V", "override": "G"}
    path = tmp_path / "settings.json"
    keep_preferences(path, Preferences(keys=swapped))
    assert read_preferences(path).keys == swapped
    assert sensible({"agree": "G"}) == {}  # no choice at all


def test_keys_are_written_as_people_read_them() -> None:
    assert [written(key) for key in ("Ctrl+K", "Ctrl++", "Ctrl+-", "/", "Ctrl+Alt+F", "F5", "+", "-")] == [
        *("Ctrl K", "Ctrl +", "Ctrl −", "/", "Ctrl Alt F", "F5", "+", "−"),
    ]


def test_other_keys_work_at_once_and_the_old_ones_no_more(qtbot: QtBot) -> None:
    owner, done = QWidget(), []
    field = QLineEdit()
    QVBoxLayout(owner).addWidget(field)
    bind(owner, "ask", lambda: done.append("ask"))
    qtbot.addWidget(owner)
    owner.show()
    owner.activateWindow()
    qtbot.waitUntil(owner.isActiveWindow)
    owner.setFocus()
    QTest.keyClick(owner, Qt.Key.Key_N)
    use_keys({"ask": "Q"})
    QTest.keyClick(owner, Qt.Key.Key_N)
    assert done == ["ask"]
    QTest.keyClick(owner, Qt.Key.Key_Q)
    assert done == ["ask", "ask"]
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Q)  # a letter that is typed stays a letter
    assert (field.text(), len(done)) == ("q", 2)


def test_the_window_and_its_help_follow(qtbot: QtBot) -> None:
    window = MainWindow(lambda: 0.0)
    qtbot.addWidget(window)
    use_keys({"palette": "Ctrl+Space", "lock": "Ctrl+Shift+L", "length": "M"})
    window.header.show_keys()
    assert "Ctrl Space" in window.header.search.accessibleName()
    assert "Ctrl Shift L" in window.header.lock_button.accessibleName()
    assert [line.key for line in everywhere()][:2] == ["Ctrl Space", "Ctrl Shift L"]
    assert "M" in [line.key for line in viewer_keys()]
    assert code_of("length") == Qt.Key.Key_M.value


def test_the_viewer_s_tools_follow(qtbot: QtBot) -> None:
    use_keys({"length": "M", "window": "L"})
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.show_series(ct_series())
    tools: list[Tool] = []
    for key in (Qt.Key.Key_M, Qt.Key.Key_L, Qt.Key.Key_W):
        QTest.keyClick(canvas, key)
        tools.append(canvas.tool)
    assert tools == [Tool.LENGTH, Tool.WINDOW, Tool.WINDOW]


# The sheet


@pytest.fixture
def page(qtbot: QtBot) -> SettingsPage:
    made = SettingsPage(Preferences(), is_patient=False)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def sheet_of(page: SettingsPage) -> KeysSheet:
    page.keys_button.click()
    return page.window().findChildren(KeysSheet)[-1]


def press(sheet: KeysSheet, name: str, key: Qt.Key, modifier: Qt.KeyboardModifier = CONTROL) -> None:
    button = sheet.buttons[name]
    button.click()
    assert button.text() == "Press a key…"
    QTest.keyClick(button, key, modifier)


def test_a_chosen_key_is_told_with_save_only(qtbot: QtBot, page: SettingsPage) -> None:
    told: list[Preferences] = []
    page.changed.connect(told.append)
    sheet = sheet_of(page)
    press(sheet, "lock", Qt.Key.Key_Q)
    assert sheet.buttons["lock"].text() == "Ctrl Q"
    assert told == []
    sheet.save_button.click()
    assert [each.keys for each in told] == [{"lock": "Ctrl+Q"}]
    assert key_of("lock") == "Ctrl+L"  # the desktop puts it to use


def test_a_clash_is_said_and_the_key_stays(page: SettingsPage) -> None:
    sheet = sheet_of(page)
    press(sheet, "lock", Qt.Key.Key_K)
    assert "already “Search or type a command”" in sheet.trouble.text.text()
    assert sheet.buttons["lock"].text() == "Ctrl L"
    press(sheet, "lock", Qt.Key.Key_Q)
    assert sheet.trouble.isHidden()
    sheet.standard_button.click()
    assert sheet.buttons["lock"].text() == key_text("lock")


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Tab])
def test_escape_and_tab_leave_the_key_and_the_sheet(page: SettingsPage, key: Qt.Key) -> None:
    sheet = sheet_of(page)
    press(sheet, "lock", key, Qt.KeyboardModifier.NoModifier)
    assert sheet.buttons["lock"].text() == "Ctrl L"
    assert sheet.isVisible()
