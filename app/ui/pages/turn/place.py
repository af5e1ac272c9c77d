"""What a patient's turn is given when it begins, and what is left of it when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.ui.pages.printing import choose_printer
from app.ui.pages.saving import choose_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.consent.sentences import Answer
    from app.services.choices import Choices
    from app.services.turn import Turn
    from app.ui.pages.printing import ChoosePrinter
    from app.ui.pages.saving import ChoosePath
    from app.ui.pages.turn.speech import Speech
    from app.ui.pages.workplace import Workplace


class Leaving(StrEnum):
    """How a turn ended; the window then locks, or shows the patient's pages again."""

    GIVEN_BACK = "given-back"
    LATER = "later"
    SIGNED = "signed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a lock in the middle of a turn leaves: choices, never a key, a card or a PIN.

    Attributes:
        choices: what she chose so far.
        language: in which she reads.
    """

    choices: Choices
    language: str


@dataclass(frozen=True, slots=True)
class TurnPlace:
    """Where a turn happens.

    Attributes:
        place: background, clock, zone and ``settle`` (which needs nobody's key).
        patient_name: whose turn it is; her first name greets her.
        asked_by: the asker's name as on the badge.
        language: ``en`` or ``de``, to begin with.
        handed_over: a member of staff gave her this screen; else she signed in herself.
        unlock: opens her keys with card text and PIN and starts the turn; blocks, so it is called in the background.
            It raises what ``pairs.unlock`` and ``start_turn`` raise.
        shuffle: puts the answers of a question in random order, in place.
        sandbox_card: returns the text of her card; only in the sandbox.
        speech: reads aloud; None where the machine has no such program.
        choose_path: asks where to save a file.
        choose_printer: asks for a printer.
    """

    place: Workplace
    patient_name: str
    asked_by: str
    language: str
    handed_over: bool
    unlock: Callable[[str, str], Turn]
    shuffle: Callable[[list[Answer]], None]
    sandbox_card: Callable[[], str] | None = None
    speech: Speech | None = None
    choose_path: ChoosePath = choose_path
    choose_printer: ChoosePrinter = choose_printer
