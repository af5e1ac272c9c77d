"""The window before the machine is ready: painted first; everything else is imported behind it.

This module and what it imports is all that the first picture costs. The rest of Assent (pages, services, ledger, keys)
is imported by ``_make_ready``, on the worker that makes the machine ready, and by nothing else here;
``test_entrance.py`` keeps it so.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.identity.hardening import harden_process
from app.ui.background import Background, Task
from app.ui.pages.start import StartPage
from app.ui.preferences import preferences_file
from app.ui.window import MainWindow
from app.wiring.begun import Begun
from app.wiring.choices import Choices
from app.wiring.failures import note_failure, unforeseen_text

if TYPE_CHECKING:
    from app.wiring.desktop import Desktop


class PassphraseWantedError(Exception):
    """The machine has its keys under a passphrase, or will have; the person has to type it.

    Attributes:
        is_new: none was chosen yet.
        trouble: why the last one did not do, or empty.
    """

    def __init__(self, *, is_new: bool, trouble: str = "") -> None:
        super().__init__("a passphrase is wanted")
        self.is_new, self.trouble = is_new, trouble


class NotReadyError(Exception):
    """The machine cannot be made ready. The text is fit for the screen and says what to do."""


class Entrance(QObject):
    """Owns window, background and choices, and makes the machine ready for the desktop.

    Args:
        folder: of this account's installations.
        clock: seconds UTC.
        settings: file of this account's choices.

    Attributes:
        begun: what was made ready, until the desktop has it.
        desktop: has the window, once the machine is ready.
    """

    def __init__(self, folder: Path, clock: Callable[[], int], settings: Path) -> None:
        super().__init__()
        self.folder, self.clock = folder, clock
        self.choices = Choices(settings, self)
        self.background = Background(parent=self)
        self.window = MainWindow()
        self.choices.cut_fonts(self.background, self.window, note_failure)
        self.begun = Begun()
        self.desktop: Desktop | None = None
        self.window.closing.connect(self._close)

    def begin(self, passphrase: str | None = None) -> None:
        """Show the window and, once it is painted, make the machine ready behind it."""
        page = StartPage()
        page.passphrase_given.connect(self.begin)
        page.retry_asked.connect(lambda: self.begin(None))
        page.cancel_asked.connect(self.window.close)
        page.drawn.connect(partial(self._make_ready, page, passphrase))
        self.window.show_alone(page)
        self.window.show()

    def _make_ready(self, page: StartPage, passphrase: str | None) -> None:
        if not self.window.isVisible():
            return  # closed as soon as it was painted
        self.background.follow(
            page,
            partial(_make_ready, self, passphrase),
            lambda report: page.show_progress(report[2], report[0], report[1]),
            self._hand_over,
            partial(self._not_ready, page),
        )

    def _hand_over(self, desktop: Callable[[], "Desktop"]) -> None:
        self.window.closing.disconnect(self._close)
        self.desktop = desktop()

    def _close(self) -> None:
        """Closed before the desktop had the window: stop what is being made, and close what was made."""
        self.window.hide()
        self.background.shutdown()
        if (started := self.begun.take()) is not None:
            started.installation.close()

    @staticmethod
    def _not_ready(page: StartPage, error: Exception) -> None:
        if isinstance(error, PassphraseWantedError):
            page.ask_passphrase(is_new=error.is_new, trouble=error.trouble)
        elif isinstance(error, NotReadyError):
            page.show_trouble(str(error))
        else:
            note_failure(error)
            page.show_trouble(unforeseen_text(error))

    def hook(self, kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        """Python's ``sys.excepthook``: an error in a slot never ends the window, and its text is never logged."""
        if issubclass(kind, KeyboardInterrupt):
            self.window.close()
        elif self.desktop is None:
            note_failure(error)
        else:
            self.desktop.report(error)


def _make_ready(entrance: Entrance, passphrase: str | None, task: Task) -> Callable[[], "Desktop"]:
    """Import the rest of Assent and have it make the machine ready; on a worker, so that the window stays alive."""
    from app.wiring.ready import make_ready  # noqa: PLC0415 (the one late import, see above)

    return make_ready(entrance, passphrase, task)


def run(folder: Path) -> int:
    """Open the desktop; returns the exit status."""
    harden_process()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Assent")
    entrance = Entrance(folder, lambda: int(time.time()), preferences_file())
    sys.excepthook = entrance.hook
    entrance.begin()
    return application.exec()
