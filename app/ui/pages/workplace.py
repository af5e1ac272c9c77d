"""What every page of a signed-in member of staff needs beside its own service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.ui.wording import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from app.services.submission import UnsettledError
    from app.services.windows import OwnWindows
    from app.ui.background import Background
    from ledger.gateway import Commit


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where and when a person works; made once per signed-in person.

    Attributes:
        background: the one door off the GUI thread.
        clock: seconds UTC, for words.
        settle: finds out what became of an envelope (``Submission.settle`` of the person).
        hospitals: names by msp_id.
        msp_id: the person's own hospital.
        zone: where the person is; None is the machine's.
        windows: image windows of the person's own; None for patients, who leave nothing on a hospital's machine.
    """

    background: Background
    clock: Callable[[], int]
    settle: Callable[[UnsettledError], Commit | None]
    hospitals: Mapping[str, str]
    msp_id: str
    zone: tzinfo | None = None
    windows: OwnWindows | None = None

    def hospital(self, msp_id: str) -> str:
        """Return a hospital's name; its id if this machine knows none."""
        return self.hospitals.get(msp_id, msp_id) or NONE
