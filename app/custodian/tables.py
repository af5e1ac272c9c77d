"""A table sealed row by row: without the master key its file tells ids of the ledger and sizes only."""

import hmac
import sqlite3
import threading
from collections.abc import Callable, Iterator

from app.identity.keys import unwrap, wipe, wrap
from ledger.contract.canonical import Json, encode, load


class SealedTable:
    """Rows ``id -> object``, wrapped under one purpose key and bound to table and id, found also by a blinded group.

    Args:
        database: where the table is; made by ``schema``.
        lock: shared by everyone who uses ``database``.
        name: of the table, a constant.
        key: the purpose key (32 bytes), wiped by its owner.
        random: source of nonces.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        lock: threading.RLock,
        name: str,
        key: bytearray,
        random: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._lock = lock
        self._name = name
        self._key = key
        self._random = random

    @staticmethod
    def schema(name: str) -> str:
        """Return the statement that makes the table."""
        return (
            f"CREATE TABLE IF NOT EXISTS {name} (id TEXT PRIMARY KEY, grouped BLOB NOT NULL, sealed BLOB NOT NULL);"
            f"CREATE INDEX IF NOT EXISTS {name}_grouped ON {name} (grouped);"
        )

    def put(self, row_id: str, value: dict[str, Json], group: str = "") -> None:
        """Write or replace a row."""
        sealed = wrap(self._key, group.encode() + b"\n" + encode(value), self._place(row_id), self._random)
        query = f"INSERT OR REPLACE INTO {self._name} (id, grouped, sealed) VALUES (?, ?, ?)"
        with self._lock, self._database:
            self._database.execute(query, (row_id, self._blind(self._key, group), sealed))

    def find(self, row_id: str) -> dict[str, Json] | None:
        """Return a row, or None.

        Raises:
            UnwrapError: the row was changed or moved.
        """
        query = f"SELECT sealed FROM {self._name} WHERE id = ?"
        with self._lock:
            row = self._database.execute(query, (row_id,)).fetchone()
        return None if row is None else self._open(row_id, row[0])

    def of_group(self, group: str) -> Iterator[tuple[str, dict[str, Json]]]:
        """Yield the rows of a group, in the order of their ids."""
        query = f"SELECT id, sealed FROM {self._name} WHERE grouped = ? ORDER BY id"
        with self._lock:
            rows = self._database.execute(query, (self._blind(self._key, group),)).fetchall()
        return ((row_id, self._open(row_id, sealed)) for row_id, sealed in rows)

    def count(self, group: str) -> int:
        """Return how many rows a group has."""
        query = f"SELECT count(*) FROM {self._name} WHERE grouped = ?"
        with self._lock:
            return int(self._database.execute(query, (self._blind(self._key, group),)).fetchone()[0])

    def all(self) -> Iterator[tuple[str, dict[str, Json]]]:
        """Yield all rows, in the order of their ids."""
        query = f"SELECT id, sealed FROM {self._name} ORDER BY id"
        with self._lock:
            rows = self._database.execute(query).fetchall()
        return ((row_id, self._open(row_id, sealed)) for row_id, sealed in rows)

    def remove(self, row_id: str) -> None:
        """Delete a row; its bytes are overwritten."""
        with self._lock, self._database:
            self._database.execute(f"DELETE FROM {self._name} WHERE id = ?", (row_id,))

    def remove_group(self, group: str) -> None:
        """Delete the rows of a group; their bytes are overwritten."""
        query = f"DELETE FROM {self._name} WHERE grouped = ?"
        with self._lock, self._database:
            self._database.execute(query, (self._blind(self._key, group),))

    def rewrap(self, new: bytearray) -> None:
        """Wrap all rows under another key, inside the caller's transaction; he then changes the key in place.

        Raises:
            UnwrapError: a row does not open with the present key.
        """
        rows = self._database.execute(f"SELECT id, sealed FROM {self._name}").fetchall()
        query = f"UPDATE {self._name} SET grouped = ?, sealed = ? WHERE id = ?"
        for row_id, sealed in rows:
            plaintext = unwrap(self._key, sealed, self._place(row_id))
            group = bytes(plaintext).partition(b"\n")[0].decode()
            wrapped = wrap(new, plaintext, self._place(row_id), self._random)
            wipe(plaintext)
            self._database.execute(query, (self._blind(new, group), wrapped, row_id))

    def _open(self, row_id: str, sealed: bytes) -> dict[str, Json]:
        plaintext = unwrap(self._key, sealed, self._place(row_id))
        try:
            return load(bytes(plaintext).partition(b"\n")[2])
        finally:
            wipe(plaintext)

    def _place(self, row_id: str) -> bytes:
        return self._name.encode() + b"\0" + row_id.encode()

    def _blind(self, key: bytearray, group: str) -> bytes:
        """Groups are found without being readable: HMAC under the purpose key."""
        if not group:
            return b""
        return hmac.digest(key, b"group\0" + self._name.encode() + b"\0" + group.encode(), "sha256")[:16]
