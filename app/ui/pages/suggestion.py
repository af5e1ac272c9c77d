"""One suggestion (SCREENS.md g): what the model says about one case, what moved it, and the person's verdict."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.services.model_cards import card_groups
from app.services.requests import short_id
from app.services.submission import UnsettledError
from app.ui.keys import bind
from app.ui.pages.model_card_sheet import ModelCardSheet
from app.ui.pages.suggestion_result import ResultView
from app.ui.pages.suggestion_words import failure_state, title_of_answer
from app.ui.pages.verdict_giving import VerdictGiving
from app.ui.pages.verdict_pane import VerdictPane
from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets import (
    Action,
    Button,
    ChipLabel,
    Column,
    Fact,
    LoadingView,
    PaneLayout,
    State,
    StateView,
    TextKind,
    label,
    surface,
)
from app.ui.wording import count_text, iso_day_text
from diagnostics.applicability import Declined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QResizeEvent

    from app.services.models import BundledModel, ModelStatus
    from app.services.notebook import PatientRef
    from app.services.openings import Opened
    from app.services.patients import Patients
    from app.services.suggestions import Answer, Overrides, Verdict
    from app.ui.pages.workplace import Workplace
    from diagnostics.model import Model
    from ledger.gateway import Commit

_RECORD: Final = Action("record", "Open record", "microscope")


class Suggesting(Protocol):
    """What the view needs of ``app.services.suggestions.Suggestions``."""

    @property
    def patients(self) -> Patients:
        """Whom he knows."""

    def open_model(self, category: str) -> tuple[BundledModel, Model, ModelStatus]:
        """Return the approved model for a kind of record."""

    def run(self, opened: Opened, values: Mapping[str, object], model: BundledModel) -> Answer:
        """Have the model judge, and record that."""

    def card_was_read(self, model_hash: str) -> bool:
        """Tell whether he has read the card of this version."""

    def keep_card_read(self, model_hash: str) -> None:
        """Keep that he has."""

    def overrides(self) -> Overrides:
        """Return how often suggestions were overridden."""

    def give_verdict(self, patient_id: str, suggestion_id: str, verdict: Verdict, pin: str) -> Commit:
        """Record a verdict."""


class SuggestionView(QWidget):
    """One case of an open record.

    Args:
        suggestions: runs models and records verdicts.
        place: time, zone, hospitals and the door off the GUI thread.

    Signals:
        record_wanted: the ``Opened`` record is to be shown again.
        answered: a verdict was recorded.
        ask_wanted: patient id and category.
        left: back to the queue.
    """

    record_wanted = Signal(object)
    answered = Signal()
    ask_wanted = Signal(str, str)
    left = Signal()

    def __init__(self, suggestions: Suggesting, place: Workplace) -> None:
        super().__init__()
        self._suggestions, self._place = suggestions, place
        self._opened: Opened | None = None
        self._values: Mapping[str, object] = {}
        self._patient: PatientRef | None = None
        self._model: tuple[BundledModel, Model, ModelStatus] | None = None
        self.answer: Answer | None = None
        self._run_number = 0
        self._giving = VerdictGiving(suggestions.give_verdict, place, self)
        self._giving.told.connect(self._tell)
        self._giving.recorded.connect(self._recorded)
        self._giving.settled.connect(self._settled)
        self.pane = VerdictPane()
        self._giving.unsure.connect(lambda: self.pane.set_enabled(enabled=False))
        self.result = ResultView()
        self.loading = LoadingView()
        self.loading.cancel_button.setEnabled(False)
        self.state_view = StateView()
        self._make_layout()
        self._connect()

    def _make_layout(self) -> None:
        header = surface("header")
        header.setFixedHeight(scaled(64))
        self._title = label("", TextKind.TITLE)
        self._about = label("", tone="text2")
        self._chip = ChipLabel(Chip("", "", "info"))
        self.record_button = Button("Open record", icon_name="microscope")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._about)
        words.addStretch(1)
        row = QHBoxLayout(header)
        row.setContentsMargins(scaled(24), 0, scaled(24), 0)
        row.setSpacing(scaled(16))
        row.addLayout(words, 1)
        row.addWidget(self._chip)
        row.addWidget(self.record_button)
        column = Column(24, 12)
        column.body.setContentsMargins(scaled(24), scaled(16), scaled(16), scaled(16))
        column.body.addWidget(self.result)
        self._stack = QStackedWidget()
        for part in (column, self.loading, self.state_view):
            self._stack.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(header)
        layout.addWidget(PaneLayout(self._stack, self.pane), 1)

    def _connect(self) -> None:
        self.record_button.clicked.connect(self.want_record)
        self.state_view.acted.connect(self._act)
        self.pane.wanted.connect(self._give)
        self.pane.card_wanted.connect(lambda: self._show_card(must_read=False))
        bind(self, "agree", partial(self.pane.agree.set_checked, True))  # noqa: FBT003 (Qt's)
        bind(self, "override", partial(self.pane.override.set_checked, True))  # noqa: FBT003 (Qt's)
        bind(self, "reason", partial(self.pane.reason.setFocus, Qt.FocusReason.ShortcutFocusReason))
        bind(self, "card", self.pane.card_wanted.emit)

    @property
    def opened(self) -> Opened | None:
        """The record that is judged."""
        return self._opened

    def start(self, opened: Opened, values: Mapping[str, object], title: str) -> None:
        """Have an approved model judge one row of an open record.

        Args:
            opened: the record.
            values: the row, a value per column.
            title: of the record.
        """
        self.blank()
        self._opened, self._values = opened, values
        self._title.setText(f"Suggestion: {title}")
        self.record_button.show()
        self._chip.hide()
        self._run_number += 1
        number, patient_id, category = self._run_number, opened.wanted.patient_id, opened.manifest.category
        self._stack.setCurrentWidget(self.loading)
        self.loading.start("Running the model")
        self._place.background.run(
            self,
            lambda: (self._suggestions.patients.read(patient_id), self._suggestions.open_model(category)),
            lambda found: self._found(number, *found),
            lambda error: self._failed(number, error),
        )

    def _found(self, number: int, patient: PatientRef, model: tuple[BundledModel, Model, ModelStatus]) -> None:
        if number != self._run_number:
            return
        self._patient, self._model = patient, model
        day = self._opened.manifest.dates[0] if self._opened is not None and self._opened.manifest.dates else ""
        about = (patient.name, iso_day_text(patient.birth_date))
        sample = f"sample of {iso_day_text(day)}" if day else "sample without a date"
        self._about.setText(f"{', '.join(about)} · {sample} · {count_text(len(self._values), 'value', 'values')}")
        if self._suggestions.card_was_read(model[1].model_hash):
            self._run()
            return
        self.loading.stop()
        self._show_card(must_read=True)

    def _show_card(self, *, must_read: bool) -> None:
        if self._model is None:
            return
        _, model, status = self._model
        groups = card_groups(model.card, model.model_hash, status)
        sheet = ModelCardSheet(self, model.card, groups, must_read=must_read)
        if must_read:
            sheet.was_read.connect(self._card_read)
            sheet.rejected.connect(self._card_left)
        sheet.open()

    def _card_read(self) -> None:
        if self._model is not None:
            model_hash = self._model[1].model_hash
            self._place.background.run(
                self,
                lambda: self._suggestions.keep_card_read(model_hash),
                lambda _done: self._run(),
                partial(self._failed, self._run_number),
            )

    def _card_left(self) -> None:
        text = "The model card has to be read before this version is used for the first time."
        again = (Action("again", "Show the card", "cpu"), _RECORD)
        self._show_state(State("held", "cpu", "Not run.", text, again))

    def _run(self) -> None:
        opened, model, values, number = self._opened, self._model, self._values, self._run_number
        if opened is None or model is None:
            return
        self._stack.setCurrentWidget(self.loading)
        self.loading.start(f"Running {model[1].card['name']} {model[1].card['version']}")
        self._place.background.run(
            self,
            lambda: (self._suggestions.run(opened, values, model[0]), self._suggestions.overrides()),
            lambda found: self._show(number, *found),
            lambda error: self._failed(number, error),
        )

    def _show(self, number: int, answer: Answer, overrides: Overrides) -> None:
        if number != self._run_number:
            return
        self.loading.stop()
        self.answer = answer
        consents = ", ".join(short_id(each) for each in answer.opened.access.consents)
        self._chip.show_chip(Chip(f"AI allowed by {consents}", "circle-check", "info"))
        self._chip.show()
        self.result.show_result(answer.result, answer.model.malignant, answer.model.benign)
        self._stack.setCurrentIndex(0)
        label_ = "" if isinstance(answer.result, Declined) else answer.result.label
        self.pane.show_outcome(answer.outcome, label_)
        self.pane.show_facts(self._facts(answer, overrides))

    @staticmethod
    def _facts(answer: Answer, overrides: Overrides) -> tuple[Fact, ...]:
        short = answer.model.model_hash
        hospitals = count_text(len(answer.status.approved_by), "hospital", "hospitals")
        often = "No verdict yet"
        if overrides.answered:
            share = f"{overrides.overridden / overrides.answered:.1%}"
            often = f"{overrides.overridden} of {count_text(overrides.answered, 'time', 'times')} ({share})"
        return (
            Fact("Model", title_of_answer(answer), link="card"),
            Fact("Approved", f"by {hospitals}", "shield-check", "ok_fg"),
            Fact("Hash", f"{short[:4]} {short[4:8]} … {short[-4:]}", is_mono=True),
            Fact("Overridden", often),
        )

    def _failed(self, number: int, error: Exception) -> None:
        if number != self._run_number:
            return
        self.loading.stop()
        if isinstance(error, UnsettledError):
            self._giving.begin(error)
            return
        name = self._patient.name if self._patient is not None else "The patient"
        state = failure_state(error, name)
        keep = [action for action in state.actions if action.key == "ask"]
        self._show_state(State(state.role, state.icon_name, state.heading, state.text, (*keep, _RECORD)))

    def _show_state(self, state: State) -> None:
        self._stack.setCurrentWidget(self.state_view)
        self.state_view.show_state(state)

    def _act(self, key: str) -> None:
        if key == "queue":
            self.left.emit()
        elif key == "again" and self._model is not None:
            self._show_card(must_read=True)
        elif key == "ask" and self._opened is not None:
            self.ask_wanted.emit(self._opened.wanted.patient_id, self._opened.manifest.category)
        else:
            self.want_record()

    def want_record(self) -> None:
        """Go back to the record."""
        if self._opened is not None:
            self.record_wanted.emit(self._opened)

    def _give(self, verdict: Verdict) -> None:
        if self.answer is not None:
            self._giving.ask(self.answer.opened.wanted.patient_id, self.answer.suggestion_id, verdict)

    def _recorded(self, _commit: Commit) -> None:
        self.pane.set_enabled(enabled=False)
        self.answered.emit()

    def _tell(self, state: State) -> None:
        if self.answer is None:
            self._show_state(state)
        else:
            self.pane.show_state(state)

    def _settled(self, commit: Commit | None) -> None:
        if self.answer is None:
            return
        self.pane.set_enabled(enabled=commit is None)
        if commit is not None:
            self.answered.emit()

    def end(self, state: State) -> None:
        """The record closed: nothing of it stays here."""
        self.blank()
        queue = Action("queue", "Suggestions")
        self._show_state(State(state.role, state.icon_name, state.heading, state.text, (queue,), state.note))

    def blank(self) -> None:
        """Forget the case (lock, sign-out, another case)."""
        self._run_number += 1
        self._giving.stop()
        self.loading.stop()
        self._opened = self._patient = self._model = self.answer = None
        self._values = {}
        self.record_button.hide()
        self._title.clear()
        self._about.clear()
        self._chip.hide()
        self.result.clear()
        self.pane.show_outcome("", "")
        self.pane.show_facts(())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's: wide windows show more features and cases."""
        super().resizeEvent(event)
        self.result.show_more(more=self.width() >= scaled(1560))
