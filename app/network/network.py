"""A whole network, up and down. ``up`` is a list of wishes, each fulfilled only where it is not yet.

So the first start, a second one, one after a crash and one after ``down`` are the same code.
"""

import fcntl
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from app.identity.certificates import HospitalAuthority, NodeKind
from app.identity.keys import Random
from app.identity.private_files import make_private_folder
from app.network import identities
from app.network.binaries import Say
from app.network.channel import genesis_block
from app.network.nodes import (
    Places,
    chaincode_program,
    orderer_program,
    peer_program,
    write_connection,
)
from app.network.orderers import OrdererAdmin
from app.network.peers import Definition, NotYetError, PeerAdmin
from app.network.plan import CHAINCODE, CHANNEL, ORDERER_MSP, Hospital, NetworkError, Orderer, Plan, is_free
from app.network.processes import Processes, Program
from ledger.chaincode.package import package, package_id
from ledger.contract import CONTRACT_VERSION
from ledger.fabric.headers import block_hash
from ledger.fabric.profile import ConnectionProfile, PeerAddress

T = TypeVar("T")

_PATIENCE: Final = 60.0
"""Seconds until a node that does not answer is given up."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One process, as it is now.

    Attributes:
        pid: None where it does not run.
        port: where it listens.
    """

    name: str
    pid: int | None
    port: int


