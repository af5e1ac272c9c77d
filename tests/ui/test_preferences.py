"""What an account chose: kept whole, read carefully, shown and changed under Settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.pages.settings import SettingsPage
from app.ui.preferences import Preferences, Theme, keep_preferences, read_preferences
from app.ui.theme import Look, Scheme

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

CHOSEN = Preferences(Theme.DARK, 1.3, compact=True, staff_minutes=15, patient_minutes=1)
LEFT = Qt.MouseButton.LeftButton


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    keep_preferences(tmp_path / "assent" / "settings.json", CHOSEN)
    assert read_preferences(tmp_path / "assent" / "settings.json") == CHOSEN
    assert CHOSEN.look == Look(Scheme.DARK, 1.3, compact=True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"{}" + b" " * 5000])
def test_a_broken_file_is_no_choice(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    keep_preferences(path, CHOSEN)
    path.write_bytes(content)
    assert read_preferences(path) == Preferences()


def test_no_file_is_no_choice(tmp_path: Path) -> None:
    assert read_preferences(tmp_path / "settings.json") == Preferences()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", 1),
        ("text_scale", 9.0),
        ("text_scale", "1.5"),
        ("compact", 1),
        ("staff_minutes", 0),
        ("staff_minutes", 16),
        ("staff_minutes", 5.5),
        ("staff_minutes", True),
        ("patient_minutes", None),
    ],
)
def test_one_senseless_value_leaves_the_others(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "settings.json"
    keep_preferences(path, CHOSEN)
    kept = json.loads(path.read_bytes())
    path.write_text(json.dumps(kept | {name: value}))
    read = read_preferences(path)
    assert getattr(read, name) == getattr(Preferences(), name)
    others = [each for each in ("theme", "text_scale", "compact", "staff_minutes", "patient_minutes") if each != name]
    assert [getattr(read, each) for each in others] == [getattr(CHOSEN, each) for each in others]


def test_an_older_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for chosen in (Preferences(), CHOSEN):
        keep_preferences(path, chosen)
    assert [each.name for each in tmp_path.iterdir()] == ["settings.json"]


def test_each_choice_is_told_once_with_all_the_others(qtbot: QtBot) -> None:
    page = SettingsPage(Preferences(), is_patient=False)
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    told: list[Preferences] = []
    page.changed.connect(told.append)
    for segments, number in ((page.theme, 2), (page.text_size, 2), (page.rows, 1)):
        QTest.mouseClick(segments.button(number), LEFT)
    page.minutes.setCurrentIndex(14)
    page.minutes.activated.emit(14)
    assert told[-1] == Preferences(Theme.DARK, 1.3, compact=True, staff_minutes=15)
    QTest.mouseClick(page.theme.button(2), LEFT)
    assert len(told) == 4


def test_a_patient_chooses_her_own_minutes(qtbot: QtBot) -> None:
    page = SettingsPage(CHOSEN, is_patient=True)
    qtbot.addWidget(page)
    assert page.minutes.currentData() == 1
    with qtbot.waitSignal(page.changed) as changed:
        page.minutes.setCurrentIndex(2)
        page.minutes.activated.emit(2)
    assert changed.args is not None
    assert changed.args[0].patient_minutes == 3
    assert changed.args[0].staff_minutes == 15


def test_signing_out_is_asked_for(qtbot: QtBot) -> None:
    page = SettingsPage(CHOSEN, is_patient=True)
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.sign_out_wanted):
        QTest.mouseClick(page.sign_out_button, LEFT)
