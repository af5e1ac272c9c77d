"""What a start made, until the window has it."""

import threading
from typing import TYPE_CHECKING

from app.ui.background import Task

if TYPE_CHECKING:
    from app.wiring.start import Started


class Begun:
    """Holds what the start made until the window has it, so that closing in between closes it too."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._started: Started | None = None

    def keep(self, task: Task, started: "Started") -> "Started":
        """Hold it; close it at once if nobody waits for it any more."""
        with self._guard:
            if task.is_cancelled:
                started.installation.close()
            else:
                self._started = started
        return started

    def take(self) -> "Started | None":
        """Return it, once."""
        with self._guard:
            started, self._started = self._started, None
        return started
