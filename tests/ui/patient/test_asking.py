"""What is new to her, asking about an access, and the privacy officer who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.custodian.messages import CustodianRefusal
from app.custodian.results import QUESTION_MAX
from app.services.questions import Questions
from app.ui.pages.questions import QuestionsPage
from app.ui.pages.words_sheet import WordsSheet
from app.ui.widgets import TwoLine
from app.wiring.notices import notices_of
from tests.support.sandbox import ALMA
from tests.ui.patient.test_pages import accesses_page, signed
from tests.ui.patient.turning import click

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from app.services.questions import QuestionRow
    from app.ui.pages.accesses import AccessesPage
    from tests.support.turns import Asked

PETRA = "Petra Protocol"
WHY = "Why did you open this?\nI was not there."


def sheet(qtbot: QtBot) -> WordsSheet:
    """Return the sheet that opened."""

    def found() -> list[WordsSheet]:
        return [each for each in QApplication.topLevelWidgets() if isinstance(each, WordsSheet) and each.isVisible()]

    qtbot.waitUntil(lambda: bool(found()))
    return found()[0]


def says(widget: QWidget, text: str) -> bool:
    """Whether a text is shown somewhere in a widget."""
    return any(text in each.text() for each in widget.findChildren(QLabel) if each.isVisible())


def ask(qtbot: QtBot, page: AccessesPage, words: str = WHY) -> str:
    """Ask about the first entry; return its access id."""
    row = page.list.current_row
    click(page.detail.ask_button)
    shown = sheet(qtbot)
    shown.text.setPlainText(words)
    with qtbot.waitSignal(page.toast_wanted):
        click(shown.send_button)
    qtbot.waitUntil(lambda: says(page.detail, "has not answered yet"))
    access_id: str = row.access_id
    return access_id


def questions_page(qtbot: QtBot, asked: Asked, questions: Questions | None = None) -> QuestionsPage:
    """Return the privacy officer's page, loaded."""
    page = QuestionsPage(questions or asked.world.staff(PETRA).questions, asked.place)
    qtbot.addWidget(page)
    page.resize(1192, 724)
    page.show()
    with qtbot.waitSignal(page.count_changed):
        page.refresh()
    return page


def dots(page: AccessesPage) -> list[bool]:
    """Return which entries have an unread mark, from the top."""
    return [each.unread for each in page.list.entries_model.entries if isinstance(each, TwoLine)]


