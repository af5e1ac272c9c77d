"""Step 5: what she takes home. It closes by itself, so that nobody reads it after her."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.services.requests import short_id
from app.ui.pages.paper import pairs, paragraphs, print_on, write_pdf
from app.ui.pages.printing import NoPrinterError
from app.ui.pages.qr import QrCode, qr_image
from app.ui.pages.turn.step import Step
from app.ui.theme import scaled
from app.ui.widgets import Button, Card, Fact, FactsGrid, Note, TextKind, label
from app.ui.widgets.text import IconLabel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from app.services.receipts import Receipt
    from app.ui.pages.turn.place import TurnPlace
    from app.ui.pages.turn.words import Words

OPEN_SECONDS: Final = 60


class Finished(Step):
    """The end of a turn: a heading, perhaps a card, and the button that closes it. ``finished`` after 60 s or a press.

    Args:
        words: in the patient's language.
        heading: what is true now.
        text: one more sentence.
    """

    finished = Signal()

    def __init__(self, words: Words, heading: str, text: str) -> None:
        super().__init__(centred=760)
        self._words, self._said, self._left = words, f"{heading} {text}", OPEN_SECONDS
        head = QHBoxLayout()
        head.setSpacing(scaled(12))
        head.addWidget(IconLabel("circle-check", "ok_fg", 28))
        head.addWidget(label(heading, TextKind.PATIENT_TITLE, wrap=True), 1)
        self.main.addLayout(head)
        self.content = QVBoxLayout()
        self.main.addLayout(self.content)
        self.main.addWidget(label(text, TextKind.PATIENT, wrap=True))
        self.finish_button = Button(words.say("finished"), patient=True)
        self.finish_button.clicked.connect(self.finished)
        self.closes = label("", TextKind.PATIENT_CAPTION)
        row = QHBoxLayout()
        row.addWidget(self.finish_button)
        row.addSpacing(scaled(12))
        row.addWidget(self.closes)
        row.addStretch(1)
        self.main.addSpacing(scaled(8))
        self.main.addLayout(row)
        self.main.addStretch(1)
        self._timer = QTimer(self, interval=1000)
        self._timer.timeout.connect(self._count)
        self._timer.start()
        self._say()

    def _count(self) -> None:
        self._left -= 1
        self._say()
        if self._left <= 0:
            self.stop()
            self.finished.emit()

    def _say(self) -> None:
        self.closes.setText(self._words.say("receipt.closes", seconds=max(0, self._left)))

    def stop(self) -> None:
        """Count no more."""
        self._timer.stop()

    @property
    def speech(self) -> str:
        """What is read aloud."""
        return self._said

    def first_control(self) -> QWidget | None:
        """Nothing: whoever goes on pressing a key must not close what is not read yet."""
        return None


class ReceiptStep(Finished):
    """The receipt of a signature: to be printed, saved, or kept in her mailbox.

    Args:
        receipt: what to show.
        words: in the patient's language.
        zone: her hospital's fixed offset.
        where: the background, and who asks for a file or a printer.
        mail: puts the receipt into her mailbox; blocks.
    """

    def __init__(self, receipt: Receipt, words: Words, zone: str, where: TurnPlace, mail: Callable[[], None]) -> None:
        super().__init__(words, words.say("done"), words.say("receipt_note"))
        self._zone, self._where, self._mail = zone, where, mail
        self.receipt = receipt
        self._moment = words.consent.moment(receipt.at, zone)
        card = Card(words.say("receipt"), icon_name="receipt-text", accent=True, padding=20)
        row = QHBoxLayout()
        row.setSpacing(scaled(20))
        left = QVBoxLayout()
        left.setSpacing(scaled(10))
        grid = FactsGrid(tuple(Fact(name, value) for name, value in receipt_rows(receipt, words, self._moment)))
        left.addWidget(grid)
        for place, sentence in enumerate(receipt.sentences):
            kind = TextKind.PATIENT_STRONG if place == 0 else TextKind.PATIENT
            left.addWidget(label(sentence, kind, wrap=True))
        left.addStretch(1)
        row.addLayout(left, 1)
        row.addWidget(QrCode(receipt.hash, 176, words.say("receipt.code")), 0, Qt.AlignmentFlag.AlignTop)
        card.body.addLayout(row)
        card.body.addWidget(Note("qr-code", words.say("receipt.code"), "muted", TextKind.PATIENT_CAPTION))
        buttons = QHBoxLayout()
        buttons.setSpacing(scaled(8))
        self.print_button = Button(words.say("print"), icon_name="printer", patient=True)
        self.mail_button = Button(words.say("mailbox"), icon_name="inbox", patient=True)
        self.print_button.clicked.connect(self._print)
        self.mail_button.clicked.connect(self._send)
        self.pdf_button = Button(words.say("save_pdf"), icon_name="download", patient=True)
        self.json_button = Button(words.say("receipt.save_json"), icon_name="download", patient=True)
        self.pdf_button.clicked.connect(lambda: self._save("pdf", "PDF (*.pdf)"))
        self.json_button.clicked.connect(lambda: self._save("json", "JSON (*.json)"))
        for button in (self.print_button, self.pdf_button, self.json_button, self.mail_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        card.body.addLayout(buttons)
        self.note = Note("circle-check", "", "ok", TextKind.PATIENT_CAPTION)
        self.note.hide()
        card.body.addWidget(self.note)
        self.content.addWidget(card)

    def _print(self) -> None:
        try:
            printer = self._where.choose_printer(self)
        except NoPrinterError:
            self._show_saved(self._words.say("receipt.no_printer"), failed=True)
            return
        if printer is None:
            return
        printer.setDocName(self._words.say("receipt.pdf"))
        print_on(printer, *receipt_paper(self.receipt, self._words, self._zone))
        has_failed = printer.printerState() in (type(printer).PrinterState.Error, type(printer).PrinterState.Aborted)
        said = "receipt.not_printed" if has_failed else "receipt.printed"
        self._show_saved(self._words.say(said), failed=has_failed)

    def _send(self) -> None:
        self.mail_button.setEnabled(False)
        self.note.show_note("hourglass", self._words.say("receipt.mailing"), "text2")

        def sent(_: None) -> None:
            self._show_saved(self._words.say("receipt.mailed"))

        def failed(_error: Exception) -> None:
            self.mail_button.setEnabled(True)
            self._show_saved(self._words.say("receipt.not_mailed"), failed=True)

        self._where.place.background.run(self, self._mail, sent, failed)

    def _save(self, kind: str, kinds: str) -> None:
        path = self._where.choose_path(self, f"assent-{self.receipt.consent_id[:4].upper()}.{kind}", kinds)
        if path is None:
            return
        path = path.with_suffix(f".{kind}")
        try:
            save_receipt(path, self.receipt, self._words, self._zone)
        except OSError:
            self._show_saved(self._words.say("receipt.not_saved"), failed=True)
            return
        self._show_saved(self._words.say("receipt.saved", name=path.name))

    def _show_saved(self, text: str, *, failed: bool = False) -> None:
        self.note.show_note("triangle-alert" if failed else "circle-check", text, "wait" if failed else "ok")

    @property
    def speech(self) -> str:
        """What is read aloud."""
        return " ".join((self._said, *self.receipt.sentences))


def receipt_rows(receipt: Receipt, words: Words, moment: str) -> tuple[tuple[str, str], ...]:
    """Return number, time and block of a receipt."""
    return (
        (words.say("receipt.number"), short_id(receipt.consent_id)),
        (words.say("receipt.time"), moment),
        (words.say("receipt.block"), str(receipt.block)),
    )


def save_receipt(path: Path, receipt: Receipt, words: Words, zone: str) -> None:
    """Write a receipt: the whole proof as JSON, or what people read as PDF.

    Args:
        path: ends in ``.json`` or ``.pdf``.
        receipt: what to write.
        words: in the patient's language.
        zone: her hospital's fixed offset.

    Raises:
        OSError: it cannot be written there.
    """
    if path.suffix == ".json":
        path.write_bytes(receipt.content)
        return
    write_pdf(path, words.say("receipt.pdf"), *receipt_paper(receipt, words, zone))


def receipt_paper(receipt: Receipt, words: Words, zone: str) -> tuple[str, QImage]:
    """Return what people read of a receipt on paper, and the code on it."""
    rows = receipt_rows(receipt, words, words.consent.moment(receipt.at, zone))
    body = paragraphs(words.say("receipt.pdf"), receipt.sentences) + pairs(rows)
    body += paragraphs("", (words.say("receipt_note"), words.say("receipt.code"))) + '<p><img src="image"/></p>'
    body += pairs(((words.say("receipt.check_number"), receipt.hash),))
    return body, qr_image(receipt.hash, 8)
