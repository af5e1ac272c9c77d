"""The desktop around the pages: the door, the lock, the hand-over, silence and damage of the ledger, the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from app.custodian.messages import CustodianRefusal
from app.identity.keys import LockedError
from app.services.machine import LedgerDamagedError
from app.ui.pages.settings import SettingsPage
from app.ui.pages.sign_in import SignInPage
from app.ui.pages.turn.window import At, ConsentTurn
from app.ui.preferences import Preferences, Theme, read_preferences
from app.ui.readers.frame import RecordFrame
from app.ui.theme import Scheme, look
from app.wiring.desks import StaffDesk
from app.wiring.sandbox import PIN
from app.wiring.telling import refusal_text
from ledger.faults import Fault
from ledger.replica import Alarm, ReplicaHaltedError
from tests.support.desktop import open_desktop, sign_in
from tests.support.hands import Keys, Mouse, texts, wait_until
from tests.support.sandbox import ALMA, CAROL, found_allowed, open_copy
from tests.wiring import job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.wiring.desktop import Desktop
    from tests.support.guards import ExpectedLogs
    from tests.support.sandbox import SandboxWorld

WRONG = "not my PIN"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxWorld]:
    """A sandbox in which Alma allowed Dr Carol Specimen her cytology and documents."""
    made = open_copy(found_allowed(), tmp_path / "world")
    yield made
    made.installation.close()


@pytest.fixture
def desktop(qapp: QApplication, world: SandboxWorld, tmp_path: Path) -> Iterator[Desktop]:
    """The window at the door; it is closed whatever the test leaves it in."""
    made = open_desktop(world, tmp_path)
    yield made
    made.window.close()
    made.window.deleteLater()


@pytest.fixture
def hand(desktop: Desktop) -> Mouse:
    """A person with a mouse."""
    return Mouse(desktop.window)


@pytest.fixture
def carol(desktop: Desktop, hand: Mouse) -> Mouse:
    """Dr Carol Specimen, signed in."""
    sign_in(hand, desktop, CAROL)
    wait_until(lambda: desktop.desk is not None, "her pages")
    return hand


def locked(identity: Any) -> bool:
    """Whether a signing identity's key is gone."""
    try:
        identity.sign(b"anything")
    except LockedError:
        return True
    return False


# the door


def test_no_patient_work_is_told_before_the_pin(desktop: Desktop) -> None:
    said = texts(desktop.window)
    assert CAROL in said
    for word in ("CT chest", "Cytology", "Waiting", "C-"):
        assert word not in said


def test_wrong_pins_are_counted_and_the_fifth_locks_the_profile(desktop: Desktop, hand: Mouse) -> None:
    for left in ("4 tries left.", "3 tries left.", "2 tries left.", "1 try left."):
        sign_in(hand, desktop, CAROL, WRONG)
        hand.sees(f"That was not your PIN. {left}")
        assert desktop.desk is None
    sign_in(hand, desktop, CAROL, WRONG)
    hand.sees("Too many tries. Ask a registrar to enrol you with a new key.")
    sign_in(hand, desktop, CAROL)
    hand.sees("Too many tries. Ask a registrar to enrol you with a new key.")
    assert desktop.desk is None


def test_a_patient_signs_in_with_card_and_pin(desktop: Desktop, hand: Mouse, world: SandboxWorld) -> None:
    hand.press("I am a patient…")
    hand.type("Your card", world.cards[ALMA])
    hand.type("PIN", WRONG)
    hand.press("Sign in")
    hand.sees("That was not your PIN. 4 tries left.")
    hand.type("PIN", PIN)
    hand.press("Sign in")
    wait_until(lambda: desktop.desk is not None, "her pages")
    assert desktop.window.rail.keys == ("inbox", "consents", "accesses", "records", "settings")


def test_what_is_no_card_is_said_to_be_none(desktop: Desktop, hand: Mouse) -> None:
    hand.press("I am a patient…")
    hand.type("Your card", "assent1.AlderMSP.nothing")
    hand.type("PIN", PIN)
    hand.press("Sign in")
    hand.sees("This is not a patient card.")


