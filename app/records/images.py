"""Opened images as plain arrays and facts, read by the reader's child; no Qt, no pydicom, nothing on disk."""

import contextlib
import itertools
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.records.description import Person, plain
from app.records.reader import Buffer, ReaderProcess, ReaderSession, Reply
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, Any]

_AHEAD: Final = 2
_BAD: Final = "The reader's answer about this image is not usable. It is not shown."


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window in modality values (PS3.3 C.11.2); ``function`` is LINEAR, LINEAR_EXACT or SIGMOID."""

    center: float
    width: float
    name: str = ""
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class Lut:
    """A look-up table: values up to ``first`` give its first entry, those beyond its end the last."""

    first: int
    bits: int
    table: "Pixels"


@dataclass(frozen=True, slots=True)
class Overlay:
    """A one-bit plane over the picture; ``origin`` is row and column of its first pixel, counted from 1."""

    group: str
    origin: tuple[int, int]
    plane: "Pixels"


@dataclass(frozen=True, slots=True)
class Frame:
    """What is said of one frame.

    Attributes:
        slope: of stored values to modality values.
        intercept: likewise.
        windows: that the file offers, in its order.
        pixel_spacing: millimetres between rows, then between columns; None if not stated.
        slice_thickness: millimetres or None.
        position: of the first pixel in the patient, millimetres.
        orientation: direction of rows, then of columns.
    """

    slope: float
    intercept: float
    windows: tuple[Window, ...]
    pixel_spacing: tuple[float, float] | None
    slice_thickness: float | None
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Image:
    """One DICOM instance: frames in stored values (frame, row, column[, sample]) and what their display needs.

    Attributes:
        pixels: read-only, native byte order.
        frames: one for each frame.
        photometric_interpretation: of ``pixels`` as decoded.
        unit: of modality values: HU, the file's word, ``rescaled`` or ``stored``.
        padding: stored values from and to that are no measurement, or None.
        imager_pixel_spacing: at the detector, or None.
        frame_time_ms: between frames of a cine loop, or None.
        lossy: the file says that it was compressed with loss.
        notes: what could not be used, in words.
    """

    pixels: "Pixels"
    frames: tuple[Frame, ...]
    series_instance_uid: str
    modality: str
    photometric_interpretation: str
    transfer_syntax_uid: str
    bits_stored: int
    unit: str
    padding: tuple[int, int] | None
    modality_lut: Lut | None
    voi_lut: Lut | None
    palette: Lut | None
    overlays: tuple[Overlay, ...]
    imager_pixel_spacing: tuple[float, float] | None
    frame_time_ms: float | None
    lossy: bool
    person: Person
    study_date: str
    study_time: str
    study_description: str
    series_description: str
    patient_orientation: tuple[str, ...]
    order: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def is_color(self) -> bool:
        """Whether pixels have colours and no measurement."""
        return self.pixels.ndim == 4 or self.palette is not None  # noqa: PLR2004  -- frame, row, column, sample


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that cannot be shown, and why; the others can."""

    reason: str


def open_images(reader: ReaderProcess, objects: Iterable[Buffer], *, workers: int = 2) -> Generator[Image | Unreadable]:
    """Yield the images of a record in the manifest's order, the first as soon as its own object was read.

    Closing the generator ends the children.

    Args:
        reader: a running reader.
        objects: verified plaintexts, in display order; taken one by one, so they may be decrypted on the way.
        workers: children that read at the same time.
    """
    pending: deque[Future[Image | Unreadable]] = deque()
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(_Child(reader)) for _ in range(workers)]
        turns = itertools.cycle(children)
        rest = iter(objects)
        for content in itertools.islice(rest, 1):
            yield children[0].read(content)
        for content in rest:
            pending.append(next(turns).begin(content))
            if len(pending) > _AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


