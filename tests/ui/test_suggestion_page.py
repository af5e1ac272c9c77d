"""A suggestion: exactly one result, shapes before hues, bars that add up, and a verdict that nobody preselects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from app.identity.profiles import WrongPinError
from app.services.model_cards import card_groups, card_xml
from app.services.models import BundledModel, ModelStatus, bundled_models
from app.services.openings import DeniedError
from app.services.submission import UnsettledError
from app.services.suggestions import Answer, NotRunError, Overrides, QueueRow, Verdict
from app.ui import outcomes
from app.ui.pages.model_card_sheet import ModelCardSheet
from app.ui.pages.pin_sheet import PinSheet
from app.ui.pages.suggestion_charts import reliability
from app.ui.pages.suggestion_words import (
    agree_text,
    bars_of,
    failure_state,
    feature_text,
    nearest_text,
    percent_text,
    result_state,
)
from app.ui.pages.suggestions import SuggestionsPage
from diagnostics.applicability import Declined, Reason
from diagnostics.model import Model, load_model
from diagnostics.suggestion import KnownCase, Suggestion, suggest
from tests.support.practitioner import ALMA, COMMIT, CONSENT, ENVELOPE, NOW, workplace

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.services.openings import Opened
    from app.ui.background import Background
    from app.ui.widgets import State
    from ledger.gateway import Commit

STATUS = ModelStatus("m1", "approved", ("Alder Hospital", "Birch Hospital"), 1)


@cache
def model() -> Model:
    bundled = bundled_models()[0]
    return load_model(bundled.folder, [bundled.model_hash])


@cache
def border_case() -> dict[str, object]:
    """Return row 455 of the training table, which is held out: near the border."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 (two seconds)

    table = load_breast_cancer()
    return dict(zip(map(str, table.feature_names), map(float, table.data[455]), strict=True))


@cache
def uncertain() -> Suggestion:
    result = suggest(model(), "cytology", border_case())
    assert isinstance(result, Suggestion)
    return result


DECLINED = Declined(Reason.OUT_OF_RANGE, ("mean radius",), "Mean radius 900 is outside what the model knows.")
OPENED = cast(
    "Opened",
    SimpleNamespace(
        wanted=SimpleNamespace(patient_id=ALMA.patient_id),
        manifest=SimpleNamespace(category="cytology", dates=("2026-11-20",)),
        access=SimpleNamespace(consents=(CONSENT,)),
        access_id="a" * 64,
    ),
)


@dataclass
class StubSuggestions:
    """A model that ran, or did not."""

    result: Suggestion | Declined | Exception | None = None
    was_read: bool = True
    pin_error: Exception | None = None
    rows: tuple[QueueRow, ...] = ()
    given: list[Verdict] = field(default_factory=list)
    ran: int = 0

    @property
    def patients(self) -> Any:
        return SimpleNamespace(read=lambda _patient_id: ALMA)

    def open_model(self, _category: str) -> tuple[BundledModel, Model, ModelStatus]:
        return bundled_models()[0], model(), STATUS

    def run(self, opened: Opened, _values: object, _model: BundledModel) -> Answer:
        self.ran += 1
        result = uncertain() if self.result is None else self.result
        if isinstance(result, Exception):
            raise result
        return Answer("s1", opened, result, model(), STATUS, COMMIT, "a" * 64)

    def card_was_read(self, _model_hash: str) -> bool:
        return self.was_read

    def keep_card_read(self, _model_hash: str) -> None:
        self.was_read = True

    def overrides(self) -> Overrides:
        return Overrides(14, 212)

    def queue(self) -> tuple[QueueRow, ...]:
        return self.rows

    def give_verdict(self, _patient_id: str, _suggestion_id: str, verdict: Verdict, _pin: str) -> Commit:
        if self.pin_error is not None:
            raise self.pin_error
        self.given.append(verdict)
        return COMMIT


@pytest.fixture
def service() -> StubSuggestions:
    return StubSuggestions()


@pytest.fixture
def page(qtbot: QtBot, background: Background, service: StubSuggestions) -> SuggestionsPage:
    made = SuggestionsPage(service, workplace(background))
    qtbot.addWidget(made)
    made.resize(1192, 724)
    made.show()
    return made


def run(qtbot: QtBot, page: SuggestionsPage) -> None:
    page.run(OPENED, border_case(), "Cytology, left breast")
    qtbot.waitUntil(lambda: page.view.answer is not None)


def open_pin(page: SuggestionsPage) -> PinSheet:
    page.view.pane.record_button.click()
    sheet = page.window().findChild(PinSheet)
    assert sheet is not None
    return sheet


def queued(**changes: Any) -> QueueRow:
    row = QueueRow(ALMA.patient_id, "s1", "uncertain", NOW - 60, "c" * 26, 1, ALMA, "r1", "Cytology", for_another=False)
    return replace(row, **changes)


