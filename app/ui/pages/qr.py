"""A QR code as a widget and as an image; made here, no network and no program is asked."""

from __future__ import annotations

import segno
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import scaled

_QUIET = 4


def qr_image(text: str, scale: int = 4) -> QImage:
    """Return the code of ``text`` in black on white with its quiet zone, whatever the theme: scanners want that."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    edge = len(rows) + 2 * _QUIET
    image = QImage(edge, edge, QImage.Format.Format_Grayscale8)
    image.fill(255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                image.setPixel(x + _QUIET, y + _QUIET, 0)
    return image.scaled(edge * scale, edge * scale)


class QrCode(QWidget):
    """A square code.

    Args:
        text: what it holds.
        edge: at 100 %.
        spoken: what a screen reader says.
    """

    def __init__(self, text: str, edge: int, spoken: str) -> None:
        super().__init__()
        self._image, self._edge = qr_image(text), edge
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(spoken)

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(scaled(self._edge), scaled(self._edge))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        QPainter(self).drawImage(self.rect(), self._image)
