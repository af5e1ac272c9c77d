"""Object stores: ciphertext by its own SHA-256; a folder by default, S3-compatible ones later by the same verbs."""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from app.records.refusal import Change, IntegrityError

CHUNK: Final = 1 << 20
_NAME: Final = re.compile(r"[0-9a-f]{64}")


class Sink(Protocol):
    """An object being written; its name is known at its end. Leaving without ``keep`` leaves nothing behind."""

    def write(self, data: bytes, /) -> int:
        """Append bytes."""

    def keep(self, name: str) -> None:
        """Make what was written the object ``name``; durable when this returns."""

    def __enter__(self) -> Self:
        """Return the sink."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Drop what was not kept."""


class ObjectStore(Protocol):
    """Where ciphertext lives. Nobody trusts it: whoever reads compares the name (``sealing``)."""

    def create(self) -> Sink:
        """Begin a new object."""

    def put(self, name: str, data: bytes) -> None:
        """Store an object whose name is known.

        Raises:
            IntegrityError: ``object-damaged``; the name is not the SHA-256 of the bytes.
        """

    def get(self, name: str, offset: int = 0) -> bytes:
        """Return an object's bytes from ``offset``; from the start they are compared with the name.

        Raises:
            IntegrityError: ``object-missing``, or ``object-damaged``.
        """

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Return up to ``size`` unchecked bytes, for streams; b"" beyond the end.

        Raises:
            IntegrityError: ``object-missing``.
        """

    def has(self, name: str) -> bool:
        """Say whether the object is there."""

    def delete(self, name: str) -> None:
        """Remove the object; absent is no error."""


class FolderStore:
    """Objects as files of one folder, only for its owner: folder 0700, files 0600; temporary, fsync, then replace."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder = folder

    def create(self) -> "FolderSink":
        """Begin a new object in a temporary file of the same folder."""
        return FolderSink(self._folder)

    def put(self, name: str, data: bytes) -> None:
        """Store an object whose name is known; see ``ObjectStore``."""
        if hashlib.sha256(data).hexdigest() != name:
            raise IntegrityError(Change.OBJECT_DAMAGED, name)
        with self.create() as sink:
            sink.write(data)
            sink.keep(name)

    def get(self, name: str, offset: int = 0) -> bytes:
        """Return an object's bytes; see ``ObjectStore``."""
        with self._open(name) as descriptor:
            os.lseek(descriptor, offset, os.SEEK_SET)
            with os.fdopen(os.dup(descriptor), "rb") as stream:
                data = stream.read()
        if offset == 0 and hashlib.sha256(data).hexdigest() != name:
            raise IntegrityError(Change.OBJECT_DAMAGED, name)
        return data

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Return unchecked bytes; see ``ObjectStore``."""
        with self._open(name) as descriptor:
            return os.pread(descriptor, size, offset)

    def has(self, name: str) -> bool:
        """Say whether the object is there."""
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        """Remove the object; absent is no error."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        """Return the object's file; a name that is no SHA-256 never reaches the file system."""
        if not _NAME.fullmatch(name):
            raise IntegrityError(Change.OBJECT_MISSING, name)
        return self._folder / name

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[int]:
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            raise IntegrityError(Change.OBJECT_MISSING, name) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


class FolderSink:
    """A temporary file that becomes an object, or vanishes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f".new-{secrets.token_hex(16)}"
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._kept = False

    def write(self, data: bytes, /) -> int:
        """Append bytes.

        Raises:
            OSError: the disk is full, for example; nothing stays behind.
        """
        with memoryview(data) as view:
            written = 0
            while written < len(view):
                written += os.write(self._descriptor, view[written:])
        return written

    def keep(self, name: str) -> None:
        """Make what was written the object ``name``; durable when this returns."""
        if not _NAME.fullmatch(name):
            raise IntegrityError(Change.OBJECT_DAMAGED, name)
        os.fsync(self._descriptor)
        self._path.replace(self._folder / name)
        self._kept = True
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        os.close(self._descriptor)
        if not self._kept:
            self._path.unlink(missing_ok=True)
