"""Requests (SCREENS.md d): what was asked and what was allowed, side by side; the form to ask for more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.services.drafts import DraftsDamagedError
from app.services.requests import RequestState
from app.ui.keys import bind, key_text
from app.ui.kinds import kinds_text
from app.ui.pages.drafts_band import DraftsBand
from app.ui.pages.introduce_sheet import IntroduceSheet
from app.ui.pages.live_page import LivePage
from app.ui.pages.request import RequestForm
from app.ui.pages.request_pane import RequestPane, request_chip
from app.ui.widgets import (
    Action,
    Button,
    ButtonKind,
    ColumnSpec,
    KeyLine,
    PaletteItem,
    PaneLayout,
    RowsModel,
    RowsTable,
    Segment,
    Segments,
    key_line,
    title_row,
)
from app.ui.widgets.states import empty
from app.ui.wording import NONE, end_text

if TYPE_CHECKING:
    from app.services.drafts import Draft, KeptDraft
    from app.services.notebook import PatientRef
    from app.services.patients import Patients
    from app.services.requests import Gap, RequestRow
    from app.ui.pages.workplace import Workplace

_ASK: Final = Action("ask", "Ask for access…", "send", ButtonKind.PRIMARY)
_EMPTY: Final = empty("send", "Ask a patient for access, and follow here what becomes of it.", action=_ASK)
_NONE_HERE: Final = empty("send", "No request is in this state.")
_STATES: Final = {
    "all": frozenset(RequestState),
    "waiting": frozenset({RequestState.WAITING}),
    "allowed": frozenset({RequestState.ALLOWED, RequestState.NARROWED}),
    "over": frozenset({RequestState.REFUSED, RequestState.ENDED}),
}
_SEGMENTS: Final = {"all": "All", "waiting": "Waiting", "allowed": "Allowed", "over": "Refused or ended"}


class Requesting(Protocol):
    """What the page needs of ``app.services.requests.Requests``."""

    @property
    def patients(self) -> Patients:
        """Whom he may ask."""

    def rows(self) -> tuple[RequestRow, ...]:
        """Return his requests, newest first."""

    def gaps(self, draft: Draft) -> tuple[Gap, ...]:
        """Return what is still missing."""

    def preview(self, draft: Draft, language: str) -> tuple[str, ...]:
        """Return what the patient will read."""

    def send(self, draft: Draft) -> str:
        """Ask the patient."""


class RequestsPage(LivePage):
    """The practitioner's requests, and the form.

    Args:
        requests: his.
        place: time, zone, hospitals and the door off the GUI thread.

    Signals:
        hand_over_wanted: patient id and consent id; the patient sits here and decides now.
    """

    hand_over_wanted = Signal(str, str)

    def __init__(self, requests: Requesting, place: Workplace) -> None:
        super().__init__(requests.rows, place)
        self._requests = requests
        self._rows: tuple[RequestRow, ...] = ()
        self._hand_over_to = ""
        self.model: RowsModel[RequestRow] = RowsModel(self._columns(), "request")
        self.table = RowsTable(self.model, lambda row: row.consent_id, "Requests")
        self.pane = RequestPane(place)
        self.form = RequestForm(requests, place)
        self.drafts_band = DraftsBand(requests.patients, place)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_list())
        self._pages.addWidget(self.form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self._connect()
        self._show_rows()

    def _columns(self) -> tuple[ColumnSpec[RequestRow], ...]:
        clock, zone = self._place.clock, self._place.zone

        def moment(at: int | None) -> str:
            return end_text(at, clock(), zone=zone)

        return (
            ColumnSpec("Status", lambda row: request_chip(row).word, 178, chip=request_chip),
            ColumnSpec("Patient", lambda row: row.patient.name, 148, weight=500),
            ColumnSpec("Asked for", lambda row: kinds_text(row.asked.categories)),
            ColumnSpec("Allowed", lambda row: kinds_text(row.allowed.categories) if row.allowed else NONE),
            ColumnSpec("Sent", lambda row: moment(row.sent_at), 108, sort_key=lambda row: row.sent_at, tone="text2"),
            ColumnSpec(
                "Decided",
                lambda row: moment(row.decided_at),
                108,
                sort_key=lambda row: row.decided_at or 0,
                tone="text2",
            ),
        )

    def _make_list(self) -> QWidget:
        top, _, _ = title_row("Requests")
        self.ask_button = Button("Ask for access…", icon_name="send", key_hint=key_text("ask"))
        self.ask_button.clicked.connect(lambda: self.ask("", ""))
        top.addWidget(self.ask_button)
        self.segments = Segments(self._counted(), "all", accessible="Which requests")
        second = QHBoxLayout()
        second.addWidget(self.segments)
        second.addStretch(1)
        third = QHBoxLayout()
        third.addWidget(self.drafts_band)
        main, _ = self._list_of(self.table, top, second, third)
        return PaneLayout(main, self.pane)

    def _connect(self) -> None:
        self.segments.chosen.connect(lambda _key: self._show_rows())
        self.table.row_chosen.connect(self.pane.show_row)
        self.band.acted.connect(self._act)
        self.empty_view.acted.connect(self._act)
        self.pane.acted.connect(self._act)
        self.form.sent.connect(self._sent)
        self.form.discarded.connect(self.leave_form)
        self.drafts_band.wanted.connect(lambda patient_id: self.ask(patient_id, ""))
        self.form.other_wanted.connect(lambda: self.ask("", ""))
        bind(self, "ask", lambda: self.ask("", ""))

    def refresh(self) -> None:
        """Load the requests again, and look what was begun."""
        super().refresh()
        self.drafts_band.look()

    def _loaded(self, rows: tuple[RequestRow, ...]) -> None:
        self._rows = rows
        self.band.show_state(None)
        self._show_rows()
        self.count_changed.emit(sum(row.state is RequestState.WAITING for row in rows), False)  # noqa: FBT003 (a signal's value)
        self._hand_over_newest()

    def _hand_over_newest(self) -> None:
        """Hand over the request whose outcome was unknown for a while, now that it is found recorded."""
        patient_id, self._hand_over_to = self._hand_over_to, ""
        waiting = (
            row
            for row in self._rows
            if row.state is RequestState.WAITING and patient_id and row.patient.patient_id == patient_id
        )
        if (row := next(waiting, None)) is not None:
            self.hand_over_wanted.emit(row.patient.patient_id, row.consent_id)

    def _counted(self) -> tuple[Segment, ...]:
        return tuple(
            Segment(key, text, sum(row.state in _STATES[key] for row in self._rows)) for key, text in _SEGMENTS.items()
        )

    def _show_rows(self) -> None:
        self.segments.show_segments(self._counted())
        shown = [row for row in self._rows if row.state in _STATES[self.segments.current or "all"]]
        self.model.set_rows(shown)
        self._stack.setCurrentWidget(self.table if shown else self.empty_view)
        if shown:
            self.table.choose_first()
        else:
            self.empty_view.show_state(_NONE_HERE if self._rows else _EMPTY)
        self.pane.show_row(self.table.current_row)

    def _act(self, key: str) -> None:
        row = self.table.current_row
        if key in {"again", "look"}:
            self.refresh()
        elif key == "ask" and row is None:
            self.ask("", "")
        elif key == "ask" and row is not None:
            self.ask(row.patient.patient_id, "")
        elif key == "hand-over" and row is not None:
            self.hand_over_wanted.emit(row.patient.patient_id, row.consent_id)

    def ask(self, patient_id: str, category: str) -> None:
        """Open the form for a patient; without one, the sheet that chooses or introduces."""
        if not patient_id:
            sheet = IntroduceSheet(self, self._requests.patients, self._place)
            sheet.chosen.connect(lambda chosen: self.ask(chosen, category))
            sheet.open()
            return
        patients = self._requests.patients

        def begun() -> tuple[PatientRef, KeptDraft | None]:
            kept = (each for each in patients.drafts.read() if each.draft.patient_id == patient_id)
            return patients.read(patient_id), next(kept, None)

        def failed(error: Exception) -> None:
            if isinstance(error, DraftsDamagedError):
                self.drafts_band.show_error(error)
                self.ask(patient_id, category)  # it is said once; what was damaged is set aside
            else:
                self._failed(error)

        self._place.background.run(self, begun, lambda found: self._show_form(*found, category), failed)

    def _show_form(self, patient: PatientRef, kept: KeptDraft | None, category: str) -> None:
        self.form.start(patient, category, kept)
        self._pages.setCurrentWidget(self.form)
        self.form.fields.purpose_options["TREAT"].button.setFocus()

    def leave_form(self) -> None:
        """Show the list; what was begun is kept."""
        self._show_list()
        self.drafts_band.look()

    def _show_list(self) -> None:
        self._pages.setCurrentIndex(0)
        self.table.setFocus()

    def _sent(self, patient_id: str, consent_id: str, hand_over: bool) -> None:  # noqa: FBT001 (a signal's values)
        self._show_list()
        self.toast_wanted.emit("Sent. You are told when it is decided.")
        if hand_over and consent_id:
            self.hand_over_wanted.emit(patient_id, consent_id)
        elif hand_over:
            self._hand_over_to = patient_id
        self.segments.choose("all")
        self.refresh()
        self.table.choose(consent_id)

    def blank(self) -> None:
        """Forget all requests and the form (lock, sign-out)."""
        super().blank()
        self._rows = ()
        self._show_rows()
        self.drafts_band.blank()
        self.form.blank()
        self._show_list()

    def escape(self) -> bool:
        """Leave the form."""
        if self._pages.currentWidget() is self.form and self.form.discard_button.isEnabled():
            self.leave_form()
            return True
        return False

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys of this page."""
        return (key_line("ask"), KeyLine("Ctrl ↵", "Send the request"))

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        if self._pages.currentWidget() is self.form:
            return (self.form.fields.purpose_options["TREAT"].button, self.form.send_button)
        return (self.table, self.pane.ask_button)

    def palette_items(self) -> tuple[PaletteItem, ...]:
        """What can be done here."""
        return (PaletteItem("Actions", "Ask for access…", partial(self.ask, "", ""), "send", key_hint=key_text("ask")),)
