"""The patient's turn on a real sandbox: by mouse, by keys alone, and what must never lead on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton

from app.consent.receipt import receipt_hash, verify_receipt
from app.consent.sentences import sentences
from app.consent.terms import Category
from app.services.consents import ConsentState
from app.ui.pages.turn import ConsentTurn, Leaving
from app.ui.pages.turn.check import Check
from app.ui.pages.turn.choose import Choose
from app.ui.pages.turn.identity import Identity
from app.ui.pages.turn.read import Read
from app.ui.pages.turn.receipt import Finished, ReceiptStep
from app.ui.pages.turn.sheets import BlockSheet, SigningSheet
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.window import At
from app.ui.theme import look
from app.ui.widgets import ButtonKind
from app.wiring.sandbox import PIN
from tests.support.sandbox import ALMA, CAROL
from tests.ui.patient.turning import (
    click,
    press,
    read_on,
    right_answer,
    shown,
    sign,
    step,
    tab_to,
    to_choose,
    to_sign,
    type_into,
    type_text,
    unlock,
)

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.support.turns import Asked


@pytest.fixture
def turn(qtbot: QtBot, asked: Asked) -> ConsentTurn:
    """A turn on the clinician's screen that asks for card and PIN first."""
    return shown(qtbot, ConsentTurn(asked.where()))


@pytest.fixture
def own(qtbot: QtBot, asked: Asked) -> ConsentTurn:
    """A turn of a patient who signed in herself, at step 1."""
    return shown(qtbot, ConsentTurn(asked.where(handed_over=False), asked.start(asked.card, PIN)))


def test_the_whole_turn_by_mouse_gives_a_consent_and_a_receipt_that_verifies(
    qtbot: QtBot, turn: ConsentTurn, asked: Asked
) -> None:
    left: list[str] = []
    turn.left.connect(left.append)
    unlock(qtbot, turn)
    choose = to_choose(qtbot, turn)
    click(choose.records.boxes["laboratory"].button)
    click(choose.days.segments.button(1))
    assert choose.ai is not None
    click(choose.ai.segments.button(0))
    read_on(qtbot, turn)
    for card in step(turn, Check).cards:
        click(right_answer(card).button)
    read_on(qtbot, turn)
    read = step(turn, Sign).sentences
    sign(qtbot, turn, asked)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT)
    receipt = step(turn, ReceiptStep).receipt
    assert receipt.sentences == read
    assert "laboratory" not in read[0]
    assert "1 December 2026" in read[0]
    click(step(turn, ReceiptStep).json_button)
    click(step(turn, ReceiptStep).pdf_button)
    saved = asked.folder.folder / asked.folder.suggested[0]
    assert receipt_hash(saved.read_bytes()) == receipt.hash
    machine = asked.world.installation.machine
    assert verify_receipt(saved.read_bytes(), machine.gateway.network_id).sentences == read
    assert (asked.folder.folder / asked.folder.suggested[1]).read_bytes().startswith(b"%PDF-")
    click(step(turn, ReceiptStep).finish_button)
    assert left == [Leaving.SIGNED]
    row = asked.world.patient(ALMA).consents.rows()[0]
    assert (row.state, row.sentences) == (ConsentState.ACTIVE, read)


def test_the_whole_turn_by_keys_alone(qtbot: QtBot, turn: ConsentTurn, asked: Asked) -> None:
    assert QApplication.focusWidget() is step(turn, Identity).fields.card
    type_text(asked.card)
    tab_to(step(turn, Identity).fields.pin)
    type_text(PIN)
    tab_to(turn.footer.next_button)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: turn.at is At.READ)
    qtbot.waitUntil(turn.footer.next_button.isEnabled)
    tab_to(turn.footer.next_button)
    press(Qt.Key.Key_Space)
    choose = step(turn, Choose)
    tab_to(choose.records.boxes["document"].button)
    press(Qt.Key.Key_Space)
    assert choose.ai is not None
    tab_to(choose.ai.segments.button(0))
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    assert choose.choices.ai is False
    tab_to(turn.footer.next_button)
    press(Qt.Key.Key_Return)
    for card in step(turn, Check).cards:
        tab_to(card.options[0].button)
        while not right_answer(card).is_checked:
            press(Qt.Key.Key_Space)
            if not right_answer(card).is_checked:
                press(Qt.Key.Key_Down)
    tab_to(turn.footer.next_button)
    press(Qt.Key.Key_Return)
    fields = step(turn, Sign).fields
    tab_to(fields.card)
    type_text(asked.card)
    tab_to(fields.pin)
    type_text(PIN)
    tab_to(step(turn, Sign).button)
    press(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: turn.at is At.RECEIPT)
    assert Category.DOCUMENT not in turn._started.terms.categories
    tab_to(step(turn, ReceiptStep).finish_button)
    with qtbot.waitSignal(turn.left) as left:
        press(Qt.Key.Key_Return)
    assert left.args == [Leaving.SIGNED.value]


