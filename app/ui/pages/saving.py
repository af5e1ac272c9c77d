"""Asking where a file goes, and writing it: lists and receipts that a patient takes home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

ChoosePath = Callable[[QWidget, str, str], "Path | None"]
"""Asks for a file: over which widget, suggested name, filter ("PDF (*.pdf)"); None if the person changed her mind."""


def choose_path(over: QWidget, suggested: str, kinds: str) -> Path | None:
    """Ask with the system's own dialog."""
    chosen, _ = QFileDialog.getSaveFileName(over.window(), "", suggested, kinds)
    return Path(chosen) if chosen else None
