"""The chaincode's service before a peer that errs, mixes up, is silent, hangs up, or is somebody else."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from fabric_protos.peer import chaincode_shim_pb2_grpc as service

from app.network.identities import write_pinned
from app.network.plan import CHAINCODE, CHANNEL, HOST, free_ports
from ledger.chaincode.refusals import read_refusal
from ledger.chaincode.server import ChaincodeServer
from ledger.chaincode.settings import Settings
from ledger.fabric.proposals import new_proposal, signed_proposal
from tests.support.certificates import NOW, Hospital
from tests.support.ledger import Counters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.guards import ExpectedLogs

ALDER = Hospital("AlderMSP")
CAROL = ALDER.issue("carol", "practitioner")
MESSAGE = shim.ChaincodeMessage
PATIENCE = 5.0


class ScriptedPeer:
    """The peer's end of a stream, moved by the test."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._outgoing: SimpleQueue[Any] = SimpleQueue()
        self._incoming: SimpleQueue[Any] = SimpleQueue()
        self._call = service.ChaincodeStub(channel).Connect(iter(self._outgoing.get, None))
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self.next().type == MESSAGE.REGISTER
        self.send(MESSAGE.REGISTERED)
        self.send(MESSAGE.READY)

    def _read(self) -> None:
        try:
            for message in self._call:
                self._incoming.put(message)
        except grpc.RpcError:
            pass  # hung up by either side

    def next(self) -> Any:
        return self._incoming.get(timeout=PATIENCE)

    def says_nothing(self, seconds: float = 0.2) -> bool:
        try:
            self._incoming.get(timeout=seconds)
        except Empty:
            return True
        return False

    def send(self, kind: int, payload: bytes = b"", txid: str = "", proposal: Any = None) -> None:
        self._outgoing.put(
            shim.ChaincodeMessage(type=kind, payload=payload, txid=txid, channel_id=CHANNEL, proposal=proposal)
        )

    def call(self, name: str, arguments: bytes, *, person: Any = CAROL, nonce: bytes = bytes(24)) -> str:
        proposal = new_proposal(person, CHANNEL, CHAINCODE, [name.encode(), arguments], NOW, nonce)
        sent = chaincode_pb2.ChaincodeInput(args=[name.encode(), arguments]).SerializeToString()
        self.send(MESSAGE.TRANSACTION, sent, proposal.transaction_id, signed_proposal(person, proposal))
        return proposal.transaction_id

    def hang_up(self) -> None:
        self._call.cancel()
        self._outgoing.put(None)
        self._reader.join(PATIENCE)


@dataclass
class Service:
    """A running chaincode of counters."""

    settings: Settings
    folder: Path
    now: int = NOW

    @contextmanager
    def peer(self, pair: str = "peer") -> Iterator[ScriptedPeer]:
        with self.channel(pair) as channel:
            peer = ScriptedPeer(channel)
            yield peer
            peer.hang_up()

    def channel(self, pair: str | None) -> grpc.Channel:
        keys = [(self.folder / pair / name).read_bytes() for name in ("key.pem", "cert.pem")] if pair else [None, None]
        server = (self.folder / "chaincode" / "cert.pem").read_bytes()
        return grpc.secure_channel(self.settings.address, grpc.ssl_channel_credentials(server, *keys))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    for name in ("chaincode", "peer", "mallory"):
        write_pinned(tmp_path / name, int(time.time()))
    (port,) = free_ports(1, os.urandom)
    settings = Settings(
        "counters_1:0",
        f"{HOST}:{port}",
        str(tmp_path / "chaincode" / "key.pem"),
        str(tmp_path / "chaincode" / "cert.pem"),
        str(tmp_path / "peer" / "cert.pem"),
    )
    running = Service(settings, tmp_path)
    server = ChaincodeServer(settings, lambda: running.now, Counters())
    yield running
    server.stop()
    server.wait()


def response(message: Any) -> tuple[int, bytes, str]:
    assert message.type == MESSAGE.COMPLETED
    answer = proposal_response_pb2.Response.FromString(message.payload)
    return answer.status, answer.payload, answer.message


def code(message: Any) -> tuple[int, str]:
    status, payload, text = response(message)
    refusal = read_refusal(text)
    assert refusal is not None
    assert payload == b""
    return status, refusal[0]


def test_a_call_reads_writes_and_announces(served: Service) -> None:
    with served.peer() as peer:
        txid = peer.call("Count", b'{"name":"a"}')
        question = peer.next()
        assert (question.type, question.txid) == (MESSAGE.GET_STATE, txid)
        assert shim.GetState.FromString(question.payload).key == "\0counter\0a\0"
        peer.send(MESSAGE.RESPONSE, b'{"by":"x","count":41}', txid)
        write = peer.next()
        assert write.type == MESSAGE.PUT_STATE
        assert b'"count":42' in shim.PutState.FromString(write.payload).value
        peer.send(MESSAGE.RESPONSE, b"", txid)
        done = peer.next()
        assert response(done) == (200, b'{"count":42,"name":"a"}', "")
        event = done.chaincode_event
        assert (event.event_name, event.payload, event.tx_id) == ("Counted", b'{"count":42,"name":"a"}', txid)


@pytest.mark.parametrize("question", [MESSAGE.GET_STATE, MESSAGE.PUT_STATE])
def test_an_error_of_the_peer_never_becomes_a_value(
    served: Service, question: int, expected_logs: ExpectedLogs
) -> None:
    expected_logs.add("the peer did not answer")
    with served.peer() as peer:
        txid = peer.call("Count", b'{"name":"a"}')
        while (asked := peer.next()).type != question:
            peer.send(MESSAGE.RESPONSE, b"", txid)
        assert asked.type == question
        peer.send(MESSAGE.ERROR, b'{"by":"x","count":41}', txid)
        assert code(peer.next()) == (500, "peer")


