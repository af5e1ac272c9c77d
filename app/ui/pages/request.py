"""Ask for access (SCREENS.md d): the form, checked where it stands, beside what the patient will read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.consent.terms import Category
from app.services.requests import Gap
from app.services.submission import UnsettledError
from app.ui.outcomes import Settling, state_of
from app.ui.pages.request_form import RequestFields
from app.ui.pages.request_preview import RequestPreview
from app.ui.theme import scaled
from app.ui.widgets import Band, Button, ButtonKind, Column, Note, State, TextKind, label, link_label, surface
from app.ui.wording import iso_day_text, moment_text

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from app.services.drafts import Draft, KeptDraft
    from app.services.notebook import PatientRef
    from app.services.patients import Patients
    from app.ui.pages.workplace import Workplace
    from ledger.gateway import Commit

_DELAY: Final = 150
_KEEP_AFTER: Final = 800
"""Milliseconds after the last change until a draft is on disk; leaving and locking do not wait for it."""
_RESTORED: Final = "Your draft of {at} is back. It stays on this machine, sealed, until you send or discard it."
_WIDEST: Final = 1432
_NARROW: Final = 1000
"""Form 720, preview 640 and their margins; wider windows centre them."""


class Asking(Protocol):
    """What the form needs of ``app.services.requests.Requests``."""

    @property
    def patients(self) -> Patients:
        """Whom he may ask, and what he began to ask."""

    def gaps(self, draft: Draft) -> tuple[Gap, ...]:
        """Return what is still missing."""

    def preview(self, draft: Draft, language: str) -> tuple[str, ...]:
        """Return what the patient will read."""

    def send(self, draft: Draft) -> str:
        """Ask the patient."""


class RequestForm(QWidget):
    """One request to one patient.

    Args:
        requests: checks, previews, sends.
        place: clock, zone, and the door off the GUI thread.

    Signals:
        sent: patient id, consent id (empty if its outcome was unknown for a while), and whether to hand over now.
        discarded: the form was left without sending.
        other_wanted: another patient is to be chosen.
    """

    sent = Signal(str, str, bool)
    discarded = Signal()
    other_wanted = Signal()

    def __init__(self, requests: Asking, place: Workplace) -> None:
        super().__init__()
        self._requests, self._place = requests, place
        self._patient: PatientRef | None = None
        self._blank: Draft | None = None
        self._hand_over = self._is_sending = False
        self._asked = 0
        self.fields = RequestFields(place)
        self.preview = RequestPreview()
        self._settling = Settling(place.settle, place.background, place.clock, place.zone, self)
        self._settling.told.connect(self._tell)
        self._settling.settled.connect(self._settled)
        self._later = QTimer(self, singleShot=True, interval=_DELAY)
        self._later.timeout.connect(self._preview)
        self._keep_soon = QTimer(self, singleShot=True, interval=_KEEP_AFTER)
        self._keep_soon.timeout.connect(self.keep)
        self._make_layout()
        self.fields.changed.connect(self._change)
        self.preview.language_chosen.connect(lambda _language: self._preview())
        send = QShortcut(QKeySequence("Ctrl+Return"), self)
        send.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        send.activated.connect(partial(self.send, hand_over=False))

    def _make_layout(self) -> None:
        self._title = label("", TextKind.TITLE)
        self._about = label("", tone="text2")
        self._other = link_label("Another patient", "other")
        self._other.linkActivated.connect(lambda _key: self.other_wanted.emit())
        second = QHBoxLayout()
        second.setSpacing(scaled(6))
        for part in (self._about, label("·", tone="text2"), self._other):
            second.addWidget(part)
        second.addStretch(1)
        self.band = Band()
        self.band.acted.connect(self._act)
        head = QVBoxLayout()
        head.setContentsMargins(scaled(24), scaled(16), scaled(24), scaled(12))
        head.setSpacing(0)
        head.addWidget(self._title)
        head.addLayout(second)
        head.addWidget(self.band)
        left = Column(0, 0)
        left.body.setContentsMargins(scaled(24), 0, scaled(12), scaled(16))
        left.body.addWidget(self.fields)
        left.body.addStretch(1)
        self._right = QWidget()
        right = QVBoxLayout(self._right)
        right.setContentsMargins(scaled(12), 0, scaled(24), scaled(16))
        right.setSpacing(scaled(8))
        right.addWidget(self.preview, 1)
        right.addWidget(Note("info", "You will see which records exist only after the patient allows it."))
        self._left = left
        self._both = both = QHBoxLayout()
        both.setSpacing(0)
        both.addWidget(left, 720)
        both.addWidget(self._right, 596)
        content = QWidget()
        content.setMaximumWidth(scaled(_WIDEST))
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addLayout(head)
        inside.addLayout(both, 1)
        self._is_stacked = False
        centre = QHBoxLayout()
        centre.addWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(centre, 1)
        layout.addWidget(self._make_footer())

    def _make_footer(self) -> QWidget:
        footer = surface("footer")
        row = QHBoxLayout(footer)
        row.setContentsMargins(scaled(24), scaled(14), scaled(24), scaled(14))
        row.setSpacing(scaled(8))
        row.addWidget(label("The patient is told at once. You are told when it is decided.", TextKind.CAPTION), 1)
        self.discard_button = Button("Discard")
        self.discard_button.clicked.connect(self._discard)
        self.hand_over_button = Button("Hand over to the patient now", icon_name="hand-helping")
        self.hand_over_button.clicked.connect(lambda: self.send(hand_over=True))
        self.send_button = Button("Send request", kind=ButtonKind.PRIMARY, icon_name="send", key_hint="Ctrl ↵")
        self.send_button.clicked.connect(lambda: self.send(hand_over=False))
        for button in (self.discard_button, self.hand_over_button, self.send_button):
            row.addWidget(button)
        return footer

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's: with little room the preview stands below the form, and both scroll."""
        super().resizeEvent(event)
        stacked = self.width() < scaled(_NARROW)
        if stacked == self._is_stacked:
            return
        self._is_stacked = stacked
        self.preview.setMinimumHeight(scaled(360) if stacked else 0)
        if stacked:
            self._both.removeWidget(self._right)
            self._left.body.insertWidget(1, self._right)
        else:
            self._left.body.removeWidget(self._right)
            self._both.addWidget(self._right, 596)

    @property
    def patient(self) -> PatientRef | None:
        """Who is asked."""
        return self._patient

    def start(self, patient: PatientRef, category: str = "", kept: KeptDraft | None = None) -> None:
        """Begin a request to a patient, or go on with a draft.

        Args:
            patient: who is asked.
            category: a kind of record that is ticked already because the person asked for it.
            kept: what was begun before.
        """
        self._blank = None
        self._settling.stop()
        self._is_sending = False
        self._patient = patient
        self._title.setText(f"Ask {patient.name} for access")
        self._about.setText(f"{iso_day_text(patient.birth_date)} · {self._place.hospital(patient.custodian)}")
        self.preview.show_patient(patient.name)
        self.band.show_state(None)
        self.fields.clear(category)
        blank = self._draft()
        if kept is not None:
            self._show_kept(kept)
        self._blank = blank
        if kept is not None and category:
            self.fields.category_options[Category(category)].set_checked(True)
        self._enable()
        self._preview()

    def _show_kept(self, kept: KeptDraft) -> None:
        self.fields.show_draft(kept.draft)
        text = _RESTORED.format(at=moment_text(kept.at, zone=self._place.zone))
        self.band.show_state(State("info", "file-clock", "", text))

    def blank(self) -> None:
        """Forget patient and form (lock, sign-out)."""
        self._settling.stop()
        self._later.stop()
        self._keep_soon.stop()
        self._patient = self._blank = None
        self._title.clear()
        self._about.clear()
        self.fields.clear("")
        self.preview.show_patient("")
        self.preview.show_sentences((), "")

    def _draft(self) -> Draft | None:
        return None if self._patient is None else self.fields.draft(self._patient.patient_id)

    def _change(self) -> None:
        self.fields.show_gaps(())
        self._later.start()
        self._note()

    def _note(self) -> None:
        """Remember what the form says at once; a form that says nothing of one's own is no draft."""
        draft, blank = self._draft(), self._blank
        if draft is None or blank is None:
            return
        if draft == blank:
            self._requests.patients.drafts.discard(draft.patient_id)
        else:
            self._requests.patients.drafts.note(draft)
        self._keep_soon.start()

    def keep(self) -> None:
        """Write what was noted, off the GUI thread."""
        self._keep_soon.stop()
        drafts = self._requests.patients.drafts
        self._place.background.run(self, drafts.flush, lambda _: None, lambda error: self._tell(state_of(error)))

    def _discard(self) -> None:
        self._forget_draft()
        self.discarded.emit()

    def _forget_draft(self) -> None:
        if self._patient is not None:
            self._requests.patients.drafts.discard(self._patient.patient_id)
            self.keep()

    def _preview(self) -> None:
        draft = self._draft()
        if draft is None:
            return
        if not draft.categories or Gap.DATES_CROSSED in self._requests.gaps(draft):
            self.preview.show_sentences((), draft.reason)
            return
        self._asked += 1
        number, language = self._asked, self.preview.language

        def show(sentences: tuple[str, ...]) -> None:
            if number == self._asked:
                self.preview.show_sentences(sentences, draft.reason)

        self._place.background.run(self, lambda: self._requests.preview(draft, language), show, lambda _error: show(()))

    def send(self, *, hand_over: bool) -> None:
        """Send the request if nothing is missing; otherwise go to the first gap."""
        draft = self._draft()
        if draft is None or self._is_sending or self._settling.is_open:
            return
        gaps = self._requests.gaps(draft)
        self.fields.show_gaps(gaps)
        if gaps:
            return
        self._hand_over, self._is_sending = hand_over, True
        self._enable()
        self.send_button.set_words("Recording…")
        self._place.background.run(self, lambda: self._requests.send(draft), self._done, self._failed)

    def _enable(self) -> None:
        busy = self._is_sending or self._settling.is_open
        for button in (self.send_button, self.hand_over_button, self.discard_button):
            button.setEnabled(not busy)
        self.fields.setEnabled(not busy)
        self._other.setEnabled(not busy)
        if not busy:
            self.send_button.set_words("Send request")

    def _done(self, consent_id: str) -> None:
        self._is_sending = False
        self._enable()
        self._forget_draft()
        if self._patient is not None:
            self.sent.emit(self._patient.patient_id, consent_id, self._hand_over)

    def _failed(self, error: Exception) -> None:
        self._is_sending = False
        if isinstance(error, UnsettledError):
            self._settling.begin(error)
        else:
            self._tell(state_of(error))
        self._enable()

    def _tell(self, state: State) -> None:
        self.band.show_state(state)

    def _settled(self, commit: Commit | None) -> None:
        self._enable()
        if commit is not None:
            self._forget_draft()
        if commit is not None and self._patient is not None:
            self.sent.emit(self._patient.patient_id, "", self._hand_over)

    def _act(self, key: str) -> None:
        if key == "background":
            self.discarded.emit()
        elif key in {"again", "look"}:
            self.band.show_state(None)
            self.send_button.setFocus(Qt.FocusReason.OtherFocusReason)
