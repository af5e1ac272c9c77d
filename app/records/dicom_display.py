"""What the display of DICOM pixels needs (PS3.3 C.7.6, C.11): rescale, windows, tables, spacing, overlays.

Runs only in the reader's child. Values that a file states wrongly are passed on as absent, with a note.
"""

import math
from typing import Any, Final

from app.records.description import plain
from app.records.dicom_elements import number_of, numbers_of, several, text_of
from app.records.refusal import RefusedError

_OVERLAY_GROUPS: Final = frozenset(range(0x6000, 0x6020, 2))


def padding(ds: Any) -> list[int] | None:
    """Return the stored values from and to which pixels are no measurement, or None (PS3.3 C.7.5.1.1.2)."""
    first = ds.get("PixelPaddingValue")
    last = ds.get("PixelPaddingRangeLimit", first)
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    return [min(first, last), max(first, last)]


def unit(ds: Any) -> str:
    """Name the unit of modality values: HU for CT, the file's own word, ``rescaled``, or ``stored``."""
    if "DoseGridScaling" in ds:
        return plain(text_of(ds, "DoseUnits") or "dose", 16)
    stated = plain(text_of(ds, "RescaleType"), 16)
    if (
        "RescaleSlope" not in ds
        and "ModalityLUTSequence" not in ds
        and not _group(ds, 0, "PixelValueTransformationSequence")
    ):
        return "stored"
    if text_of(ds, "Modality") == "CT" and stated in ("", "HU", "US"):
        return "HU"
    return "rescaled" if stated in ("", "US") else stated


def _group(ds: Any, index: int, keyword: str) -> Any:
    """Return a functional group of one frame, its own before the shared one (PS3.3 C.7.6.16)."""
    own = several(ds.get("PerFrameFunctionalGroupsSequence"))
    shared = several(ds.get("SharedFunctionalGroupsSequence"))
    for holder in (*own[index : index + 1], *shared[:1]):
        items = several(holder.get(keyword))
        if items:
            return items[0]
    return None


def frame(ds: Any, index: int, notes: list[str]) -> dict[str, object]:
    """Return what one frame's display needs: rescale, windows, spacing in mm, and its place in the patient."""
    transformation = _group(ds, index, "PixelValueTransformationSequence") or ds
    measures = _group(ds, index, "PixelMeasuresSequence") or ds
    place = _group(ds, index, "PlanePositionSequence") or ds
    plane = _group(ds, index, "PlaneOrientationSequence") or ds
    slope, intercept = _rescale(ds, transformation, notes)
    return {
        "slope": slope,
        "intercept": intercept,
        "windows": _windows(_group(ds, index, "FrameVOILUTSequence") or ds, notes),
        "pixel_spacing": _spacing(measures, notes),
        "slice_thickness": number_of(measures.get("SliceThickness")),
        "position": numbers_of(place.get("ImagePositionPatient"), 3),
        "orientation": numbers_of(plane.get("ImageOrientationPatient"), 6),
    }


def _rescale(ds: Any, holder: Any, notes: list[str]) -> tuple[float, float]:
    if "DoseGridScaling" in ds:
        scaling = number_of(ds.get("DoseGridScaling"))
        return (1.0 if scaling is None else scaling), 0.0
    if "RescaleSlope" not in holder and "RescaleIntercept" not in holder:
        return 1.0, 0.0
    slope, intercept = number_of(holder.get("RescaleSlope")), number_of(holder.get("RescaleIntercept"))
    largest = 2.0**32
    if not slope or intercept is None or not math.isfinite(slope * largest + intercept):
        notes.append("The file's rescale values cannot be used; stored values are shown.")
        return 1.0, 0.0
    return slope, intercept


