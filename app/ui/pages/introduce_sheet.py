"""Whom to ask: a patient known already, or a new one by the introduction code that she or a registrar made (A50)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit

from app.ui.outcomes import failure_sentence
from app.ui.theme import scaled
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    EntriesList,
    Field,
    Note,
    Rule,
    Sheet,
    TextKind,
    TwoLine,
    label,
)
from app.ui.widgets.states import failed
from app.ui.wording import iso_day_text

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.services.notebook import PatientRef
    from app.ui.pages.workplace import Workplace

_CODE_LENGTH = 26


class Introducing(Protocol):
    """What the sheet needs of ``app.services.patients.Patients``."""

    def known(self) -> tuple[PatientRef, ...]:
        """Return the patients he was introduced to."""

    def introduce(self, custodian: str, code: str) -> PatientRef:
        """Use an introduction code."""


class IntroduceSheet(Sheet):
    """Choose a patient, or be introduced to one.

    Args:
        over: any widget of the window.
        patients: whom he knows.
        place: hospitals, and the door off the GUI thread.

    Signals:
        chosen: id of the patient.
    """

    chosen = Signal(str)

    def __init__(self, over: QWidget, patients: Introducing, place: Workplace) -> None:
        super().__init__(over, "Ask for access", 520, icon_name="send")
        self._patients, self._place = patients, place
        self._known_title = label("Patients you know", TextKind.STRONG)
        self.list = EntriesList(lambda row: row.patient_id, "Patients you know", 1.0)
        self.list.setFixedHeight(scaled(160))
        self.list.row_opened.connect(self._take)
        self.list.row_chosen.connect(self._use_known)
        self._rule = Rule()
        for part in (self._known_title, self.list, self._rule):
            self.body.addWidget(part)
            part.hide()
        self.code = QLineEdit()
        self.code.setPlaceholderText("26 letters and digits")
        self.code.textEdited.connect(lambda _text: self._use_code())
        self._code_field = Field("A new patient: introduction code", self.code)
        self.body.addWidget(self._code_field)
        self.body.addWidget(
            Note("info", "The patient or a registrar makes it. It works once, for 15 minutes. Type it or paste it.")
        )
        self.hospital_box = QComboBox()
        for msp_id, name in sorted(place.hospitals.items(), key=lambda each: each[1]):
            self.hospital_box.addItem(name, msp_id)
        self.hospital_box.setCurrentIndex(self.hospital_box.findData(place.msp_id))
        self.body.addWidget(Field("Hospital that holds the records", self.hospital_box))
        self.band = Band()
        self.body.addWidget(self.band)
        self.add_cancel()
        self.next_button = Button("Next", kind=ButtonKind.PRIMARY, icon_name="arrow-right")
        self.add_button(self.next_button, is_default=True)
        self.next_button.clicked.connect(self._next)
        place.background.run(self, patients.known, self._show_known, self._failed)

    def _show_known(self, known: tuple[PatientRef, ...]) -> None:
        for part in (self._known_title, self.list, self._rule):
            part.setVisible(bool(known))
        self.list.show_entries(
            [
                TwoLine(
                    patient.name,
                    f"{iso_day_text(patient.birth_date)} · {self._place.hospital(patient.custodian)}",
                    "user-round",
                    row=patient,
                )
                for patient in known
            ]
        )
        self.fit()
        (self.list if known else self.code).setFocus()

    def _use_known(self, row: PatientRef | None) -> None:
        if row is not None:
            self.code.clear()
            self._code_field.show_gap("")

    def _use_code(self) -> None:
        self.list.selectionModel().clear()
        self._code_field.show_gap("")

    def _take(self, row: PatientRef) -> None:
        self.chosen.emit(row.patient_id)
        self.accept()

    def _next(self) -> None:
        code = "".join(self.code.text().split()).lower()
        row = self.list.current_row
        if not code and row is not None:
            self._take(row)
            return
        if len(code) != _CODE_LENGTH:
            self._code_field.show_gap("Choose a patient, or give the code: 26 letters and digits.")
            self.code.setFocus()
            return
        custodian = str(self.hospital_box.currentData())
        self.next_button.setEnabled(False)
        self._place.background.run(self, lambda: self._patients.introduce(custodian, code), self._take, self._failed)

    def _failed(self, error: Exception) -> None:
        self.next_button.setEnabled(True)
        self.band.show_state(failed(failure_sentence(error)))
        self.code.setFocus()
