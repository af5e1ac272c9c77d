"""Step 2: what she allows. Every control offers the asked value or less, and no answer is given for her."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout

from app.consent.dates import read_zone
from app.consent.sentences import narrowing_words, who
from app.consent.terms import Category, GranteeKind, Labels, WideningError
from app.services.choices import (
    Choices,
    Since,
    SinceKind,
    Unanswered,
    asks_emergency,
    days_offered,
    labels_offered,
    only,
    since_offered,
)
from app.ui.pages.turn.check import open_text
from app.ui.pages.turn.rows import BoxesRow, DatesEdit, RadiosRow, SegmentsRow, TermRow
from app.ui.pages.turn.sentence import SentenceCard, made_text
from app.ui.pages.turn.step import Step
from app.ui.widgets import Button, ButtonKind, Card, Rule, TextKind, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.services.turn import Turn
    from app.ui.pages.turn.words import Words

R = TypeVar("R", bound=TermRow)
_DATES: Final = "dates"
_EARLIEST: Final = "1900-01-01"


class Choose(Step):
    """The choices beside the sentence that they make.

    Signals:
        chosen: carries the new ``Choices``.
        block_wanted: she wants to block a person.
    """

    chosen = Signal(object)
    block_wanted = Signal()

    def __init__(self, turn: Turn, choices: Choices, words: Words) -> None:
        super().__init__(aside=True)
        self._turn, self._words, self._choices = turn, words, choices
        self._title = self.title(words.say("choose_title"))
        self._card = Card(padding=0)
        self._card.body.setContentsMargins(0, 0, 0, 0)
        self._card.body.setSpacing(0)
        self.records = self._add(self._records_row())
        self._since_options = since_offered(turn.asked, self._today)
        self.since = self._add(self._since_row())
        self.days = self._add(self._days_row())
        self.who = self._add(self._who_row())
        self.ai = self._yes_no("ai") if turn.asked.ai_inference else None
        self.training = self._yes_no("training") if turn.asked.ai_training else None
        self.labels = self._add(self._labels_row())
        self.emergency = self._add(self._emergency_row())
        self.main.addWidget(self._card)
        self.main.addStretch(1)
        self.sentence = SentenceCard(words)
        self.aside.addWidget(self.sentence)
        self.aside.addStretch(1)
        self._show()

    @property
    def choices(self) -> Choices:
        """What is chosen now."""
        return self._choices

    @property
    def is_ready(self) -> bool:
        """Whether every question is answered."""
        return not self._open and self._turn.is_signable

    @property
    def gap(self) -> str:
        """What is missing."""
        if Unanswered.CATEGORIES in self._open:
            return self._words.say("choose.none")
        if not self._open and not self._turn.is_signable:
            return self._words.say("choose.same")
        return open_text(len(self._open), self._words)

    @property
    def speech(self) -> str:
        """What is read aloud: the sentence, as it stands."""
        return f"{self._words.say('choose_title')} {self._words.say('sentence_title')}: {self.sentence.text}"

    def first_control(self) -> QWidget | None:
        """The first kind of record."""
        return next(iter(self.records.boxes.values())).button

    @property
    def _open(self) -> tuple[Unanswered, ...]:
        return self._choices.open_questions(self._turn.asked)

    @property
    def _today(self) -> date:
        local = datetime.fromtimestamp(self._turn.machine.clock(), UTC) + timedelta(
            seconds=read_zone(self._turn.zone) or 0
        )
        return local.date()

    def _add(self, row: R) -> R:
        if self._card.body.count():
            self._card.body.addWidget(Rule())
        self._card.body.addWidget(row)
        return row

    def _records_row(self) -> BoxesRow:
        words, asked = self._words, self._turn.asked
        kinds = [each for each in Category if each in asked.categories]
        boxes = [(each.value, _capital(words.consent.categories([each], asked=True))) for each in kinds]
        said = words.counted("asked.kinds", len(kinds), count=len(kinds))
        row = BoxesRow(
            words.say("q_records"), words.say("asked", value=said), boxes, frozenset(map(str, self._choices.categories))
        )
        row.chosen.connect(lambda keys: self._change(categories=frozenset(Category(key) for key in keys)))
        return row

    def _since_row(self) -> SegmentsRow:
        words, asked = self._words, self._turn.asked
        options = [(str(place), self._since_words(each)) for place, each in enumerate(self._since_options)]
        row = SegmentsRow(
            "calendar",
            words.say("q_since"),
            words.say("asked", value=self._asked_since(self._since_options[0])),
            [*options, (_DATES, words.say("since.dates"))],
            self._since_key(),
        )
        first = asked.made_from or _EARLIEST
        last = asked.made_until or self._today.isoformat()
        shown = (self._choices.made_from or first, self._choices.made_until or last)
        self.dates = DatesEdit(words, (first, max(first, last)), shown)
        self.dates.setVisible(self._since_key() == _DATES)
        row.controls.addWidget(self.dates)
        row.chosen.connect(self._choose_since)
        self.dates.changed.connect(lambda first, last: self._change(made_from=first, made_until=last))
        return row

    def _since_words(self, since: Since) -> str:
        words = self._words
        if since.years:
            return words.counted("since.years", since.years, years=since.years)
        if since.kind is SinceKind.MONTH:
            return words.say("since.month")
        return (
            words.say("since.day", day=words.consent.day(since.first_day))
            if since.first_day
            else words.say("since.any")
        )

    def _asked_since(self, since: Since) -> str:
        words = self._words
        if since.years:
            return words.counted("asked.years", since.years, years=since.years)
        return (
            words.say("asked.day", day=words.consent.day(since.first_day))
            if since.first_day
            else words.say("asked.any")
        )

    def _since_key(self) -> str:
        asked, chosen = self._turn.asked, self._choices
        if chosen.made_until != asked.made_until:
            return _DATES
        days = [each.first_day for each in self._since_options]
        return str(days.index(chosen.made_from)) if chosen.made_from in days else _DATES

    def _choose_since(self, key: str) -> None:
        self.dates.setVisible(key == _DATES)
        if key == _DATES:
            self.dates.edits[0].setFocus(Qt.FocusReason.OtherFocusReason)
            return
        first = self._since_options[int(key)].first_day
        self._change(made_from=first, made_until=self._turn.asked.made_until)

    def _days_row(self) -> SegmentsRow:
        words, asked = self._words, self._turn.asked
        offered = [(str(days), words.consent.days(days)) for days in days_offered(asked)]
        said = words.say("asked", value=words.consent.days(asked.keep_open_days))
        row = SegmentsRow("clock", words.say("q_long"), said, offered, str(self._choices.days))
        row.chosen.connect(lambda key: self._change(days=int(key)))
        return row

    def _who_row(self) -> TermRow:
        words, turn = self._words, self._turn
        grantee = turn.asked.grantee
        fields = {"name": words.consent.name(grantee.name), "organization": grantee.organization_name}
        is_person = grantee.kind is GranteeKind.PRACTITIONER
        key = "asked.person" if is_person else f"asked.{grantee.kind.value}"
        said = words.say("asked", value=words.say(key, **fields))
        self.block_button = Button(words.say("block_button"), kind=ButtonKind.LINK)
        self.block_button.clicked.connect(self.block_wanted)
        if is_person or not turn.asked_by.name:
            row: TermRow = TermRow("user-round", words.say("q_who"), said)
            line = QHBoxLayout()
            text = words.say("who.only", **fields) if is_person else who(grantee, words.language)
            line.addWidget(label(text, TextKind.PATIENT))
            line.addSpacing(12)
            line.addWidget(self.block_button)
            line.addStretch(1)
            row.controls.addLayout(line)
            return row
        me = words.say("who.only", name=words.consent.name(turn.asked_by.name))
        current = "all" if self._choices.grantee == grantee else "one"
        segments = SegmentsRow(
            "user-round", words.say("q_who"), said, [("all", words.say("who.all")), ("one", me)], current
        )
        segments.chosen.connect(lambda key: self._change(grantee=grantee if key == "all" else only(turn.asked_by)))
        segments.controls.addWidget(self.block_button, 0, Qt.AlignmentFlag.AlignLeft)
        return segments

    def _yes_no(self, name: str) -> SegmentsRow:
        words = self._words
        kinds = words.consent.categories(self._turn.asked.ai_categories)
        note = words.say("q_ai_note", categories=kinds) if name == "ai" else ""
        answer = self._choices.ai if name == "ai" else self._choices.training
        current = "" if answer is None else ("yes" if answer else "no")
        question = words.say("q_ai" if name == "ai" else "q_train")
        answers = [("yes", words.say("yes")), ("no", words.say("no"))]
        row = SegmentsRow("chart-scatter" if name == "ai" else "cpu", question, note, answers, current)
        row.chosen.connect(lambda key: self._change(**{name: key == "yes"}))
        return self._add(row)

    def _labels_row(self) -> RadiosRow:
        words = self._words
        offered = [(each.value, words.say(f"labels.{each.value}")) for each in labels_offered(self._turn.asked)]
        row = RadiosRow("lock", words.say("q_labels"), words.say("choose.yours"), offered, self._choices.labels.value)
        row.chosen.connect(lambda key: self._change(labels=Labels(key)))
        return row

    def _emergency_row(self) -> SegmentsRow:
        words = self._words
        answers = [("closed", words.say("emergency.closed")), ("open", words.say("emergency.open"))]
        chosen = self._choices.emergency_opens
        current = "" if chosen is None else ("open" if chosen else "closed")
        row = SegmentsRow("siren", words.say("q_emergency"), "", answers, current)
        row.chosen.connect(lambda key: self._change(emergency_opens=key == "open"))
        return row

    def _change(self, **changes: object) -> None:
        before = self._choices
        self._choices = before.change(**changes)
        if self._choices.labels is not before.labels:
            self.emergency.segments.choose("")
        self.chosen.emit(self._choices)
        self._show()
        self.changed.emit()
        if self._choices.labels is not before.labels and self.emergency.isVisibleTo(self):
            QTimer.singleShot(0, self, lambda: self.column.ensureWidgetVisible(self.emergency))

    def _show(self) -> None:
        """Show notes, and the sentence of the very object that would be signed now."""
        turn, words, choices = self._turn, self._words, self._choices
        try:
            turn.choose(choices)
            self.sentence.show_artefact(turn.artefact())
        except WideningError:
            self.sentence.show_artefact(None)
        asked, open_questions = turn.asked, self._open
        cut = {each.term: each for each in turn.narrowed} if choices.categories else {}
        took_out = "" if "categories" not in cut else narrowing_words(cut["categories"], words.language)
        self.records.say_change(took_out)
        is_cut = choices.made_from != asked.made_from or choices.made_until != asked.made_until
        self.since.say_change(made_text(turn.terms, words) if is_cut and choices.categories else "")
        until = words.consent.moment(turn.end, turn.zone)
        self.days.say_change(words.say("until", moment=until) if choices.days != asked.keep_open_days else "")
        self.who.say_change(narrowing_words(cut["grantee"], words.language) if "grantee" in cut else "")
        self._show_answers(open_questions)
        asks = asks_emergency(asked, choices.labels)
        self.emergency.setVisible(asks)
        self.labels.say_change(narrowing_words(cut["labels"], words.language) if "labels" in cut else "")
        self.emergency.say_open(words.say("choose.unanswered") if Unanswered.EMERGENCY in open_questions else "")

    def _show_answers(self, open_questions: tuple[Unanswered, ...]) -> None:
        words, choices = self._words, self._choices
        readable = bool(choices.categories & self._turn.asked.ai_categories)
        for row, question, answer in (
            (self.ai, Unanswered.AI, choices.ai),
            (self.training, Unanswered.TRAINING, choices.training),
        ):
            if row is None:
                continue
            if question in open_questions:
                row.say_open(words.say("choose.unanswered"))
            elif answer is False or not readable:
                row.say_change(words.say("narrowed.ai_inference" if row is self.ai else "narrowed.ai_training"))
            else:
                row.say(words.say("choose.ai_note"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
