"""The look of Assent: tokens, palette, style sheet, fonts and icons.

Widgets import from here: ``token("text2", self)`` while painting, ``size("control")``, ``scaled(8)``,
``font(TextSize.BODY)``, ``icon("lock", token("text", self), 16)``.
"""

from app.ui.theme.fonts import Fonts
from app.ui.theme.icons import icon
from app.ui.theme.look import (
    Look,
    apply,
    cache_folder,
    font,
    ink,
    look,
    mono,
    palette,
    paper,
    read_dark,
    scaled,
    scheme_of,
    size,
    token,
    wants_dark,
    wants_high_contrast,
)
from app.ui.theme.tokens import Scheme, TextSize, contrast, text_scales, text_style, timing

__all__ = [
    "Fonts",
    "Look",
    "Scheme",
    "TextSize",
    "apply",
    "cache_folder",
    "contrast",
    "font",
    "icon",
    "ink",
    "look",
    "mono",
    "palette",
    "paper",
    "read_dark",
    "scaled",
    "scheme_of",
    "size",
    "text_scales",
    "text_style",
    "timing",
    "token",
    "wants_dark",
    "wants_high_contrast",
]
