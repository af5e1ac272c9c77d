"""The custodian's door to other hospitals: TLS, limits, deadlines, and refusals that tell nothing by their time."""

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from app.custodian.gate import LOCKED, CustodianLockedError, Gate
from app.custodian.limits import Buckets, Places
from app.custodian.messages import MESSAGE_MAX, unframe
from app.custodian.wire import ASK, PATIENCE, PIECE_MAX, SERVICE, SLOWEST, STATUS, pieces
from ledger.contract.canonical import encode
from ledger.contract.errors import ContractError

KeyAndChain = tuple[bytes, bytes]
"""A private key and its certificate chain, PEM."""
STEP: Final = 0.25
"""Refusals go out at whole multiples of this many seconds after they came, so that their time says as little as their
text about what is known here (ATTACKS.md A50)."""
_SWEEP: Final = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes at once.

    Attributes:
        threads: calls that run; twice as many may wait.
        sources: requests from one address.
        calls: of one address at once.
        patience: seconds for one call, besides those for what it carries.
    """

    threads: int = 32
    sources: Buckets = field(default_factory=lambda: Buckets(200, 2000))
    calls: Places = field(default_factory=lambda: Places(16))
    patience: float = PATIENCE


class CustodianServer:
    """The running service.

    Args:
        gate: the custodian, locked or not.
        address: ``host:port`` to listen on; port 0 takes a free one.
        certificate: the key and chain for the next handshake: the locked or the unlocked one's.
        limits: see ``Limits``.

    Raises:
        OSError: the address cannot be used.
    """

    def __init__(
        self, gate: Gate, address: str, certificate: Callable[[], KeyAndChain], limits: Limits | None = None
    ) -> None:
        self._gate, self._limits = gate, limits or Limits()
        self._until: dict[Any, float] = {}
        self._ended = threading.Event()
        threads = self._limits.threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="custodian")
        options = (
            ("grpc.max_receive_message_length", PIECE_MAX),
            ("grpc.max_metadata_size", 8192),
            ("grpc.so_reuseport", 0),  # a port that somebody else has is an error, not shared
        )
        self._server = grpc.server(self._threads, options=options, maximum_concurrent_rpcs=2 * threads)
        handlers = {
            ASK: grpc.stream_stream_rpc_method_handler(self._ask),
            STATUS: grpc.unary_unary_rpc_method_handler(self._status),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

        def configuration() -> Any:
            return grpc.ssl_server_certificate_configuration([certificate()])

        credentials = grpc.dynamic_ssl_server_credentials(configuration(), configuration)
        try:
            self.port = int(self._server.add_secure_port(address, credentials))
        except RuntimeError as error:
            self._threads.shutdown()
            raise OSError(f"{address} cannot be used: {error}") from None
        self._server.start()
        self._sweeper = threading.Thread(target=self._sweep, name="custodian-deadlines", daemon=True)
        self._sweeper.start()

    def stop(self, grace: float) -> None:
        """Take no new call, let those that run finish within ``grace`` seconds, then end them; wait for all."""
        self._server.stop(grace).wait()
        self._ended.set()
        self._threads.shutdown()
        self._sweeper.join()

    def _status(self, _request: bytes, context: Any) -> bytes:
        self._admit(context)
        return encode({"type": "status", "state": self._gate.state})

    def _ask(self, incoming: Iterator[bytes], context: Any) -> Iterator[bytes]:
        source = self._admit(context)
        if self._gate.state == LOCKED:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, LOCKED)
        if not self._limits.calls.take(source):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")
        self._until[context] = time.monotonic() + self._limits.patience
        try:
            yield from pieces(self._answer(incoming, context))
        finally:
            self._until.pop(context, None)
            self._limits.calls.give_back(source)

    def _answer(self, incoming: Iterator[bytes], context: Any) -> bytes:
        try:
            message = self._read(incoming, context)
            began = time.monotonic()
            reply = self._gate.handle(message)
        except CustodianLockedError:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, LOCKED)
        except ContractError as refused:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, refused.detail)
        if is_refusal(reply):
            passed = time.monotonic() - began
            self._ended.wait(STEP - passed % STEP)
        self._until[context] = time.monotonic() + self._limits.patience + len(reply) / SLOWEST
        return reply

    def _read(self, incoming: Iterator[bytes], context: Any) -> bytes:
        """Return a request; its attachment is taken only from whom, and as far as, the signed message announces it.

        Raises:
            ContractError: ``malformed``: too long.
        """
        message, end = bytearray(), -1
        most = MESSAGE_MAX
        for piece in incoming:
            message += piece
            if end < 0 and (end := message.find(b"\n", 0, MESSAGE_MAX + 1)) >= 0:
                attached = self._gate.expects(bytes(message[:end]))
                most = end + 1 + attached
                self._until[context] += attached / SLOWEST
            if len(message) > most:
                raise ContractError("malformed", "more than the message announces, or may have")
        return bytes(message)

    def _admit(self, context: Any) -> str:
        """Return the address a call comes from, unless it comes too often."""
        source = source_of(context.peer())
        if self._limits.sources.take(source):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")
        return source

    def _sweep(self) -> None:
        """End calls that take too long: who sends a byte a minute takes nobody's place for long."""
        while not self._ended.wait(_SWEEP):
            now = time.monotonic()
            for context, until in list(self._until.items()):
                if now > until:
                    context.cancel()


def is_refusal(reply: bytes) -> bool:
    """Tell whether a reply of our own refuses."""
    if len(reply) > MESSAGE_MAX:
        return False
    message = unframe(reply)[0]["reply"]
    return isinstance(message, dict) and message["type"] == "refusal"


def source_of(peer: str) -> str:
    """Return whom a call is counted for: an IPv4 address, or the /64 of an IPv6 address, which has one owner."""
    kind, _, rest = peer.partition(":")
    host = rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")
    if kind != "ipv6":
        return host
    try:
        return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False))
    except ValueError:
        return host
