"""Windows of one's own: theirs alone, one per key, and none that no image can be shown with."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import pytest

from app.services.drafts import PURPOSE as DRAFTS
from app.services.sealed_file import SealedFile
from app.services.windows import NAME_MAX, PURPOSE, OwnWindow, OwnWindows, WindowError
from ledger.contract.canonical import encode
from tests.support.drafts import identity

if TYPE_CHECKING:
    from pathlib import Path

FINE = OwnWindow(6, "Liver, thin", 61.5, 120.25, "HU")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "windows" / "AlderMSP.carol"


def windows_of(path: Path, name: str = "carol") -> OwnWindows:
    return OwnWindows(SealedFile(path, identity(name), PURPOSE, os.urandom))


def test_a_window_comes_back_after_a_restart(path: Path) -> None:
    windows_of(path).save(FINE)
    assert windows_of(path).read() == (FINE,)
    assert b"Liver" not in path.read_bytes()


def test_a_key_has_one_window_and_can_be_emptied(path: Path) -> None:
    windows = windows_of(path)
    windows.save(OwnWindow(9, "Nine", 1, 2, "HU"))
    windows.save(FINE)
    again = OwnWindow(6, "Again", -550, 1600, "HU")
    assert windows.save(again) == (again, OwnWindow(9, "Nine", 1.0, 2.0, "HU"))
    assert windows.remove(6) == (OwnWindow(9, "Nine", 1.0, 2.0, "HU"),)
    assert windows.remove(6) == windows_of(path).read()


@pytest.mark.parametrize("key", [-1, 0, 1, 5, 10, 66])
def test_only_the_keys_6_to_9_can_be_had(key: int) -> None:
    with pytest.raises(WindowError, match="6 to 9"):
        OwnWindow(key, "Lung", -550, 1600, "HU")


@pytest.mark.parametrize("width", [0.0, -1.0, -0.0, 1e-9, 1e9, math.inf, -math.inf, math.nan])
def test_a_width_that_shows_nothing_is_refused(width: float) -> None:
    with pytest.raises(WindowError, match="width"):
        OwnWindow(6, "Lung", -550, width, "HU")


@pytest.mark.parametrize("center", [1e9, -1e9, math.inf, math.nan])
def test_a_centre_out_of_all_range_is_refused(center: float) -> None:
    with pytest.raises(WindowError, match="centre"):
        OwnWindow(6, "Lung", center, 1600, "HU")


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "\x00", "x" * (NAME_MAX + 1), "\u202ereversed"])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(WindowError):
        OwnWindow(6, name, -550, 1600, "HU")


@pytest.mark.parametrize("how", ["another person", "another purpose", "one bit", "nan", "key 3", "form"])
def test_what_is_not_one_s_own_is_set_aside_and_saving_goes_on(path: Path, how: str) -> None:
    other = SealedFile(path, identity("mallory"), PURPOSE, os.urandom)
    mine = SealedFile(path, identity(), DRAFTS if how == "another purpose" else PURPOSE, os.urandom)
    good: dict[str, object] = {"key": 6, "name": "Lung", "center": "1.0", "width": "2.0", "unit": "HU"}
    changes: dict[str, dict[str, object]] = {"nan": {"width": "nan"}, "key 3": {"key": 3}}
    content = encode({"v": 1, "windows": "none" if how == "form" else [{**good, **changes.get(how, {})}]})
    (other if how == "another person" else mine).write(content)
    if how == "one bit":
        raw = path.read_bytes()
        path.write_bytes(raw[:20] + bytes([raw[20] ^ 1]) + raw[21:])
    windows = windows_of(path)
    assert windows.read() == ()
    assert path.with_name(f"{path.name}.damaged").exists()
    assert windows.save(FINE) == (FINE,)
