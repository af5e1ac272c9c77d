"""Custodians: those that run here, opened from their files, and the way to those of other processes and hospitals."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from app.custodian.client import CustodianClient
from app.custodian.custodian import Custodian
from app.custodian.database import key_id_in
from app.custodian.desk import Desk
from app.custodian.index import Index
from app.custodian.journal import Journal
from app.custodian.keytable import KeyTable
from app.custodian.messages import CustodianRefusal
from app.custodian.transport import TlsTransport, pinned_root
from app.identity.installation import MasterKeys
from app.identity.keys import MasterKey, Random
from app.identity.pins import Stretching
from app.records.importing import Importer
from app.records.reader import ReaderProcess
from app.records.store import FolderStore
from app.wiring.plans import HospitalPlan
from app.wiring.service_keys import HospitalKeys
from ledger.contract.canonical import decode_object
from ledger.gateway import Gateway
from ledger.replica import Replica

_LOCK: Final = "custodian.lock"

Transport = Callable[[bytes], bytes]


class CustodianInUseError(Exception):
    """Another process has this hospital's custodian open; two would write two journals."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a custodian has in common with the others of its process.

    Attributes:
        ledger: the door to it.
        trusted: CA certificates (DER) of every organization.
        reader: the warm child that reads untrusted bytes.
        clock: seconds UTC.
        random: unpredictable bytes.
        stretching: of PINs.
    """

    ledger: Gateway
    trusted: Mapping[str, Sequence[bytes]]
    reader: ReaderProcess
    clock: Callable[[], int]
    random: Random
    stretching: Stretching


class CustodianLock:
    """Held as long as a custodian's files are open; it ends with the process, however that ends.

    Raises:
        CustodianInUseError: another process, or another object of this one, holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise CustodianInUseError(
                f"The custodian in {folder} is open in another process. Stop that one first."
            ) from None

    def release(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)


def open_custodian(
    folder: Path, plan: HospitalPlan, keys: HospitalKeys, master: MasterKeys, replica: Replica, around: Surroundings
) -> Custodian:
    """Open a hospital's custodian from its folder; whoever does holds the ``CustodianLock``."""
    keys_file, index_file = folder / "keys.db", folder / "index.db"
    desk = Desk(
        msp_id=plan.msp_id,
        gateway=around.ledger,
        replica=replica,
        signer=keys.custodian,
        receipt_key=keys.receipt,
        authority=keys.authority,
        roots=around.trusted,
        keys=KeyTable(keys_file, folder / "key-backups", _key_of(keys_file, master), around.random),
        index=Index(index_file, _key_of(index_file, master), around.random),
        journal=Journal(folder / "journal.db"),
        store=FolderStore(folder / "objects"),
        importer=Importer(around.reader),
        clock=around.clock,
        random=around.random,
        zone=plan.zone,
        stretching=around.stretching,
    )
    return Custodian(desk)


class Directory(Mapping[str, CustodianClient]):
    """Every hospital's custodian by msp_id: in this process, or where the verified ledger says that it listens.

    Args:
        here: custodians of this process.
        replica: names the others: endpoint and TLS root.
        roots: CA certificates (DER) of every organization.
        client: makes the client of a custodian from the way to it.
        catch_up: takes the newest blocks, for a hospital that is not known yet.
    """

    def __init__(
        self,
        here: Mapping[str, Custodian],
        replica: Replica,
        roots: Mapping[str, Sequence[bytes]],
        client: Callable[[str, Transport], CustodianClient],
        catch_up: Callable[[], object],
    ) -> None:
        self._replica, self._roots, self._client, self._catch_up = replica, roots, client, catch_up
        self._here = {msp_id: client(msp_id, custodian.handle) for msp_id, custodian in here.items()}
        self._there: dict[str, tuple[tuple[str, str], CustodianClient]] = {}
        self._transports: list[TlsTransport] = []
        self._turn = Lock()

    def __getitem__(self, msp_id: str) -> CustodianClient:
        if msp_id in self._here:
            return self._here[msp_id]
        place = self._place(msp_id)
        if place is None:
            self._catch_up()
            place = self._place(msp_id)
        if place is None:
            raise KeyError(msp_id)
        with self._turn:
            known = self._there.get(msp_id)
            if known is None or known[0] != place:
                known = (place, self._client(msp_id, self._way(msp_id, *place)))
                self._there[msp_id] = known
        return known[1]

    def __iter__(self) -> Iterator[str]:
        yield from self._here
        for key, _ in list(self._replica.scan(("organization",))):
            if key[1] not in self._here and self._place(key[1]) is not None:
                yield key[1]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def close(self) -> None:
        """Hang up."""
        for transport in self._transports:
            transport.close()

    def _place(self, msp_id: str) -> tuple[str, str] | None:
        raw = self._replica.get(("organization", msp_id))
        organization = {} if raw is None else decode_object(raw)
        endpoint = str(organization.get("endpoint", ""))
        return (endpoint, str(organization["tls_root_hash"])) if endpoint else None

    def _way(self, msp_id: str, endpoint: str, tls_root_hash: str) -> Transport:
        try:
            transport = TlsTransport(endpoint, pinned_root(tls_root_hash, self._roots.get(msp_id, ())))
        except CustodianRefusal as refusal:
            return _no_way(refusal)
        self._transports.append(transport)
        return transport


def _no_way(refusal: CustodianRefusal) -> Transport:
    """Return a way that is refused when somebody takes it; the other hospitals' custodians can still be asked."""

    def refuse(_: bytes) -> bytes:
        raise CustodianRefusal(refusal.code, refusal.detail)

    return refuse


def _key_of(file: Path, master: MasterKeys) -> MasterKey:
    """Return the master key that a custodian's file is under, or is to be under if it is new."""
    key_id = key_id_in(file)
    return master.named(key_id) if key_id else master.current
