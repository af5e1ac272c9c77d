"""The desktop: one window, from the first start through sign-in to the pages of whoever is signed in, and the lock."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.identity.hardening import harden_process
from app.identity.keystore import KeyStoreError, KeyStoreWrongPasswordError
from app.identity.ledger_head import OlderLedgerError
from app.identity.profiles import ProfileError
from app.services.machine import LedgerDamagedError
from app.services.pairs import WrongCardError, WrongPinError
from app.ui.background import Background, Task
from app.ui.lock import LockFacts
from app.ui.pages.sign_in import SignInPage, StartFacts, StartPage, Tile, role_words
from app.ui.theme import Fonts, Look, apply, cache_folder
from app.ui.theme import look as current_look
from app.ui.theme.fonts import cut_apart
from app.ui.window import MainWindow
from app.wiring.desks import Desk, PatientDesk, StaffDesk, sign_in, sign_in_patient
from app.wiring.pages import entries_for
from app.wiring.sandbox import PIN
from app.wiring.start import Started, start
from app.wiring.stores import PassphraseNeededError

VERSION = "Assent 0.1 · Sandbox"
_CARD = "card:"
TOO_MANY = "Too many tries. Ask a registrar to reset your PIN; bring your card."


class Desktop(QObject):
    """Owns the window, the background and, once somebody is signed in, that person's desk.

    Args:
        folder: of this account's installations.
        clock: seconds UTC.
        look: theme and text size.
    """

    def __init__(self, folder: Path, clock: Callable[[], int], look: Look) -> None:
        super().__init__()
        self._folder, self._clock = folder, clock
        self._fonts = Fonts()
        is_cut = self._fonts.load(cache_folder())
        self._apply(look)
        self.background = Background(parent=self)
        self.window = MainWindow()
        if not is_cut:
            self.background.run(self.window, lambda: cut_apart(cache_folder()), self._use_cut_fonts, self._raise)
        self.started: Started | None = None
        self.desk: Desk | None = None
        self._card_text = ""
        self._follower: Task | None = None
        self.window.lock_asked.connect(self.lock)
        self.window.closing.connect(self.close)

    @staticmethod
    def _apply(look: Look) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply(application, look)

    def _use_cut_fonts(self, _: None) -> None:
        self._fonts.load(cache_folder())
        self._apply(current_look())

    @property
    def cards(self) -> dict[str, str]:
        """The sandbox's cards by patient's name; empty outside a sandbox."""
        return {} if self.started is None else self.started.cards

    def begin(self, passphrase: str | None = None) -> None:
        """Show the window and make the machine ready behind it."""
        page = StartPage()
        page.passphrase_given.connect(self.begin)
        page.retry_asked.connect(lambda: self.begin(None))
        page.cancel_asked.connect(self.window.close)
        self.window.show_alone(page)
        self.window.show()
        self.background.follow(
            page,
            lambda task: start(self._folder, passphrase, self._clock, partial(_report, task)),
            lambda report: page.show_progress(report[2], report[0], report[1]),
            self._ready,
            partial(self._not_ready, page),
        )

    def _not_ready(self, page: StartPage, error: Exception) -> None:
        if isinstance(error, PassphraseNeededError):
            page.ask_passphrase(is_new=error.is_new)
        elif isinstance(error, KeyStoreWrongPasswordError):
            page.ask_passphrase(is_new=False, trouble=str(error))
        elif isinstance(error, KeyStoreError | OlderLedgerError):
            page.show_trouble(str(error))
        else:
            raise error

    def _ready(self, started: Started) -> None:
        self.started = started
        self._follower = self.background.follow(
            self.window, partial(_follow, started), self._grown, lambda _: None, self._damaged
        )
        self.show_sign_in()

    def show_sign_in(self) -> None:
        """Show who may sign in; nothing of anybody's work."""
        started = self._started()
        self.window.clear_pages()
        page = SignInPage(self._tiles(started), _facts(started))
        page.sign_in_asked.connect(partial(self._sign_in, page))
        page.card_asked.connect(partial(self._sign_in_card, page))
        self.window.show_alone(page)

    def _tiles(self, started: Started) -> tuple[Tile, ...]:
        profiles = started.installation.profiles.profiles()
        staff = [Tile(each.profile_id, each.name, each.role, each.hospital) for each in profiles]
        hospitals = started.installation.machine.hospitals
        patients = [
            Tile(_CARD + name, name, "patient", hospitals.get(text.split(".")[1], ""))
            for name, text in started.cards.items()
        ]
        order = ("practitioner", "patient", "privacy-officer", "registrar", "operator")
        return tuple(sorted([*staff, *patients], key=lambda tile: (tile.hospital, order.index(tile.role), tile.name)))

    def _sign_in(self, page: SignInPage, key: str, pin: str) -> None:
        if key.startswith(_CARD):
            self._sign_in_card(page, self._started().cards[key.removeprefix(_CARD)], pin)
            return
        installation = self._started().installation
        profile = next(each for each in installation.profiles.profiles() if each.profile_id == key)
        self._card_text = ""
        work = partial(sign_in, installation, profile, pin)
        self.background.run(page, work, self.show_desk, partial(self._refused, page.show_trouble))

    def _sign_in_card(self, page: SignInPage, card_text: str, pin: str) -> None:
        self._card_text = card_text
        work = partial(sign_in_patient, self._started().installation, card_text, pin)
        self.background.run(page, work, self.show_desk, partial(self._refused, page.show_trouble))

    def _refused(self, show: Callable[[str], None], error: Exception) -> None:
        if isinstance(error, WrongPinError):
            show(f"That was not your PIN. {_tries(error.tries_left)}" if error.tries_left else TOO_MANY)
        elif isinstance(error, ProfileError | WrongCardError | LedgerDamagedError):
            show(str(error))
        else:
            raise error

    def show_desk(self, desk: Desk) -> None:
        """Show the pages of whoever is signed in."""
        self.desk = desk
        entries = entries_for(desk, self)
        if isinstance(desk, StaffDesk):
            profile = desk.profile
            self.window.register(entries, profile.hospital, profile.name, role_words(profile.role))
        else:
            hospital = desk.machine.hospitals[desk.unlocked.card.msp_id]
            self.window.register(entries, hospital, desk.unlocked.person.name, role_words("patient"))

    def lock(self, reason: str) -> None:
        """Close what is open, wipe the keys, and show the lock page."""
        desk = self.desk
        if desk is None:
            return
        name, hospital = _who(desk)
        page = self.window.lock(LockFacts(name, hospital, desk.open_count, reason))
        page.unlock_asked.connect(lambda pin: self._unlock(desk, page.show_trouble, pin))
        page.sign_out_asked.connect(self.sign_out)
        page.someone_else_asked.connect(self.sign_out)
        self.desk = None
        self.background.run(self.window, desk.lock, lambda _: None, self._raise)

    def _unlock(self, locked: Desk, show: Callable[[str], None], pin: str) -> None:
        installation = self._started().installation
        if isinstance(locked, PatientDesk):
            work: Callable[[], Desk] = partial(sign_in_patient, installation, self._card_text, pin)
        else:
            work = partial(sign_in, installation, locked.profile, pin)
        self.background.run(self.window, work, self.show_desk, partial(self._refused, show))

    def sign_out(self) -> None:
        """Wipe the keys and go back to the sign-in page."""
        desk, self.desk, self._card_text = self.desk, None, ""
        self.show_sign_in()
        if desk is not None:
            self.background.run(self.window, desk.lock, lambda _: None, self._raise)

    def close(self) -> None:
        """End everything in order: the person's keys, the workers, the installation."""
        if self._follower is not None:
            self._follower.cancel()
        self.background.shutdown()
        if self.desk is not None:
            self.desk.lock()
            self.desk = None
        if self.started is not None:
            self.started.installation.close()
            self.started = None

    def _grown(self, grown: tuple[int, int]) -> None:
        height, at = grown
        self.window.status.show_left(f"Last entry recorded {_time_of_day(at)} · block {height - 1}", "check")

    def _damaged(self, error: Exception) -> None:
        if not isinstance(error, LedgerDamagedError):
            raise error

    def _raise(self, error: Exception) -> None:
        raise error

    def _started(self) -> Started:
        if self.started is None:
            raise RuntimeError("the machine is not ready")
        return self.started