def test_escape_and_enter_beside_a_control_change_nothing_in_any_step(
    qtbot: QtBot, turn: ConsentTurn, asked: Asked
) -> None:
    left: list[str] = []
    turn.left.connect(left.append)

    def try_keys(*, fields: bool = False) -> None:
        at, choices = turn.at, turn.kept()
        shown_fields = step(turn, Identity if at is At.IDENTITY else Sign).fields if fields else None
        targets = [turn] if shown_fields is None else [turn, shown_fields.card, shown_fields.pin]
        for target in targets:
            for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                target.setFocus()
                QTest.keyClick(target, key)
        assert (turn.at, turn.kept()) == (at, choices)

    step(turn, Identity).fields.card.setText(asked.card)
    step(turn, Identity).fields.pin.setText(PIN)
    try_keys(fields=True)
    read_on(qtbot, turn)
    qtbot.waitUntil(lambda: turn.at is At.READ)
    try_keys()
    to_choose(qtbot, turn)
    try_keys()
    turn._go(At.READ)
    found = to_sign(qtbot, turn)
    found.fields.card.setText(asked.card)
    found.fields.pin.setText(PIN)
    try_keys(fields=True)
    assert left == []
    assert asked.world.patient(ALMA).consents.rows() == ()


def test_no_button_of_any_step_or_sheet_is_a_default(qtbot: QtBot, own: ConsentTurn) -> None:
    def look_around(of: object) -> None:
        buttons = of.findChildren(QPushButton)  # type: ignore[attr-defined]
        assert buttons
        assert not [each.text() for each in buttons if each.isDefault() or each.autoDefault()]

    look_around(own)
    to_choose(qtbot, own)
    look_around(own)
    own._go(At.READ)
    to_sign(qtbot, own)
    look_around(own)
    click(own.footer.refuse_button)
    sheet = _sheet(qtbot)
    look_around(sheet)
    sheet.reject()


def test_read_shows_the_request_with_its_reason_and_needs_the_end_to_be_seen(qtbot: QtBot, asked: Asked) -> None:
    turn = ConsentTurn(asked.where(handed_over=False), asked.start(asked.card, PIN))
    qtbot.addWidget(turn)
    turn.setFixedSize(1120, 420)
    turn.show()
    read = step(turn, Read)
    bar = read.column.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert "To compare." in read.speech
    assert not turn.footer.next_button.isEnabled()
    assert turn.footer.note.text.text() == "Please read to the end"
    bar.setValue(bar.maximum())
    qtbot.waitUntil(turn.footer.next_button.isEnabled)


def test_what_is_not_answered_counts_as_no_and_keeps_next_closed(qtbot: QtBot, own: ConsentTurn) -> None:
    choose = to_choose(qtbot, own)
    assert choose.ai is not None
    assert choose.ai.segments.current == ""
    assert not own._started.terms.ai_inference
    assert not own.footer.next_button.isEnabled()
    assert own.footer.note.text.text() == "One question is open"
    click(choose.labels.options["normal-only"].button)
    assert choose.emergency.isVisible()
    assert choose.emergency.segments.current == ""
    assert not own._started.terms.emergency_opens
    assert own.footer.note.text.text() == "Two questions are open"


def test_the_sentence_is_made_from_the_consent_that_would_be_signed(qtbot: QtBot, own: ConsentTurn) -> None:
    choose = to_choose(qtbot, own)
    started = own._started
    click(choose.since.segments.button(1))
    assert choose.sentence.text == " ".join(sentences(started.artefact()))
    assert "24 November 2025" in choose.sentence.text
    assert choose.since.note.text.text().startswith("Made between 24 November 2025")
    for box in choose.records.boxes.values():
        click(box.button)
    assert choose.sentence.text == "Choose at least one kind, or refuse all"
    assert not own.footer.next_button.isEnabled()


