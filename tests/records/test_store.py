"""The folder store: names are digests, files are private, nothing stays half-written."""

import hashlib
import os
from pathlib import Path

import pytest

from app.records.refusal import Change, IntegrityError
from app.records.store import FolderStore

CONTENT = b"ciphertext" * 1000
NAME = hashlib.sha256(CONTENT).hexdigest()


def change(error: pytest.ExceptionInfo[IntegrityError]) -> Change:
    return error.value.change


def test_what_is_put_is_got(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    assert not store.has(NAME)
    store.put(NAME, CONTENT)
    assert store.has(NAME)
    assert store.get(NAME) == CONTENT
    assert store.get(NAME, 5) == CONTENT[5:]
    assert store.read(NAME, 3, 10) == CONTENT[3:13]
    assert store.read(NAME, len(CONTENT), 10) == b""
    store.delete(NAME)
    store.delete(NAME)
    assert not store.has(NAME)


def test_folder_and_files_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    folder.mkdir(mode=0o755)
    store = FolderStore(folder)
    old = os.umask(0)
    try:
        store.put(NAME, CONTENT)
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600


def test_wrong_bytes_are_detected(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(IntegrityError) as caught:
        store.put(NAME, CONTENT + b"!")
    assert change(caught) is Change.OBJECT_DAMAGED
    store.put(NAME, CONTENT)
    (tmp_path / NAME).write_bytes(b"other")
    with pytest.raises(IntegrityError) as caught:
        store.get(NAME)
    assert change(caught) is Change.OBJECT_DAMAGED


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", "A" * 64, "a" * 63, f"{NAME}/x", f"{NAME}\0"])
def test_a_name_that_is_no_digest_never_reaches_the_file_system(tmp_path: Path, name: str) -> None:
    store = FolderStore(tmp_path / "objects")
    (tmp_path / "secret").write_bytes(b"secret")
    for act in (
        lambda: store.get(name),
        lambda: store.read(name, 0, 1),
        lambda: store.has(name),
        lambda: store.delete(name),
    ):
        with pytest.raises(IntegrityError) as caught:
            act()
        assert change(caught) is Change.OBJECT_MISSING
    with store.create() as sink:
        sink.write(b"x")
        with pytest.raises(IntegrityError):
            sink.keep(name)
    assert list((tmp_path / "objects").iterdir()) == []


def test_a_missing_object_and_a_link_in_its_place_are_missing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(IntegrityError) as caught:
        store.get(NAME)
    assert change(caught) is Change.OBJECT_MISSING
    other = tmp_path / "elsewhere"
    other.write_bytes(CONTENT)
    (tmp_path / NAME).symlink_to(other)
    with pytest.raises(IntegrityError):
        store.get(NAME)


def test_an_object_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with store.create() as sink:
        sink.write(CONTENT)
    assert list(tmp_path.iterdir()) == []


def test_keeping_an_object_twice_is_the_same_object(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put(NAME, CONTENT)
    store.put(NAME, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
