"""A custodian behind its TLS door on loopback, and callers that no client of ours would be."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.client import CustodianClient
from app.custodian.gate import Gate
from app.custodian.server import CustodianServer, KeyAndChain, Limits
from app.custodian.transport import TlsTransport
from app.custodian.wire import ASK, LOCKED_NAME, PIECE_MAX, SERVICE, pem
from app.identity.certificates import Branch, HospitalAuthority
from ledger.signatures import spki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.custodian.custodian import Custodian
    from tests.support.custody import World

HOST = "localhost"


def tls_leaf(authority: HospitalAuthority, host: str) -> KeyAndChain:
    """Return a key and the chain of its certificate for a host, valid by the machine's own clock as TLS wants it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue_server(spki(key.public_key()), host, int(time.time()))
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return raw, pem(certificate, authority.branches[Branch.TLS])


def tls_authority(msp_id: str = "Alder") -> HospitalAuthority:
    return HospitalAuthority.create(msp_id, int(time.time()))


class RecordingGate(Gate):
    """Remembers every message that reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[bytes] = []

    def handle(self, message: bytes) -> bytes:
        self.messages.append(message)
        return super().handle(message)


class Served:
    """One custodian as a service."""

    def __init__(self, world: World, limits: Limits | None = None) -> None:
        self.world = world
        self.authority = tls_authority()
        self.gate = RecordingGate()
        leaves = {True: tls_leaf(self.authority, LOCKED_NAME), False: tls_leaf(self.authority, HOST)}
        self.server = CustodianServer(self.gate, f"{HOST}:0", lambda: leaves[self.gate.state == "locked"], limits)
        self._transports: list[TlsTransport] = []

    @property
    def endpoint(self) -> str:
        return f"{HOST}:{self.server.port}"

    def unlock(self, custodian: Custodian | None = None) -> None:
        self.gate.open(custodian or self.world.alder.custodian, lambda: None)

    def transport(self, root: bytes = b"", patience: float = 20.0) -> TlsTransport:
        made = TlsTransport(self.endpoint, root or self.authority.root, patience)
        self._transports.append(made)
        return made

    def client(self, transport: Callable[[bytes], bytes] | None = None) -> CustodianClient:
        house = self.world.alder
        return CustodianClient(
            transport or self.transport(),
            self.world.ledger.network_id,
            house.msp_id,
            lambda: house.receipt_key.public_key,
            clock=self.world.clock,
        )

    def call(self, pieces: Iterable[bytes], timeout: float = 20.0) -> bytes:
        """Send pieces as they are, and return what comes."""
        options = (("grpc.max_send_message_length", -1),)
        credentials = grpc.ssl_channel_credentials(pem(self.authority.root))
        with grpc.secure_channel(self.endpoint, credentials, options=options) as channel:
            return b"".join(channel.stream_stream(f"/{SERVICE}/{ASK}")(iter(pieces), timeout=timeout))

    def close(self) -> None:
        for each in self._transports:
            each.close()
        self.server.stop(0)


class Impostor:
    """A server that answers what it likes, under whatever certificate; it remembers what it was sent."""

    def __init__(self, leaf: KeyAndChain, answer: Callable[[bytes], Iterator[bytes]]) -> None:
        self.heard: list[bytes] = []
        self._threads = ThreadPoolExecutor(4)
        self._server = grpc.server(self._threads, options=(("grpc.max_receive_message_length", PIECE_MAX),))

        def ask(incoming: Iterator[bytes], _: Any) -> Iterator[bytes]:
            self.heard.append(b"".join(incoming))
            yield from answer(self.heard[-1])

        handlers = {ASK: grpc.stream_stream_rpc_method_handler(ask)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port = self._server.add_secure_port(f"{HOST}:0", grpc.ssl_server_credentials([leaf]))
        self._server.start()

    def close(self) -> None:
        self._server.stop(0).wait()
        self._threads.shutdown()


def capturing(transport: Callable[[bytes], bytes], kept: list[bytes]) -> Callable[[bytes], bytes]:
    """Keep requests as they go, as somebody who reads along would."""

    def carry(request: bytes) -> bytes:
        kept.append(request)
        return transport(request)

    return carry


def noise(size: int) -> bytes:
    return os.urandom(size)


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is so; fail after some seconds."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
