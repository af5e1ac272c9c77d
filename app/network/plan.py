"""Which nodes a network has, where they listen and where their files are: decided once, before anything is made."""

import json
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

HOST: Final = "127.0.0.1"
CHANNEL: Final = "assent"
CHAINCODE: Final = "assent"
ORDERER_MSP: Final = "OrdererMSP"
"""The one organization of all orderers: only a test network has that; in production each hospital runs one (A10)."""

NAMES: Final = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Hazel", "Juniper", "Larch")
MAX_ORDERERS: Final = 7
_FIRST_PORT: Final = 20000
_LAST_PORT: Final = 32000  # outgoing connections begin at 32768 on Linux
_PLAN: Final = "network.json"


class NetworkError(Exception):
    """The network cannot be what was asked for; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Orderer:
    """One ordering node.

    Attributes:
        port: for clients, peers and the other orderers.
        admin_port: for joining channels.
    """

    name: str
    port: int
    admin_port: int


@dataclass(frozen=True, slots=True)
class Hospital:
    """One organization with a peer and a chaincode process.

    Attributes:
        chaincode_port: where its peer finds its chaincode.
    """

    msp_id: str
    port: int
    chaincode_port: int

    @property
    def name(self) -> str:
        """The hospital's name in lower case, for files and processes."""
        return self.msp_id.removesuffix("MSP").lower()

    @property
    def endpoint(self) -> str:
        """Where its peer listens."""
        return f"{HOST}:{self.port}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole network.

    Attributes:
        created_at: seconds UTC.
    """

    created_at: int
    orderers: tuple[Orderer, ...]
    hospitals: tuple[Hospital, ...]

    @classmethod
    def make(cls, hospitals: int, orderers: int, now: int, random: Callable[[int], bytes]) -> Self:
        """Decide on names and on ports that are free now.

        Raises:
            NetworkError: an impossible number of nodes, or no free ports.
        """
        if not 1 <= hospitals <= len(NAMES):
            raise NetworkError(f"a network has 1 to {len(NAMES)} hospitals")
        if orderers not in range(1, MAX_ORDERERS + 1, 2):
            raise NetworkError(f"a network has 1, 3, 5 or {MAX_ORDERERS} orderers, so that a majority exists")
        ports = iter(free_ports(2 * (hospitals + orderers), random))
        return cls(
            now,
            tuple(Orderer(f"orderer{number}", next(ports), next(ports)) for number in range(1, orderers + 1)),
            tuple(Hospital(f"{name}MSP", next(ports), next(ports)) for name in NAMES[:hospitals]),
        )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the plan of the network in ``folder``, or None if there is none.

        Raises:
            NetworkError: the plan cannot be read.
        """
        try:
            fields = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
            return cls(
                fields["created_at"],
                tuple(Orderer(**orderer) for orderer in fields["orderers"]),
                tuple(Hospital(**hospital) for hospital in fields["hospitals"]),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NetworkError(f"{folder / _PLAN} cannot be read ({error}): ./assent network reset") from None

    def with_hospital(self, random: Callable[[int], bytes]) -> Self:
        """Return the plan with one hospital more.

        Raises:
            NetworkError: there are as many as there can be, or no free ports.
        """
        if len(self.hospitals) == len(NAMES):
            raise NetworkError(f"a network has at most {len(NAMES)} hospitals")
        hospital = Hospital(f"{NAMES[len(self.hospitals)]}MSP", *free_ports(2, random))
        return replace(self, hospitals=(*self.hospitals, hospital))

    def write(self, folder: Path) -> None:
        """Keep the plan."""
        (folder / _PLAN).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def free_ports(count: int, random: Callable[[int], bytes]) -> range:
    """Return ``count`` neighbouring ports of the loopback that nobody uses now.

    Raises:
        NetworkError: none was found.
    """
    blocks = (_LAST_PORT - _FIRST_PORT) // count
    first_block = int.from_bytes(random(4), "big")
    for offset in range(blocks):
        start = _FIRST_PORT + (first_block + offset) % blocks * count
        ports = range(start, start + count)
        if all(map(is_free, ports)):
            return ports
    raise NetworkError(f"no {count} free neighbouring ports between {_FIRST_PORT} and {_LAST_PORT}")


def is_free(port: int) -> bool:
    """Tell whether a program could listen on a port of the loopback."""
    with socket.socket() as probe:
        # As servers do it: connections of an earlier server that linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
