"""The reader's own process: untrusted bytes are parsed here and nowhere else (ATTACKS.md A24, A40).

One warm server is started per ``ReaderProcess``. It never sees untrusted bytes: for each session it forks a child that
has the heavy parsers already imported, limits on memory, CPU time, files and processes, no writable file, no usable
temporary folder and no descriptor but its channel. An object comes in as a descriptor; the answer goes out through
memory that the parent sized and that the child only maps.

Channel messages are JSON in one packet each. Parent to child: ``{operation, size, room, arguments}`` with the
descriptors of the object and of ``room`` bytes for the answer; child to parent: ``{need: bytes}`` if that is too
small, answered by a descriptor of exactly that size, then ``{done: true}``; or ``{refused: reason}``. When a child is
gone, the server writes ``{exit: status}`` on its behalf.
"""

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import resource
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn, Protocol

from app.records.limits import Limits
from app.records.refusal import RefusedError

PACKET: Final = 64 * 1024
ALIGNMENT: Final = 64
OPERATIONS: Final = {
    "describe-dicom": ("app.records.dicom", "describe"),
    "describe-fhir": ("app.records.fhir", "describe"),
    "describe-pdf": ("app.records.pdf", "describe"),
    "describe-csv": ("app.records.table", "describe"),
    "images": ("app.records.dicom", "images"),
    "chart": ("app.records.fhir", "chart"),
    "pages": ("app.records.pdf", "pages"),
    "table": ("app.records.table", "rows"),
}
_PARSERS: Final = {
    "app.records.dicom": (
        "numpy",
        "pydicom",
        "pydicom.pixels.decoders",
        "PIL.Image",
        "PIL.JpegImagePlugin",
        "openjpeg",
        "jpeg_ls",
    ),
    "app.records.pdf": ("numpy", "pypdfium2"),
    "app.records.fhir": (),
    "app.records.table": (),
}
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_CHILD_DESCRIPTORS: Final = 64


class Array(Protocol):
    """What the answer needs of a numpy array."""

    @property
    def nbytes(self) -> int:
        """Bytes of the content."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions."""

    @property
    def dtype(self) -> object:
        """The type of a value."""


Answer = tuple[dict[str, object], Sequence[Array]]
Operation = Callable[[memoryview, dict[str, object], Limits], Answer]


def main(control_descriptor: int) -> None:
    """Serve sessions until the parent closes the control channel."""
    control = socket.socket(fileno=control_descriptor)
    _leave_no_place_to_write()
    _Server(control).run()


def _leave_no_place_to_write() -> None:
    """Work in an empty folder that is already removed: whatever wants a temporary file there fails."""
    folder = tempfile.mkdtemp(prefix="assent-reader-")
    os.chdir(folder)
    Path(folder).rmdir()
    tempfile.tempdir = folder
    os.environ["TMPDIR"] = folder
    sys.setrecursionlimit(2000)


class _Server:
    """Forks children and reports their ends; single-threaded, so that a fork is safe."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, tuple[int, socket.socket]] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._cold = [name for names in _PARSERS.values() for name in names]

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._control, select.POLLIN | select.POLLHUP)
        while True:
            for descriptor, event in poll.poll(0 if self._cold else None):
                if descriptor == self._control.fileno():
                    if not self._begin(poll):
                        return
                elif descriptor in self._children:
                    self._end(poll, descriptor)
                elif event & (select.POLLHUP | select.POLLERR):
                    self._give_up(poll, descriptor)
            if self._cold:
                importlib.import_module(self._cold.pop(0))

    def _begin(self, poll: select.poll) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._control, PACKET, 1)
        if not packet:
            return False
        order = json.loads(packet)
        for name in order["warm"]:
            for parser in _PARSERS[name]:
                importlib.import_module(parser)
            importlib.import_module(name)
        self._cold = [name for name in self._cold if name not in sys.modules]
        channel = socket.socket(fileno=descriptors[0])
        child = os.fork()
        if child == 0:
            self._become_child(channel, Limits(**order["limits"]))
        pidfd = os.pidfd_open(child)
        self._children[pidfd] = (child, channel)
        poll.register(pidfd, select.POLLIN)
        poll.register(channel, 0)
        return True

    def _end(self, poll: select.poll, pidfd: int) -> None:
        child, channel = self._children.pop(pidfd)
        _, status = os.waitpid(child, 0)
        poll.unregister(pidfd)
        with contextlib.suppress(KeyError, ValueError):
            poll.unregister(channel)
        os.close(pidfd)
        with contextlib.suppress(OSError):
            channel.send(json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode())
        channel.close()

    def _give_up(self, poll: select.poll, descriptor: int) -> None:
        """The parent closed this session: it was too slow, or is no longer wanted."""
        for child, channel in self._children.values():
            if channel.fileno() == descriptor:
                poll.unregister(descriptor)
                os.kill(child, signal.SIGKILL)

    def _become_child(self, channel: socket.socket, limits: Limits) -> NoReturn:
        status = 1
        try:
            _confine(self._libc, channel.fileno())
            _Session(channel, limits).run()
            status = 0
        finally:
            os._exit(status)


def _confine(libc: ctypes.CDLL, kept_descriptor: int) -> None:
    """Keep one descriptor; no core, no dump, no new rights, no process, no byte into any file; die with the server."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.closerange(3, kept_descriptor)
    os.closerange(kept_descriptor + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, max(_CHILD_DESCRIPTORS, kept_descriptor + 1)),
    ):
        resource.setrlimit(kind, (most, most))


