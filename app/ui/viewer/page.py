"""The viewer page: thumbnails, viewports, record panel and toolbar inside the frame of an open record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.ui.keys import key_text
from app.ui.readers.frame import OpeningFacts, RecordFrame
from app.ui.theme import scaled
from app.ui.viewer.canvas import ImageCanvas, Tool
from app.ui.viewer.panel import RecordPanel
from app.ui.viewer.thumbnails import Thumbnails
from app.ui.viewer.window_sheet import WindowSheet
from app.ui.widgets.buttons import Button, ButtonKind
from app.ui.widgets.command_palette import KeyHelp, KeyLine, key_line
from app.ui.widgets.text import Rule, TextKind, label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from app.records.images import Image, Unreadable
    from app.services.windows import OwnWindow
    from app.ui.viewer.series import ImageSeries

_TOOLS: Final = (
    (Tool.WINDOW, "Window", "contrast"),
    (Tool.SCROLL, "Scroll", "move-vertical"),
    (Tool.ZOOM, "Zoom", "zoom-in"),
    (Tool.PAN, "Pan", "hand"),
    (Tool.LENGTH, "Length", "ruler"),
)
_ACTS: Final = ("invert", "rotate", "flip-across", "flip-down", "reset", "cine", "texts")


def viewer_keys() -> tuple[KeyLine, ...]:
    """Return the keys of this page; each has one meaning."""
    return (
        *(key_line(tool.value) for tool, _, _ in _TOOLS),
        KeyLine("1..5", "Window presets"),
        KeyLine("6..9", "Windows of your own"),
        *map(key_line, _ACTS),
        KeyLine("↑ ↓", "Previous, next image"),
        KeyLine("Home End", "First, last image"),
        KeyLine("PgUp PgDn", "Previous, next series"),
        KeyLine("Ctrl Alt 1..3", "One, two, four viewports"),
        KeyLine("F8", "Record panel"),
        KeyLine("F11", "Only the images"),
    )


_LAYOUTS: Final = ((1, 1), (1, 2), (2, 2))


class ViewerPage(RecordFrame):
    """Opened images. ``viewed`` says which image of a series was shown, for the receipt.

    ``save_wanted`` carries an ``OwnWindow`` to be kept, ``remove_wanted`` the key of one to be forgotten.

    Args:
        facts: of this opening.
        series: what was opened; more images of them may come with ``add_images``.
        clock: seconds UTC.
        zone: where the person is.
    """

    save_wanted = Signal(object)
    remove_wanted = Signal(int)
    viewed = Signal(str, int)

    def __init__(
        self,
        facts: OpeningFacts,
        series: tuple[ImageSeries, ...],
        clock: Callable[[], int],
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__(facts, clock, zone)
        self._series = series
        self._active = 0
        self._own: tuple[OwnWindow, ...] = ()
        self.thumbnails, self.panel = Thumbnails(), RecordPanel(facts)
        self.canvases: list[ImageCanvas] = []
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.thumbnails)
        row.addLayout(self._grid, 1)
        row.addWidget(self.panel)
        self._tool_buttons: dict[Tool, Button] = {}
        self._worded: dict[Button, str] = {}
        self._make_toolbar()
        self._make_bottom()
        self.thumbnails.show_series(series)
        self.thumbnails.chosen.connect(self.choose_series)
        self.panel.preset_chosen.connect(self.choose_preset)
        self.panel.close_asked.connect(self.close_asked)
        self.panel.save_asked.connect(self.ask_save)
        self.set_layout(1)
        self.set_body(body)
        self.first = self.canvases[0]
        for sequence, act in (("F8", self.toggle_panel), ("F11", self.toggle_sides), ("?", self.show_keys)):
            QShortcut(QKeySequence(sequence), body).activated.connect(act)
        for number in range(1, len(_LAYOUTS) + 1):
            QShortcut(QKeySequence(f"Ctrl+Alt+{number}"), body).activated.connect(partial(self.set_layout, number))

    @property
    def canvas(self) -> ImageCanvas:
        """The active viewport."""
        return self.canvases[self._active]

    @property
    def series(self) -> tuple[ImageSeries, ...]:
        """All series, in the order of the thumbnails."""
        return self._series

    def _make_toolbar(self) -> None:
        for tool, text, icon_name in _TOOLS:
            said = f"{text}, {key_text(tool.value)}"
            button = Button(text, kind=ButtonKind.BARE, icon_name=icon_name, small=True, accessible=said)
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, tool=tool: self.set_tool(tool))
            self._tool_buttons[tool] = button
            self.toolbar.addWidget(button)
        self._separate()
        for text, icon_name, key, act in (
            ("Invert", "lightbulb", key_text("invert"), self._do(ImageCanvas.invert)),
            ("Rotate", "rotate-cw", key_text("rotate"), self._do(ImageCanvas.rotate)),
            (
                "Flip",
                "flip-horizontal-2",
                key_text("flip-across"),
                self._do(partial(ImageCanvas.flip, horizontal=True)),
            ),
            ("Reset", "refresh-cw", key_text("reset"), self._do(ImageCanvas.reset)),
        ):
            self._add_action(text, icon_name, key, act)
        self._separate()
        self.cine_button = self._add_action("Cine", "play", key_text("cine"), self._do(ImageCanvas.toggle_cine))
        for number, (rows, columns) in enumerate(_LAYOUTS, 1):
            name = f"{rows} × {columns}"
            self._add_action(name, "", f"Ctrl Alt {number}", partial(self.set_layout, number))
        self.toolbar.addStretch(1)
        self._add_action("Panel", "panel-right", "F8", self.toggle_panel)
        self.show_toolbar()

    def _do(self, act: Callable[[ImageCanvas], object]) -> Callable[[], object]:
        """Do something to whichever viewport is active then."""
        return lambda: act(self.canvas)

    def choose_preset(self, number: int) -> None:
        """Use a window preset in the active viewport."""
        self.canvas.choose_preset(number)

    def show_own_windows(self, own: tuple[OwnWindow, ...]) -> None:
        """Offer the person's own windows, and to save one."""
        self._own = own
        self.panel.save_button.show()
        for canvas in self.canvases:
            canvas.set_own_windows(own)

    def ask_save(self) -> None:
        """Ask how to call the window shown, and which key it gets."""
        window = self.canvas.window_shown
        if window is not None:
            sheet = WindowSheet(self, window, self.canvas.unit, self._own)
            sheet.chosen.connect(self.save_wanted)
            sheet.removed.connect(self.remove_wanted)
            sheet.open()

    def _add_action(self, text: str, icon_name: str, key: str, act: Callable[[], object]) -> Button:
        button = Button(text, kind=ButtonKind.BARE, icon_name=icon_name, small=True, accessible=f"{text}, {key}")
        button.clicked.connect(lambda _checked=False: act())
        self.toolbar.addWidget(button)
        if icon_name:
            self._worded[button] = text
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's: with large text on a small screen, what has an icon does without its word."""
        super().resizeEvent(event)
        for button, text in self._worded.items():
            button.setText(text)
        if self.toolbar.sizeHint().width() > self.width():
            for button in self._worded:
                button.setText("")

    def _separate(self) -> None:
        line = Rule(is_vertical=True)
        line.setFixedHeight(scaled(22))
        self.toolbar.addSpacing(scaled(8))
        self.toolbar.addWidget(line)
        self.toolbar.addSpacing(scaled(8))

    def _make_bottom(self) -> None:
        self._probe = label("", TextKind.CAPTION, "text2")
        self._memory = label("", TextKind.CAPTION)
        for text in ("Drag: active tool", "Wheel or ↑ ↓: scroll", "Right drag: zoom", "Middle drag: pan"):
            self.bottom.addWidget(label(text, TextKind.CAPTION))
        self.bottom.addStretch(1)
        self.bottom.addWidget(self._probe)
        self.bottom.addWidget(self._memory)
        self.bottom.addWidget(label("? shows all keys", TextKind.CAPTION))
        self._count_images()

    def _count_images(self) -> None:
        here = sum(len(series) for series in self._series)
        expected = sum(max(series.expected, len(series)) for series in self._series)
        self._memory.setText(f"{here} of {expected} images in memory, nothing on disk in plain")

    def add_series(self, series: ImageSeries) -> None:
        """Add a series whose images will come with ``add_images``."""
        shown = self.canvas.series
        self._series = (*self._series, series)
        self.thumbnails.show_series(self._series)
        self.thumbnails.mark(self._series.index(shown) if shown is not None else -1)
        empty = next((canvas for canvas in self.canvases if canvas.series is None), None)
        if empty is not None:
            empty.show_series(series)

    def add_images(self, number: int, images: Iterable[Image | Unreadable]) -> None:
        """Add images of series ``number`` as they are opened; the first one is shown at once."""
        series = self._series[number]
        was_empty = not len(series)
        series.add(images)
        self.thumbnails.items[number].refresh()
        self._count_images()
        for canvas in self.canvases:
            if canvas.series is series:
                canvas.show_series(series) if was_empty else canvas.update()

    def set_layout(self, number: int) -> None:
        """Show one, two or four viewports (Ctrl Alt 1 to 3); what is shown stays in the first."""
        rows, columns = _LAYOUTS[number - 1]
        wanted = rows * columns
        while len(self.canvases) > wanted:
            old = self.canvases.pop()
            old.blank()
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        while len(self.canvases) < wanted:
            self.canvases.append(self._make_canvas())
        for at, canvas in enumerate(self.canvases):
            self._grid.addWidget(canvas, at // columns, at % columns)
        self.activate(min(self._active, wanted - 1))

    def _make_canvas(self) -> ImageCanvas:
        canvas = ImageCanvas()
        canvas.set_own_windows(self._own)
        canvas.activated.connect(lambda canvas=canvas: self._activate(canvas))
        canvas.view_changed.connect(self._show_view)
        canvas.frame_shown.connect(lambda index, canvas=canvas: self._tell(canvas, index))
        canvas.probed.connect(self._probe.setText)
        canvas.measured.connect(self.panel.show_length)
        canvas.series_asked.connect(self._step_series)
        number = len(self.canvases)
        if number < len(self._series):
            canvas.show_series(self._series[number])
        return canvas

    def _tell(self, canvas: ImageCanvas, index: int) -> None:
        if canvas.series is not None:
            self.viewed.emit(canvas.series.key, index)

    def _activate(self, canvas: ImageCanvas) -> None:
        if canvas in self.canvases:
            self.activate(self.canvases.index(canvas))

    def activate(self, number: int) -> None:
        """Make a viewport the active one."""
        self._active = number
        for at, canvas in enumerate(self.canvases):
            canvas.set_active(active=at == number)
        shown = self.canvas.series
        self.thumbnails.mark(self._series.index(shown) if shown is not None else -1)
        self._show_view()

    def choose_series(self, number: int) -> None:
        """Show a series in the active viewport."""
        self.canvas.show_series(self._series[number])
        self.thumbnails.mark(number)
        self.canvas.setFocus()

    def _step_series(self, step: int) -> None:
        shown = self.canvas.series
        if shown is not None and len(self._series) > 1:
            self.choose_series((self._series.index(shown) + step) % len(self._series))

    def set_tool(self, tool: Tool) -> None:
        """Give all viewports a tool."""
        for canvas in self.canvases:
            canvas.set_tool(tool)
        self.canvas.setFocus()

    def _show_view(self) -> None:
        if not self.canvases or self._active >= len(self.canvases):
            return
        canvas = self.canvas
        for tool, button in self._tool_buttons.items():
            button.setChecked(tool is canvas.tool)
        self.panel.show_presets(canvas.presets(), canvas.window_shown)
        self.panel.show_length(canvas.length_text())
        self.cine_button.set_words("Stop" if canvas.is_playing else "Cine", "pause" if canvas.is_playing else "play")

    def toggle_panel(self) -> None:
        """Show or hide the record panel (F8)."""
        self.panel.setVisible(self.panel.isHidden())

    def toggle_sides(self) -> None:
        """Show only the images, or everything (F11); the consent badge always stays."""
        hide = not self.thumbnails.isHidden()
        self.thumbnails.setHidden(hide)
        self.panel.setHidden(hide)

    def show_keys(self) -> None:
        """List the keys (?)."""
        KeyHelp(self, viewer_keys(), ()).open()

    def forget(self, body: QWidget) -> None:
        """Drop every pixel: viewports, thumbnails, series."""
        super().forget(body)
        for canvas in self.canvases:
            canvas.blank()
        self.thumbnails.blank()
        for series in self._series:
            series.clear()
