"""States on a page: an inline band, a centred view, and the bar of work that takes a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.ui.theme import scaled, timing
from app.ui.widgets.buttons import Button
from app.ui.widgets.panes import centred, empty_layout
from app.ui.widgets.states import Action, State, loading
from app.ui.widgets.text import IconLabel, TextKind, label, set_tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent


def _action_button(action: Action, press: Callable[[str], None], *, small: bool) -> Button:
    button = Button(action.text, kind=action.kind, icon_name=action.icon_name, key_hint=action.key_hint, small=small)
    button.setObjectName(f"action-{action.key}")
    button.clicked.connect(lambda: press(action.key))
    button.setDefault(action.is_default)
    return button


class Band(QFrame):
    """One state as a band across a page or a form. ``acted`` carries the key of the action pressed.

    Args:
        state: what to show; None hides the band.
        flush: without round corners, from edge to edge (the offline band under the header).
    """

    acted = Signal(str)

    def __init__(self, state: State | None = None, *, flush: bool = False) -> None:
        super().__init__()
        self._flush = flush
        self._icon = IconLabel("", size=18)
        self._heading = label("", TextKind.STRONG, wrap=True)
        self._text = label("", wrap=True)
        self._note = label("", TextKind.CAPTION)
        words = QVBoxLayout()
        words.setSpacing(2)
        for part in (self._heading, self._text, self._note):
            words.addWidget(part)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(scaled(8))
        layout = QHBoxLayout(self)
        margin = 16 if flush else 12
        layout.setContentsMargins(margin, scaled(8), margin, scaled(8))
        layout.setSpacing(scaled(12))
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addLayout(self._actions)
        self._state: State | None = None
        self.show_state(state)

    @property
    def state(self) -> State | None:
        """What is shown; None while hidden."""
        return self._state

    def show_state(self, state: State | None) -> None:
        """Show another state, or hide with None. A screen reader hears the new sentence."""
        if state == self._state and state is not None:
            return
        self._state = state
        self.setVisible(state is not None)
        if state is None:
            return
        self.setProperty("band", state.role)
        if self._flush:
            self.setProperty("flush", "true")
        self.style().unpolish(self)
        self.style().polish(self)
        on_colour = "on_emergency" if state.role == "emergency" else f"{state.role}_fg"
        self._icon.show_icon(state.icon_name, "text2" if state.role == "muted" else on_colour)
        self._icon.setVisible(bool(state.icon_name))
        tone = {"muted": "text", "emergency": "on-emergency"}.get(state.role, state.role)
        for part, words in ((self._heading, state.heading), (self._text, state.text), (self._note, state.note)):
            part.setText(words)
            part.setVisible(bool(words))
            set_tone(part, tone)
        empty_layout(self._actions)
        for action in state.actions:
            self._actions.addWidget(_action_button(action, self.acted.emit, small=True))
        self.setAccessibleName(state.sentence)


class StateView(QWidget):
    """One state in the middle of an otherwise empty pane. ``acted`` carries the key of the action pressed."""

    acted = Signal(str)

    def __init__(self, state: State | None = None) -> None:
        super().__init__()
        self._icon = IconLabel("", size=28)
        self._heading = label("", TextKind.SECTION)
        self._text = label("", tone="text2", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._text.setFixedWidth(scaled(340))
        self._note = label("", TextKind.CAPTION)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(scaled(8))
        self._actions.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        for part in (self._icon, self._heading, self._text):
            layout.addLayout(centred(part))
        layout.addSpacing(scaled(8))
        layout.addLayout(self._actions)
        layout.addWidget(self._note, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self._state: State | None = None
        if state is not None:
            self.show_state(state)

    def minimumSizeHint(self) -> QSize:
        """Qt's: in a narrow pane the text wraps earlier, it is never cut."""
        return QSize(scaled(120), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self._text.setFixedWidth(max(1, min(scaled(340), self.width() - scaled(24))))

    @property
    def state(self) -> State | None:
        """What is shown."""
        return self._state

    def show_state(self, state: State) -> None:
        """Show another state."""
        if state == self._state:
            return
        self._state = state
        colours = {"muted": "muted", "emergency": "emergency"}
        self._icon.show_icon(state.icon_name, colours.get(state.role, f"{state.role}_fg"))
        self._icon.setVisible(bool(state.icon_name))
        heading = state.heading.rstrip(".") if state.text else state.heading
        for part, words in ((self._heading, heading), (self._text, state.text), (self._note, state.note)):
            part.setText(words)
            part.setVisible(bool(words))
        empty_layout(self._actions)
        for action in state.actions:
            self._actions.addWidget(_action_button(action, self.acted.emit, small=False))
        self.setAccessibleName(state.sentence)


class LoadingView(QWidget):
    """Work on its way: nothing for 250 ms, then what and how much, after 2 s Cancel. ``cancelled`` when it is pressed.

    Cancelling stops the work, not the entry that is already recorded: the page then shows ``states.stopped()``.
    """

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._heading = label("", TextKind.SECTION)
        self._detail = label("", tone="text2")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(scaled(280))
        self.cancel_button = Button("Cancel", key_hint="Esc")
        self.cancel_button.clicked.connect(self.cancelled)
        self._note = label("", TextKind.CAPTION)
        layout = QVBoxLayout(self)
        layout.setSpacing(scaled(8))
        layout.addStretch(2)
        self._parts = (self._heading, self._detail, self.bar, self.cancel_button, self._note)
        for part in self._parts:
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
            keeps = part.sizePolicy()
            keeps.setRetainSizeWhenHidden(True)
            part.setSizePolicy(keeps)
        layout.addStretch(3)
        self._appear = QTimer(self, singleShot=True, interval=timing("show_progress_after_ms"))
        self._appear.timeout.connect(self._show_bar)
        self._offer = QTimer(self, singleShot=True, interval=timing("show_cancel_after_ms"))
        self._offer.timeout.connect(self.cancel_button.show)
        self._hide_parts()

    def start(self, what: str, recorded: str = "") -> None:
        """Begin: ``what`` is "Opening CT chest", ``recorded`` says that the entry already stands."""
        self._hide_parts()
        self.report(0, 0, loading(what, "", recorded))
        self._appear.start()
        self._offer.start()

    def report(self, done: int, total: int, state: State | str) -> None:
        """Say how far it is; ``total`` 0 means that nobody knows. A bare text replaces the detail only."""
        if isinstance(state, State):
            self._heading.setText(state.heading)
            self._note.setText(state.note)
        self._detail.setText(state.text if isinstance(state, State) else state)
        self.bar.setMaximum(total)
        self.bar.setValue(done)
        self.bar.setAccessibleName(f"{self._heading.text()}. {self._detail.text()}")

    def show_recorded(self, text: str) -> None:
        """Say that the entry stands: "The opening is already recorded, 14:33:02."."""
        self._note.setText(text)

    def stop(self) -> None:
        """End; the timers stop with it."""
        self._appear.stop()
        self._offer.stop()
        self._hide_parts()

    def _hide_parts(self) -> None:
        for part in self._parts:
            part.hide()

    def _show_bar(self) -> None:
        for part in self._parts:
            part.setVisible(part is not self.cancel_button)