class _Session:
    """One child's life: objects of one record, one after the other."""

    def __init__(self, channel: socket.socket, limits: Limits) -> None:
        self._channel = channel
        self._limits = limits
        self._base = _address_space()

    def run(self) -> None:
        while True:
            packet, descriptors, _, _ = socket.recv_fds(self._channel, PACKET, 2)
            if not packet:
                return
            request = json.loads(packet)
            self._limit_cost(request["size"])
            with mmap.mmap(descriptors[0], request["size"], access=mmap.ACCESS_READ) as mapped:
                os.close(descriptors[0])
                with memoryview(mapped) as untrusted:
                    self._answer(request, untrusted, descriptors[1])
            os.close(descriptors[1])

    def _limit_cost(self, size: int) -> None:
        """Memory for this object beyond what is mapped now, and CPU seconds beyond those spent."""
        memory = self._base + self._limits.memory_bytes + 2 * size + self._limits.output_bytes
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
        spent = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(spent.ru_utime + spent.ru_stime + 2 * self._limits.seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))

    def _answer(self, request: dict[str, object], untrusted: memoryview, answer: int) -> None:
        try:
            module, function = OPERATIONS[str(request["operation"])]
            operation: Operation = getattr(importlib.import_module(module), function)
            arguments = request["arguments"]
            document, arrays = operation(untrusted, arguments if isinstance(arguments, dict) else {}, self._limits)
            self._deliver(document, arrays, answer, int(str(request["room"])))
        except RefusedError as refusal:
            self._refuse(refusal.reason)
        except MemoryError:
            self._refuse(
                f"Reading it needs more than {self._limits.memory_bytes >> 20} MiB of memory; it is not opened."
            )
        except RecursionError:
            self._refuse("It is nested too deep to be read safely.")
        except Exception as error:  # noqa: BLE001  -- whatever a parser throws is a refusal, never a crash of the product
            self._refuse(
                f"It is damaged or not of this kind ({type(error).__name__}). Ask for the file to be exported again."
            )

    def _refuse(self, reason: str) -> None:
        self._channel.send(json.dumps({"refused": reason[:2000]}).encode())

    def _deliver(self, document: dict[str, object], arrays: Sequence[Array], answer: int, room: int) -> None:
        places: list[dict[str, object]] = []
        offset = 0
        for array in arrays:
            places.append({"dtype": str(array.dtype), "shape": list(array.shape), "offset": offset})
            offset += _aligned(array.nbytes)
        text = json.dumps({"document": document, "arrays": places}).encode()
        start = _aligned(8 + len(text))
        total = start + offset
        if total > self._limits.output_bytes:
            raise RefusedError(
                f"Shown, it would need {total >> 20} MiB; at most {self._limits.output_bytes >> 20} MiB are shown."
            )
        if total > room:
            self._channel.send(json.dumps({"need": total}).encode())
            packet, descriptors, _, _ = socket.recv_fds(self._channel, PACKET, 1)
            if not packet:
                return
            os.dup2(descriptors[0], answer)
            os.close(descriptors[0])
            room = total
        with mmap.mmap(answer, room) as out:
            out[:8] = len(text).to_bytes(8, "little")
            out[8 : 8 + len(text)] = text
            with memoryview(out) as view:
                for array, place in zip(arrays, places, strict=True):
                    _copy(array, view, start + int(str(place["offset"])))
        self._channel.send(b'{"done":true}')


def _copy(array: Array, view: memoryview, position: int) -> None:
    numpy = importlib.import_module("numpy")
    target = numpy.frombuffer(view, array.dtype, int(numpy.prod(array.shape)), position)
    target.reshape(array.shape)[...] = array


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  -- one line of the kernel's
        return int(statm.read().split()[0]) * resource.getpagesize()
