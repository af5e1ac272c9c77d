"""Encrypt, digest and write at once: age in the caller's thread, digests and storing in two others.

Digests and writes free the interpreter, so the three overlap (row 1 of PERFORMANCE.md). Memory is bounded by the
queues.
"""

import hashlib
import io
import queue
import threading
from collections.abc import Callable
from typing import Final, Protocol, final

from app.records.imported import Readable

BUFFER: Final = 1 << 20
_BATCH: Final = 16
_WAITING: Final = 4


class _Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


@final
class Worker:
    """One thread that does given work in order; the first failure is raised to whoever gives or awaits work."""

    def __init__(self, work: Callable[[list[bytes]], None]) -> None:
        self._work = work
        self._queue: queue.Queue[list[bytes] | None] = queue.Queue(_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="records-pipeline", daemon=True)
        self._thread.start()

    def give(self, parts: list[bytes]) -> None:
        """Hand over parts; waits while the queue is full.

        Raises:
            OSError: or whatever the work raised before.
        """
        if self._error is not None:
            raise self._error
        self._queue.put(parts)

    def stop(self) -> None:
        """Wait until all given work is done and end the thread; raises nothing."""
        self._queue.put(None)
        self._thread.join()

    def check(self) -> None:
        """Raise what the work raised, if it did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (parts := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._work(parts)
                except BaseException as error:  # noqa: BLE001  -- carried to the giving thread
                    self._error = error


@final
class Plaintext(io.RawIOBase):
    """Plaintext on its way into age: digested as a whole and, for an instance, apart in pixels and the rest."""

    def __init__(self, stream: Readable, pixels: tuple[int, int] | None) -> None:
        super().__init__()
        self._stream = stream
        self._from, self._to = (0, 0) if pixels is None else (pixels[0], pixels[0] + pixels[1])
        self._apart = pixels is not None
        self.size = 0
        self.error: BaseException | None = None
        self.file = hashlib.sha256()
        self.pixels = hashlib.sha256()
        self.header = hashlib.sha256()
        self.worker = Worker(self._digest)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub wants any buffer
        """Fill the buffer from the stream; the part goes to the digesting thread."""
        try:
            part = self._stream.read(len(buffer))
            buffer[: len(part)] = part
            if part:
                self.worker.give([part])
        except BaseException as error:
            self.error = error
            raise
        return len(part)

    def _digest(self, parts: list[bytes]) -> None:
        for part in parts:
            self.file.update(part)
            if self._apart:
                start, end = (max(0, min(len(part), edge - self.size)) for edge in (self._from, self._to))
                self.header.update(part[:start])
                self.pixels.update(part[start:end])
                self.header.update(part[end:])
            self.size += len(part)


@final
class Ciphertext:
    """Ciphertext on its way from age into a sink: digested and written by another thread, in batches."""

    def __init__(self, sink: _Writable) -> None:
        self._sink = sink
        self._batch: list[bytes] = []
        self.size = 0
        self.error: BaseException | None = None
        self.digest = hashlib.sha256()
        self.worker = Worker(self._store)

    def write(self, part: bytes, /) -> int:
        """Take a part; errors of the storing thread surface here or in ``finish``."""
        self._batch.append(bytes(part))
        if len(self._batch) == _BATCH:
            self._hand_over()
        return len(part)

    def flush(self) -> None:
        """Hand over what is waiting."""
        if self._batch:
            self._hand_over()

    def _hand_over(self) -> None:
        parts, self._batch = self._batch, []
        try:
            self.worker.give(parts)
        except BaseException as error:
            self.error = error
            raise

    def _store(self, parts: list[bytes]) -> None:
        for part in parts:
            self.digest.update(part)
            self._sink.write(part)
            self.size += len(part)
