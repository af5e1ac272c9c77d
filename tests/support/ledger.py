"""An embedded ledger for tests: injected clock and chance, a contract of counters, blocks made by an attacker."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger.blocks import Head, block_content, envelope_content, hash_of, header_content, transaction_content
from ledger.contract import canonical
from ledger.contract.caller import Caller
from ledger.contract.errors import ContractError
from ledger.contract.state import Archive, WorldState
from ledger.embedded import Anchor, EmbeddedLedger
from ledger.gateway import Signer
from ledger.signatures import SoftwareKey, signed_bytes
from tests.support.certificates import NOW, Hospital, private_key_of

ALDER = Hospital("Alder")
BIRCH = Hospital("Birch")
CAROL = ALDER.issue("carol", "practitioner")
MALLORY = BIRCH.issue("mallory", "practitioner")
LEDGER_KEY = SoftwareKey(private_key_of("ledger"))


@dataclass(frozen=True)
class CounterOutcome:
    """What a counting transaction answers."""

    response: bytes
    event_name: str
    event_payload: bytes


class Counters:
    """A contract of named counters: ``Count`` {name} adds one, ``Look`` {name} only reads, ``Fail`` {} is refused."""

    def execute(
        self, state: WorldState, caller: Caller, transaction_id: str, timestamp: int, name: str, arguments: bytes, /
    ) -> CounterOutcome:
        asked = canonical.decode_object(arguments)
        if name not in {"Count", "Look", "Access", "RecordReleases"}:
            raise ContractError("unknown-transaction", name)
        if name == "RecordReleases":
            return CounterOutcome(b"{}", "", b"{}")
        counter = str(asked["name"])
        if name == "Access":
            key = ("access", counter, transaction_id)
            state.get(key)
            state.put(key, canonical.encode({"by": caller.subject, "at": timestamp}))
            return CounterOutcome(b"{}", "AccessDecided", canonical.encode({"access_id": transaction_id}))
        raw = state.get(("counter", counter))
        count = 0 if raw is None else int(json.loads(raw)["count"])
        if name == "Count":
            count += 1
            state.put(("counter", counter), canonical.encode({"count": count, "by": caller.subject}))
        answer = canonical.encode({"count": count, "name": counter})
        return CounterOutcome(answer, "Counted" if name == "Count" else "", answer)

    def query(self, archive: Archive, _caller: Caller, _timestamp: int, name: str, _arguments: bytes, /) -> bytes:
        if name != "Counters":
            raise ContractError("unknown-transaction", name)
        return canonical.encode({key[1]: json.loads(value)["count"] for key, value in archive.scan(("counter",))})


@dataclass
class Clock:
    """Seconds UTC, moved by the test."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Chance:
    """Repeatable bytes that never repeat."""

    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, length: int) -> bytes:
        return hashlib.sha512(str(next(self.numbers)).encode()).digest()[:length]


def create_ledger(folder: Path, clock: Clock | None = None, contract: Counters | None = None) -> EmbeddedLedger:
    """Return a new ledger of two hospitals in ``folder``."""
    return EmbeddedLedger.create(
        folder,
        {"Alder": ALDER.roots, "Birch": BIRCH.roots},
        LEDGER_KEY,
        clock=clock or Clock(),
        random=Chance(),
        contract=contract or Counters(),
    )


def open_ledger(
    folder: Path, clock: Clock | None = None, contract: Counters | None = None, expected: Anchor | None = None
) -> EmbeddedLedger:
    """Return the ledger in ``folder``, opened again."""
    return EmbeddedLedger.open(
        folder,
        LEDGER_KEY,
        clock=clock or Clock(),
        random=Chance(itertools.count(1_000_000)),
        contract=contract or Counters(),
        expected=expected,
    )


def count(ledger: EmbeddedLedger, name: str = "a", signer: Signer = CAROL) -> int:
    """Count once and return the counter as the ledger answered it."""
    commit = ledger.submit(ledger.prepare(signer, "Count", {"name": name}))
    return int(json.loads(commit.response)["count"])


def signed_envelope(
    network_id: str,
    nonce: int = 0,
    *,
    signer: Signer = CAROL,
    name: str = "Count",
    arguments: object = None,
    height: int = 0,
    at: int = NOW,
    signed_network: str = "",
) -> bytes:
    """Return an envelope that no ledger has seen, rightly signed unless ``signed_network`` says otherwise."""
    transaction = transaction_content(
        network_id,
        hashlib.sha256(str(nonce).encode()).digest()[:24],
        at,
        signer,
        name,
        arguments if isinstance(arguments, bytes) else canonical.encode(arguments or {"name": "a"}),
    )
    signature = signer.sign(signed_bytes("transaction", signed_network or network_id, transaction))
    return envelope_content(height, signature, transaction)


def forged_block(
    previous: Head,
    envelopes: Sequence[bytes],
    network_id: str,
    *,
    invalid: Sequence[int] = (),
    key: SoftwareKey = LEDGER_KEY,
    edit: Callable[[bytes], bytes] = lambda header: header,
    number: int | None = None,
    at: int | None = None,
) -> tuple[bytes, Head]:
    """Return a block over ``envelopes`` and its head, signed by ``key`` after ``edit`` changed its header."""
    number = previous.number + 1 if number is None else number
    at = previous.at if at is None else at
    header = edit(header_content(number, previous.hash, at, envelopes, invalid))
    content = block_content(header, key.sign(signed_bytes("block", network_id, header)), envelopes)
    return content, Head(number, hash_of(header), at)
