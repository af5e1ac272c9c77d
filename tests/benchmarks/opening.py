"""Row 15: one opening, from the click to the first content, against the sum of its bare parts in the same run.

Ours: sign, record, commit, verify with an own replica, seventeen checks, journal, seal, open, decrypt, compare, parse
in a confined child. The parts, each alone: one durable SQLite commit, one signature, four verifications, HPKE seal and
open, age decryption of the same object.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cryptography
import pyrage
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.consent.terms import Category
from app.custodian.messages import HPKE
from app.records.views import open_table
from app.services.requests import Draft
from app.tour.world import new_world
from app.wiring.sandbox import PIN
from ledger.signatures import sign, verify_signature
from tests.benchmarks.measurement import PAIRS, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.services.worklist import RecordRow
    from app.tour.world import World

CAROL, GRETA = "Dr Carol Specimen", "Greta Imaginary"
OPENINGS = 5
GOAL = 3.0


def measure() -> list[Result]:
    """Compare opening the cytology table with its parts, on the sandbox."""
    with tempfile.TemporaryDirectory() as name, new_world(Path(name)) as world:
        row = _allowed(world)
        _opening(world, row)
        parts = _Parts(Path(name), _content(world, row))
        ratios = tuple(
            _seconds(lambda: _opening(world, row)) / _seconds(parts.run) for _ in range(max(PAIRS, OPENINGS))
        )
    peer = f"its parts: SQLite {sqlite3.sqlite_version}, cryptography {cryptography.__version__}, pyrage"
    return [Result("15", "opening a table / its bare parts", ("<=", GOAL), ratios, peer, "embedded ledger")]


def _allowed(world: World) -> RecordRow:
    carol, rita = world.staff(CAROL), world.staff("Rita Roster")
    code = rita.people.make_code(world.sandbox.persons[GRETA].patient_id)
    patient = carol.patients.introduce("AlderMSP", code.code)
    carol.requests.send(Draft(patient.patient_id, categories=frozenset({Category.CYTOLOGY}), reason="Measured."))
    greta = world.patient(GRETA)
    greta.inbox.turn(greta.inbox.rows()[0]).sign(world.sandbox.cards[GRETA], PIN)
    world.settle()
    return next(row for row in carol.worklist.list_records(patient, "TREAT") if row.can_open)


def _opening(world: World, row: RecordRow) -> None:
    opened = world.staff(CAROL).openings.open(row.wanted, "TREAT")
    open_table(world.installation.reader, opened.objects[0])


def _content(world: World, row: RecordRow) -> bytes:
    return bytes(world.staff(CAROL).openings.open(row.wanted, "TREAT").objects[0])


class _Parts:
    """The bare parts of one opening, prepared so that only they are measured."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self._database = sqlite3.connect(folder / "bare.db", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, content BLOB)")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._message = bytes(1500)
        self._signature = sign(self._key, self._message)
        self._release = X25519PrivateKey.generate()
        self._identity = pyrage.x25519.Identity.generate()
        self._sealed = pyrage.encrypt(content, [self._identity.to_public()])

    def run(self) -> None:
        """Do each part once; verification four times."""
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT INTO entries (content) VALUES (?)", (self._message,))
        self._database.execute("COMMIT")
        sign(self._key, self._message)
        for _ in range(4):
            verify_signature(self._key.public_key(), self._message, self._signature)
        sealed = HPKE.encrypt(bytes(74), self._release.public_key(), info=b"record-key")
        HPKE.decrypt(sealed, self._release, info=b"record-key")
        pyrage.decrypt(self._sealed, [self._identity])


def _seconds(work: Callable[[], object]) -> float:
    """Wall time of five runs: waiting for the disk is part of both sides."""
    began = time.perf_counter()
    for _ in range(OPENINGS):
        work()
    return time.perf_counter() - began
