"""Row 4: the embedded ledger's commits, against bare SQLite commits and against verifying signatures alone.

Ours does everything: the client signs, the ledger verifies signature and certificate, executes, builds and signs the
block and waits for the disk. Bare SQLite writes the same bytes in WAL mode with synchronous=FULL.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.blocks import NONCE_BYTES, transaction_content
from ledger.contract import canonical
from ledger.signatures import load_public_key, signed_bytes, verify_signature
from tests.benchmarks.measurement import PAIRS, Result
from tests.support.certificates import NOW
from tests.support.ledger import CAROL, LEDGER_KEY, create_ledger

if TYPE_CHECKING:
    from ledger.embedded import EmbeddedLedger
    from ledger.gateway import Envelope

COMMITS = 300
TOGETHER = 100
FULL_BLOCKS = 5
HIGH = 20_000
"""Height of the higher ledger; the goal names a million, which takes half an hour to make."""


def measure() -> list[Result]:
    """Compare rates: transactions per second on both sides, so larger is better."""
    with tempfile.TemporaryDirectory() as name, create_ledger(Path(name) / "ledger") as ledger:
        names = count()
        alone = [
            (_alone(ledger, names), _bare(Path(name) / f"bare{run}", _envelope(ledger, names))) for run in range(PAIRS)
        ]
        together = [(_together(ledger, names), _verifications()) for _ in range(PAIRS)]
        low = [_alone(ledger, names) for _ in range(PAIRS)]
        while ledger.head.number < HIGH:
            ledger.submit(_envelope(ledger, names))
        high = [_alone(ledger, names) for _ in range(PAIRS)]
    sqlite = f"SQLite {sqlite3.sqlite_version}, WAL, FULL"
    return [
        Result("4", "1 tx per block / commits", (">=", 0.4), _ratios(alone), sqlite),
        Result(
            "4a", f"{TOGETHER} tx per block / verifications", (">=", 0.5), _ratios(together), "P-256 verify, one core"
        ),
        Result("4b", f"height {HIGH} / height 2000", (">=", 0.8), _ratios(list(zip(high, low, strict=True))), "itself"),
    ]


def _envelope(ledger: EmbeddedLedger, names: count[int]) -> Envelope:
    return ledger.prepare(CAROL, "Count", {"name": f"c{next(names)}"})


def _alone(ledger: EmbeddedLedger, names: count[int]) -> float:
    """Transactions per second, each alone in its block, from signing to the durable commit."""
    began = time.perf_counter()
    for _ in range(COMMITS):
        ledger.submit(_envelope(ledger, names))
    return COMMITS / (time.perf_counter() - began)


def _bare(path: Path, envelope: Envelope) -> float:
    """Commits per second of a table with one row of an entry's bytes."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, content BLOB)")
    began = time.perf_counter()
    for _ in range(COMMITS):
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO entries (content) VALUES (?)", (envelope.content,))
        database.execute("COMMIT")
    rate = COMMITS / (time.perf_counter() - began)
    database.close()
    return rate


def _together(ledger: EmbeddedLedger, names: count[int]) -> float:
    """Transactions per second of a ledger whose hundred clients signed and wait at once: verified and committed."""
    signed = [[_signed(ledger, names) for _ in range(TOGETHER)] for _ in range(FULL_BLOCKS)]
    with ThreadPoolExecutor(TOGETHER) as clients:
        began = time.perf_counter()
        for transactions in signed:
            list(clients.map(ledger.submit, [ledger.endorse(*each) for each in transactions]))
        return TOGETHER * FULL_BLOCKS / (time.perf_counter() - began)


def _signed(ledger: EmbeddedLedger, names: count[int]) -> tuple[bytes, bytes]:
    arguments = canonical.encode({"name": f"c{next(names)}"})
    content = transaction_content(ledger.network_id, os.urandom(NONCE_BYTES), NOW, CAROL, "Count", arguments)
    return content, CAROL.sign(signed_bytes("transaction", ledger.network_id, content))


def _verifications() -> float:
    """P-256 verifications per second on one core."""
    key, message = load_public_key(LEDGER_KEY.public_key), b"x" * 1000
    signature = LEDGER_KEY.sign(message)
    began = time.perf_counter()
    for _ in range(COMMITS * 5):
        verify_signature(key, message, signature)
    return COMMITS * 5 / (time.perf_counter() - began)


def _ratios(measured: list[tuple[float, float]]) -> tuple[float, ...]:
    return tuple(mine / theirs for mine, theirs in measured)
