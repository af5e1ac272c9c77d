"""Reading aloud runs the machine's own program; the text never stands on its command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from app.ui.pages.turn.speech import Speech

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that writes down its arguments and what it is told, then waits until it is stopped."""
    path = tmp_path / "speaker"
    lines = (
        f"#!{sys.executable}",
        "import sys, time",
        f"open({str(tmp_path / 'said')!r}, 'w').write(repr(sys.argv[1:]) + sys.stdin.read())",
        "time.sleep(60)",
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o700)
    return path


def test_there_is_none_where_no_program_is() -> None:
    assert Speech.find(lambda _name: None) is None


@pytest.mark.parametrize(("name", "language"), [("spd-say", "de"), ("say", "en")])
def test_a_text_is_said_through_standard_input_and_can_be_stopped(
    qtbot: QtBot, program: Path, name: str, language: str
) -> None:
    speech = Speech.find(lambda asked: str(program) if asked == name else None)
    assert speech is not None
    speech.say("Für 30 Tage.", language)
    said = program.parent / "said"
    qtbot.waitUntil(lambda: said.is_file() and "30 Tage" in said.read_text(encoding="utf-8"))
    arguments, _, text = said.read_text(encoding="utf-8").partition("]")
    assert text == "Für 30 Tage.\n"
    assert "30" not in arguments
    states = [speech.is_speaking]
    speech.stop()
    assert [*states, speech.is_speaking] == [True, False]
    speech.deleteLater()
