"""The whole main job in the real window: asked, handed over, narrowed, signed, opened, judged, seen, stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.ui.pages.turn.check import Check
from app.ui.pages.turn.window import At, ConsentTurn
from app.ui.readers.frame import RecordFrame
from app.wiring.sandbox import PIN
from tests.support.desktop import sign_in
from tests.support.hands import Keys, Mouse, name_of, row_text, texts, wait_until
from tests.support.sandbox import ALMA, CAROL

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.wiring.desktop import Desktop
    from tests.support.sandbox import SandboxWorld

ASKED = ("CT and other images", "Laboratory", "Cytology", "Letters and reports", "Medication")
SENTENCE = "To compare with earlier ones."


def introduction_code(world: SandboxWorld) -> str:
    """Have a registrar make a code for Alma."""
    people = world.staff("Rita Roster").people
    person = next(row for row in people.persons() if row.person.name == ALMA)
    return people.make_code(person.patient_id).code


def ask_and_hand_over(hand: Mouse | Keys, desktop: Desktop, code: str) -> ConsentTurn:
    """Be introduced by a code, fill the form in, give the screen to the patient."""
    hand.press("Ask for access…")
    hand.type("A new patient: introduction code", code)
    hand.press("Next")
    hand.press("Treatment")
    for kind in ASKED:
        hand.press(kind)
    hand.press("A diagnostic suggestion")
    hand.type("Reason, in one sentence", SENTENCE)
    hand.press("Hand over to the patient now")
    turn: ConsentTurn = wait_until(lambda: desktop.window.findChild(ConsentTurn), "the patient's turn")
    return turn


def decide(hand: Mouse | Keys, turn: ConsentTurn) -> None:
    """Show card and PIN, leave laboratory out, answer both questions, sign, and take the receipt."""
    _card_and_pin(hand)
    hand.press("Go on")
    wait_until(lambda: turn.at is At.READ, "step 1")
    hand.sees(SENTENCE)
    hand.press("Next")
    wait_until(lambda: turn.at is At.CHOOSE, "step 2")
    hand.press("Laboratory results")
    hand.press("Yes")
    hand.press("Next")
    wait_until(lambda: turn.at is At.CHECK, "step 3")
    _answer(hand, turn.step)
    hand.press("Next")
    wait_until(lambda: turn.at is At.SIGN, "step 4")
    _card_and_pin(hand)
    hand.press("Sign with my PIN")
    wait_until(lambda: turn.at is At.RECEIPT, "the receipt")
    hand.sees("Done. It is recorded.")
    hand.press("I am finished")


def _card_and_pin(hand: Mouse | Keys) -> None:
    hand.press("Use the sandbox card")
    hand.type("Your PIN", PIN)


def _answer(hand: Mouse | Keys, step: QWidget) -> None:
    assert isinstance(step, Check)
    for card in step.cards:
        right = [answer.is_right for answer in card._asked.question.answers].index(True)
        if isinstance(hand, Mouse):
            hand.press(name_of(card.options[right].button))
            continue
        hand.go_to(card.options[0].button)  # two rows of two
        if right % 2:
            hand.key(Qt.Key.Key_Right)
        if right > 1:
            hand.key(Qt.Key.Key_Down)
        hand.key(Qt.Key.Key_Space)
        assert card.options[right].is_checked


def unlock(hand: Mouse | Keys, desktop: Desktop) -> None:
    """Type the own PIN on the lock page."""
    wait_until(lambda: desktop.window.is_locked, "the lock page")
    hand.type("PIN", PIN)
    hand.press("Unlock")
    wait_until(lambda: desktop.desk is not None, "the pages")


def open_record(hand: Mouse | Keys, desktop: Desktop, title: str) -> RecordFrame:
    """Choose a line of the worklist and open it."""
    hand.row("Records", title)
    hand.press("Open ")
    frame: RecordFrame = wait_until(lambda: shown(desktop), f"{title} to be open")
    return frame


def shown(desktop: Desktop) -> RecordFrame | None:
    """Return the record that is shown."""
    frames = [each for each in desktop.window.findChildren(RecordFrame) if each.isVisible() and not each.is_ended]
    return frames[0] if frames else None


def leave(hand: Mouse | Keys, desktop: Desktop) -> None:
    """Go back from a record with Esc or its button."""
    if isinstance(hand, Keys):
        hand.key(Qt.Key.Key_Escape)
    else:
        hand.press("Worklist")
    wait_until(
        lambda: desktop.window.is_shell_shown and desktop.desk is not None and not desktop.desk.open_count, "back"
    )


def list_records(hand: Mouse | Keys, desktop: Desktop) -> None:
    """Go to the worklist and have the list of her records released."""
    hand.press("Worklist")
    hand.row("Records", "Cytology")
    hand.press("Open the list")
    model = hand.view("Records").model()
    wait_until(lambda: any("CT chest" in row_text(model, row) for row in range(model.rowCount())), "the list")


def judge(hand: Mouse | Keys, desktop: Desktop) -> None:
    """Ask for a suggestion on the open table, read the model card, agree, and record the verdict."""
    hand.press("Suggestion…")
    hand.press("I have read it")
    hand.press("Agree")
    hand.press("Record verdict…")
    hand.type("PIN", PIN)
    hand.press("Record")
    hand.sees("It was recorded at")


def see_and_stop(hand: Mouse | Keys, desktop: Desktop, world: SandboxWorld) -> None:
    """As the patient: see who saw what and why, then stop the consent."""
    world.clock.now += 61  # custodians post what they released once a minute
    height = world.installation.machine.replica.height
    wait_until(lambda: world.installation.machine.replica.height > height, "the receipts of the custodian")
    desktop.window.activateWindow()
    wait_until(lambda: QApplication.activeWindow() is desktop.window, "her window to be active")
    sign_in(hand, desktop, ALMA)
    wait_until(lambda: desktop.desk is not None, "her pages")
    hand.press("Who saw what")
    hand.row("Who saw what", "CT chest")
    hand.sees("Dr Carol Specimen opened your CT chest")
    hand.press("My consents")
    hand.row("My consents", CAROL)
    hand.press("Stop…")
    hand.type("Your PIN", PIN)
    hand.press("Stop")


def nothing_of_alma(desktop: Desktop) -> bool:
    """Whether no widget of the window says her name any more."""
    return ALMA not in texts(desktop.window)


def list_any(hand: Mouse | Keys, text: str) -> None:
    """Have the list of records released from the worklist, and wait until a record of the list is there."""
    hand.press("Worklist")
    hand.row("Records", text)
    hand.press("Open the list")
    model = hand.view("Records").model()
    wait_until(lambda: any("measurements" in row_text(model, row) for row in range(model.rowCount())), "the list")
