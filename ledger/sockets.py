"""Unix sockets for the processes of one account: who reaches the folder reaches the socket, nobody else does."""

import os
from pathlib import Path
from typing import Any, Final

_PATH_MAX: Final = 103
"""Bytes in a Unix socket's path, on every system."""


class SocketError(OSError):
    """A socket cannot be made there; the text says what to do."""


def listen(server: Any, path: Path) -> None:
    """Have a gRPC server listen on a socket in a folder of mode 0700; what a crash left there is replaced.

    Raises:
        SocketError: too long a name, an exposed folder, or it cannot be written.
    """
    if len(os.fsencode(path)) > _PATH_MAX:
        raise SocketError(f"{path} is too long a name for a socket. Use a folder with a shorter one.")
    if path.parent.stat().st_mode & 0o077:
        raise SocketError(f"{path.parent} can be entered by others. Take their permissions away: chmod 700.")
    try:
        path.unlink(missing_ok=True)
        server.add_insecure_port(f"unix:{path}")
    except (OSError, RuntimeError) as error:
        raise SocketError(f"{path} cannot be made: {error}") from None
