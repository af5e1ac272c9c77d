"""Draw every page and state of the sandbox to PNG files, as a person would come to them; the README's pictures too."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEventLoop, QPoint, QTimer
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.consent.terms import Category, Labels
from app.identity.passphrase_file import PassphraseFile
from app.identity.pins import Stretching
from app.services.requests import Draft
from app.ui.pages.patient import PatientPage
from app.ui.pages.requests_list import RequestsPage
from app.ui.pages.sign_in import SignInPage, StartPage
from app.ui.pages.turn.check import Check
from app.ui.pages.turn.choose import Choose
from app.ui.pages.turn.place import Leaving
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.window import ConsentTurn
from app.ui.pages.worklist import WorklistPage
from app.ui.preferences import Preferences, Theme, keep_preferences
from app.ui.readers.frame import RecordFrame
from app.ui.theme import cache_folder
from app.ui.theme.fonts import are_cut, cut_apart
from app.ui.widgets import states
from app.ui.widgets.bands import StateView
from app.ui.widgets.dialogs import Sheet
from app.wiring.desks import Desk, StaffDesk, sign_in, sign_in_patient
from app.wiring.desktop import Desktop
from app.wiring.installation import Circumstances
from app.wiring.sandbox import PIN, Sandbox, found_sandbox
from app.wiring.start import Started

_QUICK = Stretching(1024, 1, 1)
_SETTLED = 0.35
_PATIENCE = 30.0
CAROL, ALMA, GRETA = "Dr Carol Specimen", "Alma Fictive", "Greta Imaginary"
OFFICES: Final = ("Petra Protocol", "Rita Roster", "Otto Operand")


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
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assent-screens-") as name:
        settings = Path(name) / "settings.json"
        keep_preferences(settings, Preferences(theme=Theme(theme), text_scale=text_size / 100))
        sandbox = _sandbox(Path(name))
        desktop = Desktop(Path(name), sandbox.installation.circumstances.clock, settings)
        artist = Artist(folder, desktop, sandbox, language)
        try:
            artist.draw_all(size)
        finally:
            desktop.window.close()
    sys.stdout.write(f"{artist.count} pictures in {folder}\n")
    return 0


class Artist:
    """Walks through the desktop as a person would and draws what it sees."""

    def __init__(self, folder: Path, desktop: Desktop, sandbox: Sandbox, language: str) -> None:
        self.folder, self.desktop, self.sandbox, self.language = folder, desktop, sandbox, language
        self.count = 0
        self._standing = 0

    def draw_all(self, size: tuple[int, int]) -> None:
        """Draw the first start, sign-in, each role's pages, the records, the turn, the lock and the shared states."""
        self.desktop.window.resize(*size)
        self.desktop.window.show()
        self._starts()
        self._practitioner()
        self._records()
        self._patient()
        self._turn()
        for name in OFFICES:
            with self.signed_in(name):
                self._pages(f"k-{name.split()[0].lower()}")
        self._states()

    def _starts(self) -> None:
        window, start = self.desktop.window, StartPage()
        window.show_alone(start)
        start.show_progress("Patients and their cards", 2, 5)
        self.shoot("a-0-getting-ready")
        start.ask_passphrase(is_new=True)
        self.shoot("a-1-no-key-store")
        start.show_trouble("Your key store is locked. Unlock it and try again.")
        self.shoot("a-2-key-store-locked")
        installation = self.sandbox.installation
        height = installation.machine.catch_up().height
        self.desktop.ready(Started(installation, self.sandbox.cards, height, 0.2, None))
        self._standing = 1  # what follows the ledger goes on for as long as the window lives
        self.shoot("a-3-sign-in")
        page = window.findChild(SignInPage)
        if page is not None:
            page.show_trouble("That was not your PIN. 4 tries left.")
            self.shoot("a-4-wrong-pin")

    def _practitioner(self) -> None:
        window = self.desktop.window
        with self.signed_in(CAROL) as desk:
            self._pages("b")
            patient, requests = window.page("patient"), window.page("requests")
            known = next(each for each in _staff(desk).patients.known() if each.name == ALMA)
            if isinstance(patient, PatientPage) and isinstance(requests, RequestsPage):
                window.open_page("patient")
                patient.show_patient(known.patient_id)
                self.shoot("c-patient")
                window.open_page("requests")
                requests.ask("", "")
                self.shoot_dialog("d-introduce")
                requests.ask(known.patient_id, "")
                self.shoot("d-ask")
            window.open_palette()
            self.shoot("b-palette")
            window.palette_view.leave()
            self.desktop.lock("Locked by you")
            self.shoot("m-lock")

    def _records(self) -> None:
        """Open one record of each kind from the worklist, and what the rules refuse."""
        window = self.desktop.window
        with self.signed_in(CAROL) as desk:
            worklist = window.page("worklist")
            if not isinstance(worklist, WorklistPage):
                return
            for row in _staff(desk).worklist.rows():
                if not row.can_open or row.patient.name != ALMA:
                    continue
                worklist.open_wanted.emit(row)
                self.shoot(
                    f"f-{row.category}-{row.record_id[:3]}" if row.category == "document" else f"f-{row.category}"
                )
                frame = window.findChild(RecordFrame)
                if frame is None:
                    continue
                if row.category == "cytology":
                    self._suggestion(frame)
                    window.open_page("worklist")
                else:
                    frame.close_asked.emit()
                self.settle()

    def _suggestion(self, frame: RecordFrame) -> None:
        button = next(
            (each for each in frame.findChildren(QAbstractButton) if each.text().startswith("Suggestion")), None
        )
        if button is None:
            return
        button.click()
        self.settle()
        for sheet in self.desktop.window.findChildren(Sheet):
            self.shoot_dialog("g-model-card")
            sheet.accept()
        self.shoot("g-suggestion")

    def _patient(self) -> None:
        with self.signed_in(ALMA):
            self._pages("h")

    def _turn(self) -> None:
        """Decide a request, step by step, in the chosen language."""
        with self.signed_in(GRETA if self.language == "de" else ALMA) as desk:
            if isinstance(desk, StaffDesk):
                return
            turn = desk.inbox.turn(desk.inbox.rows()[0])
            turn.language = self.language
            self.desktop.turns.show(turn)
            widget = self.desktop.window.findChild(ConsentTurn)
            if widget is None:
                return
            for name in ("e-1-read", "e-2-choose", "e-3-check"):
                self.shoot(f"{name}-{self.language}")
                _answer(widget)
                self.settle()
                widget.footer.next_button.click()
            self.shoot(f"e-4-sign-{self.language}")
            if isinstance(widget.step, Sign):
                if widget.step.fields.sandbox_button is not None:
                    widget.step.fields.sandbox_button.click()
                widget.step.fields.pin.setText(PIN)
                widget.step.button.click()
            self.shoot(f"e-5-receipt-{self.language}")
            widget.leave(Leaving.SIGNED)
            self.settle()

    def _pages(self, letter: str) -> None:
        for key in self.desktop.window.rail.keys:
            self.desktop.window.open_page(key)
            self.shoot(f"{letter}-{key}")

    def _states(self) -> None:
        """Draw the states that every page shares, each as a page shows it."""
        now = self.sandbox.installation.circumstances.clock()
        shared = {
            "denied": states.denied("Consent C-4RT8 leaves out laboratory. A refusal is stronger than a permission."),
            "unknown": states.unknown(),
            "conflict": states.conflict(),
            "not-sent": states.not_sent("clock-skew"),
            "offline": states.offline(now, 1, now + 300),
            "changed": states.changed_record("Pixels changed in 1 of 200 images (image 104). Header unchanged."),
            "withdrawn": states.withdrawn(ALMA, now),
        }
        for name, state in shared.items():
            self.desktop.window.show_alone(StateView(state))
            self.shoot(f"z-{name}")
        self.desktop.show_sign_in()

    @contextmanager
    def signed_in(self, name: str) -> Iterator[Desk]:
        """Sign somebody in, and out again."""
        installation = self.sandbox.installation
        if name in self.sandbox.cards:
            desk: Desk = sign_in_patient(installation, self.sandbox.cards[name], PIN)
        else:
            desk = sign_in(installation, self.sandbox.profiles[name], PIN)
        self.desktop.show_desk(desk)
        self.settle()
        yield desk
        self.desktop.sign_out()
        self.settle()

    def shoot(self, name: str) -> None:
        """Draw the window once nothing is loading any more."""
        self.settle()
        self._save(name, self.desktop.window.grab())

    def shoot_dialog(self, name: str) -> None:
        """Draw the window with the dialog over it, then close the dialog."""
        self.settle()
        picture = self.desktop.window.grab()
        for sheet in self.desktop.window.findChildren(Sheet):
            if sheet.isVisible():
                painter = QPainter(picture)
                painter.drawPixmap(self.desktop.window.mapFromGlobal(sheet.mapToGlobal(QPoint(0, 0))), sheet.grab())
                painter.end()
        self._save(name, picture)
        for sheet in self.desktop.window.findChildren(Sheet):
            sheet.reject()

    def _save(self, name: str, picture: QPixmap) -> None:
        picture.save(str(self.folder / f"{name}.png"))
        self.count += 1

    def settle(self) -> None:
        """Let the background's work arrive and the window draw."""
        until = time.monotonic() + _PATIENCE
        quiet = time.monotonic() + _SETTLED
        while time.monotonic() < min(quiet, until):
            loop = QEventLoop()
            QTimer.singleShot(20, loop.quit)
            loop.exec()
            if self.desktop.background.pending > self._standing:
                quiet = time.monotonic() + _SETTLED


