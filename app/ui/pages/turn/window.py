"""The window-filling widget of the patient's turn: which step is shown, and what leads from one to the next.

What she chose lives in ``Choices`` and ``Checking``; the widgets of a step are made anew whenever step, language or
text size change, so nothing of one language or one size is left in another.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from app.services.choices import Choices
from app.ui.pages.recording import Recording
from app.ui.pages.turn import states
from app.ui.pages.turn.asking import ask_refusal, ask_whom
from app.ui.pages.turn.card import own_trouble
from app.ui.pages.turn.check import Check, Checking
from app.ui.pages.turn.choose import Choose
from app.ui.pages.turn.frame import TurnFooter, TurnHeader
from app.ui.pages.turn.identity import Identity
from app.ui.pages.turn.place import Kept, Leaving
from app.ui.pages.turn.read import Read
from app.ui.pages.turn.receipt import Finished, ReceiptStep
from app.ui.pages.turn.sheets import press_focused
from app.ui.pages.turn.sign import Sign
from app.ui.pages.turn.words import words
from app.ui.theme import apply, look
from app.ui.widgets import StepBar

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QKeyEvent

    from app.services.accesses import Who
    from app.services.receipts import Receipt
    from app.services.turn import Turn
    from app.ui.pages.turn.place import TurnPlace
    from app.ui.pages.turn.step import Step
    from app.ui.pages.turn.words import Words


class At(StrEnum):
    """Where the turn stands."""

    IDENTITY = "identity"
    READ = "read"
    CHOOSE = "choose"
    CHECK = "check"
    SIGN = "sign"
    RECEIPT = "receipt"
    REFUSED = "refused"


_BAR: Final = (At.READ, At.CHOOSE, At.CHECK, At.SIGN, At.RECEIPT)
_LARGER: Final = 1.3
_LARGEST: Final = 1.6


class ConsentTurn(QFrame):
    """One request being decided; shown with ``MainWindow.show_alone``.

    Args:
        where: what wiring gives.
        turn: already started, when she signed in herself; None begins with card and PIN.
        kept: what a lock left of the same turn.

    Signals:
        left: how it ended (a ``Leaving``); card and PIN are forgotten before it is emitted, and the look is again what
            it was. The keys are the owner's to lock.
        unlocked: carries the ``Turn`` once card and PIN opened it.
    """

    left = Signal(str)
    unlocked = Signal(object)

    def __init__(self, where: TurnPlace, turn: Turn | None = None, kept: Kept | None = None) -> None:
        super().__init__()
        self.setProperty("surface", "window")
        self._where, self._turn, self._kept = where, turn, kept
        self._look = look()
        self._language = kept.language if kept else where.language
        self._choices: Choices | None = None
        self._checking: Checking | None = None
        self._receipt: Receipt | None = None
        self._has_read = self._is_over = self._has_chosen_language = False
        self._signing = Recording(where.place, self)
        self._signing.recorded.connect(self._recorded)
        self._signing.failed.connect(self._sign_failed)
        self._signing.unsure.connect(self._sign_unsure)
        self._signing.not_recorded.connect(self._sign_not_recorded)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._parts: list[QWidget] = []
        self.at = At.IDENTITY
        if turn is None:
            self._go(At.IDENTITY)
        else:
            self._begin(turn)

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self._step

    @property
    def _words(self) -> Words:
        return words(self._language, smaller=self._is_narrowing)

    @property
    def _is_narrowing(self) -> bool:
        """Whether a consent of hers is made smaller; there is then nothing to refuse."""
        return self._turn is not None and bool(self._turn.replaces)

    def kept(self) -> Kept | None:
        """Return what a lock may keep; None if nothing was chosen, or it is over."""
        if self._choices is None or self._is_over:
            return None
        return Kept(self._choices, self._language)

    # one step after the other

    def _go(self, at: At) -> None:
        self.at = at
        self._build()
        first = self._step.first_control()
        (first or self).setFocus(Qt.FocusReason.OtherFocusReason)

    def _build(self) -> None:
        """Make header, bar, step and footer anew."""
        if self._where.speech is not None:
            self._where.speech.stop()
        for part in self._parts:
            self._layout.removeWidget(part)
            part.hide()
            part.deleteLater()
        self.header, self.footer = TurnHeader(self._where, self._words), TurnFooter(self._words)
        self.bar = StepBar(tuple(self._words.say(f"step.{at.value}") for at in _BAR), self._bar_place())
        self._step = self._make_step()
        self._parts = [self.header, self.bar, self._step, self.footer]
        for part in self._parts:
            self._layout.addWidget(part, 1 if part is self._step else 0)
            part.setVisible(part is not self.bar or self.at in _BAR)  # at once, so that it can get the focus
        self._connect()
        self._look_at_step()

    def _bar_place(self) -> int:
        return _BAR.index(self.at) if self.at in _BAR else 0

    def _make_step(self) -> Step:
        makers = {
            At.IDENTITY: lambda: Identity(self._words, self._where.sandbox_card),
            At.READ: self._make_read,
            At.CHOOSE: self._make_choose,
            At.CHECK: self._make_check,
            At.SIGN: self._make_sign,
            At.RECEIPT: self._make_receipt,
            At.REFUSED: self._make_refused,
        }
        return makers[self.at]()

    def _make_read(self) -> Step:
        return Read(self._started, self._words, seen=self._has_read)

    def _make_choose(self) -> Step:
        made = Choose(self._started, self._chosen, self._words)
        made.chosen.connect(self._choose)
        made.block_wanted.connect(self._ask_whom)
        return made

    def _make_check(self) -> Step:
        if self._checking is None:
            self._checking = Checking.of(self._started.fix(), self._where.shuffle)
        made = Check(self._checking, self._words)
        made.talk_wanted.connect(lambda: self.footer.later_button.setFocus(Qt.FocusReason.OtherFocusReason))
        return made

    def _make_sign(self) -> Step:
        made = Sign(self._started.fix(), self._words, self._where.sandbox_card)
        made.sign_wanted.connect(self._sign)
        return made

    def _make_receipt(self) -> Step:
        turn, receipt = self._started, self._receipt
        if receipt is None:
            made = Finished(self._words, self._words.say("done"), self._words.say("receipt.missing"))
        else:
            made = ReceiptStep(receipt, self._words, turn.zone, self._where, lambda: turn.mail(receipt))
        made.finished.connect(lambda: self.leave(Leaving.SIGNED))
        return made

    def _make_refused(self) -> Step:
        made = Finished(self._words, self._words.say("refused.title"), self._words.say("refused.text"))
        made.finished.connect(lambda: self.leave(Leaving.REFUSED))
        return made

    @property
    def _started(self) -> Turn:
        if self._turn is None:
            raise TypeError(self.at)
        return self._turn

    @property
    def _chosen(self) -> Choices:
        if self._choices is None:
            raise TypeError(self.at)
        return self._choices

    def _connect(self) -> None:
        self.header.read_aloud.connect(self._read_aloud)
        self.header.larger.connect(self._larger)
        self.header.larger_button.setChecked(look().text_scale > self._look.text_scale)
        self.header.language_chosen.connect(self._change_language)
        self.header.given_back.connect(lambda: self.leave(Leaving.GIVEN_BACK))
        self.footer.refused.connect(self._ask_refusal)
        self.footer.later.connect(lambda: self.leave(Leaving.LATER))
        self.footer.back.connect(self._back)
        self.footer.next.connect(self._next)
        self._step.changed.connect(self._look_at_step)
        self._step.back_wanted.connect(self._back)

    def _look_at_step(self) -> None:
        footer, step = self.footer, self._step
        is_done = self.at in (At.RECEIPT, At.REFUSED)
        if self.at is At.READ and step.is_ready:
            self._has_read = True
        footer.setVisible(not is_done)
        self.header.give_back_button.setVisible(self._where.handed_over and not is_done)
        footer.refuse_button.setVisible(self.at is not At.IDENTITY and not self._is_narrowing)
        footer.back_button.setVisible(self.at in (At.CHOOSE, At.CHECK, At.SIGN))
        footer.next_button.setVisible(self.at is not At.SIGN)
        following = {At.CHOOSE: "next_check", At.CHECK: "next_sign", At.IDENTITY: "identity.go"}
        footer.next_button.set_words(self._words.say(following.get(self.at, "next")))
        footer.next_button.setEnabled(step.is_ready and not self._signing.is_open)
        footer.show_gap(step.gap if self.at is not At.SIGN else "")
        for button in (footer.refuse_button, footer.back_button):
            button.setEnabled(not self._signing.is_open)

    def _next(self) -> None:
        if not self._step.is_ready:
            return
        if self.at is At.IDENTITY:
            self._unlock()
            return
        self._go(_BAR[_BAR.index(self.at) + 1])

    def _back(self) -> None:
        if self.at in (At.CHOOSE, At.CHECK, At.SIGN) and not self._signing.is_open:
            self._go(At.CHOOSE if self.at is At.CHECK else _BAR[_BAR.index(self.at) - 1])

    # identity

    def _unlock(self) -> None:
        step = self._step
        if not isinstance(step, Identity):
            return
        card, pin = step.fields.take()
        step.fields.setEnabled(False)
        self.footer.next_button.set_words(self._words.say("checking"))
        unlock = self._where.unlock
        self._where.place.background.run(step, lambda: unlock(card, pin), self._open, self._unlock_failed)

    def _open(self, turn: Turn) -> None:
        if isinstance(self._step, Identity):
            self._step.fields.forget()
        self.unlocked.emit(turn)
        if not self._kept and not self._has_chosen_language:
            self._language = turn.language  # her hospital knows which one she reads
        self._begin(turn)

    def _begin(self, turn: Turn) -> None:
        self._turn = turn
        turn.read(self._language)
        self._choices = self._kept.choices if self._kept else Choices.asked(turn.asked)
        self._has_read = self._kept is not None
        turn.choose(self._choices)
        self._go(At.CHOOSE if self._kept else At.READ)

    def _unlock_failed(self, error: Exception) -> None:
        step = self._step
        if isinstance(step, Identity):
            step.fields.setEnabled(True)
            trouble = own_trouble(error, self._words) or states.failed(error, self._words).text
            step.fields.show_trouble(trouble)
        self._look_at_step()

    # choices

    def _choose(self, choices: Choices) -> None:
        self._choices, self._checking = choices, None

    def _ask_whom(self) -> None:
        turn = self._started
        self._where.place.background.run(self._step, turn.people, self._show_people, self._people_failed)

    def _people_failed(self, _error: Exception) -> None:
        self._show_people(())

    def _show_people(self, people: tuple[Who, ...]) -> None:
        ask_whom(self, people, self._started, self._where, self._words, self._blocked)

    def _blocked(self, name: str) -> None:
        if isinstance(self._step, Choose):
            self._step.who.say_change(self._words.say("block.done", name=name))

    # signature and refusal

    def _sign(self) -> None:
        step, turn = self._step, self._started
        if not isinstance(step, Sign) or self._signing.is_open:
            return
        card, pin = step.fields.take()
        step.show_busy(busy=True)
        step.show_state(None)
        step.fields.show_trouble("")
        self._signing.start(lambda: turn.sign(card, pin), turn.receipt)
        self._look_at_step()

    def _recorded(self, receipt: Receipt) -> None:
        self._receipt, self._is_over = receipt, True
        if isinstance(self._step, Sign):
            self._step.fields.forget()
        self._go(At.RECEIPT)

    def _sign_failed(self, error: Exception) -> None:
        step = self._step
        if isinstance(step, Sign):
            step.show_busy(busy=False)
            trouble = own_trouble(error, self._words)
            step.fields.show_trouble(trouble)
            step.show_state(None if trouble else states.failed(error, self._words))
        self._look_at_step()

    def _sign_unsure(self) -> None:
        if isinstance(self._step, Sign):
            self._step.show_state(states.unknown(self._words))
        self._look_at_step()

    def _sign_not_recorded(self) -> None:
        if isinstance(self._step, Sign):
            self._step.show_busy(busy=False)
            self._step.show_state(states.not_recorded(self._words))
        self._look_at_step()

    def _ask_refusal(self) -> None:
        ask_refusal(self, self._started, self._where, self._words, self._refused)

    def _refused(self) -> None:
        self._is_over = True
        self._go(At.REFUSED)

    # what works in every step

    def _read_aloud(self) -> None:
        speech = self._where.speech
        if speech is None:
            return
        if speech.is_speaking:
            speech.stop()
        else:
            speech.say(self._step.speech, self._language)

    def _larger(self) -> None:
        is_larger = look().text_scale > self._look.text_scale
        larger = max(self._look.text_scale, min(self._look.text_scale * _LARGER, _LARGEST))
        self._set_scale(self._look.text_scale if is_larger else larger)
        self._build()
        self.header.larger_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def _set_scale(scale: float) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication) and look().text_scale != scale:
            apply(application, replace(look(), text_scale=scale))

    def _change_language(self, language: str) -> None:
        if language == self._language or self._signing.is_open:
            return
        self._language, self._checking = language, None
        self._has_chosen_language = True
        if self._turn is not None and not self._is_over:
            self._turn.read(language)
        self._build()
        self.header.language.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self, leaving: Leaving) -> None:
        """End the turn: forget what was typed, be silent, give back the look, then tell."""
        self._is_over = True
        self._signing.stop()
        if self._where.speech is not None:
            self._where.speech.stop()
        if isinstance(self._step, Identity | Sign):
            self._step.fields.forget()
        if isinstance(self._step, Finished):
            self._step.stop()
        self._set_scale(self._look.text_scale)
        self.left.emit(leaving.value)

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt's: replaced by the lock or by another person's window, so nothing of hers stays."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._signing.stop()
            if self._where.speech is not None:
                self._where.speech.stop()
            self._set_scale(self._look.text_scale)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's: Enter acts only on the focused control, Esc does nothing."""
        if press_focused(self, event) or event.key() == Qt.Key.Key_Escape:
            event.accept()
            return
        super().keyPressEvent(event)
