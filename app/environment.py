"""Make the environment the program runs in, from the hashed lock, with the standard library alone.

``./assent`` and ``./check`` call this with whatever Python 3.11+ the machine has, before anything is installed: so
nothing here may import a package, and nothing in ``app/__init__.py`` may either. Linux and macOS.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
RUNTIME_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "requirements-dev.lock"  # holds everything of RUNTIME_LOCK at the same versions (tests/house)

QT_PACKAGES = (
    "libgl1",
    "libegl1",
    "libglib2.0-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxkbcommon0",
    "libbrotli1",
    "fonts-dejavu-core",
)
"""Debian packages without which Qt does not start offscreen."""

WINDOW_PACKAGES = (
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-shm0",
    "libxcb-sync1",
    "libxcb-util1",
    "libxcb-xfixes0",
    "libxcb-xkb1",
    "libxkbcommon-x11-0",
    "libx11-xcb1",
)
"""Debian packages that Qt needs besides for windows on an X display."""

DESKTOP_PACKAGES = QT_PACKAGES + WINDOW_PACKAGES
BUILD_PACKAGES = ("ca-certificates",)
"""Debian packages without which Go fetches no sources (Python's packages bring their own certificates)."""

PEER_PACKAGES = ("age", "git", "openssl")
"""Debian packages that the benchmarks compare with."""


class NotPreparedError(Exception):
    """Something is missing that this program may not or cannot install; the message says what a person can do."""


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether a window could be shown: macOS, an X or Wayland display, or a Qt platform that was chosen by name."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform == "darwin" or any(environment.get(name) for name in names)


def missing_packages(names: Sequence[str]) -> tuple[str, ...]:
    """The Debian packages among ``names`` that are not installed; none where there is no dpkg.

    Debian 13 renamed libraries for 64-bit time (``libglib2.0-0t64``): either name counts.
    """
    if not names or shutil.which("dpkg-query") is None:
        return ()
    asked = [spelling for name in names for spelling in (name, name + "t64")]
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *asked]
    # Absent names make dpkg-query exit 1 although it lists the others.
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    installed = {line.split()[1] for line in answer.stdout.splitlines() if line.startswith("installed ")}
    return tuple(name for name in names if name not in installed and name + "t64" not in installed)


def install_packages(names: Sequence[str], say: Callable[[str], None]) -> None:
    """Install what is missing of these Debian packages, if that needs no question.

    Raises:
        NotPreparedError: they are missing and we are neither root nor allowed to use sudo without a password,
            or apt failed.
    """
    missing = missing_packages(names)
    if not missing:
        return
    by_hand = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(missing)}"
    prefix = _elevation()
    if prefix is None:
        raise NotPreparedError(
            f"Some Debian packages are missing. Install them, then start again:\n  sudo sh -c '{by_hand}'"
        )
    say(f"Installing Debian packages: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        command = [*prefix, "apt-get", "-qq", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotPreparedError(f"{' '.join(command)} failed:\n{done.stderr.strip() or done.stdout.strip()}")


def _elevation() -> list[str] | None:
    """What to write before apt-get: nothing for root, sudo where it asks nothing, None where neither works."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


class Environment:
    """The virtual environment beside the sources, and the mark in it that says which locks it was installed from."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self._mark = self.folder / "installed.json"

    def is_ready(self, lock: str) -> bool:
        """Whether it was installed completely from this lock as it is now, in this place, for the Python it finds."""
        try:
            mark = json.loads(self._mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(mark.get("place") == self._place() and mark.get("locks", {}).get(lock) == self._hash(lock))

    def prepare(self, lock: str, say: Callable[[str], None]) -> Path:
        """Bring it to the state of ``lock`` and return its Python. Two starts at once do the work once.

        Raises:
            NotPreparedError: no way to make a virtual environment here, or a package could not be fetched or did not
                have the hash of the lock.
        """
        if self.is_ready(lock):
            return self.python
        with self._alone(say):
            if not self.is_ready(lock):
                self._install(lock, say)
        return self.python

    def _install(self, lock: str, say: Callable[[str], None]) -> None:
        self._mark.unlink(missing_ok=True)
        if not self._is_usable():
            self._create(say)
        _pip(self.python, self.root / lock, say)
        say("Compiling")
        # In parallel, and without an error for the code templates that some packages ship as .py.
        compile_all = [str(self.python), "-m", "compileall", "-q", "-j", "0", str(self._packages())]
        subprocess.run(compile_all, capture_output=True, check=False)
        (self._packages() / "assent.pth").write_text(f"{self.root}\n", encoding="utf-8")
        # The development lock contains the runtime lock, so its installation is one of both.
        locks = [lock] if lock == RUNTIME_LOCK else [RUNTIME_LOCK, lock]
        mark = {"place": self._place(), "locks": {name: self._hash(name) for name in locks}}
        fresh = self._mark.with_suffix(".new")
        fresh.write_text(json.dumps(mark), encoding="utf-8")
        fresh.replace(self._mark)
        say("Ready")

    def _create(self, say: Callable[[str], None]) -> None:
        if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it apart
            if shutil.which("dpkg-query") is None:
                raise NotPreparedError("This Python has no ensurepip: install Python 3.11 or later with it.")
            install_packages(["python3-venv"], say)
        say(f"Making the environment for Python {sys.version.split()[0]}")
        # Called from inside another environment, its base is meant.
        base = getattr(sys, "_base_executable", sys.executable)
        _run([base, "-m", "venv", "--clear", str(self.folder)])

    def _is_usable(self) -> bool:
        """Whether it has a Python that starts, is not too old, and has pip."""
        if not self.python.exists():
            return False
        question = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        return subprocess.run([self.python, "-c", question], capture_output=True, check=False).returncode == 0

    def _packages(self) -> Path:
        question = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return Path(_run([str(self.python), "-c", question]).strip())

    def _place(self) -> list[str]:
        """Where it stands and which Python it links to: a moved folder or a replaced Python needs a new one."""
        return [str(self.root), os.path.realpath(self.python)]

    def _hash(self, lock: str) -> str:
        return hashlib.sha256((self.root / lock).read_bytes()).hexdigest()

    @contextlib.contextmanager
    def _alone(self, say: Callable[[str], None]) -> Iterator[None]:
        state = self.root / ".state"
        state.mkdir(exist_ok=True)
        with (state / "environment.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Waiting for another start that is installing")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _pip(python: Path, lock: Path, say: Callable[[str], None]) -> None:
    """Install exactly the lock. ``--no-deps``: what the lock does not name is not wanted."""
    options = ["--require-hashes", "--no-deps", "--no-compile", "--only-binary", ":all:", "--progress-bar", "off"]
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", *options, "-r", str(lock)]
    say(f"Installing the packages of {lock.name}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        lines: list[str] = []
        for line in pip.stdout or ():
            lines.append(line.rstrip())
            if line.startswith("Collecting "):
                say(f"  {line.split()[1]}")
    if pip.returncode != 0:
        raise NotPreparedError(f"The packages of {lock.name} could not be installed:\n" + "\n".join(lines[-12:]))


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPreparedError(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout
