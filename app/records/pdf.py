"""PDF in the child: what it is, and its pages as pictures (PDFium; scripts and launch actions never run)."""

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from app.records.description import plain
from app.records.limits import Limits
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

_DATE: Final = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_ACTIVE: Final = re.compile(rb"/(?:JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|EmbeddedFile|RichMedia)\b")
_WORDS: Final = {
    b"/JavaScript": "a script",
    b"/JS": "a script",
    b"/Launch": "a command to start a program",
    b"/SubmitForm": "a form that sends data",
    b"/ImportData": "a command that reads a file",
    b"/GoToR": "a link to another file",
    b"/EmbeddedFile": "an attached file, which is not shown",
    b"/RichMedia": "a media part",
}
_SIDE_PIXELS: Final = 6000
_MAX_SCALE: Final = 8.0


def describe(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], tuple[()]]:
    """Return pages, title and the day the file itself states.

    Raises:
        RefusedError: damaged, empty, too long, or asking for a password.
    """
    del arguments
    document = _open(untrusted, limits)
    try:
        about = document.get_metadata_dict()
        _check_first_page(document)
        found = sorted({_WORDS[mark] for mark in _ACTIVE.findall(bytes(untrusted))})
        return {
            "pages": len(document),
            "title": plain(str(about.get("Title", ""))),
            "date": _day(str(about.get("CreationDate", ""))),
            "active": found,
        }, ()
    finally:
        document.close()


def pages(
    untrusted: memoryview, arguments: dict[str, object], limits: Limits
) -> tuple[dict[str, object], Sequence["np.ndarray[Any, Any]"]]:
    """Return pages ``first`` to ``first + count`` as RGB pictures at ``scale`` pixels per point (1/72 inch).

    Raises:
        RefusedError: as ``describe``; no such page.
    """
    document = _open(untrusted, limits)
    try:
        first, count = int(str(arguments.get("first", 0))), int(str(arguments.get("count", 1)))
        if not 0 <= first < len(document) or count < 1:
            raise RefusedError(f"It has {len(document)} pages; page {first + 1} is not among them.")
        numbers = range(first, min(first + count, len(document)))
        scale = float(str(arguments.get("scale", 1.5)))
        rendered = [_render(document, number, scale) for number in numbers]
        texts = [_text(document, number) for number in numbers]
        return {"pages": len(document), "numbers": list(numbers), "texts": texts}, rendered
    finally:
        document.close()


def _open(untrusted: memoryview, limits: Limits) -> Any:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(bytes(untrusted))
        count = len(document)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise RefusedError("It asks for a password. Save a copy without one and import that.") from None
        raise RefusedError("It is damaged, or no PDF. Ask for the file to be sent again.") from None
    if not 0 < count <= limits.pages:
        raise RefusedError(f"It has {count:,} pages; 1 to {limits.pages:,} are read.")
    return document


def _check_first_page(document: Any) -> None:
    import pypdfium2 as pdfium

    try:
        width, height = document[0].get_size()
    except pdfium.PdfiumError:
        raise RefusedError("Its first page cannot be read. Ask for the file to be sent again.") from None
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise RefusedError("Its first page has no size. Ask for the file to be sent again.")


def _render(document: Any, number: int, scale: float) -> "np.ndarray[Any, Any]":
    import numpy as np

    page = document[number]
    width, height = page.get_size()
    wanted = scale if math.isfinite(scale) and 0 < scale <= _MAX_SCALE else 1.0
    fitting = min(wanted, _SIDE_PIXELS / max(width, height, 1.0))
    # No form environment: fields show what is printed in them, and nothing that acts is ever loaded.
    bitmap = page.render(scale=fitting, rev_byteorder=True, may_draw_forms=False)
    picture = np.array(bitmap.to_numpy(), copy=True)
    page.close()
    return np.ascontiguousarray(picture[..., :3] if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2))  # noqa: PLR2004 (colour)


def _text(document: Any, number: int) -> str:
    """Return a page's words for screen readers and copying."""
    text = str(document[number].get_textpage().get_text_bounded())
    return "\n".join(plain(line, 2000) for line in text[:100_000].splitlines())


def _day(stated: str) -> str:
    """Return the ISO day of a PDF date as written; its zone does not move it (CASES.md 9)."""
    found = _DATE.match(stated)
    try:
        return dt.date(*map(int, found.groups())).isoformat() if found else ""
    except ValueError:
        return ""
