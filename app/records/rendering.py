"""From stored values to what is seen and read out (PS3.3 C.11, C.7.6.3): padding, modality, window, then inversion.

Pure functions on arrays. A window is applied through a table over the stored values, since a picture has far more
pixels than values; ``exact`` computes the same without a table, and tests compare the two.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.records.images import Frame, Image, Lut, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Bytes = NDArray[np.uint8]

PRESETS: Final = (
    Window(-550, 1600, "Lung"),
    Window(50, 400, "Soft tissue"),
    Window(300, 1500, "Bone"),
    Window(40, 80, "Brain"),
    Window(60, 160, "Liver"),
)
"""CT presets of keys 1 to 5 (SCREENS.md f)."""
_SHADES: Final = 255.0
_TABLE_BITS: Final = 16
_SIGMOID: Final = "SIGMOID"
_EXACT: Final = "LINEAR_EXACT"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The window to begin with, and what must be said about the choice (empty if it is the file's own)."""

    window: Window | None
    note: str


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What lies under the pointer: stored samples, and for a measurement its value with unit."""

    stored: tuple[int | float, ...]
    value: float | None
    unit: str

    @property
    def text(self) -> str:
        """The read-out in words: ``354 HU``, or the colour."""
        if self.value is None:
            return " / ".join(f"{sample:g}" for sample in self.stored)
        return f"{self.value:.6g}" if self.unit == "stored" else f"{self.value:.6g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of an area's measured pixels; the deviation is that of the population."""

    pixels: int
    mean: float
    deviation: float
    minimum: float
    maximum: float
    area_mm2: float | None


@dataclass(frozen=True, slots=True)
class Length:
    """A distance with the unit it may be told in, and what must be said beside it."""

    value: float
    unit: str
    qualifier: str

    @property
    def text(self) -> str:
        """The length in words, never plain millimetres when it is not calibrated."""
        shown = f"{self.value:.1f} {self.unit}"
        return f"{shown} {self.qualifier}" if self.qualifier else shown


def modality_values(image: Image, index: int) -> "Values":
    """Return a frame in modality values; padding pixels are NaN."""
    stored = image.pixels[index]
    values = _to_modality(stored, image, image.frames[index])
    if image.padding is not None:
        first, last = image.padding
        values[(stored >= first) & (stored <= last)] = np.nan
    return values


def _to_modality(stored: "NDArray[Any]", image: Image, frame: Frame) -> "Values":
    if image.modality_lut is not None:
        return _look_up(image.modality_lut, stored).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return stored.astype(np.float64) * frame.slope + frame.intercept


def _look_up(lut: Lut, values: "NDArray[Any]") -> "NDArray[Any]":
    """Return table entries; values outside the table give its first or last entry (PS3.3 C.11.1.1.1)."""
    places = np.clip(np.floor(values.astype(np.float64)) - lut.first, 0, lut.table.shape[-1] - 1)
    return lut.table[..., np.nan_to_num(places).astype(np.intp)]


def voi_output(image: Image, index: int) -> "NDArray[Any]":
    """Return a frame through the file's VOI LUT, in the table's own bits.

    Raises:
        ValueError: the file has none.
    """
    if image.voi_lut is None:
        raise ValueError("no VOI LUT")
    return _look_up(image.voi_lut, _to_modality(image.pixels[index], image, image.frames[index]))


def usable(window: Window) -> tuple[Window | None, str]:
    """Return the window as it can be applied, and what to say if it cannot be applied as it stands (CASES.md 3)."""
    if not (np.isfinite(window.center) and np.isfinite(window.width)) or window.width <= 0:
        return None, "This window has no width above zero; the full range is shown."
    if window.function not in (_SIGMOID, _EXACT) and window.width < 1:
        return (
            Window(window.center, window.width, window.name, _EXACT),
            "LINEAR is not defined below width 1; LINEAR_EXACT is used.",
        )
    return window, ""