def test_dates_of_her_own_stay_within_what_was_asked(qtbot: QtBot, own: ConsentTurn) -> None:
    choose = to_choose(qtbot, own)
    last = len(choose._since_options)
    click(choose.since.segments.button(last))
    first, until = choose.dates.edits
    first.setDate(first.minimumDate().addDays(-400))
    assert first.date().toString(Qt.DateFormat.ISODate) == "2024-11-24"
    until.setDate(until.date().addDays(-30))
    assert own._started.terms.made_until == "2026-10-25"


def test_wrong_answers_explain_and_the_third_asks_to_talk_it_over(qtbot: QtBot, own: ConsentTurn) -> None:
    choose = to_choose(qtbot, own)
    assert choose.ai is not None
    click(choose.ai.segments.button(1))
    read_on(qtbot, own)
    check = step(own, Check)
    card = check.cards[1]
    assert card.options[3].text_label.text() == "I am not sure"
    click(card.options[3].button)
    assert card.note.text.text().endswith("Please choose again.")
    click(card.options[1].button)
    click(card.options[2].button)
    assert card.note.text.text().endswith("Please talk it over with the person beside you.")
    assert QApplication.focusWidget() is own.footer.later_button
    assert not own.footer.next_button.isEnabled()
    for each in check.cards:
        click(right_answer(each).button)
    assert own.footer.next_button.isEnabled()


def test_a_changed_choice_asks_both_questions_again(qtbot: QtBot, own: ConsentTurn) -> None:
    to_sign(qtbot, own)
    click(own.footer.back_button)
    assert step(own, Check).is_ready
    click(step(own, Check).allow.change_button)
    click(step(own, Choose).days.segments.button(0))
    read_on(qtbot, own)
    assert step(own, Check).gap == "Two questions are open"


def test_what_is_read_at_the_end_is_signed_byte_for_byte_however_long_it_takes(
    qtbot: QtBot, own: ConsentTurn, asked: Asked
) -> None:
    found = to_sign(qtbot, own)
    asked.world.clock.now += 1200
    sign(qtbot, own, asked)
    qtbot.waitUntil(lambda: own.at is At.RECEIPT)
    assert step(own, ReceiptStep).receipt.sentences == found.sentences


def test_the_button_to_sign_is_not_coloured_before_card_and_pin_are_there(
    qtbot: QtBot, own: ConsentTurn, asked: Asked
) -> None:
    found = to_sign(qtbot, own)
    assert (found.button.isEnabled(), found.button.kind) == (False, ButtonKind.PLAIN)
    type_into(found.fields.pin, PIN)
    assert not found.button.isEnabled()
    found.fields.card.setText(asked.card)
    assert (found.button.isEnabled(), found.button.kind) == (True, ButtonKind.PRIMARY)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_language_goes_through_every_text_and_into_the_consent(
    qtbot: QtBot, own: ConsentTurn, asked: Asked, language: str
) -> None:
    own.header.language.setCurrentIndex(own.header.language.findData(language))
    own.header.language.activated.emit(own.header.language.currentIndex())
    to_sign(qtbot, own)
    sign(qtbot, own, asked)
    qtbot.waitUntil(lambda: own.at is At.RECEIPT)
    receipt = step(own, ReceiptStep).receipt
    assert json.loads(receipt.content)["language"] == language
    said = {"en": "may open your", "de": "darf Ihre"}[language]
    assert said in receipt.sentences[0]


def test_refuse_all_asks_once_and_needs_card_and_pin(qtbot: QtBot, own: ConsentTurn, asked: Asked) -> None:
    to_choose(qtbot, own)
    click(own.footer.refuse_button)
    sheet = _sheet(qtbot)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible()
    assert not sheet.go_button.isEnabled()
    sheet.fields.card.setText(asked.card)
    type_into(sheet.fields.pin, PIN)
    sheet.fields.pin.setFocus()
    QTest.keyClick(sheet.fields.pin, Qt.Key.Key_Return)
    assert own.at is At.CHOOSE
    click(sheet.go_button)
    qtbot.waitUntil(lambda: own.at is At.REFUSED)
    assert asked.world.patient(ALMA).consents.rows()[0].state is ConsentState.REFUSED
    with qtbot.waitSignal(own.left) as left:
        click(step(own, Finished).finish_button)
    assert left.args == [Leaving.REFUSED.value]


