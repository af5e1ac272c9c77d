"""Builders for tests of the desktop: images without files, pages that remember, clocks that stand still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app.records.description import Person
from app.records.images import Frame, Image, Window
from app.ui.page import Page
from app.ui.readers.frame import OpeningFacts
from app.ui.viewer.series import ImageSeries
from app.ui.widgets import Button, KeyLine, PaletteItem, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

ALMA = Person(name="Alma Fictive", birth_date="1961-03-14", sex="female", identifier="000-417")


class Clock:
    """A clock that moves only when told."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    def seconds(self) -> int:
        """Whole seconds, as services give them."""
        return int(self.now)


def ct_image(stored: Any, *, series: str = "1.2.3", spacing: tuple[float, float] | None = (0.5, 0.5)) -> Image:
    """Make a CT image with intercept -1024; ``stored`` is (frame, row, column)."""
    pixels = np.asarray(stored, dtype=np.int16)
    frame = Frame(1.0, -1024.0, (Window(50, 400, "Soft tissue"),), spacing, 2.0, (0.0, 0.0, -142.0), (1, 0, 0, 0, 1, 0))
    return Image(
        pixels=pixels,
        frames=(frame,) * pixels.shape[0],
        series_instance_uid=series,
        modality="CT",
        photometric_interpretation="MONOCHROME2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        bits_stored=16,
        unit="HU",
        padding=None,
        modality_lut=None,
        voi_lut=None,
        palette=None,
        overlays=(),
        imager_pixel_spacing=None,
        frame_time_ms=None,
        lossy=False,
        person=ALMA,
        study_date="2026-11-24",
        study_time="091500",
        study_description="CT chest",
        series_description="Lung 1.0 mm",
        patient_orientation=(),
        order=(),
        notes=(),
    )


def ct_series(count: int = 5, edge: int = 64, *, key: str = "1.2.3") -> ImageSeries:
    """Make a series whose frame ``n`` is ``1024 + 10 n`` stored everywhere, with one bright corner at the top left."""
    stored = np.full((count, edge, edge), 1024, dtype=np.int16) + (10 * np.arange(count, dtype=np.int16))[:, None, None]
    stored[:, : edge // 8, : edge // 8] = 2024
    series = ImageSeries(key, "Lung 1.0 mm", "24 Nov 2026")
    series.add([ct_image(stored, series=key)])
    return series


def opening(until: int | None = 1_000 + 86_400, *, emergency: bool = False) -> OpeningFacts:
    """Make the facts of an opening of Alma's CT."""
    return OpeningFacts(
        "Alma Fictive",
        "14 Mar 1961 · female",
        "CT chest, 24 Nov 2026",
        "Treatment",
        "C-4RT8",
        until,
        "Opening recorded 14:33:02",
        "File, pixels and header unchanged",
        emergency=emergency,
    )


class NotedPage(Page):
    """A page with a patient's name on it that remembers what the window asked of it."""

    def __init__(self, name: str = "Alma Fictive") -> None:
        super().__init__()
        self.asked: list[str] = []
        self.name = label(name)
        self.button = Button("Open", parent=self)
        self.name.setParent(self)

    def refresh(self) -> None:
        """Remember."""
        self.asked.append("refresh")

    def blank(self) -> None:
        """Remember, and forget the name."""
        self.asked.append("blank")
        self.name.clear()

    def escape(self) -> bool:
        """Remember."""
        self.asked.append("escape")
        return True

    def focus_filter(self) -> None:
        """Remember."""
        self.asked.append("filter")

    def panes(self) -> tuple[QWidget, ...]:
        """One pane."""
        return (self.button,)

    def keys(self) -> tuple[KeyLine, ...]:
        """One key."""
        return (KeyLine("N", "Ask for access"),)

    def palette_items(self) -> tuple[PaletteItem, ...]:
        """One action."""
        return (PaletteItem("Actions", "Ask for access…", lambda: self.asked.append("ask"), "send"),)
