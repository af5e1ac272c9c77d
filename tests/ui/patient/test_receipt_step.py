"""The receipt at the end of a turn: printed, and kept in the patient's mailbox, or told why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtPrintSupport import QPrinter

from app.consent.receipt import verify_receipt
from app.custodian.messages import CustodianRefusal
from app.ui.pages.printing import NoPrinterError, choose_printer
from app.ui.pages.turn.receipt import ReceiptStep
from app.ui.pages.turn.words import words
from app.wiring.notices import notices_of
from app.wiring.sandbox import PIN
from tests.support.sandbox import ALMA
from tests.ui.patient.turning import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from app.services.receipts import Receipt
    from app.services.turn import Turn
    from tests.support.turns import Asked


@pytest.fixture
def turn(asked: Asked) -> Turn:
    """Alma's turn, whose terms she narrowed."""
    made = asked.start(asked.card, PIN)
    made.narrow(ai_inference=False)
    return made


@pytest.fixture
def receipt(turn: Turn, asked: Asked) -> Receipt:
    """What she got when she signed it."""
    return turn.sign(asked.card, PIN)


def shown(
    qtbot: QtBot,
    asked: Asked,
    receipt: Receipt,
    mail: Callable[[], None],
    printer: Callable[[QWidget], QPrinter | None] = choose_printer,
    language: str = "en",
) -> ReceiptStep:
    """Show the step."""
    step = ReceiptStep(receipt, words(language), "+00:00", asked.where(choose_printer=printer), mail)
    qtbot.addWidget(step)
    step.resize(1280, 700)
    step.show()
    return step


def on_paper(path: Path) -> QPrinter:
    """Return a printer that prints into a file, as a print server's queue would."""
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(path))
    return printer


def mailed(asked: Asked) -> list[str]:
    """Return the receipts in Alma's mailbox, opened with her own key."""
    pairs = asked.world.patient(ALMA).unlocked.pairs
    told = [each for pair in pairs for each in pair.client.notices(pair.identity, pair.patient_id, pair.mailbox)]
    return [str(each.content["receipt"]) for each in told if each.kind == "receipt"]


def test_it_is_printed_on_one_page_where_she_chooses(
    qtbot: QtBot, asked: Asked, receipt: Receipt, tmp_path: Path
) -> None:
    paper = tmp_path / "printed.pdf"
    step = shown(qtbot, asked, receipt, lambda: None, lambda _over: on_paper(paper))
    click(step.print_button)
    assert step.note.text.text() == "It was sent to the printer."
    content = paper.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") == 1


def test_changing_her_mind_in_the_dialog_prints_nothing(qtbot: QtBot, asked: Asked, receipt: Receipt) -> None:
    step = shown(qtbot, asked, receipt, lambda: None, lambda _over: None)
    click(step.print_button)
    assert not step.note.isVisible()


@pytest.mark.parametrize(("language", "said"), [("en", "No printer is set up"), ("de", "kein Drucker eingerichtet")])
def test_without_a_printer_it_says_so_and_what_to_do(
    qtbot: QtBot, asked: Asked, receipt: Receipt, language: str, said: str
) -> None:
    def none(_over: QWidget) -> QPrinter | None:
        raise NoPrinterError

    step = shown(qtbot, asked, receipt, lambda: None, none, language)
    click(step.print_button)
    assert said in step.note.text.text()


def test_the_systems_dialog_is_not_opened_on_a_machine_without_printers(
    qtbot: QtBot, asked: Asked, receipt: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PySide6.QtPrintSupport.QPrinterInfo.availablePrinterNames", list)
    step = shown(qtbot, asked, receipt, lambda: None)
    with pytest.raises(NoPrinterError):
        choose_printer(step)


def test_her_mailbox_keeps_it_once_and_the_bell_says_so(
    qtbot: QtBot, asked: Asked, turn: Turn, receipt: Receipt
) -> None:
    step = shown(qtbot, asked, receipt, lambda: turn.mail(receipt))
    click(step.mail_button)
    qtbot.waitUntil(lambda: "in your mailbox" in step.note.text.text())
    assert not step.mail_button.isEnabled()
    turn.mail(receipt)
    assert mailed(asked) == [receipt.content.decode()]
    network_id = asked.world.installation.machine.gateway.network_id
    assert verify_receipt(mailed(asked)[0].encode(), network_id).consent_id == asked.consent_id
    told = [notice.text for notice in notices_of(asked.world.patient(ALMA), asked.world.clock())]
    assert f"Your receipt C-{asked.consent_id[:4].upper()} is in your mailbox" in told


@pytest.mark.parametrize(("language", "said"), [("en", "could not be sent"), ("de", "konnte nicht gesendet werden")])
def test_a_hospital_that_does_not_answer_leaves_another_try(
    qtbot: QtBot, asked: Asked, receipt: Receipt, language: str, said: str
) -> None:
    def silent() -> None:
        raise CustodianRefusal("halted")

    step = shown(qtbot, asked, receipt, silent, language=language)
    click(step.mail_button)
    qtbot.waitUntil(lambda: said in step.note.text.text())
    assert step.mail_button.isEnabled()


def test_no_receipt_but_that_of_this_very_consent_is_taken(asked: Asked, turn: Turn, receipt: Receipt) -> None:
    pair = turn.pair
    other = asked.world.patient(ALMA)
    other.consents.block_person(other.consents.people()[0], PIN, emergency_opens=False)
    block = next(row for row in other.consents.rows() if row.denies)
    for consent_id, content in ((block.consent_id, receipt.content), (asked.consent_id, receipt.content[:-9])):
        with pytest.raises(CustodianRefusal, match="artefact-mismatch"):
            pair.client.keep_receipt(pair.identity, pair.patient_id, consent_id, content)
    greta = asked.world.patient("Greta Imaginary").unlocked.pairs[0]
    with pytest.raises(CustodianRefusal):
        greta.client.keep_receipt(greta.identity, pair.patient_id, asked.consent_id, receipt.content)
    assert not mailed(asked)
