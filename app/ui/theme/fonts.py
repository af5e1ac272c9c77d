"""IBM Plex (SIL OFL 1.1) from data-only packages: static weights are cut once, since Qt cannot use the variable file.

Measured on Qt 6.11.3: with the variable file weights 500 and 600 change nothing, also in style sheets; three static
instances work everywhere. Cutting takes some ten seconds once, so it runs in a process of its own.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

from PySide6.QtGui import QFontDatabase

WEIGHTS: Final = (400, 500, 600)
_VARIABLE: Final = "IBMPlexSans[wdth,wght].ttf"
_MONO: Final = ("IBMPlexMono-Regular.ttf", "IBMPlexMono-Medium.ttf", "IBMPlexMono-SemiBold.ttf")
_VERSION: Final = "3.201"
_CUT_ONE: Final = (
    "import sys, pathlib; from app.ui.theme.fonts import cut; cut(pathlib.Path(sys.argv[1]), (int(sys.argv[2]),))"
)

log = logging.getLogger(__name__)


def _packaged(package: str, name: str) -> Path:
    return Path(str(resources.files(package) / "files" / name))


def _cut_path(folder: Path, weight: int) -> Path:
    return folder / f"IBMPlexSans-{_VERSION}-{weight}.ttf"


def are_cut(folder: Path) -> bool:
    """Whether all static weights are in ``folder``."""
    return all(_cut_path(folder, weight).exists() for weight in WEIGHTS)


def cut(folder: Path, weights: tuple[int, ...] = WEIGHTS) -> None:
    """Cut the static weights into ``folder``. Slow; touches no Qt.

    Raises:
        OSError: the folder cannot be written.
    """
    from fontTools.ttLib import TTFont  # noqa: PLC0415 (half a second that a start with cut fonts does not need)
    from fontTools.varLib import instancer  # noqa: PLC0415 (same)

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    for weight in weights:
        if _cut_path(folder, weight).exists():
            continue
        with TTFont(_packaged("fontpkg_ibm_plex_sans", _VARIABLE)) as variable:
            static = instancer.instantiateVariableFont(variable, {"wght": weight, "wdth": 100}, updateFontNames=True)
        handle, draft = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            static.save(file)
        Path(draft).replace(_cut_path(folder, weight))


def cut_apart(folder: Path) -> None:
    """Cut the static weights in processes of their own, one per weight, so that no thread here waits for the GIL.

    Raises:
        RuntimeError: it did not work; the variable file serves on.
    """
    command = [sys.executable, "-c", _CUT_ONE, str(folder)]
    root = Path(__file__).resolve().parents[3]
    running = [
        subprocess.Popen([*command, str(weight)], cwd=root, stderr=subprocess.DEVNULL)  # noqa: S603 (our own)
        for weight in WEIGHTS
    ]
    if any(process.wait() != 0 for process in running):
        raise RuntimeError("the fonts could not be cut")


class Fonts:
    """The fonts this process has given to Qt."""

    def __init__(self) -> None:
        self._variable = -1

    def load(self, folder: Path) -> bool:
        """Give Qt the mono fonts and the static weights of ``folder``, or the variable file until they are cut.

        Returns:
            Whether the static weights are in use. Call again, then apply the look again, once they are cut.
        """
        if self._variable < 0:
            for name in _MONO:
                _add(_packaged("fontpkg_ibm_plex_mono", name))
        if not are_cut(folder):
            if self._variable < 0:
                self._variable = _add(_packaged("fontpkg_ibm_plex_sans", _VARIABLE))
            return False
        if self._variable >= 0:
            QFontDatabase.removeApplicationFont(self._variable)
        for weight in WEIGHTS:
            _add(_cut_path(folder, weight))
        return True


def _add(path: Path) -> int:
    number = QFontDatabase.addApplicationFont(str(path))
    if number < 0:
        log.warning("font not usable: %s", path.name)
    return number
