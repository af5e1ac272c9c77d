"""The patient's pages on a real sandbox: what she reads, what she stops, blocks, saves and checks."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.consent.receipt import verify_receipt
from app.consent.terms import Category
from app.services.accesses import Accesses, AccessState, Completeness
from app.services.agreement import Agreement, Opinion, Stand
from app.services.consents import ConsentState
from app.services.openings import DeniedError, Wanted
from app.services.proofs import NotProvenError
from app.services.turn import Turn
from app.ui.pages.access_list import HEAD
from app.ui.pages.accesses import AccessesPage
from app.ui.pages.consents import ConsentsPage
from app.ui.pages.inbox import InboxPage
from app.ui.pages.own_records import OwnRecordsPage
from app.ui.pages.phases import Phase, Step
from app.ui.pages.turn.sheets import BlockSheet, SigningSheet
from app.ui.widgets import Group
from app.wiring.sandbox import PIN
from tests.support.sandbox import ALMA, CAROL
from tests.ui.patient.turning import click, type_into

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.services.accesses import AccessRow
    from app.services.proofs import Checked
    from app.wiring.desks import PatientDesk
    from tests.support.turns import Asked

HOUR = 3600


@pytest.fixture
def alma(asked: Asked) -> PatientDesk:
    """Alma, signed in with her card."""
    return asked.world.patient(ALMA)


def signed(asked: Asked) -> None:
    """Allow what was asked but laboratory results, for a week; then Carol lists, opens and is denied once."""
    turn = asked.start(asked.card, PIN)
    turn.narrow(categories=turn.terms.categories - {Category.LABORATORY}, keep_open_days=7, ai_inference=False)
    turn.sign(asked.card, PIN)
    asked.world.tick()
    carol = asked.world.staff(CAROL)
    reference = carol.patients.known()[0]
    asked.world.clock.now += 60
    rows = carol.worklist.list_records(reference, "TREAT")
    asked.world.clock.now += 60
    carol.openings.open(next(row for row in rows if row.can_open and row.record_id).wanted, "TREAT")
    asked.world.clock.now += 60
    own = asked.world.patient(ALMA).records.rows()
    closed = next(row for row in own if row.category == Category.LABORATORY)
    with pytest.raises(DeniedError):
        carol.openings.open(Wanted(reference.patient_id, "AlderMSP", closed.record_id, closed.version), "TREAT")
    asked.world.tick()


def accesses_page(qtbot: QtBot, asked: Asked, accesses: Accesses | None = None) -> AccessesPage:
    """Return Who saw what, loaded."""
    desk = asked.world.patient(ALMA)
    page = AccessesPage(accesses or desk.accesses, desk.consents, desk.questions, asked.place, "en", asked.folder)
    qtbot.addWidget(page)
    page.resize(1192, 724)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.list.current_row is not None or page.nothing.isVisible())
    return page


def consents_page(qtbot: QtBot, asked: Asked, language: str = "en") -> ConsentsPage:
    """Return My consents, loaded."""
    desk = asked.world.patient(ALMA)
    page = ConsentsPage(desk.consents, desk.narrow, asked.place, language, asked.folder)
    qtbot.addWidget(page)
    page.resize(1192, 724)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.tells.current != "")
    return page


def sheet(qtbot: QtBot) -> SigningSheet:
    """Return the sheet that opened."""

    def found() -> list[SigningSheet]:
        shown = [each for each in QApplication.topLevelWidgets() if isinstance(each, SigningSheet)]
        return [each for each in shown if each.isVisible()]

    qtbot.waitUntil(lambda: bool(found()))
    return found()[0]


def test_requests_lead_to_a_started_turn(qtbot: QtBot, asked: Asked, alma: PatientDesk) -> None:
    page = InboxPage(alma.inbox, asked.place, "en")
    qtbot.addWidget(page)
    counts: list[int] = []
    page.count_changed.connect(lambda count, _urgent: counts.append(count))
    page.refresh()
    qtbot.waitUntil(lambda: len(page.decide_buttons) == 1)
    assert counts == [1]
    with qtbot.waitSignal(page.turn_ready) as ready:
        click(page.decide_buttons[0])
    assert isinstance(ready.args[0], Turn)
    assert ready.args[0].consent_id == asked.consent_id


def test_a_request_decided_elsewhere_meanwhile_goes_away(qtbot: QtBot, asked: Asked, alma: PatientDesk) -> None:
    page = InboxPage(alma.inbox, asked.place, "en")
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: len(page.decide_buttons) == 1)
    asked.start(asked.card, PIN).refuse(asked.card, PIN)
    said: list[str] = []
    page.toast_wanted.connect(said.append)
    click(page.decide_buttons[0])
    qtbot.waitUntil(page.nothing.isVisible)
    assert said == ["This request was answered or withdrawn meanwhile."]
    assert page.nothing.state is not None
    assert page.nothing.state.heading == "Nothing to decide"


def test_who_saw_what_lists_every_opening_and_every_attempt(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    states = [row.state for row in page.shown_rows]
    assert states == [AccessState.NOT_OPENED, AccessState.OPEN_NOW, AccessState.OPENED]
    entries = page.list.entries_model.entries
    assert isinstance(entries[0], Group)
    assert entries[0].heading == "Today, Tuesday 24 November"
    assert [getattr(each, "middle_caption", "") for each in entries[1:]] == [
        "Tried. You left it out",
        "To treat you",
        "To treat you",
    ]
    assert [page.segments.button(number).count for number in range(3)] == [3, 1, 0]
    click(page.segments.button(1))
    assert [row.state for row in page.shown_rows] == [AccessState.NOT_OPENED]
    click(page.segments.button(2))
    assert page.nothing.isVisible()
    page.nothing.acted.emit("clear")
    assert len(page.shown_rows) == 3


def test_a_period_leaves_out_what_is_older(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    asked.world.clock.now += 31 * 24 * HOUR
    page = accesses_page(qtbot, asked)
    assert not page.shown_rows
    page.period.setCurrentIndex(1)
    page.period.activated.emit(1)
    assert len(page.shown_rows) == 3
    page.person.setCurrentIndex(1)
    page.person.activated.emit(1)
    assert {row.who.name for row in page.shown_rows} == {CAROL}


def test_nobody_has_opened_anything(qtbot: QtBot, asked: Asked) -> None:
    page = accesses_page(qtbot, asked)
    assert page.nothing.state is not None
    assert page.nothing.state.text == "Nobody has opened your records."
    assert not page.save_button.isEnabled()


def test_the_list_says_with_which_block_it_was_compared(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    desk = asked.world.patient(ALMA)
    page = AccessesPage(desk.accesses, desk.consents, desk.questions, asked.place, "en", asked.folder)
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.status_said) as said:
        page.refresh()
    block = desk.machine.replica.height - 1
    assert said.args == [
        f"This list is complete: it was compared with block {block} at 14:23",
        "shield-check",
        "ok",
    ]
    assert page.band.state is None


def test_then_it_says_whether_two_hospitals_agree(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    desk = asked.world.patient(ALMA)
    page = AccessesPage(desk.accesses, desk.consents, desk.questions, asked.place, "en", asked.folder)
    qtbot.addWidget(page)
    said: list[str] = []
    page.status_said.connect(lambda text, _icon, _tone: said.append(text))
    page.refresh()
    block = desk.machine.replica.height - 1
    qtbot.waitUntil(lambda: bool(said) and said[-1].endswith(f". 2 of 2 hospitals agree, as of block {block}"))
    assert page.band.state is None


class Disagreeing(Accesses):
    """One hospital leaves out an entry, the other does not answer."""

    def agreement(self) -> Agreement:
        return Agreement(
            (
                Opinion("BirchMSP", "p1", Stand.DIFFERS, 7, hidden=("a",)),
                Opinion("AlderMSP", "p1", Stand.SILENT, code="locked"),
            )
        )


def test_a_disagreement_is_shown_in_full(qtbot: QtBot, asked: Asked, alma: PatientDesk) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked, Disagreeing(alma.machine, alma.unlocked.pairs))
    qtbot.waitUntil(lambda: page.band.state is not None)
    assert page.band.state is not None
    assert page.band.state.heading == "Hospitals disagree about your records."
    assert page.band.state.text == (
        "Birch Hospital leaves out 1 entry of this list. Show this to the privacy officer of your hospital."
    )


class Behind(Accesses):
    """A list that could not be compared with the newest block."""

    def completeness(self) -> Completeness:
        return Completeness(3, self.machine.clock(), complete=False)


def test_a_list_that_may_miss_entries_says_so(qtbot: QtBot, asked: Asked, alma: PatientDesk) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked, Behind(alma.machine, alma.unlocked.pairs))
    assert page.band.state is not None
    assert page.band.state.text == "This list may be missing entries after 14:23."


def test_an_entry_is_checked_again_and_says_so(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    click(page.detail.check_button)
    qtbot.waitUntil(lambda: "Checked at 14:23: unchanged." in page.detail.checked.text.text())


class Lying(Accesses):
    """A list whose entries do not check out."""

    def check(self, row: AccessRow) -> Checked:
        raise NotProvenError("signature", row.access_id)


def test_an_entry_that_does_not_check_out_says_so_and_whom_to_tell(
    qtbot: QtBot, asked: Asked, alma: PatientDesk
) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked, Lying(alma.machine, alma.unlocked.pairs))
    click(page.detail.check_button)
    qtbot.waitUntil(lambda: "does not check out" in page.detail.checked.text.text())
    assert "Tell the privacy officer." in page.detail.checked.text.text()


def test_the_list_is_saved_as_a_table_that_no_spreadsheet_runs(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    rows = page.shown_rows
    evil = replace(rows[0], records=('=HYPERLINK("http://example.org")',))
    assert page._loaded is not None
    page._loaded = replace(page._loaded, rows=(evil, *rows[1:]))
    with qtbot.waitSignal(page.toast_wanted):
        click(page.save_button)
    saved = list(csv.reader((asked.folder.folder / "who-saw-what.csv").read_text(encoding="utf-8").splitlines()))
    assert tuple(saved[0]) == HEAD
    assert len(saved) == 4
    assert saved[1][3].startswith("'=")
    assert saved[1][-1] == rows[0].access_id


def test_one_entry_is_saved_as_pdf(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    with qtbot.waitSignal(page.toast_wanted):
        click(page.detail.save_button)
    assert (asked.folder.folder / asked.folder.suggested[0]).read_bytes().startswith(b"%PDF-")


def test_an_access_is_stopped_with_the_pin_and_closes_what_is_open(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    assert not page.detail.stop_button.isVisible()
    page.list.choose(page.shown_rows[1].access_id)
    click(page.detail.stop_button)
    asked_sheet = sheet(qtbot)
    QTest.keyClick(asked_sheet, Qt.Key.Key_Escape)
    QTest.keyClick(asked_sheet, Qt.Key.Key_Return)
    assert asked_sheet.isVisible()
    type_into(asked_sheet.fields.pin, "00000000")
    click(asked_sheet.go_button)
    qtbot.waitUntil(lambda: "4 tries left" in asked_sheet.fields.trouble.text.text())
    type_into(asked_sheet.fields.pin, PIN)
    with qtbot.waitSignal(page.toast_wanted):
        click(asked_sheet.go_button)
    assert asked.world.patient(ALMA).consents.rows()[0].state is ConsentState.WITHDRAWN


def test_the_consent_behind_an_entry_can_be_followed(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    page.list.choose(page.shown_rows[1].access_id)
    with qtbot.waitSignal(page.consent_wanted) as wanted:
        page.detail.consent_followed.emit(asked.consent_id)
    assert wanted.args == [asked.consent_id]
    consents = consents_page(qtbot, asked)
    consents.show_consent(asked.consent_id)
    assert consents.list.current_row.consent_id == asked.consent_id


def test_a_consent_shows_what_was_signed_and_how_often_it_was_used(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = consents_page(qtbot, asked)
    row = page.list.current_row
    assert (row.state, row.times_opened) == (ConsentState.ACTIVE, 2)
    groups = [each.heading for each in page.list.entries_model.entries if isinstance(each, Group)]
    assert groups == ["Active"]
    assert page.detail.stop_button.isVisible()


@pytest.mark.parametrize(("language", "said"), [("en", "access now?"), ("de", "jetzt beenden?")])
def test_stop_asks_in_her_language_and_ends_the_consent(qtbot: QtBot, asked: Asked, language: str, said: str) -> None:
    signed(asked)
    page = consents_page(qtbot, asked, language)
    click(page.detail.stop_button)
    asked_sheet = sheet(qtbot)
    assert any(said in each.text() for each in asked_sheet.findChildren(type(page.detail.saved.text)))
    assert not asked_sheet.go_button.isDefault()
    type_into(asked_sheet.fields.pin, PIN)
    click(asked_sheet.go_button)
    qtbot.waitUntil(lambda: page.list.current_row.state is ConsentState.WITHDRAWN)
    assert not page.detail.stop_button.isVisible()


@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_the_receipt_of_a_consent_is_saved_and_verifies(qtbot: QtBot, asked: Asked, kind: str) -> None:
    signed(asked)
    page = consents_page(qtbot, asked)
    button = page.detail.pdf_button if kind == "pdf" else page.detail.json_button
    click(button)
    qtbot.waitUntil(lambda: page.detail.saved.text.text().startswith("Saved as"))
    content = (asked.folder.folder / asked.folder.suggested[0]).read_bytes()
    if kind == "pdf":
        assert content.startswith(b"%PDF-")
    else:
        network_id = asked.world.installation.machine.gateway.network_id
        assert verify_receipt(content, network_id).consent_id == asked.consent_id


def test_a_folder_that_cannot_be_written_says_so(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = consents_page(qtbot, asked)
    asked.folder.folder /= "no such folder"
    click(page.detail.pdf_button)
    qtbot.waitUntil(lambda: page.detail.saved.text.text() == "It could not be saved there.")


def test_a_person_is_blocked_from_the_list_and_the_block_can_be_lifted(qtbot: QtBot, asked: Asked) -> None:
    page = consents_page(qtbot, asked)
    click(page.block_button)
    block = sheet(qtbot)
    assert isinstance(block, BlockSheet)
    type_into(block.filter, "carol")
    shown = [option for option in block.options.values() if option.isVisible()]
    assert [option.text_label.text() for option in shown] == [CAROL]
    click(shown[0].button)
    click(block.emergency.button(0))
    type_into(block.fields.pin, PIN)
    click(block.go_button)
    qtbot.waitUntil(lambda: page.list.current_row is not None and page.list.current_row.denies)
    assert page.detail.stop_button.text() == "Lift this block…"
    click(page.detail.stop_button)
    lift = sheet(qtbot)
    type_into(lift.fields.pin, PIN)
    click(lift.go_button)
    qtbot.waitUntil(lambda: page.list.current_row.state is ConsentState.WITHDRAWN)


def test_whether_hidden_records_are_shown_is_chosen_here(qtbot: QtBot, asked: Asked) -> None:
    page = consents_page(qtbot, asked)
    assert page.tells.current == "yes"
    with qtbot.waitSignal(page.toast_wanted):
        click(page.tells.button(1))
    assert set(asked.world.patient(ALMA).consents.tells_withheld().values()) == {False}


def records_page(qtbot: QtBot, asked: Asked) -> OwnRecordsPage:
    """Return My records, loaded."""
    page = OwnRecordsPage(asked.world.patient(ALMA).records, asked.place, "en", ALMA)
    qtbot.addWidget(page)
    page.resize(1192, 724)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.list.current_row is not None)
    return page


def test_her_records_open_as_lines_and_show_how_far_it_is(qtbot: QtBot, asked: Asked) -> None:
    page = records_page(qtbot, asked)
    with qtbot.waitSignal(page.open_wanted) as wanted:
        click(page.detail.open_button)
    line = wanted.args[0]
    assert (line.purpose, line.patient.name, line.record_id) == ("PATRQT", ALMA, page.list.current_row.record_id)
    page.show_phase(Phase(line, Step.RECORDING))
    assert (page.detail.open_button.text(), page.detail.open_button.isEnabled()) == ("Recording…", False)
    page.show_phase(Phase(line, Step.IDLE))
    assert page.detail.open_button.isEnabled()


def test_who_could_see_a_record_now_and_before_she_allowed_it(qtbot: QtBot, asked: Asked) -> None:
    asked.world.clock.now += 2 * 24 * HOUR
    signed(asked)
    page = records_page(qtbot, asked)
    row = next(each for each in asked.world.patient(ALMA).records.rows() if each.category == Category.DOCUMENT)
    page.list.choose(row.record_id)
    asks: list[int] = []
    page.detail.who_wanted.connect(asks.append)
    click(page.detail.tabs.button(1))
    qtbot.waitUntil(lambda: CAROL in texts(page))
    page.detail.day.setDate(page.detail.day.date().addDays(-1))
    qtbot.waitUntil(lambda: CAROL not in texts(page) and "Looking" not in page.detail.who_note.text.text())
    assert asks[0] == asked.world.clock.now
    assert asks[1] == 1_795_651_199  # the end of 25 November 2026, UTC
    assert page.detail.day.maximumDate() == QDate(2026, 11, 26)


def texts(page: OwnRecordsPage) -> set[str]:
    """Return what the list of people says."""
    return {each.text() for each in page.detail._people.findChildren(type(page.subtitle))}


def test_nothing_of_a_page_stays_when_the_window_locks(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    for page in (accesses_page(qtbot, asked), consents_page(qtbot, asked), records_page(qtbot, asked)):
        page.blank()
        left = {each.text() for each in page.findChildren(type(page.band._text)) if each.isVisible()}
        assert not [text for text in left if "Carol" in text or "Alder" in text or "letter" in text.lower()]
