"""A real Secret Service: gnome-keyring on a D-Bus session of its own, HOME and XDG_RUNTIME_DIR in a temporary folder.

Programs of the session run in a child, because bus and folders are chosen by its environment. A missing daemon fails
the test: what cannot be tried is not tested.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = ("dbus-daemon", "gnome-keyring-daemon", "secret-tool")
REPOSITORY: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 20
_CLEARED: Final = ("DBUS_", "XDG_", "KEYRING_", "PYTHON_KEYRING", "GNOME_", "DISPLAY", "WAYLAND_", "COV_", "COVERAGE_")

_BUS: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
"""No service folders: nothing starts by itself, so that a dead daemon stays dead."""

_READY: Final = """
import secretstorage
connection = secretstorage.dbus_init()
collection = secretstorage.Collection(connection, "/org/freedesktop/secrets/aliases/default")
print("locked" if collection.is_locked() else "open")
"""


@dataclass
class SecretService:
    """One desktop session. ``home`` outlives the daemon, as a home folder does."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    _bus: subprocess.Popen[bytes] | None = None
    _keyring: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Prepare the folders; nothing runs yet."""
        missing = [name for name in PROGRAMS if shutil.which(name) is None]
        assert not missing, f"install gnome-keyring, libsecret-tools and dbus: {missing} not found"
        runtime = self.home / "run"
        runtime.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_CLEARED)}
        self.environment = {
            **kept,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "PYTHONPATH": str(REPOSITORY),
        }

    def start_bus(self) -> None:
        """Start the session bus, without any key store on it."""
        socket = self.home / "run" / "bus"
        configuration = self.home / "bus.conf"
        configuration.write_text(_BUS.format(socket=socket))
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={socket}"
        _until(socket.exists, "the session bus did not start")

    def start_keyring(self, password: str, expect: str = "open") -> None:
        """Start gnome-keyring and let it unlock the login keyring with ``password``; a new one gets that password."""
        self._keyring = subprocess.Popen(
            ["gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self._keyring.stdin is not None
        self._keyring.stdin.write(password.encode())
        self._keyring.stdin.close()
        _until(lambda: self.state() == expect, f"gnome-keyring is not {expect}")

    def state(self) -> str:
        """Return "open", "locked", or "" while there is no default keyring."""
        done = subprocess.run(
            [sys.executable, "-c", _READY],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return done.stdout.strip()

    def kill_keyring(self) -> None:
        """Kill the daemon as a crash would."""
        _kill(self._keyring)
        self._keyring = None

    def run(self, program: str, environment: Mapping[str, str] | None = None) -> Any:
        """Run a Python program in the session; returns the JSON of the last line that it prints."""
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def start(self, program: str) -> subprocess.Popen[str]:
        """Start a Python program in the session, to be talked to through its standard streams."""
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def lookup(self, service: str, username: str) -> str:
        """Ask the daemon with libsecret's own tool, past all our code."""
        done = subprocess.run(
            ["secret-tool", "lookup", "service", service, "username", username],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return done.stdout

    def close(self) -> None:
        """End what was started."""
        _kill(self._keyring)
        _kill(self._bus)


@contextmanager
def secret_service(home: Path) -> Iterator[SecretService]:
    """Yield a session in ``home`` and end its programs afterwards."""
    session = SecretService(home)
    try:
        yield session
    finally:
        session.close()


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _until(ready: Any, message: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)
