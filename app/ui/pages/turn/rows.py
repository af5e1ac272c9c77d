"""The rows of step 2: a question, what was asked, and a control that offers the asked value or less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QDateEdit, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme import scaled
from app.ui.widgets import IconLabel, Note, Option, OptionKind, Segment, Segments, TextKind, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.ui.pages.turn.words import Words


class TermRow(QWidget):
    """One term: icon, question and what was asked at the left, the control and a note at the right."""

    def __init__(self, icon_name: str, question: str, asked: str) -> None:
        super().__init__()
        left = QVBoxLayout()
        left.setSpacing(0)
        self.question = label(question, TextKind.PATIENT_STRONG, wrap=True)
        left.addWidget(self.question)
        left.addWidget(label(asked, TextKind.PATIENT_CAPTION, wrap=True))
        left.addStretch(1)
        self.controls = QVBoxLayout()
        self.controls.setSpacing(scaled(6))
        self.note = Note("pencil-line", "", "ok", TextKind.PATIENT_CAPTION)
        self.note.hide()
        right = QVBoxLayout()
        right.setSpacing(scaled(6))
        right.addLayout(self.controls)
        right.addWidget(self.note)
        right.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(scaled(18), scaled(12), scaled(14), scaled(12))
        row.setSpacing(scaled(14))
        row.addWidget(IconLabel(icon_name, "accent", 22), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(left, 26)
        row.addLayout(right, 60)

    def say_change(self, text: str) -> None:
        """Say what was narrowed; empty says nothing."""
        self.note.show_note("pencil-line", text, "ok")

    def say_open(self, text: str) -> None:
        """Say that an answer is missing; empty says nothing."""
        self.note.show_note("circle-alert", text, "wait")

    def say(self, text: str) -> None:
        """Say something quiet."""
        self.note.show_note("info", text, "muted")


class BoxesRow(TermRow):
    """Several of several: all that was asked is ticked at first. ``chosen`` carries the ticked keys."""

    chosen = Signal(object)

    def __init__(self, question: str, asked: str, boxes: Sequence[tuple[str, str]], ticked: frozenset[str]) -> None:
        super().__init__("files", question, asked)
        grid = QGridLayout()
        grid.setSpacing(scaled(2))
        self.boxes: dict[str, Option] = {}
        for place, (key, text) in enumerate(boxes):
            box = Option(text, boxed=False, patient=True)
            box.set_checked(key in ticked)
            box.toggled.connect(lambda _on: self._tell())
            grid.addWidget(box, place // 2, place % 2)
            grid.setColumnStretch(place % 2, 1)
            self.boxes[key] = box
        self.controls.addLayout(grid)

    def _tell(self) -> None:
        self.chosen.emit(frozenset(key for key, box in self.boxes.items() if box.is_checked))


class SegmentsRow(TermRow):
    """One of several, side by side. ``chosen`` carries the key.

    Args:
        icon_name: of the term.
        question: of the term.
        asked: what was asked, a caption.
        segments: keys and words.
        current: the chosen key; "" leaves none chosen (Yes and No).
    """

    chosen = Signal(str)

    def __init__(
        self, icon_name: str, question: str, asked: str, segments: Sequence[tuple[str, str]], current: str
    ) -> None:
        super().__init__(icon_name, question, asked)
        made = tuple(Segment(key, text) for key, text in segments)
        self.segments = Segments(made, current, patient=True, accessible=question)
        self.controls.addWidget(self.segments, 0, Qt.AlignmentFlag.AlignLeft)
        self.segments.chosen.connect(self.chosen)


class RadiosRow(TermRow):
    """One of several with longer words, one below the other. ``chosen`` carries the key."""

    chosen = Signal(str)

    def __init__(
        self, icon_name: str, question: str, asked: str, answers: Sequence[tuple[str, str]], current: str
    ) -> None:
        super().__init__(icon_name, question, asked)
        self.options: dict[str, Option] = {}
        group = QButtonGroup(self)
        for key, text in answers:
            option = Option(text, kind=OptionKind.RADIO, boxed=False, patient=True)
            option.set_checked(key == current)
            group.addButton(option.button)
            option.toggled.connect(lambda on, key=key: self.chosen.emit(key) if on else None)
            self.controls.addWidget(option)
            self.options[key] = option


class DatesEdit(QWidget):
    """Two days within what was asked. ``changed`` carries both as ISO days.

    Args:
        words: in the patient's language.
        limits: first and last ISO day that may be chosen.
        shown: the two ISO days at first.
    """

    changed = Signal(str, str)

    def __init__(self, words: Words, limits: tuple[str, str], shown: tuple[str, str]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(scaled(8))
        low, high = (QDate.fromString(day, Qt.DateFormat.ISODate) for day in limits)
        self.edits: list[QDateEdit] = []
        for key, day in zip(("since.from", "since.until"), shown, strict=True):
            edit = QDateEdit(QDate.fromString(day, Qt.DateFormat.ISODate))
            edit.setDateRange(low, high)
            edit.setCalendarPopup(True)
            edit.setDisplayFormat("d MMM yyyy")
            edit.setMinimumHeight(scaled(44))
            edit.setAccessibleName(words.say(key))
            edit.dateChanged.connect(self._tell)
            row.addWidget(label(words.say(key), TextKind.PATIENT))
            row.addWidget(edit)
            self.edits.append(edit)
        row.addStretch(1)

    def _tell(self) -> None:
        first, last = (edit.date() for edit in self.edits)
        if first > last:
            other = self.edits[1] if self.sender() is self.edits[0] else self.edits[0]
            other.setDate(first if other is self.edits[1] else last)
            return
        self.changed.emit(first.toString(Qt.DateFormat.ISODate), last.toString(Qt.DateFormat.ISODate))
