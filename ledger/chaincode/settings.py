"""What a chaincode process is told when it starts."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Settings:
    """One hospital's chaincode.

    Attributes:
        package_id: under which its peer knows it.
        address: where it listens, ``host:port``.
        key, certificate: paths of its TLS pair, PEM.
        peer_certificate: path of the one client certificate that it answers, PEM.
    """

    package_id: str
    address: str
    key: str
    certificate: str
    peer_certificate: str

    def to_json(self) -> str:
        """Return the file's text."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(**json.loads(text))
