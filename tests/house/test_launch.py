"""./assent: what a command needs, what is installed or asked for, and when an environment is made anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.__main__ import main
from app.environment import (
    BUILD_PACKAGES,
    DESKTOP_PACKAGES,
    DEVELOPMENT_LOCK,
    QT_PACKAGES,
    ROOT,
    RUNTIME_LOCK,
    Environment,
    NotPreparedError,
    has_display,
    install_packages,
    missing_packages,
)
from app.launch import lock_of, packages_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "surroundings", "packages"),
    [
        ([], {"DISPLAY": ":0"}, DESKTOP_PACKAGES),
        (["desktop"], {"WAYLAND_DISPLAY": "w"}, DESKTOP_PACKAGES),
        ([], {}, ()),
        (["tour"], {"DISPLAY": ":0"}, ()),
        (["--help"], {"DISPLAY": ":0"}, ()),
        (["screenshots", "--help"], {}, ()),
        (["screenshots", "folder"], {}, QT_PACKAGES),
        (["network", "up"], {}, BUILD_PACKAGES),
        (["network", "up"], {"FABRIC_BIN": "/opt/fabric/bin"}, ()),
    ],
)
def test_a_command_asks_for_the_packages_that_it_needs(
    arguments: list[str], surroundings: dict[str, str], packages: tuple[str, ...]
) -> None:
    assert packages_of(arguments, surroundings) == packages


def test_only_the_benchmarks_run_on_the_development_lock() -> None:
    assert lock_of(["bench", "seal"]) == DEVELOPMENT_LOCK
    assert lock_of([]) == lock_of(["tour"]) == RUNTIME_LOCK


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"])
def test_a_display_is_one_of_these(name: str) -> None:
    assert has_display({name: "x"})
    assert not has_display({name: ""})


def test_without_a_display_the_desktop_says_so_and_names_the_tour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "./assent tour" in capsys.readouterr().err


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """dpkg knows git, and libglib2.0-0 by its newer name; sudo wants a password; and we are nobody."""
    program(tmp_path, "dpkg-query", "echo 'installed git'; echo 'installed libglib2.0-0t64'; exit 1")
    program(tmp_path, "sudo", "exit 1")
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def test_what_is_missing_is_found_under_either_name(debian: Path) -> None:
    assert missing_packages(["git", "libglib2.0-0", "age"]) == ("age",)
    assert (debian / "dpkg-query").exists()


def test_one_command_is_named_where_nothing_may_be_installed(debian: Path) -> None:
    with pytest.raises(NotPreparedError, match=r"apt-get install -y --no-install-recommends age'$"):
        install_packages(["git", "age"], print)
    assert not (debian / "calls").exists()


def test_sudo_without_a_question_is_used(debian: Path) -> None:
    program(debian, "sudo", 'shift; [ "$1" = true ] || exec "$@"')
    said: list[str] = []
    install_packages(["git", "age"], said.append)
    assert said == ["Installing Debian packages: age"]
    calls = (debian / "calls").read_text().splitlines()
    assert calls == ["-qq update", "-qq install -y --no-install-recommends age"]


def test_nothing_missing_installs_nothing(debian: Path) -> None:
    install_packages(["git"], print)
    assert not (debian / "calls").exists()


def test_an_apt_that_fails_is_told(debian: Path) -> None:
    program(debian, "sudo", 'shift; [ "$1" = true ] || exec "$@"')
    program(debian, "apt-get", "echo no space >&2; exit 100")
    with pytest.raises(NotPreparedError, match="no space"):
        install_packages(["age"], print)


@pytest.fixture
def place(tmp_path: Path) -> Environment:
    """A finished environment, as its mark says."""
    made = Environment(tmp_path)
    made.python.parent.mkdir(parents=True)
    made.python.symlink_to(sys.executable)
    for name in (RUNTIME_LOCK, DEVELOPMENT_LOCK):
        (tmp_path / name).write_text(name)
    locks = {RUNTIME_LOCK: made._hash(RUNTIME_LOCK)}
    (made.folder / "installed.json").write_text(json.dumps({"place": made._place(), "locks": locks}))
    return made


def test_a_finished_environment_is_used_as_it_is(place: Environment) -> None:
    assert place.is_ready(RUNTIME_LOCK)
    assert place.prepare(RUNTIME_LOCK, pytest.fail) == place.python
    assert not place.is_ready(DEVELOPMENT_LOCK)


def test_a_changed_lock_another_python_and_a_moved_folder_need_a_new_installation(
    place: Environment, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    (place.folder).rename(moved / ".venv")
    (moved / RUNTIME_LOCK).write_text(RUNTIME_LOCK)
    assert not Environment(moved).is_ready(RUNTIME_LOCK)
    (moved / ".venv").rename(place.folder)
    assert place.is_ready(RUNTIME_LOCK)
    place.python.unlink()
    place.python.symlink_to("/bin/sh")
    assert not place.is_ready(RUNTIME_LOCK)
    place.python.unlink()
    place.python.symlink_to(sys.executable)
    (place.root / RUNTIME_LOCK).write_text("changed")
    assert not place.is_ready(RUNTIME_LOCK)


@pytest.mark.parametrize("mark", ["", "{", "{}", '{"place": 1, "locks": {}}'])
def test_a_mark_that_says_nothing_is_no_mark(place: Environment, mark: str) -> None:
    (place.folder / "installed.json").write_text(mark)
    assert not place.is_ready(RUNTIME_LOCK)


def test_it_starts_from_any_folder_and_through_a_link(tmp_path: Path) -> None:
    """And no module beside the caller is taken for ours."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('another app')")
    link = tmp_path / "link"
    link.symlink_to(ROOT / "assent")
    done = subprocess.run(
        [sys.executable, str(link), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "usage: assent" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    text = "import sys, app.__main__; print(sorted({'numpy', 'PySide6', 'cryptography', 'pydicom'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
