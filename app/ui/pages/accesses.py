"""Who saw what: every opening of the patient's records and every attempt (SCREENS.md h)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout

from app.services.accesses import is_new
from app.services.proofs import NotProvenError
from app.ui.outcomes import failure_sentence, state_of
from app.ui.page import Page
from app.ui.pages.access_detail import KEPT, AccessDetail
from app.ui.pages.access_list import HEAD as _HEAD
from app.ui.pages.access_list import PERIODS, Filter, Period, Which, entries_of, lines_of, save_list
from app.ui.pages.agreement_words import agreement_text, disagreement_state
from app.ui.pages.paper import pairs, paragraphs, write_pdf
from app.ui.pages.patient_words import heading_of, moment, name_of
from app.ui.pages.saving import ChoosePath, choose_path
from app.ui.pages.stopping import ask_stop
from app.ui.pages.words_sheet import WordsSheet
from app.ui.theme import scaled
from app.ui.widgets import (
    Band,
    Button,
    EntriesList,
    PaneLayout,
    Segment,
    Segments,
    State,
    StateView,
    TextKind,
    label,
    surface,
)
from app.ui.widgets.states import Action, empty
from app.ui.wording import time_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from app.custodian.results import Question
    from app.services.accesses import Accesses, AccessRow, Completeness
    from app.services.agreement import Agreement
    from app.services.consents import ConsentRow, Consents
    from app.services.proofs import Checked
    from app.services.questions import OwnQuestions
    from app.ui.pages.workplace import Workplace

_SEGMENTS = {Which.ALL: "All", Which.NOT_OPENED: "Not opened", Which.COMPUTER: "Computer"}
_ABOUT = "Every opening of your records, and every attempt."
_ASKING = "Your hospital's privacy officer reads your name and your question, and must answer you."
_EMPTY = empty("eye", "Nobody has opened your records.", "")
_NO_MATCH = State("muted", "list-filter", "", "No entry matches.", (Action("clear", "Show all"),))
_AGREED = ("shield-check", "ok")
_NOT_ALL = ("clock-alert", "wait")
_FILTERS = "CSV (*.csv);;PDF (*.pdf)"


@dataclass(frozen=True, slots=True)
class _Loaded:
    rows: tuple[AccessRow, ...]
    consents: dict[str, ConsentRow]
    completeness: Completeness
    seen: dict[str, int | None]
    questions: dict[str, Question]


class AccessesPage(Page):
    """The patient's list of openings. ``consent_wanted`` carries a consent id: wiring opens My consents with it."""

    consent_wanted = Signal(str)

    def __init__(
        self,
        accesses: Accesses,
        consents: Consents,
        questions: OwnQuestions,
        place: Workplace,
        language: str,
        choose_path: ChoosePath = choose_path,
    ) -> None:
        super().__init__()
        self._accesses, self._consents, self._place = accesses, consents, place
        self._questions = questions
        self._language, self._choose_path = language, choose_path
        self._seen: dict[str, int | None] | None = None
        self._loaded: _Loaded | None = None
        self._filter = Filter()
        self.band = Band()
        self.segments = Segments(tuple(Segment(key.value, text, 0) for key, text in _SEGMENTS.items()))
        self.person, self.period = QComboBox(), QComboBox()
        self.save_button = Button("Save list…", icon_name="download")
        self.list = EntriesList(lambda row: row.access_id, "Who saw what", 0.44, patient=True)
        self.nothing = StateView(_EMPTY)
        self.detail = AccessDetail()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(PaneLayout(self._main(), self.detail))
        self._connect()

    def _main(self) -> QFrame:
        main = surface("window")
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(18), scaled(24), scaled(14))
        head.setSpacing(scaled(10))
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addWidget(label("Who saw what", TextKind.PATIENT_TITLE))
        self.subtitle = label(_ABOUT, TextKind.PATIENT, "text2")
        titles.addWidget(self.subtitle)
        head.addLayout(titles)
        row = QHBoxLayout()
        row.setSpacing(scaled(8))
        row.addWidget(self.segments)
        row.addStretch(1)
        self.person.setAccessibleName("Person")
        self.period.setAccessibleName("Period")
        self.person.addItem("Everyone", "")
        for period, text in PERIODS.items():
            self.period.addItem(text, period.value)
        for part in (self.person, self.period, self.save_button):
            row.addWidget(part)
        head.addLayout(row)
        head.addWidget(self.band)
        layout = QVBoxLayout(main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        return main

    def _connect(self) -> None:
        self.segments.chosen.connect(lambda key: self._narrow(which=Which(key)))
        self.person.activated.connect(lambda place: self._narrow(person=self.person.itemData(place)))
        self.period.activated.connect(lambda place: self._narrow(period=Period(self.period.itemData(place))))
        self.save_button.clicked.connect(self._save_list)
        self.list.row_chosen.connect(self._show_detail)
        self.nothing.acted.connect(lambda _key: self._clear())
        self.band.acted.connect(lambda _key: self.refresh())
        self.detail.consent_followed.connect(self.consent_wanted)
        self.detail.check_wanted.connect(self._check)
        self.detail.save_wanted.connect(self._save_entry)
        self.detail.stop_wanted.connect(self._stop)
        self.detail.ask_wanted.connect(self._ask)

    def refresh(self) -> None:
        """Compare with the ledger again."""
        self._place.background.run(self, self._load, self._show, self._fail)

    def _load(self) -> _Loaded:
        rows = self._accesses.rows()
        consents = {row.consent_id: row for row in self._consents.rows()}
        completeness, seen = self._accesses.completeness(), self._accesses.seen()
        return _Loaded(rows, consents, completeness, seen, self._questions.by_access())

    def look(self) -> None:
        """Count what is new, for the rail, before the list itself is read."""

        def count() -> int:
            seen = self._accesses.seen()
            return sum(is_new(row, seen) for row in self._accesses.rows())

        if self._seen is None:
            self._place.background.run(self, count, self._say_count, self._fail)

    def _say_count(self, count: int) -> None:
        if self._seen is None:
            self.count_changed.emit(count, False)  # noqa: FBT003 (a signal's value)

    def blank(self) -> None:
        """Forget the list."""
        self._loaded = self._seen = None
        self.subtitle.setText(_ABOUT)
        self.list.show_entries(())
        self.detail.show_row(None, (), None)
        self.band.show_state(None)

    def panes(self) -> tuple[QWidget, ...]:
        """The list and the detail."""
        return self.list, self.detail.check_button

    def search_hint(self) -> str:
        """What the search field says here."""
        return "Search people and records"

    def _fail(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def _show(self, loaded: _Loaded) -> None:
        self._loaded = loaded
        self._mark_seen(loaded)
        self._say_completeness(loaded.completeness)
        people = {row.who.subject: name_of(row.who) for row in loaded.rows}
        self.person.clear()
        self.person.addItem("Everyone", "")
        for subject, name in sorted(people.items(), key=lambda item: item[1]):
            self.person.addItem(name, subject)
        self.person.setCurrentIndex(max(0, self.person.findData(self._filter.person)))
        self._show_rows()
        self._place.background.run(self, self._accesses.agreement, self._say_agreement, self._not_asked)

    def _say_agreement(self, said: Agreement) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        trouble = disagreement_state(said, self._place.hospital)
        if trouble is not None:
            self.band.show_state(trouble)
            self.status_said.emit(trouble.heading, trouble.icon_name, "deny")
        elif loaded.completeness.complete:
            text = f"{self._complete_text(loaded.completeness)}. {agreement_text(said, self._place.hospital)}"
            self.status_said.emit(text, *(_AGREED if said.agreeing == said.asked else _NOT_ALL))

    def _not_asked(self, error: Exception) -> None:
        if self._loaded is not None:
            self._fail(error)

    def _complete_text(self, said: Completeness) -> str:
        at = time_text(said.at, self._place.zone)
        return f"This list is complete: it was compared with block {said.block} at {at}"

    def _mark_seen(self, loaded: _Loaded) -> None:
        """Keep what was new when this visit began; her hospital notes how far she has read by now."""
        if self._seen is None:
            self._seen = loaded.seen
        count = len(self.unread)
        since = "" if None in self._seen.values() else " since your last visit"
        verb = "is" if count == 1 else "are"
        self.subtitle.setText(f"{_ABOUT} {count:,} {verb} new{since}." if count else _ABOUT)
        self.count_changed.emit(count, False)  # noqa: FBT003 (a signal's value)
        block = loaded.completeness.block
        if any(last is None or last < block for last in loaded.seen.values()):
            self._place.background.run(self, lambda: self._accesses.mark_seen(block), lambda _: None, self._fail)

    @property
    def unread(self) -> frozenset[str]:
        """Access ids of what somebody else did since her last visit."""
        loaded, seen = self._loaded, self._seen
        if loaded is None or seen is None:
            return frozenset()
        return frozenset(row.access_id for row in loaded.rows if is_new(row, seen))

    def _say_completeness(self, said: Completeness) -> None:
        at = time_text(said.at, self._place.zone)
        if said.complete:
            self.band.show_state(None)
            self.status_said.emit(self._complete_text(said), *_AGREED)
            return
        text = f"This list may be missing entries after {at}."
        self.band.show_state(State("wait", "clock-alert", "", text, (Action("again", "Compare again", "rotate-cw"),)))
        self.status_said.emit(text, "clock-alert", "wait")

    @property
    def shown_rows(self) -> tuple[AccessRow, ...]:
        """The rows that the filter lets through."""
        if self._loaded is None:
            return ()
        now = self._place.clock()
        return tuple(row for row in self._loaded.rows if self._filter.shows(row, now))

    def _show_rows(self) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        now = self._place.clock()
        counts = {
            which: sum(replace(self._filter, which=which).shows(row, now) for row in loaded.rows) for which in Which
        }
        self.segments.show_segments(tuple(Segment(key.value, text, counts[key]) for key, text in _SEGMENTS.items()))
        rows = self.shown_rows
        self.list.show_entries(entries_of(rows, now, self._place.zone, self.unread))
        self.nothing.show_state(_NO_MATCH if loaded.rows else _EMPTY)
        self._stack.setCurrentWidget(self.list if rows else self.nothing)
        self.save_button.setEnabled(bool(rows))
        self.list.choose_first()
        if not rows:
            self.detail.show_row(None, (), None)

    def _narrow(self, **changes: Any) -> None:
        self._filter = replace(self._filter, **changes)
        self._show_rows()

    def _clear(self) -> None:
        self._filter = Filter(period=Period.ALL)
        self.segments.choose(Which.ALL.value)
        self.person.setCurrentIndex(0)
        self.period.setCurrentIndex(self.period.findData(Period.ALL.value))
        self._show_rows()

    def _deciding(self, row: AccessRow) -> tuple[ConsentRow, ...]:
        known = {} if self._loaded is None else self._loaded.consents
        return tuple(known[each] for each in row.consents if each in known)

    def _show_detail(self, row: AccessRow | None) -> None:
        if row is None or self._loaded is None:
            self.detail.show_row(None, (), None)
            return
        question = self._loaded.questions.get(row.access_id)
        self.detail.show_row(row, self._deciding(row), self._place.zone, question)

    # what can be done about an entry

    def _check(self) -> None:
        row: AccessRow | None = self.list.current_row
        if row is None:
            return
        self.detail.show_checking()

        def show(checked: Checked) -> None:
            current: AccessRow | None = self.list.current_row
            if current is not None and current.access_id == checked.transaction_id:
                self.detail.show_checked(checked, self._place.zone)

        def fail(error: Exception) -> None:
            if isinstance(error, NotProvenError):
                text = f"This entry does not check out ({error.code}). Tell the privacy officer."
            else:
                text = f"It could not be checked. {failure_sentence(error)}"
            self.detail.show_unproven(text)

        self._place.background.run(self, lambda: self._accesses.check(row), show, fail)

    def _stop(self) -> None:
        row: AccessRow | None = self.list.current_row
        if row is None:
            return
        active = next((each for each in self._deciding(row) if each.state.value == "active" and not each.denies), None)
        if active is not None:
            ask_stop(self, active, self._consents, self._place, self._language, self._stopped)

    def _stopped(self) -> None:
        self.toast_wanted.emit("Stopped. What was open there closes in a few seconds.")
        self.refresh()

    def _ask(self) -> None:
        row: AccessRow | None = self.list.current_row
        if row is None:
            return
        about = f"{heading_of(row)}, {moment(row.at, self._place.zone)}. {_ASKING}"
        sheet = WordsSheet(self, "Ask about this", about, "Your question", "Send question", patient=True)

        def sent(_: None) -> None:
            sheet.accept()
            self.toast_wanted.emit("Sent. The privacy officer must answer you; the answer stands here.")
            self.refresh()

        def failed(error: Exception) -> None:
            sheet.show_failed(state_of(error))

        def send(words: str) -> None:
            self._place.background.run(sheet, lambda: self._questions.ask(row, words), sent, failed)

        sheet.given.connect(send)
        sheet.open()

    def _save_entry(self) -> None:
        row: AccessRow | None = self.list.current_row
        if row is None:
            return
        path = self._choose_path(self, f"opening-{row.access_id[:8]}.pdf", "PDF (*.pdf)")
        if path is None:
            return
        lines = lines_of((row,), self._place.zone)[0]
        body = paragraphs(heading_of(row), (KEPT,)) + pairs(tuple(zip(_HEAD, lines, strict=True)))
        self._write(path, lambda: write_pdf(path.with_suffix(".pdf"), heading_of(row), body))

    def _save_list(self) -> None:
        path = self._choose_path(self, "who-saw-what.csv", _FILTERS)
        if path is None or self._loaded is None:
            return
        said = self._loaded.completeness
        text = f"Compared with block {said.block} at {time_text(said.at, self._place.zone)}."
        rows = self.shown_rows
        self._write(path, lambda: save_list(path, rows, text, self._place.zone))

    def _write(self, path: Path, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError:
            self.band.show_state(State("wait", "triangle-alert", "", "It could not be saved there."))
            return
        self.toast_wanted.emit(f"Saved as {path.name}.")
