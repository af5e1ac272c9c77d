"""What an administrator asks of orderers: to join a channel (Fabric's osnadmin, as HTTPS)."""

import http.client
import json
import ssl
from pathlib import Path
from typing import Final

from app.network.peers import NotYetError
from app.network.plan import CHANNEL, HOST, NetworkError, Orderer

_CHANNELS: Final = "/participation/v1/channels"
_BOUNDARY: Final = "assent-config-block"
_TIMEOUT: Final = 5.0
_CREATED: Final = 201


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