def test_exactly_one_result_says_what_came_out() -> None:
    base = uncertain()
    assert result_state(base).sentence == (
        "Uncertain. A second reader is needed. "
        "At the site's limit of 98 %, neither benign nor malignant can be ruled out."
    )
    malignant = result_state(replace(base, label="malignant"))
    assert malignant.sentence == "Suggests malignant. Benign is ruled out at the site's limit of 98 %."
    assert result_state(replace(base, label="benign")).role == "info"
    assert result_state(DECLINED).sentence == f"No suggestion. {DECLINED.sentence}"
    assert result_state(DECLINED).role == "deny"


@pytest.mark.parametrize(
    ("code", "role", "words"),
    [
        ("suspended", "wait", "The hospitals must vote"),
        ("not-approved", "deny", "have not approved"),
        ("changed", "deny", "not those that were approved"),
        ("missing", "deny", "missing"),
        ("no-model", "deny", "No approved model reads this kind of record."),
    ],
)
def test_each_reason_why_a_model_did_not_run(code: str, role: str, words: str) -> None:
    state = failure_state(NotRunError(code), "Alma Fictive")
    assert state.role == role
    assert words in state.text


def test_words_for_numbers_and_features() -> None:
    assert [percent_text(each) for each in (0, 0.0004, 0.004, 0.39, 0.98, 0.9996, 1)] == [
        "0 %",
        "under 0.1 %",
        "0.4 %",
        "39 %",
        "98 %",
        "over 99.9 %",
        "100 %",
    ]
    assert feature_text("worst texture") == "Texture, largest"
    assert feature_text("compactness error") == "Compactness, error"
    assert feature_text("mean concave points") == "Concave points, mean"
    assert agree_text("certain", "benign") == "Agree: benign"
    cases = [KnownCase("benign", 0.1, ()), KnownCase("malignant", 0.2, ())]
    assert nearest_text(cases) == "1 of 2 are malignant by histology."


def test_the_bars_add_up_to_the_sum() -> None:
    result = uncertain()
    bars = bars_of(result.contributions, 8)
    assert len(bars) == 9
    assert bars[-1][0] == "22 other features"
    assert sum(weight for _, _, weight in bars) + result.start == pytest.approx(result.log_odds)


def test_the_calibration_counts_every_case_once() -> None:
    points = reliability(model().malignant, model().benign)
    assert sum(count for _, _, count in points) == len(model().malignant) + len(model().benign)
    assert points[0][1] < points[-1][1]


def test_the_picture_follows_the_probability(qtbot: QtBot, page: SuggestionsPage) -> None:
    run(qtbot, page)
    assert page.view.result.array.malignant == round(uncertain().probability * 100)
    assert "neither benign" in cast("State", page.view.result.band.state).text
    assert page.view._chip.chip.word == "AI allowed by C-C4RT"


def test_nothing_is_preselected_and_gaps_are_named(
    qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions
) -> None:
    run(qtbot, page)
    pane = page.view.pane
    assert not pane.agree.is_checked
    assert not pane.override.is_checked
    assert pane.readings.current == ""
    pane.record_button.click()
    assert pane._choice_field._gap.text() == "Choose one of the two."
    pane.override.set_checked(True)
    pane.record_button.click()
    assert pane._choice_field._gap.text() == "Say how you read it."
    pane.readings.button(0).click()
    pane.record_button.click()
    assert pane._reason_field._gap.text() == "Choose a reason."
    assert service.given == []
    assert not pane.record_button.isDefault()


def test_an_override_is_recorded_after_the_pin(qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions) -> None:
    run(qtbot, page)
    pane = page.view.pane
    pane.override.set_checked(True)
    pane.readings.button(0).click()
    pane.reason.setCurrentIndex(1)
    pane.text.setPlainText("Smear is thick.")
    sheet = open_pin(page)
    assert not sheet.sign_button.isEnabled()
    assert not sheet.sign_button.isDefault()
    sheet.pin.setText("24681012")
    with qtbot.waitSignal(page.view.answered):
        sheet.sign_button.click()
    assert service.given == [Verdict("override", "benign", "quality", "Smear is thick.")]
    assert not pane.record_button.isEnabled()


def test_agreeing_with_an_uncertain_result_asks_a_second_reader(
    qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions
) -> None:
    run(qtbot, page)
    page.view.pane.agree.set_checked(True)
    sheet = open_pin(page)
    sheet.pin.setText("24681012")
    with qtbot.waitSignal(page.view.answered):
        sheet.sign_button.click()
    assert service.given == [Verdict("second-reader")]


def test_a_wrong_pin_is_said_and_nothing_recorded(
    qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions
) -> None:
    service.pin_error = WrongPinError(4)
    run(qtbot, page)
    page.view.pane.agree.set_checked(True)
    sheet = open_pin(page)
    sheet.pin.setText("11111111")
    sheet.sign_button.click()
    qtbot.waitUntil(lambda: sheet._field._gap.text() == "That was not your PIN. 4 tries left.")
    assert sheet.pin.text() == ""
    assert service.given == []