class _Child:
    """A child with a thread of its own that waits for it; started anew when an image ended it."""

    def __init__(self, reader: ReaderProcess) -> None:
        self._reader = reader
        self._session: ReaderSession | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="records-reader")

    def __enter__(self) -> "_Child":  # noqa: PYI034  -- final by its name
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        if self._session is not None:
            self._session.close()

    def begin(self, content: Buffer) -> Future[Image | Unreadable]:
        return self._thread.submit(self.read, content)

    def read(self, content: Buffer) -> Image | Unreadable:
        try:
            if self._session is None or not self._session.alive:
                self._session = self._reader.session("images")
            return image_of(self._session.ask("images", content))
        except RefusedError as refusal:
            return Unreadable(refusal.reason)


def image_of(reply: Reply) -> Image:
    """Return the image that a child described, each field checked.

    Raises:
        RefusedError: the answer has another form than promised.
    """
    try:
        return _image(reply.document, reply.arrays)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise RefusedError(_BAD) from None


def _image(row: Mapping[str, Any], arrays: tuple["Pixels", ...]) -> Image:
    pixels = arrays[0]
    frames = tuple(_frame(item, str(row["voi_function"])) for item in row["frames"])
    if pixels.ndim not in (3, 4) or len(frames) != pixels.shape[0]:
        raise ValueError(pixels.shape)
    luts = [_lut(item, arrays) for item in row["voi_luts"]]
    return Image(
        pixels=pixels,
        frames=frames,
        series_instance_uid=plain(str(row["series_instance_uid"])),
        modality=plain(str(row["modality"]), 16),
        photometric_interpretation=plain(str(row["photometric_interpretation"]), 20),
        transfer_syntax_uid=plain(str(row["transfer_syntax_uid"]), 64),
        bits_stored=int(row["bits_stored"]),
        unit=plain(str(row["unit"]), 16),
        padding=None if row["padding"] is None else (int(row["padding"][0]), int(row["padding"][1])),
        modality_lut=_lut(row["modality_lut"], arrays),
        voi_lut=luts[0] if luts else None,
        palette=_lut(row["palette"], arrays),
        overlays=tuple(
            Overlay(
                plain(str(item["group"]), 8), (int(item["origin"][0]), int(item["origin"][1])), arrays[item["array"]]
            )
            for item in row["overlays"]
        ),
        imager_pixel_spacing=_pair(row["imager_pixel_spacing"]),
        frame_time_ms=_optional(row["frame_time_ms"]),
        lossy=bool(row["lossy"]),
        person=Person(
            **{name: plain(str(row["person"][name])) for name in ("name", "birth_date", "sex", "identifier")}
        ),
        study_date=plain(str(row["study_date"]), 10),
        study_time=plain(str(row["study_time"]), 16),
        study_description=plain(str(row["study_description"])),
        series_description=plain(str(row["series_description"])),
        patient_orientation=tuple(plain(str(item), 8) for item in row["patient_orientation"]),
        order=tuple(float(item) for item in row["order"]),
        notes=tuple(plain(str(item), 300) for item in row["notes"]),
    )


def _frame(row: Mapping[str, Any], function: str) -> Frame:
    return Frame(
        slope=float(row["slope"]),
        intercept=float(row["intercept"]),
        windows=tuple(
            Window(float(item["center"]), float(item["width"]), plain(str(item["name"]), 40), function)
            for item in row["windows"]
        ),
        pixel_spacing=_pair(row["pixel_spacing"]),
        slice_thickness=_optional(row["slice_thickness"]),
        position=None if row["position"] is None else tuple(map(float, row["position"])),
        orientation=None if row["orientation"] is None else tuple(map(float, row["orientation"])),
    )


def _lut(row: Mapping[str, Any] | None, arrays: tuple["Pixels", ...]) -> Lut | None:
    if row is None:
        return None
    table = arrays[int(row["array"])]
    if not table.size or not 0 < int(row["bits"]) <= 16:  # noqa: PLR2004  -- PS3.3 C.11.1.1
        raise ValueError(row)
    return Lut(int(row["first"]), int(row["bits"]), table)


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)