def test_on_her_first_visit_everything_is_new(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    assert dots(page) == [True, True, True]
    assert page.subtitle.text().endswith("3 are new.")
    assert page.list.entries_model.entries[1].sentence.startswith("New: ")  # type: ignore[union-attr]  # no heading


def test_what_she_read_is_not_new_on_any_later_visit_but_stays_marked_during_this_one(
    qtbot: QtBot, asked: Asked
) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    newest = asked.world.installation.machine.replica.height - 1
    alma = asked.world.patient(ALMA)
    qtbot.waitUntil(lambda: newest in alma.accesses.seen().values())
    with qtbot.waitSignal(page.count_changed) as counted:
        page.refresh()
    assert counted.args[0] == 3
    assert dots(page) == [True, True, True]
    again = accesses_page(qtbot, asked)
    assert dots(again) == [False, False, False]
    assert again.subtitle.text() == "Every opening of your records, and every attempt."
    asked.world.clock.now += 60
    carol = asked.world.staff("Dr Carol Specimen")
    carol.worklist.list_records(carol.patients.known()[0], "TREAT")
    asked.world.tick()
    later = accesses_page(qtbot, asked)
    assert dots(later) == [True, False, False, False]
    assert later.subtitle.text().endswith("1 is new since your last visit.")


def test_the_rail_counts_what_is_new_without_counting_it_as_read(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    page.blank()
    fresh = accesses_page(qtbot, asked)
    fresh.blank()
    assert set(asked.world.patient(ALMA).accesses.seen().values()) != {None}
    with qtbot.waitSignal(fresh.count_changed) as counted:
        fresh.look()
    assert counted.args == [0, False]


def test_a_question_is_sent_once_and_shown_with_its_answer(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    assert says(page.detail, "The privacy officer must answer you.")
    access_id = ask(qtbot, page)
    assert not page.detail.ask_button.isVisible()
    petra = asked.world.staff(PETRA)
    assert [notice.text for notice in notices_of(petra, asked.world.clock())] == [f"{ALMA} asks about an access"]
    office = questions_page(qtbot, asked)
    assert office.list.current_row.question.access_id == access_id
    qtbot.waitUntil(lambda: says(office.detail, ALMA))
    click(office.detail.answer_button)
    shown = sheet(qtbot)
    assert not shown.send_button.isDefault()
    assert not shown.send_button.isEnabled()
    shown.text.setPlainText("She was on duty.")
    with qtbot.waitSignal(office.toast_wanted):
        click(shown.send_button)
    qtbot.waitUntil(lambda: office.list.current_row.question.answered_at is not None)
    assert not office.detail.answer_button.isVisible()
    page.refresh()
    qtbot.waitUntil(lambda: says(page.detail, "She was on duty."))
    told = [notice.text for notice in notices_of(asked.world.patient(ALMA), asked.world.clock())]
    assert "The privacy officer answered your question" in told
    assert not notices_of(petra, asked.world.clock())


def test_a_question_asked_elsewhere_meanwhile_is_not_overwritten_and_the_words_are_kept(
    qtbot: QtBot, asked: Asked
) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    row = page.list.current_row
    click(page.detail.ask_button)
    shown = sheet(qtbot)
    asked.world.patient(ALMA).questions.ask(row, "Another.")
    shown.text.setPlainText(WHY)
    click(shown.send_button)
    qtbot.waitUntil(lambda: shown.band.state is not None)
    assert shown.text.toPlainText() == WHY
    assert shown.send_button.isEnabled()
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert asked.world.patient(ALMA).questions.by_access()[row.access_id].text == "Another."


def test_too_many_characters_cannot_be_sent(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    page = accesses_page(qtbot, asked)
    click(page.detail.ask_button)
    shown = sheet(qtbot)
    shown.text.setPlainText("x" * (QUESTION_MAX + 2))
    assert not shown.send_button.isEnabled()
    assert says(shown, "2 characters too many.")
    shown.reject()


def test_nobody_asked_anything(qtbot: QtBot, asked: Asked) -> None:
    page = questions_page(qtbot, asked)
    assert page.nothing.isVisible()
    assert not page.detail.answer_button.isVisible()


class Refusing(Questions):
    """A custodian that a colleague reached first."""

    def answer(self, row: QuestionRow, words: str) -> None:
        raise CustodianRefusal("already-exists", f"{row.person}: {words}")


def test_a_colleague_who_answered_first_is_not_overwritten(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    ask(qtbot, accesses_page(qtbot, asked))
    petra = asked.world.staff(PETRA)
    page = questions_page(qtbot, asked, Refusing(petra.machine, petra.identity))
    click(page.detail.answer_button)
    shown = sheet(qtbot)
    shown.text.setPlainText("Mine.")
    click(shown.send_button)
    qtbot.waitUntil(lambda: shown.band.state is not None)
    assert shown.text.toPlainText() == "Mine."
    shown.reject()


@pytest.mark.parametrize("name", ["Rita Roster", "Otto Operand", "Dr Carol Specimen"])
def test_no_other_office_reads_the_questions(asked: Asked, name: str) -> None:
    desk = asked.world.staff(name)
    with pytest.raises(CustodianRefusal):
        Questions(desk.machine, desk.identity).rows()


def test_nothing_of_a_question_stays_when_the_window_locks(qtbot: QtBot, asked: Asked) -> None:
    signed(asked)
    ask(qtbot, accesses_page(qtbot, asked))
    page = questions_page(qtbot, asked)
    page.blank()
    assert not says(page, ALMA)
    assert not says(page, "I was not there")
