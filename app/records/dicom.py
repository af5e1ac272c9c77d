"""What the child reads from one DICOM file with pydicom: description for import, frames for display (PS3.3, PS3.5).

Runs only in the reader's child. Values that a file states wrongly (NaN, 1e308, width 0) are passed on as absent, with
a note: the picture is then shown without them, and says so.
"""

import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from app.records.description import RESOURCE_SYSTEM, SERVICE_SYSTEM, Category, plain
from app.records.dicom_structure import Structure, survey
from app.records.limits import Limits
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_UID_LETTERS: Final = 64
_DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"
_MODALITY_SYSTEM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_SERVICES: Final = {
    "CT": "CT",
    "MR": "NMR",
    "CR": "RX",
    "DX": "RX",
    "MG": "RX",
    "RF": "RX",
    "XA": "XRC",
    "US": "RUS",
    "NM": "NMS",
    "PT": "NMS",
    "ECG": "EC",
    "RTDOSE": "RT",
    "RTPLAN": "RT",
    "RTSTRUCT": "RT",
    "SM": "SP",
}
_CODE_SYSTEMS: Final = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SRT": "http://snomed.info/srt",
    "DCM": _MODALITY_SYSTEM,
    "UCUM": "http://unitsofmeasure.org",
}
_HEART: Final = frozenset({"ECG", "HD", "EPS"})
_DOCUMENTS: Final = frozenset({"SR", "DOC", "KO", "PR", "PLAN"})
_WORDS: Final = {
    "CR": "X-ray",
    "DX": "X-ray",
    "RF": "Fluoroscopy",
    "XA": "Angiography",
    "US": "Ultrasound",
    "MG": "Mammography",
    "PT": "PET",
    "NM": "Nuclear medicine",
    "SM": "Slide microscopy",
    "SEG": "Segmentation",
    "SR": "Structured report",
    "RTDOSE": "Radiation dose",
    "RTPLAN": "Radiation plan",
    "RTSTRUCT": "Radiation structures",
    "OT": "Image",
}
_UNSUPPORTED: Final = "It uses {name}, which Assent cannot decode. Ask for it uncompressed, or in JPEG 2000 or JPEG-LS."
_SYNTAX_NAMES: Final = {
    "1.2.840.10008.1.2.4.51": "12-bit JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless",
}
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_NATIVE: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", _BIG_ENDIAN})
_OVERLAY_GROUPS: Final = frozenset(range(0x6000, 0x6020, 2))
_J2K_SIZE_MARK: Final = b"\xff\x4f\xff\x51"
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def describe(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], tuple[()]]:
    """Return what an import needs to know of one instance; pixels are not decoded.

    Raises:
        RefusedError: not DICOM, outside the limits, a directory, or without valid UIDs.
    """
    del arguments
    structure = survey(untrusted, limits)
    ds = _read(untrusted, stop_before_pixels=True)
    if (
        str(ds.get("SOPClassUID", "")) == _DIRECTORY_CLASS
        or str(ds.dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY_CLASS
    ):
        raise RefusedError("It is a DICOMDIR, a list of other files. Choose the folder that holds the images instead.")
    uids = {name: _uid(ds, keyword) for name, keyword in _UIDS.items()}
    modality = _text(ds, "Modality") or "OT"
    return {
        **uids,
        "pixels": structure.pixels,
        "modality": modality,
        "category": _category(modality),
        "classes": _classes(modality),
        "codes": sorted(_codes(ds)),
        "date": _date(ds, "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
        "restricted": bool(_text(ds, "ConfidentialityConstraintOnPatientDataDescription")),
        "display": _display(ds, modality),
        "person": _person(ds),
        "order": _order(ds),
    }, ()


_UIDS: Final = {
    "study_instance_uid": "StudyInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "sop_instance_uid": "SOPInstanceUID",
}


def images(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], Sequence["np.ndarray[Any, Any]"]]:
    """Return the frames of one instance in stored values, and all that their display needs.

    Raises:
        RefusedError: outside the limits, no pixels, or a transfer syntax that cannot be decoded.
    """
    del arguments
    structure = survey(untrusted, limits)
    native = _is_native(structure)
    ds = _read(untrusted, stop_before_pixels=native)
    notes: list[str] = []
    frames, photometric = _native(ds, structure, untrusted, limits) if native else _decode(ds, structure, limits)
    arrays: list[Any] = [frames]
    return {
        "series_instance_uid": plain(_text(ds, "SeriesInstanceUID"), _UID_LETTERS),
        "modality": _text(ds, "Modality") or "OT",
        "photometric_interpretation": photometric,
        "transfer_syntax_uid": structure.transfer_syntax_uid,
        "bits_stored": int(ds.get("BitsStored", 8) or 8),
        "signed": bool(ds.get("PixelRepresentation", 0)),
        "lossy": _text(ds, "LossyImageCompression") == "01",
        "padding": _padding(ds),
        "unit": _unit(ds),
        "frame_time_ms": _number(ds.get("FrameTime")),
        "imager_pixel_spacing": _numbers(ds.get("ImagerPixelSpacing"), 2),
        "modality_lut": _lut(ds, "ModalityLUTSequence", arrays),
        "voi_luts": [found for found in (_lut(ds, "VOILUTSequence", arrays),) if found],
        "voi_function": _text(ds, "VOILUTFunction") or "LINEAR",
        "palette": _palette(ds, arrays),
        "overlays": _overlays(ds, arrays),
        "frames": [_frame(ds, index, notes) for index in range(frames.shape[0])],
        "person": _person(ds),
        "order": _order(ds),
        "study_date": _date(ds, "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
        "study_time": _text(ds, "StudyTime"),
        "study_description": plain(_text(ds, "StudyDescription")),
        "series_description": plain(_text(ds, "SeriesDescription")),
        "patient_orientation": [plain(str(value), 8) for value in _several(ds.get("PatientOrientation"))],
        "notes": sorted(set(notes)),
    }, arrays


class _Header:
    """A data set whose absent elements cost nothing to ask for; most of those asked for are absent."""

    def __init__(self, ds: Any) -> None:
        from pydicom.datadict import tag_for_keyword

        self.dataset = ds
        self._tag_of = tag_for_keyword
        self._tags = frozenset(map(int, ds.keys()))

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return an element's value, or ``default`` if it is absent."""
        tag = self._tag_of(keyword)
        return self.dataset[tag].value if tag in self._tags else default

    def __contains__(self, keyword: str) -> bool:
        return self._tag_of(keyword) in self._tags


def _read(untrusted: memoryview, *, stop_before_pixels: bool) -> _Header:
    import pydicom

    return _Header(pydicom.dcmread(io.BytesIO(untrusted), stop_before_pixels=stop_before_pixels))


def _text(ds: Any, keyword: str) -> str:
    value = ds.get(keyword)
    return "" if value is None else str(value).strip(" \0")


def _several(value: Any) -> list[Any]:
    if value is None or isinstance(value, str | bytes):
        return [] if value is None else [value]
    return list(value) if isinstance(value, Iterable) else [value]


def _number(value: Any) -> float | None:
    """Return a finite number or None; files write NaN, blanks and words where numbers belong."""
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _numbers(value: Any, count: int) -> list[float] | None:
    numbers = [number for number in map(_number, _several(value)) if number is not None]
    return numbers if len(numbers) == count == len(_several(value)) else None


def _uid(ds: Any, keyword: str) -> str:
    uid = _text(ds, keyword)
    if not _UID.fullmatch(uid) or len(uid) > _UID_LETTERS:
        raise RefusedError(f"Its {keyword} is no valid UID. Ask for the file to be exported again.")
    return uid


def _date(ds: Any, *keywords: str) -> str:
    """Return an ISO day as written; a DICOM date has no zone and is never shifted (CASES.md 9)."""
    for keyword in keywords:
        text = _text(ds, keyword).replace(".", "")
        try:
            return dt.datetime.strptime(text, "%Y%m%d").date().isoformat()  # noqa: DTZ007  -- a day, no instant
        except ValueError:
            continue
    return ""


def _person(ds: Any) -> dict[str, str]:
    parts = [part for part in str(ds.get("PatientName", "") or "").split("=")[0].split("^") if part.strip()]
    sex = {"F": "female", "M": "male", "O": "other"}.get(_text(ds, "PatientSex"), "unknown")
    return {
        "name": plain(" ".join([*parts[1:2], *parts[:1]])),
        "birth_date": _date(ds, "PatientBirthDate"),
        "sex": sex,
        "identifier": plain(_text(ds, "PatientID")),
    }


def _category(modality: str) -> str:
    if modality in _HEART:
        return Category.HEART
    return Category.DOCUMENT if modality in _DOCUMENTS else Category.IMAGE


def _classes(modality: str) -> list[str]:
    classes = [f"{RESOURCE_SYSTEM}|ImagingStudy", f"{_MODALITY_SYSTEM}|{plain(modality, 16)}"]
    if modality in _SERVICES:
        classes.append(f"{SERVICE_SYSTEM}|{_SERVICES[modality]}")
    return classes


def _codes(ds: Any) -> set[str]:
    codes = set()
    for keyword in ("ProcedureCodeSequence", "AnatomicRegionSequence", "RequestedProcedureCodeSequence"):
        for item in _several(ds.get(keyword)):
            system = _CODE_SYSTEMS.get(_text(item, "CodingSchemeDesignator"))
            if system and _text(item, "CodeValue"):
                codes.add(f"{system}|{plain(_text(item, 'CodeValue'), 64)}")
    return codes


def _display(ds: Any, modality: str) -> str:
    word = _WORDS.get(modality, plain(modality, 16))
    what = plain(_text(ds, "BodyPartExamined").lower() or _text(ds, "StudyDescription"), 80)
    return what if what.upper().startswith(modality) else f"{word} {what}".strip()


def _order(ds: Any) -> list[float]:
    """Return series number, position along the slice normal, acquisition and instance number, to sort by."""
    position = _numbers(ds.get("ImagePositionPatient"), 3)
    orientation = _numbers(ds.get("ImageOrientationPatient"), 6)
    along = 0.0
    if position and orientation:
        (a, b, c), (d, e, f) = orientation[:3], orientation[3:]
        normal = (b * f - c * e, c * d - a * f, a * e - b * d)
        along = round(sum(x * y for x, y in zip(position, normal, strict=True)), 4)
    series = _number(ds.get("SeriesNumber")) or 0.0
    return [series, along, _number(ds.get("AcquisitionNumber")) or 0.0, _number(ds.get("InstanceNumber")) or 0.0]


def _decode(ds: Any, structure: Structure, limits: Limits) -> tuple["np.ndarray[Any, Any]", str]:
    import numpy as np
    from pydicom.pixels.decoders.base import get_decoder

    if not any(keyword in ds for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise RefusedError("It holds no picture; its values are in the file itself.")
    _check_size(ds, limits)
    try:
        decoder = get_decoder(structure.transfer_syntax_uid)
    except NotImplementedError:
        raise _unsupported(structure.transfer_syntax_uid) from None
    if not decoder.is_available:
        raise _unsupported(structure.transfer_syntax_uid)
    _check_codestreams(ds, structure, limits)
    array, meta = decoder.as_array(ds.dataset, raw=True)
    photometric = str(meta["photometric_interpretation"])
    samples = int(meta["samples_per_pixel"])
    if array.ndim == (3 if samples > 1 else 2):
        array = array[np.newaxis]
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return array, photometric


def _is_native(structure: Structure) -> bool:
    return structure.transfer_syntax_uid in _NATIVE and structure.pixels is not None


def _native(
    ds: _Header, structure: Structure, untrusted: memoryview, limits: Limits
) -> tuple["np.ndarray[Any, Any]", str]:
    """Return uncompressed grey pixels of whole bytes straight from the file; anything else goes through pydicom."""
    import numpy as np

    _check_size(ds, limits)
    bits, samples = int(ds.get("BitsAllocated", 0) or 0), int(ds.get("SamplesPerPixel", 1) or 1)
    if "FloatPixelData" in ds or "DoubleFloatPixelData" in ds or samples != 1 or bits not in (8, 16, 32):
        return _decode(_read(untrusted, stop_before_pixels=False), structure, limits)
    rows, columns = int(ds.get("Rows")), int(ds.get("Columns"))
    frames = max(int(_number(ds.get("NumberOfFrames")) or 1), 1)
    order = ">" if structure.transfer_syntax_uid == _BIG_ENDIAN else "<"
    kind = np.dtype(f"{order}{'i' if ds.get('PixelRepresentation') else 'u'}{bits // 8}")
    offset, length = structure.pixels or (0, 0)
    count = rows * columns * frames
    if length < count * kind.itemsize or (order == ">" and bits == 8):  # noqa: PLR2004  -- OW swaps bytes in pairs
        return _decode(_read(untrusted, stop_before_pixels=False), structure, limits)
    array = np.frombuffer(untrusted, kind, count, offset).reshape(frames, rows, columns)
    stored = int(ds.get("BitsStored", bits) or bits)
    if stored < bits:
        # PS3.5 8.1.1: bits above the stored ones may hold anything; shift them out, with the sign if there is one.
        array = (array << (bits - stored)) >> (bits - stored)
    return array.astype(kind.newbyteorder("<"), copy=False), _text(ds, "PhotometricInterpretation")


def _unsupported(syntax: str) -> RefusedError:
    from pydicom.uid import UID

    return RefusedError(_UNSUPPORTED.format(name=_SYNTAX_NAMES.get(syntax) or plain(UID(syntax).name)))


def _check_size(ds: Any, limits: Limits) -> None:
    rows, columns = int(ds.get("Rows", 0) or 0), int(ds.get("Columns", 0) or 0)
    frames = max(int(_number(ds.get("NumberOfFrames")) or 1), 1)
    each = int(ds.get("SamplesPerPixel", 1) or 1) * max(int(ds.get("BitsAllocated", 8) or 8) // 8, 1)
    if not rows or not columns:
        raise RefusedError("It does not say how large its picture is. Ask for the file to be exported again.")
    if (total := rows * columns * frames * each) > limits.output_bytes:
        raise RefusedError(
            f"Unpacked, it would need {total >> 20} MiB; at most {limits.output_bytes >> 20} MiB are shown."
        )


def _check_codestreams(ds: Any, structure: Structure, limits: Limits) -> None:
    """Compare what compressed frames claim with what the header claims, before a decoder believes them."""
    if structure.pixels is None or not structure.transfer_syntax_uid.startswith("1.2.840.10008.1.2.4"):
        return
    from pydicom.encaps import generate_frames

    frames = max(int(_number(ds.get("NumberOfFrames")) or 1), 1)
    most = int(ds.get("Rows")) * int(ds.get("Columns")) * 4
    for frame in generate_frames(ds.get("PixelData"), number_of_frames=frames):
        at = frame[:64].find(_J2K_SIZE_MARK)
        claimed = 0
        if at >= 0:
            size = frame[at + 8 : at + 24]
            width, height, left, top = (int.from_bytes(size[step : step + 4], "big") for step in range(0, 16, 4))
            claimed = (width - left) * (height - top)
        elif frame.startswith(b"\xff\xd8"):
            precision, claimed = _jpeg_frame(frame)
            if precision > 8 and structure.transfer_syntax_uid.endswith((".50", ".51")):  # noqa: PLR2004 (bits)
                raise _unsupported("1.2.840.10008.1.2.4.51")
        if claimed > most or claimed > limits.output_bytes:
            raise RefusedError(
                f"Its compressed picture claims {claimed:,} pixels where the header says "
                f"{ds.get('Rows')} by {ds.get('Columns')}. It is not opened."
            )


def _jpeg_frame(frame: bytes) -> tuple[int, int]:
    """Return bits per sample and pixel count from the first frame header of a JPEG stream."""
    at = 2
    while at + 9 < len(frame):
        mark, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if mark in _JPEG_FRAMES or mark == 0xF7:  # noqa: PLR2004  -- JPEG-LS
            height, width = (int.from_bytes(frame[at + step : at + step + 2], "big") for step in (5, 7))
            return frame[at + 4], width * height
        at += 2 + length
    return 8, 0


def _padding(ds: Any) -> list[int] | None:
    """Return the stored values from and to which pixels are no measurement, or None (PS3.3 C.7.5.1.1.2)."""
    first = ds.get("PixelPaddingValue")
    last = ds.get("PixelPaddingRangeLimit", first)
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    return [min(first, last), max(first, last)]


def _unit(ds: Any) -> str:
    """Name the unit of modality values: HU for CT, the file's own word, ``rescaled``, or ``stored``."""
    if "DoseGridScaling" in ds:
        return plain(_text(ds, "DoseUnits") or "dose", 16)
    stated = plain(_text(ds, "RescaleType"), 16)
    if (
        "RescaleSlope" not in ds
        and "ModalityLUTSequence" not in ds
        and not _group(ds, 0, "PixelValueTransformationSequence")
    ):
        return "stored"
    if _text(ds, "Modality") == "CT" and stated in ("", "HU", "US"):
        return "HU"
    return "rescaled" if stated in ("", "US") else stated


def _group(ds: Any, index: int, keyword: str) -> Any:
    """Return a functional group of one frame, its own before the shared one (PS3.3 C.7.6.16)."""
    own = _several(ds.get("PerFrameFunctionalGroupsSequence"))
    shared = _several(ds.get("SharedFunctionalGroupsSequence"))
    for holder in (*own[index : index + 1], *shared[:1]):
        items = _several(holder.get(keyword))
        if items:
            return items[0]
    return None


def _frame(ds: Any, index: int, notes: list[str]) -> dict[str, object]:
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
        "slice_thickness": _number(measures.get("SliceThickness")),
        "position": _numbers(place.get("ImagePositionPatient"), 3),
        "orientation": _numbers(plane.get("ImageOrientationPatient"), 6),
    }


def _rescale(ds: Any, holder: Any, notes: list[str]) -> tuple[float, float]:
    if "DoseGridScaling" in ds:
        scaling = _number(ds.get("DoseGridScaling"))
        return (1.0 if scaling is None else scaling), 0.0
    if "RescaleSlope" not in holder and "RescaleIntercept" not in holder:
        return 1.0, 0.0
    slope, intercept = _number(holder.get("RescaleSlope")), _number(holder.get("RescaleIntercept"))
    largest = 2.0**32
    if not slope or intercept is None or not math.isfinite(slope * largest + intercept):
        notes.append("The file's rescale values cannot be used; stored values are shown.")
        return 1.0, 0.0
    return slope, intercept


def _windows(holder: Any, notes: list[str]) -> list[dict[str, object]]:
    centers, widths = _several(holder.get("WindowCenter")), _several(holder.get("WindowWidth"))
    names = [plain(str(name), 40) for name in _several(holder.get("WindowCenterWidthExplanation"))]
    windows: list[dict[str, object]] = []
    for index, (center, width) in enumerate(zip(map(_number, centers), map(_number, widths), strict=False)):
        if center is None or width is None or width <= 0:
            notes.append("A window of this file has width 0 or no value; it is not used.")
            continue
        windows.append({"center": center, "width": width, "name": names[index] if index < len(names) else ""})
    return windows


def _spacing(holder: Any, notes: list[str]) -> list[float] | None:
    spacing = _numbers(holder.get("PixelSpacing"), 2)
    if spacing is not None and min(spacing) <= 0:
        notes.append("The file's pixel spacing is not above zero; lengths are shown in pixels.")
        return None
    return spacing


def _lut(ds: Any, keyword: str, arrays: list[Any]) -> dict[str, object] | None:
    """Return a look-up table's first mapped value and the place of its data (PS3.3 C.11.1, C.11.2)."""
    import numpy as np

    items = _several(ds.get(keyword))
    if not items:
        return None
    descriptor = [int(value) for value in _several(items[0].get("LUTDescriptor"))]
    raw = items[0].get("LUTData")
    if len(descriptor) != 3:  # noqa: PLR2004 (entries, first, bits)
        return None
    entries = descriptor[0] or 65536
    if isinstance(raw, bytes):
        table = np.frombuffer(raw, "<u2" if len(raw) >= 2 * entries else "<u1")[:entries].astype("<u2")
    else:
        table = np.asarray(_several(raw)[:entries]).astype("<u2")
    if len(table) != entries:
        return None
    arrays.append(table)
    return {"first": descriptor[1], "bits": descriptor[2], "array": len(arrays) - 1}


def _palette(ds: Any, arrays: list[Any]) -> dict[str, object] | None:
    import numpy as np

    if _text(ds, "PhotometricInterpretation") != "PALETTE COLOR":
        return None
    tables = []
    first = bits = 0
    for color in ("Red", "Green", "Blue"):
        descriptor = [int(value) for value in _several(ds.get(f"{color}PaletteColorLookupTableDescriptor"))]
        raw = ds.get(f"{color}PaletteColorLookupTableData")
        if len(descriptor) != 3 or not isinstance(raw, bytes):  # noqa: PLR2004 (as above)
            raise RefusedError("Its colour table is missing or in a form that Assent cannot show (segmented).")
        entries, first, bits = descriptor[0] or 65536, descriptor[1], descriptor[2]
        table = np.frombuffer(raw, "<u2" if len(raw) >= 2 * entries else "<u1")[:entries]
        tables.append(np.pad(table.astype("<u2"), (0, entries - len(table)), mode="edge"))
    arrays.append(np.stack(tables))
    return {"first": first, "bits": bits, "array": len(arrays) - 1}


def _overlays(ds: Any, arrays: list[Any]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    dataset = ds.dataset
    present = {tag.group for tag in dataset.keys()}  # noqa: SIM118  -- iterating a data set converts its elements
    for group in sorted(present & _OVERLAY_GROUPS):
        if (group, 0x3000) not in dataset or (group, 0x0010) not in dataset:
            continue
        arrays.append(dataset.overlay_array(group).astype("u1"))
        stated = dataset[group, 0x0050].value if (group, 0x0050) in dataset else None
        origin = [int(value) for value in _several(stated)] or [1, 1]
        found.append({"group": f"{group:04x}", "origin": origin[:2], "array": len(arrays) - 1})
    return found