def _follow(started: Started, task: Task) -> None:
    """Let the custodians follow the ledger for as long as the window lives."""
    installation, height = started.installation, 0
    while not task.is_cancelled:
        installation.tick()
        replica = installation.machine.replica
        if replica.height != height:
            height = replica.height
            task.report((height, replica.block_time))
        installation.machine.gateway.wait(height, 0.5)


def _report(task: Task, done: int, total: int, text: str) -> None:
    task.check()
    task.report((done, total, text))


def _facts(started: Started) -> StartFacts:
    installation, damage = started.installation, started.damage
    people = len(started.cards) + len(installation.profiles.profiles())
    verified = (
        f"The ledger on this machine was changed at block {damage.block}. You can look, but nothing can be opened."
        if damage is not None
        else f"{started.blocks} of {started.blocks} blocks verified at start, {started.seconds:.1f} s"
    )
    return StartFacts(
        verified=verified,
        is_damaged=damage is not None,
        key_store=f"Keys are in {installation.key_store.title}",
        version=VERSION,
        about=f"{people} people of the sandbox. None of them exists.",
        pin_hint=f"In the sandbox every PIN is {PIN}.",
    )


def _who(desk: Desk) -> tuple[str, str]:
    if isinstance(desk, StaffDesk):
        return desk.profile.name, desk.profile.hospital
    return desk.unlocked.person.name, desk.machine.hospitals[desk.unlocked.card.msp_id]


def _tries(left: int) -> str:
    return "1 try left." if left == 1 else f"{left} tries left."


def _time_of_day(at: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def run(folder: Path) -> int:
    """Open the desktop; returns the exit status."""
    harden_process()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Assent")
    desktop = Desktop(folder, lambda: int(time.time()), Look())
    desktop.begin()
    return application.exec()
