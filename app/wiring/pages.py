"""Which pages each role has, in the order of the rail (SCREENS.md 2). A page is here only once it works."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app.services.ledger_audit import LedgerAudit
from app.ui.pages.accesses import AccessesPage
from app.ui.pages.consents import ConsentsPage
from app.ui.pages.inbox import InboxPage
from app.ui.pages.ledger import LedgerPage, LedgerPlace
from app.ui.pages.opening import Opener
from app.ui.pages.own_records import OwnRecordsPage
from app.ui.pages.people import PeoplePage
from app.ui.pages.questions import QuestionsPage
from app.ui.pages.settings import SettingsPage
from app.ui.pages.workplace import Workplace
from app.ui.widgets import PaletteItem
from app.ui.widgets.rail import RailEntry
from app.ui.window import MainWindow, PageEntry
from app.wiring.desks import Desk, PatientDesk, StaffDesk
from app.wiring.ledgers import new_replica
from ledger.embedded.export import export

if TYPE_CHECKING:
    from app.wiring.desktop import Desktop


def _nothing() -> None:
    """Nothing is open that would have to end first."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """The pages of whoever is signed in.

    Attributes:
        entries: in the order of the rail.
        start: key of the page to begin with.
        stop: ends what is open or being opened; to be called before the pages go.
        items: what the command palette finds besides the open page's own.
        grown: the ledger has grown; called on the GUI thread.
    """

    entries: tuple[PageEntry, ...]
    start: str
    stop: Callable[[], None] = _nothing
    items: Callable[[], tuple[PaletteItem, ...]] = tuple
    grown: Callable[[], None] = _nothing


def workplace(desk: Desk, desktop: "Desktop") -> Workplace:
    """Return what every page of this person needs beside its own service."""
    machine = desk.machine
    if isinstance(desk, PatientDesk):
        msp_id, signer, windows = desk.unlocked.card.msp_id, desk.unlocked.pairs[0].identity, None
    else:
        msp_id, signer = desk.profile.msp_id, desk.identity
        windows = desk.installation.windows(desk.identity)
    settle = machine.submission(signer).settle
    return Workplace(desktop.background, machine.clock, settle, machine.hospitals, msp_id, windows=windows)


def ledger_entry(desk: StaffDesk, place: Workplace) -> PageEntry:
    """Return the ledger's page (registrar, operator, privacy officer)."""
    installation = desk.installation
    audit = LedgerAudit(
        desk.machine,
        partial(new_replica, installation.ledger),
        lambda file: (export(installation.ledger, file), None)[1],
    )
    names = {
        profile.subject: profile.name
        for profile in installation.profiles.profiles()
        if profile.msp_id == desk.profile.msp_id
    }
    page = LedgerPage(audit, LedgerPlace(place.background, names))
    return PageEntry(RailEntry("ledger", "Ledger", "blocks"), page)


def settings_entry(desktop: "Desktop", *, is_patient: bool) -> PageEntry:
    """Return the settings' page."""
    page = SettingsPage(desktop.preferences, is_patient=is_patient)
    page.changed.connect(desktop.prefer)
    page.sign_out_wanted.connect(desktop.sign_out)
    return PageEntry(RailEntry("settings", "Settings", "settings", at_bottom=True), page)


def office_rooms(desk: StaffDesk, desktop: "Desktop") -> Rooms:
    """Return the pages of a registrar, operator or privacy officer."""
    place = workplace(desk, desktop)
    ledger, settings = ledger_entry(desk, place), settings_entry(desktop, is_patient=False)
    if desk.profile.role == "registrar":
        people = PageEntry(RailEntry("people", "People", "users-round"), PeoplePage(desk.people, place))
        return Rooms((people, ledger, settings), "people")
    if desk.profile.role == "privacy-officer":
        asked = QuestionsPage(desk.questions, place)
        entry = PageEntry(RailEntry("questions", "Questions", "message-circle-question-mark"), asked)
        return Rooms((entry, ledger, settings), "questions")
    return Rooms((ledger, settings), "ledger")


def patient_rooms(desk: PatientDesk, desktop: "Desktop") -> Rooms:
    """Return the pages of a patient: what she has to decide, what she decided, who saw what, her records."""
    window, place = desktop.window, workplace(desk, desktop)
    inbox = InboxPage(desk.inbox, place, desk.language)
    consents = ConsentsPage(desk.consents, desk.narrow, place, desk.language)
    accesses = AccessesPage(desk.accesses, desk.consents, desk.questions, place, desk.language)
    records = OwnRecordsPage(desk.records, place, desk.language, desk.unlocked.person.name)
    opener = Opener(desk.records.reading, desk.installation.reader, place, window, "My records")
    inbox.turn_ready.connect(desktop.turns.show)
    consents.turn_ready.connect(desktop.turns.show)
    accesses.consent_wanted.connect(partial(_show_consent, window, consents))
    records.open_wanted.connect(opener.open)
    opener.phase_changed.connect(records.show_phase)
    join_opener(opener, desktop)
    entries = (
        PageEntry(RailEntry("inbox", "Requests", "inbox"), inbox),
        PageEntry(RailEntry("consents", "My consents", "file-check"), consents),
        PageEntry(RailEntry("accesses", "Who saw what", "eye"), accesses),
        PageEntry(RailEntry("records", "My records", "folder-heart"), records),
        settings_entry(desktop, is_patient=True),
    )

    def grown() -> None:
        if window.is_shell_shown and window.current_key in ("inbox", "accesses"):
            window.page(window.current_key).refresh()
        accesses.look()

    return Rooms(entries, "inbox", partial(stop_opener, opener), grown=grown)


def join_opener(opener: Opener, desktop: "Desktop") -> None:
    """Let an opener use the window: records are shown alone, and when one is left, its page is there again."""
    window = desktop.window

    def left() -> None:
        if desktop.desk is not None:
            window.open_page(window.current_key)

    opener.shown.connect(window.show_alone)
    opener.left.connect(left)
    opener.said.connect(window.toast)
    opener.lock_wanted.connect(lambda: desktop.lock("Locked by you"))


def stop_opener(opener: Opener) -> None:
    """End an opener for good."""
    opener.stop()
    opener.deleteLater()


def _show_consent(window: MainWindow, page: ConsentsPage, consent_id: str) -> None:
    window.open_page("consents")
    page.show_consent(consent_id)
