"""The connection profile: what a hospital's programs must know to reach a channel. It holds no secret."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

_TYPE: Final = "assent-connection-profile"
_VERSION: Final = 1


class ProfileError(Exception):
    """A file is not a connection profile; the text says why."""


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """A peer that can be asked.

    Attributes:
        msp_id: the organization that runs it.
        endpoint: ``host:port``.
        tls_root: the CA certificate, PEM, below which its TLS certificate is.
    """

    msp_id: str
    endpoint: str
    tls_root: str


@dataclass(frozen=True, slots=True)
class ConnectionProfile:
    """A channel, as one hospital sees it.

    Attributes:
        msp_id: the hospital.
        channel_name, chaincode_name: as Fabric knows them.
        network_id: lower-case hex SHA-256 of the genesis block's header; the channel is this one or another (A45).
        peers: the hospital's own first, then those of other organizations.
    """

    msp_id: str
    channel_name: str
    chaincode_name: str
    network_id: str
    peers: tuple[PeerAddress, ...]

    def to_json(self) -> str:
        """Return the file's text."""
        return json.dumps({"type": _TYPE, "version": _VERSION, **asdict(self)}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, untrusted_text: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            ProfileError: it is something else, or names no peer of the hospital's own in the first place.
        """
        try:
            fields = json.loads(untrusted_text)
            if (fields.pop("type"), fields.pop("version")) != (_TYPE, _VERSION):
                raise ProfileError("not a connection profile of this version")
            peers = tuple(PeerAddress(**peer) for peer in fields.pop("peers"))
            profile = cls(peers=peers, **fields)
            texts = [profile.msp_id, profile.channel_name, profile.chaincode_name, profile.network_id]
            texts += [text for peer in peers for text in (peer.msp_id, peer.endpoint, peer.tls_root)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ProfileError("not a connection profile") from None
        if not all(isinstance(text, str) and text for text in texts):
            raise ProfileError("a connection profile consists of texts")
        if not peers or peers[0].msp_id != profile.msp_id:
            raise ProfileError("a connection profile begins with a peer of the hospital's own")
        return profile

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a profile from a file.

        Raises:
            ProfileError: see ``from_json``; or the file cannot be read.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ProfileError(f"{path} cannot be read: {error}") from None
