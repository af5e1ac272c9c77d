"""What the account chose under Settings: applied to the whole application, and kept in its file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.identity.private_files import ExposedFileError
from app.ui.background import Background
from app.ui.keys import use_keys
from app.ui.preferences import Preferences, keep_preferences, read_preferences
from app.ui.theme import Fonts, Look, apply, cache_folder, look
from app.ui.theme.fonts import cut_apart
from app.wiring.failures import note_failure


class Choices(QObject):
    """The account's preferences.

    Args:
        file: where they are kept.
        parent: usually the desktop.

    Attributes:
        preferences: as they are now.
    """

    def __init__(self, file: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._file = file
        self.preferences: Preferences = read_preferences(file)
        self._fonts = Fonts()
        self._is_cut = self._fonts.load(cache_folder())
        _apply(self.preferences.look)
        use_keys(self.preferences.keys)

    def keep(self, chosen: Preferences) -> None:
        """Keep other choices; a file that cannot be written loses them at the end, no more."""
        self.preferences = chosen
        use_keys(chosen.keys)
        try:
            keep_preferences(self._file, chosen)
        except (OSError, ExposedFileError) as error:
            note_failure(error)

    @property
    def system_look(self) -> Look:
        """The look that holds now, with the scheme that the choices and the system want."""
        return replace(look(), scheme=self.preferences.look.scheme)

    def cut_fonts(self, background: Background, owner: QObject, failed: Callable[[Exception], None]) -> None:
        """Cut the variable font apart in the background, once per account, and use what comes of it."""
        if not self._is_cut:
            background.run(owner, lambda: cut_apart(cache_folder()), self._use_cut_fonts, failed)

    def _use_cut_fonts(self, _: None) -> None:
        self._fonts.load(cache_folder())
        _apply(look())


def _apply(new: Look) -> None:
    application = QApplication.instance()
    if isinstance(application, QApplication):
        apply(application, new)
