"""Files of one owner: modes, links, crashes (HOSTILE.md 32)."""

import os
import stat
from pathlib import Path

import pytest

from app.identity.private_files import (
    ExposedFileError,
    make_private_folder,
    read_private,
    remove_private,
    write_private,
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _generous_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def test_file_and_folder_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "outer" / "keys"
    make_private_folder(folder)
    write_private(folder / "secret", b"content")
    assert mode_of(folder) == 0o700
    assert mode_of(folder / "secret") == 0o600
    assert read_private(folder / "secret", 100) == b"content"
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_an_existing_folder_is_restricted(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o777)
    make_private_folder(folder)
    assert mode_of(folder) == 0o700


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExposedFileError, match="is a link"):
        make_private_folder(tmp_path / "keys")


def test_another_accounts_folder_and_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_private(tmp_path / "secret", b"content")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ExposedFileError, match="belongs to another account"):
        make_private_folder(tmp_path)
    with pytest.raises(ExposedFileError, match="Make it yours alone"):
        read_private(tmp_path / "secret", 100)


def test_replacing_also_restricts_a_file_that_was_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert mode_of(path) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_reach_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    write_private(path, b"content")
    path.chmod(mode)
    with pytest.raises(ExposedFileError, match="mode 600"):
        read_private(path, 100)


def test_a_link_a_pipe_a_folder_and_a_long_file_are_not_read(tmp_path: Path) -> None:
    write_private(tmp_path / "real", b"content")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match=r"."):
        read_private(tmp_path / "link", 100)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ExposedFileError, match="not a file that Assent wrote"):
        read_private(tmp_path / "pipe", 100)
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises((ExposedFileError, OSError)):
        read_private(tmp_path / "folder", 100)
    with pytest.raises(ExposedFileError, match="not a file that Assent wrote"):
        read_private(tmp_path / "real", 6)


def test_a_planted_temporary_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    (tmp_path / "secret.new").symlink_to(victim)
    write_private(tmp_path / "secret", b"content")
    assert victim.read_bytes() == b"untouched"
    assert not (tmp_path / "secret").is_symlink()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_content_and_no_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "secret"
    write_private(path, b"old")

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        owner: object = os if step == "fsync" else Path
        patched.setattr(owner, step, fail)
        with pytest.raises(OSError, match="No space left"):
            write_private(path, b"new")
    assert read_private(path, 100) == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_content_reaches_the_disk_before_the_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        steps.append("replace")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_private(tmp_path / "secret", b"content")
    assert steps == ["file", "replace", "folder"]


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"content")
    remove_private(tmp_path / "secret")
    remove_private(tmp_path / "secret")
    assert not list(tmp_path.iterdir())
