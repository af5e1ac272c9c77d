"""Draw every page and state of the sandbox to PNG files, as a person would come to them; the README's pictures too."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.consent.terms import Category, Labels
from app.identity.passphrase_file import PassphraseFile
from app.identity.pins import Stretching
from app.services.requests import Draft
from app.ui.pages.sign_in import StartPage
from app.ui.theme import Look, Scheme, cache_folder
from app.ui.theme.fonts import are_cut, cut_apart
from app.wiring.desks import sign_in, sign_in_patient
from app.wiring.desktop import Desktop
from app.wiring.installation import Circumstances
from app.wiring.sandbox import PIN, Sandbox, found_sandbox
from app.wiring.start import Started

_QUICK = Stretching(1024, 1, 1)
_SETTLED = 0.35
_PATIENCE = 30.0
CAROL, ALMA, GRETA = "Dr Carol Specimen", "Alma Fictive", "Greta Imaginary"
ROLES = (CAROL, ALMA, "Petra Protocol", "Rita Roster", "Otto Operand")


def draw(folder: Path, *, theme: str, size: tuple[int, int], language: str, text_size: int) -> int:
    """Draw all pictures into ``folder``; returns 0.

    Args:
        folder: made if need be; pictures of the same name are replaced.
        theme: ``light`` or ``dark``.
        size: of the window in pixels.
        language: of the patient's turn, ``en`` or ``de``.
        text_size: in percent.
    """
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(application, QApplication):
        raise TypeError(application)
    if not are_cut(cache_folder()):
        cut_apart(cache_folder())
    look = Look(scheme=Scheme(theme), text_scale=text_size / 100)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assent-screens-") as name:
        sandbox = _sandbox(Path(name))
        started = Started(sandbox.installation, sandbox.cards, sandbox.installation.machine.replica.height, 0.2, None)
        artist = Artist(folder, Desktop(Path(name), sandbox.installation.circumstances.clock, look), started, language)
        try:
            artist.draw_all(size)
        finally:
            artist.desktop.window.close()
    sys.stdout.write(f"{artist.count} pictures in {folder}\n")
    return 0


class Artist:
    """Walks through the desktop and draws what it sees."""

    def __init__(self, folder: Path, desktop: Desktop, started: Started, language: str) -> None:
        self.folder, self.desktop, self.started, self.language = folder, desktop, started, language
        self.count = 0

    def draw_all(self, size: tuple[int, int]) -> None:
        """Draw first start, sign-in, each role's pages, the lock, and the patient's turn."""
        window = self.desktop.window
        window.resize(*size)
        start = StartPage()
        window.show_alone(start)
        window.show()
        start.ask_passphrase(is_new=True)
        self.shoot("00-first-start")
        self.desktop.started = self.started
        self.desktop.show_sign_in()
        self.shoot("01-sign-in")
        for number, name in enumerate(ROLES, 2):
            with self.signed_in(name):
                for key in window.rail.keys:
                    window.open_page(key)
                    self.shoot(f"{number:02}-{name.split()[-1].lower()}-{key}")
                if name == CAROL:
                    self.desktop.lock("Locked by you")
                    self.shoot("13-lock")

    @contextmanager
    def signed_in(self, name: str) -> Iterator[None]:
        """Sign somebody in, and out again."""
        if name in self.started.cards:
            desk = sign_in_patient(self.started.installation, self.started.cards[name], PIN)
            self.desktop.show_desk(desk)
        else:
            profiles = self.started.installation.profiles.profiles()
            profile = next(each for each in profiles if each.name == name)
            self.desktop.show_desk(sign_in(self.started.installation, profile, PIN))
        yield
        self.desktop.sign_out()
        self.settle()

    def shoot(self, name: str, widget: QWidget | None = None) -> None:
        """Draw the window, or a dialog over it, once nothing is loading any more."""
        self.settle()
        (widget or self.desktop.window).grab().save(str(self.folder / f"{name}.png"))
        self.count += 1

    def settle(self) -> None:
        """Let the background's work arrive and the window draw."""
        quiet = time.monotonic() + _SETTLED
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < min(quiet, until):
            loop = QEventLoop()
            QTimer.singleShot(20, loop.quit)
            loop.exec()
            if self.desktop.background.is_busy:
                quiet = time.monotonic() + _SETTLED


def _sandbox(folder: Path) -> Sandbox:
    """Found a sandbox in which something has happened already: asked, allowed in part, opened, denied, asked again."""

    def clock() -> int:
        return int(time.time())

    store = PassphraseFile.create(folder / "keys", PIN + PIN, _QUICK)
    sandbox = found_sandbox(folder / "sandbox", store, Circumstances(clock, stretching=_QUICK))
    installation = sandbox.installation
    carol = sign_in(installation, sandbox.profiles[CAROL], PIN)
    rita = sign_in(installation, sandbox.profiles["Rita Roster"], PIN)
    today = datetime.fromtimestamp(clock(), UTC).date()
    known = {}
    for name in (ALMA, GRETA):
        code = rita.people.make_code(sandbox.persons[name].patient_id)
        known[name] = carol.patients.introduce("AlderMSP", code.code)
    asked = Draft(
        known[ALMA].patient_id,
        categories=frozenset({Category.IMAGE, Category.LABORATORY, Category.CYTOLOGY, Category.DOCUMENT}),
        first_day=(today - timedelta(days=730)).isoformat(),
        last_day=today.isoformat(),
        days=30,
        ai=True,
        reason="I want to compare your chest CT and cell sample with earlier ones.",
    )
    carol.requests.send(asked)
    alma = sign_in_patient(installation, sandbox.cards[ALMA], PIN)
    turn = alma.inbox.turn(alma.inbox.rows()[0])
    turn.narrow(categories=asked.categories - {Category.LABORATORY}, keep_open_days=7, labels=Labels.NOT_MENTAL_HEALTH)
    turn.sign(sandbox.cards[ALMA], PIN)
    installation.tick(force=True)
    rows = carol.worklist.list_records(known[ALMA], "TREAT")
    for row in rows:
        if row.can_open and row.category == "cytology":
            carol.openings.close(carol.openings.open(row.wanted, "TREAT"))
    carol.requests.send(
        Draft(known[ALMA].patient_id, categories=frozenset({Category.MEDICATION}), reason="To check your tablets.")
    )
    carol.requests.send(Draft(known[GRETA].patient_id, categories=frozenset({Category.CYTOLOGY}), reason="Care."))
    installation.tick(force=True)
    return sandbox
