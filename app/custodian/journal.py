"""The custodian's journal: what it did with keys, hash-chained, on disk before anything is answered (PROTOCOL.md E.4).

Each row's hash covers the row before it. The journal's head goes on the ledger with ``RecordReleases``, so that rows
can be neither changed nor cut off later; ``following.compare_journal`` sees to it. The reply that a row stands for is
kept beside it, in the same commit: a request that comes again after a crash gets the same bytes. Replies hold salts, so
an erasure deletes them; rows stay.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from app.custodian.database import connect, truncate
from ledger.contract.canonical import Json, encode

GENESIS: Final = "0" * 64
_SELECT: Final = (
    "SELECT sequence, previous, kind, patient_id, access_id, msp_id, subject, code, digest, at, hash FROM rows"
)
_INSERT: Final = (
    "INSERT INTO rows (sequence, previous, kind, patient_id, access_id, msp_id, subject, code, digest, at, hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS rows (
    sequence INTEGER PRIMARY KEY, previous TEXT NOT NULL, kind TEXT NOT NULL, patient_id TEXT NOT NULL,
    access_id TEXT NOT NULL, msp_id TEXT NOT NULL, subject TEXT NOT NULL, code TEXT NOT NULL, digest TEXT NOT NULL,
    at INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS rows_by_patient ON rows (patient_id, sequence);
CREATE TABLE IF NOT EXISTS replies (
    access_id TEXT PRIMARY KEY, patient_id TEXT NOT NULL, sequence INTEGER NOT NULL, receipt TEXT NOT NULL,
    reply BLOB NOT NULL, posted TEXT NOT NULL DEFAULT '');
"""


class JournalError(Exception):
    """The journal was changed: a row does not fit its hash or the row before it."""


