"""Step 3: two questions with answers in random order. They test what we said, not the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout

from app.consent.sentences import questions
from app.ui.pages.turn.sentence import AllowCard
from app.ui.pages.turn.step import Step
from app.ui.theme import scaled
from app.ui.widgets import Card, Note, Option, OptionKind, TextKind, label

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from app.consent.artefact import Artefact
    from app.consent.sentences import Answer, Question
    from app.ui.pages.turn.words import Words

_TALK_AFTER: Final = 3


@dataclass
class Asked:
    """One question as far as it is answered.

    Attributes:
        question: with its answers in the order shown.
        chosen: index of the chosen answer, or None.
        misses: how often it was wrong or unsure.
    """

    question: Question
    chosen: int | None = None
    misses: int = 0

    @property
    def is_right(self) -> bool:
        """Whether the chosen answer is right."""
        return self.chosen is not None and self.question.answers[self.chosen].is_right

    def choose(self, number: int) -> None:
        """Take an answer."""
        self.chosen = number
        self.misses += not self.is_right


@dataclass
class Checking:
    """Both questions on one consent; it lives as long as the terms and the language stay.

    Attributes:
        artefact: what they are about.
        asked: the two questions.
    """

    artefact: Artefact
    asked: list[Asked] = field(default_factory=list)

    @classmethod
    def of(cls, artefact: Artefact, shuffle: Callable[[list[Answer]], None]) -> Checking:
        """Return fresh questions."""
        return cls(artefact, [Asked(question) for question in questions(artefact, shuffle)])

    @property
    def open_count(self) -> int:
        """How many are not answered rightly."""
        return sum(not each.is_right for each in self.asked)


class QuestionCard(Card):
    """One question. ``answered`` after each choice."""

    answered = Signal()

    def __init__(self, number: int, asked: Asked, words: Words) -> None:
        super().__init__(padding=18)
        self._asked, self._words = asked, words
        self.body.addWidget(label(f"{number}. {asked.question.text}", TextKind.PATIENT_STRONG, wrap=True))
        self.options: list[Option] = []
        group = QButtonGroup(self)
        grid = QGridLayout()
        grid.setSpacing(scaled(8))
        for place, answer in enumerate(asked.question.answers):
            option = Option(answer.text, kind=OptionKind.RADIO, patient=True)
            option.set_checked(asked.chosen == place)
            group.addButton(option.button, place)
            grid.addWidget(option, place // 2, place % 2)
            grid.setColumnStretch(place % 2, 1)
            self.options.append(option)
        group.idClicked.connect(self._choose)
        self.body.addLayout(grid)
        self.note = Note("circle-check", "", "ok", TextKind.PATIENT_CAPTION)
        self.body.addWidget(self.note)
        self._show()

    @property
    def is_right(self) -> bool:
        """Whether the chosen answer is the right one."""
        return self._asked.is_right

    def _choose(self, number: int) -> None:
        self._asked.choose(number)
        self._show()
        self.answered.emit()

    def _show(self) -> None:
        asked = self._asked
        if asked.chosen is None:
            self.note.show_note("circle-check", "", "ok")
        elif asked.is_right:
            self.note.show_note("circle-check", self._words.say("check.right"), "ok")
        elif asked.misses >= _TALK_AFTER:
            self.note.show_note("rotate-ccw", f"{asked.question.again} {self._words.say('talk')}", "wait")
        else:
            self.note.show_note("rotate-ccw", asked.question.again, "wait")


class Check(Step):
    """The two questions beside what is allowed. ``talk_wanted`` after the third miss: Decide later gets the focus."""

    talk_wanted = Signal()

    def __init__(self, checking: Checking, words: Words) -> None:
        super().__init__(aside=True)
        self._checking, self._words = checking, words
        self.title(words.say("check_title"), words.say("check_note"))
        self.cards: list[QuestionCard] = []
        for number, asked in enumerate(checking.asked, 1):
            card = QuestionCard(number, asked, words)
            card.answered.connect(lambda asked=asked: self._answered(asked))
            self.cards.append(card)
            self.main.addWidget(card)
        self.main.addWidget(
            Note("message-circle-question-mark", words.say("check.beside"), "text2", TextKind.PATIENT_CAPTION)
        )
        self.main.addStretch(1)
        self.allow = AllowCard(checking.artefact, words)
        self.allow.change_wanted.connect(self.back_wanted)
        self.aside.addWidget(self.allow)
        self.aside.addStretch(1)

    def _answered(self, asked: Asked) -> None:
        self.changed.emit()
        if not asked.is_right and asked.misses >= _TALK_AFTER:
            self.talk_wanted.emit()

    @property
    def is_ready(self) -> bool:
        """Whether both are right."""
        return self._checking.open_count == 0

    @property
    def gap(self) -> str:
        """How many are open."""
        return open_text(self._checking.open_count, self._words)

    @property
    def speech(self) -> str:
        """What is read aloud."""
        said = [self._words.say("check_title")]
        for asked in self._checking.asked:
            said += [asked.question.text, *(answer.text for answer in asked.question.answers)]
        return ". ".join(said)

    def first_control(self) -> QWidget | None:
        """The first answer."""
        return self.cards[0].options[0].button


def open_text(count: int, words: Words) -> str:
    """Return how many questions are open: "One question is open"."""
    if not count:
        return ""
    few = {1: "open_one", 2: "open_two"}
    return words.say(few[count]) if count in few else words.say("open_many", count=count)
