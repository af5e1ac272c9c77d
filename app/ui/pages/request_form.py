"""The fields of a request; nothing is ticked at the start, and each check stands under its field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QDate, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDateEdit,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.consent.terms import AI_CATEGORIES, DAYS, Category
from app.services.drafts import PURPOSES, REASON_MAX, Draft
from app.services.requests import Gap
from app.ui.kinds import PURPOSES as PURPOSE_WORDS
from app.ui.kinds import kind_icon, kind_text
from app.ui.theme import scaled
from app.ui.widgets import Card, Field, Option, OptionKind, Rule, Segment, Segments, TextKind, label
from app.ui.wording import count_text, moment_text

if TYPE_CHECKING:
    from app.ui.pages.workplace import Workplace

GAP_TEXTS: Final = {
    Gap.NO_CATEGORY: "Choose at least one kind of record.",
    Gap.DATES_CROSSED: "The first date is after the second.",
    Gap.NO_REASON: "Say in one sentence why you ask.",
    Gap.REASON_TOO_LONG: f"The reason has more than {REASON_MAX} characters.",
    Gap.NO_STUDY: "For research, give the study number.",
}
_YEARS: Final = (("1", "1 year"), ("2", "2 years"), ("5", "5 years"), ("all", "All"))
_DAY: Final = 86_400
_NO_AI: Final = "Not possible here: approved models read cytology and heart tests."
_AI: Final = "Runs only on cytology and heart tests. The patient sees each run."
_TRAINING: Final = "The records stay in this hospital. The patient can withdraw later."
_ACROSS: Final = 3


class RequestFields(QWidget):
    """Purpose, records, dates, days, separate questions, reason.

    Args:
        place: for clock and zone.

    Signals:
        changed: something is different.
    """

    changed = Signal()

    def __init__(self, place: Workplace) -> None:
        super().__init__()
        self._place = place
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scaled(11))
        self.purpose_field = self._make_purposes()
        self.study = QLineEdit()
        self.study.textChanged.connect(lambda _text: self.changed.emit())
        self.study_field = Field("Study number", self.study, "Of the registered study.")
        self.records_field = self._make_records()
        both = QHBoxLayout()
        both.setSpacing(scaled(24))
        both.addWidget(self._make_dates(), 0, Qt.AlignmentFlag.AlignTop)
        both.addWidget(self._make_days(), 1, Qt.AlignmentFlag.AlignTop)
        self.reason = QLineEdit()
        self.reason.setMaxLength(REASON_MAX)
        self.reason.textChanged.connect(lambda _text: self.changed.emit())
        self.reason_field = Field(
            "Reason, in one sentence", self.reason, "The patient reads it. It does not go on the ledger."
        )
        layout.addWidget(self.purpose_field)
        layout.addWidget(self.study_field)
        layout.addWidget(self.records_field)
        layout.addLayout(both)
        layout.addWidget(self._make_separate())
        layout.addWidget(self.reason_field)
        self.clear("")

    def _make_purposes(self) -> Field:
        grid_holder = QWidget()
        grid = QGridLayout(grid_holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(scaled(6))
        self._purposes = QButtonGroup(self)
        self.purpose_options: dict[str, Option] = {}
        for number, code in enumerate(PURPOSES):
            text, caption = PURPOSE_WORDS[code]
            option = Option(text, caption, kind=OptionKind.RADIO, boxed=False)
            self._purposes.addButton(option.button, number)
            self.purpose_options[code] = option
            grid.addWidget(option, number // 2, number % 2)
            option.toggled.connect(self._change)
        return Field("Purpose", grid_holder, "One request has one purpose.")

    def _make_records(self) -> Field:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(scaled(8))
        self.category_options: dict[Category, Option] = {}
        for number, category in enumerate(Category):
            option = Option(kind_text(category), icon_name=kind_icon(category))
            option.toggled.connect(self._change)
            self.category_options[category] = option
            grid.addWidget(option, number // _ACROSS, number % _ACROSS)
        return Field("Records", holder, "Only what the purpose needs.")

    def _make_dates(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout()
        row.setSpacing(scaled(8))
        self.first, self.last = QDateEdit(), QDateEdit()
        for edit, name in ((self.first, "Made from"), (self.last, "Made until")):
            edit.setCalendarPopup(True)
            edit.setDisplayFormat("d MMM yyyy")
            edit.setAccessibleName(name)
            edit.dateChanged.connect(self._pick_date)
        row.addWidget(self.first)
        row.addWidget(label("and", tone="muted"))
        row.addWidget(self.last)
        self.years = Segments(
            tuple(Segment(key, text) for key, text in _YEARS), "1", small=True, accessible="Made in the last"
        )
        self.years.chosen.connect(self._pick_years)
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(scaled(8))
        column.addLayout(row)
        column.addWidget(self.years)
        self.dates_field = Field("Made between", holder)
        self.dates_field.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        return self.dates_field

    def _make_days(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(scaled(6))
        choices = tuple(Segment(str(days), count_text(days, "day", "days")) for days in DAYS)
        self.days = Segments(choices, "7", accessible="Keep open for")
        self.days.chosen.connect(self._change)
        self._ends = label("", TextKind.CAPTION, wrap=True)
        column.addWidget(self.days)
        column.addWidget(self._ends)
        return Field("Keep open for", holder)

    def _make_separate(self) -> QWidget:
        card = Card(padding=4)
        card.body.setContentsMargins(scaled(4), scaled(4), scaled(4), scaled(4))
        self.ai = Option(
            "A diagnostic suggestion by an approved model",
            _AI,
            boxed=False,
        )
        self.training = Option("Training of models", _TRAINING, boxed=False)
        for option in (self.ai, self.training):
            option.toggled.connect(self._change)
        inside = QVBoxLayout()
        inside.setContentsMargins(scaled(8), 0, scaled(8), 0)
        inside.setSpacing(scaled(3))
        for part in (self.ai, Rule(), self.training):
            inside.addWidget(part)
        card.body.addLayout(inside)
        self.separate_field = Field(
            "Asked separately", card, "The patient answers each on its own. Off unless you ask."
        )
        return self.separate_field

    def clear(self, category: str) -> None:
        """Go back to the start; only ``category`` is ticked, because the person asked for it by name."""
        self.purpose_options["TREAT"].set_checked(True)
        for each, option in self.category_options.items():
            option.set_checked(each.value == category)
        self.ai.set_checked(False)
        self.training.set_checked(False)
        self.days.choose("7")
        self.years.choose("1")
        self._set_years("1")
        self.reason.clear()
        self.study.clear()
        self.show_gaps(())
        self._change()

    def show_draft(self, draft: Draft) -> None:
        """Show a draft that was kept, as it was."""
        self.clear("")
        self.purpose_options[draft.purpose].set_checked(True)
        for each, option in self.category_options.items():
            option.set_checked(each in draft.categories)
        self.ai.set_checked(draft.ai)
        self.training.set_checked(draft.training)
        self.days.choose(str(draft.days))
        self._show_days(draft.first_day, draft.last_day)
        self.reason.setText(draft.reason)
        self.study.setText(draft.study)
        self._change()

    def _show_days(self, first: str, last: str) -> None:
        """Show these days; where "1 year" and the like mean the same today, that is what is chosen."""
        for key, _ in _YEARS:
            self._set_years(key)
            self.years.choose(key)
            if self._days == (first, last):
                return
        self.years.choose("")
        for edit, day in ((self.first, first), (self.last, last)):
            edit.setEnabled(True)
            with QSignalBlocker(edit):
                edit.setDate(QDate.fromString(day, Qt.DateFormat.ISODate))

    @property
    def _days(self) -> tuple[str, str]:
        """First and last day as ISO dates; both empty for "All"."""
        if self.years.current == "all":
            return "", ""
        return self.first.date().toString("yyyy-MM-dd"), self.last.date().toString("yyyy-MM-dd")

    @property
    def _today(self) -> date:
        return datetime.fromtimestamp(self._place.clock(), UTC).astimezone(self._place.zone).date()

    def _pick_years(self, key: str) -> None:
        self._set_years(key)
        self.changed.emit()

    def _set_years(self, key: str) -> None:
        today = self._today
        last = QDate(today.year, today.month, today.day)
        first = last.addYears(-int(key)) if key != "all" else last.addYears(-1)
        for edit, day in ((self.first, first), (self.last, last)):
            with QSignalBlocker(edit):
                edit.setDate(day)
            edit.setEnabled(key != "all")

    def _pick_date(self) -> None:
        self.years.choose("")
        self.changed.emit()

    def _change(self, _value: object = None) -> None:
        self.study_field.setVisible(self.purpose_options["HRESCH"].is_checked)
        readable = bool(self._categories() & AI_CATEGORIES)
        for option in (self.ai, self.training):
            option.setEnabled(readable)
            if not readable:
                option.set_checked(False)
        self.ai.set_caption(_AI if readable else _NO_AI)
        self.training.set_caption(_TRAINING if readable else _NO_AI)
        days = int(self.days.current or 7)
        ends = moment_text(self._place.clock() + days * _DAY, zone=self._place.zone)
        self._ends.setText(f"Ends {ends}. Opened copies are then purged.")
        self.changed.emit()

    def _categories(self) -> frozenset[Category]:
        return frozenset(each for each, option in self.category_options.items() if option.is_checked)

    def draft(self, patient_id: str) -> Draft:
        """Return what the form says."""
        first_day, last_day = self._days
        purpose = next(code for code, option in self.purpose_options.items() if option.is_checked)
        return Draft(
            patient_id,
            purpose=purpose,
            categories=self._categories(),
            first_day=first_day,
            last_day=last_day,
            days=int(self.days.current or 7),
            ai=self.ai.is_checked,
            training=self.training.is_checked,
            reason=self.reason.text(),
            study=self.study.text() if purpose == "HRESCH" else "",
        )

    def show_gaps(self, gaps: tuple[Gap, ...]) -> None:
        """Say under each field what is missing, and go to the first."""
        places = {
            Gap.NO_STUDY: (self.study_field, self.study),
            Gap.NO_CATEGORY: (self.records_field, self.category_options[Category.IMAGE].button),
            Gap.DATES_CROSSED: (self.dates_field, self.first),
            Gap.NO_REASON: (self.reason_field, self.reason),
            Gap.REASON_TOO_LONG: (self.reason_field, self.reason),
        }
        for field, _ in places.values():
            field.show_gap("")
        for gap in gaps:
            places[gap][0].show_gap(GAP_TEXTS[gap])
        first = next((gap for gap in places if gap in gaps), None)
        if first is not None:
            places[first][1].setFocus()
