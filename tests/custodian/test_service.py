"""The custodian over TLS: the same answers as in process, and nothing for whoever attacks the wire (A11, A50, A51)."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import grpc
import pytest

from app.custodian.messages import MESSAGE_MAX, CustodianRefusal, ReplyError, unframe
from app.custodian.transport import TlsTransport, pinned_root
from app.custodian.wire import LOCKED_NAME, PIECE, pieces
from ledger.contract.canonical import decode_object, encode
from ledger.encoding import from_base64
from ledger.gateway import GatewayError
from ledger.signatures import load_public_key, signed_bytes, verify_signature
from tests.support.custody import PIN, Opened, World, document
from tests.support.refusals import custodian_refusal as refusal
from tests.support.service import HOST, Impostor, Served, capturing, noise, tls_authority, tls_leaf, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def object_names(world: World) -> list[str]:
    held = next(iter(world.alder.desk.index.records_of(world.alice.person_id)))
    version = world.alder.desk.index.version(held.internal_id, 1)
    assert version is not None
    return sorted(version.sizes)


# the same over the wire


def test_an_opening_over_the_wire_is_the_one_in_process(world: World, served: Served, opening: Opened) -> None:
    client = served.client()
    over = client.release(
        opening.by.signer, opening.access, opening.release_key, world.follower, badge=opening.by.badge
    )
    assert over.items == world.release(opening).items, "asked again in process: the stored reply"
    for name in object_names(world):
        raw = client.fetch_object(opening.by.signer, opening.access.patient_id, opening.access.access_id, name)
        assert hashlib.sha256(raw).hexdigest() == name
    assert [each.display for each in world.list(world.dan, opening.access.patient_id).rows] == ["fna"]


def test_what_is_longer_than_a_piece_goes_both_ways(served: Served) -> None:
    echo = Impostor(tls_leaf(served.authority, HOST), lambda request: pieces(request * 3))
    transport = TlsTransport(f"{HOST}:{echo.port}", served.authority.root)
    sent = noise(2 * PIECE + 17)
    assert transport(sent) == sent * 3
    transport.close()
    echo.close()


def test_files_are_imported_over_the_wire(world: World, served: Served) -> None:
    registrar = world.alder.staff["registrar"].signer
    assert served.client().import_files(registrar, world.alice.person_id, [document("fna")])[0].accepted


def test_status_says_only_how_it_is(served: Served) -> None:
    assert served.transport().state == "ready"


# who is at the other end


def test_another_tls_root_is_not_connected_to(world: World, served: Served) -> None:
    client = served.client(served.transport(tls_authority().root))
    assert refusal(lambda: client.people(world.carol.signer)).code == "unreachable"
    assert served.gate.messages == []


@pytest.mark.parametrize(
    "kind", ["self-made authority of the same name", "another host's certificate", "the locked one"]
)
def test_a_man_in_the_middle_hears_nothing(world: World, served: Served, kind: str) -> None:
    leaf = {
        "self-made authority of the same name": tls_leaf(tls_authority("Alder"), HOST),
        "another host's certificate": tls_leaf(served.authority, "peer.alder.example"),
        "the locked one": tls_leaf(served.authority, LOCKED_NAME),
    }[kind]
    impostor = Impostor(leaf, pieces)
    transport = TlsTransport(f"{HOST}:{impostor.port}", served.authority.root)
    assert refusal(lambda: served.client(transport).unlock_card(world.alice.card.card_id, PIN)).code == "unreachable"
    assert impostor.heard == []
    transport.close()
    impostor.close()


def test_the_root_is_the_one_whose_hash_is_on_the_ledger() -> None:
    one, other = tls_authority().root, tls_authority().root
    assert pinned_root(hashlib.sha256(other).hexdigest(), [one, other]) == other
    assert refusal(lambda: pinned_root(hashlib.sha256(other).hexdigest(), [one])).code == "unreachable"


# what is sent


def test_a_request_that_was_read_along_the_way_works_once(world: World, served: Served) -> None:
    kept: list[bytes] = []
    transport = served.transport()
    served.client(capturing(transport, kept)).people(world.carol.signer)
    again = unframe(transport(kept[0]))[0]["reply"]
    assert isinstance(again, dict)
    assert (again["type"], again["code"]) == ("refusal", "already-exists")


@pytest.mark.parametrize("kept_part", [0.0, 0.3, 0.999])
def test_a_request_cut_short_does_nothing(world: World, served: Served, opening: Opened, kept_part: float) -> None:
    kept: list[bytes] = []
    client = served.client(capturing(served.transport(), kept))
    client.make_code(world.alder.staff["registrar"].signer, opening.access.patient_id)
    cut = kept[0][: int(len(kept[0]) * kept_part)]
    reply = unframe(served.call(pieces(cut)))[0]["reply"]
    assert isinstance(reply, dict)
    assert (reply["type"], reply["code"]) == ("refusal", "malformed")


def test_a_reply_cut_short_is_not_believed(world: World, served: Served) -> None:
    genuine = world.alder.custodian.handle
    for keep in (0, 10, -1):
        impostor = Impostor(tls_leaf(served.authority, HOST), partial(_cut, genuine, keep))
        transport = TlsTransport(f"{HOST}:{impostor.port}", served.authority.root)
        with pytest.raises(ReplyError):
            served.client(transport).people(world.carol.signer)
        transport.close()
        impostor.close()


def test_a_reply_without_end_is_broken_off(world: World, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.custodian.transport.REPLY_MAX", 4 * PIECE)
    monkeypatch.setattr("app.custodian.transport._OBJECT_MAX", 0)
    endless = Impostor(tls_leaf(served.authority, HOST), lambda _: itertools.repeat(noise(PIECE)))
    transport = TlsTransport(f"{HOST}:{endless.port}", served.authority.root)
    with pytest.raises(ReplyError, match="longer"):
        transport(b"{}")
    transport.close()
    endless.close()


def test_a_message_that_is_too_long_is_not_even_read(served: Served) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += PIECE
            yield b"x" * PIECE

    with pytest.raises(grpc.RpcError) as error:
        served.call(endless())
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert sent < 64 * MESSAGE_MAX
    assert served.gate.messages == []


def test_a_piece_that_is_too_long_ends_the_call(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as error:
        served.call([noise(5 * PIECE)])
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert served.gate.messages == []


@pytest.mark.parametrize("who", ["a stranger", "staff of another hospital", "another message", "more than announced"])
def test_files_are_taken_only_from_staff_who_announced_them(world: World, served: Served, who: str) -> None:
    kept: list[bytes] = []
    signer = world.dan.signer if who == "staff of another hospital" else world.alder.staff["registrar"].signer
    client = served.client(capturing(lambda _request: b"", kept))
    with pytest.raises(ReplyError):
        client.import_files(signer, world.alice.person_id, [document("fna")])
    head, _, content = kept[0].partition(b"\n")
    if who == "another message":
        with pytest.raises(ReplyError):
            client.people(signer)
        head = kept[1]
    if who == "a stranger":
        outer = decode_object(head)
        head = encode({**outer, "signature": "", "certificate": "", "msp_id": ""})
    with pytest.raises(grpc.RpcError) as error:
        served.call([head + b"\n", content, b"more" if who == "more than announced" else content])
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert served.gate.messages == []


# stop, silence, end


def test_a_stop_is_acknowledged_by_signature_although_the_ledger_is_silent(
    world: World, served: Served, opening: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_start: int = 0) -> Iterator[bytes]:
        raise GatewayError("unavailable")

    client, hers, patient_id = served.client(), world.alice.signers["Birch"], opening.access.patient_id
    monkeypatch.setattr(world.ledger, "blocks", silent)

    def release() -> object:
        return client.release(
            opening.by.signer, opening.access, opening.release_key, world.follower, badge=opening.by.badge
        )

    assert refusal(release).code == "not-yet-committed"
    told = client.suspend(hers, patient_id)
    assert (told.patient_id, told.at, told.stopped) == (patient_id, world.clock(), True)
    monkeypatch.undo()
    assert refusal(release).code == "stopped-by-patient"
    outer, _ = unframe(told.signed)
    reply = outer["reply"]
    assert isinstance(reply, dict)
    message = signed_bytes("suspend", world.ledger.network_id, encode(reply))
    key = load_public_key(world.alder.receipt_key.public_key)
    verify_signature(key, message, from_base64(str(outer["signature"])))
    sequence, head = world.alder.desk.journal.head
    assert reply["journal"] != {"sequence": sequence, "hash": head}, "a refusal was journaled after it"
    assert not client.resume(hers, patient_id).stopped
    assert release()


def test_what_streams_is_finished_within_the_grace_of_a_stop(world: World, served: Served) -> None:
    begun, go_on = threading.Event(), threading.Event()
    answered: list[bytes] = []

    def slow() -> Iterator[bytes]:
        begun.set()
        go_on.wait(10)
        yield b"{}"

    caller = threading.Thread(target=lambda: answered.append(served.call(slow())))
    caller.start()
    begun.wait(10)
    until(lambda: bool(served.server._until))
    stopper = threading.Thread(target=lambda: served.server.stop(10))
    stopper.start()
    time.sleep(0.1)
    assert refusal(lambda: served.client().people(world.carol.signer)).code == "unreachable"
    go_on.set()
    caller.join()
    stopper.join()
    assert unframe(answered[0])[0]["reply"]


def test_a_stop_without_grace_breaks_off_and_nothing_half_is_believed(
    world: World, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    read = TlsTransport._read
    monkeypatch.setattr(TlsTransport, "_read", lambda self, call: read(self, _slowly(call)))
    handle = world.alder.custodian.handle

    def large(message: bytes) -> bytes:
        reply = handle(message)
        begun.set()
        return reply + b"\n" + noise(200 * PIECE)

    monkeypatch.setattr(served.gate, "handle", large)
    refusals: list[CustodianRefusal] = []

    def ask() -> None:
        refusals.append(refusal(lambda: served.client().people(world.carol.signer)))

    caller = threading.Thread(target=ask)
    caller.start()
    begun.wait(10)
    time.sleep(0.1)
    served.server.stop(0)
    caller.join()
    assert refusals[0].code == "unreachable"


def _cut(handle: Callable[[bytes], bytes], keep: int, request: bytes) -> Iterator[bytes]:
    yield handle(request)[:keep]


def _slowly(stream: Iterator[bytes]) -> Iterator[bytes]:
    for piece in stream:
        time.sleep(0.05)
        yield piece
