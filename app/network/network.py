"""A whole network, up and down. ``up`` is a list of wishes, each fulfilled only where it is not yet.

So the first start, a second one, one after a crash and one after ``down`` are the same code.
"""

import fcntl
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.identity.certificates import HospitalAuthority
from app.identity.keys import Random
from app.identity.private_files import make_private_folder
from app.network import identities
from app.network.binaries import Say, major_version
from app.network.channel import hospital_group
from app.network.configuration import with_hospital, with_revocations
from app.network.founding import found, write_hospital, write_profiles
from app.network.joining import Joining
from app.network.nodes import Places, chaincode_program, orderer_program, peer_program, runs_other_contract
from app.network.plan import CHAINCODE, Hospital, NetworkError, Plan, is_free
from app.network.processes import Processes, Program
from ledger.fabric.profile import ConnectionProfile


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
                plan = Plan.make(hospitals or 3, orderers or 3, now, random)
                self._say(f"Making keys for {len(plan.hospitals)} hospitals and {len(plan.orderers)} orderers")
                found(self.places, plan, authorities or {}, random, major_version(self._programs()))
            _check_size(plan, hospitals, orderers)
            self._bring_up(plan)
        return plan

    def add_hospital(self, now: int, random: Random, authority: HospitalAuthority | None = None) -> Hospital:
        """Let one more hospital join the running channel, signed by all that are there, and start its nodes.

        Args:
            now: seconds UTC.
            random: for ports and serials.
            authority: of a hospital that brings its own.

        Raises:
            NetworkError: the network is not up, or something is refused.
        """
        with self._alone():
            plan = self.plan
            self._check_running()
            make_private_folder(self.places.joining)
            # The channel may know a hospital whose joining was interrupted: it joins as what it is there.
            grown = Plan.read(self.places.joining) or plan.with_hospital(random)
            grown.write(self.places.joining)
            hospital = grown.hospitals[-1]
            self._say(f"Making keys for {hospital.msp_id}")
            own = authority or self._authority_of_interrupted(hospital.msp_id)
            own = own or HospitalAuthority.create(hospital.msp_id, now, random)
            write_hospital(self.places, hospital, own, now)
            self._change(plan, lambda config: with_hospital(config, hospital.msp_id, hospital_group(hospital, own)))
            grown.write(self.places.folder)
            write_profiles(self.places, grown)
            shutil.rmtree(self.places.joining)
            self._bring_up(grown)
        return hospital

    def revoke(self, msp_id: str, revocations: bytes) -> None:
        """Put a hospital's list of revoked certificates (CRL, PEM) in the place of its last one (PROTOCOL.md B6).

        Raises:
            NetworkError: the list is not signed by a CA of the hospital, or the network is not up.
        """
        crl = x509.load_pem_x509_crl(revocations)
        branches = self.authority(msp_id).branches.values()
        keys = [x509.load_der_x509_certificate(each).public_key() for each in branches]
        if not any(isinstance(key, ec.EllipticCurvePublicKey) and crl.is_signature_valid(key) for key in keys):
            raise NetworkError(f"The list is not signed by a CA of {msp_id}; peers would take it and not heed it.")
        with self._alone():
            self._check_running()
            self._change(self.plan, lambda config: with_revocations(config, msp_id, revocations))

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

    def _authority_of_interrupted(self, msp_id: str) -> HospitalAuthority | None:
        """Return the CA that the channel may know already, of a hospital whose joining was interrupted."""
        return self.authority(msp_id) if self.places.authority(msp_id).exists() else None

    def _bring_up(self, plan: Plan) -> None:
        self._start(plan)
        with Joining.begin(self.places, plan, self._check_running, self._say) as joining:
            joining.bring_together()

    def _change(self, plan: Plan, change: Callable[[Any], Any]) -> None:
        with Joining.begin(self.places, plan, self._check_running, self._say) as joining:
            joining.change(change)

    def _start(self, plan: Plan) -> None:
        """Start every process that does not run.

        Raises:
            NetworkError: a port of one is used by another program.
        """
        ports = dict(_ports(plan))
        outdated = [hospital for hospital in plan.hospitals if runs_other_contract(self.places, hospital)]
        self._processes.end([f"{hospital.name}-{CHAINCODE}" for hospital in outdated])
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
            yield chaincode_program(self.places, hospital)

    def _check_running(self) -> None:
        """Raise if a process has ended.

        Raises:
            NetworkError: with the end of its log.
        """
        ended = [node.name for node in self.status() if node.pid is None]
        if ended:
            raise NetworkError(f"{ended[0]} has ended: {_tail(self._processes.log(ended[0]))}")

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
