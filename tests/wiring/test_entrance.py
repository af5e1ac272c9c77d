"""The first picture costs what it shows: the rest of Assent is imported behind it, on a worker."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.wiring import entrance as entrance_module
from app.wiring.entrance import Entrance
from tests.support.hands import Mouse, wait_until
from tests.support.sandbox import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

BEHIND = r"(app\.(services|custodian|consent|records)|ledger|diagnostics|numpy|cryptography)(\..*)?"
PICTURE = f"""
import re, sys
from app.wiring import entrance
print([name for name in sys.modules if re.fullmatch({BEHIND!r}, name)])
"""


def test_the_first_picture_imports_nothing_that_stands_behind_it() -> None:
    done = subprocess.run([sys.executable, "-c", PICTURE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_made_before_the_window_is_painted(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[bool] = []

    def never(entrance: Entrance, _passphrase: str | None, _task: object) -> None:
        painted.append(entrance.window.isVisible())
        raise entrance_module.NotReadyError("The key store is locked. Unlock it, then try again.")

    monkeypatch.setattr(entrance_module, "_make_ready", never)
    made = Entrance(tmp_path, Clock(), tmp_path / "settings.json")
    made.begin()
    assert painted == []
    wait_until(lambda: painted, "the machine to be made ready")
    assert painted == [True]
    Mouse(made.window).sees("The key store is locked. Unlock it, then try again.")
    made.window.close()
    made.window.deleteLater()


def test_a_window_closed_as_soon_as_it_is_painted_makes_nothing(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance_module, "_make_ready", pytest.fail)
    made = Entrance(tmp_path, Clock(), tmp_path / "settings.json")
    made.begin()
    made.window.close()
    qapp.processEvents()
    assert made.desktop is None
    assert not made.window.isVisible()
    made.window.deleteLater()
