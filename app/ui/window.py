"""The window's shell: rail, header, pages, status line, lock. It knows no domain; wiring registers pages per role."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QPixmapCache, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.ui.idle import SOON_SECONDS, IdleClock
from app.ui.keys import bind
from app.ui.lock import LockFacts, LockPage
from app.ui.theme import apply, look, size, text_scales
from app.ui.widgets.bands import Band
from app.ui.widgets.command_palette import CommandPalette, KeyHelp, KeyLine, PaletteItem, key_line
from app.ui.widgets.focus import FocusRing
from app.ui.widgets.header import Header, StatusLine
from app.ui.widgets.rail import Rail, RailEntry
from app.ui.widgets.toast import Toast
from app.ui.wording import clock_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent

    from app.ui.page import Page
    from app.ui.theme import Look
    from app.ui.widgets.states import State

log = logging.getLogger(__name__)


def everywhere() -> tuple[KeyLine, ...]:
    """Return the keys of the shell; no page may give one of them another meaning."""
    return (
        *(key_line(name) for name in ("palette", "lock", "notices")),
        KeyLine("Ctrl 1..5", "Pages of the rail"),
        *(key_line(name) for name in ("refresh", "pane")),
        KeyLine("Esc", "Back or cancel"),
        KeyLine("?", "These keys"),
        *(key_line(name) for name in ("larger", "smaller")),
    )


@runtime_checkable
class Escapes(Protocol):
    """What Esc can lead back from: pages, and widgets shown alone such as an open record."""

    def escape(self) -> bool:
        """Go back or cancel; return whether there was something to go back from."""


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page with its place in the rail.

    Attributes:
        rail: its entry.
        page: the widget; the window owns it from now on.
    """

    rail: RailEntry
    page: Page


