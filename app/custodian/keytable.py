"""The key table: everything whose destruction is an erasure, in a file and with backups of its own (ATTACKS.md A23).

It holds the wrapped age identity of each record version, the tag key of each patient id and the share of each person.
Its backups are kept 30 days, apart from every other backup, so that an erasure certificate can name the last of them.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from app.custodian.database import claim, connect, set_key_id, truncate
from app.identity.keys import MasterKey, Purpose, rewrap, unwrap, wipe, wrap

BACKUP_DAYS: Final = 30
DAY: Final = 86_400
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS identities (id TEXT NOT NULL, version INTEGER NOT NULL, wrapped BLOB NOT NULL,
    PRIMARY KEY (id, version));
CREATE TABLE IF NOT EXISTS tag_keys (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS shares (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL);
"""


class KeyTable:
    """Wrapped keys. Reading one is for ``release``, ``seal`` and the patient's own unlocking only (ATTACKS.md A12).

    Attributes:
        key_id: of the master key that they are wrapped under.

    Raises:
        UnwrapError: at opening, if the file is under another master key.
    """

    def __init__(self, path: Path, backups: Path, master: MasterKey, random: Callable[[int], bytes]) -> None:
        self._path = path
        self._backups = backups
        self._random = random
        self._lock = threading.RLock()
        self._vault = master.purpose_key(Purpose.VAULT)
        self._tags = master.purpose_key(Purpose.TAGS)
        self._shares = master.purpose_key(Purpose.SHARES)
        self.key_id = master.key_id
        self._database = connect(path, _TABLES)
        claim(self._database, master.key_id)

    def close(self) -> None:
        """Overwrite the purpose keys and close the file."""
        wipe(self._vault, self._tags, self._shares)
        self._database.close()

    def put_identity(self, internal_id: str, version: int, identity: str) -> None:
        """Wrap the age identity of a record version, bound to record and version."""
        wrapped = wrap(self._vault, identity.encode(), _version(internal_id, version), self._random)
        self._write("INSERT INTO identities VALUES (?, ?, ?)", internal_id, version, wrapped)

    def identity(self, internal_id: str, version: int) -> bytearray | None:
        """Return the age identity of a record version, to be wiped by the caller; None if it was destroyed."""
        wrapped = self._read("SELECT wrapped FROM identities WHERE id = ? AND version = ?", internal_id, version)
        return None if wrapped is None else unwrap(self._vault, wrapped, _version(internal_id, version))

    def put_tag_key(self, patient_id: str, key: bytes) -> None:
        """Wrap the tag key of a patient id."""
        wrapped = wrap(self._tags, key, _place("tag_keys", patient_id), self._random)
        self._write("INSERT INTO tag_keys VALUES (?, ?)", patient_id, wrapped)

    def tag_key(self, patient_id: str) -> bytes | None:
        """Return the tag key of a patient id; None if there is none (any more)."""
        wrapped = self._read("SELECT wrapped FROM tag_keys WHERE id = ?", patient_id)
        return None if wrapped is None else bytes(unwrap(self._tags, wrapped, _place("tag_keys", patient_id)))

    def put_share(self, person_id: str, share: bytes) -> None:
        """Wrap a person's ``patient_share``."""
        wrapped = wrap(self._shares, share, _place("shares", person_id), self._random)
        self._write("INSERT INTO shares VALUES (?, ?)", person_id, wrapped)

    def share(self, person_id: str) -> bytearray | None:
        """Return a person's ``patient_share``, to be wiped by the caller; None if there is none (any more)."""
        wrapped = self._read("SELECT wrapped FROM shares WHERE id = ?", person_id)
        return None if wrapped is None else unwrap(self._shares, wrapped, _place("shares", person_id))

    def destroy_record(self, internal_id: str) -> None:
        """Delete the identities of all versions of a record; nothing opens its objects after ``settle``."""
        self._write("DELETE FROM identities WHERE id = ?", internal_id)

    def destroy_patient(self, patient_id: str) -> None:
        """Delete the tag key of a patient id: its tags on the ledger lose their meaning."""
        self._write("DELETE FROM tag_keys WHERE id = ?", patient_id)

    def destroy_person(self, person_id: str) -> None:
        """Delete a person's share: her card becomes useless."""
        self._write("DELETE FROM shares WHERE id = ?", person_id)

    def settle(self) -> None:
        """Make sure that what was deleted is in no file of the table."""
        with self._lock:
            truncate(self._database)

    def rewrap(self, new: MasterKey) -> None:
        """Wrap every key under another master key, in one durable step; nothing happens if it already is.

        Backups under the old master key open nothing any more and are removed.
        """
        if self.key_id == new.key_id:
            return
        fresh = {purpose: new.purpose_key(purpose) for purpose in (Purpose.VAULT, Purpose.TAGS, Purpose.SHARES)}
        with self._lock:
            with self._database:
                for row_id, version, wrapped in self._all("SELECT id, version, wrapped FROM identities"):
                    box = rewrap(self._vault, fresh[Purpose.VAULT], wrapped, _version(row_id, version), self._random)
                    query = "UPDATE identities SET wrapped = ? WHERE id = ? AND version = ?"
                    self._database.execute(query, (box, row_id, version))
                for row_id, wrapped in self._all("SELECT id, wrapped FROM tag_keys"):
                    box = rewrap(self._tags, fresh[Purpose.TAGS], wrapped, _place("tag_keys", row_id), self._random)
                    self._database.execute("UPDATE tag_keys SET wrapped = ? WHERE id = ?", (box, row_id))
                for row_id, wrapped in self._all("SELECT id, wrapped FROM shares"):
                    box = rewrap(self._shares, fresh[Purpose.SHARES], wrapped, _place("shares", row_id), self._random)
                    self._database.execute("UPDATE shares SET wrapped = ? WHERE id = ?", (box, row_id))
                set_key_id(self._database, new.key_id)
            self._vault[:], self._tags[:], self._shares[:] = fresh.values()
            self.key_id = new.key_id
            truncate(self._database)
        wipe(*fresh.values())
        for path, _ in self._dated():
            path.unlink()

    def backup(self, now: int) -> Path:
        """Write today's backup and remove those older than 30 days.

        Args:
            now: seconds UTC; names the backup.
        """
        self._backups.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._backups / f"keys-{now}.db"
        partial = target.with_suffix(".part")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # others never read it, not for a moment
        copy = sqlite3.connect(partial)
        with self._lock:
            self._database.backup(copy)
        copy.close()
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(target)
        self.expire_backups(now)
        return target

    def expire_backups(self, now: int) -> None:
        """Remove the backups that are older than 30 days."""
        for path, at in self._dated():
            if at + BACKUP_DAYS * DAY <= now:
                path.unlink()

    def last_backup(self) -> int | None:
        """Return when the newest backup was made, seconds UTC."""
        return max((at for _, at in self._dated()), default=None)

    def _dated(self) -> list[tuple[Path, int]]:
        return [(path, int(path.stem.removeprefix("keys-"))) for path in sorted(self._backups.glob("keys-*.db"))]

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        return self._database.execute(query).fetchall()

    def _write(self, query: str, *values: object) -> None:
        with self._lock, self._database:
            self._database.execute(query, values)

    def _read(self, query: str, *values: object) -> bytes | None:
        with self._lock:
            row = self._database.execute(query, values).fetchone()
        return None if row is None else bytes(row[0])


def _place(table: str, row_id: str) -> bytes:
    return table.encode() + b"\0" + row_id.encode()


def _version(internal_id: str, version: int) -> bytes:
    return b"identities\0" + internal_id.encode() + b"\0" + str(version).encode()
