"""Serve the contract to the hospital's own peer, and to nobody else (chaincode as a service, mutual TLS)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc
from fabric_protos.peer import chaincode_shim_pb2_grpc as service

import ledger.contract
from ledger.chaincode.calls import answer
from ledger.chaincode.settings import Settings
from ledger.chaincode.stream import Respond, Stream
from ledger.execution import Contract

_STREAMS: Final = 8
"""Connections at once: the peer has one, and leaves the last one behind when it restarts."""

_CALLS: Final = 32
"""Calls at once; more wait. The peer has its own bound (``limits.concurrency``)."""

_MESSAGE_BYTES: Final = 64 << 20
"""A call travels twice in one message; a peer takes 16 MB. A message that is too large ends the stream, so none is."""

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a port that somebody else has is an error, not shared
    # The peer asks each minute whether we are there; gRPC's servers hang up on who asks more than each five minutes.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # And we find out likewise that a peer is gone without a word.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


class ChaincodeServer:
    """The running service."""

    def __init__(self, settings: Settings, clock: Callable[[], int], contract: Contract = ledger.contract) -> None:
        """Listen.

        Args:
            settings: where, as what, and to whom.
            clock: seconds UTC.
            contract: the rules.

        Raises:
            OSError: the address cannot be used.
        """
        self._calls = ThreadPoolExecutor(_CALLS, thread_name_prefix="call")
        self._server = grpc.server(ThreadPoolExecutor(_STREAMS, thread_name_prefix="stream"), options=_OPTIONS)
        service.add_ChaincodeServicer_to_server(
            _Servicer(settings.package_id, partial(answer, contract, clock), self._calls), self._server
        )
        pair = (Path(settings.key).read_bytes(), Path(settings.certificate).read_bytes())
        credentials = grpc.ssl_server_credentials(
            [pair], root_certificates=Path(settings.peer_certificate).read_bytes(), require_client_auth=True
        )
        try:
            self._server.add_secure_port(settings.address, credentials)
        except RuntimeError as error:
            raise OSError(f"{settings.address} cannot be used: {error}") from None
        self._server.start()

    def wait(self) -> None:
        """Return when the service has ended."""
        self._server.wait_for_termination()
        self._calls.shutdown()

    def stop(self) -> None:
        """End the service; calls that run are finished within a second."""
        self._server.stop(1.0)


class _Servicer:
    """Fabric's service ``protos.Chaincode``: the peer connects here."""

    def __init__(self, package_id: str, respond: Respond, calls: ThreadPoolExecutor) -> None:
        self._package_id = package_id
        self._respond = respond
        self._calls = calls

    def Connect(self, incoming: Iterator[Any], _: Any) -> Iterator[Any]:  # noqa: N802 (gRPC's name)
        """Serve one connection."""
        return Stream(self._package_id, self._respond, self._calls).serve(incoming)
