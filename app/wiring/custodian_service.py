"""A hospital's custodian as a process of its own: locked at first, unlocked by its operator, stopped without loss."""

import os
import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from app.custodian.gate import LOCKED, Gate
from app.custodian.messages import CustodianRefusal
from app.custodian.server import CustodianServer, KeyAndChain, Limits
from app.identity.certificates import Branch
from app.identity.installation import Installation as KeyInstallation
from app.identity.keys import UnwrapError
from app.identity.keystore import KeyStore, KeyStoreError
from app.identity.ledger_head import OlderLedgerError
from app.records.reader import ReaderProcess
from app.wiring.control import ControlDoor, ControlError
from app.wiring.custodians import CustodianLock, Surroundings, open_custodian
from app.wiring.installation import open_keys
from app.wiring.ledgers import FOLDER, Circumstances, genesis_of, keep_heads, new_replica
from app.wiring.plans import HospitalPlan, Network
from app.wiring.service_keys import ServiceKeysError
from app.wiring.stores import PassphraseNeededError, open_store
from app.wiring.tls import issue_leaf, keep_locked_leaf, read_locked_leaf
from ledger.contract.canonical import Json
from ledger.embedded.remote import RemoteLedger
from ledger.faults import LedgerFaultError
from ledger.gateway import GatewayError
from ledger.replica import ReplicaHaltedError

GRACE: Final = 10.0
"""Seconds in which what is being answered is finished when the process is to end."""
_LOOK: Final = 0.5
"""Seconds between looks at the ledger."""
_SILENCE: Final = (CustodianRefusal, GatewayError, OSError, sqlite3.Error)
_UNLOCKING: Final = (
    *(GatewayError, KeyStoreError, LedgerFaultError, OlderLedgerError),
    *(ServiceKeysError, UnwrapError, OSError),
)


class CustodianProcess:
    """What ``./assent custodian serve`` runs.

    Args:
        folder: of the hospital's installation.
        plan: the hospital; it has an endpoint.
        listen: ``host:port`` to listen on; empty for the endpoint's own.
        circumstances: time and chance.
        limits: see ``Limits``.

    Raises:
        CustodianInUseError: it runs already.
        OSError: the address or the operator's socket cannot be used; the text says why.
    """

    def __init__(
        self,
        folder: Path,
        plan: HospitalPlan,
        circumstances: Circumstances,
        *,
        listen: str = "",
        limits: Limits | None = None,
    ) -> None:
        self._folder, self._plan, self._circumstances = folder, plan, circumstances
        self._place = folder / plan.msp_id
        self._locked_leaf = read_locked_leaf(self._place)
        self._leaf: KeyAndChain | None = None
        self._gate = Gate()
        self._silent = False
        self._unlocking = threading.Lock()
        self._ending = threading.Event()
        actions = {"Status": self._status, "Unlock": self._unlock, "Lock": self._lock, "Stop": self._stop}
        with ExitStack() as parts:
            parts.callback(CustodianLock(self._place).release)
            parts.callback(self._gate.lock)
            self._server = CustodianServer(self._gate, listen or plan.endpoint, self._certificate, limits)
            parts.callback(self._server.stop, GRACE)
            parts.callback(ControlDoor(self._place, actions).close)
            self._parts = parts.pop_all()

    def run(self) -> None:
        """Follow the ledger until ``end`` is called; then finish what is being answered, wipe the keys, and return."""
        try:
            while not self._ending.wait(_LOOK):
                self._tick()
        finally:
            self._parts.close()

    def end(self) -> None:
        """Have ``run`` return soon; from any thread or signal handler."""
        self._ending.set()

    def unlock(self, store: KeyStore) -> None:
        """Take the keys and let requests through.

        Raises:
            ControlError: it is unlocked already, or something is missing; the text says what to do.
        """
        with self._unlocking:
            if self._gate.state != LOCKED:
                raise ControlError("It is unlocked already.")
            with ExitStack() as parts:
                try:
                    self._open(store, parts)
                except _UNLOCKING as error:
                    raise ControlError(f"It stays locked. {error}") from None

    def _open(self, store: KeyStore, parts: ExitStack) -> None:
        around = self._circumstances
        master = KeyInstallation(self._folder).open(store, around.random)
        parts.callback(master.lock)
        keys = open_keys(self._folder, self._plan.msp_id, master, around)
        parts.callback(keys.authority.lock)
        ledger = self._ledger()
        parts.callback(ledger.close)
        keep_heads(store, ledger, around)
        reader = ReaderProcess()
        parts.callback(reader.close)
        shared = Surroundings(
            ledger, genesis_of(ledger).organizations, reader, around.clock, around.random, around.stretching
        )
        host = self._plan.endpoint.rpartition(":")[0]
        leaf = issue_leaf(keys.authority, host, around.clock(), around.random)
        keep_locked_leaf(self._place, keys.authority, around.clock(), around.random)
        self._locked_leaf = read_locked_leaf(self._place)
        keys.authority.keep(Branch.PATIENTS)  # the custodian enrols nobody and certifies no server
        custodian = open_custodian(self._place, self._plan, keys, master, new_replica(ledger), shared)
        master.lock()  # what is opened with it has its own keys by now
        self._leaf = leaf
        self._gate.open(custodian, parts.pop_all().close)

    def _ledger(self) -> RemoteLedger:
        network = Network.read(self._folder)
        if network is None:
            raise ControlError("This installation does not say where its ledger is. Open it once with ./assent.")
        folder = Path(network.ledger) if network.ledger else self._folder / FOLDER
        return RemoteLedger(
            folder, network.network_id, clock=self._circumstances.clock, random=self._circumstances.random
        )

    def _tick(self) -> None:
        try:
            self._gate.tick()
            self._silent = False
        except _SILENCE:
            self._silent = True  # asked again at the next look; meanwhile nothing new is released
        except ReplicaHaltedError:
            self._silent = False  # the state says so

    def _certificate(self) -> KeyAndChain:
        return self._locked_leaf if self._leaf is None or self._gate.state == LOCKED else self._leaf

    def _status(self, _: dict[str, Json]) -> dict[str, Json]:
        return {
            "state": self._gate.state,
            "msp_id": self._plan.msp_id,
            "endpoint": self._plan.endpoint,
            "height": self._gate.height,
            "ledger_answers": not self._silent,
            "pid": os.getpid(),
        }

    def _unlock(self, asked: dict[str, Json]) -> dict[str, Json]:
        given = asked.get("passphrase")
        try:
            store = open_store(self._folder, self._folder.name, given if isinstance(given, str) and given else None)
        except PassphraseNeededError:
            raise ControlError("The key store is a passphrase file. Enter its passphrase.") from None
        except KeyStoreError as error:
            raise ControlError(f"It stays locked. {error}") from None
        self.unlock(store)
        return self._status({})

    def _lock(self, _: dict[str, Json]) -> dict[str, Json]:
        self._gate.lock()
        self._leaf = None
        return self._status({})

    def _stop(self, _: dict[str, Json]) -> dict[str, Json]:
        self.end()
        return self._status({})
