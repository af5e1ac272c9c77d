"""What a registrar fills in or shows once: a patient, a practitioner, a new PIN, a code, a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDateEdit, QHBoxLayout, QLineEdit, QWidget

from app.custodian.results import Person
from app.identity.certificates import Role
from app.services.people import NewMember
from app.ui.pages.qr import QrCode
from app.ui.refusals import error_sentence
from app.ui.theme import mono, scaled
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.dialogs import Sheet
from app.ui.widgets.forms import Field, PinField
from app.ui.widgets.panes import Note
from app.ui.widgets.text import TextKind, label
from app.ui.wording import time_text

if TYPE_CHECKING:
    from app.custodian.results import IntroductionCode


class FilledSheet(Sheet):
    """A form in a sheet: fields above each other, a gap's text under the form."""

    def __init__(self, over: QWidget, title: str, button: str, icon_name: str) -> None:
        super().__init__(over, title, 480, icon_name=icon_name)
        self.trouble = Note("triangle-alert", "", "deny", TextKind.BODY)
        self.trouble.hide()
        self.add_cancel()
        self.go_button = self.add_button(Button(button, kind=ButtonKind.PRIMARY), is_default=True)
        self.go_button.clicked.connect(self.check)

    def check(self) -> None:
        """See whether everything is there, then hand it over."""

    def show_trouble(self, error: Exception | str) -> None:
        """Say what is missing or what went wrong."""
        self.trouble.show_note("triangle-alert", error if isinstance(error, str) else error_sentence(error), "deny")
        self.trouble.show()
        self.go_button.setEnabled(True)


class NewPinSheet(FilledSheet):
    """A new PIN, typed twice by the person it belongs to."""

    pin_chosen = Signal(str)

    def __init__(self, over: QWidget, name: str) -> None:
        super().__init__(over, f"New PIN for {name}", "Set the PIN", "rotate-cw")
        self.pin, self.again = PinField(), PinField(accessible="The same again")
        self.body.addWidget(label("The patient is here, with the card, and types the new PIN.", wrap=True))
        self.body.addWidget(Field("PIN", self.pin, "At least 8 digits"))
        self.body.addWidget(Field("The same again", self.again))
        self.body.addWidget(self.trouble)

    def check(self) -> None:
        """Compare the two."""
        pin, again = self.pin.take(), self.again.take()
        if pin != again:
            self.show_trouble("The two are not the same. Type them again.")
        else:
            self.go_button.setEnabled(False)
            self.pin_chosen.emit(pin)


class PersonSheet(FilledSheet):
    """A new patient. ``filled`` carries the person and her PIN."""

    filled = Signal(object, str)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "Register a patient", "Register and make the card", "user-round-plus")
        self.name, self.number, self.contact = QLineEdit(), QLineEdit(), QLineEdit()
        self.born = QDateEdit()
        self.born.setDisplayFormat("d MMM yyyy")
        self.sex, self.language = QComboBox(), QComboBox()
        for code, text in (("female", "Female"), ("male", "Male"), ("other", "Other"), ("unknown", "Not known")):
            self.sex.addItem(text, code)
        for code, text in (("en", "English"), ("de", "Deutsch")):
            self.language.addItem(text, code)
        self.pin, self.again = PinField(), PinField(accessible="The same again")
        pairs = (
            (("Name", self.name, ""), ("Hospital number", self.number, "")),
            (("Born", self.born, ""), ("Sex", self.sex, "")),
            (("Language", self.language, "of what she reads"), ("Contact", self.contact, "for printed notices")),
            (("PIN", self.pin, "she types it, at least 8 digits"), ("The same again", self.again, "")),
        )
        for pair in pairs:
            row = QHBoxLayout()
            row.setSpacing(scaled(12))
            for heading, control, hint in pair:
                row.addWidget(Field(heading, control, hint), 1)
            self.body.addLayout(row)
        self.body.addWidget(self.trouble)

    def check(self) -> None:
        """See whether name and PIN are there."""
        pin, again = self.pin.take(), self.again.take()
        if not self.name.text().strip():
            self.show_trouble("Type the patient's name.")
        elif pin != again:
            self.show_trouble("The two PINs are not the same. Type them again.")
        else:
            self.go_button.setEnabled(False)
            self.filled.emit(
                Person(
                    self.name.text().strip(),
                    self.born.date().toString(Qt.DateFormat.ISODate),
                    str(self.sex.currentData()),
                    self.number.text().strip(),
                    str(self.language.currentData()),
                    self.contact.text().strip(),
                ),
                pin,
            )


class MemberSheet(FilledSheet):
    """A new practitioner. ``filled`` carries the member and the person's PIN."""

    filled = Signal(object, str)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "Enrol a practitioner", "Enrol", "id-card")
        self.name, self.qualification, self.department = QLineEdit(), QLineEdit(), QLineEdit()
        self.pin, self.again = PinField(), PinField(accessible="The same again")
        for heading, control, hint in (
            ("Name", self.name, "as on the badge"),
            ("Qualification", self.qualification, "patients read it"),
            ("Department", self.department, "patients read it; it is not on the ledger"),
            ("PIN", self.pin, "the person types it, at least 8 characters"),
            ("The same again", self.again, ""),
        ):
            self.body.addWidget(Field(heading, control, hint))
        self.body.addWidget(self.trouble)

    def check(self) -> None:
        """See whether name and PIN are there."""
        pin, again = self.pin.take(), self.again.take()
        if not self.name.text().strip():
            self.show_trouble("Type the person's name.")
        elif pin != again:
            self.show_trouble("The two PINs are not the same. Type them again.")
        else:
            self.go_button.setEnabled(False)
            member = NewMember(
                self.name.text().strip(),
                Role.PRACTITIONER,
                self.qualification.text().strip(),
                self.department.text().strip(),
            )
            self.filled.emit(member, pin)


class CodeSheet(Sheet):
    """An introduction code, as QR and text, for fifteen minutes."""

    def __init__(self, over: QWidget, code: IntroductionCode) -> None:
        super().__init__(over, "Introduction code", 440, icon_name="key-round")
        self.text = label(code.code, selectable=True)
        self.text.setFont(mono())
        self.body.addWidget(label("The practitioner types or scans it once. It says nothing by itself.", wrap=True))
        self.body.addWidget(
            QrCode(code.code, 180, "The introduction code as a QR code"), 0, Qt.AlignmentFlag.AlignHCenter
        )
        self.body.addWidget(self.text, 0, Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(label(f"Valid until {time_text(code.expires_at)}, one use.", TextKind.CAPTION))
        done = self.add_button(Button("Done", kind=ButtonKind.PRIMARY), is_default=True)
        done.clicked.connect(self.accept)


class CardSheet(Sheet):
    """The patient's new card, shown once: its secret is stored nowhere."""

    def __init__(self, over: QWidget, name: str, card_text: str) -> None:
        super().__init__(over, f"Card for {name}", 460, icon_name="key-round")
        self.text = label(card_text, TextKind.CAPTION, wrap=True, selectable=True)
        self.text.setFont(mono())
        self.body.addWidget(
            label(
                "Print it now and give it to the patient. It is shown once and kept nowhere. No name is on it.",
                wrap=True,
            )
        )
        self.body.addWidget(QrCode(card_text, 220, "The card as a QR code"), 0, Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(self.text)
        done = self.add_button(Button("The patient has it", kind=ButtonKind.PRIMARY))
        done.clicked.connect(self.accept)
