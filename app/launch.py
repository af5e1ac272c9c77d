"""What ``./assent`` does before the program: see that everything the command needs is there, then become it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from app.environment import (
    BUILD_PACKAGES,
    DESKTOP_PACKAGES,
    DEVELOPMENT_LOCK,
    PEER_PACKAGES,
    QT_PACKAGES,
    RUNTIME_LOCK,
    Environment,
    NotPreparedError,
    has_display,
    install_packages,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HELP = ("-h", "--help")


def packages_of(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The Debian packages that the command needs; Qt's only for commands that draw."""
    if any(argument in HELP for argument in arguments):
        return ()
    packages = {
        "desktop": DESKTOP_PACKAGES if has_display(environment) else (),
        "bench": QT_PACKAGES + PEER_PACKAGES,
        "screenshots": QT_PACKAGES,
        "network": () if environment.get("FABRIC_BIN") else BUILD_PACKAGES,
    }
    return packages.get(command_of(arguments), ())


def lock_of(arguments: Sequence[str]) -> str:
    """The lock that the command runs on: the benchmarks' peers are development packages."""
    return DEVELOPMENT_LOCK if command_of(arguments) == "bench" else RUNTIME_LOCK


def command_of(arguments: Sequence[str]) -> str:
    """The first word that is no option; the desktop is what a bare start means."""
    return next((argument for argument in arguments if not argument.startswith("-")), "desktop")


def main(arguments: Sequence[str]) -> NoReturn:
    """Prepare, then replace this process by the program; never returns."""
    place = Environment()
    try:
        python = place.prepare(lock_of(arguments), _say)
        install_packages(packages_of(arguments, os.environ), _say)
    except NotPreparedError as error:
        sys.exit(f"assent: {error}")
    # -I: neither the folder it is called from nor PYTHON… variables can put other code before ours.
    os.execv(python, [str(python), "-I", "-m", "app", *arguments])  # noqa: S606 (becomes the program)


def _say(text: str) -> None:
    print(f"assent: {text}", file=sys.stderr, flush=True)  # noqa: T201 (before any interface)
