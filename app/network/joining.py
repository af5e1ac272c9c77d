"""Bring running nodes onto the channel and the contract into force: wishes, fulfilled where they are not yet."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Self, TypeVar

from app.network import identities
from app.network.binaries import Say
from app.network.configuration import config_of, update_between
from app.network.nodes import Places
from app.network.orderers import OrdererAdmin, broadcast
from app.network.peers import Definition, NotYetError, PeerAdmin
from app.network.plan import CHANNEL, ORDERER_MSP, Hospital, NetworkError, Orderer, Plan
from ledger.chaincode.package import package, package_id
from ledger.contract import CONTRACT_VERSION

T = TypeVar("T")

_PATIENCE: Final = 60.0
"""Seconds until a node that does not answer is given up."""


class Joining:
    """The administrators of a network's nodes, at work; made by ``begin``.

    Attributes:
        admins: one per hospital, in the plan's order.
    """

    def __init__(self, places: Places, plan: Plan, check: Callable[[], None], say: Say, stack: ExitStack) -> None:
        self._places = places
        self._plan = plan
        self._check = check
        self._say = say
        self._pool = stack.enter_context(ThreadPoolExecutor(len(plan.orderers) + len(plan.hospitals)))
        self.admins: Final = [self._admin(hospital, stack) for hospital in plan.hospitals]

    @classmethod
    @contextmanager
    def begin(cls, places: Places, plan: Plan, check: Callable[[], None], say: Say) -> Iterator[Self]:
        """Connect to the nodes.

        Args:
            places: where the administrators' keys are.
            plan: the nodes.
            check: raises if a node has ended, so that nobody waits for it.
            say: shows progress.
        """
        with ExitStack() as stack:
            yield cls(places, plan, check, say, stack)

    def bring_together(self) -> None:
        """Return when every node is on the channel and every hospital's chaincode answers.

        Raises:
            NetworkError: something does not happen in time.
        """
        genesis = self._places.genesis.read_bytes()
        jobs = [self._pool.submit(self._join_orderer, orderer, genesis) for orderer in self._plan.orderers]
        jobs += [self._pool.submit(self._join_peer, admin, genesis) for admin in self.admins]
        for job in jobs:
            job.result()
        self._put_into_force()
        for msp_id in (admin.msp_id for admin in self.admins):
            self._each(lambda admin: self.patiently(lambda: admin.probe(msp_id)))  # noqa: B023 (called now)

    def change(self, change: Callable[[Any], Any]) -> None:
        """Change the channel's configuration, signed by every administrator here, and wait until every peer has it.

        Where it is as it is wanted already, nothing happens.

        Args:
            change: returns the wanted channel group of a configuration.

        Raises:
            NetworkError: it is refused, or does not happen in time.
        """
        first = self.admins[0]
        config = config_of(self.patiently(first.config_block))
        update = update_between(CHANNEL, config, change(config))
        if not update:
            return
        envelope = first.change_envelope(update, [admin.agree(update) for admin in self.admins])
        root = (self._places.authority(ORDERER_MSP) / "root.pem").read_bytes()
        orderers = itertools.cycle(self._plan.orderers)
        self.patiently(lambda: broadcast(next(orderers), root, envelope))

        def see(admin: PeerAdmin) -> None:
            if config_of(admin.config_block()).sequence <= config.sequence:
                raise NotYetError(f"{admin.msp_id} has not seen the change yet")

        self._each(lambda admin: self.patiently(lambda: see(admin)))

    def patiently(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer.

        Raises:
            NetworkError: there is none, or a process has ended meanwhile.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return ask()
            except NotYetError as error:
                self._check()
                if time.monotonic() > deadline:
                    raise NetworkError(f"The network does not come up: {error}") from None
                time.sleep(0.05)

    def _put_into_force(self) -> None:
        """See that the contract of these sources is what every hospital approved and the channel runs.

        On a channel that runs an older one this is the upgrade; what is recorded stays.
        """
        sequence = min(self._each(lambda admin: self.patiently(admin.sequence)))
        wanted = package_id()
        approved = self._each(lambda admin: self.patiently(lambda: admin.approved(sequence))) if sequence else []
        if sequence == 0 or any(found not in ("", wanted) for found in approved):
            self._say("Approving the contract")
            self._define(Definition(sequence + 1, str(CONTRACT_VERSION), wanted))
            return
        definition = Definition(sequence, str(CONTRACT_VERSION), wanted)
        for admin, found in zip(self.admins, approved, strict=True):
            if not found:  # a hospital that came later
                self._await(self.patiently(lambda: admin.approve(definition)), [admin])  # noqa: B023 (called now)

    def _define(self, definition: Definition) -> None:
        """Have a definition approved by every hospital, and then put into force."""

        def approve(admin: PeerAdmin) -> str:
            if admin.msp_id in self.patiently(lambda: admin.approvals(definition)):
                return ""
            return self.patiently(lambda: admin.approve(definition))

        for transaction_id in filter(None, self._each(approve)):
            self._await(transaction_id, self.admins)
        first = self.admins[0]
        self._await(self.patiently(lambda: first.commit(definition, self.admins)), self.admins)

    def _await(self, transaction_id: str, admins: list[PeerAdmin]) -> None:
        """Wait until these peers have committed a transaction."""
        list(self._pool.map(lambda admin: self.patiently(lambda: admin.await_commit(transaction_id)), admins))

    def _join_orderer(self, orderer: Orderer, genesis: bytes) -> None:
        admin = OrdererAdmin(orderer, self._places.admin(ORDERER_MSP) / "tls")
        if not self.patiently(admin.has_joined):
            admin.join(genesis)

    def _join_peer(self, admin: PeerAdmin, genesis: bytes) -> None:
        if CHANNEL not in self.patiently(admin.channels):
            admin.join(genesis)
        if package_id() not in self.patiently(admin.installed):
            admin.install(package())

    def _admin(self, hospital: Hospital, stack: ExitStack) -> PeerAdmin:
        signer = identities.FileSigner.read(hospital.msp_id, self._places.admin(hospital.msp_id))
        root = (self._places.authority(hospital.msp_id) / "root.pem").read_bytes()
        return PeerAdmin.connect(stack, signer, hospital.endpoint, root)

    def _each(self, ask: Callable[[PeerAdmin], T]) -> list[T]:
        """Ask all hospitals at once."""
        return list(self._pool.map(ask, self.admins))
