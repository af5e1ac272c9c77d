"""The parent's side of the reader: hands an object to the child by descriptor and takes a checked answer back."""

import contextlib
import fcntl
import json
import mmap
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from app.records.child import OPERATIONS, PACKET
from app.records.limits import MIB, Limits
from app.records.refusal import RefusedError

if TYPE_CHECKING:
    import numpy as np

Buffer = bytes | bytearray | memoryview | mmap.mmap
_F_ADD_SEALS: Final = getattr(fcntl, "F_ADD_SEALS", 1033)
_SEAL_ALL: Final = 0x1 | 0x2 | 0x4 | 0x8  # seal, shrink, grow, write
_SEAL_SIZE: Final = 0x2 | 0x4
_ROOM: Final = MIB // 4
_DTYPES: Final = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
_STOPPED: Final = (
    "The reader stopped while reading it: the file is damaged or made to do harm. It is not opened; ask for it again."
)
_START: Final = "import sys; sys.path.insert(0, {root!r}); from app.records.child import main; main({descriptor})"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a child made of one object: a JSON document and read-only arrays; a stranger's words: check each field."""

    document: dict[str, Any]
    arrays: tuple["np.ndarray[Any, Any]", ...]


class ReaderProcess:
    """A warm process from which every session forks its own confined child. Safe to use from several threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def warm(self) -> None:
        """Start the process now, so that the first opening does not wait for its imports."""
        with self._lock:
            self._running()

    def session(self, *operations: str) -> "ReaderSession":
        """Return a fresh child for the objects of one record; the operations named are imported before it forks.

        Raises:
            RefusedError: no process can be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        order = json.dumps(
            {"warm": sorted({OPERATIONS[name][0] for name in operations}), "limits": asdict(self.limits)}
        ).encode()
        with theirs, self._lock:
            for is_last in (False, True):
                try:
                    socket.send_fds(self._running(), [order], [theirs.fileno()])
                    break
                except OSError:
                    self._stop()
                    if is_last:
                        ours.close()
                        raise RefusedError("The reader process cannot be started; restart Assent.") from None
        return ReaderSession(ours, self.limits)

    def ask(self, operation: str, untrusted: "Buffer | int", arguments: Mapping[str, object] | None = None) -> Reply:
        """Have one object read in a child of its own.

        Raises:
            RefusedError: the child refuses it, takes too long, needs too much or dies.
        """
        with self.session(operation) as session:
            return session.ask(operation, untrusted, arguments)

    def close(self) -> None:
        """End the process and all its children."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> socket.socket:
        if self._control is not None and self._server is not None and self._server.poll() is None:
            return self._control
        self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._server = _start(theirs.fileno())
            except OSError:
                ours.close()
                raise
        self._control = ours
        return ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    """Start the warm process; it inherits one descriptor and three settings, and no file of ours."""
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(  # noqa: S603  -- our own interpreter and a constant program
        [sys.executable, "-I", "-c", _START.format(root=root, descriptor=descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "PATH": os.defpath},
    )


class ReaderSession:
    """One child: reads the objects of one record, one after the other, then is gone."""

    def __init__(self, channel: socket.socket, limits: Limits) -> None:
        self._channel = channel
        self._limits = limits

    @property
    def alive(self) -> bool:
        """Whether the child can be asked again."""
        return self._channel.fileno() >= 0

    def ask(self, operation: str, untrusted: Buffer | int, arguments: Mapping[str, object] | None = None) -> Reply:
        """Have one object read.

        Args:
            operation: a key of ``OPERATIONS``.
            untrusted: the object's bytes, or an open descriptor of a regular file.
            arguments: of the operation; JSON values.

        Raises:
            RefusedError: with the reason; the session is closed when the child is of no more use.
        """
        with contextlib.ExitStack() as stack:
            descriptor, size = _descriptor_of(untrusted, stack)
            # Most answers are little more than twice the object: room for one is sent along, which spares a round trip.
            room = min(2 * size + _ROOM, self._limits.output_bytes)
            answer = _sized_memory(room, stack)
            request = {"operation": operation, "size": size, "room": room, "arguments": dict(arguments or {})}
            try:
                self._channel.settimeout(self._limits.seconds)
                socket.send_fds(self._channel, [json.dumps(request).encode()], [descriptor, answer])
                return self._reply(answer, room, stack)
            except TimeoutError:
                self.close()
                raise RefusedError(
                    f"Reading it took longer than {self._limits.seconds:g} seconds; it is damaged or made to be slow. "
                    "It is not opened."
                ) from None
            except OSError:
                self.close()
                raise RefusedError(_STOPPED) from None

    def close(self) -> None:
        """End the child."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reply(self, answer: int, room: int, stack: contextlib.ExitStack) -> Reply:
        message = self._receive()
        if "need" in message:
            need = message["need"]
            if not isinstance(need, int) or not room < need <= self._limits.output_bytes:
                raise OSError("no usable answer")
            answer, room = _sized_memory(need, stack), need
            socket.send_fds(self._channel, [b"{}"], [answer])
            message = self._receive()
        if message != {"done": True}:
            raise OSError("no usable answer")
        # Refused by the kernel while the child still has the memory mapped: what we check is what we use.
        fcntl.fcntl(answer, _F_ADD_SEALS, _SEAL_ALL)
        return _parse(mmap.mmap(answer, room, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))

    def _receive(self) -> dict[str, Any]:
        packet = self._channel.recv(PACKET)
        message = json.loads(packet) if packet else {"exit": None}
        if not isinstance(message, dict):
            raise OSError("no usable answer")
        if isinstance(reason := message.get("refused"), str):
            raise RefusedError(reason)
        if "exit" in message:
            raise OSError("the child ended")
        return message


def _sized_memory(size: int, stack: contextlib.ExitStack) -> int:
    """Return anonymous memory of exactly ``size`` bytes, which costs nothing before it is written."""
    descriptor = os.memfd_create("assent-answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, descriptor)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, _F_ADD_SEALS, _SEAL_SIZE)
    return descriptor


def _descriptor_of(untrusted: Buffer | int, stack: contextlib.ExitStack) -> tuple[int, int]:
    if isinstance(untrusted, int):
        return untrusted, os.fstat(untrusted).st_size
    descriptor = os.memfd_create("assent-object", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, descriptor)
    with memoryview(untrusted) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptor, view[written : written + 64 * MIB])
    fcntl.fcntl(descriptor, _F_ADD_SEALS, _SEAL_ALL)
    if written == 0:
        raise RefusedError("It is empty.")
    return descriptor, written


def _parse(mapped: mmap.mmap) -> Reply:
    """Take the answer apart; a child that lies about sizes is refused."""
    length = int.from_bytes(mapped[:8], "little")
    if length > len(mapped) - 8:
        raise OSError("no usable answer")
    try:
        content = json.loads(mapped[8 : 8 + length])
        document, places = content["document"], content["arrays"]
        start = -(-(8 + length) // 64) * 64
        arrays = tuple(_array(mapped, start, place) for place in places)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise OSError("no usable answer") from None
    if not isinstance(document, dict):
        raise OSError("no usable answer")
    return Reply(document, arrays)


def _array(mapped: mmap.mmap, start: int, place: Mapping[str, Any]) -> "np.ndarray[Any, Any]":
    import numpy as np  # noqa: PLC0415  -- only a reader that shows pictures needs it

    shape: Sequence[int] = place["shape"]
    if place["dtype"] not in _DTYPES or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError(place)
    count = 1
    for side in shape:
        count *= side
    return np.frombuffer(mapped, np.dtype(place["dtype"]), count, start + int(place["offset"])).reshape(shape)
