"""Asking for a printer, with the system's own dialog; without any printer that is said, and nothing is printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QWidget

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

ChoosePrinter = Callable[[QWidget], "QPrinter | None"]
"""Asks for a printer over a widget; None if the person changed her mind; raises ``NoPrinterError``."""


class NoPrinterError(Exception):
    """No printer is set up on this machine."""


def choose_printer(over: QWidget) -> QPrinter | None:
    """Ask for a printer.

    Raises:
        NoPrinterError: there is none.
    """
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo  # noqa: PLC0415 (it looks for printers)

    if not QPrinterInfo.availablePrinterNames():
        raise NoPrinterError
    printer = QPrinter()
    return printer if QPrintDialog(printer, over.window()).exec() == QDialog.DialogCode.Accepted else None
