"""What an import found, before it is sealed: records and the bytes they are made of."""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from app.records.description import Category, Person, level_of
from app.records.refusal import RefusedError

_CHUNK: Final = 1 << 20
_CHANGED: Final = "It changed while it was read. Import it again when nothing writes to it any more."


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, b"" at the end."""


class Source(Protocol):
    """Bytes that can be read more than once, each time from the start."""

    def open(self) -> AbstractContextManager[Readable]:
        """Return a stream of all bytes.

        Raises:
            RefusedError: they are not those that were looked at before.
        """


@dataclass(frozen=True, slots=True)
class BytesSource:
    """Bytes in memory."""

    content: bytes = field(repr=False)

    def open(self) -> AbstractContextManager[Readable]:
        """Return a stream of the bytes."""
        return contextlib.nullcontext(io.BytesIO(self.content))


@dataclass(frozen=True, slots=True)
class FileSource:
    """A regular file as it was when it was looked at: device, inode, size and time of change must still be the same."""

    path: Path
    identity: tuple[int, int, int, int]

    @contextlib.contextmanager
    def open(self) -> Iterator[Readable]:
        """Yield a stream of the file, never through a link, and refuse another file than the one that was looked at."""
        descriptor = open_regular(self.path)
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            if identity_of(os.fstat(stream.fileno())) != self.identity:
                raise RefusedError(_CHANGED)
            yield stream


def identity_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells one content of a file from another without reading it."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def open_regular(path: Path) -> int:
    """Return a descriptor of a regular file.

    Raises:
        RefusedError: a link, a folder, a pipe, a device, or not readable.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise RefusedError("It is a link. Choose the file itself.") from None
        raise RefusedError(f"It cannot be read ({getattr(error, 'strerror', None) or 'bad name'}).") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError("It is no ordinary file (a folder, pipe or device). Choose a file.")
    return descriptor


@dataclass(frozen=True, slots=True)
class ImportObject:
    """One file to be: a DICOM instance or a document.

    Attributes:
        name_hint: where it came from, for messages only; never stored.
        media_type: application/dicom, application/fhir+json, application/pdf or text/csv.
        size: bytes.
        sha256: of the bytes that were looked at, lower-case hex; sealing refuses any other.
        pixels: offset and length of the pixel data's value, or None.
        source: where the bytes are read from.
    """

    name_hint: str
    media_type: str
    size: int
    sha256: str
    pixels: tuple[int, int] | None
    source: Source

    @classmethod
    def of(
        cls, name_hint: str, media_type: str, content: bytes, pixels: tuple[int, int] | None = None
    ) -> "ImportObject":
        """Return an object of bytes in memory."""
        return cls(
            name_hint, media_type, len(content), hashlib.sha256(content).hexdigest(), pixels, BytesSource(content)
        )

    @property
    def data(self) -> bytes:
        """All bytes, compared with ``sha256``.

        Raises:
            RefusedError: they changed since they were looked at.
        """
        digest = hashlib.sha256()
        parts = []
        with self.source.open() as stream:
            while part := stream.read(_CHUNK):
                digest.update(part)
                parts.append(part)
        if digest.hexdigest() != self.sha256:
            raise RefusedError(_CHANGED)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One record as PROTOCOL.md C1 splits them: a study, an encounter's or day's part of a bundle, a document, a table.

    Attributes:
        kind: dicom, fhir, pdf or csv.
        category: the one kind that a patient ticks.
        classes: ``system|code`` of a consent's ``class``: category, resource type, v2-0074 service.
        codes: ``system|code`` of a consent's ``code``.
        dates: none, one FHIR dateTime, or first and last of an inclusive range; as written, never shifted by a zone.
        labels: ``system|code`` of confidentiality and sensitivity; the default of A40 is among them if the file states
            none.
        authors: references as a consent's ``data`` names them; empty if unknown.
        related: references of encounters, plans and reports.
        references: the record's own references (``Type/id`` or UID), for a consent to a single record.
        display: what the list shows; plain text.
        person: whom the file says it is about.
        objects: in the order in which they are shown.
        reading: how something was read that a person must confirm (CASES.md 12).
        paths: the imported files it came from.
    """

    kind: str
    category: Category
    classes: tuple[str, ...]
    codes: tuple[str, ...]
    dates: tuple[str, ...]
    labels: tuple[str, ...]
    authors: tuple[str, ...]
    related: tuple[str, ...]
    references: tuple[str, ...]
    display: str
    person: Person
    objects: tuple[ImportObject, ...]
    reading: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        """The confidentiality letter (DECISION.md 4)."""
        return level_of(self.labels)
