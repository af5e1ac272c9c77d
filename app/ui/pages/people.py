"""The registrar's page: the hospital's people and patients, each with what a registrar may do (SCREENS.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.ui.outcomes import state_of
from app.ui.page import Page
from app.ui.pages.people_sheets import CardSheet, CodeSheet, FilledSheet, MemberSheet, NewPinSheet, PersonSheet
from app.ui.pages.recording import Recording
from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets.bands import Band
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.dialogs import Confirm, Sheet
from app.ui.widgets.panes import Fact, FactsGrid, PaneLayout, PreviewPane, title_row
from app.ui.widgets.rows import ColumnSpec, RowsModel
from app.ui.widgets.segments import Segment, Segments
from app.ui.widgets.states import unknown, was_not_recorded
from app.ui.widgets.tables import RowsTable
from app.ui.widgets.text import TextKind, label
from app.ui.wording import NONE, date_text, iso_day_text, time_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.custodian.results import IntroductionCode, Person, PersonRow, RegisteredPerson
    from app.services.people import Enrolment, MemberRow, NewMember, People
    from app.ui.pages.workplace import Workplace
    from ledger.gateway import Commit

_ROLE_WORDS = {
    "operator": "Operator",
    "registrar": "Registrar",
    "practitioner": "Practitioner",
    "privacy-officer": "Privacy officer",
    "proxy": "Representative",
}
PATIENTS, STAFF = "patients", "staff"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one refresh brought."""

    members: tuple[MemberRow, ...]
    persons: tuple[PersonRow, ...]


