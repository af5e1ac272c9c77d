"""What nobody foresaw, in the log and on the screen: its kind and never its text, which may name a patient."""

import logging
import traceback
from pathlib import Path

log = logging.getLogger(__name__)


def note_failure(error: BaseException) -> None:
    """Log that something failed: its type and where."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("%s at %s", type(error).__name__, where or "nowhere")


def unforeseen_text(error: Exception) -> str:
    """Return what the first page says when the machine could not be made ready."""
    return f"Something unexpected happened ({type(error).__name__}). Nothing was changed. Try again."
