"""The real desktop over a real sandbox, for tests and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QApplication

from app.ui.pages.sign_in import SignInPage
from app.wiring.desktop import Desktop
from app.wiring.entrance import Entrance
from app.wiring.sandbox import PIN
from app.wiring.start import Started
from tests.support.hands import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.hands import Keys, Mouse
    from tests.support.sandbox import SandboxWorld


def open_desktop(world: SandboxWorld, folder: Path, damage: Any = None) -> Desktop:
    """Show the window at the sign-in page, as if the machine had just been verified."""
    desktop = Desktop(Entrance(folder, world.clock, folder / "config" / "settings.json"))
    desktop.window.show()
    height = world.installation.machine.replica.height
    desktop.ready(Started(world.installation, world.cards, height, 0.2, damage))
    desktop.window.activateWindow()
    wait_until(lambda: QApplication.activeWindow() is desktop.window, "the window to be active")
    return desktop


def sign_in(hand: Mouse | Keys, desktop: Desktop, name: str, pin: str = PIN) -> None:
    """Choose a person at the door and give the PIN."""
    wait_until(lambda: desktop.window.findChild(SignInPage), "the sign-in page")
    hand.row("People of this machine", name)
    hand.type("PIN", pin)
    hand.press("Sign in")
