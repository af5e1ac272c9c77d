"""The stored pixels of one DICOM file (PS3.5): straight from it where they lie plain, else through a decoder.

Runs only in the reader's child. What compressed frames claim is compared with the header before a decoder believes it.
"""

from typing import TYPE_CHECKING, Any, Final

from app.records.description import plain
from app.records.dicom_elements import Header, number_of, read, text_of
from app.records.dicom_structure import Structure
from app.records.limits import Limits
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

_UNSUPPORTED: Final = "It uses {name}, which Assent cannot decode. Ask for it uncompressed, or in JPEG 2000 or JPEG-LS."
_SYNTAX_NAMES: Final = {
    "1.2.840.10008.1.2.4.51": "12-bit JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless",
}
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_NATIVE: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", _BIG_ENDIAN})
_J2K_SIZE_MARK: Final = b"\xff\x4f\xff\x51"
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode(ds: Any, structure: Structure, limits: Limits) -> tuple["np.ndarray[Any, Any]", str]:
    """Decode to (frame, row, column[, sample]), little-endian; return that and the photometric interpretation.

    Raises:
        RefusedError: no picture, too large, or a transfer syntax that cannot be decoded.
    """
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


def is_native(structure: Structure) -> bool:
    """Tell whether the pixels lie uncompressed in the file."""
    return structure.transfer_syntax_uid in _NATIVE and structure.pixels is not None


def native(
    ds: Header, structure: Structure, untrusted: memoryview, limits: Limits
) -> tuple["np.ndarray[Any, Any]", str]:
    """Return uncompressed grey pixels of whole bytes straight from the file; anything else goes through pydicom."""
    import numpy as np

    _check_size(ds, limits)
    bits, samples = int(ds.get("BitsAllocated", 0) or 0), int(ds.get("SamplesPerPixel", 1) or 1)
    if "FloatPixelData" in ds or "DoubleFloatPixelData" in ds or samples != 1 or bits not in (8, 16, 32):
        return decode(read(untrusted, stop_before_pixels=False), structure, limits)
    rows, columns = int(ds.get("Rows")), int(ds.get("Columns"))
    frames = max(int(number_of(ds.get("NumberOfFrames")) or 1), 1)
    order = ">" if structure.transfer_syntax_uid == _BIG_ENDIAN else "<"
    kind = np.dtype(f"{order}{'i' if ds.get('PixelRepresentation') else 'u'}{bits // 8}")
    offset, length = structure.pixels or (0, 0)
    count = rows * columns * frames
    if length < count * kind.itemsize or (order == ">" and bits == 8):  # noqa: PLR2004  -- OW swaps bytes in pairs
        return decode(read(untrusted, stop_before_pixels=False), structure, limits)
    array = np.frombuffer(untrusted, kind, count, offset).reshape(frames, rows, columns)
    stored = int(ds.get("BitsStored", bits) or bits)
    if stored < bits:
        # PS3.5 8.1.1: bits above the stored ones may hold anything; shift them out, with the sign if there is one.
        array = (array << (bits - stored)) >> (bits - stored)
    return array.astype(kind.newbyteorder("<"), copy=False), text_of(ds, "PhotometricInterpretation")


def _unsupported(syntax: str) -> RefusedError:
    from pydicom.uid import UID

    return RefusedError(_UNSUPPORTED.format(name=_SYNTAX_NAMES.get(syntax) or plain(UID(syntax).name)))


def _check_size(ds: Any, limits: Limits) -> None:
    rows, columns = int(ds.get("Rows", 0) or 0), int(ds.get("Columns", 0) or 0)
    frames = max(int(number_of(ds.get("NumberOfFrames")) or 1), 1)
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

    frames = max(int(number_of(ds.get("NumberOfFrames")) or 1), 1)
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