def test_a_short_pin_is_not_even_tried(desktop: Desktop, hand: Mouse) -> None:
    sign_in(hand, desktop, CAROL, "1234")
    hand.sees("A PIN has at least 8 characters.")
    sign_in(hand, desktop, CAROL, WRONG)
    hand.sees("4 tries left.")


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        (CAROL, ("worklist", "patient", "viewer", "requests", "suggestions", "settings")),
        (ALMA, ("inbox", "consents", "accesses", "records", "settings")),
        ("Rita Roster", ("people", "ledger", "settings")),
        ("Petra Protocol", ("questions", "ledger", "settings")),
        ("Otto Operand", ("ledger", "settings")),
    ],
)
def test_each_role_has_its_pages_and_opens_no_window_beside(
    desktop: Desktop, hand: Mouse, name: str, pages: tuple[str, ...]
) -> None:
    watch = _Windows(desktop.window)
    sign_in(hand, desktop, name)
    wait_until(lambda: desktop.desk is not None, "the pages")
    assert desktop.window.rail.keys == pages
    for key in pages:
        desktop.window.open_page(key)
        wait_until(lambda: desktop.background.job_count <= 1, "what the page loads")
    QApplication.instance().removeEventFilter(watch)  # type: ignore[union-attr]
    assert not watch.seen


