"""An operation for the reader's child that does what a parser taken over by a file might try."""

import ctypes
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.records.limits import Limits


def act(untrusted: memoryview, arguments: dict[str, object], limits: Limits) -> tuple[dict[str, object], list[Any]]:
    """Do what ``arguments["what"]`` names."""
    what = str(arguments["what"])
    if what == "large answer":
        import numpy as np  # noqa: PLC0415

        return {}, [np.zeros(limits.output_bytes, np.uint8)]
    return _ACTS[what](untrusted), []


def _echo(untrusted: memoryview) -> dict[str, object]:
    return {"size": len(untrusted)}


def _attempt(act: Callable[[], object]) -> dict[str, object]:
    try:
        result = act()
    except OSError as error:
        return {"failed": True, "error": str(error)}
    return {"failed": False, "result": str(result)}


def _write(_: memoryview) -> dict[str, object]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    descriptor = os.memfd_create("out")
    return _attempt(lambda: os.write(descriptor, b"plaintext"))


def _fork(_: memoryview) -> dict[str, object]:
    return _attempt(os.fork)


def _limits(_: memoryview) -> dict[str, object]:
    return {"failed": resource.getrlimit(resource.RLIMIT_NPROC) == (0, 0)}


def _open_many(_: memoryview) -> dict[str, object]:
    opened: list[int] = []

    def open_all() -> None:
        while len(opened) < 1000:
            opened.append(os.open("/", os.O_RDONLY))

    answer = _attempt(open_all)
    for descriptor in opened:
        os.close(descriptor)
    return answer


def _temporary(_: memoryview) -> dict[str, object]:
    return _attempt(lambda: tempfile.mkstemp()[1])


def _look(_: memoryview) -> dict[str, object]:
    return {
        "entries": [path.name for path in Path().iterdir()],
        "environment": dict(os.environ),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "core": list(resource.getrlimit(resource.RLIMIT_CORE)),
        "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    }


def _fill(_: memoryview) -> dict[str, object]:
    kept = [bytes(1 << 20) for _ in range(4000)]
    return {"kept": len(kept)}


def _sleep(_: memoryview) -> dict[str, object]:
    time.sleep(60)
    return {}


def _spin(_: memoryview) -> dict[str, object]:
    while True:
        pass


def _crash(_: memoryview) -> dict[str, object]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def _exit(_: memoryview) -> dict[str, object]:
    os._exit(3)


def _recurse(untrusted: memoryview) -> dict[str, object]:
    return _recurse(untrusted)


def _raise(_: memoryview) -> dict[str, object]:
    raise KeyError("surprise")


def _pid(_: memoryview) -> dict[str, object]:
    return {"pid": os.getpid()}


def _channel() -> socket.socket:
    for path in Path("/proc/self/fd").iterdir():
        if int(path.name) > 2 and path.is_symlink() and "socket" in str(path.readlink()):
            return socket.socket(fileno=os.dup(int(path.name)))
    raise OSError("no channel")


def _say(packet: bytes) -> Callable[[memoryview], dict[str, object]]:
    def say(_: memoryview) -> dict[str, object]:
        _channel().send(packet)
        time.sleep(60)
        return {}

    return say


def _keep(_: memoryview) -> dict[str, object]:
    import mmap  # noqa: PLC0415

    channel = _channel()
    channel.send(b'{"need":4096}')
    kept = mmap.mmap(socket.recv_fds(channel, 1024, 1)[1][0], 4096)
    channel.send(b'{"done":true}')
    time.sleep(60)
    return {"kept": len(kept)}


_ACTS: dict[str, Callable[[memoryview], dict[str, object]]] = {
    "echo": _echo,
    "write a file": _write,
    "fork": _fork,
    "limits": _limits,
    "open many files": _open_many,
    "temporary file": _temporary,
    "look around": _look,
    "fill memory": _fill,
    "sleep": _sleep,
    "spin": _spin,
    "crash": _crash,
    "exit": _exit,
    "recursion": _recurse,
    "exception": _raise,
    "pid": _pid,
    "keep the memory": _keep,
    "need nothing": _say(b'{"need":0}'),
    "need too much": _say(b'{"need":99999999999}'),
    "say no object": _say(b"[]"),
    "junk": _say(b"{}"),
}
