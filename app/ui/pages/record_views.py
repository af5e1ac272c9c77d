"""From an open record to the widget that shows it: read off the GUI thread in the confined child, drawn here."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox

from app.records.images import Image, Unreadable, open_images
from app.records.refusal import RefusedError
from app.records.views import Chart, Document, Table, open_chart, open_document, open_table
from app.services.requests import short_id
from app.ui.kinds import purpose_text
from app.ui.pages.record_words import terms_facts, title_of
from app.ui.readers.chart import ChartReader
from app.ui.readers.document import DocumentReader
from app.ui.readers.frame import OpeningFacts, RecordFrame
from app.ui.readers.table import TableReader
from app.ui.viewer.page import ViewerPage
from app.ui.viewer.series import ImageSeries, Place, series_of
from app.ui.widgets import Button, ButtonKind, Toast
from app.ui.wording import iso_day_text, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.records.reader import ReaderProcess
    from app.services.openings import Opened
    from app.services.windows import OwnWindow
    from app.services.worklist import RecordRow
    from app.ui.pages.workplace import Workplace

_FIRST_PAGES: Final = 2
_CHECKED: Final = {"dicom": "File, pixels and header unchanged"}


@dataclass
class Read:
    """What was read of an open record; exactly one of the four is there. A worker may still be adding images.

    Attributes:
        images: in display order, with the names of the objects they came from.
        total: how many images there will be.
        is_shown: whether a frame shows it, while more may come.
        raw: the file as text, of charts and tables.
    """

    images: list[Image | Unreadable] = field(default_factory=list, repr=False)
    names: dict[int, str] = field(default_factory=dict, repr=False)
    total: int = 0
    is_shown: bool = False
    chart: Chart | None = None
    table: Table | None = None
    document: Document | None = None
    raw: str = field(default="", repr=False)

    @property
    def has_picture(self) -> bool:
        """Whether there is an image to begin with."""
        return any(isinstance(image, Image) for image in self.images)

    def forget(self) -> None:
        """Drop everything; called from either thread when the record ends."""
        self.images.clear()
        self.names.clear()
        self.chart = self.table = self.document = None
        self.raw = ""


def read_record(opened: Opened, reader: ReaderProcess, arrived: Callable[[Read], bool]) -> Read:
    """Read an open record; blocks.

    Args:
        opened: verified plaintext, all of it.
        reader: the confined reader.
        arrived: given what was read so far after each image, so that the first need not wait for the last; returns
            False to stop, and what was read is dropped then.

    Raises:
        RefusedError: it cannot be shown, and why.
    """
    content, kind = opened.objects, opened.manifest.kind
    if kind == "dicom":
        return _read_images(opened, reader, arrived)
    if kind == "fhir":
        return Read(chart=open_chart(reader, content[0]), raw=_text(content[0]))
    if kind == "csv":
        return Read(table=open_table(reader, content[0]), raw=_text(content[0]))
    if kind == "pdf":
        return Read(document=open_document(reader, content[0], count=_FIRST_PAGES))
    raise RefusedError("This version of Assent cannot show this kind of record. Update Assent.")


def _read_images(opened: Opened, reader: ReaderProcess, arrived: Callable[[Read], bool]) -> Read:
    names = [item.name for item in opened.manifest.objects]
    read = Read(total=len(names))
    with closing(open_images(reader, opened.objects)) as images:
        for name, image in zip(names, images, strict=False):  # fewer come when the record is closed meanwhile
            read.names[id(image)] = name
            read.images.append(image)
            if not arrived(read):
                read.forget()
                return read
    if read.images and not read.has_picture:
        reasons = [image.reason for image in read.images if isinstance(image, Unreadable)]
        raise RefusedError(reasons[0])
    return read


def _text(content: bytes | memoryview) -> str:
    return bytes(content).decode("utf-8", "replace")


def facts_of(row: RecordRow, opened: Opened, place: Workplace) -> OpeningFacts:
    """Return what the header of an open record says."""
    patient, day = row.patient, iso_day_text(row.made_on)
    return OpeningFacts(
        patient=patient.name,
        about=f"{iso_day_text(patient.birth_date)} · {patient.sex}" if patient.birth_date else "",
        title=f"{title_of(row)}, {day}",
        purpose=purpose_text(opened.access.purpose),
        consent=", ".join(short_id(each) for each in opened.access.consents),
        until=opened.until,
        recorded=f"Opening recorded {time_text(opened.access.at, place.zone, seconds=True)}",
        checked=_CHECKED.get(opened.manifest.kind, "File unchanged"),
        allowed=terms_facts(row, place, link=False)[1:-1],
    )


class RecordView(QObject):
    """One frame for one open record, and what it tells of itself.

    Args:
        row: the line it was opened from.
        opened: the record; names of objects are added to its ``viewed`` as they are shown.
        read: what was read of it.
        reader: renders further pages of documents.
        place: clock, zone, background.
        back: page that Esc leads to.

    Signals:
        suggestion_wanted: one row of a table that a model can read: its values by column name.
    """

    suggestion_wanted = Signal(object)

    def __init__(
        self,
        row: RecordRow,
        opened: Opened,
        read: Read,
        reader: ReaderProcess,
        place: Workplace,
        back: str = "Worklist",
    ) -> None:
        self._opened, self._read, self._reader, self._place = opened, read, reader, place
        self._taken = 0
        facts = replace(facts_of(row, opened, place), back=back)
        self.frame: RecordFrame = self._make(facts)
        super().__init__(self.frame)
        self._connect()

    def _make(self, facts: OpeningFacts) -> RecordFrame:
        clock, zone, read = self._place.clock, self._place.zone, self._read
        if read.images:
            images = tuple(read.images)
            self._taken = len(images)
            return ViewerPage(facts, self._awaited(series_of(images), {}), clock, zone)
        if read.chart is not None:
            return ChartReader(facts, read.chart, read.raw, clock, zone)
        if read.table is not None:
            return TableReader(facts, read.table, read.raw, clock, zone)
        if read.document is not None:
            return DocumentReader(facts, read.document, clock, zone)
        raise RefusedError("There is nothing in this record that could be shown.")

    def _awaited(self, series: tuple[ImageSeries, ...], fresh: Mapping[int, int]) -> tuple[ImageSeries, ...]:
        """Say of each series how many images it will have; what is still to be read is expected in the last one."""
        for number, each in enumerate(series):
            each.expected = len(each) + fresh.get(number, 0)
        series[-1].expected += max(self._read.total - self._taken, 0)
        return series

    def add_arrived(self) -> None:
        """Show the images that were read since; nothing is added to a frame that has ended."""
        page, images = self.frame, tuple(self._read.images[self._taken :])
        if not isinstance(page, ViewerPage) or page.is_ended or not images:
            return
        self._taken += len(images)
        batches: dict[int, list[Image | Unreadable]] = {}
        for image in images:
            batches.setdefault(self._number_of(page, image), []).append(image)
        frames = {number: sum(map(frames_in, batch)) for number, batch in batches.items()}
        self._awaited(page.series, frames)
        for number, batch in batches.items():
            page.add_images(number, batch)

    @staticmethod
    def _number_of(page: ViewerPage, image: Image | Unreadable) -> int:
        """Return the series that an image belongs to, added if it is its first; the unreadable go with the last."""
        (alone,) = series_of([image])
        keys = [each.key for each in page.series]
        if alone.key in keys or not alone.key:
            return keys.index(alone.key) if alone.key in keys else len(keys) - 1
        page.add_series(ImageSeries(alone.key, alone.title, alone.group))
        return len(keys)

    def _connect(self) -> None:
        frame = self.frame
        if isinstance(frame, ViewerPage):
            frame.viewed.connect(self._note_image)
            self._offer_windows(frame)
            for canvas in frame.canvases:
                if canvas.series is not None:
                    self._note_image(canvas.series.key, canvas.index)
            return
        self._opened.viewed.update(item.name for item in self._opened.manifest.objects)
        if isinstance(frame, DocumentReader):
            frame.pages_wanted.connect(self._render)
        if isinstance(frame, TableReader) and self._opened.manifest.category == "cytology":
            self._offer_suggestion(frame)

    def _offer_windows(self, frame: ViewerPage) -> None:
        """Let the person save windows, and use those that were saved."""
        windows = self._place.windows
        if windows is None:
            return

        def run(work: Callable[[], tuple[OwnWindow, ...]]) -> None:
            self._place.background.run(self, work, self._show_windows, self._windows_failed)

        frame.save_wanted.connect(lambda window: run(lambda: windows.save(window)))
        frame.remove_wanted.connect(lambda key: run(lambda: windows.remove(key)))
        run(windows.read)

    def _show_windows(self, own: tuple[OwnWindow, ...]) -> None:
        if isinstance(self.frame, ViewerPage) and not self.frame.is_ended:
            self.frame.show_own_windows(own)

    def _windows_failed(self, _error: Exception) -> None:
        """A disk that refuses: said in the frame, and the record stays open."""
        if not self.frame.is_ended:
            Toast(self.frame, "Your own windows cannot be kept on this machine.", "triangle-alert")

    def _note_image(self, key: str, index: int) -> None:
        frame = self.frame
        if not isinstance(frame, ViewerPage):
            return
        series = next((each for each in frame.series if each.key == key), None)
        place = series.place(index) if series is not None and index < len(series) else None
        name = self._read.names.get(id(place.image)) if isinstance(place, Place) else None
        if name is not None:
            self._opened.viewed.add(name)

    def _render(self, first: int, count: int) -> None:
        objects = self._opened.objects
        if not objects:
            return
        content = objects[0]
        self._place.background.run(
            self,
            lambda: open_document(self._reader, content, first=first, count=count),
            self._add_pages,
            lambda _error: None,
        )

    def _add_pages(self, document: Document) -> None:
        if isinstance(self.frame, DocumentReader) and not self.frame.is_ended:
            self.frame.add_pages(document)

    def _offer_suggestion(self, frame: TableReader) -> None:
        table = self._read.table
        if table is None:
            return
        self.row_box = QComboBox()
        self.row_box.setAccessibleName("Row to judge")
        for number, cells in enumerate(table.rows, 1):
            self.row_box.addItem(f"Row {number}: {cells[0].text}")
        button = Button("Suggestion…", kind=ButtonKind.BARE, icon_name="chart-scatter", small=True)
        button.clicked.connect(self._want_suggestion)
        self.suggestion_button = button
        frame.toolbar.addStretch(1)
        frame.toolbar.addWidget(self.row_box)
        frame.toolbar.addWidget(button)
        frame.show_toolbar()

    def _want_suggestion(self) -> None:
        table = self._read.table
        if table is not None:
            self.suggestion_wanted.emit(row_values(table, self.row_box.currentIndex()))


def frames_in(image: Image | Unreadable) -> int:
    """Return how many places of a series an image takes."""
    return len(image.frames) if isinstance(image, Image) else 1


def row_values(table: Table, number: int) -> dict[str, object]:
    """Return one row's measurements by column name, as written; names and dates of samples are no measurements."""
    roles = set(table.roles.values())
    numeric = {
        place for row in table.rows for place, cell in enumerate(row) if cell.number is not None and place not in roles
    }
    return {
        column.name: cell.text
        for place, (column, cell) in enumerate(zip(table.columns, table.rows[number], strict=True))
        if place in numeric
    }
