"""The registrar's page on a real sandbox: entries whose outcome is lost, PINs that differ, blanking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.services.pairs import WrongPinError
from app.ui import outcomes
from app.ui.pages.people import STAFF, PeoplePage
from app.ui.pages.people_sheets import CardSheet, CodeSheet, MemberSheet, NewPinSheet, PersonSheet
from app.ui.pages.workplace import Workplace
from app.ui.widgets.dialogs import Confirm, Sheet
from app.wiring.sandbox import PIN
from tests.support.gateways import FailingGateway, Loss, fail_between
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from typing import TypeVar

    from pytestqt.qtbot import QtBot

    from app.ui.background import Background

    S = TypeVar("S", bound=Sheet)

NORA = "Nurse Nora Placeholder"
UNKNOWN, LATER = "We do not know yet", "It was not recorded."


@pytest.fixture
def gateway(world: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> FailingGateway:
    monkeypatch.setattr(outcomes, "_WAITS", (0,))
    return fail_between(world.installation)


@pytest.fixture
def page(qtbot: QtBot, world: SandboxWorld, gateway: FailingGateway, background: Background) -> PeoplePage:
    assert gateway.loss is None
    rita = world.staff("Rita Roster")
    machine = rita.machine
    settle = machine.submission(rita.identity).settle
    place = Workplace(background, machine.clock, settle, machine.hospitals, "AlderMSP")
    made = PeoplePage(rita.people, place)
    qtbot.addWidget(made)
    made.refresh()
    qtbot.waitUntil(lambda: made.persons_table.current_row is not None)
    return made


def sheet_of(page: PeoplePage, kind: type[S]) -> S:
    return next(each for each in page.window().findChildren(kind) if each.isVisible())


def fill(page: PeoplePage, *, again: str = PIN) -> MemberSheet:
    page.enrol_member()
    sheet = sheet_of(page, MemberSheet)
    sheet.name.setText(NORA)
    sheet.pin.setText(PIN)
    sheet.again.setText(again)
    return sheet


def choose(page: PeoplePage, name: str) -> None:
    page.segments.choose(STAFF)
    row = next(row for row in page.members_model.rows if row.name == name)
    page.members_table.choose(row.subject)


def names(world: SandboxWorld) -> set[str]:
    return {profile.name for profile in world.installation.profiles.profiles()}


def status(world: SandboxWorld, name: str) -> str:
    return next(row.status for row in world.staff("Rita Roster").people.members() if row.name == name)


def band_text(page: PeoplePage) -> str:
    return "" if page.band.state is None else page.band.state.sentence


def test_who_is_enrolled_is_told_and_can_sign_in(qtbot: QtBot, world: SandboxWorld, page: PeoplePage) -> None:
    sheet = fill(page)
    with qtbot.waitSignal(page.toast_wanted) as told:
        sheet.check()
    assert told.args == [f"{NORA} is enrolled and can sign in here."]
    assert world.staff(NORA).worklist.rows() == ()


def test_two_different_pins_enrol_nobody(world: SandboxWorld, page: PeoplePage, gateway: FailingGateway) -> None:
    sheet = fill(page, again=PIN[::-1])
    sheet.check()
    assert sheet.trouble.isVisibleTo(sheet)
    assert gateway.prepared == []
    assert NORA not in names(world)


def test_a_nameless_person_or_patient_is_not_sent(page: PeoplePage, gateway: FailingGateway) -> None:
    page.register_person()
    for sheet in (fill(page), sheet_of(page, PersonSheet)):
        sheet.name.setText("  ")
        sheet.check()
        assert sheet.trouble.isVisibleTo(sheet)
    assert gateway.prepared == []


def test_a_refused_enrolment_leaves_nobody_and_says_so_on_the_sheet(
    qtbot: QtBot, world: SandboxWorld, page: PeoplePage, gateway: FailingGateway
) -> None:
    sheet = fill(page)
    gateway.loss = Loss.REFUSED
    sheet.check()
    qtbot.waitUntil(lambda: sheet.trouble.isVisibleTo(sheet))
    assert NORA not in names(world)
    assert page.enrol_button.isEnabled()


def test_an_enrolment_whose_answer_is_lost_is_found_and_the_person_can_work(
    qtbot: QtBot, world: SandboxWorld, page: PeoplePage, gateway: FailingGateway
) -> None:
    sheet = fill(page)
    gateway.loss = Loss.AFTER
    sheet.check()
    qtbot.waitUntil(lambda: UNKNOWN in band_text(page))
    assert not page.enrol_button.isEnabled()
    with qtbot.waitSignal(page.toast_wanted):
        gateway.loss = None
    assert gateway.prepared == ["EnrolMember"]
    assert status(world, NORA) == "active"
    assert world.staff(NORA).worklist.rows() == ()


def test_an_enrolment_that_was_not_recorded_leaves_no_profile(
    qtbot: QtBot, world: SandboxWorld, page: PeoplePage, gateway: FailingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = fill(page)
    gateway.loss = Loss.BEFORE
    sheet.check()
    qtbot.waitUntil(lambda: UNKNOWN in band_text(page))
    assert NORA in names(world)
    monkeypatch.setattr(page._recording._settling, "_settle", lambda _error: None)
    qtbot.waitUntil(lambda: LATER in band_text(page))
    qtbot.waitUntil(lambda: NORA not in names(world))
    assert page.enrol_button.isEnabled()


def test_a_suspension_whose_answer_is_lost_is_sent_again_by_itself(
    qtbot: QtBot, world: SandboxWorld, page: PeoplePage, gateway: FailingGateway
) -> None:
    choose(page, CAROL)
    page.suspend()
    gateway.loss = Loss.BEFORE
    sheet_of(page, Confirm).confirmed.emit()
    qtbot.waitUntil(lambda: UNKNOWN in band_text(page))
    assert not page.suspend_button.isEnabled()
    outbox = world.installation.machine.outbox
    assert outbox is not None
    assert len(outbox.waiting()) == 1
    page.blank()
    gateway.loss = None
    assert outbox.send() == 1
    assert status(world, CAROL) == "suspended"


def test_who_is_suspended_already_cannot_be_again(qtbot: QtBot, world: SandboxWorld, page: PeoplePage) -> None:
    choose(page, CAROL)
    world.staff("Petra Protocol").people.suspend(world.staff(CAROL).identity.subject)
    page.suspend()
    sheet_of(page, Confirm).confirmed.emit()
    qtbot.waitUntil(lambda: "Nothing was recorded." in band_text(page))
    page.refresh()
    qtbot.waitUntil(lambda: not page.suspend_button.isVisibleTo(page))


def test_a_code_and_a_new_pin_for_who_is_at_the_desk(qtbot: QtBot, world: SandboxWorld, page: PeoplePage) -> None:
    page.make_code()
    qtbot.waitUntil(lambda: any(sheet.isVisible() for sheet in page.window().findChildren(CodeSheet)))
    sheet_of(page, CodeSheet).accept()
    page.reset_pin()
    sheet = sheet_of(page, NewPinSheet)
    sheet.pin.setText("13571357")
    sheet.again.setText("13571357")
    with qtbot.waitSignal(page.toast_wanted):
        sheet.check()
    with pytest.raises(WrongPinError):
        world.patient(ALMA)


def test_a_registered_patient_gets_a_card_that_is_shown_once(qtbot: QtBot, page: PeoplePage) -> None:
    page.register_person()
    sheet = sheet_of(page, PersonSheet)
    sheet.name.setText("Greta Beispiel")
    sheet.pin.setText(PIN)
    sheet.again.setText(PIN)
    sheet.check()
    qtbot.waitUntil(lambda: any(each.isVisible() for each in page.window().findChildren(CardSheet)))
    assert sheet_of(page, CardSheet).text.text()
    qtbot.waitUntil(lambda: any(row.person.name == "Greta Beispiel" for row in page.persons_model.rows))


def test_blanking_forgets_everybody(page: PeoplePage) -> None:
    page.blank()
    assert page.persons_model.rows == ()
    assert page.members_model.rows == ()
    assert ALMA not in page._name.text()


def test_no_sheet_has_an_answer_by_default_that_destroys(page: PeoplePage) -> None:
    choose(page, CAROL)
    page.suspend()
    confirm = sheet_of(page, Confirm)
    assert not any(button.isDefault() for button in confirm.findChildren(type(page.suspend_button)))
