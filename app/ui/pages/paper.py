"""What a patient takes home on paper: receipts and her list, as PDF by Qt's own writer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QMarginsF, QSizeF, QUrl
from PySide6.QtGui import QPageLayout, QPageSize, QPdfWriter, QTextDocument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PySide6.QtGui import QImage, QPagedPaintDevice

_STYLE = """
body { font-family:"IBM Plex Sans","Noto Sans",sans-serif; font-size:10pt }
h1 { font-size:16pt } td { padding:2px 10px 2px 0 } .name { font-style:italic }
"""


def paragraphs(title: str, texts: Sequence[str]) -> str:
    """Return a heading with paragraphs as HTML; every text is escaped."""
    return f"<h1>{escape(title)}</h1>" + "".join(f"<p>{escape(text)}</p>" for text in texts)


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Return names and values as a table."""
    lines = (f'<tr><td class="name">{escape(name)}</td><td>{escape(value)}</td></tr>' for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with a head."""
    first = "".join(f'<td class="name"><b>{escape(each)}</b></td>' for each in head)
    rest = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{first}</tr>{rest}</table>"


def write_pdf(path: Path, title: str, body: str, image: QImage | None = None, *, landscape: bool = False) -> None:
    """Write one PDF.

    Args:
        path: where.
        title: of the document.
        body: HTML of this module's functions; an image is ``<img src="image">``.
        image: the QR code.
        landscape: for wide tables.

    Raises:
        OSError: it cannot be written there.
    """
    with path.open("wb"):
        pass  # QPdfWriter says nothing of a folder that cannot be written
    writer = QPdfWriter(str(path))
    writer.setTitle(title)
    writer.setCreator("Assent")
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    if landscape:
        writer.setPageOrientation(QPageLayout.Orientation.Landscape)
    print_on(writer, body, image)
    if not path.stat().st_size:
        raise OSError(str(path))


def print_on(device: QPagedPaintDevice, body: str, image: QImage | None = None) -> None:
    """Print on a printer, or into a file.

    Args:
        device: whose paper is chosen already.
        body: HTML of this module's functions; an image is ``<img src="image">``.
        image: the QR code.
    """
    device.setPageMargins(QMarginsF(20, 18, 20, 18), QPageLayout.Unit.Millimeter)
    document = QTextDocument()
    document.setDefaultStyleSheet(_STYLE)
    if image is not None:
        document.addResource(QTextDocument.ResourceType.ImageResource, QUrl("image"), image)
    document.setHtml(f"<body>{body}</body>")
    dots = device.pageLayout().paintRectPixels(device.logicalDpiX())
    document.setPageSize(QSizeF(dots.size()))
    document.print_(device)
