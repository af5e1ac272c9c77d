"""How far the opening of one record is, as the pages that list it show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.services.worklist import RecordRow
    from app.ui.widgets.states import State


class Step(StrEnum):
    """Where an opening stands."""

    IDLE = "idle"
    RECORDING = "recording"
    OPENING = "opening"
    UNKNOWN = "unknown"
    DENIED = "denied"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Phase:
    """One opening now.

    Attributes:
        row: which record.
        step: where it stands.
        state: what to say about it; None says nothing.
    """

    row: RecordRow
    step: Step
    state: State | None = None

    @property
    def key(self) -> str:
        """The row's."""
        return self.row.key

    @property
    def is_busy(self) -> bool:
        """Whether nothing else may be opened meanwhile."""
        return self.step in (Step.RECORDING, Step.OPENING, Step.UNKNOWN)