class _Windows(QObject):
    """Notes widgets that appear as windows of their own."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.seen: list[str] = []
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's)
        is_shown = event.type() == QEvent.Type.Show and watched is not self._window
        if is_shown and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(type(watched).__name__)
        return False


# the lock


def test_the_lock_closes_what_is_open_and_leaves_no_name_and_no_key(
    desktop: Desktop, carol: Mouse, world: SandboxWorld
) -> None:
    desk = desktop.desk
    assert isinstance(desk, StaffDesk)
    job.list_any(carol, "Cytology")
    job.open_record(carol, desktop, "Cytology")
    desktop.window.copy("an id")
    Keys(desktop.window).key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    wait_until(lambda: desktop.window.is_locked, "the lock page")
    carol.sees("1 record was closed. Opening it again is a new entry.")
    wait_until(lambda: locked(desk.identity), "her key to be gone")
    wait_until(lambda: desktop.window.findChild(RecordFrame) is None, "the record to be gone")
    said = texts(desktop.window)
    assert CAROL in said
    assert ALMA not in said
    assert "Cytology" not in said
    assert not QApplication.clipboard().text()
    assert desk.open_count == 0
    assert desktop.desk is None


def test_a_wrong_pin_keeps_it_locked_and_the_right_one_makes_a_fresh_desk(desktop: Desktop, carol: Mouse) -> None:
    before = desktop.desk
    carol.press("Lock, Ctrl L")
    wait_until(lambda: desktop.window.is_locked, "the lock page")
    carol.type("PIN", WRONG)
    carol.press("Unlock")
    carol.sees("That was not your PIN. 4 tries left.")
    assert desktop.window.is_locked
    job.unlock(carol, desktop)
    assert desktop.desk is not before
    carol.sees("Worklist")


def test_the_lock_gives_way_to_somebody_else(desktop: Desktop, carol: Mouse) -> None:
    carol.press("Lock, Ctrl L")
    carol.press("Someone else…")
    wait_until(lambda: desktop.window.findChild(SignInPage), "the door")
    assert ALMA in texts(desktop.window)  # a tile of the sandbox
    assert desktop.desk is None


@pytest.mark.parametrize(("name", "minutes"), [(CAROL, 5), (ALMA, 2)])
def test_idleness_locks_staff_after_five_minutes_and_patients_after_two(
    desktop: Desktop, hand: Mouse, name: str, minutes: int
) -> None:
    sign_in(hand, desktop, name)
    wait_until(lambda: desktop.desk is not None, "the pages")
    assert desktop.window.idle.limit == 60 * minutes
    desktop.window.idle.ran_out.emit()
    wait_until(lambda: desktop.window.is_locked, "the lock page")
    hand.sees(f"Locked after {minutes} minutes without use")


def test_signing_out_wipes_the_key(desktop: Desktop, carol: Mouse) -> None:
    desk = desktop.desk
    assert isinstance(desk, StaffDesk)
    carol.press("Settings")
    carol.press("Sign out")
    wait_until(lambda: desktop.window.findChild(SignInPage), "the door")
    wait_until(lambda: locked(desk.identity), "her key to be gone")


# the hand-over


def hand_over(hand: Mouse, desktop: Desktop, world: SandboxWorld) -> ConsentTurn:
    """Ask Alma, whom Carol knows, and give her the screen."""
    hand.press("Requests")
    hand.press("Ask for access…")
    hand.row("Patients you know", ALMA)
    hand.press("Next")
    hand.press("Treatment")
    hand.press("Laboratory")
    hand.type("Reason, in one sentence", "To compare.")
    hand.press("Hand over to the patient now")
    turn: ConsentTurn = wait_until(lambda: desktop.window.findChild(ConsentTurn), "her turn")
    return turn


def unlock_turn(hand: Mouse, turn: ConsentTurn) -> None:
    """Show card and PIN, and go on to the choices."""
    hand.press("Use the sandbox card")
    hand.type("Your PIN", PIN)
    hand.press("Go on")
    wait_until(lambda: turn.at is At.READ, "step 1")
    hand.press("Next")
    wait_until(lambda: turn.at is At.CHOOSE, "step 2")


def test_the_desk_is_locked_before_the_patient_gets_the_screen(
    desktop: Desktop, carol: Mouse, world: SandboxWorld
) -> None:
    desk = desktop.desk
    assert isinstance(desk, StaffDesk)
    hand_over(carol, desktop, world)
    assert desktop.desk is None
    assert locked(desk.identity)
    assert not desktop.window.rail.keys
    assert "Worklist" not in texts(desktop.window)
    carol.press("Give back to Dr Specimen")
    wait_until(lambda: desktop.window.is_locked, "the lock page")
    assert ALMA not in texts(desktop.window)
    job.unlock(carol, desktop)
    assert desktop.window.current_key == "requests"


def test_a_lock_in_a_turn_keeps_choices_but_no_key_and_her_pin_goes_on(
    desktop: Desktop, carol: Mouse, world: SandboxWorld
) -> None:
    turn = hand_over(carol, desktop, world)
    unlock_turn(carol, turn)
    carol.press("1 day")
    unlocked = turn._started.unlocked
    Keys(desktop.window).key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    carol.sees("Your choices are kept.")
    assert all(locked(pair.identity) for pair in unlocked.pairs)
    carol.type("PIN", PIN)
    carol.press("Unlock")
    again: ConsentTurn = wait_until(lambda: desktop.window.findChild(ConsentTurn), "her turn")
    assert again.at is At.CHOOSE
    carol.sees("until 25 November 2026")


def test_before_card_and_pin_a_lock_ends_the_turn(desktop: Desktop, carol: Mouse, world: SandboxWorld) -> None:
    hand_over(carol, desktop, world)
    desktop.window.lock_asked.emit("Locked after 2 minutes without use")
    wait_until(lambda: desktop.window.is_locked, "the lock page")
    assert CAROL in texts(desktop.window)
    job.unlock(carol, desktop)


# the ledger


def test_a_silent_ledger_is_said_and_asked_again(
    desktop: Desktop, carol: Mouse, world: SandboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise CustodianRefusal("not-yet-committed")

    monkeypatch.setattr(world.installation, "tick", refuse)
    carol.sees("No connection to the ledger since")
    assert "offline since" in desktop.window.header.badge.text()
    monkeypatch.undo()
    carol.press("Try now")
    wait_until(lambda: not desktop.window.band.isVisible(), "the band to go")
    assert desktop.window.header.badge.text() == "Local ledger, not shared"


@pytest.mark.parametrize(
    "halted", [LedgerDamagedError(17, "x"), ReplicaHaltedError(Alarm(17, None, "", Fault.MERKLE_ROOT, ""))]
)
def test_a_damaged_ledger_is_said_and_no_longer_followed(
    desktop: Desktop, carol: Mouse, world: SandboxWorld, monkeypatch: pytest.MonkeyPatch, halted: Exception
) -> None:
    calls: list[int] = []

    def halt(**_: object) -> None:
        calls.append(1)
        raise halted

    monkeypatch.setattr(world.installation, "tick", halt)
    carol.sees("The ledger on this machine was changed at block 17.")
    carol.sees("You can look, but nothing can be opened.")
    count = len(calls)
    desktop.window.open_page("requests")
    carol.sees("The ledger on this machine was changed at block 17.")
    assert len(calls) == count == 1


def test_an_unexpected_failure_is_said_and_logged_without_its_text(
    desktop: Desktop, carol: Mouse, expected_logs: ExpectedLogs
) -> None:
    expected_logs.add("^app.wiring.failures: ValueError at test_desktop.py")

    def fail() -> None:
        raise ValueError(ALMA)

    desktop.background.run(desktop.window, fail, lambda _: None, desktop.report)
    carol.sees("Something went wrong in the background.")
    assert ALMA not in texts(desktop.window.band)
    carol.press("Close")
    wait_until(lambda: not desktop.window.band.isVisible(), "the band to go")


def test_what_is_refused_at_the_door_is_said_in_words() -> None:
    assert refusal_text(LedgerDamagedError(3, "x")).endswith("You can look, but nothing can be opened.")


# settings


def test_theme_and_text_size_hold_at_once_and_are_kept(desktop: Desktop, hand: Mouse, tmp_path: Path) -> None:
    hand.press("System")
    hand.press("Light")
    assert look().scheme is Scheme.DARK
    hand.press("Text 100 %")
    assert look().text_scale == 1.15
    kept = read_preferences(tmp_path / "config" / "settings.json")
    assert (kept.theme, kept.text_scale) == (Theme.DARK, 1.15)


def test_settings_change_the_lock_and_the_look(desktop: Desktop, carol: Mouse, tmp_path: Path) -> None:
    carol.press("Settings")
    page = desktop.window.page("settings")
    assert isinstance(page, SettingsPage)
    carol.press("130 %")
    assert look().text_scale == 1.3
    wait_until(lambda: desktop.window.page("settings") is not page, "pages laid out anew")
    page = desktop.window.page("settings")
    assert isinstance(page, SettingsPage)
    page.minutes.setCurrentIndex(0)
    page.minutes.activated.emit(0)
    assert desktop.window.idle.limit == 60
    carol.press("Compact")
    kept = read_preferences(tmp_path / "config" / "settings.json")
    assert kept == Preferences(text_scale=1.3, compact=True, staff_minutes=1)


# the end


@pytest.mark.parametrize("where", ["door", "pages", "record", "turn", "locked"])
def test_closing_the_window_ends_every_thread(desktop: Desktop, hand: Mouse, world: SandboxWorld, where: str) -> None:
    desk = None
    if where != "door":
        sign_in(hand, desktop, CAROL)
        desk = wait_until(lambda: desktop.desk, "her pages")
    if where == "record":
        job.list_any(hand, "Cytology")
        job.open_record(hand, desktop, "Cytology")
    if where == "turn":
        unlock_turn(hand, hand_over(hand, desktop, world))
    if where == "locked":
        hand.press("Lock, Ctrl L")
    desktop.window.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("background")]
    assert desk is None or locked(desk.identity)


def test_every_pin_field_is_empty_after_use(desktop: Desktop, hand: Mouse) -> None:
    sign_in(hand, desktop, CAROL, WRONG)
    hand.sees("4 tries left.")
    fields = desktop.window.findChildren(QLineEdit)
    assert not any(WRONG in field.text() for field in fields)
