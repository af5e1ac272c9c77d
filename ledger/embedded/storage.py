"""The embedded ledger's files: SQLite in WAL mode with ``synchronous=FULL``, so what was acknowledged is on the disk.

Blocks are the truth. State with versions, and the position and answer of every transaction, are derived from them and
kept in the same commit, so that opening costs nothing; ``EmbeddedLedger.verify`` compares them with the blocks.
"""

import os
import re
import sqlite3
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from ledger.blocks import Head
from ledger.contract.errors import ContractError
from ledger.contract.state import Key

FILE_NAME: Final = "ledger.sqlite"
LOCK_NAME: Final = "lock.sqlite"
ENTRIES_PER_BLOCK: Final = 1 << 20
"""Room for entries in the numbering of positions: ``block * 2**20 + index``."""

_IDENTITY: Final = re.compile(r"[0-9a-f]{64}")
_PART: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_SCHEMA: Final = """
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL);
CREATE TABLE state (key BLOB PRIMARY KEY, block INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE transactions (position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, at INTEGER NOT NULL,
  code TEXT NOT NULL, event TEXT NOT NULL, payload BLOB NOT NULL, response BLOB NOT NULL);
PRAGMA user_version = 1;
"""
_SCHEMA_VERSION: Final = 1


class LedgerInUseError(Exception):
    """Another process, or another object of this one, has the ledger open."""


class LedgerStorageError(Exception):
    """The folder holds no ledger, one of a newer version, or files that cannot be read."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction's place and answer, as derived when it was committed.

    Attributes:
        code: empty if valid, otherwise why it is not.
        event: empty for none.
    """

    transaction_id: str
    block: int
    index: int
    at: int
    code: str
    event: str
    payload: bytes
    response: bytes


def key_bytes(key: Key) -> bytes:
    """Return the stored form of a key, whose order is the order of keys.

    Raises:
        ContractError: ``malformed``; a part is not of the agreed alphabet.
    """
    if not all(_PART.fullmatch(part) for part in key):
        raise ContractError("malformed", "a key part is not of the agreed alphabet")
    return "\0".join(key).encode("ascii")


class Snapshot:
    """Committed state at one height: what executions and queries read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def head(self) -> Head:
        """Return the newest block."""
        row = self._connection.execute("SELECT number, hash, at FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
        return Head(row[0], row[1].hex(), row[2])

    def head_at(self, number: int) -> Head:
        """Return a block's number, hash and time.

        Raises:
            IndexError: there is no such block.
        """
        row = self._connection.execute("SELECT hash, at FROM blocks WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise IndexError(number)
        return Head(number, row[0].hex(), row[1])

    def everything(self) -> Iterator[tuple[Key, bytes, int]]:
        """Yield every key with its value and the block that wrote it last."""
        for key, value, block in self._connection.execute("SELECT key, value, block FROM state"):
            yield _key(key), bytes(value), block

    def get(self, key: Key) -> bytes | None:
        """Return the value of ``key``."""
        return self.read(key)[0]

    def read(self, key: Key) -> tuple[bytes | None, int]:
        """Return the value of ``key`` and the number of the block that wrote it last; None and -1 without one."""
        row = self._connection.execute("SELECT value, block FROM state WHERE key = ?", (key_bytes(key),)).fetchone()
        return (None, -1) if row is None else (bytes(row[0]), row[1])

    def version(self, key: Key) -> int:
        """Return the number of the block that wrote ``key`` last, -1 without one."""
        row = self._connection.execute("SELECT block FROM state WHERE key = ?", (key_bytes(key),)).fetchone()
        return -1 if row is None else int(row[0])

    def scan(self, prefix: Key) -> Iterator[tuple[Key, bytes]]:
        """Yield what begins with all parts of ``prefix``, in key order."""
        first = key_bytes(prefix)
        rows = self._connection.execute(
            "SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key", (first, first + b"\x01")
        )
        for key, value in rows:
            yield _key(key), bytes(value)

    def find(self, transaction_id: str) -> Recorded | None:
        """Return what is recorded of a transaction."""
        if not _IDENTITY.fullmatch(transaction_id):
            return None
        row = self._connection.execute(
            "SELECT position, id, at, code, event, payload, response FROM transactions WHERE id = ?",
            (bytes.fromhex(transaction_id),),
        ).fetchone()
        return None if row is None else _recorded(row)

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return what was recorded at ``position`` and later, in order."""
        rows = self._connection.execute(
            "SELECT position, id, at, code, event, payload, response FROM transactions WHERE position >= ?"
            " ORDER BY position LIMIT ?",
            (position, limit),
        )
        return [_recorded(row) for row in rows]

    def blocks(self, start: int, limit: int) -> list[bytes]:
        """Return stored blocks from number ``start`` on."""
        rows = self._connection.execute(
            "SELECT content FROM blocks WHERE number >= ? ORDER BY number LIMIT ?", (start, limit)
        )
        return [bytes(row[0]) for row in rows]

    def append(self, head: Head, content: bytes, writes: dict[Key, bytes], recorded: Iterable[Recorded]) -> None:
        """Store one block and what follows from it; only inside ``Storage.writing``."""
        self._connection.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?)", (head.number, bytes.fromhex(head.hash), head.at, content)
        )
        self._connection.executemany(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    one.block * ENTRIES_PER_BLOCK + one.index,
                    bytes.fromhex(one.transaction_id),
                    one.at,
                    one.code,
                    one.event,
                    one.payload,
                    one.response,
                )
                for one in recorded
            ),
        )
        self._connection.executemany(
            "INSERT INTO state VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET block = excluded.block, value = excluded.value",
            ((key_bytes(key), head.number, value) for key, value in writes.items()),
        )