class PeoplePage(Page):
    """Patients and staff of the own hospital.

    Args:
        people: the service.
        place: time, zone and the door off the GUI thread.
    """

    def __init__(self, people: People, place: Workplace) -> None:
        super().__init__()
        self._people, self._background = people, place.background
        self._recording = Recording(place, self)
        self._withdraw: Callable[[], None] = _nothing
        self._sheet: FilledSheet | None = None
        self.register_button = Button("Register a patient…", icon_name="user-round-plus")
        self.enrol_button = Button("Enrol a person…", icon_name="id-card")
        self.segments = Segments((Segment(PATIENTS, "Patients"), Segment(STAFF, "Staff")))
        self.band = Band()
        self.persons_model: RowsModel[PersonRow] = RowsModel(_person_columns(), "patient")
        self.persons_table = RowsTable(self.persons_model, lambda row: row.person_id, "Patients")
        self.members_model: RowsModel[MemberRow] = RowsModel(_member_columns(), "person")
        self.members_table = RowsTable(self.members_model, lambda row: row.subject, "Staff")
        self._tables = QStackedWidget()
        self._tables.addWidget(self.persons_table)
        self._tables.addWidget(self.members_table)
        self.pane = PreviewPane()
        self._name = label("", TextKind.SECTION, wrap=True)
        self._facts = FactsGrid()
        self.code_button = Button("Make an introduction code…", kind=ButtonKind.PRIMARY, icon_name="key-round")
        self.pin_button = Button("Reset the PIN…", icon_name="rotate-cw")
        self.suspend_button = Button("Suspend…", kind=ButtonKind.DANGER_OUTLINE, icon_name="ban")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        main = QWidget()
        row, _, _ = title_row("People")
        row.addWidget(self.register_button)
        row.addWidget(self.enrol_button)
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(16), scaled(24), scaled(12))
        head.setSpacing(scaled(12))
        head.addLayout(row)
        segments = QHBoxLayout()
        segments.addWidget(self.segments)
        segments.addStretch(1)
        head.addLayout(segments)
        head.addWidget(self.band)
        layout = QVBoxLayout(main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._tables, 1)
        self.pane.body.addWidget(self._name)
        self.pane.body.addWidget(self._facts)
        self.pane.body.addStretch(1)
        for button in (self.code_button, self.pin_button, self.suspend_button):
            self.pane.buttons.addWidget(button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(PaneLayout(main, self.pane))

    def _connect(self) -> None:
        self.segments.chosen.connect(self._show_table)
        self.persons_table.row_chosen.connect(lambda _row: self._show_chosen())
        self.members_table.row_chosen.connect(lambda _row: self._show_chosen())
        self.register_button.clicked.connect(self.register_person)
        self.enrol_button.clicked.connect(self.enrol_member)
        self.code_button.clicked.connect(self.make_code)
        self.pin_button.clicked.connect(self.reset_pin)
        self.suspend_button.clicked.connect(self.suspend)
        self._recording.recorded.connect(self._recorded)
        self._recording.failed.connect(self._not_sent)
        self._recording.unsure.connect(self._unsure)
        self._recording.not_recorded.connect(self._not_recorded)

    def refresh(self) -> None:
        """Load patients and staff again."""
        people = self._people
        self._background.run(self, lambda: Loaded(people.members(), people.persons()), self._show, self._fail)

    def _show(self, loaded: Loaded) -> None:
        self.persons_model.set_rows(loaded.persons)
        self.members_model.set_rows(loaded.members)
        for table in (self.persons_table, self.members_table):
            if table.current_row is None:
                table.choose_first()
        self._show_chosen()

    def _show_table(self, key: str) -> None:
        self._tables.setCurrentWidget(self.persons_table if key == PATIENTS else self.members_table)
        self._show_chosen()

    def _show_chosen(self) -> None:
        is_patient = self._tables.currentWidget() is self.persons_table
        person = self.persons_table.current_row if is_patient else None
        member = None if is_patient else self.members_table.current_row
        self.code_button.setVisible(person is not None)
        self.pin_button.setVisible(person is not None)
        self.suspend_button.setVisible(member is not None and member.status == "active")
        if person is not None:
            self._name.setText(person.person.name)
            self._facts.show_facts(
                (
                    Fact("Born", iso_day_text(person.person.birth_date)),
                    Fact("Hospital no.", person.person.number or NONE),
                    Fact("Language", {"en": "English", "de": "Deutsch"}.get(person.person.language, NONE)),
                    Fact("Card", _CARD_WORDS.get(person.card, person.card)),
                    Fact("Registered", f"{date_text(person.registered_at)}, {time_text(person.registered_at)}"),
                )
            )
        elif member is not None:
            self._name.setText(member.name or "Somebody of another machine")
            self._facts.show_facts(
                (
                    Fact("Role", _ROLE_WORDS.get(member.role, member.role)),
                    Fact("Data steward", "Yes" if member.steward else "No"),
                    Fact("On the ledger", member.subject, is_mono=True),
                )
            )

    def make_code(self) -> None:
        """Make a one-use introduction code for the chosen patient, who is at the desk."""
        person = self.persons_table.current_row
        if person is not None:
            patient_id = person.patient_id
            self._background.run(self, lambda: self._people.make_code(patient_id), self._show_code, self._fail)

    def _show_code(self, code: IntroductionCode) -> None:
        CodeSheet(self, code).open()

    def reset_pin(self) -> None:
        """Give the chosen patient's card a new PIN; she types it herself."""
        person = self.persons_table.current_row
        if person is None:
            return
        sheet = NewPinSheet(self, person.person.name)
        sheet.pin_chosen.connect(
            lambda pin: self._background.run(
                sheet,
                lambda: self._people.reset_pin(person.person_id, pin),
                lambda _: self._done(sheet, "The card has a new PIN and five tries."),
                sheet.show_trouble,
            )
        )
        sheet.open()

    def suspend(self) -> None:
        """Suspend the chosen member after one question."""
        member = self.members_table.current_row
        if member is None:
            return
        text = (
            f"{member.name} can then do nothing on the ledger, and what is open there closes in a few seconds. "
            "Use it at once when a device is lost."
        )
        sheet = Confirm(self, f"Suspend {member.name}?", text, "Suspend", danger=True)
        sheet.confirmed.connect(lambda: self._suspend(member))
        sheet.open()

    def _suspend(self, member: MemberRow) -> None:
        self._set_sendable(can_send=False)
        said = f"{member.name or 'The person'} is suspended."

        def work() -> str:
            self._people.suspend(member.subject)
            return said

        self._recording.start(work, lambda _commit: said)

    def register_person(self) -> None:
        """Register a patient who is present, and print her card."""
        sheet = PersonSheet(self)
        sheet.filled.connect(
            lambda person, pin: self._background.run(
                sheet,
                lambda: self._people.register(person, pin),
                lambda registered: self._registered(sheet, person, registered),
                sheet.show_trouble,
            )
        )
        sheet.open()

    def _registered(self, sheet: Sheet, person: Person, registered: RegisteredPerson) -> None:
        sheet.accept()
        self.refresh()
        CardSheet(self, person.name, registered.card_text).open()

    def enrol_member(self) -> None:
        """Enrol a practitioner who is present; the person's key stays on this machine, under the own PIN."""
        sheet = MemberSheet(self)
        sheet.filled.connect(lambda member, pin: self._enrol(sheet, member, pin))
        sheet.open()

    def _enrol(self, sheet: FilledSheet, member: NewMember, pin: str) -> None:
        people = self._people
        begun: list[Enrolment] = []
        said = f"{member.name} is enrolled and can sign in here."

        def work() -> str:
            begun.append(people.begin(member, pin))
            people.record(begun[0])
            return said

        def publish(_commit: Commit) -> str:
            people.publish(begun[0])
            return said

        self._sheet, self._withdraw = sheet, lambda: people.withdraw(begun[0])
        sheet.closed.connect(self._forget_sheet)
        self._set_sendable(can_send=False)
        self._recording.start(work, publish)

    # what came of it

    def _recorded(self, said: str) -> None:
        self._close_sheet()
        self._set_sendable(can_send=True)
        self.band.show_state(None)
        self.toast_wanted.emit(said)
        self.refresh()

    def _not_sent(self, error: Exception) -> None:
        self._set_sendable(can_send=True)
        if self._sheet is not None:
            self._sheet.show_trouble(error)
        else:
            self._fail(error)

    def _unsure(self) -> None:
        self._close_sheet()
        self.band.show_state(unknown())

    def _not_recorded(self) -> None:
        withdraw, self._withdraw = self._withdraw, _nothing
        self._background.run(self, withdraw, lambda _: self.refresh(), self._fail)
        self._set_sendable(can_send=True)
        self.band.show_state(was_not_recorded())

    def _forget_sheet(self) -> None:
        self._sheet = None

    def _close_sheet(self) -> None:
        sheet, self._sheet = self._sheet, None
        if sheet is not None:
            sheet.accept()

    def _set_sendable(self, *, can_send: bool) -> None:
        """Nothing is sent while the outcome of the last one is not known."""
        self.enrol_button.setEnabled(can_send)
        self.suspend_button.setEnabled(can_send)

    def _done(self, sheet: Sheet, text: str) -> None:
        sheet.accept()
        self.toast_wanted.emit(text)
        self.refresh()

    def _fail(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def blank(self) -> None:
        """Forget what is shown; what is on its way is asked about no more here."""
        self._recording.stop()
        self._set_sendable(can_send=True)
        self.persons_model.set_rows(())
        self.members_model.set_rows(())
        self._name.setText("")
        self._facts.show_facts(())
        self.band.show_state(None)

    def panes(self) -> tuple[QWidget, ...]:
        """F6 goes through table and buttons."""
        return (self._tables, self.pane)

    def search_hint(self) -> str:
        """The search field's words."""
        return "Person, patient or command"


def _nothing() -> None:
    """Nothing was kept that would have to be undone."""


_CARD_WORDS = {"none": "No card", "active": "In use", "locked": "Locked, reset the PIN"}


def _person_columns() -> tuple[ColumnSpec[PersonRow], ...]:
    return (
        ColumnSpec("Name", lambda row: row.person.name, 0, weight=600),
        ColumnSpec(
            "Born",
            lambda row: iso_day_text(row.person.birth_date),
            120,
            sort_key=lambda row: row.person.birth_date,
            tone="text2",
        ),
        ColumnSpec("Hospital no.", lambda row: row.person.number, 160, tone="text2"),
        ColumnSpec("Card", lambda row: _CARD_WORDS.get(row.card, row.card), 180, chip=_card_chip),
    )


def _card_chip(row: PersonRow) -> Chip:
    icon_name, role = ("circle-check", "ok") if row.card == "active" else ("lock", "wait")
    return Chip(_CARD_WORDS.get(row.card, row.card), icon_name, role)


def _member_columns() -> tuple[ColumnSpec[MemberRow], ...]:
    return (
        ColumnSpec("Name", lambda row: row.name or row.subject[:8], 0, weight=600),
        ColumnSpec("Role", lambda row: _ROLE_WORDS.get(row.role, row.role), 180, tone="text2"),
        ColumnSpec("Status", lambda row: row.status, 160, chip=_status_chip),
    )


def _status_chip(row: MemberRow) -> Chip:
    return Chip("Active", "circle-check", "ok") if row.status == "active" else Chip("Suspended", "ban", "deny")
