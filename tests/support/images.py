"""Images without files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.records.description import Person
from app.records.images import Frame, Image


def plain(pixels: Any, **changed: Any) -> Image:
    """Return a grey image without anything of note; ``pixels`` is (frame, row, column)."""
    frame_fields = {"pixel_spacing", "windows", "slope", "intercept", "orientation"}
    frame = replace(
        Frame(1.0, 0.0, (), None, None, None, None), **{name: changed.pop(name) for name in frame_fields & set(changed)}
    )
    image = Image(
        pixels=pixels,
        frames=(frame,) * pixels.shape[0],
        series_instance_uid="1.2",
        modality="OT",
        photometric_interpretation="MONOCHROME2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        bits_stored=16,
        unit="stored",
        padding=None,
        modality_lut=None,
        voi_lut=None,
        palette=None,
        overlays=(),
        imager_pixel_spacing=None,
        frame_time_ms=None,
        lossy=False,
        person=Person(),
        study_date="",
        study_time="",
        study_description="",
        series_description="",
        patient_orientation=(),
        order=(0.0, 0.0, 0.0, 0.0),
        notes=(),
    )
    return replace(image, **changed)
