"""The patient's turn at this screen: her own, or handed over by a member of staff whose keys are gone before it begins.

A lock in the middle keeps what she chose, never a key (SCREENS.md m); her PIN goes on, the clinician's ends it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFrame

from app.services import pairs
from app.services.consents import ConsentState
from app.services.notebook import PatientRef
from app.services.turn import Turn, start_turn
from app.ui.lock import LockFacts
from app.ui.pages.turn.place import Kept, Leaving, TurnPlace
from app.ui.pages.turn.speech import Speech
from app.ui.pages.turn.window import ConsentTurn
from app.ui.pages.workplace import Workplace
from app.wiring.desks import StaffDesk, zone_text
from app.wiring.desks import sign_in as sign_in_staff
from app.wiring.telling import refusal_text

if TYPE_CHECKING:
    from app.wiring.desktop import Desktop

_OVER = "The patient's turn is over"


@dataclass
class HandedOver:
    """A screen that a member of staff gave to a patient.

    Attributes:
        staff: his desk, locked.
        patient: whose turn it is.
        consent_id: what she decides.
        place: of the turn.
        turn: once card and PIN opened it.
        card_text: of her card, for as long as the turn lasts.
    """

    staff: StaffDesk
    patient: PatientRef
    consent_id: str
    place: Workplace
    turn: Turn | None = None
    card_text: str = ""

    def unlock(self, card_text: str, pin: str) -> Turn:
        """Open her keys, only those for this hospital, and start her turn; see ``pairs.unlock`` and ``start_turn``."""
        installation, profile = self.staff.installation, self.staff.profile
        unlocked = pairs.unlock(installation.machine, card_text, pin, profile.msp_id)
        try:
            self.turn = start_turn(
                installation.machine,
                unlocked,
                self.patient.patient_id,
                self.consent_id,
                zone=zone_text(installation.zone(self.patient.custodian)),
                assisted_by=profile.subject,
            )
        except BaseException:
            unlocked.lock()
            raise
        self.card_text = card_text
        return self.turn

    def wipe(self) -> None:
        """Forget her keys."""
        if self.turn is not None:
            self.turn.unlocked.lock()
            self.turn = None


class Turns(QObject):
    """Shows turns, and knows what a lock does to one."""

    def __init__(self, desktop: "Desktop") -> None:
        super().__init__(desktop)
        self._desktop = desktop
        self._speech = Speech.find(parent=self)
        self._widget: ConsentTurn | None = None
        self._own: Turn | None = None
        self._handed: HandedOver | None = None
        self._kept: Kept | None = None

    @property
    def is_handed_over(self) -> bool:
        """Whether this screen is a patient's although a member of staff signed in."""
        return self._handed is not None

    @property
    def is_open(self) -> bool:
        """Whether somebody decides now."""
        return self._widget is not None

    # her own turn

    def show(self, turn: Turn, kept: Kept | None = None) -> None:
        """Show a turn that a patient began after she signed in herself."""
        desktop = self._desktop
        desk = desktop.desk
        if desk is None or isinstance(desk, StaffDesk):
            return
        self._own = turn
        place = desktop.place_of(desk)
        where = self._where(place, turn.patient_name, turn.asked_by.name, turn.language, lambda _card, _pin: turn)
        self._put(ConsentTurn(where, turn, kept))

    def _where(
        self, place: Workplace, name: str, asked_by: str, language: str, unlock: Callable[[str, str], Turn]
    ) -> TurnPlace:
        cards = self._desktop.cards
        return TurnPlace(
            place=place,
            patient_name=name,
            asked_by=asked_by,
            language=language,
            handed_over=self._handed is not None,
            unlock=unlock,
            shuffle=random.SystemRandom().shuffle,
            sandbox_card=partial(cards.__getitem__, name) if name in cards else None,
            speech=self._speech,
        )

    def _put(self, widget: ConsentTurn) -> None:
        self._widget = widget
        widget.left.connect(self._left, Qt.ConnectionType.QueuedConnection)
        self._desktop.window.show_alone(widget)

    def _left(self, how: str) -> None:
        if self._widget is None:
            return
        self._widget = None
        if self._handed is not None:
            handed, self._handed = self._handed, None
            handed.wipe()
            self._desktop.show_lock(handed.staff, _OVER)
            return
        turn, self._own = self._own, None
        is_hers = how == Leaving.SIGNED or (turn is not None and bool(turn.replaces))
        self._desktop.window.open_page("consents" if is_hers else "inbox")

    # handed over

    def hand_over(self, staff: StaffDesk, patient_id: str, consent_id: str) -> None:
        """Lock the desk of whoever hands over, then give the screen to the patient."""
        desktop = self._desktop
        if desktop.desk is not staff:
            return
        desktop.background.run(
            desktop.window,
            partial(staff.patients.read, patient_id),
            lambda patient: self._lock_first(staff, patient, consent_id),
            desktop.report,
        )

    def _lock_first(self, staff: StaffDesk, patient: PatientRef, consent_id: str) -> None:
        desktop = self._desktop
        if desktop.desk is not staff:
            return
        place = desktop.place_of(staff)
        desktop.leave_rooms()
        between = QFrame()
        between.setProperty("surface", "window")
        desktop.window.show_alone(between)
        self._handed = HandedOver(staff, patient, consent_id, place)

        def begin(_: object) -> None:
            self._begin(None)

        def begin_anyway(error: Exception) -> None:
            desktop.report(error)
            self._begin(None)

        desktop.background.run(desktop.window, staff.lock, begin, begin_anyway)

    def _begin(self, kept: Kept | None) -> None:
        handed = self._handed
        if handed is None:
            return
        name, staff = handed.patient.name, handed.staff
        language = kept.language if kept is not None else "en"
        where = self._where(handed.place, name, staff.profile.name, language, handed.unlock)
        self._desktop.start_idle(is_patient=True)
        self._put(ConsentTurn(where, handed.turn, kept))

    # the lock

    def lock_handed(self, reason: str) -> None:
        """Lock a screen that was handed over: choices are kept if there are any, else the turn is over."""
        handed, widget = self._handed, self._widget
        if handed is None:
            return
        kept = widget.kept() if widget is not None else None
        self._widget = None
        handed.wipe()
        if kept is None:
            self._handed = None
            self._desktop.show_lock(handed.staff, reason)
            return
        profile = handed.staff.profile
        page = self._desktop.lock_window(LockFacts(profile.name, profile.hospital, reason=reason, is_turn=True))
        page.unlock_asked.connect(partial(self._unlock_handed, kept, page.show_trouble))

    def _unlock_handed(self, kept: Kept, show: Callable[[str], None], pin: str) -> None:
        handed = self._handed
        if handed is None:
            return
        installation, profile, card_text = handed.staff.installation, handed.staff.profile, handed.card_text

        def work() -> StaffDesk | None:
            """Return the clinician's desk, or None if it was the patient's PIN."""
            try:
                handed.unlock(card_text, pin)
            except pairs.WrongPinError as wrong:
                try:
                    return sign_in_staff(installation, profile, pin)
                except Exception:  # noqa: BLE001  -- the patient's tries are what is said
                    raise wrong from None
            return None

        def done(staff: StaffDesk | None) -> None:
            if staff is None:
                self._begin(kept)
                return
            self._handed = None
            self._desktop.show_desk(staff)

        self._desktop.background.run(self._desktop.window, work, done, lambda error: show(refusal_text(error)))

    def keep_own(self) -> tuple[str, Kept] | None:
        """Take her own turn away because the window locks; return what is kept, by what it is about."""
        widget, turn = self._widget, self._own
        self._widget = self._own = None
        if widget is None or turn is None:
            return None
        kept = widget.kept()
        return None if kept is None else (turn.replaces or turn.consent_id, kept)

    def go_on(self, consent_id: str, kept: Kept) -> None:
        """Go on with her own turn after unlocking, if the request still waits, or the consent is still in force."""
        desktop = self._desktop
        desk = desktop.desk
        if desk is None or isinstance(desk, StaffDesk):
            return

        def work() -> Turn | None:
            waiting = next((row for row in desk.inbox.rows() if row.consent_id == consent_id), None)
            if waiting is not None:
                return desk.inbox.turn(waiting)
            held = next((row for row in desk.consents.rows() if row.consent_id == consent_id), None)
            return desk.narrow(held) if held is not None and held.state is ConsentState.ACTIVE else None

        def done(turn: Turn | None) -> None:
            if turn is not None:
                self.show(turn, kept)

        desktop.background.run(desktop.window, work, done, desktop.report)

    def drop(self) -> None:
        """Forget everything (the window closes)."""
        if self._handed is not None:
            self._handed.wipe()
        self._widget = self._own = self._handed = None
