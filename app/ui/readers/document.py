"""A document as pictures of its pages; nothing in it is ever run or followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QPlainTextEdit, QScrollArea, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.ui.pixels import image_of
from app.ui.readers.frame import OpeningFacts, RecordFrame
from app.ui.theme import TextSize, font, scaled, token
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.text import TextKind, label
from app.ui.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from app.records.views import Document

_WIDTH, _SMALLEST, _LARGEST = 820, 0.5, 3.0
_PORTRAIT = 1.414


class PageView(QWidget):
    """One page; until its picture came it is an empty sheet with its number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self._image: QImage | None = None
        self._pixels: Any = None
        self._zoom = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Page {number + 1}")

    @property
    def is_shown(self) -> bool:
        """Whether its picture is here."""
        return self._image is not None

    def show_picture(self, pixels: Any, text: str) -> None:
        """Show an RGB picture (row, column, 3); its words are for screen readers."""
        self._pixels = pixels
        self._image = image_of(pixels)
        self.setAccessibleDescription(text)
        self.updateGeometry()
        self.update()

    def set_zoom(self, zoom: float) -> None:
        """Draw larger or smaller."""
        self._zoom = zoom
        self.updateGeometry()
        self.update()

    def blank(self) -> None:
        """Forget the picture and the words."""
        self._image, self._pixels = None, None
        self.setAccessibleDescription("")
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        width = round(scaled(_WIDTH) * self._zoom)
        ratio = self._image.height() / self._image.width() if self._image is not None else _PORTRAIT
        return QSize(width, round(width * ratio))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), self._image)
            return
        painter.fillRect(self.rect(), token("raised", self))
        painter.setFont(font(TextSize.BODY))
        painter.setPen(token("text2", self))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, f"Page {self.number + 1}")


class DocumentReader(RecordFrame):
    """Pages below each other; ``pages_wanted`` asks for those that came into sight: first number and how many.

    Args:
        facts: of this opening.
        document: the first pages; the others come with ``add_pages``.
        clock: seconds UTC.
        zone: where the person is.
    """

    pages_wanted = Signal(int, int)

    def __init__(
        self, facts: OpeningFacts, document: Document, clock: Callable[[], int], zone: tzinfo | None = None
    ) -> None:
        super().__init__(facts, clock, zone)
        self.pages = [PageView(number) for number in range(document.page_count)]
        self._asked: set[int] = set()
        self._zoom = 1.0
        inner = QWidget()
        inner.setProperty("scrolled", "true")
        column = QVBoxLayout(inner)
        column.setSpacing(scaled(16))
        for page in self.pages:
            column.addWidget(page, 0, Qt.AlignmentFlag.AlignHCenter)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setWidget(inner)
        self.area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        self.area.setAccessibleName("Pages")
        self.text_view = QPlainTextEdit()
        self.text_view.setReadOnly(True)
        self.text_view.setAccessibleName("Words of the document")
        self._texts: dict[int, str] = {}
        self._views = QStackedWidget()
        self._views.addWidget(self.area)
        self._views.addWidget(self.text_view)
        self._make_toolbar()
        self.bottom.addWidget(label(count_text(document.page_count, "page", "pages"), TextKind.CAPTION))
        self.bottom.addStretch(1)
        self.bottom.addWidget(
            label("Nothing on disk in plain; scripts and links of the file never run", TextKind.CAPTION)
        )
        self.add_pages(document)
        self.set_body(self._views)
        self.area.verticalScrollBar().valueChanged.connect(self._look)
        self.area.verticalScrollBar().rangeChanged.connect(self._look)

    def _make_toolbar(self) -> None:
        for text, icon_name, act in (
            ("Larger", "zoom-in", lambda: self.zoom(1.2)),
            ("Smaller", "zoom-out", lambda: self.zoom(1 / 1.2)),
            ("Words only", "file-text", self.toggle_text),
        ):
            button = Button(text, kind=ButtonKind.BARE, icon_name=icon_name, small=True)
            button.clicked.connect(lambda _checked=False, act=act: act())
            self.toolbar.addWidget(button)
        self.toolbar.addStretch(1)
        self.show_toolbar()

    def add_pages(self, document: Document) -> None:
        """Show pages that were rendered meanwhile."""
        for page in document.pages:
            self.pages[page.number].show_picture(page.picture, page.text)
            self._texts[page.number] = page.text
        self.text_view.setPlainText("\n\n".join(self._texts[number] for number in sorted(self._texts)))

    def zoom(self, factor: float) -> None:
        """Draw the pages larger or smaller."""
        self._zoom = min(_LARGEST, max(_SMALLEST, self._zoom * factor))
        for page in self.pages:
            page.set_zoom(self._zoom)

    def toggle_text(self) -> None:
        """Show the words instead of the pictures, or the pictures again."""
        self._views.setCurrentIndex(1 - self._views.currentIndex())

    def _look(self) -> None:
        """Ask once for the pages in sight and the one after them."""
        top = self.area.verticalScrollBar().value()
        bottom = top + self.area.viewport().height()
        for page in self.pages:
            near = page.y() < bottom + page.height() and page.y() + page.height() > top
            if near and not page.is_shown and page.number not in self._asked:
                self._asked.add(page.number)
                self.pages_wanted.emit(page.number, 1)

    def forget(self, body: QWidget) -> None:
        """Drop pictures and words."""
        super().forget(body)
        for page in self.pages:
            page.blank()
        self._texts = {}
        self.text_view.clear()