class JournalKind(StrEnum):
    """What a row is about."""

    RELEASE = "release"
    INDEX = "index"
    REFUSE = "refuse"
    ERASE = "erase"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What is to be written down.

    Attributes:
        kind: see ``JournalKind``.
        patient_id: of the pair, or empty.
        access_id: of the ledger, or empty.
        msp_id: of whoever asked.
        subject: of whoever asked.
        code: of a refusal; empty otherwise.
        digest: SHA-256 of the answered content without its ``journal`` member, or of an erasure's certificate.
        at: seconds UTC, custodian's clock.
    """

    kind: JournalKind
    patient_id: str
    access_id: str
    msp_id: str
    subject: str
    code: str
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A written row.

    Attributes:
        sequence: from 1, without gaps.
        previous: hash of the row before, 64 zeros for the first.
        entry: what was written.
        hash: SHA-256 over all of this.
    """

    sequence: int
    previous: str
    entry: JournalEntry
    hash: str


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A release as it was answered.

    Attributes:
        access_id: the access it answers.
        patient_id: of the pair.
        receipt: SHA-256 of ``reply``.
        reply: the signed bytes; the same request gets them again. Empty once an erasure overwrote them.
    """

    access_id: str
    patient_id: str
    receipt: str
    reply: bytes


def row_hash(sequence: int, previous: str, entry: JournalEntry) -> str:
    """Return the hash that chains a row."""
    content: dict[str, Json] = {
        "sequence": sequence,
        "previous": previous,
        "kind": entry.kind.value,
        "patient_id": entry.patient_id,
        "access_id": entry.access_id,
        "msp_id": entry.msp_id,
        "subject": entry.subject,
        "code": entry.code,
        "digest": entry.digest,
        "at": entry.at,
    }
    return hashlib.sha256(encode(content)).hexdigest()


class Journal:
    """One custodian's journal file. Every method may be called from any thread.

    Attributes:
        compared: how many verified blocks it was compared with; 0 after opening.
        fault: how it differs from what the ledger says of it; empty while it does not. Then it proves nothing any more.

    Raises:
        JournalError: at opening, if the file does not verify.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._database = connect(path, _TABLES)
        self.compared = 0
        self.fault = ""
        self._head = (0, GENESIS)
        for row in self.rows():
            self._head = (row.sequence, row.hash)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def head(self) -> tuple[int, str]:
        """Sequence and hash of the newest row."""
        return self._head

    def append(self, entry: JournalEntry) -> JournalRow:
        """Write one row; it is on disk when this returns."""
        with self._lock, self._database:
            row = self._insert(entry)
        self._head = (row.sequence, row.hash)
        return row

    def append_reply(self, entry: JournalEntry, answer: Callable[[JournalRow], bytes]) -> StoredReply:
        """Write a release row and the signed reply that names it, in one commit on disk.

        Args:
            entry: the release.
            answer: makes the signed reply of the row.
        """
        with self._lock, self._database:
            row = self._insert(entry)
            reply = answer(row)
            stored = StoredReply(entry.access_id, entry.patient_id, hashlib.sha256(reply).hexdigest(), reply)
            self._database.execute(
                "INSERT INTO replies (access_id, patient_id, sequence, receipt, reply) VALUES (?, ?, ?, ?, ?)",
                (stored.access_id, stored.patient_id, row.sequence, stored.receipt, reply),
            )
        self._head = (row.sequence, row.hash)
        return stored

    def find_reply(self, access_id: str) -> StoredReply | None:
        """Return what was answered for an access."""
        query = "SELECT access_id, patient_id, receipt, reply FROM replies WHERE access_id = ?"
        with self._lock:
            row = self._database.execute(query, (access_id,)).fetchone()
        return None if row is None else StoredReply(*row)

    def unposted(self, limit: int) -> list[StoredReply]:
        """Return releases whose receipts are not yet on the ledger, oldest first."""
        query = "SELECT access_id, patient_id, receipt, reply FROM replies WHERE posted = '' ORDER BY sequence LIMIT ?"
        with self._lock:
            return [StoredReply(*row) for row in self._database.execute(query, (limit,)).fetchall()]

    def mark_posted(self, access_ids: list[str], transaction_id: str) -> None:
        """Note that the receipts of these accesses are committed."""
        with self._lock, self._database:
            self._database.executemany(
                "UPDATE replies SET posted = ? WHERE access_id = ?", [(transaction_id, each) for each in access_ids]
            )

    def find_receipt(self, patient_id: str, access_id: str) -> str | None:
        """Return the receipt of an access whose row is here too."""
        query = (
            "SELECT receipt FROM replies JOIN rows USING (sequence, patient_id, access_id)"
            " WHERE patient_id = ? AND access_id = ? AND kind IN ('release', 'index')"
        )
        with self._lock:
            row = self._database.execute(query, (patient_id, access_id)).fetchone()
        return None if row is None else str(row[0])

    def contains(self, sequence: int, expected: str) -> bool:
        """Tell whether a head that was once given out is a row, and with it, by the chain, every row before."""
        with self._lock:
            row = self._database.execute("SELECT hash FROM rows WHERE sequence = ?", (sequence,)).fetchone()
        return row is not None and str(row[0]) == expected

    def receipts(self, patient_id: str) -> dict[str, str]:
        """Return the receipt of each released access of a patient id."""
        query = "SELECT access_id, receipt FROM replies WHERE patient_id = ?"
        with self._lock:
            return dict(self._database.execute(query, (patient_id,)).fetchall())

    def forget_replies(self, access_ids: list[str]) -> None:
        """Overwrite the replies of these accesses: they hold salts (ATTACKS.md A23). The rows and receipts stay."""
        with self._lock:
            with self._database:
                self._database.executemany(
                    "UPDATE replies SET reply = x'' WHERE access_id = ?", [(each,) for each in access_ids]
                )
            truncate(self._database)

    def rows(self, patient_id: str | None = None) -> Iterator[JournalRow]:
        """Yield the rows, of one patient id or all; with all, the chain is verified on the way.

        Raises:
            JournalError: a row was changed, left out or put in.
        """
        where = "" if patient_id is None else " WHERE patient_id = ?"
        query = _SELECT + where + " ORDER BY sequence"
        sequence, previous = 0, GENESIS
        with self._lock:
            found = self._database.execute(query, () if patient_id is None else (patient_id,)).fetchall()
        for row in found:
            read = _read(row)
            expected = (sequence + 1, previous) if patient_id is None else (read.sequence, read.previous)
            if (read.sequence, read.previous) != expected or row_hash(*expected, read.entry) != read.hash:
                raise JournalError(f"row {sequence + 1} of the journal was changed")
            sequence, previous = read.sequence, read.hash
            yield read

    def rows_after(self, sequence: int) -> list[JournalRow]:
        """Return the rows above a sequence, in order."""
        query = _SELECT + " WHERE sequence > ? ORDER BY sequence"
        with self._lock:
            return [_read(row) for row in self._database.execute(query, (sequence,)).fetchall()]

    def verify(self, sequence: int = 0, expected: str = GENESIS) -> tuple[int, str]:
        """Check the whole chain, that it contains a head once given out, that releases have replies; return the head.

        Raises:
            JournalError: it was changed or shortened, or a release has lost its reply.
        """
        head = (0, GENESIS)
        found = sequence == 0 and expected == GENESIS
        for row in self.rows():
            head = (row.sequence, row.hash)
            found = found or head == (sequence, expected)
        if not found:
            raise JournalError("the journal does not contain a head that was given out")
        if head != self._head:
            raise JournalError("the journal is shorter than what was written")
        query = (
            "SELECT 1 FROM rows LEFT JOIN replies USING (access_id, sequence)"
            " WHERE kind IN ('release', 'index') AND reply IS NULL"
        )
        with self._lock:
            if self._database.execute(query).fetchone() is not None:
                raise JournalError("a release has lost its reply")
        return head

    def _insert(self, entry: JournalEntry) -> JournalRow:
        sequence, previous = self._head[0] + 1, self._head[1]
        row = JournalRow(sequence, previous, entry, row_hash(sequence, previous, entry))
        values = (
            sequence,
            previous,
            entry.kind.value,
            entry.patient_id,
            entry.access_id,
            entry.msp_id,
            entry.subject,
            entry.code,
            entry.digest,
            entry.at,
            row.hash,
        )
        self._database.execute(_INSERT, values)
        return row


def _read(row: sqlite3.Row | tuple[object, ...]) -> JournalRow:
    sequence, previous, kind, patient_id, access_id, msp_id, subject, code, digest, at, own = row
    try:
        entry = JournalEntry(
            JournalKind(str(kind)),
            str(patient_id),
            str(access_id),
            str(msp_id),
            str(subject),
            str(code),
            str(digest),
            int(str(at)),
        )
    except ValueError:
        raise JournalError(f"row {sequence} of the journal was changed") from None
    return JournalRow(int(str(sequence)), str(previous), entry, str(own))
