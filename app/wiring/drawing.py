"""Hands and eyes of whoever draws the desktop: signing in, pressing, waiting, and the picture itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QPoint, QTimer
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPlainTextEdit, QWidget

from app.services.notebook import PatientRef
from app.ui.pages.opening import Opener
from app.ui.pages.worklist import WorklistPage
from app.ui.readers.frame import RecordFrame
from app.ui.widgets import PaneLayout
from app.wiring.desks import PatientDesk, StaffDesk, sign_in, sign_in_patient
from app.wiring.desktop import Desktop
from app.wiring.sandbox import PIN, Sandbox
from ledger.gateway import SubmitError

_SETTLED = 0.25
_PATIENCE = 30.0
T = TypeVar("T", bound=QWidget)


class MissingError(Exception):
    """Something that a picture should show did not come."""


class Draughtsman:
    """Uses the desktop of a sandbox and draws it.

    Args:
        folder: where the pictures go.
        desktop: over the sandbox.
        sandbox: whose people sign in.
    """

    def __init__(self, folder: Path, desktop: Desktop, sandbox: Sandbox) -> None:
        self.folder, self.desktop, self.sandbox = folder, desktop, sandbox
        self.window = desktop.window
        self.count = 0

    @contextmanager
    def signed_in(self, name: str) -> Iterator[StaffDesk | PatientDesk]:
        """Sign somebody in, and out again."""
        desk: StaffDesk | PatientDesk
        if name in self.sandbox.cards:
            desk = sign_in_patient(self.sandbox.installation, self.sandbox.cards[name], PIN)
        else:
            desk = sign_in(self.sandbox.installation, self.sandbox.profiles[name], PIN)
        self.desktop.show_desk(desk)
        self.settle()
        yield desk
        self.close_dialogs()
        self.desktop.sign_out()
        self.settle()

    @staticmethod
    def known(desk: StaffDesk | PatientDesk, name: str) -> PatientRef:
        """Return a patient whom a practitioner knows."""
        if not isinstance(desk, StaffDesk):
            raise TypeError(desk)
        return next(each for each in desk.patients.known() if each.name == name)

    def page(self, kind: type[T], key: str) -> T:
        """Open a page and return it."""
        self.window.open_page(key)
        self.settle()
        page = self.window.page(key)
        if not isinstance(page, kind):
            raise TypeError(page)
        return page

    def open(self, title: str, *, wait: bool = True) -> None:
        """Open a record from the worklist."""
        worklist = self.page(WorklistPage, "worklist")
        row = next(each for each in worklist.model.rows if title in each.title)
        worklist.table.choose(row.key)
        worklist.open_wanted.emit(row)
        if wait:
            self.wait(lambda: self.seen(RecordFrame) is not None)

    def leave(self) -> None:
        """Go back to the worklist."""
        frame = self.window.findChild(RecordFrame)
        if frame is not None and frame.isVisible():
            frame.back_asked.emit()
        self.settle()
        self.window.open_page(self.window.current_key)
        self.settle()

    def change(self, title: str) -> None:
        """Change one byte of what the custodian stores of a record, as a broken disk would."""
        self.open(title)
        opened = [each for opener in self.window.findChildren(Opener) for each in opener.open_records]
        name = opened[-1].manifest.objects[0].name
        self.leave()
        for path in (self.sandbox.installation.folder / "AlderMSP" / "objects").rglob(f"*{name}*"):
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)

    @contextmanager
    def silent_ledger(self) -> Iterator[None]:
        """Let submissions end without an answer."""
        ledger = self.sandbox.installation.ledger

        def silent(_envelope: object) -> object:
            raise SubmitError("silent")

        vars(ledger)["submit"] = silent
        try:
            yield
        finally:
            del vars(ledger)["submit"]

    def stop_all(self, name: str) -> None:
        """Have a patient stop what she allowed, from another machine as it were."""
        hers = sign_in_patient(self.sandbox.installation, self.sandbox.cards[name], PIN)
        for row in hers.consents.rows():
            if row.state.value == "active" and not row.denies:
                hers.consents.stop(row, PIN)
        hers.lock()

    def control(self, name: str) -> QWidget:
        """Return a visible control by its text or accessible name."""

        def look() -> QWidget | None:
            kinds = (QAbstractButton, QLineEdit, QPlainTextEdit)
            tops = [self.window, *self.dialogs()]
            for top in reversed(tops):
                for each in top.findChildren(QWidget):
                    text = each.text() if isinstance(each, QAbstractButton) else ""
                    is_named = name in (text, each.accessibleName()) or each.accessibleName().startswith(name)
                    if isinstance(each, kinds) and each.isVisible() and is_named:
                        return each
            return None

        self.wait(lambda: look() is not None, name)
        found = look()
        if found is None:
            raise MissingError(name)
        return found

    def open_drawers(self) -> None:
        """Open the right pane where it is a drawer (large text)."""
        for pane in self.window.findChildren(PaneLayout):
            if pane.isVisible() and pane.is_drawer:
                pane.toggle()
        self.settle()

    def press(self, name: str) -> None:
        """Press a button."""
        found = self.control(name)
        if isinstance(found, QAbstractButton):
            found.click()
        self.settle()

    def fill(self, name: str, text: str) -> None:
        """Fill in a field."""
        found = self.control(name)
        if isinstance(found, QLineEdit):
            found.setText(text)
        elif isinstance(found, QPlainTextEdit):
            found.setPlainText(text)

    def seen(self, kind: type[T]) -> T | None:
        """Return the visible widget of a kind, if there is one now."""
        return next((each for each in self.window.findChildren(kind) if each.isVisible()), None)

    def find(self, kind: type[T]) -> T:
        """Return the visible widget of a kind; wait until it is there."""
        self.wait(lambda: self.seen(kind) is not None, kind.__name__)
        return next(each for each in self.window.findChildren(kind) if each.isVisible())

    def find_dialog(self, kind: type[T]) -> None:
        """Wait until a dialog of a kind stands over the window."""
        self.wait(lambda: any(isinstance(each, kind) for each in self.dialogs()), kind.__name__)

    def dialogs(self) -> list[QWidget]:
        """Return what stands over the window."""
        tops = [top for top in QApplication.topLevelWidgets() if top.isVisible() and top is not self.window]
        return [top for top in tops if top.isWindow()]

    def close_dialogs(self) -> None:
        """Close what stands over the window."""
        for dialog in self.dialogs():
            dialog.close()
        self.settle()

    def shoot(self, name: str) -> None:
        """Draw the window and what stands over it, once nothing is loading any more."""
        self.settle()
        picture: QPixmap = self.window.grab()
        painter = QPainter(picture)
        for dialog in self.dialogs():
            corner = dialog.mapToGlobal(QPoint(0, 0)) - self.window.mapToGlobal(QPoint(0, 0))
            painter.drawPixmap(corner, dialog.grab())
        painter.end()
        picture.save(str(self.folder / f"{name}.png"))
        self.count += 1

    def wait(self, happened: Callable[[], object], what: str = "") -> None:
        """Let events run until something is true."""
        until = time.monotonic() + _PATIENCE
        while not happened():
            if time.monotonic() > until:
                raise MissingError(what)
            _spin()

    def settle(self) -> None:
        """Let the background's work arrive and the window draw."""
        quiet = time.monotonic() + _SETTLED
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < min(quiet, until):
            _spin()
            if self.desktop.background.job_count > self.desktop.background.task_count:
                quiet = time.monotonic() + _SETTLED


def _spin() -> None:
    loop = QEventLoop()
    QTimer.singleShot(15, loop.quit)
    loop.exec()
