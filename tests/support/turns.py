"""A request on a real sandbox, and what a patient's turn about it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from app.consent.terms import Category
from app.services.drafts import Draft
from app.services.pairs import unlock
from app.services.submission import Submission
from app.services.turn import Turn, start_turn
from app.ui.pages.turn import TurnPlace
from app.ui.pages.workplace import Workplace
from tests.support.sandbox import ALMA, CAROL

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from app.services.submission import UnsettledError
    from app.ui.background import Background
    from ledger.gateway import Commit
    from tests.support.sandbox import SandboxWorld

ASKED = frozenset({Category.CYTOLOGY, Category.DOCUMENT, Category.LABORATORY})


class Folder:
    """Answers "where to" with a folder; remembers what was suggested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.suggested: list[str] = []

    def __call__(self, _over: QWidget, suggested: str, _kinds: str) -> Path | None:
        """Return the suggested name in the folder."""
        self.suggested.append(suggested)
        return self.folder / suggested


class Refusing:
    """A gateway that fails the next submissions in a given way and then works again."""

    def __init__(self, gateway: Any, *errors: Exception) -> None:
        self._gateway, self.errors = gateway, list(errors)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)

    def submit(self, envelope: Any) -> Commit:
        """Fail once for each error, else submit."""
        if self.errors:
            raise self.errors.pop(0)
        commit: Commit = self._gateway.submit(envelope)
        return commit


@dataclass
class Asked:
    """A request of Dr Carol Specimen that waits for Alma.

    Attributes:
        world: the sandbox.
        background: of the pages.
        patient_id, consent_id: of the request.
        folder: where files go.
    """

    world: SandboxWorld
    background: Background
    patient_id: str
    consent_id: str
    folder: Folder

    @property
    def card(self) -> str:
        """Alma's."""
        return self.world.cards[ALMA]

    @property
    def place(self) -> Workplace:
        """What her pages get."""
        machine = self.world.installation.machine

        def settle(error: UnsettledError) -> Commit | None:
            return Submission(machine.gateway, self.world.patient(ALMA).unlocked.pairs[0].identity).settle(error)

        return Workplace(self.background, self.world.clock, settle, machine.hospitals, "AlderMSP", UTC)

    def start(self, card_text: str, pin: str, gateway: Any = None) -> Turn:
        """Begin the turn, as wiring does."""
        machine = self.world.installation.machine
        if gateway is not None:
            machine = replace(machine, gateway=gateway)
        unlocked = unlock(machine, card_text, pin, "AlderMSP")
        return start_turn(machine, unlocked, self.patient_id, self.consent_id, zone="+00:00")

    def where(self, **changes: Any) -> TurnPlace:
        """Return what a turn on the clinician's screen is given; answers stay in their order."""
        given: dict[str, Any] = {
            "place": self.place,
            "patient_name": ALMA,
            "asked_by": CAROL,
            "language": "en",
            "handed_over": True,
            "unlock": self.start,
            "shuffle": lambda _answers: None,
            "sandbox_card": lambda: self.card,
            "choose_path": self.folder,
        }
        return TurnPlace(**given | changes)


def ask(world: SandboxWorld, background: Background, folder: Path, **changes: Any) -> Asked:
    """Have Dr Carol Specimen ask Alma for three kinds of records, two years, thirty days and a suggestion."""
    carol = world.staff(CAROL)
    reference = world.introduce(carol, ALMA, "Rita Roster", "AlderMSP")
    given: dict[str, Any] = {
        "categories": ASKED,
        "first_day": "2024-11-24",
        "last_day": "2026-11-24",
        "days": 30,
        "ai": True,
        "reason": "To compare.",
    }
    consent_id = carol.requests.send(Draft(reference.patient_id, **given | changes))
    return Asked(world, background, reference.patient_id, consent_id, Folder(folder))
