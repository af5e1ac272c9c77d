"""Processes that outlive the command which starts them, each known by a lock that only it holds.

A started process inherits an open file on which a lock is held: as long as the lock is taken, the process lives and the
number in that file is its own, whatever became of numbers since. Nothing here ends a process whose lock is free.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.network.plan import NetworkError

_LOG_BYTES: Final = 8 << 20
"""A log larger than this is set aside at the next start."""

_PATIENCE: Final = 5.0
"""Seconds that a process may take to end by itself."""

# The shell leaves the program to itself, so that it is nobody's child here and leaves no zombie. Its number is written
# by itself, before it becomes the program: whatever ends this command, no process without a number stays behind.
_BECOME: Final = 'echo $$ >"$1"; shift; exec "$@"'
_LAUNCH: Final = 'umask 077; log=$1; shift; /bin/sh -c "$@" </dev/null >>"$log" 2>&1 &'


@dataclass(frozen=True, slots=True)
class Program:
    """What runs as one node.

    Attributes:
        name: of its log and its lock.
        command: the program and its arguments.
        environment: all of it.
        folder: where it runs.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


class Processes:
    """The processes of one folder.

    Args:
        folder: holds a lock and a log of each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def log(self, name: str) -> Path:
        """Return where a process writes what it has to say."""
        return self._folder / f"{name}.log"

    def start(self, program: Program) -> bool:
        """Start a program unless it runs; return whether it was started.

        Raises:
            NetworkError: its number cannot be written, so that it could not be ended.
        """
        lock = self._lock(program.name)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _take(descriptor, patience=0.2):  # others take it for a moment when they look
                return False
            os.ftruncate(descriptor, 0)
            log = self.log(program.name)
            if log.exists() and log.stat().st_size > _LOG_BYTES:
                log.replace(log.with_suffix(".log.old"))
            subprocess.run(
                ["/bin/sh", "-c", _LAUNCH, "sh", str(log), _BECOME, "sh", str(lock), *program.command],
                env=dict(program.environment),
                cwd=program.folder,
                pass_fds=[descriptor],
                start_new_session=True,  # Ctrl-C in the terminal is not meant for it
                check=True,
            )
            deadline = time.monotonic() + _PATIENCE
            while _number(descriptor) is None:
                if time.monotonic() > deadline:
                    raise NetworkError(f"{program.name} could not be started: {lock} cannot be written.")
                time.sleep(0.002)
            return True
        finally:
            os.close(descriptor)

    def pid(self, name: str) -> int | None:
        """Return the number of the process if it runs."""
        try:
            descriptor = os.open(self._lock(name), os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            if _take(descriptor):
                return None
            return _number(descriptor)
        finally:
            os.close(descriptor)

    def end(self, names: Sequence[str]) -> None:
        """End those of the processes that run, all at once; after some seconds by force.

        Raises:
            NetworkError: one does not end.
        """
        for kind in (signal.SIGTERM, signal.SIGKILL):
            for name in names:
                self.send(name, kind)
            deadline = time.monotonic() + _PATIENCE
            while running := [name for name in names if self.pid(name) is not None]:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            if not running:
                return
        raise NetworkError(f"{', '.join(running)} cannot be ended")

    def send(self, name: str, kind: signal.Signals) -> bool:
        """Send a signal to the process if it runs; return whether it does."""
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.kill(pid, kind)
        except ProcessLookupError:  # ended between the two lines
            return False
        return True

    def _lock(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


def _number(descriptor: int) -> int | None:
    """Return what a started process has written into its file."""
    text = os.pread(descriptor, 16, 0)
    return int(text) if text.endswith(b"\n") else None


def _take(descriptor: int, patience: float = 0.0) -> bool:
    """Take the lock of an open file if it is free, or becomes free; closing the file lets it go."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True
