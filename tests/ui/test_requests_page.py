"""Asking for access: introduction, a form that says what is missing where it is missing, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from PySide6.QtCore import QDate
from PySide6.QtWidgets import QLabel

from app.consent.terms import Category, Narrowing
from app.custodian.messages import CustodianRefusal
from app.services.requests import Gap, RequestRow, Requests, RequestState
from app.services.submission import UnsettledError
from app.ui import outcomes
from app.ui.pages.introduce_sheet import IntroduceSheet
from app.ui.pages.request_form import GAP_TEXTS
from app.ui.pages.request_pane import narrowed_text, request_chip
from app.ui.pages.requests_list import RequestsPage
from ledger.gateway import Commit, CommitError, EndorseError
from tests.support.drafts import drafts_of
from tests.support.practitioner import ALMA, COMMIT, CONSENT, ENVELOPE, GRETA, asked, workplace

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.services.drafts import Draft, Drafts, KeptDraft
    from app.services.notebook import PatientRef
    from app.services.patients import Patients
    from app.ui.background import Background
    from app.ui.pages.request import RequestForm
    from app.ui.widgets import State

SENTENCES = ("Dr Carol Specimen asks you.", "To treat you.", "Your images.", "Since 2025.", "30 days.")
CODE = "a" * 26


@dataclass
class StubPatients:
    """Alma is known; one code introduces Greta."""

    service: StubRequests

    @property
    def drafts(self) -> Drafts:
        return self.service.kept

    def unfinished(self) -> tuple[tuple[PatientRef, KeptDraft], ...]:
        return tuple((self.read(each.draft.patient_id), each) for each in self.drafts.read())

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

    kept: Drafts
    error: Exception | None = None
    answered: tuple[RequestRow, ...] = field(default_factory=lambda: (asked(),))
    sent: list[Draft] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)

    @property
    def patients(self) -> Patients:
        return cast("Patients", StubPatients(self))

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
def drafts_file(tmp_path: Path) -> Path:
    return tmp_path / "drafts" / "AlderMSP.carol"


@pytest.fixture
def service(drafts_file: Path) -> StubRequests:
    return StubRequests(drafts_of(drafts_file))


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
    assert narrowed_text(Narrowing("grantee", None, None)) == "Only you"
    assert narrowed_text(Narrowing("made_from", "", "2025-11-24")) == "any time → since 24 Nov 2025"
    assert narrowed_text(Narrowing("ai_inference", True, False)) == "AI suggestion → none"


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


# Drafts


def begin(form: RequestForm) -> None:
    form.fields.purpose_options["COC"].set_checked(True)
    form.fields.category_options[Category.CYTOLOGY].set_checked(True)
    form.fields.ai.set_checked(True)
    form.fields.days.choose("30")
    form.fields.first.setDate(QDate(2024, 2, 29))
    form.fields.reason.setText("Half a sentence")


def asks_again(qtbot: QtBot, page: RequestsPage, patient_id: str = ALMA.patient_id, category: str = "") -> RequestForm:
    page.ask(patient_id, category)
    qtbot.waitUntil(page.form.isVisible)
    return page.form


def test_a_half_written_request_survives_leaving_the_page(
    qtbot: QtBot, page: RequestsPage, form: RequestForm, drafts_file: Path
) -> None:
    begin(form)
    before = form.fields.draft(ALMA.patient_id)
    page.escape()
    qtbot.waitUntil(lambda: page.drafts_band.state is not None)
    assert "Alma Fictive" in cast("State", page.drafts_band.state).text
    page.drafts_band.acted.emit("go-on")
    qtbot.waitUntil(form.isVisible)
    assert form.fields.draft(ALMA.patient_id) == before
    assert "is back" in cast("State", form.band.state).text
    qtbot.waitUntil(drafts_file.exists)
    assert b"Half a sentence" not in drafts_file.read_bytes()


def test_a_half_written_request_survives_the_lock_and_a_restart(
    qtbot: QtBot, page: RequestsPage, form: RequestForm, service: StubRequests, drafts_file: Path
) -> None:
    begin(form)
    before = form.fields.draft(ALMA.patient_id)
    page.blank()
    assert form.fields.reason.text() == ""
    service.kept.flush()  # what the desk does before it wipes the key
    service.kept = drafts_of(drafts_file)
    assert asks_again(qtbot, page).fields.draft(ALMA.patient_id) == before


def test_all_records_stay_all_records_in_a_draft(qtbot: QtBot, page: RequestsPage, form: RequestForm) -> None:
    form.fields.years.button(3).click()
    page.escape()
    assert asks_again(qtbot, page).fields.years.current == "all"
    form.fields.years.button(1).click()
    page.escape()
    assert asks_again(qtbot, page).fields.years.current == "2"


def test_a_kind_asked_for_by_name_is_added_to_the_draft(qtbot: QtBot, page: RequestsPage, form: RequestForm) -> None:
    begin(form)
    page.escape()
    again = asks_again(qtbot, page, category="laboratory")
    assert again.fields.draft("p").categories == {Category.CYTOLOGY, Category.LABORATORY}


def test_a_form_left_as_it_was_is_no_draft(qtbot: QtBot, page: RequestsPage, service: StubRequests) -> None:
    form = asks_again(qtbot, page, category="laboratory")
    form.fields.reason.setText("x")
    form.fields.reason.clear()
    page.escape()
    assert service.kept.read() == ()


def test_another_patient_s_form_does_not_show_the_draft(qtbot: QtBot, page: RequestsPage, form: RequestForm) -> None:
    begin(form)
    page.escape()
    assert asks_again(qtbot, page, GRETA.patient_id).fields.reason.text() == ""
    assert page.form.band.state is None
    page.escape()
    assert asks_again(qtbot, page).fields.reason.text() == "Half a sentence"


@pytest.mark.parametrize("how", ["discard", "send"])
def test_a_draft_ends_when_it_is_discarded_or_sent(
    qtbot: QtBot, page: RequestsPage, form: RequestForm, service: StubRequests, drafts_file: Path, how: str
) -> None:
    begin(form)
    form.keep()
    qtbot.waitUntil(drafts_file.exists)
    if how == "discard":
        form.discard_button.click()
    else:
        with qtbot.waitSignal(form.sent):
            form.send(hand_over=False)
    assert service.kept.read() == ()
    service.kept.flush()
    assert drafts_of(drafts_file).read() == ()
    assert asks_again(qtbot, page).fields.reason.text() == ""


def test_a_refused_or_unknown_request_stays_a_draft(
    qtbot: QtBot, form: RequestForm, service: StubRequests, settles: list[Commit | None]
) -> None:
    begin(form)
    service.error = UnsettledError(ENVELOPE)
    form.send(hand_over=False)
    qtbot.waitUntil(lambda: "do not know" in getattr(form.band.state, "sentence", ""))
    assert len(service.kept.read()) == 1
    settles.append(COMMIT)
    qtbot.waitUntil(lambda: service.kept.read() == (), timeout=4_000)


def test_a_damaged_drafts_file_is_said_once_set_aside_and_begun_anew(
    qtbot: QtBot, page: RequestsPage, form: RequestForm, service: StubRequests, drafts_file: Path
) -> None:
    begin(form)
    service.kept.flush()
    page.escape()
    drafts_file.write_bytes(b"no draft at all, but long enough to be one")
    service.kept = drafts_of(drafts_file)
    assert asks_again(qtbot, page).fields.reason.text() == ""
    assert "cannot be read" in cast("State", page.drafts_band.state).heading
    assert drafts_file.with_name("AlderMSP.carol.damaged").exists()
    begin(form)
    page.escape()
    qtbot.wait(50)
    assert "cannot be read" in cast("State", page.drafts_band.state).heading  # until it was read
    page.drafts_band.acted.emit("close")
    qtbot.waitUntil(lambda: "You began" in getattr(page.drafts_band.state, "text", ""))
    assert len(service.kept.read()) == 1