class Network:
    """The network in one folder.

    Args:
        folder: all that it is made of.
        programs: gives the folder of Fabric's programs, built if they are missing; asked for only where one is started.
        say: shows progress.
    """

    def __init__(self, folder: Path, programs: Callable[[], Path], say: Say) -> None:
        self.places: Final = Places(folder)
        self._programs = programs
        self._say = say
        self._processes = Processes(self.places.running)

    @property
    def plan(self) -> Plan:
        """The nodes.

        Raises:
            NetworkError: there is no network.
        """
        plan = Plan.read(self.places.folder)
        if plan is None:
            raise NetworkError("There is no network here: ./assent network up")
        return plan

    def up(
        self,
        hospitals: int | None,
        orderers: int | None,
        now: int,
        random: Random,
        authorities: Mapping[str, HospitalAuthority] | None = None,
    ) -> Plan:
        """Make what is missing, start what does not run, and return when every hospital's chaincode answers.

        Args:
            hospitals: how many, None for as many as there are, or 3.
            orderers: same.
            now: seconds UTC; certificates start with that day.
            random: for ports and serials.
            authorities: of hospitals that bring their own, by msp_id; the others get one.

        Raises:
            NetworkError: something does not come up; the text names it and its log.
        """
        with self._alone():
            plan = Plan.read(self.places.folder)
            if plan is None:
                plan = self._found(hospitals or 3, orderers or 3, now, random, authorities or {})
            _check_size(plan, hospitals, orderers)
            self._start(plan)
            with ExitStack() as stack:
                self._join(plan, stack)
        return plan

    def down(self) -> None:
        """End all processes; what is recorded stays."""
        with self._alone():
            self._processes.end([program for program, _ in _ports(self.plan)])

    def reset(self) -> None:
        """End all processes and remove the whole network."""
        folder = self.places.folder
        if folder.exists() and not (self.places.running.exists() or not any(folder.iterdir())):
            raise NetworkError(f"{folder} holds no network; it is left as it is.")
        with self._alone():
            names = [lock.stem for lock in self.places.running.glob("*.lock")]
            self._processes.end(names)
            shutil.rmtree(folder)

    def status(self) -> list[NodeStatus]:
        """Return every process and whether it runs."""
        return [NodeStatus(name, self._processes.pid(name), port) for name, port in _ports(self.plan)]

    def log(self, name: str) -> Path:
        """Return the log of a node.

        Raises:
            NetworkError: there is no such node.
        """
        names = [known for known, _ in _ports(self.plan)]
        if name not in names:
            raise NetworkError(f"There is no {name}; there are {', '.join(names)}.")
        return self._processes.log(name)

    def send(self, name: str, kind: signal.Signals) -> bool:
        """Send a signal to a node, to see what happens then; return whether it ran."""
        return self._processes.send(name, kind)

    def profile(self, msp_id: str) -> ConnectionProfile:
        """Return a hospital's connection profile."""
        hospital = next(each for each in self.plan.hospitals if each.msp_id == msp_id)
        return ConnectionProfile.read(self.places.profile(hospital))

    def authority(self, msp_id: str) -> HospitalAuthority:
        """Return an organization's CA, with the keys that issue."""
        return identities.read_authority(self.places.authority(msp_id), msp_id)

    def _found(
        self,
        hospitals: int,
        orderers: int,
        now: int,
        random: Random,
        own: Mapping[str, HospitalAuthority],
    ) -> Plan:
        """Decide on the nodes, give them keys and write the channel's first block; the plan comes last."""
        plan = Plan.make(hospitals, orderers, now, random)
        self._say(f"Making keys for {len(plan.hospitals)} hospitals and {len(plan.orderers)} orderers")
        organizations = [ORDERER_MSP, *(hospital.msp_id for hospital in plan.hospitals)]
        authorities = {msp: own.get(msp) or HospitalAuthority.create(msp, now, random) for msp in organizations}
        for msp_id, authority in authorities.items():
            identities.write_authority(self.places.authority(msp_id), authority)
            identities.write_admin(self.places.admin(msp_id), authority, "admin", now)
        for orderer in plan.orderers:
            folder = self.places.node(orderer.name)
            identities.write_node(folder, authorities[ORDERER_MSP], orderer.name, NodeKind.ORDERER, now)
        for hospital in plan.hospitals:
            folder = self.places.node(hospital.name)
            identities.write_node(folder, authorities[hospital.msp_id], hospital.name, NodeKind.PEER, now)
            identities.write_pinned(folder / "chaincode", now)
            identities.write_pinned(folder / "chaincode-peer", now)
            write_connection(self.places, hospital)
        tls = [identities.read_certificate(self.places.node(each.name) / "tls" / "cert.pem") for each in plan.orderers]
        block = genesis_block(plan, authorities, tls)
        self.places.genesis.write_bytes(block.SerializeToString())
        header = block.header
        self._write_profiles(plan, block_hash(header.number, header.previous_hash, header.data_hash).hex())
        plan.write(self.places.folder)
        return plan

    def _write_profiles(self, plan: Plan, network_id: str) -> None:
        addresses = [
            PeerAddress(
                each.msp_id,
                each.endpoint,
                (self.places.authority(each.msp_id) / "root.pem").read_text(encoding="ascii"),
            )
            for each in plan.hospitals
        ]
        for hospital, own in zip(plan.hospitals, addresses, strict=True):
            others = [each for each in addresses if each is not own]
            profile = ConnectionProfile(hospital.msp_id, CHANNEL, CHAINCODE, network_id, (own, *others))
            path = self.places.profile(hospital)
            path.parent.mkdir(exist_ok=True)
            path.write_text(profile.to_json(), encoding="utf-8")

    def _start(self, plan: Plan) -> None:
        """Start every process that does not run.

        Raises:
            NetworkError: a port of one is used by another program.
        """
        ports = dict(_ports(plan))
        missing = [name for name in ports if self._processes.pid(name) is None]
        taken = [f"{name} needs port {ports[name]}" for name in missing if not _becomes_free(ports[name])]
        if taken:
            raise NetworkError(
                f"Another program uses a port of this network: {'; '.join(taken)}. End it, or ./assent network reset."
            )
        if missing:
            programs = self._programs()
            self._say(f"Starting {len(missing)} processes")
            for program in self._nodes(plan, programs):
                if program.name in missing:
                    self._processes.start(program)

    def _nodes(self, plan: Plan, programs: Path) -> Iterator[Program]:
        for orderer in plan.orderers:
            yield orderer_program(self.places, orderer, programs)
        for hospital in plan.hospitals:
            yield peer_program(self.places, hospital, programs)
        for hospital in plan.hospitals:
            yield chaincode_program(self.places, hospital, package_id())

    def _join(self, plan: Plan, stack: ExitStack) -> None:
        """Bring orderers and peers onto the channel and the contract into force."""
        genesis = self.places.genesis.read_bytes()
        pool = stack.enter_context(ThreadPoolExecutor(len(plan.orderers) + len(plan.hospitals)))
        admins = [self._peer_admin(hospital, stack) for hospital in plan.hospitals]
        orderers = [pool.submit(self._join_orderer, orderer, genesis) for orderer in plan.orderers]
        peers = [pool.submit(self._join_peer, admin, genesis) for admin in admins]
        for job in (*orderers, *peers):
            job.result()
        definition = Definition(1, str(CONTRACT_VERSION), package_id())
        if min(pool.map(lambda admin: self._patiently(admin.committed)[0], admins)) < definition.sequence:
            self._say("Approving the contract")
            self._define(definition, admins, pool)
        for job in [pool.submit(self._patiently, admin.probe) for admin in admins]:
            job.result()

    def _define(self, definition: Definition, admins: list[PeerAdmin], pool: ThreadPoolExecutor) -> None:
        """Have the contract approved by every hospital, and then put into force."""

        def approve(admin: PeerAdmin) -> str:
            if admin.msp_id in self._patiently(lambda: admin.approvals(definition)):
                return ""
            return self._patiently(lambda: admin.approve(definition))

        def see(admin: PeerAdmin) -> None:
            for transaction_id in approved:
                self._patiently(lambda: admin.await_commit(transaction_id))  # noqa: B023 (called before it changes)

        approved = [transaction_id for transaction_id in pool.map(approve, admins) if transaction_id]
        list(pool.map(see, admins))
        transaction_id = self._patiently(lambda: admins[0].commit(definition, admins))
        list(pool.map(lambda admin: self._patiently(lambda: admin.await_commit(transaction_id)), admins))

    def _join_orderer(self, orderer: Orderer, genesis: bytes) -> None:
        admin = OrdererAdmin(orderer, self.places.admin(ORDERER_MSP) / "tls")
        if not self._patiently(admin.has_joined):
            admin.join(genesis)

    def _join_peer(self, admin: PeerAdmin, genesis: bytes) -> None:
        if CHANNEL not in self._patiently(admin.channels):
            admin.join(genesis)
        if package_id() not in self._patiently(admin.installed):
            admin.install(package())

    def _peer_admin(self, hospital: Hospital, stack: ExitStack) -> PeerAdmin:
        signer = identities.FileSigner.read(hospital.msp_id, self.places.admin(hospital.msp_id))
        root = (self.places.authority(hospital.msp_id) / "root.pem").read_bytes()
        return PeerAdmin.connect(stack, signer, hospital.endpoint, root)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer.

        Raises:
            NetworkError: there is none, or a process has ended meanwhile.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return ask()
            except NotYetError as error:
                ended = [each.name for each in self.status() if each.pid is None]
                if ended:
                    raise NetworkError(f"{ended[0]} has ended: {_tail(self._processes.log(ended[0]))}") from None
                if time.monotonic() > deadline:
                    raise NetworkError(f"The network does not come up: {error}") from None
                time.sleep(0.05)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two commands from changing the network at once."""
        make_private_folder(self.places.folder)
        make_private_folder(self.places.running)
        with (self.places.running / "command").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _ports(plan: Plan) -> Iterator[tuple[str, int]]:
    """Yield the name of each process and the port by which it is found."""
    for orderer in plan.orderers:
        yield orderer.name, orderer.port
    for hospital in plan.hospitals:
        yield f"{hospital.name}-peer", hospital.port
        yield f"{hospital.name}-{CHAINCODE}", hospital.chaincode_port


def _becomes_free(port: int) -> bool:
    """Tell whether a port is free, or is soon: a killed process lets go of its lock before its port."""
    deadline = time.monotonic() + 1.0
    while not (free := is_free(port)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return free


def _check_size(plan: Plan, hospitals: int | None, orderers: int | None) -> None:
    """Refuse to take one network for another.

    Raises:
        NetworkError: it has another number of nodes.
    """
    size = len(plan.hospitals), len(plan.orderers)
    if (hospitals or size[0], orderers or size[1]) != size:
        raise NetworkError(
            f"The network that is here has {size[0]} hospitals and {size[1]} orderers. For another one choose another"
            " --folder, or remove this one and all that was recorded on it: ./assent network reset"
        )


def _tail(log: Path) -> str:
    """Return the log's last lines."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return f"see {log}\n" + "\n".join(lines[-5:])
