"""The door: another process of this account uses the ledger through it exactly as its owner does (PROTOCOL.md C0)."""

from __future__ import annotations

import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.embedded.door import LedgerDoor
from ledger.embedded.remote import RemoteLedger
from ledger.gateway import CommitError, CommitStatusError, EndorseError, Envelope, Gateway, GatewayError, SubmitError
from ledger.replica import Replica
from ledger.sockets import SocketError
from tests.support.ledger import CAROL, Chance, Clock, Counters, count, create_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.embedded import EmbeddedLedger


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name fits a socket's path."""
    made = Path(tempfile.mkdtemp(prefix="door-"))
    yield made / "ledger"
    shutil.rmtree(made)


@pytest.fixture
def ledger(folder: Path) -> Iterator[EmbeddedLedger]:
    made = create_ledger(folder)
    yield made
    made.close()


@pytest.fixture
def remote(ledger: EmbeddedLedger, folder: Path) -> Iterator[RemoteLedger]:
    door = LedgerDoor(ledger, folder)
    made = RemoteLedger(folder, ledger.network_id, clock=Clock(), random=Chance(iter(range(500, 900))))
    yield made
    made.close()
    door.close()


def test_what_is_recorded_through_the_door_is_what_the_owner_sees(ledger: EmbeddedLedger, remote: RemoteLedger) -> None:
    gateway: Gateway = remote
    envelope = gateway.prepare(CAROL, "Count", {"name": "a"})
    commit = gateway.submit(envelope)
    assert commit == ledger.find_commit(commit.transaction_id) == gateway.find_commit(commit.transaction_id)
    assert gateway.submit(envelope) == commit, "sent twice, recorded once"
    assert gateway.find_commit("0" * 64) is None
    assert count(ledger) == 2
    assert gateway.evaluate(CAROL, "Counters", {}) == ledger.evaluate(CAROL, "Counters", {}) == {"a": 2}
    assert list(gateway.blocks(0)) == list(ledger.blocks(0))
    assert list(gateway.blocks(2)) == list(ledger.blocks(2))
    assert list(gateway.events(0)) == list(ledger.events(0))
    assert list(gateway.events(commit.block, commit.transaction_id)) == list(ledger.events(2))
    assert gateway.wait(-1, 0) == 3
    assert gateway.wait(3, 0.05) == 3


def test_a_replica_believes_what_comes_through_the_door_only_after_verifying_it(
    ledger: EmbeddedLedger, remote: RemoteLedger
) -> None:
    count(ledger)
    replica = Replica(ledger.chain, Counters())
    replica.follow(remote)
    assert (replica.height, replica.halted) == (2, None)


def test_each_error_arrives_as_what_it_is(ledger: EmbeddedLedger, remote: RemoteLedger) -> None:
    with pytest.raises(EndorseError) as refused:
        remote.prepare(CAROL, "Fail", {})
    assert refused.value.code == "unknown-transaction"
    with pytest.raises(EndorseError) as unreadable:
        remote.submit(Envelope("0" * 64, b"{}"))
    assert unreadable.value.code == "envelope"
    old = remote.prepare(CAROL, "Count", {"name": "a"})
    count(ledger)
    with pytest.raises(CommitError) as stale:
        remote.submit(old)
    assert (stale.value.code, stale.value.transaction_id) == ("stale-read", old.transaction_id)


def test_silence_is_said_for_what_it_may_mean(ledger: EmbeddedLedger, folder: Path) -> None:
    door = LedgerDoor(ledger, folder)
    remote = RemoteLedger(folder, ledger.network_id, clock=Clock(), random=Chance())
    envelope = remote.prepare(CAROL, "Count", {"name": "a"})
    door.close()
    with pytest.raises(EndorseError, match="unavailable"):
        remote.prepare(CAROL, "Count", {"name": "a"})
    with pytest.raises(SubmitError, match="unavailable") as unknown:
        remote.submit(envelope)
    assert unknown.value.transaction_id == envelope.transaction_id
    with pytest.raises(CommitStatusError, match="unavailable"):
        remote.find_commit(envelope.transaction_id)
    for silent in (lambda: list(remote.blocks()), lambda: list(remote.events()), lambda: remote.wait(0, 0)):
        with pytest.raises(GatewayError, match="unavailable"):
            silent()
    door = LedgerDoor(ledger, folder)
    _wait_until_answered(remote)
    assert remote.submit(envelope).block == 1, "the same envelope, once somebody answers again"
    remote.close()
    with pytest.raises(GatewayError, match="unavailable"):
        remote.wait(0, 0)
    door.close()


def _wait_until_answered(remote: RemoteLedger) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            remote.wait(-1, 0)
        except GatewayError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def test_only_this_account_finds_the_door(ledger: EmbeddedLedger, folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    with pytest.raises(SocketError, match="chmod 700"):
        LedgerDoor(ledger, folder)


def test_a_name_too_long_for_a_socket_is_said(ledger: EmbeddedLedger, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir(mode=0o700)
    with pytest.raises(SocketError, match="shorter"):
        LedgerDoor(ledger, folder)
