"""A band that says which requests were begun and not sent, and leads back to the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal

from app.services.drafts import DraftsDamagedError
from app.ui.outcomes import state_of
from app.ui.widgets import Action, Band, State
from app.ui.wording import count_text

if TYPE_CHECKING:
    from app.services.drafts import KeptDraft
    from app.services.notebook import PatientRef
    from app.services.patients import Patients
    from app.ui.pages.workplace import Workplace

_DAMAGED: Final = State(
    "wait",
    "triangle-alert",
    "Requests that you began and did not send cannot be read.",
    "Their file on this machine was changed. It was set aside; what you begin from now on is kept anew.",
    (Action("close", "Close"),),
)


def drafts_state(names: tuple[str, ...]) -> State | None:
    """Return what to say about requests that were begun and not sent, to these patients, the newest first."""
    if not names:
        return None
    many = len(names) > 1
    what, them = (count_text(len(names), "request", "requests"), "them") if many else ("a request", "it")
    text = f"You began {what} and did not send {them} yet: {', '.join(names)}."
    return State("info", "file-clock", "", text, (Action("go-on", f"Go on with {names[0]}"),))


class DraftsBand(Band):
    """Loads off the GUI thread whenever asked to look.

    Args:
        patients: whose drafts.
        place: the door off the GUI thread.

    Signals:
        wanted: id of the patient whose draft is to be gone on with.
    """

    wanted = Signal(str)

    def __init__(self, patients: Patients, place: Workplace) -> None:
        super().__init__()
        self._patients, self._place = patients, place
        self._newest = ""
        self.acted.connect(self._act)

    def look(self) -> None:
        """Look again what was begun."""
        self._place.background.run(self, self._patients.unfinished, self._show, self.show_error)

    def _show(self, drafts: tuple[tuple[PatientRef, KeptDraft], ...]) -> None:
        self._newest = drafts[0][0].patient_id if drafts else ""
        if self.state is not _DAMAGED:  # that stays until it was read
            self.show_state(drafts_state(tuple(patient.name for patient, _ in drafts)))

    def show_error(self, error: Exception) -> None:
        """Say why there are no drafts."""
        self.show_state(_DAMAGED if isinstance(error, DraftsDamagedError) else state_of(error))

    def _act(self, key: str) -> None:
        if key == "go-on" and self._newest:
            self.wanted.emit(self._newest)
            return
        self.show_state(None)
        self.look()

    def blank(self) -> None:
        """Forget them (lock, sign-out)."""
        self._newest = ""
        self.show_state(None)
