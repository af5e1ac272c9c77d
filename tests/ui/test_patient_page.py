"""One patient: closed things first, by time or kind, and why each is as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.services.opening_log import OpeningRow
from app.services.reasons import Explanation, Ground, Stand
from app.ui.pages.patient import PatientPage
from app.ui.pages.patient_entries import by_kind, log_entries, timeline
from app.ui.pages.phases import Phase, Step
from app.ui.pages.why_pane import explanation_text, ground_text, rule_text
from app.ui.widgets import Group, TwoLine
from tests.support.practitioner import (
    ALMA,
    CONSENT,
    CYTOLOGY,
    LEFT_OUT,
    NOW,
    OPEN,
    TERMS,
    WITHHELD,
    workplace,
)

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.services.notebook import PatientRef
    from app.services.worklist import RecordRow
    from app.ui.background import Background

PERMITS = Ground(CONSENT, Stand.PERMITS, TERMS.categories, by_patient=True, at=NOW - 60, block=209)
LEAVES = Ground(CONSENT, Stand.LEAVES_OUT, frozenset({Category.LABORATORY}), by_patient=True, at=NOW - 60, block=209)
ATTEMPT = OpeningRow(
    "a" * 64,
    NOW,
    "open",
    ("r1",),
    ("CT chest",),
    "TREAT",
    denied=True,
    computer=False,
    reason="EXPIRED",
    closed_at=None,
    block=210,
)


@dataclass
class StubReasons:
    """Fixed lines and explanations."""

    rows: tuple[RecordRow, ...] = (LEFT_OUT, WITHHELD, OPEN, CYTOLOGY)
    log: tuple[OpeningRow, ...] = (ATTEMPT,)

    def lines(self, _patient_id: str) -> tuple[PatientRef, tuple[RecordRow, ...], tuple[OpeningRow, ...]]:
        return ALMA, self.rows, self.log

    def explain(self, row: RecordRow) -> Explanation:
        if row.state == LEFT_OUT.state:
            asked = TERMS.categories | {Category.LABORATORY}
            return Explanation(row, asked, (PERMITS, LEAVES), "CATEGORY_NOT_COVERED")
        return Explanation(row, TERMS.categories, (PERMITS,), row.reason)


@pytest.fixture
def service() -> StubReasons:
    return StubReasons()


@pytest.fixture
def page(qtbot: QtBot, background: Background, service: StubReasons) -> PatientPage:
    made = PatientPage(service, workplace(background))
    qtbot.addWidget(made)
    made.resize(1192, 724)
    made.show()
    made.show_patient(ALMA.patient_id)
    qtbot.waitUntil(lambda: made.pane.explanation is not None)
    return made


def headings(page: PatientPage) -> list[str]:
    return [entry.heading for entry in page.list.entries_model.entries if isinstance(entry, Group)]


def test_what_is_closed_stands_first_without_number_and_dates(background: Background) -> None:
    entries = timeline((OPEN, CYTOLOGY, LEFT_OUT, WITHHELD), workplace(background), None)
    texts = [entry.heading if isinstance(entry, Group) else entry.title for entry in entries]
    closed = ["Not open to you", "Laboratory", "One record"]
    assert texts == [*closed, "November 2026", "CT chest", "Cytology, left breast"]
    lines = [entry for entry in entries if isinstance(entry, TwoLine)]
    assert lines[0].caption == "Number and dates are not shown"
    assert lines[1].caption == "Kind and date are not shown"
    assert lines[0].chip is not None
    assert lines[0].chip.word == "Denied"
    assert lines[2].chip is not None
    assert lines[2].chip.word == "Open until 1 Dec"


def test_by_kind_and_the_own_openings(background: Background) -> None:
    place = workplace(background)
    groups = [each.heading for each in by_kind((OPEN, CYTOLOGY, LEFT_OUT), place, None) if isinstance(each, Group)]
    assert groups == ["Not open to you", "CT and other images", "Cytology"]
    heading, line = log_entries((ATTEMPT,), place)
    assert heading == Group("Today, Tuesday 24 November")
    assert isinstance(line, TwoLine)
    assert line.chip is not None
    assert line.chip.word == "Denied"
    assert "block 210" in line.caption


def test_the_pane_names_every_consent_and_the_rule(qtbot: QtBot, page: PatientPage) -> None:
    assert page.list.choose(LEFT_OUT.key)
    qtbot.waitUntil(lambda: page.pane.explanation is not None and page.pane.explanation.row is LEFT_OUT)
    assert page.pane._heading.text() == "Why you cannot open it"
    assert page.pane._sentence.text() == (
        "You asked for images, laboratory, cytology. Alma Fictive left out laboratory."
    )
    assert page.pane.first_button.text() == "Ask for laboratory…"
    explanation = page.pane.explanation
    assert explanation is not None
    assert ground_text(explanation.grounds[0]) == ("Consent C-C4RT", "permits images, cytology")
    assert ground_text(explanation.grounds[1]) == ("Consent C-C4RT", "leaves out laboratory")
    assert rule_text(explanation) == "A refusal is stronger than a permission."


def test_the_copied_explanation_has_ids_and_no_name(qtbot: QtBot, page: PatientPage) -> None:
    with qtbot.waitSignal(page.copy_wanted) as copied:
        page.pane.copy_button.click()
    text = copied.args[0]
    assert CONSENT in text
    assert "Alma" not in text
    assert text == explanation_text(page.pane.explanation) if page.pane.explanation else False


def test_looking_is_not_an_attempt_but_a_denied_one_is_told(qtbot: QtBot, page: PatientPage) -> None:
    assert page.list.choose(OPEN.key)
    qtbot.waitUntil(lambda: page.pane.explanation is not None and page.pane.explanation.row is OPEN)
    assert page.pane._attempt.text.text() == (
        "Your attempt of 14:20 is recorded as denied. Nothing of the record was shown."
    )
    assert page.list.choose(CYTOLOGY.key)
    qtbot.waitUntil(lambda: page.pane.explanation is not None and page.pane.explanation.row is CYTOLOGY)
    assert not page.pane._attempt.isVisible()


def test_open_and_ask_lead_on(qtbot: QtBot, page: PatientPage) -> None:
    assert page.list.choose(OPEN.key)
    with qtbot.waitSignal(page.open_wanted) as opened:
        page._press_first()
    assert opened.args == [OPEN]
    page.show_phase(Phase(OPEN, Step.RECORDING))
    assert not page.pane.first_button.isEnabled()
    assert page.list.choose(LEFT_OUT.key)
    with qtbot.waitSignal(page.ask_wanted) as asked:
        page.pane.first_button.click()
    assert asked.args == [ALMA.patient_id, "laboratory"]


def test_no_relation_offers_to_ask(qtbot: QtBot, page: PatientPage, service: StubReasons) -> None:
    service.rows = ()
    page.refresh()
    qtbot.waitUntil(page.empty_view.isVisible)
    assert page.empty_view.state is not None
    assert page.empty_view.state.text == "You have no permission for this patient."
    with qtbot.waitSignal(page.ask_wanted):
        page.empty_view.acted.emit("ask")


def test_the_kind_box_filters_and_the_segments_order(page: PatientPage) -> None:
    page.kind_box.setCurrentIndex(page.kind_box.findData("cytology"))
    page.kind_box.activated.emit(page.kind_box.currentIndex())
    assert headings(page) == ["November 2026"]
    page.segments.button(2).click()
    assert headings(page) == ["Today, Tuesday 24 November"]


def test_escape_and_blank_forget_the_patient(qtbot: QtBot, page: PatientPage) -> None:
    with qtbot.waitSignal(page.page_wanted):
        assert page.escape()
    assert page._name.text() == ""
    assert page.list.entries_model.rowCount() == 0
    assert page.palette_items() == ()
    assert not page.escape()
