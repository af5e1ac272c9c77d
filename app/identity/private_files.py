"""Files only their owner may read: restrict permissions, write a temporary, fsync, replace (STYLE.md pattern 11)."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


class ExposedFileError(Exception):
    """A file or folder with secrets can be read or changed by others; the text names it and says what to do."""


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; an existing one is restricted to that.

    Raises:
        ExposedFileError: it is a link, or belongs to somebody else.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if folder.is_symlink():
        raise ExposedFileError(f"{folder} is a link. Replace it by a folder of your own.")
    if os.name == "posix":
        if folder.stat().st_uid != os.geteuid():
            raise ExposedFileError(f"{folder} belongs to another account. Give Assent a folder of your own.")
        folder.chmod(FOLDER_MODE)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file durably and atomically: afterwards it holds the old or the new content, never a part.

    The temporary is created with mode 0600 before anything is in it, so no moment exposes the content.
    """
    temporary = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        temporary.unlink()  # left by a crash; O_EXCL below never follows a planted link
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def read_private(path: Path, limit: int) -> bytes:
    """Return the content of a file that ``write_private`` wrote.

    Raises:
        FileNotFoundError: there is none.
        ExposedFileError: others may read or change it, it is no plain file, or longer than ``limit`` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise ExposedFileError(f"{path} is not a file that Assent wrote. Restore it from a backup.")
        if os.name == "posix" and (status.st_mode & 0o077 or status.st_uid != os.geteuid()):
            raise ExposedFileError(f"Others can reach {path}. Make it yours alone (mode 600), then try again.")
        return file.read(limit)


def remove_private(path: Path) -> None:
    """Remove a file durably; a missing one is no error. Old blocks on the disk may remain until they are reused."""
    with suppress(FileNotFoundError):
        path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename or removal in ``folder`` durable. Windows cannot open folders and needs no such step."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
