"""What an account chose under Settings: one small file, nothing of a person in it; a broken one is no choice."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from app.identity.private_files import ExposedFileError, make_private_folder, read_private, write_private
from app.ui.keys import sensible
from app.ui.theme import Look, Scheme, text_scales, wants_dark, wants_high_contrast

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTES: Final = range(1, 16)
"""Of the idle lock (SCREENS.md 2, Settings)."""
_LIMIT: Final = 4096


class Theme(StrEnum):
    """Light, dark, or what the system prefers."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What was chosen.

    Attributes:
        theme: light, dark, or the system's.
        text_scale: factor of all type, one of ``text_scales()``.
        compact: rows of 30 instead of 36 pixels.
        staff_minutes: until the window of a member of staff locks.
        patient_minutes: until that of a patient locks.
        keys: by command, where they differ from the standard.
    """

    theme: Theme = Theme.SYSTEM
    text_scale: float = 1.0
    compact: bool = False
    staff_minutes: int = 5
    patient_minutes: int = 2
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def look(self) -> Look:
        """The look that follows, on the system as it is now."""
        is_dark = wants_dark() if self.theme is Theme.SYSTEM else self.theme is Theme.DARK
        scheme = Scheme.DARK if is_dark else Scheme.LIGHT
        return Look(scheme, self.text_scale, self.compact, wants_high_contrast())


def preferences_file() -> Path:
    """Return where this account's choices are kept."""
    return Path(platformdirs.user_config_dir("assent", appauthor=False)) / "settings.json"


def read_preferences(path: Path) -> Preferences:
    """Return what was chosen; each value that is missing or makes no sense is as at the first start."""
    try:
        kept = json.loads(read_private(path, _LIMIT))
    except (OSError, ValueError, ExposedFileError):
        return Preferences()
    return _sensible(kept) if isinstance(kept, dict) else Preferences()


def keep_preferences(path: Path, chosen: Preferences) -> None:
    """Keep what was chosen.

    Raises:
        OSError, ExposedFileError: it cannot be kept.
    """
    make_private_folder(path.parent)
    write_private(path, json.dumps(asdict(chosen), indent=1).encode())


def _sensible(kept: Mapping[str, object]) -> Preferences:
    first = Preferences()
    theme, scale, compact = kept.get("theme"), kept.get("text_scale"), kept.get("compact")
    return Preferences(
        Theme(theme) if isinstance(theme, str) and theme in set(Theme) else first.theme,
        float(scale) if isinstance(scale, int | float) and scale in text_scales() else first.text_scale,
        compact if isinstance(compact, bool) else first.compact,
        _minutes(kept.get("staff_minutes"), first.staff_minutes),
        _minutes(kept.get("patient_minutes"), first.patient_minutes),
        sensible(kept.get("keys")),
    )


def _minutes(kept: object, otherwise: int) -> int:
    return kept if type(kept) is int and kept in MINUTES else otherwise
