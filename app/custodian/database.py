"""SQLite as the custodian needs it: every commit on disk, deleted bytes overwritten (A23, PROTOCOL.md E.4)."""

import os
import sqlite3
from pathlib import Path


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


def truncate(database: sqlite3.Connection) -> None:
    """Move everything from the write-ahead log into the file and empty the log, so that deleted bytes are in neither.

    Raises:
        sqlite3.OperationalError: a reader held the log; nothing may be certified as erased.
    """
    busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("the write-ahead log could not be emptied")
