"""Reading aloud with the machine's own program, run as a process (spd-say on Linux, say on macOS)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QProcess

if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRAMS: Final = ("spd-say", "say")
_LANGUAGE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "spd-say": {"en": ("-l", "en"), "de": ("-l", "de")},
    "say": {"en": (), "de": ("-v", "Anna")},
}
_FROM_INPUT: Final[dict[str, tuple[str, ...]]] = {"spd-say": ("-w", "-e"), "say": ("-f", "-")}


class Speech(QObject):
    """Says one text at a time. The text goes through standard input: other users can read a command line.

    Args:
        program: path of the program.
        name: which of the programs it is.
    """

    def __init__(self, program: str, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._program, self._name = program, name
        self._process: QProcess | None = None

    @classmethod
    def find(cls, which: Callable[[str], str | None] = shutil.which, parent: QObject | None = None) -> Speech | None:
        """Return one that works here, or None: then the button is not shown."""
        for name in _PROGRAMS:
            if (path := which(name)) is not None:
                return cls(path, name, parent)
        return None

    @property
    def is_speaking(self) -> bool:
        """Whether the program runs."""
        return self._process is not None and self._process.state() != QProcess.ProcessState.NotRunning

    def say(self, text: str, language: str) -> None:
        """Say a text; what was being said stops."""
        self.stop()
        self._process = QProcess(self)
        self._process.start(self._program, [*_LANGUAGE[self._name][language], *_FROM_INPUT[self._name]])
        self._process.write(f"{text}\n".encode())
        self._process.closeWriteChannel()

    def stop(self) -> None:
        """Be silent."""
        if self._process is not None:
            self._process.kill()
            self._process.waitForFinished(1000)
            self._process.deleteLater()
            self._process = None
