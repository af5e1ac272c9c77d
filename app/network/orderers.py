"""What an administrator asks of orderers: to join a channel (Fabric's osnadmin, as HTTPS), to record a change."""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any, Final

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2_grpc

from app.network.peers import NotYetError
from app.network.plan import CHANNEL, HOST, NetworkError, Orderer

_CHANNELS: Final = "/participation/v1/channels"
_BOUNDARY: Final = "assent-config-block"
_TIMEOUT: Final = 5.0
_CREATED: Final = 201


def broadcast(orderer: Orderer, tls_root: bytes, envelope: Any) -> None:
    """Hand an envelope to an orderer.

    Raises:
        NotYetError: it does not answer, or knows no leader now.
        NetworkError: it refuses.
    """
    try:
        with grpc.secure_channel(f"{HOST}:{orderer.port}", grpc.ssl_channel_credentials(tls_root)) as channel:
            (answer,) = ab_pb2_grpc.AtomicBroadcastStub(channel).Broadcast(iter([envelope]), timeout=_TIMEOUT)
    except (grpc.RpcError, ValueError) as error:
        raise NotYetError(f"{orderer.name}: {error}") from None
    if answer.status == common_pb2.SERVICE_UNAVAILABLE:
        raise NotYetError(f"{orderer.name}: {answer.info}")
    if answer.status != common_pb2.SUCCESS:
        raise NetworkError(f"{orderer.name} refuses the change: {answer.info}")


class OrdererAdmin:
    """The administrator of one orderer.

    Args:
        orderer: whom it asks.
        tls: folder with the administrator's TLS pair.
    """

    def __init__(self, orderer: Orderer, tls: Path) -> None:
        self._orderer = orderer
        self._context = ssl.create_default_context(cafile=str(tls / "root.pem"))
        self._context.load_cert_chain(tls / "chain.pem", tls / "key.pem")

    def has_joined(self) -> bool:
        """Tell whether the orderer is a member of the channel.

        Raises:
            NotYetError: it does not answer.
        """
        _, body = self._request("GET", _CHANNELS, b"", {})
        return any(each["name"] == CHANNEL for each in json.loads(body)["channels"] or ())

    def join(self, genesis: bytes) -> None:
        """Make the orderer join the channel.

        Raises:
            NotYetError: it does not answer.
            NetworkError: it refuses.
        """
        body = (
            f"--{_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="config-block"; filename="genesis.block"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode() + genesis
        body += f"\r\n--{_BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        status, answer = self._request("POST", _CHANNELS, body, headers)
        if status != _CREATED:
            raise NetworkError(f"{self._orderer.name} does not join the channel: {answer.decode(errors='replace')}")

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            HOST, self._orderer.admin_port, timeout=_TIMEOUT, context=self._context
        )
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotYetError(f"{self._orderer.name}: {error}") from None
        finally:
            connection.close()
