"""The window while the machine is made ready: the passphrase, what cannot start, and what an interruption leaves."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.ui.pages.sign_in import SignInPage
from app.ui.pages.start import StartPage
from app.wiring.entrance import Entrance
from app.wiring.start import start
from tests.support.hands import Keys, Mouse, wait_until
from tests.support.sandbox import Clock, found_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from app.wiring.start import Started
    from tests.support.guards import ExpectedLogs

PASSPHRASE = "sandbox-passphrase"
"""Of ``found_small``."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that holds a sandbox whose keys are under a passphrase."""
    folder = tmp_path / "home"
    shutil.copytree(found_small(), folder)
    (folder / "keys.sealed").rename(folder / "sandbox.keys")
    return folder


@pytest.fixture
def opened(qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[Path], Entrance]]:
    """Open windows that are closed in the end."""
    made: list[Entrance] = []

    def begin(folder: Path) -> Entrance:
        made.append(Entrance(folder, Clock(), tmp_path / "config" / "settings.json"))
        made[-1].begin()
        return made[-1]

    yield begin
    for entrance in made:
        entrance.window.close()
        entrance.window.deleteLater()


def door(entrance: Entrance) -> SignInPage:
    """Wait for the sign-in page."""
    page: SignInPage = wait_until(lambda: entrance.window.findChild(SignInPage), "the door")
    return page


def test_a_first_start_asks_for_a_passphrase_twice(
    opened: Callable[[Path], Entrance], tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str | None] = []

    def noted(folder: Path, passphrase: str | None, clock: Any, progress: Any) -> Started:
        given.append(passphrase)
        if passphrase is None:
            return start(folder, None, clock, progress)
        return start(home, PASSPHRASE, clock, progress)

    monkeypatch.setattr("app.wiring.ready.start", noted)
    entrance = opened(tmp_path / "empty")
    hand = Mouse(entrance.window)
    hand.sees("No key store was found. Choose a passphrase instead. Assent never stores keys unprotected.")
    for first, again, trouble in (
        ("short", "short", "At least 8 characters are needed."),
        ("long enough", "not the same", "The two are not the same. Type them again."),
    ):
        hand.type("Passphrase", first)
        hand.type("The same again", again)
        hand.press("Continue")
        hand.sees(trouble)
    assert given == [None]
    hand.type("Passphrase", "long enough")
    hand.type("The same again", "long enough")
    hand.press("Continue")
    door(entrance)
    assert given == [None, "long enough"]


def test_a_wrong_passphrase_opens_nothing_and_the_right_one_does(
    opened: Callable[[Path], Entrance], home: Path
) -> None:
    entrance = opened(home)
    hand = Mouse(entrance.window)
    hand.sees("The keys of this machine are kept under a passphrase.")
    hand.type("Passphrase", "another one")
    hand.press("Continue")
    wait_until(
        lambda: any(page._gap.isVisible() for page in entrance.window.findChildren(StartPage)), "why it does not open"
    )
    assert entrance.desktop is None
    hand.type("Passphrase", PASSPHRASE)
    hand.press("Continue")
    assert "blocks verified at start" in "".join(each.text() for each in _labels(door(entrance)))


def _labels(page: SignInPage) -> list[QLabel]:
    return page.findChildren(QLabel)


def test_founding_can_be_cancelled_and_is_done_whole_at_the_next_start(
    opened: Callable[[Path], Entrance], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, begun = tmp_path / "empty", threading.Event()
    monkeypatch.setattr("app.wiring.start.open_store", lambda *_: object())

    def endless(folder: Path, _store: object, _circumstances: object, progress: Any) -> Any:
        folder.mkdir()
        (folder / "half").write_bytes(b"half")
        begun.set()
        while True:
            progress(2, 5, "Patients and their cards")

    monkeypatch.setattr("app.wiring.start.found_sandbox", endless)
    entrance = opened(empty)
    wait_until(begun.is_set, "the founding to begin")
    Mouse(entrance.window).sees("Patients and their cards")
    Keys(entrance.window).key(Qt.Key.Key_Escape)
    wait_until(lambda: not entrance.window.isVisible(), "the window to close")
    assert not (empty / "sandbox").exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("background")]
    monkeypatch.undo()

    def founded(folder: Path, *_: object) -> Any:
        shutil.copytree(home / "sandbox", folder)
        return _Closed()

    monkeypatch.setattr("app.wiring.start.found_sandbox", founded)
    shutil.copy(home / "sandbox.keys", empty / "sandbox.keys")
    again = opened(empty)
    hand = Mouse(again.window)
    hand.type("Passphrase", PASSPHRASE)
    hand.press("Continue")
    door(again)
    assert not (empty / "sandbox" / "half").exists()
    assert not (empty / "sandbox.new").exists()


class _Closed:
    """What a founding returns: an installation that is open and can be closed."""

    @property
    def installation(self) -> _Closed:
        return self

    def close(self) -> None:
        """Nothing is open."""


def test_an_older_copy_of_the_ledger_is_refused_with_both_heights(
    opened: Callable[[Path], Entrance], home: Path
) -> None:
    shutil.copytree(home / "sandbox" / "ledger", home / "older")
    started = start(home, PASSPHRASE, Clock())
    installation = started.installation
    profiles = {each.name: each for each in installation.profiles.profiles()}
    rita = installation.profiles.unlock(profiles["Rita Roster"].profile_id, "24681012", installation.master)
    installation.machine.submission(rita).send("SuspendMember", {"subject": profiles["Dr Carol Specimen"].subject})
    installation.tick()
    installation.close()
    shutil.rmtree(home / "sandbox" / "ledger")
    (home / "older").rename(home / "sandbox" / "ledger")
    entrance = opened(home)
    hand = Mouse(entrance.window)
    hand.type("Passphrase", PASSPHRASE)
    hand.press("Continue")
    hand.sees("Assent cannot start yet")
    hand.sees("This is an older copy of the ledger:")
    assert entrance.desktop is None
    hand.press("Try again")
    hand.sees("The keys of this machine are kept under a passphrase.")


def test_a_second_window_on_the_same_account_says_so(opened: Callable[[Path], Entrance], home: Path) -> None:
    first, second = opened(home), opened(home)
    for entrance in (first, second):
        hand = Mouse(entrance.window)
        hand.type("Passphrase", PASSPHRASE)
        hand.press("Continue")
        if entrance is first:
            door(first)
    hand.sees("Assent is open already on this account. Close the other window, then try again.")


def test_what_nobody_foresaw_is_said_by_its_kind_only(
    opened: Callable[[Path], Entrance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected_logs: ExpectedLogs,
) -> None:
    expected_logs.add("ZeroDivisionError at test_desktop_start.py")

    def fail(*_: object) -> Started:
        raise ZeroDivisionError("Alma Fictive")

    monkeypatch.setattr("app.wiring.ready.start", fail)
    hand = Mouse(opened(tmp_path).window)
    hand.sees("Something unexpected happened (ZeroDivisionError). Nothing was changed. Try again.")
    assert not hand.said("Alma Fictive")
