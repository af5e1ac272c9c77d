"""Draw every page and state of the sandbox to PNG files, as a person would come to them; the README's pictures too.

Names begin with the letter of SCREENS.md 4. The walk is one story: what an earlier picture shows has happened.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QAbstractButton, QApplication, QScrollArea

from app.consent.terms import Category, Labels
from app.identity.passphrase_file import PassphraseFile
from app.identity.pins import Stretching
from app.services.drafts import Draft
from app.services.machine import LedgerDamagedError
from app.ui.pages.consent_detail import ConsentDetail
from app.ui.pages.inbox import InboxPage
from app.ui.pages.own_records import OwnRecordsPage
from app.ui.pages.patient import PatientPage
from app.ui.pages.people_sheets import CardSheet
from app.ui.pages.requests_list import RequestsPage
from app.ui.pages.sign_in import SignInPage
from app.ui.pages.start import StartPage
from app.ui.pages.turn.check import Check
from app.ui.pages.turn.receipt import Finished
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.window import ConsentTurn
from app.ui.pages.worklist import WorklistPage
from app.ui.preferences import Preferences, Theme, keep_preferences
from app.ui.readers.frame import RecordFrame
from app.ui.theme import cache_folder
from app.ui.theme.fonts import are_cut, cut_apart
from app.wiring.desks import PatientDesk, sign_in, sign_in_patient
from app.wiring.desktop import Desktop
from app.wiring.drawing import Draughtsman
from app.wiring.entrance import Entrance
from app.wiring.ledgers import Circumstances
from app.wiring.sandbox import PIN, Sandbox, found_sandbox
from app.wiring.start import Started

_QUICK = Stretching(1024, 1, 1)
CAROL, ALMA, GRETA = "Dr Carol Specimen", "Alma Fictive", "Greta Imaginary"


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
        place = Path(name)
        settings = place / "config" / "settings.json"
        keep_preferences(settings, Preferences(theme=Theme(theme), text_scale=text_size / 100))
        sandbox = _sandbox(place)
        desktop = Desktop(Entrance(place, sandbox.installation.circumstances.clock, settings))
        artist = Artist(folder, desktop, sandbox, language)
        try:
            artist.draw_all(size)
        finally:
            desktop.window.close()
    sys.stdout.write(f"{artist.count} pictures in {folder}\n")
    return 0


class Artist(Draughtsman):
    """Walks through the desktop and draws what it sees."""

    def __init__(self, folder: Path, desktop: Desktop, sandbox: Sandbox, language: str) -> None:
        super().__init__(folder, desktop, sandbox)
        self.language = language

    def draw_all(self, size: tuple[int, int]) -> None:
        """Draw everything, in the order of the story."""
        self.window.resize(*size)
        self.window.show()
        self.start()
        self.practitioner()
        self.turn()
        self.opened()
        self.patient()
        self.offices()

    # what the walk consists of

    def start(self) -> None:
        """Draw the first start, the sign-in page and what can be wrong with it."""
        page = StartPage()
        self.window.show_alone(page)
        page.show_progress("Patients and their cards", 2, 5)
        self.shoot("a1-first-start")
        page.ask_passphrase(is_new=True)
        self.shoot("a2-choose-passphrase")
        page.ask_passphrase(is_new=False, trouble="This passphrase does not open the keys of this machine.")
        self.shoot("a3-wrong-passphrase")
        page.show_trouble("Your key store is locked. Unlock it and try again.")
        self.shoot("a4-key-store-locked")
        installation = self.sandbox.installation
        height = installation.machine.replica.height
        damage = LedgerDamagedError(17, "Merkle root")
        self.desktop.started = Started(installation, self.sandbox.cards, height, 0.2, damage)
        self.desktop.show_sign_in()
        self.shoot("a5-sign-in-damaged")
        self.desktop.ready(Started(installation, self.sandbox.cards, height, 0.2, None))
        self.shoot("a6-sign-in")
        door = self.find(SignInPage)
        door.pin.setText("not my PIN")
        self.press("Sign in")
        self.shoot("a7-wrong-pin")
        self.press("I am a patient…")
        self.shoot("a8-with-a-card")

    def practitioner(self) -> None:
        """Draw the practitioner's pages and dialogs."""
        with self.signed_in("Dr Dan Template"):
            self.shoot("b1-worklist-empty")
        with self.signed_in(CAROL) as desk:
            self.shoot("b2-worklist")
            worklist = self.page(WorklistPage, "worklist")
            worklist.filter.setText("xyz")
            self.shoot("b3-no-match")
            worklist.filter.clear()
            self.window.open_palette()
            self.shoot("b4-palette")
            self.window.palette_view.leave()
            self.window.header.open_notices()
            self.shoot("b5-notifications")
            self.close_dialogs()
            self.press("Import…")
            self.shoot("b6-import")
            self.close_dialogs()
            patient = self.page(PatientPage, "patient")
            self.shoot("c1-no-patient")
            patient.show_patient(self.known(desk, ALMA).patient_id)
            for key in ("timeline", "kind", "log"):
                patient.segments.choose(key)
                patient.segments.chosen.emit(key)
                self.shoot(f"c2-patient-{key}")
            self.page(RequestsPage, "requests")
            self.shoot("d1-requests")
            self.press("Ask for access…")
            self.shoot("d2-introduce")
            self.close_dialogs()
            self.page(RequestsPage, "requests").ask(self.known(desk, ALMA).patient_id, "image")
            self.settle()
            self.press("Send request")
            self.shoot("d3-form-gaps")
            self.fill_request()
            self.shoot("d4-form")
            self.page(RequestsPage, "requests").escape()
            self.shoot("d5-draft")
            self.desktop.lock("Locked after 5 minutes without use")
            self.shoot("m1-lock")
            self.fill("PIN", "not my PIN")
            self.press("Unlock")
            self.shoot("m2-wrong-pin")

    def fill_request(self) -> None:
        """Fill the request form in."""
        for name in ("Treatment", "CT and other images", "Laboratory", "Cytology", "A diagnostic suggestion"):
            button = self.control(name)
            if isinstance(button, QAbstractButton) and not button.isChecked():
                button.click()
        self.fill("Reason, in one sentence", "I want to compare your chest CT and cell sample with earlier ones.")

    def turn(self) -> None:
        """Draw the patient's turn, handed over, in the language chosen."""
        with self.signed_in(CAROL) as desk:
            self.page(RequestsPage, "requests").ask(self.known(desk, ALMA).patient_id, "image")
            self.settle()
            self.fill_request()
            self.press("Hand over to the patient now")
            turn = self.find(ConsentTurn)
            if self.language == "de":
                turn.header.language_chosen.emit("de")
            self.shoot("e0-card-and-pin")
            self.card_and_pin(turn, ALMA)
            turn.footer.next.emit()
            self.wait(lambda: turn.at.value == "read")
            self.shoot("e1-read")
            turn.footer.refused.emit()
            self.shoot("e1-refuse")
            self.close_dialogs()
            for at in self.walked(turn):
                self.shoot(f"e2-{at}")
                if at == "choose":
                    self.choose(turn)
                elif isinstance(turn.step, Check):
                    self.answer(turn.step)
                    self.shoot("e3-checked")
            self.card_and_pin(turn, ALMA)
            self.desktop.lock("Locked after 2 minutes without use")
            self.shoot("m3-lock-in-a-turn")
            self.desktop.turns.drop()

    def choose(self, turn: ConsentTurn) -> None:
        """Leave laboratory out, and answer what is open with yes."""
        step = turn.step
        boxes = getattr(step, "records").boxes  # noqa: B009  -- the step's type is Choose here
        boxes["laboratory"].button.click()
        getattr(step, "ai").segments.button(0).click()  # noqa: B009  -- same
        self.shoot("e2-chosen")

    @staticmethod
    def answer(step: Check) -> None:
        """Answer both questions rightly."""
        for card in step.cards:
            for option in card.options:
                option.button.click()
                if card.is_right:
                    break

    def walked(self, turn: ConsentTurn) -> Iterator[str]:
        """Read to the end, then go from step to step; each is left once its picture was drawn and it was answered."""
        self.wait(partial(_has_read, turn))
        for at in ("choose", "check", "sign"):
            turn.footer.next.emit()
            self.wait(partial(_is_at, turn, at))
            yield at

    def card_and_pin(self, turn: ConsentTurn, name: str) -> None:
        """Show card and PIN."""
        fields = getattr(turn.step, "fields")  # noqa: B009  -- Identity and Sign have it
        fields.card.setText(self.sandbox.cards[name])
        fields.pin.setText(PIN)

    def opened(self) -> None:
        """Draw open records, the suggestion, and what may come instead."""
        with self.signed_in(CAROL):
            self.open("CT chest")
            self.press("Save this window…")
            self.fill("Name", "Nodes")
            self.shoot("f0-own-window")
            self.press("Save")
            self.shoot("f1-viewer")
            self.leave()
            self.window.open_page("viewer")
            self.shoot("f9-viewer-nothing-open")
            self.open("discharge letter")
            self.shoot("f2-document")
            self.leave()
            self.open("Cytology")
            self.shoot("f3-table")
            self.find(RecordFrame).badge.click()
            self.shoot("f4-consent-badge")
            self.close_dialogs()
            self.press("Suggestion…")
            self.shoot("g1-model-card")
            self.press("I have read it")
            self.shoot("g2-suggestion")
            self.window.open_page("viewer")
            self.shoot("f9-viewer-open")
            self.window.open_page("suggestions")
            self.open_drawers()
            self.press("Agree")
            self.press("Record verdict…")
            self.shoot("g3-verdict")
            self.close_dialogs()
            self.leave()
            self.shoot("g4-queue")
            self.change("discharge letter")
            self.open("discharge letter", wait=False)
            self.shoot("f5-changed")
            self.leave()
            with self.silent_ledger():
                self.open("CT chest", wait=False)
                self.shoot("f6-unknown")
            self.wait(self.page(WorklistPage, "worklist").pane.first_button.isEnabled)
            self.open("CT chest")
            self.stop_all(ALMA)
            frame = self.find(RecordFrame)
            self.wait(lambda: frame.is_ended)
            self.shoot("f7-withdrawn")

    def patient(self) -> None:
        """Draw the patient's pages."""
        with self.signed_in(ALMA):
            self.shoot("h1-requests")
            inbox = self.page(InboxPage, "inbox")
            for key in ("consents", "accesses", "records"):
                self.window.open_page(key)
                self.shoot(f"h2-{key}")
            self.window.open_page("inbox")
            if inbox.decide_buttons:
                inbox.decide_buttons[0].click()
                self.shoot("e1-own-turn")
        with self.signed_in(ALMA) as desk:
            if isinstance(desk, PatientDesk):
                row = next(each for each in desk.records.rows() if each.category == "laboratory")
                self.page(OwnRecordsPage, "records").open_wanted.emit(desk.records.line(row, ALMA))
                self.find(RecordFrame)
                self.shoot("f8-chart")
        with self.signed_in(GRETA):
            for key in ("inbox", "consents", "accesses", "records"):
                self.window.open_page(key)
                self.shoot(f"h3-greta-{key}")
            self.page(InboxPage, "inbox").decide_buttons[0].click()
            turn = self.find(ConsentTurn)
            for _ in self.walked(turn):
                if isinstance(turn.step, Check):
                    self.answer(turn.step)
            self.card_and_pin(turn, GRETA)
            self.find(Sign).button.click()
            self.wait(partial(_is_at, turn, "receipt"))
            self.shoot("e4-receipt")
            self.find(Finished).finish_button.click()
            self.window.open_page("consents")
            self.open_drawers()
            self.find(ConsentDetail).stop_button.click()
            self.shoot("h4-stop")

    def offices(self) -> None:
        """Draw the pages of registrar, privacy officer and operator, and the settings."""
        for name in ("Rita Roster", "Petra Protocol", "Otto Operand"):
            with self.signed_in(name):
                for key in self.window.rail.keys:
                    self.window.open_page(key)
                    self.shoot(f"k-{name.split()[-1].lower()}-{key}")
                if name == "Otto Operand":
                    self.window.open_page("settings")
                    self.press("Change keys…")
                    self.shoot("k-keys")
                    self.close_dialogs()
                if name == "Rita Roster":
                    self.window.open_page("people")
                    self.open_drawers()
                    for button, picture in (
                        ("Make an introduction code…", "code"),
                        ("Register a patient…", "register"),
                        ("Enrol a person…", "enrol"),
                    ):
                        self.settle()
                        self.press(button)
                        self.shoot(f"k-people-{picture}")
                        if picture == "register":
                            self.register()
                        self.close_dialogs()

    def register(self) -> None:
        """Register a patient, and draw the card that is shown once."""
        self.fill("Name", "Hanno Unreal")
        for field in ("PIN", "The same again"):
            self.fill(field, PIN)
        self.press("Register and make the card")
        self.find_dialog(CardSheet)
        self.shoot("k-people-card")


def _has_read(turn: ConsentTurn) -> bool:
    """Scroll to the end, as a reader does; return whether she may go on."""
    for area in turn.step.findChildren(QScrollArea):
        area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    return turn.footer.next_button.isEnabled()


def _is_at(turn: ConsentTurn, at: str) -> bool:
    return turn.at.value == at


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
