"""What patients ask about accesses, for the privacy officer, who must answer (SCREENS.md h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout

from app.ui.kinds import kind_text
from app.ui.outcomes import state_of
from app.ui.page import Page
from app.ui.pages.patient_words import PURPOSES, moment, name_of, role_of
from app.ui.pages.words_sheet import WordsSheet
from app.ui.theme import scaled
from app.ui.vocabulary import Chip
from app.ui.widgets import (
    Band,
    Button,
    ButtonKind,
    Card,
    ChipLabel,
    EntriesList,
    Fact,
    FactsGrid,
    Group,
    PaneLayout,
    StateView,
    TextKind,
    TwoLine,
    label,
    surface,
    title_row,
)
from app.ui.widgets.row_panes import FreshPane
from app.ui.widgets.states import empty
from app.ui.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from PySide6.QtWidgets import QWidget

    from app.services.questions import QuestionRow, Questions
    from app.ui.pages.workplace import Workplace

_EMPTY: Final = empty("message-circle-question-mark", "What patients ask about an access stands here.", "No questions")
_NOTHING: Final = empty("message-circle-question-mark", "Choose a question to read and answer it.", "")
_WAITS: Final = Chip("Waits for you", "hourglass", "wait")
_ANSWERED: Final = Chip("Answered", "circle-check", "ok")


class QuestionDetail(FreshPane):
    """One question with the access it is about. ``answer_wanted``: the page knows the row."""

    answer_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(_NOTHING, width=364)
        self.answer_button = Button("Answer…", kind=ButtonKind.PRIMARY, icon_name="message-square")
        self.answer_button.clicked.connect(self.answer_wanted)
        self.buttons.addWidget(self.answer_button)
        self.show_row(None, None)

    def show_row(self, row: QuestionRow | None, zone: tzinfo | None) -> None:
        """Show a question; None says that nothing is chosen."""
        layout = self.renew()
        self.nothing.setVisible(row is None)
        self.answer_button.setVisible(row is not None and row.question.answered_at is None)
        if row is None:
            return
        layout.addWidget(label(row.person, TextKind.SECTION, wrap=True))
        layout.addWidget(ChipLabel(_chip(row)))
        layout.addWidget(_said("Asked", row.question.text, row.question.asked_at, zone))
        if row.question.answered_at is not None:
            layout.addWidget(_said("Answered", row.question.answer, row.question.answered_at, zone))
        layout.addWidget(label("The access", TextKind.STRONG))
        layout.addWidget(FactsGrid(_facts(row, zone), 84))


class QuestionsPage(Page):
    """The questions of one hospital's patients.

    Args:
        questions: the privacy officer's.
        place: background and zone.
    """

    def __init__(self, questions: Questions, place: Workplace) -> None:
        super().__init__()
        self._questions, self._place = questions, place
        self.band = Band()
        self.list = EntriesList(lambda row: row.question.access_id, "Questions", 0.55)
        self.nothing = StateView(_EMPTY)
        self.detail = QuestionDetail()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(PaneLayout(self._main(), self.detail))
        self.list.row_chosen.connect(lambda row: self.detail.show_row(row, self._place.zone))
        self.list.row_opened.connect(lambda _row: self._answer())
        self.band.acted.connect(lambda _key: self.refresh())
        self.detail.answer_wanted.connect(self._answer)

    def _main(self) -> QFrame:
        main = surface("window")
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(18), scaled(24), scaled(14))
        head.setSpacing(scaled(10))
        titles, _, self.subtitle = title_row("Questions", "Patients ask about an access. You must answer them.")
        head.addLayout(titles)
        head.addWidget(self.band)
        layout = QVBoxLayout(main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        return main

    def refresh(self) -> None:
        """Load again."""
        self._place.background.run(self, self._questions.rows, self._show, self._fail)

    def blank(self) -> None:
        """Forget the questions."""
        self.list.show_entries(())
        self.detail.show_row(None, None)
        self.band.show_state(None)

    def panes(self) -> tuple[QWidget, ...]:
        """The list and the detail."""
        return self.list, self.detail.answer_button

    def _fail(self, error: Exception) -> None:
        self.band.show_state(state_of(error))

    def _show(self, rows: tuple[QuestionRow, ...]) -> None:
        self.band.show_state(None)
        self.list.show_entries(_entries(rows, self._place.zone))
        self._stack.setCurrentWidget(self.list if rows else self.nothing)
        self.list.choose_first()
        if not rows:
            self.detail.show_row(None, None)
        waiting = sum(row.question.answered_at is None for row in rows)
        self.count_changed.emit(waiting, False)  # noqa: FBT003 (a signal's value)
        said = f"{count_text(waiting, 'question', 'questions')} without an answer"
        self.status_said.emit(said, "message-circle-question-mark", "muted")

    def _answer(self) -> None:
        row: QuestionRow | None = self.list.current_row
        if row is None or row.question.answered_at is not None:
            return
        about = f"{row.person} reads your answer beside the access. Once sent you cannot change it."
        sheet = WordsSheet(self, "Answer a question", about, "Your answer", "Send answer", patient=False)

        def sent(_: None) -> None:
            sheet.accept()
            self.toast_wanted.emit(f"Sent. {row.person} finds your answer under Who saw what.")
            self.refresh()

        def failed(error: Exception) -> None:
            sheet.show_failed(state_of(error))
            self.refresh()

        def send(words: str) -> None:
            self._place.background.run(sheet, lambda: self._questions.answer(row, words), sent, failed)

        sheet.given.connect(send)
        sheet.open()


def _chip(row: QuestionRow) -> Chip:
    return _WAITS if row.question.answered_at is None else _ANSWERED


def _entries(rows: Iterable[QuestionRow], zone: tzinfo | None) -> list[Group | TwoLine]:
    entries: list[Group | TwoLine] = []
    heading = ""
    for row in rows:
        group = "Without an answer" if row.question.answered_at is None else "Answered"
        if group != heading:
            entries.append(Group(group))
            heading = group
        entries.append(
            TwoLine(
                title=row.person,
                caption=row.question.text.replace("\n", " "),
                icon_name="user-round",
                middle=f"About {name_of(row.who)}",
                middle_caption=moment(row.access.at, zone),
                chip=_chip(row),
                row=row,
            )
        )
    return entries


def _facts(row: QuestionRow, zone: tzinfo | None) -> tuple[Fact, ...]:
    access = row.access
    kinds = ", ".join(kind_text(each) for each in row.categories) or "The list of records"
    return (
        Fact("Who", f"{name_of(row.who)}, {role_of(row.who)}, {row.who.hospital}"),
        Fact("When", moment(access.at, zone)),
        Fact("What", kinds),
        Fact("Why", PURPOSES.get(access.purpose, access.purpose)),
        Fact("Result", "Not opened" if access.denied else "Permitted"),
        Fact("Entry", f"Block {row.block}"),
        Fact("Id", row.question.access_id, is_mono=True),
    )


def _said(word: str, text: str, at: int, zone: tzinfo | None) -> Card:
    card = Card()
    card.body.addWidget(label(f"{word} {moment(at, zone)}", TextKind.CAPTION, "muted"))
    card.body.addWidget(label(text, wrap=True))
    return card
