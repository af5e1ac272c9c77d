"""Where this account keeps what is Assent's."""

from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the folder of this account's installations."""
    return Path(platformdirs.user_data_dir("assent", appauthor=False))