def test_an_unknown_verdict_turns_the_pane_off(
    qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_WAITS", (30,))
    service.pin_error = UnsettledError(ENVELOPE)
    run(qtbot, page)
    page.view.pane.agree.set_checked(True)
    sheet = open_pin(page)
    sheet.pin.setText("24681012")
    sheet.sign_button.click()
    qtbot.waitUntil(lambda: page.view.pane.band.state is not None)
    assert cast("State", page.view.pane.band.state).role == "unknown"
    assert not page.view.pane.record_button.isEnabled()
    page.blank()


def test_declined_shows_no_picture(qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions) -> None:
    service.result = DECLINED
    run(qtbot, page)
    assert not page.view.result.array.isVisible()
    assert page.view.pane.agree.text_label.text() == "Agree: a second reader decides"


def test_denied_names_consent_and_record(qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions) -> None:
    access = SimpleNamespace(consents=(CONSENT,), reason="PURPOSE_NOT_COVERED")
    service.result = DeniedError(cast("Any", access), 9)
    page.run(OPENED, border_case(), "Cytology")
    qtbot.waitUntil(page.view.state_view.isVisible)
    state = cast("State", page.view.state_view.state)
    assert "Alma Fictive did not allow computer suggestions (consent C-C4RT)." in state.text
    with qtbot.waitSignal(page.record_wanted):
        page.view.state_view.acted.emit("record")


def test_the_card_is_read_before_the_first_use(qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions) -> None:
    service.was_read = False
    page.run(OPENED, border_case(), "Cytology")
    qtbot.waitUntil(lambda: page.window().findChild(ModelCardSheet) is not None)
    assert service.ran == 0
    sheet = cast("ModelCardSheet", page.window().findChild(ModelCardSheet))
    sheet.reject()
    qtbot.waitUntil(page.view.state_view.isVisible)
    assert service.ran == 0
    page.view.state_view.acted.emit("again")
    again = [each for each in page.window().findChildren(ModelCardSheet) if each.isVisible()][-1]
    again.read_button.click()
    qtbot.waitUntil(lambda: page.view.answer is not None)
    assert service.was_read


def test_a_card_has_31_attributes_in_nine_groups(qtbot: QtBot, page: SuggestionsPage, tmp_path: Path) -> None:
    groups = card_groups(model().card, model().model_hash, STATUS)
    assert len(groups) == 9
    assert sum(len(group.attributes) for group in groups) == 31
    assert all(value for group in groups for _, value in group.attributes)
    sheet = ModelCardSheet(
        page, model().card, groups, must_read=False, choose=lambda _over, name, _kinds: tmp_path / name
    )
    sheet.open()
    sheet.pdf_button.click()
    sheet.xml_button.click()
    assert (tmp_path / "model-card.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "model-card.xml").read_bytes() == card_xml(model().card, groups)
    sheet.reject()


def test_when_the_record_closes_nothing_of_it_stays(qtbot: QtBot, page: SuggestionsPage) -> None:
    from app.ui.widgets.states import withdrawn  # noqa: PLC0415 (one test)

    run(qtbot, page)
    page.forget(cast("Opened", SimpleNamespace(access_id="b" * 64)), withdrawn("Alma Fictive", NOW))
    kept = page.view.answer
    page.forget(OPENED, withdrawn("Alma Fictive", NOW))
    assert (kept is None, page.view.answer is None) == (False, True)
    assert page.view._title.text() == ""
    assert page.view.state_view.isVisible()
    assert page.escape()
    qtbot.waitUntil(lambda: not page.view.isVisible())


def test_a_second_reader_does_not_see_the_first_verdict(
    qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions
) -> None:
    service.rows = (queued(),)
    with qtbot.waitSignal(page.count_changed) as counted:
        page.refresh()
    assert counted.args == [1, False]
    texts = [each.text() for each in page.pane.facts.findChildren(type(page.view._title))]
    assert "Hidden until you gave yours" in texts
    service.rows = (queued(for_another=True),)
    with qtbot.waitSignal(page.count_changed) as counted:
        page.refresh()
    assert counted.args == [0, False]
    assert not page.pane.record_button.isVisible()


def test_typed_text_survives_a_refresh_of_the_queue(
    qtbot: QtBot, page: SuggestionsPage, service: StubSuggestions
) -> None:
    service.rows = (queued(),)
    with qtbot.waitSignal(page.count_changed):
        page.refresh()
    page.pane.text.setPlainText("Nuclei regular.")
    with qtbot.waitSignal(page.count_changed):
        page.refresh()
    assert page.pane.text.toPlainText() == "Nuclei regular."
