"""Where a picture lies on the canvas: fit, zoom, pan, turns and flips as one transform."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QSizeF
from PySide6.QtGui import QTransform

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALLEST, LARGEST = 0.05, 40.0
_SIDES: Final = ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))
"""Left, right, top, bottom."""


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is turned and where it is; immutable, so that resetting is taking a new one.

    Attributes:
        magnification: 1.0 fits the canvas.
        pan: in pixels of the canvas.
        turns: quarter turns clockwise, before the flips.
        flip_horizontal, flip_vertical: as seen on screen.
    """

    magnification: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    turns: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False

    def turned(self) -> View:
        """Return the view turned by a quarter clockwise, as seen."""
        step = -1 if self.flip_horizontal != self.flip_vertical else 1
        return replace(self, turns=(self.turns + step) % 4, pan=(-self.pan[1], self.pan[0]))

    def flipped(self, *, horizontal: bool) -> View:
        """Return the view flipped left to right, or upside down, as seen."""
        if horizontal:
            return replace(self, flip_horizontal=not self.flip_horizontal, pan=(-self.pan[0], self.pan[1]))
        return replace(self, flip_vertical=not self.flip_vertical, pan=(self.pan[0], -self.pan[1]))

    def zoomed(self, factor: float, around: tuple[float, float] = (0.0, 0.0)) -> View:
        """Return the view magnified; ``around`` (from the canvas's middle) stays where it is."""
        new = min(LARGEST, max(SMALLEST, self.magnification * factor))
        ratio = new / self.magnification
        pan = (
            around[0] - (around[0] - self.pan[0]) * ratio,
            around[1] - (around[1] - self.pan[1]) * ratio,
        )
        return replace(self, magnification=new, pan=pan)

    def moved(self, by: tuple[float, float]) -> View:
        """Return the view moved by pixels of the canvas."""
        return replace(self, pan=(self.pan[0] + by[0], self.pan[1] + by[1]))


def scale_of(view: View, picture: tuple[int, int], canvas: QSizeF, aspect: float) -> float:
    """Return canvas pixels per column of the picture.

    Args:
        view: how it is shown.
        picture: rows and columns.
        canvas: room there is.
        aspect: height of a row by the width of a column (pixel spacing).
    """
    rows, columns = picture[0] * aspect, float(picture[1])
    if view.turns % 2:
        rows, columns = columns, rows
    fit = min(canvas.width() / max(columns, 1.0), canvas.height() / max(rows, 1.0))
    return fit * view.magnification


def transform_of(view: View, picture: tuple[int, int], canvas: QSizeF, aspect: float = 1.0) -> QTransform:
    """Return the transform from picture (x = column, y = row) to canvas."""
    scale = scale_of(view, picture, canvas, aspect)
    made = QTransform()
    made.translate(canvas.width() / 2 + view.pan[0], canvas.height() / 2 + view.pan[1])
    made.scale(-1.0 if view.flip_horizontal else 1.0, -1.0 if view.flip_vertical else 1.0)
    made.rotate(90.0 * view.turns)
    made.scale(scale, scale * aspect)
    made.translate(-picture[1] / 2, -picture[0] / 2)
    return made


def edge_letters_on(view: View, letters: Sequence[str]) -> tuple[str, ...]:
    """Return the letters at the canvas's left, right, top and bottom, given those of the picture's."""
    turn = QTransform()
    turn.scale(-1.0 if view.flip_horizontal else 1.0, -1.0 if view.flip_vertical else 1.0)
    turn.rotate(90.0 * view.turns)
    placed = {}
    for letter, side in zip(letters, _SIDES, strict=True):
        at: QPointF = turn.map(QPointF(*side))
        placed[(float(round(at.x())), float(round(at.y())))] = letter
    return tuple(placed[side] for side in _SIDES)
