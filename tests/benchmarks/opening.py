"""Row 15: opening a record on the embedded ledger, against its own parts measured bare in the same run.

Ours is the whole step: submit, commit, verify the block and execute it again, release by the custodian, fetch, decrypt
and compare. The parts are what cannot be left out: one durable SQLite commit, one signature, four verifications, one
HPKE seal and open, one age decryption of the same object. Made on the tour's sandbox, by the tour's own steps.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.custodian.messages import HPKE
from app.tour import beginning, opening, sharing
from app.tour.beginning import CAROL
from app.tour.world import World, new_world
from ledger.signatures import load_public_key, verify_signature
from tests.benchmarks.measurement import Result, pairs, wall
from tests.support.ledger import LEDGER_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

LISTED = "He has her list released, which is an entry of its own"
VERIFICATIONS = 4
ENTRY_BYTES = 1600
LATER = 300
"""Openings between the first and the last comparison of growth."""


def measure() -> list[Result]:
    """Compare with the parts, and see whether a longer ledger slows it."""
    with tempfile.TemporaryDirectory() as name, new_world(Path(name) / "world") as world:
        _until_listed(world)
        row = next(row for row in world.rows if row.category == "cytology" and row.can_open)
        openings = world.staff(CAROL).openings
        opened = openings.open(row.wanted, "TREAT")
        parts = _parts(Path(name), bytes(opened.objects[0]))

        def ours() -> None:
            openings.close(openings.open(row.wanted, "TREAT"))

        first = pairs(wall, lambda: openings.open(row.wanted, "TREAT"), parts, runs=15)
        for _ in range(LATER):
            ours()
        last = pairs(wall, lambda: openings.open(row.wanted, "TREAT"), parts, runs=15)
        openings.close(opened)
    return [
        Result("15", "open a record / its bare parts", ("<=", 3), tuple(a / b for a, b in first), "its own parts"),
        Result(
            "15a",
            f"after {LATER} more openings / before",
            ("<=", 1.2),
            tuple(b[0] / a[0] for a, b in zip(first, last, strict=True)),
            "itself",
        ),
    ]


def _until_listed(world: World) -> None:
    for step in (*beginning.STEPS, *sharing.STEPS, *opening.STEPS):
        outcome = step.run(world).outcome
        assert outcome == step.expected, f"{step.name}: {outcome}"
        if step.name == LISTED:
            return


def _parts(folder: Path, content: bytes) -> Callable[[], None]:
    database = sqlite3.connect(folder / "bare", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, content BLOB)")
    message = os.urandom(ENTRY_BYTES)
    key, signature = load_public_key(LEDGER_KEY.public_key), LEDGER_KEY.sign(message)
    reader = X25519PrivateKey.generate()
    identity = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(content, [identity.to_public()])

    def run() -> None:
        database.execute("INSERT INTO entries (content) VALUES (?)", (message,))
        LEDGER_KEY.sign(message)
        for _ in range(VERIFICATIONS):
            verify_signature(key, message, signature)
        HPKE.decrypt(HPKE.encrypt(bytes(32), reader.public_key()), reader)
        pyrage.decrypt(sealed, [identity])

    return run
