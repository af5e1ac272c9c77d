"""Row 2: one consent decision from stored state, against SQLite alone and against two policy engines.

Ours reads the patient's policy from the embedded ledger's file, as an access does, and decides. Every policy holds one
consent of the size that the patient's dialog writes. casbin gets 1,000 rules, cedar a slice of 51 entities: what a
hospital would load for one question.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
from importlib.metadata import version as package_version
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import casbin
import cedarpy

from ledger.blocks import Head
from ledger.contract import canonical
from ledger.contract.asks import actors_of
from ledger.contract.decision import Ask, Policy, Record, decide
from ledger.embedded.storage import FILE_NAME, Storage, key_bytes
from tests.benchmarks.measurement import PAIRS, Result, each
from tests.support.contract import ALICE, CAROL, clinic, signed, tag, terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.contract.state import Key
    from ledger.embedded.storage import Snapshot

MANY, SOME = 1_000_000, 10_000
QUESTIONS = 2_000
RULES, ENTITIES = 1_000, 51


def measure() -> list[Result]:
    """Compare, show growth with the number of grants, and that denying costs what permitting costs."""
    with tempfile.TemporaryDirectory() as name:
        seconds = {count: _decisions(Path(name) / str(count), count) for count in (SOME, MANY)}
    engines = {"casbin": _p50(_casbin(), QUESTIONS // 20), "cedar": _p50(_cedar(), QUESTIONS // 4)}
    some, many = seconds[SOME], seconds[MANY]
    ours = [statistics.median(run) for run in some["permit"]]
    bare = [statistics.median(run) for run in some["bare"]]
    tail = [statistics.quantiles(run, n=20)[-1] * 1000 for run in many["permit"]]
    select = f"SQLite {sqlite3.sqlite_version}, one point select"
    return [
        Result("2", "decide p50 / point select", ("<=", 10), _ratios(ours, bare), select),
        Result(
            "2a",
            "decide p50 / casbin",
            ("<=", 1 / 20),
            _ratios(ours, engines["casbin"]),
            _named("casbin"),
            f"{RULES} rules",
        ),
        Result(
            "2b",
            "decide p50 / cedar",
            ("<=", 1 / 3),
            _ratios(ours, engines["cedar"]),
            _named("cedarpy"),
            f"{ENTITIES} entities",
        ),
        Result("2c", "decide p95 in ms, 1e6 grants", ("<=", 1), tuple(tail), "a limit"),
        Result("2d", "1e6 grants / 1e4 grants", ("<=", 2), _medians(many["permit"], some["permit"]), "itself"),
        Result("2e", "deny / permit", ("<=", 1.2), _medians(some["deny"], some["permit"]), "itself"),
    ]


def _decisions(folder: Path, count: int) -> dict[str, list[list[float]]]:
    """Seconds of single decisions over ``count`` patients with one grant each, run by run, interleaved."""
    content = _policy()
    storage = Storage(folder, create=True)
    with storage.writing() as state:
        for start in range(0, count, 50_000):
            writes: dict[Key, bytes] = {
                ("policy", f"p{number}"): content for number in range(start, min(count, start + 50_000))
            }
            state.append(Head(start // 50_000, f"{start:064x}", 0), b"", writes, ())
    chosen = Random(1).sample(range(count), QUESTIONS)  # noqa: S311 (which patients are asked about)
    permit, deny = _ask("TREAT"), _ask("HMARKT")
    database = sqlite3.connect(folder / FILE_NAME)
    found: dict[str, list[list[float]]] = {"permit": [], "deny": [], "bare": []}
    with storage.reading() as snapshot:
        sides: dict[str, Callable[[int], object]] = {
            "permit": lambda number: _decide(snapshot, chosen[number], permit),
            "deny": lambda number: _decide(snapshot, chosen[number], deny),
            "bare": lambda number: _select(database, chosen[number]),
        }
        assert sides["permit"](0)
        assert not sides["deny"](0)
        for _ in range(PAIRS):
            for side, work in sides.items():
                found[side].append(each(work, QUESTIONS))
    database.close()
    storage.close()
    return found


def _policy() -> bytes:
    """The stored policy of a patient who gave one consent with limits of every common kind."""
    ledger = clinic()
    limited = terms(
        purposes=["TREAT"],
        actors=[["organization", "alder"]],
        classes=sorted(tag("class", code) for code in ("cytology", "laboratory", "image")),
        period=sorted(tag("date", day) for day in ("2025", "2026", "2027")),
    )
    ledger.submit(ALICE, "GrantConsent", signed("alice", "given", limited))
    return canonical.encode(ledger.value("policy", "alice"))


def _ask(purpose: str) -> Ask:
    return Ask(
        actors=actors_of(CAROL.msp_id, CAROL.subject, ["doctor"], []),
        purpose=purpose,
        action="access",
        now=1_800_000_000,
        groups=frozenset(),
    )


_RECORD = Record(
    record_id="r1",
    dates=(frozenset({tag("date", "2026"), tag("date", "2026-03"), tag("date", "2026-03-04")}),),
    level="N",
    classes=frozenset({tag("class", "image")}),
    codes=frozenset(),
    authors=frozenset(),
    related=frozenset(),
    sensitivities=frozenset(),
)


def _decide(snapshot: Snapshot, number: int, ask: Ask) -> bool:
    stored = snapshot.get(("policy", f"p{number}"))
    assert stored is not None
    return decide(Policy.from_state(canonical.load(stored)), ask, _RECORD).is_permit


def _select(database: sqlite3.Connection, number: int) -> object:
    key = key_bytes(("policy", f"p{number}"))
    return database.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()


def _casbin() -> Callable[[int], object]:
    model = casbin.Enforcer.new_model(
        text="""
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
"""
    )
    enforcer = casbin.Enforcer(model)
    for number in range(RULES):
        enforcer.add_policy("carol", f"p{number}", "TREAT")
    assert enforcer.enforce("carol", f"p{RULES - 1}", "TREAT")
    return lambda number: enforcer.enforce("carol", f"p{number * 7 % RULES}", "TREAT")


def _cedar() -> Callable[[int], object]:
    policy = 'permit(principal, action == Action::"TREAT", resource) when { resource.allowed.contains(principal) };'
    practitioner = {"__entity": {"type": "Practitioner", "id": "carol"}}
    entities = json.dumps(
        [{"uid": {"type": "Practitioner", "id": "carol"}, "attrs": {}, "parents": []}]
        + [
            {"uid": {"type": "Record", "id": f"r{number}"}, "attrs": {"allowed": [practitioner]}, "parents": []}
            for number in range(ENTITIES - 1)
        ]
    )

    def ask(number: int) -> object:
        request = {
            "principal": 'Practitioner::"carol"',
            "action": 'Action::"TREAT"',
            "resource": f'Record::"r{number % (ENTITIES - 1)}"',
            "context": {},
        }
        answer = cedarpy.is_authorized(request, policy, entities)
        assert answer.allowed
        return answer

    return ask


def _p50(work: Callable[[int], object], count: int) -> list[float]:
    return [statistics.median(each(work, count)) for _ in range(PAIRS)]


def _ratios(ours: list[float], peer: list[float]) -> tuple[float, ...]:
    return tuple(mine / theirs for mine, theirs in zip(ours, peer, strict=True))


def _medians(ours: list[list[float]], peer: list[list[float]]) -> tuple[float, ...]:
    return _ratios([statistics.median(run) for run in ours], [statistics.median(run) for run in peer])


def _named(package: str) -> str:
    return f"{package} {package_version(package)}"