def test_a_silent_peer_fails_the_call(
    served: Service, monkeypatch: pytest.MonkeyPatch, expected_logs: ExpectedLogs
) -> None:
    expected_logs.add("the peer did not answer")
    monkeypatch.setattr("ledger.chaincode.stream.PATIENCE", 0.1)
    with served.peer() as peer:
        txid = peer.call("Count", b'{"name":"a"}')
        peer.next()
        assert code(peer.next()) == (500, "peer")
        peer.send(MESSAGE.RESPONSE, b'{"by":"x","count":41}', txid)
        assert peer.says_nothing()


def test_answers_in_any_order_reach_their_own_calls(served: Service) -> None:
    with served.peer() as peer:
        names = [f"c{number}" for number in range(30)]
        calls = {peer.call("Look", f'{{"name":"{name}"}}'.encode(), nonce=name.encode() * 8): name for name in names}
        asked = [peer.next() for _ in names]
        for question in reversed(asked):
            number = int(calls[question.txid][1:])
            peer.send(MESSAGE.RESPONSE, f'{{"by":"x","count":{number}}}'.encode(), question.txid)
        for _ in names:
            done = peer.next()
            name = calls[done.txid]
            assert response(done)[1] == f'{{"count":{name[1:]},"name":"{name}"}}'.encode()


def test_an_answer_to_nobody_is_dropped(served: Service) -> None:
    with served.peer() as peer:
        peer.send(MESSAGE.RESPONSE, b"1", "nobody")
        peer.send(MESSAGE.ERROR, b"1", "nobody")
        assert peer.says_nothing()


def test_a_peer_that_hangs_up_in_the_middle_leaves_no_call_behind(served: Service, expected_logs: ExpectedLogs) -> None:
    expected_logs.add("the peer did not answer")
    with served.peer() as peer:
        peer.call("Count", b'{"name":"a"}')
        peer.next()
    with served.peer() as again:
        again.call("Fail", b"{}")
        assert code(again.next()) == (403, "unknown-transaction")


def test_arguments_that_nobody_signed_are_refused(served: Service) -> None:
    with served.peer() as peer:
        proposal = new_proposal(CAROL, CHANNEL, "other", [b"Do", b"{}"], NOW, bytes(24))
        sent = chaincode_pb2.ChaincodeInput(args=[b"Count", b'{"name":"a"}']).SerializeToString()
        peer.send(MESSAGE.TRANSACTION, sent, proposal.transaction_id, signed_proposal(CAROL, proposal))
        assert code(peer.next()) == (403, "malformed")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_call_has_a_name_and_one_object(served: Service, count: int) -> None:
    with served.peer() as peer:
        arguments = [b"Count", b"{}", b"more"][:count]
        proposal = new_proposal(CAROL, CHANNEL, CHAINCODE, arguments, NOW, bytes(24))
        sent = chaincode_pb2.ChaincodeInput(args=arguments).SerializeToString()
        peer.send(MESSAGE.TRANSACTION, sent, proposal.transaction_id, signed_proposal(CAROL, proposal))
        assert code(peer.next()) == (403, "malformed")


def test_garbage_instead_of_a_proposal_is_refused(served: Service) -> None:
    with served.peer() as peer:
        peer.send(MESSAGE.TRANSACTION, b"\xff\xff", "t1")
        assert code(peer.next()) == (403, "malformed")


@pytest.mark.parametrize(("offset", "accepted"), [(119, True), (120, True), (121, False), (-120, True), (-121, False)])
def test_the_clock_rule_is_that_of_the_embedded_ledger(served: Service, offset: int, accepted: bool) -> None:  # noqa: FBT001
    served.now = NOW - offset
    with served.peer() as peer:
        txid = peer.call("Look", b'{"name":"a"}')
        if accepted:
            peer.next()
            peer.send(MESSAGE.RESPONSE, b"", txid)
            assert response(peer.next())[0] == 200
        else:
            assert code(peer.next()) == (403, "clock-skew")


def test_no_log_holds_what_was_sent(
    served: Service, caplog: pytest.LogCaptureFixture, expected_logs: ExpectedLogs
) -> None:
    expected_logs.add("KeyError")
    with served.peer() as peer, caplog.at_level("DEBUG"):
        peer.call("Count", b'{"patient":"alice-secret"}')  # the contract of counters has a defect: it wants a name
        assert code(peer.next()) == (500, "defect")
        peer.call("alice-secret", b'{"x":1}', nonce=b"2" * 24)
        assert code(peer.next()) == (403, "unknown-transaction")
    assert "alice-secret" not in caplog.text


@pytest.mark.parametrize("pair", ["mallory", None])
def test_nobody_but_the_peer_is_answered(served: Service, pair: str | None) -> None:
    with served.channel(pair) as channel, pytest.raises(grpc.RpcError) as refused:
        next(service.ChaincodeStub(channel).Connect(iter([]), timeout=PATIENCE))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_port_in_other_hands_is_an_error(served: Service) -> None:
    with pytest.raises(OSError, match="cannot be used"):
        ChaincodeServer(served.settings, lambda: NOW, Counters())


def test_a_large_message_does_not_end_the_stream(served: Service) -> None:
    with served.peer() as peer:
        peer.call("Count", b"x" * (16 << 20))
        assert code(peer.next()) == (403, "limit")
        peer.call("Fail", b"{}", nonce=b"2" * 24)
        assert code(peer.next()) == (403, "unknown-transaction")