def exact(values: "Values", window: Window) -> "Values":
    """Return unrounded shades 0 to 255 (PS3.3 C.11.2.1.2 and C.11.2.1.3). The window must be ``usable``."""
    center, width = window.center, window.width
    with np.errstate(over="ignore", invalid="ignore"):
        if window.function == _SIGMOID:
            return _SHADES / (1 + np.exp(-4 * (values - center) / width))
        if window.function == _EXACT:
            return np.clip((values - center) / width + 0.5, 0, 1) * _SHADES
        if width == 1:
            return np.where(values > center - 0.5, _SHADES, 0.0)
        return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * _SHADES


def full_range(image: Image, index: int) -> Window:
    """Return the window in which the frame's least value is black and its largest white; padding counts too."""
    values = _to_modality(image.pixels[index], image, image.frames[index])
    finite = values[np.isfinite(values)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    frame = image.frames[index]
    if image.modality_lut is None and not (frame.slope.is_integer() and image.pixels.dtype.kind in "iu"):
        return Window((least + most) / 2, max(most - least, np.finfo(np.float64).tiny), "Full range", _EXACT)
    return Window((least + most + 1) / 2, most - least + 1, "Full range")


def first_window(image: Image, index: int) -> Chosen:
    """Choose how a frame is first shown: the file's VOI LUT or first window, for CT soft tissue, else all values."""
    if image.is_color:
        return Chosen(None, "")
    if image.voi_lut is not None:
        return Chosen(None, "")
    for offered in image.frames[index].windows:
        window, note = usable(offered)
        if window is not None:
            return Chosen(window, note)
    if image.unit == "HU":
        window = PRESETS[1]
        return Chosen(window, f"The file has no window; {window.name} {window.center:g}/{window.width:g} was chosen.")
    return Chosen(full_range(image, index), "The file has no window; the full range is shown.")


def shades(image: Image, index: int, window: Window | None, *, inverted: bool = False) -> "Bytes":
    """Return a grey frame as 8-bit shades; ``window`` None means the file's VOI LUT.

    MONOCHROME1 is inverted after the window; ``inverted`` turns the display once more, never the values (CASES.md 2).
    """
    stored = image.pixels[index]
    flip = (image.photometric_interpretation == "MONOCHROME1") != inverted
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > _TABLE_BITS // 8:
        return _rounded(_shaded(stored, image, index, window), flip=flip)
    every = np.arange(1 << 8 * stored.dtype.itemsize, dtype=np.int64)
    unsigned = np.dtype(f"u{stored.dtype.itemsize}")
    table = _rounded(_shaded(every.astype(unsigned).view(stored.dtype), image, index, window), flip=flip)
    shaded: Bytes = np.take(table, stored.view(unsigned))
    return shaded


def _shaded(stored: "NDArray[Any]", image: Image, index: int, window: Window | None) -> "Values":
    values = _to_modality(stored, image, image.frames[index])
    if window is not None:
        return exact(values, window)
    if image.voi_lut is None:
        return exact(values, full_range(image, index))
    return _look_up(image.voi_lut, values).astype(np.float64) * (_SHADES / ((1 << image.voi_lut.bits) - 1))


def _rounded(unrounded: "Values", *, flip: bool) -> "Bytes":
    turned = _SHADES - unrounded if flip else unrounded
    return np.clip(np.floor(np.nan_to_num(turned) + 0.5), 0, 255).astype(np.uint8)


def colors(image: Image, index: int) -> "Bytes":
    """Return a colour frame as 8-bit RGB; palette and 16-bit samples by their high byte.

    Raises:
        ValueError: the image is grey, or in a colour space that is not shown.
    """
    stored = image.pixels[index]
    if image.palette is not None:
        entries = _look_up(image.palette, stored)
        shift = max(image.palette.bits - 8, 0)
        return np.ascontiguousarray(np.moveaxis(entries >> shift, 0, -1).astype(np.uint8))
    if stored.ndim != 3 or stored.shape[-1] != 3:  # noqa: PLR2004  -- row, column, three samples
        raise ValueError("no colour image")
    if stored.dtype.itemsize > 1:
        stored = (stored >> max(image.bits_stored - 8, 0)).astype(np.uint8)
    if image.photometric_interpretation.startswith("YBR_FULL"):
        return _from_ybr(stored)
    if image.photometric_interpretation != "RGB":
        raise ValueError(image.photometric_interpretation)
    return np.ascontiguousarray(stored.astype(np.uint8))


def _from_ybr(stored: "NDArray[Any]") -> "Bytes":
    """PS3.3 C.7.6.3.1.2."""
    luma, blue, red = (stored[..., sample].astype(np.float64) for sample in range(3))
    blue -= 128
    red -= 128
    channels = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return np.clip(np.floor(np.stack(channels, axis=-1) + 0.5), 0, 255).astype(np.uint8)


def read_out(image: Image, index: int, row: int, column: int) -> ReadOut:
    """Return what is stored at a place, and its measured value; a padding pixel has none.

    Raises:
        IndexError: the place is outside the picture.
    """
    stored = image.pixels[index]
    if not (0 <= row < stored.shape[0] and 0 <= column < stored.shape[1]):
        raise IndexError((row, column))
    if image.is_color:
        samples = colors(image, index)[row, column]
        return ReadOut(tuple(int(sample) for sample in samples), None, "RGB")
    sample = stored[row, column]
    value = float(_to_modality(stored[row : row + 1, column : column + 1], image, image.frames[index])[0, 0])
    if image.padding is not None and image.padding[0] <= sample <= image.padding[1]:
        return ReadOut((sample.item(),), None, "no measurement")
    return ReadOut((sample.item(),), value, image.unit)


def statistics(image: Image, index: int, inside: "NDArray[np.bool_]") -> Statistics | None:
    """Return an area's statistics, or None if no measured pixel is inside; never NaN or infinity (CASES.md 1)."""
    values = modality_values(image, index)[inside]
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    spacing = image.frames[index].pixel_spacing
    area = None if spacing is None else values.size * spacing[0] * spacing[1]
    return Statistics(
        pixels=int(values.size),
        mean=float(values.mean()),
        deviation=float(values.std()),
        minimum=float(values.min()),
        maximum=float(values.max()),
        area_mm2=area,
    )


def length(image: Image, index: int, first: tuple[float, float], last: tuple[float, float]) -> Length:
    """Return the distance of two places ``(row, column)``; the first spacing is that between rows (CASES.md 4, 5)."""
    rows, columns = last[0] - first[0], last[1] - first[1]
    spacing, qualifier = image.frames[index].pixel_spacing, ""
    if spacing is None and image.imager_pixel_spacing is not None and min(image.imager_pixel_spacing) > 0:
        spacing, qualifier = image.imager_pixel_spacing, "at detector, not calibrated"
    if spacing is None:
        return Length(float(np.hypot(rows, columns)), "px", "not calibrated")
    return Length(float(np.hypot(rows * spacing[0], columns * spacing[1])), "mm", qualifier)


def edge_letters(image: Image, index: int) -> tuple[str, str, str, str]:
    """Return the patient's directions at the left, right, top and bottom edge (R L A P H F), empty if not stated."""
    orientation = image.frames[index].orientation
    if orientation is None:
        ends = image.patient_orientation
        return (_opposite(ends[0]), ends[0], _opposite(ends[1]), ends[1]) if len(ends) > 1 else ("", "", "", "")
    right, bottom = _letters(orientation[:3]), _letters(orientation[3:])
    return _opposite(right), right, _opposite(bottom), bottom


def _letters(direction: tuple[float, ...]) -> str:
    """Name a direction by its largest parts, largest first (PS3.3 C.7.6.1.1.1)."""
    axes = sorted(zip(map(abs, direction), ("LR", "PA", "HF"), direction, strict=True), reverse=True)
    oblique = 0.3
    return "".join(names[0 if part > 0 else 1] for size, names, part in axes[:2] if size > oblique)


def _opposite(letters: str) -> str:
    return letters.translate(str.maketrans("LRPAHF", "RLAPFH"))
