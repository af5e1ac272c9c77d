"""The verdict (SCREENS.md g): agree or override, none preselected; it goes on the ledger with one's name."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.services.suggestions import Verdict
from app.ui.pages.suggestion_words import READINGS, REASONS, agree_text
from app.ui.theme import scaled
from app.ui.widgets import (
    Band,
    Button,
    Fact,
    FactsGrid,
    Field,
    Note,
    Option,
    OptionKind,
    PreviewPane,
    Rule,
    Segment,
    Segments,
    State,
    TextKind,
    label,
)

_KEPT: Final = "The text stays in this hospital. Its commitment and a general reason code go on the ledger."


class VerdictPane(PreviewPane):
    """The right pane of a suggestion.

    Signals:
        wanted: a ``Verdict`` to be recorded, after the PIN.
        card_wanted: the model card is to be shown.
    """

    wanted = Signal(object)
    card_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(332)
        self._outcome = ""
        self.agree, self.override = (Option("", kind=OptionKind.RADIO, boxed=False) for _ in range(2))
        self._choice = QButtonGroup(self)
        for option in (self.agree, self.override):
            self._choice.addButton(option.button)
            option.toggled.connect(lambda _on: self._fit())
        self.override.text_label.setText("Override: I read it as")
        self.override.button.setAccessibleName("Override: I read it as")
        self.readings = Segments(
            tuple(Segment(key, text) for key, text in READINGS.items()), "", small=True, accessible="My reading"
        )
        self.readings.chosen.connect(lambda _key: self._fit())
        self.reason = QComboBox()
        self.reason.setPlaceholderText("Choose a reason")
        for code, text in REASONS.items():
            self.reason.addItem(text, code)
        self.reason.setCurrentIndex(-1)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Free text")
        self.text.setPlaceholderText("Free text, optional")
        self.text.setFixedHeight(scaled(64))
        self.band = Band()
        self.second = Note("users-round", "", "wait")
        self.facts = FactsGrid(name_width=88)
        self.facts.followed.connect(lambda _key: self.card_wanted.emit())
        self._form = self._make_form()
        self.body.addWidget(self._form)
        self.body.addStretch(1)
        self._rule = Rule()
        self.body.addWidget(self._rule)
        self.body.addWidget(self.facts)
        self.record_button = Button("Record verdict…", icon_name="pen-line")
        self.record_button.clicked.connect(self._record)
        self.buttons.addWidget(self.record_button)
        self.show_outcome("", "")

    def _make_form(self) -> QWidget:
        form = QWidget()
        layout = QVBoxLayout(form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(10))
        layout.addWidget(label("Your verdict", TextKind.SECTION))
        layout.addWidget(label("The decision is yours. It goes on the ledger with your name.", tone="text2", wrap=True))
        layout.addWidget(self.band)
        self._choice_field = Field("", _stacked(self.agree, self.override, self.readings))
        self._reason_field = Field("Reason", self.reason, "(needed to override)")
        for part in (self._choice_field, self._reason_field, self.text):
            layout.addWidget(part)
        layout.addWidget(label(_KEPT, TextKind.CAPTION, wrap=True))
        layout.addWidget(self.second)
        return form

    def show_outcome(self, outcome: str, what: str) -> None:
        """Begin anew for a suggestion; nothing is chosen.

        Args:
            outcome: certain, uncertain or declined; empty is no suggestion.
            what: the label that was suggested, for the wording of agreement.
        """
        self._outcome = outcome
        self.agree.text_label.setText(agree_text(outcome, what))
        self.agree.button.setAccessibleName(agree_text(outcome, what))
        self._choice.setExclusive(False)
        for option in (self.agree, self.override):
            option.set_checked(False)
        self._choice.setExclusive(True)
        self.readings.choose("")
        self.reason.setCurrentIndex(-1)
        self.text.clear()
        self.band.show_state(None)
        needed = "A second reader is asked all the same, because the result is uncertain."
        self.second.show_note("users-round", needed if outcome == "uncertain" else "", "wait")
        for part in (self._form, self.record_button):
            part.setVisible(bool(outcome))
        self.set_enabled(enabled=True)
        self._fit()

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        """Show the model's facts."""
        self._rule.setVisible(bool(facts))
        self.facts.show_facts(facts)

    def show_state(self, state: State | None) -> None:
        """Say what became of the verdict."""
        self.band.show_state(state)

    def set_enabled(self, *, enabled: bool) -> None:
        """Let the verdict be given or not (unknown outcome, recorded already)."""
        for part in (self.agree, self.override, self.readings, self.reason, self.text, self.record_button):
            part.setEnabled(enabled)

    def _fit(self) -> None:
        overrides = self.override.is_checked
        self.readings.setVisible(overrides)
        self._reason_field.setVisible(overrides)
        self._choice_field.show_gap("")
        self._reason_field.show_gap("")

    def _record(self) -> None:
        """Go to the first gap, or ask for the verdict to be recorded."""
        overrides = self.override.is_checked
        if not overrides and not self.agree.is_checked:
            self._choice_field.show_gap("Choose one of the two.")
            self.agree.button.setFocus()
        elif overrides and not self.readings.current:
            self._choice_field.show_gap("Say how you read it.")
            self.readings.button(0).setFocus()
        elif overrides and self.reason.currentIndex() < 0:
            self._reason_field.show_gap("Choose a reason.")
            self.reason.setFocus()
        else:
            self.wanted.emit(self.verdict())

    def verdict(self) -> Verdict:
        """Return what is chosen."""
        text = self.text.toPlainText().strip()
        if self.override.is_checked:
            return Verdict("override", self.readings.current, str(self.reason.currentData()), text)
        return Verdict("accept" if self._outcome == "certain" else "second-reader", text=text)


def _stacked(*parts: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(scaled(8))
    for part in parts:
        column.addWidget(part)
    return made
