"""From arrays of pixels to Qt's images."""

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_GREY = 2


def image_of(pixels: "NDArray[np.uint8]") -> QImage:
    """Return an image over 8-bit grey (row, column) or RGB (row, column, 3), not copied: keep the pixels as long."""
    rows, columns = pixels.shape[:2]
    form = QImage.Format.Format_Grayscale8 if pixels.ndim == _GREY else QImage.Format.Format_RGB888
    return QImage(pixels.data, columns, rows, pixels.strides[0], form)
