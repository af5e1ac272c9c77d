"""How everything looks right now: scheme, text size and row height, applied to the whole application at once.

Like Qt's own application palette there is one look per process. Widgets ask for a colour by its token's name while
they paint, so a change of theme needs no second construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import platformdirs
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.theme import stylesheet
from app.ui.theme.tokens import Scheme, TextSize, colours, families, length, mono_family, text_style

if TYPE_CHECKING:
    from pathlib import Path

_SCHEME: Final = "scheme"
"""Dynamic property of a widget under which another scheme holds (the viewer's)."""

_SYSTEM: Final = {
    "text": QPalette.ColorRole.WindowText,
    "window": QPalette.ColorRole.Window,
    "rail": QPalette.ColorRole.Window,
    "header": QPalette.ColorRole.Window,
    "sunken": QPalette.ColorRole.Window,
    "raised": QPalette.ColorRole.Window,
    "hover": QPalette.ColorRole.Window,
    "tint": QPalette.ColorRole.Window,
    "button": QPalette.ColorRole.ButtonText,
    "surface": QPalette.ColorRole.Base,
    "bg": QPalette.ColorRole.Base,
    "selected": QPalette.ColorRole.Highlight,
    "selected_text": QPalette.ColorRole.HighlightedText,
    "accent": QPalette.ColorRole.Highlight,
    "on": QPalette.ColorRole.HighlightedText,
    "focus": QPalette.ColorRole.WindowText,
    "link": QPalette.ColorRole.Link,
    "emergency": QPalette.ColorRole.Highlight,
    "danger": QPalette.ColorRole.Highlight,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What a person chose under Settings.

    Attributes:
        scheme: light or dark.
        text_scale: factor of all type and of row heights, 1.0 to 1.5.
        compact: rows of 30 instead of 36 pixels.
        high_contrast: the system asks for high contrast: no style sheet, the system's palette.
    """

    scheme: Scheme = Scheme.LIGHT
    text_scale: float = 1.0
    compact: bool = False
    high_contrast: bool = False


class _Current:
    """The one look of the process."""

    look = Look()


def look() -> Look:
    """Return the look that holds now."""
    return _Current.look


def wants_high_contrast() -> bool:
    """Whether the system asks for high contrast."""
    hints = QApplication.styleHints()
    accessibility = hints.accessibility()  # it dies with a wrapper of its parent that nothing holds (tried)
    return bool(accessibility.contrastPreference().value)


def wants_dark() -> bool:
    """Whether the system prefers dark (theme "System" under Settings)."""
    return QApplication.styleHints().colorScheme().name == "Dark"


def apply(application: QApplication, new: Look) -> None:
    """Give the whole application ``new``: style, palette, font, style sheet; open windows follow at once."""
    _Current.look = new
    _colour.cache_clear()
    application.setStyle("Fusion")
    application.setFont(font(TextSize.BODY))
    if new.high_contrast:
        application.setPalette(application.style().standardPalette())
        application.setStyleSheet("")
    else:
        application.setPalette(palette(new.scheme))
        application.setStyleSheet(stylesheet.render(new.scheme, new.text_scale, cache_folder()))
    for widget in QApplication.allWidgets():
        if widget.property(_SCHEME) is not None:
            _restyle(widget)
        widget.updateGeometry()
        widget.update()


def read_dark(widget: QWidget) -> None:
    """Put ``widget`` and all it holds under the reading palette (viewer and readers), whatever the theme."""
    widget.setProperty(_SCHEME, Scheme.READING.value)
    _restyle(widget)


def _restyle(widget: QWidget) -> None:
    if look().high_contrast:
        widget.setPalette(QPalette())
        widget.setStyleSheet("")
        return
    widget.setPalette(palette(Scheme.READING))
    widget.setStyleSheet(stylesheet.render(Scheme.READING, look().text_scale, cache_folder()))


def scheme_of(widget: QWidget | None) -> Scheme:
    """Return the scheme that holds for ``widget``: its own, or that of the nearest widget around it that has one."""
    while widget is not None:
        if (own := widget.property(_SCHEME)) is not None:
            return Scheme(own)
        widget = widget.parentWidget()
    return look().scheme


def token(name: str, widget: QWidget | None = None) -> QColor:
    """Return the colour of a token as it holds for ``widget`` (without one: for the application).

    Raises:
        KeyError: there is no such token.
    """
    return QColor(_colour(name, scheme_of(widget)))


def ink() -> QColor:
    """Return black for what scanners and printers read (QR codes, receipts), the same in every theme."""
    return QColor(colours(Scheme.READING)["canvas"])


def paper() -> QColor:
    """Return white for what scanners and printers read, the same in every theme."""
    return QColor(colours(Scheme.LIGHT)["surface"])


@cache
def _colour(name: str, scheme: Scheme) -> QColor:
    if look().high_contrast and name not in {"canvas", "overlay", "measure", "measure_active"}:
        return _system(name)
    return QColor(colours(scheme)[name])


def _system(name: str) -> QColor:
    """The nearest colour of the system's palette: status colours fall back to text on the base colour."""
    part = name if name in _SYSTEM else name.rsplit("_", 1)[-1]
    part = "on" if name.startswith("on_") else part  # what stands on a filled surface
    return QApplication.palette().color(_SYSTEM.get(part, QPalette.ColorRole.WindowText))


def scaled(px: int) -> int:
    """Return a length at the text size that holds now."""
    return round(px * look().text_scale)


def size(name: str) -> int:
    """Return a length of the tokens at the text size that holds now; ``row`` follows the row height chosen."""
    return scaled(length("row_compact" if name == "row" and look().compact else name))


def font(step: TextSize = TextSize.BODY, weight: int | None = None) -> QFont:
    """Return the font of one step of the type scale, at the text size that holds now."""
    style = text_style(step)
    made = QFont(list(families()))
    made.setPixelSize(scaled(style.px))
    made.setWeight(QFont.Weight(weight or style.weight))
    return made


def mono(px: int = 12) -> QFont:
    """Return the font for ids, hashes and keys."""
    made = QFont([mono_family(), "DejaVu Sans Mono", "monospace"])
    made.setPixelSize(scaled(px))
    return made


def palette(scheme: Scheme) -> QPalette:
    """Return the palette for everything the style sheet misses: tooltips, menus, item views, disabled groups."""
    made = QPalette()
    role = QPalette.ColorRole
    table = {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "surface",
        role.AlternateBase: "surface",
        role.Text: "text",
        role.Button: "surface",
        role.ButtonText: "text",
        role.BrightText: "on_accent",
        role.ToolTipBase: "surface",
        role.ToolTipText: "text",
        role.PlaceholderText: "muted",
        role.Highlight: "selected",
        role.HighlightedText: "selected_text",
        role.Accent: "accent",
        role.Link: "link",
        role.LinkVisited: "link",
        role.Mid: "line",
        role.Midlight: "line",
        role.Dark: "line_strong",
        role.Light: "surface",
        role.Shadow: "line_strong",
    }
    for part, name in table.items():
        made.setColor(part, QColor(colours(scheme)[name]))
    for part in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, part, QColor(colours(scheme)["disabled"]))
    return made


def cache_folder() -> Path:
    """Return where drawn icons and cut fonts are kept between starts: nothing of a person is in it."""
    return platformdirs.user_cache_path("assent") / "look"
