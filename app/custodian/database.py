"""SQLite as the custodian needs it: every commit on disk, deleted bytes overwritten (A23, PROTOCOL.md E.4)."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from app.identity.keys import UnwrapError


def connect(path: Path, tables: str) -> sqlite3.Connection:
    """Open a database file that only this account may read, and make its tables.

    WAL with ``synchronous=FULL`` flushes at every commit; ``secure_delete`` overwrites what is deleted.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, check_same_thread=False, timeout=30)
    database.execute("PRAGMA secure_delete = ON")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA temp_store = MEMORY")
    database.executescript(tables)
    return database


_KEY_ID: Final = "CREATE TABLE IF NOT EXISTS key_id (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL);"


def key_id_in(path: Path) -> str:
    """Return the id of the master key that a file's rows are wrapped under; empty if there is no such file yet."""
    if not path.exists():
        return ""
    database = connect(path, _KEY_ID)
    row = database.execute("SELECT id FROM key_id").fetchone()
    database.close()
    return "" if row is None else str(row[0])


def claim(database: sqlite3.Connection, key_id: str) -> None:
    """Note which master key a new file is wrapped under, and refuse to open one that is under another.

    Raises:
        UnwrapError: the file belongs to another master key (``identity.installation.MasterKeys.named`` has it).
    """
    database.executescript(_KEY_ID)
    with database:
        database.execute("INSERT OR IGNORE INTO key_id VALUES (1, ?)", (key_id,))
    if database.execute("SELECT id FROM key_id").fetchone() != (key_id,):
        raise UnwrapError("these files are wrapped under another master key")


def set_key_id(database: sqlite3.Connection, key_id: str) -> None:
    """Note a new master key, inside the caller's transaction."""
    database.execute("UPDATE key_id SET id = ?", (key_id,))


def truncate(database: sqlite3.Connection) -> None:
    """Move everything from the write-ahead log into the file and empty the log, so that deleted bytes are in neither.

    Raises:
        sqlite3.OperationalError: a reader held the log; nothing may be certified as erased.
    """
    busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("the write-ahead log could not be emptied")
