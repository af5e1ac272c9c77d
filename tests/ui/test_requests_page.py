"""Asking for access: introduction, a form that says what is missing where it is missing, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from PySide6.QtCore import QDate
from PySide6.QtWidgets import QLabel

from app.consent.terms import Category
from app.custodian.messages import CustodianRefusal
from app.services.requests import Gap, RequestRow, Requests, RequestState
from app.services.submission import UnsettledError
from app.ui import outcomes
from app.ui.pages.introduce_sheet import IntroduceSheet
from app.ui.pages.request_form import GAP_TEXTS
from app.ui.pages.request_pane import narrowed_text, request_chip
from app.ui.pages.requests_list import RequestsPage
from ledger.gateway import Commit, CommitError, EndorseError
from tests.support.practitioner import ALMA, COMMIT, CONSENT, ENVELOPE, GRETA, asked, workplace

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.services.notebook import PatientRef
    from app.services.patients import Patients
    from app.services.requests import Draft
    from app.ui.background import Background
    from app.ui.pages.request import RequestForm
    from app.ui.widgets import State

SENTENCES = ("Dr Carol Specimen asks you.", "To treat you.", "Your images.", "Since 2025.", "30 days.")
CODE = "a" * 26


@dataclass
class StubPatients:
    """Alma is known; one code introduces Greta."""

    def known(self) -> tuple[PatientRef, ...]:
        return (ALMA,)

    def read(self, patient_id: str) -> PatientRef:
        return {ALMA.patient_id: ALMA, GRETA.patient_id: GRETA}[patient_id]

    def introduce(self, custodian: str, code: str) -> PatientRef:
        if (custodian, code) != ("BirchMSP", CODE):
            raise CustodianRefusal("refused")
        return GRETA


@dataclass
class StubRequests:
    """Requests that are sent nowhere."""

    error: Exception | None = None
    answered: tuple[RequestRow, ...] = field(default_factory=lambda: (asked(),))
    sent: list[Draft] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)

    @property
    def patients(self) -> Patients:
        return cast("Patients", StubPatients())

    def rows(self) -> tuple[RequestRow, ...]:
        return self.answered

    def gaps(self, draft: Draft) -> tuple[Gap, ...]:
        return Requests.gaps(cast("Requests", self), draft)

    def preview(self, _draft: Draft, language: str) -> tuple[str, ...]:
        self.languages.append(language)
        return SENTENCES

    def send(self, draft: Draft) -> str:
        if self.error is not None:
            raise self.error
        self.sent.append(draft)
        return CONSENT


@pytest.fixture
def service() -> StubRequests:
    return StubRequests()


@pytest.fixture
def settles() -> list[Commit | None]:
    return []


@pytest.fixture
def page(qtbot: QtBot, background: Background, service: StubRequests, settles: list[Commit | None]) -> RequestsPage:
    def settle(error: UnsettledError) -> Commit | None:
        if not settles:
            raise error
        return settles.pop()

    made = RequestsPage(service, workplace(background, settle))
    qtbot.addWidget(made)
    made.resize(1192, 724)
    made.show()
    with qtbot.waitSignal(made.count_changed):
        made.refresh()
    return made


@pytest.fixture
def form(qtbot: QtBot, page: RequestsPage) -> RequestForm:
    page.ask(ALMA.patient_id, "")
    qtbot.waitUntil(page.form.isVisible)
    return page.form


def fill(form: RequestForm) -> None:
    form.fields.category_options[Category.CYTOLOGY].set_checked(True)
    form.fields.reason.setText("To compare.")


def gaps(form: RequestForm) -> list[str]:
    fields = (form.fields.study_field, form.fields.records_field, form.fields.dates_field, form.fields.reason_field)
    return [each._gap.text() for each in fields if each._gap.text()]


def test_nothing_is_ticked_at_the_start(form: RequestForm) -> None:
    draft = form.fields.draft("p")
    assert (draft.categories, draft.ai, draft.training, draft.days, draft.purpose) == (
        frozenset(),
        False,
        False,
        7,
        "TREAT",
    )
    assert (draft.first_day, draft.last_day) == ("2025-11-24", "2026-11-24")


def test_send_goes_to_the_first_gap_and_sends_nothing(form: RequestForm, service: StubRequests) -> None:
    form.fields.purpose_options["HRESCH"].set_checked(True)
    form.fields.first.setDate(QDate(2026, 12, 1))
    form.send(hand_over=False)
    assert service.sent == []
    wanted = (Gap.NO_STUDY, Gap.NO_CATEGORY, Gap.DATES_CROSSED, Gap.NO_REASON)
    assert gaps(form) == [GAP_TEXTS[gap] for gap in wanted]
    assert form.fields.study.hasFocus()
    form.fields.reason.setText("x")
    assert gaps(form) == []


def test_models_can_be_asked_for_only_where_they_read(form: RequestForm) -> None:
    assert not form.fields.ai.isEnabled()
    assert "Not possible here" in form.fields.ai.caption_label.text()
    form.fields.category_options[Category.CYTOLOGY].set_checked(True)
    form.fields.ai.set_checked(True)
    assert form.fields.draft("p").ai
    form.fields.category_options[Category.CYTOLOGY].set_checked(False)
    assert not form.fields.draft("p").ai


def test_all_dates_leave_no_limit(form: RequestForm) -> None:
    form.fields.years.button(3).click()
    draft = form.fields.draft("p")
    assert (draft.first_day, draft.last_day) == ("", "")
    form.fields.years.button(1).click()
    assert form.fields.draft("p").first_day == "2024-11-24"


def test_the_preview_follows_form_and_language(qtbot: QtBot, form: RequestForm, service: StubRequests) -> None:
    assert service.languages == []
    fill(form)
    qtbot.waitUntil(lambda: service.languages == ["en"])
    form.preview.languages.button(1).click()
    qtbot.waitUntil(lambda: service.languages == ["en", "de"])


def test_sending_shows_the_list_and_may_hand_over(qtbot: QtBot, page: RequestsPage, form: RequestForm) -> None:
    fill(form)
    with qtbot.waitSignals([page.hand_over_wanted, page.toast_wanted]):
        form.hand_over_button.click()
    assert page.table.isVisible()


def test_a_refusal_keeps_the_form(qtbot: QtBot, form: RequestForm, service: StubRequests) -> None:
    fill(form)
    service.error = CommitError("stale-read")
    form.send(hand_over=False)
    qtbot.waitUntil(lambda: form.band.state is not None)
    state = cast("State", form.band.state)
    assert "Your choices are kept below." in state.text
    assert form.fields.reason.text() == "To compare."
    assert form.send_button.isEnabled()
    service.error = EndorseError("suspended")
    form.send(hand_over=False)
    qtbot.waitUntil(lambda: "Not sent." in cast("State", form.band.state).sentence)


def test_an_unknown_outcome_disables_sending_and_the_hand_over_waits(
    qtbot: QtBot,
    page: RequestsPage,
    form: RequestForm,
    service: StubRequests,
    settles: list[Commit | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outcomes, "_WAITS", (0,))
    fill(form)
    service.error = UnsettledError(ENVELOPE)
    handed: list[Any] = []
    page.hand_over_wanted.connect(lambda *args: handed.append(args))
    form.send(hand_over=True)
    qtbot.waitUntil(lambda: form._settling.is_open)
    assert not form.send_button.isEnabled()
    assert not form.hand_over_button.isEnabled()
    form.send(hand_over=True)
    assert handed == []
    service.answered = (asked(state=RequestState.WAITING, allowed=None),)
    with qtbot.waitSignal(page.hand_over_wanted):
        settles.append(COMMIT)
    assert handed == [(ALMA.patient_id, CONSENT)]


def test_what_was_not_recorded_may_be_sent_again(
    qtbot: QtBot,
    form: RequestForm,
    service: StubRequests,
    settles: list[Commit | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outcomes, "_WAITS", (0,))
    fill(form)
    service.error = UnsettledError(ENVELOPE)
    settles.append(None)
    form.send(hand_over=False)
    qtbot.waitUntil(lambda: form.band.state is not None and "You can send it again." in form.band.state.text)
    assert form.send_button.isEnabled()


def test_asked_and_allowed_stand_side_by_side(qtbot: QtBot, page: RequestsPage) -> None:
    row = page.table.current_row
    assert row is not None
    assert request_chip(row).word == "Allowed in part"
    assert not page.pane.hand_over_button.isVisible()
    texts = [each.text() for each in page.pane.findChildren(QLabel)]
    assert "Narrowed: 30 days → 7 days" in texts
    assert "Narrowed: Images, laboratory, cytology → Images, cytology" in texts


def test_a_waiting_request_can_be_handed_over(qtbot: QtBot, page: RequestsPage, service: StubRequests) -> None:
    service.answered = (asked(state=RequestState.WAITING, allowed=None, decided_at=None, until=None),)
    with qtbot.waitSignal(page.count_changed) as counted:
        page.refresh()
    assert counted.args == [1, False]
    with qtbot.waitSignal(page.hand_over_wanted) as handed:
        page.pane.hand_over_button.click()
    assert handed.args == [ALMA.patient_id, CONSENT]


def test_terms_that_are_no_number_are_named() -> None:
    from app.consent.terms import Narrowing  # noqa: PLC0415 (one test)

    assert narrowed_text(Narrowing("grantee", None, None)) == "Only you"
    assert narrowed_text(Narrowing("made_from", "", "2025-11-24")) == "any time → since 24 Nov 2025"
    assert narrowed_text(Narrowing("ai_inference", True, False)) == "AI suggestion → none"  # noqa: FBT003


def test_the_sheet_introduces_by_code(qtbot: QtBot, page: RequestsPage, background: Background) -> None:
    page.ask("", "cytology")
    sheet = page.window().findChild(IntroduceSheet)
    assert sheet is not None
    qtbot.waitUntil(lambda: sheet.list.entries_model.rowCount() == 1)
    sheet.code.setText("short")
    sheet.next_button.click()
    assert "26 letters and digits" in sheet._code_field._gap.text()
    sheet.code.setText(f" {CODE.upper()} ")
    sheet.next_button.click()
    qtbot.waitUntil(lambda: sheet.band.state is not None)
    assert "A code works once" in cast("State", sheet.band.state).text
    sheet.hospital_box.setCurrentIndex(sheet.hospital_box.findData("BirchMSP"))
    sheet.next_button.click()
    qtbot.waitUntil(page.form.isVisible)
    assert page.form.patient == GRETA
    assert page.form.fields.draft("q").categories == {Category.CYTOLOGY}


def test_a_known_patient_is_chosen_without_code(qtbot: QtBot, page: RequestsPage) -> None:
    page.ask("", "")
    sheet = page.window().findChild(IntroduceSheet)
    assert sheet is not None
    qtbot.waitUntil(lambda: sheet.list.entries_model.rowCount() == 1)
    sheet.list.choose_first()
    sheet.next_button.click()
    qtbot.waitUntil(page.form.isVisible)
    assert page.form.patient == ALMA


def test_escape_leaves_the_form_and_blank_forgets_it(page: RequestsPage, form: RequestForm) -> None:
    fill(form)
    assert page.escape()
    assert not form.isVisible()
    assert not page.escape()
    page.blank()
    assert form.fields.reason.text() == ""
    assert page.model.rowCount() == 0
    assert replace(asked(), state=RequestState.ENDED).short_id == "C-C4RT"