def _windows(holder: Any, notes: list[str]) -> list[dict[str, object]]:
    centers, widths = several(holder.get("WindowCenter")), several(holder.get("WindowWidth"))
    names = [plain(str(name), 40) for name in several(holder.get("WindowCenterWidthExplanation"))]
    windows: list[dict[str, object]] = []
    for index, (center, width) in enumerate(zip(map(number_of, centers), map(number_of, widths), strict=False)):
        if center is None or width is None or width <= 0:
            notes.append("A window of this file has width 0 or no value; it is not used.")
            continue
        windows.append({"center": center, "width": width, "name": names[index] if index < len(names) else ""})
    return windows


def _spacing(holder: Any, notes: list[str]) -> list[float] | None:
    spacing = numbers_of(holder.get("PixelSpacing"), 2)
    if spacing is not None and min(spacing) <= 0:
        notes.append("The file's pixel spacing is not above zero; lengths are shown in pixels.")
        return None
    return spacing


def look_up_table(ds: Any, keyword: str, arrays: list[Any]) -> dict[str, object] | None:
    """Return a look-up table's first mapped value and the place of its data (PS3.3 C.11.1, C.11.2)."""
    import numpy as np

    items = several(ds.get(keyword))
    if not items:
        return None
    descriptor = [int(value) for value in several(items[0].get("LUTDescriptor"))]
    raw = items[0].get("LUTData")
    if len(descriptor) != 3:  # noqa: PLR2004 (entries, first, bits)
        return None
    entries = descriptor[0] or 65536
    if isinstance(raw, bytes):
        table = np.frombuffer(raw, "<u2" if len(raw) >= 2 * entries else "<u1")[:entries].astype("<u2")
    else:
        table = np.asarray(several(raw)[:entries]).astype("<u2")
    if len(table) != entries:
        return None
    arrays.append(table)
    return {"first": descriptor[1], "bits": descriptor[2], "array": len(arrays) - 1}


def palette(ds: Any, arrays: list[Any]) -> dict[str, object] | None:
    """Return the place of the colour table of PALETTE COLOR, or None (PS3.3 C.7.6.3.1.5).

    Raises:
        RefusedError: it is missing or segmented.
    """
    import numpy as np

    if text_of(ds, "PhotometricInterpretation") != "PALETTE COLOR":
        return None
    tables = []
    first = bits = 0
    for color in ("Red", "Green", "Blue"):
        descriptor = [int(value) for value in several(ds.get(f"{color}PaletteColorLookupTableDescriptor"))]
        raw = ds.get(f"{color}PaletteColorLookupTableData")
        if len(descriptor) != 3 or not isinstance(raw, bytes):  # noqa: PLR2004 (as above)
            raise RefusedError("Its colour table is missing or in a form that Assent cannot show (segmented).")
        entries, first, bits = descriptor[0] or 65536, descriptor[1], descriptor[2]
        table = np.frombuffer(raw, "<u2" if len(raw) >= 2 * entries else "<u1")[:entries]
        tables.append(np.pad(table.astype("<u2"), (0, entries - len(table)), mode="edge"))
    arrays.append(np.stack(tables))
    return {"first": first, "bits": bits, "array": len(arrays) - 1}


def overlays(ds: Any, arrays: list[Any]) -> list[dict[str, object]]:
    """Return group, origin and place in ``arrays`` of each overlay plane (PS3.3 C.9.2)."""
    found: list[dict[str, object]] = []
    dataset = ds.dataset
    present = {tag.group for tag in dataset.keys()}  # noqa: SIM118  -- iterating a data set converts its elements
    for group in sorted(present & _OVERLAY_GROUPS):
        if (group, 0x3000) not in dataset or (group, 0x0010) not in dataset:
            continue
        arrays.append(dataset.overlay_array(group).astype("u1"))
        stated = dataset[group, 0x0050].value if (group, 0x0050) in dataset else None
        origin = [int(value) for value in several(stated)] or [1, 1]
        found.append({"group": f"{group:04x}", "origin": origin[:2], "array": len(arrays) - 1})
    return found
