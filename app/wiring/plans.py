"""What an installation's folder says of hospitals: those founded here, the others it knows, and where its ledger is."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from app.identity.private_files import write_private

_HOSPITALS: Final = "hospitals.json"
_NETWORK: Final = "network.json"


@dataclass(frozen=True, slots=True)
class HospitalPlan:
    """A hospital.

    Attributes:
        msp_id: its name on the ledger.
        name: its name on screens.
        zone: fixed offset, seconds east of UTC.
        endpoint: ``host:port`` where its custodian listens as a process of its own; empty while it is part of the
            program that has the installation open.
    """

    msp_id: str
    name: str
    zone: int = 0
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    """What a hospital gives to whoever founds the ledger: nothing of it is secret.

    Attributes:
        plan: the hospital.
        roots: its CA certificates (DER).
    """

    plan: HospitalPlan
    roots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Where an installation's ledger is.

    Attributes:
        network_id: of the ledger.
        ledger: its folder, whose owner opens a door there; empty if it is the installation's own.
        partners: hospitals that were not founded here.
    """

    network_id: str
    ledger: str = ""
    partners: tuple[HospitalPlan, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return what ``write`` wrote; None in an older installation, which has a ledger of its own and no partners."""
        path = folder / _NETWORK
        if not path.is_file():
            return None
        said = json.loads(path.read_text(encoding="utf-8"))
        partners = tuple(HospitalPlan(**each) for each in said["partners"])
        return cls(str(said["network_id"]), str(said["ledger"]), partners)

    def write(self, folder: Path) -> None:
        """Keep it in the folder of an installation."""
        write_private(folder / _NETWORK, json.dumps(asdict(self), indent=1).encode())


def read_plans(folder: Path) -> tuple[HospitalPlan, ...]:
    """Return the hospitals of an installation; empty if none was founded in this folder."""
    path = folder / _HOSPITALS
    if not path.is_file():
        return ()
    return tuple(HospitalPlan(**each) for each in json.loads(path.read_text(encoding="utf-8")))


def write_plans(folder: Path, plans: Iterable[HospitalPlan]) -> None:
    """Keep the hospitals that were founded in a folder."""
    write_private(folder / _HOSPITALS, json.dumps([asdict(plan) for plan in plans], indent=1).encode())


class Names(dict[str, str]):
    """Names of hospitals by msp_id; one that nobody told us is called by its id."""

    def __init__(self, plans: Sequence[HospitalPlan]) -> None:
        super().__init__({plan.msp_id: plan.name for plan in plans})

    def __missing__(self, msp_id: str) -> str:
        return msp_id
