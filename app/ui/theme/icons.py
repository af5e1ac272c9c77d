"""Lucide icons by name, drawn in a token's colour (SCREENS.md 1.3). No SVG is copied into the project."""

from __future__ import annotations

import os
import tempfile
import zipfile
from functools import cache
from importlib import resources
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

_THINNER_FROM = 20


@cache
def _archive() -> zipfile.ZipFile:
    packed = resources.files("justmyresource_lucide") / "icons.zip"
    return zipfile.ZipFile(str(packed))


@cache
def source(name: str) -> str:
    """Return an icon's SVG text with ``currentColor`` in it.

    Raises:
        KeyError: Lucide has no such icon.
    """
    return _archive().read(f"{name}.svg").decode("utf-8")


def svg(name: str, colour: QColor, size: int) -> bytes:
    """Return an icon's SVG in one colour; from 20 pixels on its lines are thinner."""
    text = source(name).replace("currentColor", colour.name())
    if size >= _THINNER_FROM:
        text = text.replace('stroke-width="2"', 'stroke-width="1.75"')
    return text.encode("utf-8")


def icon(name: str, colour: QColor, size: int = 16, ratio: float = 1.0) -> QPixmap:
    """Return an icon as a pixmap of ``size`` device-independent pixels.

    Args:
        name: Lucide's name, for example ``circle-check``.
        colour: what replaces ``currentColor``; take it from ``theme.token``.
        size: edge in device-independent pixels.
        ratio: device pixels per such pixel of the screen it is for; it is never drawn below 2.

    Raises:
        KeyError: Lucide has no such icon.
    """
    ratio = max(2.0, ratio)
    key = f"lucide/{name}/{colour.name()}/{size}/{ratio}"
    kept = QPixmap()
    if QPixmapCache.find(key, kept):
        return kept
    renderer = QSvgRenderer(QByteArray(svg(name, colour, size)))
    drawn = QPixmap(round(size * ratio), round(size * ratio))
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    renderer.render(painter, QRectF(drawn.rect()))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, drawn)
    return drawn


def icon_file(name: str, colour: str, folder: Path) -> Path:
    """Return a file with the icon in one colour, for style sheets, which can only name files."""
    path = folder / f"{name}.{colour.lstrip('#')}.svg"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(svg(name, QColor(colour), 14))
    Path(draft).replace(path)
    return path
