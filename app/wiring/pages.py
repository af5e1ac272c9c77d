"""Which pages each role has, in the order of the rail (SCREENS.md 2). A page is here only once it works."""

import random
from functools import partial
from typing import TYPE_CHECKING

from app.services.ledger_audit import LedgerAudit
from app.services.submission import Submission
from app.ui.pages.accesses import AccessesPage
from app.ui.pages.consents import ConsentsPage
from app.ui.pages.inbox import InboxPage
from app.ui.pages.ledger import LedgerPage, LedgerPlace
from app.ui.pages.opening import Opener
from app.ui.pages.own_records import OwnRecordsPage
from app.ui.pages.people import PeoplePage
from app.ui.pages.turn.place import TurnPlace
from app.ui.pages.turn.window import ConsentTurn
from app.ui.pages.workplace import Workplace
from app.ui.widgets.rail import RailEntry
from app.ui.window import PageEntry
from app.wiring.desks import Desk, PatientDesk, StaffDesk
from app.wiring.installation import new_replica
from app.wiring.practitioner import practitioner_entries
from ledger.embedded.export import export

if TYPE_CHECKING:
    from app.services.turn import Turn
    from app.wiring.desktop import Desktop


def entries_for(desk: Desk, desktop: "Desktop") -> tuple[PageEntry, ...]:
    """Return the pages of whoever is signed in, the start page first."""
    place = workplace(desk, desktop)
    if isinstance(desk, PatientDesk):
        return _patient(desk, desktop, place)
    if desk.profile.role == "practitioner":
        return practitioner_entries(desk, desktop, place)
    ledger = _ledger(desk, place)
    if desk.profile.role == "registrar":
        people = PageEntry(RailEntry("people", "People", "users-round"), PeoplePage(desk.people, place.background))
        return (people, ledger)
    return (ledger,)


def workplace(desk: Desk, desktop: "Desktop") -> Workplace:
    """Return what every page of this person needs beside its own service."""
    machine = desk.machine
    if isinstance(desk, PatientDesk):
        msp_id, signer = desk.unlocked.card.msp_id, desk.unlocked.pairs[0].identity
    else:
        msp_id, signer = desk.profile.msp_id, desk.identity
    settle = Submission(machine.gateway, signer).settle
    return Workplace(desktop.background, machine.clock, settle, machine.hospitals, msp_id)


def _ledger(desk: StaffDesk, place: Workplace) -> PageEntry:
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


def _patient(desk: PatientDesk, desktop: "Desktop", place: Workplace) -> tuple[PageEntry, ...]:
    inbox = InboxPage(desk.inbox, place, desk.language)
    consents = ConsentsPage(desk.consents, place, desk.language)
    accesses = AccessesPage(desk.accesses, desk.consents, place, desk.language)
    records = OwnRecordsPage(desk.records, place, desk.language, desk.unlocked.person.name)
    opener = Opener(desk.records.reading, desk.installation.reader, place, records, "My records")
    records.open_wanted.connect(opener.open)
    opener.phase_changed.connect(records.show_phase)
    opener.shown.connect(desktop.window.show_alone)
    opener.left.connect(desktop.window.show_shell)
    opener.said.connect(desktop.window.toast)
    opener.lock_wanted.connect(lambda: desktop.lock("Locked by you"))
    inbox.turn_ready.connect(partial(_show_turn, desk, desktop, place))
    accesses.consent_wanted.connect(lambda consent_id: _show_consent(desktop, consents, consent_id))
    pages = {
        "inbox": PageEntry(RailEntry("inbox", "Requests", "inbox"), inbox),
        "consents": PageEntry(RailEntry("consents", "My consents", "file-check"), consents),
        "accesses": PageEntry(RailEntry("accesses", "Who saw what", "eye"), accesses),
        "records": PageEntry(RailEntry("records", "My records", "folder-heart"), records),
    }
    return tuple(pages.values())


def _show_turn(desk: PatientDesk, desktop: "Desktop", place: Workplace, turn: "Turn") -> None:
    def unlock(_card_text: str, _pin: str) -> "Turn":
        return turn

    name = turn.patient_name
    cards = desktop.cards
    where = TurnPlace(
        place=place,
        patient_name=name,
        asked_by=turn.asked_by.name,
        language=desk.language,
        handed_over=False,
        unlock=unlock,
        shuffle=random.SystemRandom().shuffle,
        sandbox_card=(lambda: cards[name]) if name in cards else None,
    )
    widget = ConsentTurn(where, turn)
    widget.left.connect(lambda _how: desktop.window.show_shell())
    desktop.window.show_alone(widget)


def _show_consent(desktop: "Desktop", page: ConsentsPage, consent_id: str) -> None:
    desktop.window.open_page("consents")
    page.show_consent(consent_id)