class Storage:
    """One ledger folder, opened by one owner at a time.

    Args:
        folder: mode 0700; its files are 0600.
        create: make the folder's files, which must not exist.

    Raises:
        LedgerInUseError: somebody else has it open.
        LedgerStorageError: there is no ledger, or already one.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self._path = folder / FILE_NAME
        if create:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        if self._path.exists() == create:
            raise LedgerStorageError("there is a ledger already" if create else "there is no ledger")
        self._lock = _lock(folder / LOCK_NAME)
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._writer_lock = threading.Lock()
        self._closed = False
        try:
            if create:
                _touch(self._path)
            self._writer = self._connect()
            if create:
                self._writer.executescript(_SCHEMA)
                _sync_folder(folder)
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            self._lock.close()
            raise LedgerStorageError(f"the ledger's files cannot be read: {error}") from None
        if version != _SCHEMA_VERSION:
            self.close()
            raise LedgerStorageError("the ledger's files are of another version")

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """Give a view of one height, from any thread."""
        if self._closed:
            raise sqlite3.ProgrammingError("the ledger is closed")
        try:
            connection = self._readers.get_nowait()
        except Empty:
            connection = self._connect()
        try:
            connection.execute("BEGIN")
            yield Snapshot(connection)
        finally:
            connection.rollback()
            self._readers.put(connection)

    def read(self, key: Key) -> tuple[bytes | None, int]:
        """Return the newest value of ``key`` and its version, through whichever connection knows the files best."""
        if self._writer_lock.acquire(blocking=False):
            try:
                return Snapshot(self._writer).read(key)
            finally:
                self._writer_lock.release()
        with self.reading() as snapshot:
            return snapshot.read(key)

    @contextmanager
    def writing(self) -> Iterator[Snapshot]:
        """Give the head for one commit; the caller sees to it that only one thread does. An exception undoes it."""
        with self._writer_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield Snapshot(self._writer)
                self._writer.execute("COMMIT")
            finally:
                self._writer.rollback()

    def close(self) -> None:
        """Close the files; nobody may be reading or writing."""
        self._closed = True
        while not self._readers.empty():
            self._readers.get_nowait().close()
        with self._writer_lock:
            self._writer.close()
        self._lock.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _key(stored: bytes) -> Key:
    return tuple(stored.decode("ascii").split("\0"))


def _recorded(row: tuple[int, bytes, int, str, str, bytes, bytes]) -> Recorded:
    position, identity, at, code, event, payload, response = row
    block, index = divmod(position, ENTRIES_PER_BLOCK)
    return Recorded(identity.hex(), block, index, at, code, event, payload, response)


def _touch(path: Path) -> None:
    """Create an empty file that only its owner reads; SQLite gives its companions the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _lock(path: Path) -> sqlite3.Connection:
    """Hold a lock that ends with this process, however it ends, on every system that SQLite knows."""
    if not path.exists():
        _touch(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise LedgerStorageError(f"the ledger's files cannot be read: {error}") from None
        raise LedgerInUseError("the ledger is open in another window or process") from None
    return connection


def _sync_folder(folder: Path) -> None:
    """Make new file names durable; Windows has no such call and needs none."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
