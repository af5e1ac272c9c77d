"""Sheets in which a patient signs: no default button, Esc closes nothing, Enter and Space act where the focus is."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QLineEdit, QWidget

from app.ui.pages.recording import Recording
from app.ui.pages.turn import states
from app.ui.pages.turn.card import CardAndPin, own_trouble
from app.ui.theme import scaled
from app.ui.widgets import Band, Button, ButtonKind, Column, Field, Option, OptionKind, Segment, Segments, Sheet
from app.ui.widgets.text import TextKind, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QKeyEvent

    from app.services.accesses import Who
    from app.ui.pages.turn.words import Words
    from app.ui.pages.workplace import Workplace
    from app.ui.widgets import State


def press_focused(widget: QWidget, event: QKeyEvent) -> bool:
    """Let Enter press the button that has the focus, and no other; return whether it was Enter."""
    if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
        return False
    focused = widget.window().focusWidget()
    if isinstance(focused, QAbstractButton) and focused.isEnabled():
        focused.click()
    return True


class SigningSheet(Sheet):
    """A question, what it needs to know, card and PIN, and two buttons.

    Signals:
        signed: carries card text and PIN; the sheet is busy until ``show_failed`` or ``close``.

    Args:
        over: any widget of the window.
        words: in the patient's language.
        title: of the sheet.
        question: the whole question.
        go: the verb on the button, never "OK".
        sandbox_card: returns her card; a button fills it in.
        card: False where her PIN alone is enough, because she signed in with her card.
    """

    signed = Signal(str, str)

    def __init__(
        self,
        over: QWidget,
        words: Words,
        title: str,
        question: str,
        go: str,
        *,
        sandbox_card: Callable[[], str] | None = None,
        card: bool = True,
    ) -> None:
        super().__init__(over, title, 620, escape_closes=False)
        self._words, self._go, self._is_busy = words, go, False
        self.body.setSpacing(scaled(14))
        self.body.addWidget(label(question, TextKind.PATIENT, wrap=True))
        self.fields = CardAndPin(words, sandbox_card, card=card)
        self.band = Band()
        self.body.addWidget(self.fields)
        self.body.addWidget(self.band)
        self.back_button = Button(words.say("back"), patient=True)
        self.back_button.clicked.connect(self.reject)
        self.go_button = Button(go, kind=ButtonKind.DANGER_OUTLINE, patient=True)
        self.go_button.clicked.connect(self._press)
        self.footer.addWidget(self.back_button)
        self.footer.addStretch(1)
        self.add_button(self.go_button)
        self.fields.changed.connect(self.look)
        self.look()

    @property
    def is_answered(self) -> bool:
        """Whether what the sheet asks besides card and PIN is answered."""
        return True

    def look(self) -> None:
        """Enable what can be pressed now."""
        self.go_button.setEnabled(self.fields.is_complete and self.is_answered and not self._is_busy)
        self.back_button.setEnabled(not self._is_busy)

    def _press(self) -> None:
        card, pin = self.fields.take()
        self.show_busy(busy=True)
        self.band.show_state(None)
        self.fields.show_trouble("")
        self.signed.emit(card, pin)

    def show_busy(self, *, busy: bool) -> None:
        """Lock everything while something is sent, or while its outcome is not known."""
        self._is_busy = busy
        self.fields.setEnabled(not busy)
        self.go_button.set_words(self._words.say("sign.recording") if busy else self._go)
        self.look()

    def show_state(self, state: State | None) -> None:
        """Show what came of it."""
        self.band.show_state(state)

    def show_failed(self, error: Exception) -> None:
        """Say what went wrong, and let her try again."""
        self.show_busy(busy=False)
        trouble = own_trouble(error, self._words)
        self.fields.show_trouble(trouble)
        self.band.show_state(None if trouble else states.failed(error, self._words))

    def done(self, result: int) -> None:
        """Qt's: forget card and PIN with the sheet."""
        self.fields.forget()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: Enter acts only on the focused control."""
        if press_focused(self, event):
            event.accept()
            return
        super().keyPressEvent(event)


class BlockSheet(SigningSheet):
    """Block a person: whom, what holds in an emergency, then the signature. Nothing is chosen at first.

    Args:
        over: any widget of the window.
        words: in the patient's language.
        people: whom she could block.
        sandbox_card, card: as for ``SigningSheet``.
    """

    def __init__(
        self,
        over: QWidget,
        words: Words,
        people: Sequence[Who],
        *,
        sandbox_card: Callable[[], str] | None = None,
        card: bool = True,
    ) -> None:
        self._people: dict[str, Who] = {each.subject: each for each in people}
        self._chosen = ""
        self._answer = ""
        super().__init__(
            over,
            words,
            words.say("block.title"),
            words.say("block.text"),
            words.say("block.go"),
            sandbox_card=sandbox_card,
            card=card,
        )
        self.options: dict[str, Option] = {}
        self._group = QButtonGroup(self)
        self._list = Column(margin=4, spacing=6)
        self._list.setMinimumHeight(scaled(150))
        for each in people:
            option = Option(words.consent.name(each.name), self._caption(each), kind=OptionKind.RADIO, patient=True)
            self._group.addButton(option.button)
            option.toggled.connect(lambda on, subject=each.subject: self._choose(subject) if on else None)
            self.options[each.subject] = option
            self._list.body.addWidget(option)
        if not people:
            self._list.body.addWidget(label(words.say("block.nobody"), TextKind.PATIENT, "text2", wrap=True))
        self._list.body.addStretch(1)
        self.filter = QLineEdit()
        self.filter.setProperty("patient", "true")
        self.filter.setPlaceholderText(words.say("block.find"))
        self.filter.setAccessibleName(words.say("block.find"))
        self.filter.textChanged.connect(self._find)
        self.emergency = Segments(
            (Segment("closed", words.say("emergency.closed")), Segment("open", words.say("emergency.open"))),
            "",
            patient=True,
            accessible=words.say("q_emergency"),
        )
        self.emergency.chosen.connect(self._answer_emergency)
        self.body.insertWidget(1, self.filter)
        self.body.insertWidget(2, self._list, 1)
        self.body.insertWidget(3, Field(words.say("q_emergency"), self.emergency, patient=True))
        self.setMinimumHeight(scaled(620))
        self._order()
        self.look()

    def _order(self) -> None:
        """Go through it as it is read; the PIN comes after the person."""
        choices = [option.button for option in self.options.values()]
        last = [self.fields.card, self.fields.pin] if self.fields.card.parent() else [self.fields.pin]
        order = [self.filter, *choices, self.emergency.button(0), self.emergency.button(1), *last]
        for before, after in pairwise([*order, self.back_button, self.go_button]):
            QWidget.setTabOrder(before, after)
        self.filter.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def _caption(person: Who) -> str:
        return ", ".join(part for part in (person.qualification, person.hospital) if part)

    @property
    def person(self) -> Who:
        """Who is to be blocked.

        Raises:
            KeyError: nobody is chosen.
        """
        return self._people[self._chosen]

    @property
    def emergency_opens(self) -> bool:
        """Whether the block yields in an emergency."""
        return self._answer == "open"

    @property
    def is_answered(self) -> bool:
        """Whether a person is chosen and the emergency is answered."""
        return bool(self._chosen and self._answer)

    def _choose(self, subject: str) -> None:
        self._chosen = subject
        self.look()

    def _answer_emergency(self, key: str) -> None:
        self._answer = key
        self.look()

    def _find(self, text: str) -> None:
        for subject, option in self.options.items():
            option.setVisible(text.strip().lower() in self._people[subject].name.lower())


def recording_for(sheet: SigningSheet, place: Workplace, words: Words) -> Recording:
    """Make what a sheet's entry is sent with; all but success is shown in the sheet."""
    recording = Recording(place, sheet)
    recording.failed.connect(sheet.show_failed)
    recording.unsure.connect(lambda: sheet.show_state(states.unknown(words)))

    def try_again() -> None:
        sheet.show_busy(busy=False)
        sheet.show_state(states.not_recorded(words))

    recording.not_recorded.connect(try_again)
    return recording
