"""The desktop: one window, from sign-in to the pages of whoever is signed in, and the lock."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.lock import LockFacts, LockPage
from app.ui.pages.settings import SettingsPage
from app.ui.pages.sign_in import SignInPage, role_words
from app.ui.pages.workplace import Workplace
from app.ui.preferences import Preferences
from app.ui.theme import Look
from app.ui.theme import look as current_look
from app.ui.widgets import Action, AlonePage, PaletteItem, State, Toast
from app.wiring.desks import Desk, PatientDesk, StaffDesk, sign_in, sign_in_patient
from app.wiring.entrance import Entrance
from app.wiring.failures import note_failure
from app.wiring.following import Followed, Follower
from app.wiring.notices import notices_of, read
from app.wiring.pages import Rooms, office_rooms, patient_rooms, workplace
from app.wiring.practitioner import practitioner_rooms
from app.wiring.start import Started
from app.wiring.telling import (
    CARD,
    damaged_block,
    last_entry,
    ledger_facts,
    ledger_state,
    refusal_text,
    start_facts,
    tiles,
)
from app.wiring.turns import Turns

if TYPE_CHECKING:
    from app.ui.background import Task

_AGAIN_MS = 5_000
"""Until the ledger is followed anew after something unforeseen."""
_UNEXPECTED = State(
    "deny",
    "circle-x",
    "Something went wrong in the background.",
    "What is recorded stays recorded. If it happens again, tell the operator.",
    (Action("dismiss", "Close"),),
)


class Desktop(QObject):
    """Owns what the window shows once the machine is ready and, while somebody is signed in, that person's desk.

    Args:
        entrance: gives it window, background and choices for good.
    """

    def __init__(self, entrance: Entrance) -> None:
        super().__init__()
        self._entrance = entrance  # its objects live as long as it does
        self._clock, self._choices = entrance.clock, entrance.choices
        self.background, self.window = entrance.background, entrance.window
        self.started: Started | None = None
        self.desk: Desk | None = None
        self.turns = Turns(self)
        self.followed: Followed | None = None
        self._rooms: Rooms | None = None
        self._card_text = ""
        self._last_page = ""
        self._damage: int | None = None
        self._follower: Follower | None = None
        self._following: Task | None = None
        self._closed = self._has_trouble = False
        self.window.lock_asked.connect(self.lock)
        self.window.closing.connect(self.close)
        self.window.look_changed.connect(self._look_changed)
        self.window.ledger_followed.connect(self.window.open_page)
        self.window.notice_chosen.connect(self._notice_chosen)
        self.window.band_acted.connect(self._act)
        self.window.page_opened.connect(lambda _key: self._show_ledger())
        self.window.set_palette_items(self._palette_items)
        QApplication.styleHints().colorSchemeChanged.connect(lambda _scheme: self._system_changed())

    # the machine

    def ready(self, started: Started) -> None:
        """Begin to follow the ledger, and let people sign in."""
        self.started = started
        installation = started.installation
        self._damage = None if started.damage is None else started.damage.block
        self.background.run(self.window, installation.reader.warm, lambda _: None, self.report)
        self.follow()
        self.show_sign_in()

    def follow(self) -> None:
        """Follow the ledger in the background until the window closes."""
        self._follower = Follower(self._started().installation, self._clock)
        self._following = self.background.follow(
            self.window, self._follower.run, self._grown, lambda _: None, self._not_following
        )

    def _grown(self, followed: Followed) -> None:
        has_grown = self.followed is None or self.followed.height != followed.height
        self.followed = followed
        self._show_ledger()
        if has_grown and self._rooms is not None:
            self._rooms.grown()
            self._look_for_notices()

    def _not_following(self, error: Exception) -> None:
        self._damage = damaged_block(error)
        if self._damage is None:
            self.report(error)
            QTimer.singleShot(_AGAIN_MS, self.window, self._follow_again)
        self._show_ledger()

    def _follow_again(self) -> None:
        if not self._closed:
            self.follow()

    def _act(self, key: str) -> None:
        if key == "dismiss":
            self._has_trouble = False
            self._show_ledger()
        elif self._follower is not None:
            self._follower.look_now()

    def _show_ledger(self) -> None:
        """Say in band, badge and status line how the ledger is."""
        has_page = "ledger" in self.window.rail.keys
        facts = ledger_facts(self.followed, self._damage, has_page=has_page)
        self.window.header.badge.show_facts(facts)
        for page in self.window.findChildren(AlonePage):
            page.badge.show_facts(replace(facts, link="", link_key=""))
        state = ledger_state(self.followed, self._damage)
        self.window.show_band(state or (_UNEXPECTED if self._has_trouble else None))
        if self.followed is not None:
            self.window.status.show_left(last_entry(self.followed), "check")

    # signing in

    def show_sign_in(self, key: str = "") -> None:
        """Show who may sign in; nothing of anybody's work."""
        started = self._started()
        self.window.clear_pages()
        page = SignInPage(tiles(started), start_facts(started), self.preferences)
        if key:
            page.choose(key)
        page.sign_in_asked.connect(partial(self._sign_in, page))
        page.card_asked.connect(partial(self._sign_in_card, page))
        page.preferences_changed.connect(partial(self._prefer_at_door, page))
        self.window.show_alone(page)
        self._show_ledger()

    def _prefer_at_door(self, page: SignInPage, chosen: Preferences) -> None:
        key = page.current_key
        self.prefer(chosen)
        self.show_sign_in(key)

    def _sign_in(self, page: SignInPage, key: str, pin: str) -> None:
        if key.startswith(CARD):
            self._sign_in_card(page, self.cards[key.removeprefix(CARD)], pin)
            return
        installation = self._started().installation
        profile = next(each for each in installation.profiles.profiles() if each.profile_id == key)
        self._card_text = ""
        work = partial(sign_in, installation, profile, pin)
        self.background.run(page, work, self.show_desk, lambda error: page.show_trouble(refusal_text(error)))

    def _sign_in_card(self, page: SignInPage, card_text: str, pin: str) -> None:
        self._card_text = card_text
        work = partial(sign_in_patient, self._started().installation, card_text, pin)
        self.background.run(page, work, self.show_desk, lambda error: page.show_trouble(refusal_text(error)))

    def show_desk(self, desk: Desk, start_page: str = "") -> None:
        """Show the pages of whoever is signed in.

        Args:
            desk: just unlocked.
            start_page: key of the page to begin with, if it is not the first.
        """
        rooms = self._rooms_of(desk)
        self.desk, self._rooms = desk, rooms
        name, hospital, role = _who(desk)
        self.start_idle(is_patient=isinstance(desk, PatientDesk))
        self.window.register(rooms.entries, hospital, name, role)
        if start_page or rooms.start != rooms.entries[0].rail.key:
            self.window.open_page(start_page or rooms.start)
        self._show_ledger()
        rooms.grown()
        self._look_for_notices()

    def _rooms_of(self, desk: Desk) -> Rooms:
        if isinstance(desk, PatientDesk):
            return patient_rooms(desk, self)
        return practitioner_rooms(desk, self) if desk.profile.role == "practitioner" else office_rooms(desk, self)

    def place_of(self, desk: Desk) -> Workplace:
        """Return what pages of this person need beside their services."""
        return workplace(desk, self)

    @property
    def cards(self) -> dict[str, str]:
        """The sandbox's cards by patient's name; empty outside a sandbox."""
        return {} if self.started is None else self.started.cards

    def start_idle(self, *, is_patient: bool) -> None:
        """Count until the window locks by itself."""
        chosen = self.preferences
        self.window.idle.set_limit(60 * (chosen.patient_minutes if is_patient else chosen.staff_minutes))
        self.window.idle.start()

    # locking, signing out

    def lock(self, reason: str) -> None:
        """Close what is open, wipe the keys, and show the lock page."""
        if self.turns.is_handed_over:
            self.turns.lock_handed(reason)
            return
        desk = self.desk
        if desk is None:
            return
        kept, last, closed = self.turns.keep_own(), self.window.current_key, desk.open_count
        self.leave_rooms()
        name, hospital, _ = _who(desk)
        is_working = self.background.task_count > 1
        facts = LockFacts(name, hospital, closed, reason, is_working=is_working, is_turn=kept is not None)
        page = self.lock_window(facts)
        self._last_page = last
        page.unlock_asked.connect(lambda pin: self._unlock(desk, page.show_trouble, pin, kept))
        self.background.run(self.window, desk.lock, lambda _: None, self.report)

    def leave_rooms(self) -> None:
        """End what is open, take all pages away, and forget whose they were; the keys are the caller's to wipe."""
        rooms, self._rooms, self.desk = self._rooms, None, None
        self._has_trouble = False
        if rooms is not None:
            rooms.stop()
        for toast in self.window.findChildren(Toast):
            toast.leave()
        for dialog in self.window.findChildren(QWidget):
            if dialog.isWindow() and dialog.isVisible():
                dialog.close()
        self.window.clear_pages()
        self.window.show_shell()

    def lock_window(self, facts: LockFacts) -> LockPage:
        """Replace everything by the lock page, whose two ways out are joined already."""
        page = self.window.lock(facts)
        page.sign_out_asked.connect(self.sign_out)
        page.someone_else_asked.connect(self.sign_out)
        self._show_ledger()
        return page

    def show_lock(self, staff: StaffDesk, reason: str) -> None:
        """Show the lock page of a member of staff whose keys are wiped already."""
        self.window.clear_pages()
        profile = staff.profile
        page = self.lock_window(LockFacts(profile.name, profile.hospital, reason=reason))
        self._last_page = "requests"
        page.unlock_asked.connect(lambda pin: self._unlock(staff, page.show_trouble, pin, None))

    def _unlock(self, locked: Desk, show: Callable[[str], None], pin: str, kept: object) -> None:
        installation = self._started().installation
        if isinstance(locked, PatientDesk):
            work: Callable[[], Desk] = partial(sign_in_patient, installation, self._card_text, pin)
        else:
            work = partial(sign_in, installation, locked.profile, pin)

        def done(desk: Desk) -> None:
            self.show_desk(desk, self._last_page)
            if isinstance(kept, tuple):
                self.turns.go_on(*kept)

        self.background.run(self.window, work, done, lambda error: show(refusal_text(error)))

    def sign_out(self) -> None:
        """Wipe the keys and go back to the sign-in page."""
        desk, self._card_text = self.desk, ""
        self.turns.drop()
        self.leave_rooms()
        self.show_sign_in()
        if desk is not None:
            self.background.run(self.window, desk.lock, lambda _: None, self.report)

    def close(self) -> None:
        """End everything in order: what is open, the workers, the person's keys, the installation."""
        if self._closed:
            return
        self._closed = True
        self.window.hide()
        desk = self.desk
        self.turns.drop()
        if self._rooms is not None:
            self._rooms.stop()
        self._rooms = self.desk = None
        self.background.shutdown()
        if desk is not None:
            try:
                desk.lock()
            except Exception as error:  # noqa: BLE001  -- the window closes whatever the ledger answers
                note_failure(error)
        started = self.started
        self.started = None
        if started is not None:
            started.installation.close()

    # notices, palette

    def _look_for_notices(self) -> None:
        desk = self.desk
        if desk is None:
            return

        def show(found: object) -> None:
            if self.desk is desk and isinstance(found, tuple):
                self.window.header.show_notices(found)

        self.background.run(self.window, partial(notices_of, desk, self._clock()), show, self.report)

    def _notice_chosen(self, key: str) -> None:
        if self.desk is not None:
            read(self.desk, key)
            self._look_for_notices()
        self.window.open_page(key.partition(":")[0])

    def _palette_items(self) -> tuple[PaletteItem, ...]:
        own = self._rooms.items() if self._rooms is not None else ()
        lock = PaletteItem("Actions", "Lock", lambda: self.lock("Locked by you"), "lock", key_hint="Ctrl L")
        return (*own, lock, PaletteItem("Actions", "Sign out", self.sign_out, "log-out"))

    # settings, look

    @property
    def preferences(self) -> Preferences:
        """What the account chose."""
        return self._choices.preferences

    def prefer(self, chosen: Preferences) -> None:
        """Use other choices at once, and keep them."""
        before = self.preferences
        self._choices.keep(chosen)
        self.window.header.show_keys()
        if chosen.look != current_look():
            self.window.set_look(chosen.look)
        if self.desk is not None:
            self.start_idle(is_patient=isinstance(self.desk, PatientDesk))
            if (chosen.text_scale, chosen.compact, chosen.keys) != (before.text_scale, before.compact, before.keys):
                self._make_pages_anew()

    def _make_pages_anew(self) -> None:
        """Lay out the pages again for another text size or other keys; not while a record is open."""
        desk, key = self.desk, self.window.current_key
        if desk is None or desk.open_count or not self.window.is_shell_shown:
            return
        if self._rooms is not None:
            self._rooms.stop()
        self.show_desk(desk, key)

    def _look_changed(self, look: Look) -> None:
        """Text size by key: kept like a choice under Settings, except in a patient's turn, which gives it back."""
        if self.turns.is_open or look.text_scale == self.preferences.text_scale:
            return
        self._choices.keep(replace(self.preferences, text_scale=look.text_scale))
        for page in self.window.findChildren(SettingsPage):
            page.show_chosen(self.preferences)
        shown = self.window.findChild(SignInPage)
        if shown is not None:
            self.show_sign_in(shown.current_key)

    def _system_changed(self) -> None:
        wanted = self._choices.system_look
        if not self._closed and wanted != current_look():
            self.window.set_look(wanted)

    # what went wrong

    def report(self, error: BaseException) -> None:
        """Say and log that something unexpected failed; the window stays."""
        note_failure(error)
        if not self._closed and self.desk is not None:
            self._has_trouble = True
            self._show_ledger()

    def _started(self) -> Started:
        if self.started is None:
            raise RuntimeError("the machine is not ready")
        return self.started


def _who(desk: Desk) -> tuple[str, str, str]:
    """Return name, hospital and role in words."""
    if isinstance(desk, StaffDesk):
        return desk.profile.name, desk.profile.hospital, role_words(desk.profile.role)
    return desk.unlocked.person.name, desk.machine.hospitals[desk.unlocked.card.msp_id], role_words("patient")
