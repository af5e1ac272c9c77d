"""Whoever asks too much, too slowly, or to find out who is a patient; and a custodian that is locked (A50, A51)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import grpc
import pytest

from app.custodian.limits import Buckets, Places
from app.custodian.messages import ReplyError, unframe
from app.custodian.server import STEP, Limits, source_of
from app.custodian.transport import TlsTransport
from app.custodian.wire import LOCKED_NAME, pieces
from app.identity.certificates import new_subject
from ledger.contract.canonical import decode_object, encode
from tests.support.custody import PIN, Opened, World
from tests.support.refusals import custodian_refusal as refusal
from tests.support.service import HOST, Served, capturing, until

if TYPE_CHECKING:
    from collections.abc import Iterator


# too much, too slow


def test_a_flood_from_one_address_is_held_up(world: World) -> None:
    served = Served(world, Limits(sources=Buckets(0.5, 5)))
    served.unlock()
    client = served.client()
    for _ in range(5):
        client.people(world.carol.signer)
    assert refusal(lambda: client.people(world.carol.signer)).code == "busy"
    assert len(served.gate.messages) == 5
    served.close()


def test_a_flood_of_one_signer_is_held_up_and_nobody_elses(world: World, served: Served, opening: Opened) -> None:
    rows = len(list(world.alder.desk.journal.rows(opening.access.patient_id)))
    world.alder.desk.signers._rate, world.alder.desk.signers._burst = 0.2, 3
    client = served.client()
    codes = [refusal(lambda: client.people(world.mallory.signer)).code for _ in range(4)]
    assert codes == ["wrong-organization"] * 3 + ["busy"]

    def ask() -> object:
        return client.release(world.mallory.signer, opening.access, opening.release_key, world.follower)

    assert refusal(ask).code == "busy"
    assert len(list(world.alder.desk.journal.rows(opening.access.patient_id))) == rows, "a flood fills no journal"
    assert client.people(world.carol.signer)


def test_nobody_uses_up_the_share_of_another_whose_signature_he_cannot_make(world: World, served: Served) -> None:
    world.alder.desk.signers._rate, world.alder.desk.signers._burst = 0.2, 2
    kept: list[bytes] = []
    with pytest.raises(ReplyError):
        served.client(capturing(lambda _request: b"", kept)).people(world.carol.signer)
    outer = decode_object(kept[0])
    forged = encode({**outer, "signature": "AAAA"})
    for _ in range(4):
        reply = unframe(served.call(pieces(forged)))[0]["reply"]
        assert isinstance(reply, dict)
        assert reply["code"] == "wrong-key"
    assert served.client().people(world.carol.signer)


def test_many_calls_of_one_address_at_once_leave_room_for_others(world: World) -> None:
    served = Served(world, Limits(calls=Places(1)))
    served.unlock()
    hold, begun = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        begun.set()
        hold.wait(10)
        yield b"{}"

    caller = threading.Thread(target=lambda: served.call(slow()))
    caller.start()
    begun.wait(10)
    until(lambda: bool(served.server._limits.calls._taken))
    assert refusal(lambda: served.client().people(world.carol.signer)).code == "busy"
    hold.set()
    caller.join()
    assert served.client().people(world.carol.signer)
    served.close()


def test_who_sends_slowly_is_cut_off(world: World) -> None:
    served = Served(world, Limits(patience=0.6))
    served.unlock()
    stop = threading.Event()

    def dripping() -> Iterator[bytes]:
        while not stop.wait(0.1):
            yield b"{"

    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as error:
        served.call(dripping(), timeout=30)
    stop.set()
    assert error.value.code() is grpc.StatusCode.CANCELLED
    assert time.monotonic() - began < 10
    assert served.client().people(world.carol.signer)
    served.close()


def test_a_bucket_fills_again() -> None:
    now = 0.0
    buckets = Buckets(2, 2, lambda: now)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0.5]
    assert buckets.take("b") == 0
    now = 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("ipv4:127.0.0.1:4711", "127.0.0.1"),
        ("ipv6:%5B::1%5D:4711", "::/64"),
        ("ipv6:[2001:db8:1:2:aaaa::7]:4711", "2001:db8:1:2::/64"),
        ("unix:", ""),
        ("ipv6:nonsense", ""),
    ],
)
def test_an_owner_of_many_addresses_counts_once(peer: str, source: str) -> None:
    assert source_of(peer) == source


# locked


def test_a_locked_custodian_says_locked_and_hears_no_request(world: World) -> None:
    served = Served(world)
    transport = served.transport()
    client = served.client(transport)
    assert transport.state == "locked"
    for _ in range(2):
        assert refusal(lambda: client.unlock_card(world.alice.card.card_id, PIN)).code == "locked"
    assert served.gate.messages == []
    served.unlock()
    until(lambda: transport.state == "ready")
    assert client.unlock_card(world.alice.card.card_id, PIN).pairs
    served.close()


def test_locking_a_running_custodian_closes_it_for_open_connections_too(world: World, served: Served) -> None:
    transport = served.transport()
    client = served.client(transport)
    client.people(world.carol.signer)
    served.gate.lock()
    assert refusal(lambda: client.people(world.carol.signer)).code == "locked"
    assert transport.state == "locked"
    world.alder.start()
    served.unlock()
    until(lambda: transport.state == "ready")
    assert client.people(world.carol.signer)


def test_the_locked_certificate_is_good_for_saying_locked_only(served: Served) -> None:
    """Its key lies in a file; whoever steals it cannot even say "ready"."""
    transport = TlsTransport(f"{HOST}:{served.server.port}", served.authority.root)
    assert transport._state(LOCKED_NAME) == ""
    transport.close()


# enumeration


def test_unknown_cards_and_wrong_pins_are_refused_alike_to_the_last_try(world: World, served: Served) -> None:
    client = served.client()
    known, unknown = world.alice.card.card_id, "a" * 16

    def answers(card_id: str) -> list[tuple[str, str, int | None]]:
        refused = [refusal(lambda: client.unlock_card(card_id, "13572468")) for _ in range(7)]
        return [(each.code, each.detail, each.tries_left) for each in refused]

    assert answers(known) == answers(unknown)


def test_refusals_take_the_same_time_whatever_they_are_about(world: World, served: Served) -> None:
    client = served.client()
    code = client.make_code(world.alice.signers["Alder"], world.alice.patient_id).code
    used = client.make_code(world.alice.signers["Alder"], world.alice.patient_id).code
    client.introduce(world.dan.signer, world.dan.badge, code=used)
    world.clock.now += 901  # the first has expired
    pair = world.alder.desk.index.find_pair(world.alice.person_id, "Birch")
    assert pair is not None

    def asked(**how: str) -> tuple[str, str, float]:
        began = time.monotonic()
        refused = refusal(lambda: client.introduce(world.mallory.signer, world.mallory.badge, **how))
        return refused.code, refused.detail, time.monotonic() - began

    ways = [{"code": new_subject()}, {"code": used}, {"code": code}]
    ways += [{"patient_id": new_subject()}, {"patient_id": pair.patient_id}, {"patient_id": world.alice.patient_id}]
    found = [[asked(**way) for way in ways] for _ in range(3)]
    assert {each[:2] for row in found for each in row} == {("refused", "")}
    times = [min(row[number][2] for row in found) for number in range(len(ways))]  # the least that each way takes
    assert min(times) >= STEP
    assert max(times) - min(times) < STEP / 2, times
