"""A series as the canvas shows it: opened images, frame after frame, with what stands in the corners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.records import rendering
from app.records.images import Image, Unreadable, Window
from app.ui.wording import iso_day_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Place:
    """One frame of one image."""

    image: Image
    frame: int


@dataclass
class ImageSeries:
    """Images of one series in display order; more may come while the first is already shown.

    Attributes:
        key: what makes it the same series.
        title: "Lung 1.0 mm".
        group: the study's day, heading of its thumbnails.
        expected: how many images will come; for the bar in the thumbnail.
        flags: PRIOR, LOSSY, DE-IDENTIFIED, "AI allowed": shown where true.
    """

    key: str
    title: str
    group: str = ""
    expected: int = 0
    flags: tuple[str, ...] = ()
    places: list[Place | Unreadable] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.places)

    def add(self, images: Iterable[Image | Unreadable]) -> None:
        """Append images as they are opened."""
        for image in images:
            if isinstance(image, Unreadable):
                self.places.append(image)
            else:
                self.places.extend(Place(image, frame) for frame in range(len(image.frames)))

    def clear(self) -> None:
        """Forget all pixels."""
        self.places.clear()

    def place(self, index: int) -> Place | Unreadable:
        """Return one frame, or why it cannot be shown.

        Raises:
            IndexError: there is none with this number.
        """
        return self.places[index]


def series_of(images: Iterable[Image | Unreadable], flags: tuple[str, ...] = ()) -> tuple[ImageSeries, ...]:
    """Sort images into series by UID, in the order of their first image; the unreadable go with the one before."""
    found: dict[str, ImageSeries] = {}
    last = ImageSeries("", "Images")
    for image in images:
        if isinstance(image, Image):
            key = image.series_instance_uid
            if key not in found:
                title = image.series_description or image.study_description or image.modality
                found[key] = ImageSeries(key, title, iso_day_text(image.study_date), flags=flags)
                if len(found) == 1:
                    found[key].places += last.places
            last = found[key]
        last.add([image])
    return tuple(found.values()) or ((last,) if len(last) else ())


def corner_texts(series: ImageSeries, index: int, window: Window | None, zoom: float) -> tuple[tuple[str, ...], ...]:
    """Return the lines of the four corners: top left, top right, bottom left, bottom right."""
    place = series.place(index)
    number = f"Im {index + 1}/{len(series)}"
    if isinstance(place, Unreadable):
        return (), (series.title, number), (), ()
    image, frame = place.image, place.image.frames[place.frame]
    sex = {"female": "F", "male": "M"}.get(image.person.sex, image.person.sex)
    born = f"{iso_day_text(image.person.birth_date)} {sex}".strip()
    clock = (
        f"{image.study_time[:2]}:{image.study_time[2:4]}" if image.study_time[:4].isdigit() else image.study_time[:5]
    )
    made = f"{image.modality} {iso_day_text(image.study_date)} {clock}".strip()
    flags = (*series.flags, *(("LOSSY",) if image.lossy else ()))
    windowed = () if window is None else (f"W {window.width:.0f}  C {window.center:.0f}".replace("-", "−"),)
    bottom_right = []
    if frame.position is not None and len(frame.position) > 2:  # noqa: PLR2004 (x, y, z)
        bottom_right.append(f"z {frame.position[2]:.1f} mm".replace("-", "−"))
    if frame.pixel_spacing is not None:
        parts = [f"{value:.2f}" for value in frame.pixel_spacing]
        if frame.slice_thickness is not None:
            parts.append(f"{frame.slice_thickness:.1f}")
        bottom_right.append(" × ".join(parts) + " mm")
    else:
        bottom_right.append("not calibrated")
    return (
        (image.person.name, born, made, *flags),
        (series.title, number),
        (*windowed, f"Zoom {zoom * 100:.0f} %"),
        tuple(bottom_right),
    )


def picture(place: Place, window: Window | None, *, inverted: bool) -> NDArray[np.uint8]:
    """Return a frame as 8-bit grey or RGB through the display pipeline of ``app.records.rendering``."""
    if place.image.is_color:
        return rendering.colors(place.image, place.frame)
    return rendering.shades(place.image, place.frame, window, inverted=inverted)
