"""A file that only one unlocked person can read: what that person keeps on this machine (ATTACKS.md A26)."""

from pathlib import Path
from typing import Final

from app.identity.keys import Random, unwrap, wipe, wrap
from app.identity.private_files import make_private_folder, read_private, write_private
from app.identity.signing import SigningIdentity

_MAX_FILE: Final = 16 * 1024 * 1024


class SealedFile:
    """Bytes under a key that HKDF derives from the person's signing key; locking takes that key away.

    Args:
        path: of the file; its folder is made when the file is written.
        identity: unlocked.
        purpose: of the key, so that one kind of file never opens as another.
        random: makes nonces.
    """

    def __init__(self, path: Path, identity: SigningIdentity, purpose: str, random: Random) -> None:
        self._path: Final = path
        self._identity: Final = identity
        self._purpose: Final = purpose
        self._random: Final = random

    def read(self) -> bytes | None:
        """Return what was written; None if nothing was.

        Raises:
            UnwrapError: the file is another person's or another kind's, or was changed.
            ExposedFileError: others can reach it.
            LockedError: the person's key was wiped.
        """
        key = self._identity.derive(self._purpose)
        try:
            return bytes(unwrap(key, read_private(self._path, _MAX_FILE), self._identity.subject.encode()))
        except FileNotFoundError:
            return None
        finally:
            wipe(key)

    def write(self, content: bytes) -> None:
        """Replace the content; it is on disk when the call returns.

        Raises:
            LockedError: the person's key was wiped.
        """
        key = self._identity.derive(self._purpose)
        try:
            box = wrap(key, content, self._identity.subject.encode(), self._random)
        finally:
            wipe(key)
        make_private_folder(self._path.parent)
        write_private(self._path, box)

    def set_aside(self) -> None:
        """Rename a file that cannot be read to ``NAME.damaged``, so that a new one can be begun."""
        self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
