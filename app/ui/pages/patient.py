"""Patient (SCREENS.md c): everything of one patient that may be known, what is closed first, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.services.worklist import RowState
from app.ui.keys import bind, key_text
from app.ui.kinds import kind_text
from app.ui.outcomes import state_of
from app.ui.page import Page
from app.ui.pages.patient_entries import by_kind, log_entries, timeline
from app.ui.pages.phases import Phase, Step
from app.ui.pages.why_pane import WhyPane, explanation_text
from app.ui.theme import scaled
from app.ui.widgets import (
    Action,
    Band,
    Button,
    ButtonKind,
    Disc,
    EntriesList,
    KeyLine,
    PaletteItem,
    PaneLayout,
    Segment,
    Segments,
    StateView,
    TextKind,
    initials,
    key_line,
    label,
    surface,
)
from app.ui.widgets.states import empty
from app.ui.wording import age_text, count_text, moment_text

if TYPE_CHECKING:
    from app.services.notebook import PatientRef
    from app.services.opening_log import OpeningRow
    from app.services.reasons import Explanation
    from app.services.worklist import RecordRow
    from app.ui.pages.workplace import Workplace

_ASK: Final = Action("ask", "Ask for access…", "send", ButtonKind.PRIMARY)
_NOBODY: Final = empty("user-round", "Choose a patient on the worklist, or press Ctrl K.", "No patient chosen")
_NO_RELATION: Final = empty(
    "file-lock", "You have no permission for this patient.", "Nothing is open to you", action=_ASK
)
_NO_LOG: Final = empty("eye", "You have not opened any record of this patient.", "Nothing here yet")
_EVERY_KIND: Final = "All kinds"


class Explaining(Protocol):
    """What the page needs of ``app.services.reasons.Reasons``."""

    def lines(self, patient_id: str) -> tuple[PatientRef, tuple[RecordRow, ...], tuple[OpeningRow, ...]]:
        """Return a patient, her lines and his own openings."""

    def explain(self, row: RecordRow) -> Explanation:
        """Return how a row was decided."""


class PatientPage(Page):
    """One patient's records, as far as they may be known.

    Args:
        reasons: lines, openings and explanations.
        place: time, zone, hospitals and the door off the GUI thread.

    Signals:
        open_wanted: a ``RecordRow`` to be opened (or its list).
        ask_wanted: patient id and category.
        copy_wanted: an explanation for the clipboard.
    """

    open_wanted = Signal(object)
    ask_wanted = Signal(str, str)
    copy_wanted = Signal(str)

    def __init__(self, reasons: Explaining, place: Workplace) -> None:
        super().__init__()
        self._reasons, self._place = reasons, place
        self._patient_id = self._wanted_key = ""
        self._patient: PatientRef | None = None
        self._rows: tuple[RecordRow, ...] = ()
        self._log: tuple[OpeningRow, ...] = ()
        self._phase: Phase | None = None
        self.list = EntriesList(lambda row: getattr(row, "key", None) or getattr(row, "access_id", ""), "Records")
        self.pane = WhyPane(place)
        self._make_layout()
        self._connect()
        self._show()

    def _make_layout(self) -> None:
        self._main = QWidget()
        column = QVBoxLayout(self._main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        bar = QHBoxLayout()
        bar.setContentsMargins(scaled(24), scaled(10), scaled(24), scaled(10))
        bar.setSpacing(scaled(8))
        self.segments = Segments(
            (Segment("timeline", "Timeline"), Segment("kind", "By kind"), Segment("log", "Access log")),
            "timeline",
            accessible="Order",
        )
        self.kind_box = QComboBox()
        self.kind_box.setAccessibleName("Kinds")
        self.kind_box.addItem(_EVERY_KIND, "")
        bar.addWidget(self.segments)
        bar.addStretch(1)
        bar.addWidget(self.kind_box)
        self.band = Band()
        self.empty_view = StateView()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty_view)
        column.addLayout(bar)
        column.addWidget(self.band)
        column.addWidget(self._stack, 1)
        self._nobody = StateView(_NOBODY)
        whole = QWidget()
        lines = QVBoxLayout(whole)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addWidget(self._make_banner())
        lines.addWidget(PaneLayout(self._main, self.pane), 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._nobody)
        self._pages.addWidget(whole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _make_banner(self) -> QWidget:
        banner = surface("header")
        banner.setFixedHeight(scaled(72))
        self._disc = Disc("", 40)
        self._name = label("", TextKind.TITLE)
        self._about = label("", tone="text2")
        self._open_count = label("", TextKind.CAPTION, "text2")
        self._open_until = label("", TextKind.STRONG)
        self.ask_button = Button("Ask for access…", icon_name="send", key_hint=key_text("ask"))
        words, right = QVBoxLayout(), QVBoxLayout()
        for column, parts in ((words, (self._name, self._about)), (right, (self._open_count, self._open_until))):
            column.setSpacing(0)
            column.addStretch(1)
            for part in parts:
                column.addWidget(part)
            column.addStretch(1)
        for part in (self._open_count, self._open_until):
            part.setAlignment(Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout(banner)
        row.setContentsMargins(scaled(24), 0, scaled(24), 0)
        row.setSpacing(scaled(16))
        row.addWidget(self._disc)
        row.addLayout(words)
        row.addStretch(1)
        row.addLayout(right)
        row.addWidget(self.ask_button)
        return banner

    def _connect(self) -> None:
        self.segments.chosen.connect(lambda _key: self._show())
        self.kind_box.activated.connect(lambda _number: self._show())
        self.list.row_chosen.connect(self._show_row)
        self.list.row_opened.connect(lambda _row: self._press_first())
        for part in (self.pane, self.band, self.empty_view):
            part.acted.connect(self._act)
        self.ask_button.clicked.connect(partial(self._act, "ask-any"))
        bind(self, "ask", partial(self._act, "ask-any"))
        bind(self, "why", self._focus_pane)

    def show_patient(self, patient_id: str, row_key: str = "") -> None:
        """Show a patient, and choose one of her lines."""
        if patient_id != self._patient_id:
            self.blank()
        self._patient_id, self._wanted_key = patient_id, row_key
        self.segments.choose("timeline")
        self.refresh()

    def refresh(self) -> None:
        """Load the patient's lines again; the old ones stay until the new ones are here."""
        patient_id = self._patient_id
        if patient_id:
            self._place.background.run(self, lambda: self._reasons.lines(patient_id), self._loaded, self._failed)

    def _loaded(self, lines: tuple[PatientRef, tuple[RecordRow, ...], tuple[OpeningRow, ...]]) -> None:
        patient, rows, log = lines
        if patient.patient_id != self._patient_id:
            return
        self._patient, self._rows, self._log = patient, rows, log
        self.band.show_state(None)
        self._show()
        if self._wanted_key and self.list.choose(self._wanted_key):
            self._wanted_key = ""

    def _failed(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def _show(self) -> None:
        patient = self._patient
        self._pages.setCurrentIndex(0 if patient is None else 1)
        if patient is None:
            self.list.show_entries(())
            self.pane.show_row(None)
            return
        self._show_banner(patient)
        self._show_kinds()
        kind = str(self.kind_box.currentData() or "")
        rows = tuple(row for row in self._rows if not kind or row.category == kind)
        order = self.segments.current
        if order == "log":
            entries, nothing = log_entries(self._log, self._place), _NO_LOG
        else:
            make = timeline if order == "timeline" else by_kind
            entries, nothing = make(rows, self._place, self._phase), _NO_RELATION
        self.list.show_entries(entries)
        self._stack.setCurrentWidget(self.list if entries else self.empty_view)
        if entries:
            self.list.choose_first()
        else:
            self.empty_view.show_state(nothing)
        self._show_row(self.list.current_row)

    def _show_banner(self, patient: PatientRef) -> None:
        now = datetime.fromtimestamp(self._place.clock(), UTC).astimezone(self._place.zone)
        self._disc.show_content(initials(patient.name))
        self._name.setText(patient.name)
        parts = (
            f"Born {age_text(patient.birth_date, now.date())}",
            patient.sex,
            self._place.hospital(patient.custodian),
        )
        self._about.setText(" · ".join(parts))
        opened = [row for row in self._rows if row.can_open]
        self._open_count.setText(
            f"{count_text(len(opened), 'record is', 'records are')} open to you"
            if opened
            else "No record is open to you"
        )
        ends = [row.until for row in opened if row.until is not None]
        self._open_until.setText(f"Until {moment_text(max(ends), zone=self._place.zone)}" if ends else "")
        self._open_until.setVisible(bool(ends))

    def _show_kinds(self) -> None:
        kinds = sorted({row.category for row in self._rows if row.category}, key=kind_text)
        have = [self.kind_box.itemData(number) for number in range(1, self.kind_box.count())]
        if kinds == have:
            return
        chosen = self.kind_box.currentData()
        self.kind_box.clear()
        self.kind_box.addItem(_EVERY_KIND, "")
        for kind in kinds:
            self.kind_box.addItem(kind_text(kind), kind)
        self.kind_box.setCurrentIndex(max(0, self.kind_box.findData(chosen)))

    def _show_row(self, row: object) -> None:
        shown = next((each for each in self._rows if each is row), None)
        self.pane.show_row(shown, self._phase)
        if shown is not None:
            self._place.background.run(self, lambda: self._reasons.explain(shown), self._explained, self._failed)

    def _explained(self, explanation: Explanation) -> None:
        record_id = explanation.row.record_id
        denied = (each for each in self._log if each.denied and record_id and record_id in each.records)
        self.pane.show_explanation(explanation, next(denied, None))

    def show_phase(self, phase: Phase) -> None:
        """Show how far the opening of a row is; at its end the lines are loaded again."""
        self._phase = phase if phase.step is not Step.IDLE else None
        self.pane.show_row(self.pane.row, self._phase)
        if not phase.is_busy:
            self.refresh()

    def _press_first(self) -> None:
        if self.pane.row is not None and self.pane.first_button.isEnabled():
            self.pane.first_button.click()

    def _act(self, key: str) -> None:
        row = self.pane.row
        if key == "ask-any" or (key == "ask" and row is None):
            self.ask_wanted.emit(self._patient_id, "")
        elif key in {"again", "look"}:
            self.refresh()
        elif key == "requests":
            self.page_wanted.emit("requests")
        elif key == "why":
            self._focus_pane()
        elif row is not None and key == "ask":
            self.ask_wanted.emit(self._patient_id, row.category if row.state is not RowState.WITHHELD else "")
        elif row is not None and key == "open":
            self.open_wanted.emit(row)
        elif key == "copy" and self.pane.explanation is not None:
            self.copy_wanted.emit(explanation_text(self.pane.explanation))
            self.toast_wanted.emit("Copied: ids and rule, no name.")

    def _focus_pane(self) -> None:
        self.pane.copy_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def blank(self) -> None:
        """Forget the patient (lock, sign-out, another patient)."""
        self._patient_id = self._wanted_key = ""
        self._patient, self._phase, self._rows, self._log = None, None, (), ()
        self._name.clear()
        self._about.clear()
        self.band.show_state(None)
        self._show()

    def escape(self) -> bool:
        """Leave the patient; the page is empty then."""
        was = self._patient is not None
        self.blank()
        if was:
            self.page_wanted.emit("worklist")
        return was

    def keys(self) -> tuple[KeyLine, ...]:
        """The keys of this page."""
        return (
            KeyLine("↵", "Open"),
            key_line("why"),
            key_line("ask"),
        )

    def panes(self) -> tuple[QWidget, ...]:
        """What F6 goes through."""
        return (self.segments.button(0), self.list, self.pane.first_button)

    def palette_items(self) -> tuple[PaletteItem, ...]:
        """What can be done with the patient shown."""
        if self._patient is None:
            return ()
        name = self._patient.name
        return (
            PaletteItem(
                "Actions", f"Ask {name} for access…", partial(self._act, "ask-any"), "send", key_hint=key_text("ask")
            ),
        )