def _staff(desk: Desk) -> StaffDesk:
    if not isinstance(desk, StaffDesk):
        raise TypeError(desk)
    return desk


def _answer(widget: ConsentTurn) -> None:
    """Answer what the step asks: "no" to computers, and both questions right."""
    if isinstance(widget.step, Check):
        for card in widget.step.cards:
            for option in card.options:
                if not card.is_right:
                    option.button.click()
    elif isinstance(widget.step, Choose):
        for row in (widget.step.ai, widget.step.training, widget.step.emergency):
            if row is not None and row.isVisible() and not row.segments.current:
                row.segments.button(0).click()


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
        Draft(
            known[ALMA].patient_id,
            categories=frozenset({Category.MEDICATION, Category.CYTOLOGY, Category.LABORATORY}),
            first_day=asked.first_day,
            last_day=asked.last_day,
            days=30,
            ai=True,
            reason="To check your tablets against your cell samples.",
        )
    )
    carol.requests.send(
        Draft(
            known[GRETA].patient_id,
            categories=frozenset({Category.CYTOLOGY, Category.IMAGE, Category.LABORATORY}),
            first_day=asked.first_day,
            last_day=asked.last_day,
            days=30,
            ai=True,
            reason="Ich möchte Ihre Zellprobe mit früheren vergleichen.",
        )
    )
    installation.tick(force=True)
    return sandbox
