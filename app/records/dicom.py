"""What the child reads from one DICOM file with pydicom: description for import, frames for display (PS3.3, PS3.5).

Runs only in the reader's child. Values that a file states wrongly (NaN, 1e308, width 0) are passed on as absent, with
a note: the picture is then shown without them, and says so.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from app.records.description import RESOURCE_SYSTEM, SERVICE_SYSTEM, Category, plain
from app.records.dicom_display import frame, look_up_table, overlays, padding, palette, unit
from app.records.dicom_elements import UID_LETTERS, day_of, number_of, numbers_of, read, several, text_of, uid_of
from app.records.dicom_pixels import decode, is_native, native
from app.records.dicom_structure import survey
from app.records.limits import Limits
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

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
_UIDS: Final = {
    "study_instance_uid": "StudyInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "sop_instance_uid": "SOPInstanceUID",
}


def describe(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], tuple[()]]:
    """Return what an import needs to know of one instance; pixels are not decoded.

    Raises:
        RefusedError: not DICOM, outside the limits, a directory, or without valid UIDs.
    """
    del arguments
    structure = survey(untrusted, limits)
    ds = read(untrusted, stop_before_pixels=True)
    if (
        str(ds.get("SOPClassUID", "")) == _DIRECTORY_CLASS
        or str(ds.dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY_CLASS
    ):
        raise RefusedError("It is a DICOMDIR, a list of other files. Choose the folder that holds the images instead.")
    uids = {name: uid_of(ds, keyword) for name, keyword in _UIDS.items()}
    modality = text_of(ds, "Modality") or "OT"
    return {
        **uids,
        "pixels": structure.pixels,
        "modality": modality,
        "category": _category(modality),
        "classes": _classes(modality),
        "codes": sorted(_codes(ds)),
        "date": day_of(ds, "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
        "restricted": bool(text_of(ds, "ConfidentialityConstraintOnPatientDataDescription")),
        "display": _display(ds, modality),
        "person": _person(ds),
        "order": _order(ds),
    }, ()


def images(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], Sequence["np.ndarray[Any, Any]"]]:
    """Return the frames of one instance in stored values, and all that their display needs.

    Raises:
        RefusedError: outside the limits, no pixels, or a transfer syntax that cannot be decoded.
    """
    del arguments
    structure = survey(untrusted, limits)
    is_plain = is_native(structure)
    ds = read(untrusted, stop_before_pixels=is_plain)
    notes: list[str] = []
    frames, photometric = native(ds, structure, untrusted, limits) if is_plain else decode(ds, structure, limits)
    arrays: list[Any] = [frames]
    return {
        "series_instance_uid": plain(text_of(ds, "SeriesInstanceUID"), UID_LETTERS),
        "modality": text_of(ds, "Modality") or "OT",
        "photometric_interpretation": photometric,
        "transfer_syntax_uid": structure.transfer_syntax_uid,
        "bits_stored": int(ds.get("BitsStored", 8) or 8),
        "signed": bool(ds.get("PixelRepresentation", 0)),
        "lossy": text_of(ds, "LossyImageCompression") == "01",
        "padding": padding(ds),
        "unit": unit(ds),
        "frame_time_ms": number_of(ds.get("FrameTime")),
        "imager_pixel_spacing": numbers_of(ds.get("ImagerPixelSpacing"), 2),
        "modality_lut": look_up_table(ds, "ModalityLUTSequence", arrays),
        "voi_luts": [found for found in (look_up_table(ds, "VOILUTSequence", arrays),) if found],
        "voi_function": text_of(ds, "VOILUTFunction") or "LINEAR",
        "palette": palette(ds, arrays),
        "overlays": overlays(ds, arrays),
        "frames": [frame(ds, index, notes) for index in range(frames.shape[0])],
        "person": _person(ds),
        "order": _order(ds),
        "study_date": day_of(ds, "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
        "study_time": text_of(ds, "StudyTime"),
        "study_description": plain(text_of(ds, "StudyDescription")),
        "series_description": plain(text_of(ds, "SeriesDescription")),
        "patient_orientation": [plain(str(value), 8) for value in several(ds.get("PatientOrientation"))],
        "notes": sorted(set(notes)),
    }, arrays


def _person(ds: Any) -> dict[str, str]:
    parts = [part for part in str(ds.get("PatientName", "") or "").split("=")[0].split("^") if part.strip()]
    sex = {"F": "female", "M": "male", "O": "other"}.get(text_of(ds, "PatientSex"), "unknown")
    return {
        "name": plain(" ".join([*parts[1:2], *parts[:1]])),
        "birth_date": day_of(ds, "PatientBirthDate"),
        "sex": sex,
        "identifier": plain(text_of(ds, "PatientID")),
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
        for item in several(ds.get(keyword)):
            system = _CODE_SYSTEMS.get(text_of(item, "CodingSchemeDesignator"))
            if system and text_of(item, "CodeValue"):
                codes.add(f"{system}|{plain(text_of(item, 'CodeValue'), 64)}")
    return codes


def _display(ds: Any, modality: str) -> str:
    word = _WORDS.get(modality, plain(modality, 16))
    what = plain(text_of(ds, "BodyPartExamined").lower() or text_of(ds, "StudyDescription"), 80)
    return what if what.upper().startswith(modality) else f"{word} {what}".strip()


def _order(ds: Any) -> list[float]:
    """Return series number, position along the slice normal, acquisition and instance number, to sort by."""
    position = numbers_of(ds.get("ImagePositionPatient"), 3)
    orientation = numbers_of(ds.get("ImageOrientationPatient"), 6)
    along = 0.0
    if position and orientation:
        (a, b, c), (d, e, f) = orientation[:3], orientation[3:]
        normal = (b * f - c * e, c * d - a * f, a * e - b * d)
        along = round(sum(x * y for x, y in zip(position, normal, strict=True)), 4)
    series = number_of(ds.get("SeriesNumber")) or 0.0
    return [series, along, number_of(ds.get("AcquisitionNumber")) or 0.0, number_of(ds.get("InstanceNumber")) or 0.0]