def test_blocking_a_person_is_a_consent_of_its_own_and_leaves_the_request_open(
    qtbot: QtBot, own: ConsentTurn, asked: Asked
) -> None:
    choose = to_choose(qtbot, own)
    click(choose.block_button)
    sheet = _sheet(qtbot)
    assert isinstance(sheet, BlockSheet)
    names = {option.text_label.text() for option in sheet.options.values()}
    assert names
    assert CAROL not in names
    option = next(iter(sheet.options.values()))
    assert not option.is_checked
    click(option.button)
    sheet.fields.card.setText(asked.card)
    type_into(sheet.fields.pin, PIN)
    assert not sheet.go_button.isEnabled()
    click(sheet.emergency.button(0))
    click(sheet.go_button)
    qtbot.waitUntil(lambda: "is blocked" in choose.who.note.text.text())
    assert own.at is At.CHOOSE
    rows = asked.world.patient(ALMA).consents.rows()
    assert [row.denies for row in rows] == [True]


def test_nothing_of_a_turn_stays_when_it_is_given_back(qtbot: QtBot, own: ConsentTurn, asked: Asked) -> None:
    scale = look().text_scale
    click(own.header.larger_button)
    assert look().text_scale > scale
    found = to_sign(qtbot, own)
    found.fields.card.setText(asked.card)
    found.fields.pin.setText(PIN)
    with qtbot.waitSignal(own.left) as left:
        click(own.footer.later_button)
    assert left.args == [Leaving.LATER.value]
    assert (found.fields.card.text(), found.fields.pin.text()) == ("", "")
    assert look().text_scale == scale


def test_a_lock_keeps_the_choices_and_nothing_else(qtbot: QtBot, asked: Asked) -> None:
    first = shown(qtbot, ConsentTurn(asked.where(), asked.start(asked.card, PIN)))
    choose = to_choose(qtbot, first)
    click(choose.days.segments.button(0))
    kept = first.kept()
    assert kept is not None
    assert asked.card not in repr(kept)
    again = shown(qtbot, ConsentTurn(asked.where(), kept=kept))
    step(again, Identity).fields.card.setText(asked.card)
    type_into(step(again, Identity).fields.pin, PIN)
    read_on(qtbot, again)
    qtbot.waitUntil(lambda: again.at is At.CHOOSE)
    assert step(again, Choose).choices == kept.choices


def test_only_the_clinicians_screen_can_be_given_back(own: ConsentTurn, turn: ConsentTurn) -> None:
    assert not own.header.give_back_button.isVisible()
    assert turn.header.give_back_button.isVisible()
    assert turn.header.give_back_button.text() == "Give back to Dr Specimen"


def test_reading_aloud_is_offered_only_where_a_program_is(qtbot: QtBot, asked: Asked, own: ConsentTurn) -> None:
    said: list[tuple[str, str]] = []

    class Voice:
        is_speaking = False

        def say(self, text: str, language: str) -> None:
            said.append((text, language))

        def stop(self) -> None:
            self.is_speaking = False

    assert not own.header.aloud_button.isVisible()
    turn = shown(qtbot, ConsentTurn(asked.where(speech=Voice()), asked.start(asked.card, PIN)))
    click(turn.header.aloud_button)
    assert said == [(step(turn, Read).speech, "en")]


def test_every_control_has_a_name(qtbot: QtBot, own: ConsentTurn) -> None:
    to_choose(qtbot, own)
    nameless = [
        type(each).__name__
        for each in own.findChildren(QAbstractButton)
        if each.isVisible() and not (each.accessibleName() or each.text())
    ]
    assert nameless == []


def _sheet(qtbot: QtBot) -> SigningSheet:
    found: list[SigningSheet] = []

    def look_for() -> bool:
        found[:] = [each for each in QApplication.topLevelWidgets() if isinstance(each, SigningSheet)]
        return bool(found) and found[0].isVisible()

    qtbot.waitUntil(look_for)
    return found[0]