class MainWindow(QMainWindow):
    """One window: either the shell with rail and header, or one widget alone (sign-in, lock, patient's turn, viewer).

    Signals:
        locked: the window was locked; the session's owner drops person and keys now and calls ``show_lock``.
        lock_asked: Ctrl L, idle or a lost screen; carries the reason in words. Answer with ``lock``.
        closing: the window is about to close.
        look_changed: the person changed text size or theme here.
        ledger_followed, notice_chosen: keys of the header's links.
        page_opened: key of the page now open.
        band_acted: key of the action in the band under the header.
    """

    lock_asked = Signal(str)
    locked = Signal()
    closing = Signal()
    look_changed = Signal(object)
    ledger_followed = Signal(str)
    notice_chosen = Signal(str)
    page_opened = Signal(str)
    band_acted = Signal(str)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setWindowTitle("Assent")
        self.setMinimumSize(1120, 700)
        self.resize(1280, 800)
        self._pages: dict[str, Page] = {}
        self._current = ""
        self._lock_page: LockPage | None = None
        self._clipboard_text = ""
        self.rail, self.header, self.status = Rail(), Header(), StatusLine()
        self.band = Band(flush=True)
        self._pages_stack = QStackedWidget()
        self._shell = self._make_shell()
        self._outer = QStackedWidget()
        self._outer.addWidget(self._shell)
        self.setCentralWidget(self._outer)
        self.palette_view = CommandPalette(self, self._palette_items)
        self._extra_items: Callable[[], tuple[PaletteItem, ...]] = tuple
        self.ring = FocusRing(self)
        self.idle = IdleClock(self, clock)
        self.idle.ticked.connect(self._count_down)
        self.idle.ran_out.connect(self._idle_over)
        self._resettle = QTimer(self, singleShot=True, interval=0)
        self._resettle.timeout.connect(self._fit_bars)
        self.rail.chosen.connect(self.open_page)
        self.header.search_pressed.connect(self.open_palette)
        self.header.lock_pressed.connect(lambda: self.lock_asked.emit("Locked by you"))
        self.header.ledger_followed.connect(self.ledger_followed)
        self.header.notice_chosen.connect(self.notice_chosen)
        self.band.acted.connect(self.band_acted)
        self._make_shortcuts()

    def _make_shell(self) -> QWidget:
        shell = QWidget()
        right = QVBoxLayout()
        right.setSpacing(0)
        for part in (self.header, self.band):
            right.addWidget(part)
        right.addWidget(self._pages_stack, 1)
        right.addWidget(self.status)
        row = QHBoxLayout(shell)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(right, 1)
        return shell

    def _make_shortcuts(self) -> None:
        changeable: dict[str, Callable[[], object]] = {
            "palette": self.open_palette,
            "lock": self._ask_lock,
            "notices": self._open_notices,
            "refresh": self._refresh,
            "pane": self._next_pane,
            "filter": self._focus_filter,
            "larger": lambda: self.change_text_size(1),
            "smaller": lambda: self.change_text_size(-1),
        }
        for name, action in changeable.items():
            bind(self, name, action, alone=False)
        fixed: dict[str, Callable[[], object]] = {
            "?": self._show_keys,
            "Ctrl+=": lambda: self.change_text_size(1),
            **{f"Ctrl+{number}": self._page_opener(number) for number in range(1, 6)},
        }
        for sequence, action in fixed.items():
            QShortcut(QKeySequence(sequence), self).activated.connect(action)
        escape = QShortcut(QKeySequence("Esc"), self)
        escape.activated.connect(self._escape)

    def _page_opener(self, number: int) -> Callable[[], None]:
        def open_it() -> None:
            if self.is_shell_shown and number <= len(self.rail.keys):
                self.open_page(self.rail.keys[number - 1])

        return open_it

    @property
    def is_shell_shown(self) -> bool:
        """Whether rail and header are there (not locked, not alone)."""
        return self._outer.currentWidget() is self._shell

    @property
    def is_locked(self) -> bool:
        """Whether the lock page is shown."""
        return self._lock_page is not None

    @property
    def current_key(self) -> str:
        """Key of the page that is open in the shell; empty before there is one."""
        return self._current

    def page(self, key: str) -> Page:
        """Return a registered page."""
        return self._pages[key]

    def register(self, entries: tuple[PageEntry, ...], hospital: str, person: str, role: str) -> None:
        """Show the shell with the pages of a role, and open the first. Pages of a person before are deleted.

        Args:
            entries: in the order of the rail; the first is the start page.
            hospital: for the header, in words.
            person: same.
            role: same.
        """
        self.clear_pages()
        for entry in entries:
            key = entry.rail.key
            self._pages[key] = entry.page
            self._pages_stack.addWidget(entry.page)
            entry.page.count_changed.connect(partial(self._show_count, key, entry.page))
            entry.page.status_said.connect(
                lambda text, icon_name, tone, key=key: self._say_status(key, text, icon_name, tone)
            )
            entry.page.page_wanted.connect(self.open_page)
            entry.page.toast_wanted.connect(self.toast)
        self.rail.show_entries(tuple(entry.rail for entry in entries))
        self.header.show_person(hospital, person, role)
        self.show_shell()
        self.open_page(entries[0].rail.key)
        self.idle.start()

    def clear_pages(self) -> None:
        """Take all pages away (sign out); each forgets first what it showed."""
        self.idle.stop()
        for page in self._pages.values():
            self._blank(page)
            self._pages_stack.removeWidget(page)
            page.hide()
            page.deleteLater()
        self._pages = {}
        self._current = ""
        self.rail.show_entries(())
        self.header.show_notices(())
        self.band.show_state(None)
        self._drop_images()

    def open_page(self, key: str) -> None:
        """Open a page of the rail and let it load; an unknown key (no such page for this role) changes nothing."""
        page = self._pages.get(key)
        if page is None:
            return
        self._current = key
        self.show_shell()
        self._pages_stack.setCurrentWidget(page)
        self.rail.mark(key)
        self.header.search.set_hint(page.search_hint())
        page.refresh()
        focused = self.focusWidget()
        if focused is None or not (_holds(page, focused) and focused.isVisible()):
            page.setFocus(Qt.FocusReason.OtherFocusReason)  # its keys work at once, Tab goes on from its start
        self.page_opened.emit(key)

    def show_shell(self) -> None:
        """Show rail, header and page again; a widget that was shown alone is taken away and deleted."""
        self._replace(self._shell)

    def show_alone(self, widget: QWidget) -> None:
        """Show one widget instead of everything (sign-in, patient's turn, viewer). It is deleted when replaced.

        The idle clock goes on if it was running; the lock replaces this widget too.
        """
        self._outer.addWidget(widget)
        self._replace(widget)
        widget.setFocus(Qt.FocusReason.OtherFocusReason)

    def _replace(self, widget: QWidget) -> None:
        before = self._outer.currentWidget()
        self.palette_view.leave()
        self._outer.setCurrentWidget(widget)
        if before is not widget and before is not self._shell and before is not None:
            self._outer.removeWidget(before)
            before.hide()
            before.deleteLater()
        if widget is not self._lock_page:
            self._lock_page = None

    def lock(self, facts: LockFacts) -> LockPage:
        """Replace everything by the lock page: pages forget what they showed, images and our clipboard are dropped.

        The session's owner connects the returned page's signals and calls ``unlock`` when the PIN was right.
        """
        self.idle.stop()
        for dialog in self.findChildren(QWidget):
            if dialog.isWindow() and dialog.isVisible():
                dialog.close()
        for page in self._pages.values():
            self._blank(page)
        self._drop_images()
        self._clear_clipboard()
        page_ = LockPage(facts)
        page_.badge.show_facts(self.header.badge.facts)
        self.show_alone(page_)
        self._lock_page = page_
        self.locked.emit()
        return page_

    def unlock(self) -> None:
        """Show the shell again; the open page loads anew."""
        self.show_shell()
        self.idle.start()
        if self._current:
            self.open_page(self._current)

    @staticmethod
    def _blank(page: Page) -> None:
        """Have a page forget what it shows; one that fails keeps neither the others nor the lock from it."""
        try:
            page.blank()
        except Exception as error:  # noqa: BLE001  -- the text may name a patient, so only its type is logged
            log.error("%s while %s was blanked", type(error).__name__, type(page).__name__)  # noqa: TRY400

    @staticmethod
    def _drop_images() -> None:
        QPixmapCache.clear()

    def copy(self, text: str) -> None:
        """Put text on the clipboard; the lock takes it away again if it is still there."""
        self._clipboard_text = text
        QGuiApplication.clipboard().setText(text)

    def _clear_clipboard(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if self._clipboard_text and clipboard.text() == self._clipboard_text:
            clipboard.clear()
        self._clipboard_text = ""

    def toast(self, text: str, icon_name: str = "circle-check") -> Toast:
        """Say one line in the corner for eight seconds; never a decision or an error."""
        return Toast(self, text, icon_name)

    def show_band(self, state: State | None) -> None:
        """Show a band under the header of every page (offline), or take it away."""
        self.band.show_state(state)

    def set_palette_items(self, items: Callable[[], tuple[PaletteItem, ...]]) -> None:
        """Give the palette what it finds besides pages and the open page's own items (patients, records, actions)."""
        self._extra_items = items

    def open_palette(self) -> None:
        """Open the command palette; never while locked or alone."""
        if self.is_shell_shown:
            self.palette_view.open()

    def _palette_items(self) -> tuple[PaletteItem, ...]:
        own = self._pages[self._current].palette_items() if self._current else ()
        entries = [self.rail.item(key).entry for key in self.rail.keys]
        pages = tuple(
            PaletteItem("Pages", entry.text, partial(self.open_page, entry.key), entry.icon_name) for entry in entries
        )
        return (*self._extra_items(), *own, *pages)

    def change_text_size(self, step: int) -> None:
        """Go to the next larger or smaller text size."""
        scales = text_scales()
        number = min(range(len(scales)), key=lambda at: abs(scales[at] - look().text_scale)) + step
        if 0 <= number < len(scales):
            self.set_look(replace(look(), text_scale=scales[number]))

    def set_look(self, new: Look) -> None:
        """Change theme, text size or row height everywhere at once."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply(application, new)
        self._resettle.start()
        self.look_changed.emit(new)

    def _fit_bars(self) -> None:
        self.rail.setFixedWidth(size("rail"))
        self.header.setFixedHeight(size("header"))
        self.status.setFixedHeight(size("statusline"))

    def _count_down(self, seconds: int) -> None:
        self.status.show_lock(f"Locks in {clock_text(seconds)}", is_soon=seconds <= SOON_SECONDS)

    def _idle_over(self) -> None:
        minutes = self.idle.limit // 60
        self.lock_asked.emit(f"Locked after {minutes} {'minute' if minutes == 1 else 'minutes'} without use")

    def _show_count(self, key: str, page: Page, count: int, urgent: bool) -> None:  # noqa: FBT001 (a signal's values)
        if self._pages.get(key) is page:  # not one that is on its way out
            self.rail.item(key).set_count(count, urgent=urgent)

    def _say_status(self, key: str, text: str, icon_name: str, tone: str) -> None:
        if key == self._current:
            self.status.show_left(text, icon_name, tone)

    def _current_page(self) -> Page | None:
        return self._pages.get(self._current) if self.is_shell_shown else None

    def _ask_lock(self) -> None:
        if self.idle.is_running and not self.is_locked:
            self.lock_asked.emit("Locked by you")

    def _open_notices(self) -> None:
        if self.is_shell_shown:
            self.header.open_notices()

    def _refresh(self) -> None:
        if (page := self._current_page()) is not None:
            page.refresh()

    def _focus_filter(self) -> None:
        if (page := self._current_page()) is not None:
            page.focus_filter()

    def _escape(self) -> None:
        if self.palette_view.isVisible():
            self.palette_view.leave()
            return
        shown: object = self._current_page() or self._outer.currentWidget()
        if isinstance(shown, Escapes):
            shown.escape()

    def _next_pane(self) -> None:
        page = self._current_page()
        if page is None:
            return
        panes = (*page.panes(), self.rail.item(self._current))
        focused = self.focusWidget()
        inside = [number for number, pane in enumerate(panes) if focused is not None and _holds(pane, focused)]
        following = panes[((inside[0] if inside else -1) + 1) % len(panes)]
        following.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show_keys(self) -> None:
        if (page := self._current_page()) is not None:
            KeyHelp(self, page.keys(), everywhere()).open()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt's: forget everything shown, then close."""
        self.closing.emit()
        self.clear_pages()
        event.accept()


def _holds(pane: QWidget, focused: QWidget) -> bool:
    return pane is focused or pane.isAncestorOf(focused)
