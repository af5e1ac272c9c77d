"""One installation, made and opened: ledger, custodians, profiles; the only place that knows which parts there are."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.client import CustodianClient
from app.custodian.custodian import Custodian
from app.identity.badges import BadgeOpening
from app.identity.installation import Installation as KeyInstallation
from app.identity.installation import MasterKeys, Wrapped
from app.identity.keystore import KeyStore
from app.identity.ledger_head import HeadKeeper, LedgerHead
from app.identity.private_files import make_private_folder, remove_private
from app.identity.profiles import Profile, ProfileFolder
from app.identity.signing import SigningIdentity
from app.records.reader import ReaderProcess
from app.services.drafts import PURPOSE as DRAFTS
from app.services.drafts import Drafts
from app.services.machine import Machine
from app.services.notebook import PURPOSE as NOTEBOOK
from app.services.notebook import Notebook
from app.services.outbox import Outbox
from app.services.people import People
from app.services.sealed_file import SealedFile
from app.services.windows import PURPOSE as WINDOWS
from app.services.windows import OwnWindows
from app.wiring import ledgers
from app.wiring.custodians import CustodianLock, Directory, Surroundings, Transport, open_custodian
from app.wiring.ledgers import Circumstances, OpenLedger, genesis_of, new_replica
from app.wiring.plans import HospitalPlan, Names, Network, Partner, read_plans, write_plans
from app.wiring.service_keys import HospitalKeys, KeyFile, found_hospital, open_hospital
from app.wiring.tls import keep_locked_leaf
from ledger.embedded.door import LedgerDoor
from ledger.embedded.ledger import EmbeddedLedger


@dataclass
class Installation:
    """An open installation.

    Attributes:
        folder: its files, readable by this account only.
        machine: what services work with.
        custodians: those that run in this process, by msp_id.
        hospitals: the hospitals that were founded here.
        keys: of the hospitals, by msp_id.
        profiles: who may sign in.
        master: the installation's master key.
        reader: the warm child that reads untrusted bytes.
        ledger: its own, or the way to the one it joined.
        key_store: where the master key is.
        heads: keeps the ledger's head there.
        circumstances: time and chance.
        partners: hospitals that were not founded here, as far as they are known.
        parts: closed in the end, newest first.
    """

    folder: Path
    machine: Machine
    custodians: Mapping[str, Custodian]
    hospitals: Mapping[str, HospitalPlan]
    keys: Mapping[str, HospitalKeys]
    profiles: ProfileFolder
    master: MasterKeys
    reader: ReaderProcess
    ledger: OpenLedger
    key_store: KeyStore
    heads: HeadKeeper
    circumstances: Circumstances
    partners: Sequence[HospitalPlan] = ()
    parts: ExitStack = field(default_factory=ExitStack, repr=False)
    _closed: bool = field(default=False, repr=False)

    def tick(self, *, force: bool = False) -> None:
        """Send what waits, let the custodians do what the ledger asks of them, and keep the head out of reach."""
        if self.machine.outbox is not None:
            self.machine.outbox.send()
        for custodian in self.custodians.values():
            custodian.tick(force=force)
        replica = self.machine.catch_up()
        self.heads.note(LedgerHead(replica.network_id, replica.height, replica.head_hash))

    def zone(self, msp_id: str) -> int:
        """Return a hospital's fixed offset, seconds east of UTC; that of one nobody told us of is 0."""
        return next((each.zone for each in (*self.hospitals.values(), *self.partners) if each.msp_id == msp_id), 0)

    def notebook(self, identity: SigningIdentity) -> Notebook:
        """Return the notebook of a member of staff."""
        return Notebook(self._sealed("notebooks", identity, NOTEBOOK), self.circumstances.random)

    def drafts(self, identity: SigningIdentity) -> Drafts:
        """Return the half-written requests of a member of staff."""
        return Drafts(self._sealed("drafts", identity, DRAFTS), self.machine.clock)

    def windows(self, identity: SigningIdentity) -> OwnWindows:
        """Return the image windows that a member of staff saved."""
        return OwnWindows(self._sealed("windows", identity, WINDOWS))

    def _sealed(self, kind: str, identity: SigningIdentity, purpose: str) -> SealedFile:
        path = self._place(kind, identity.msp_id, identity.subject)
        return SealedFile(path, identity, purpose, self.circumstances.random)

    def _place(self, kind: str, msp_id: str, subject: str) -> Path:
        return self.folder / kind / f"{msp_id}.{subject}"

    def keep_profile(
        self, profile: Profile, key: ec.EllipticCurvePrivateKey, passphrase: str, badge: BadgeOpening
    ) -> SigningIdentity:
        """Keep a new person's key and badge on this machine."""
        identity = self.profiles.add(profile, key, passphrase, self.master)
        self.notebook(identity).keep_badge(badge)
        return identity

    def forget_profile(self, profile: Profile) -> None:
        """Remove a new person's key and notes from this machine."""
        self.profiles.remove(profile.profile_id)
        remove_private(self._place("notebooks", profile.msp_id, profile.subject))

    def people(self, signer: SigningIdentity) -> People:
        """Return the desk of a registrar or operator of a hospital of this machine."""
        return People(
            self.machine,
            signer,
            self.machine.custodians[signer.msp_id],
            self.keys[signer.msp_id].authority,
            self.keep_profile,
            self.forget_profile,
            lambda: {profile.subject: profile.name for profile in self.profiles.profiles()},
        )

    def rotate_master_key(self) -> None:
        """Replace the master key: all that is under the old one goes over to a new one, and the old one is removed.

        Wherever it is interrupted, nothing is lost: what is open stays open, and the next opening finishes it.

        Raises:
            KeyStoreError: the key store fails; call again, or open anew.
        """
        with ExitStack() as lent:
            parts: list[Wrapped] = [
                self.profiles,
                *(_key_file(self.folder, each, self.circumstances) for each in self.hospitals),
            ]
            if isinstance(self.ledger, EmbeddedLedger):
                parts.append(ledgers.ledger_key_file(self.folder, self.circumstances))
            parts += [*self.custodians.values(), *(self._borrow(each, lent) for each in self._served())]
            keys, before = KeyInstallation(self.folder), self.master
            try:
                keys.replace_master_key(self.key_store, parts, self.circumstances.random).lock()
            finally:
                self.master = keys.open(self.key_store, self.circumstances.random)
                before.lock()

    def close(self) -> None:
        """Wipe keys and close files; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self.heads.flush()
        self.parts.close()
        for keys in self.keys.values():
            keys.authority.lock()
        self.master.lock()

    def _served(self) -> list[HospitalPlan]:
        """Return the hospitals whose custodians are processes of their own."""
        return [plan for plan in self.hospitals.values() if plan.msp_id not in self.custodians]

    def _borrow(self, plan: HospitalPlan, lent: ExitStack) -> Custodian:
        """Open a custodian whose process does not run."""
        folder = self.folder / plan.msp_id
        lent.callback(CustodianLock(folder).release)
        around = _surroundings(self.ledger, self.reader, self.circumstances)
        custodian = open_custodian(folder, plan, self.keys[plan.msp_id], self.master, new_replica(self.ledger), around)
        lent.callback(custodian.close)
        return custodian


def found(
    folder: Path,
    plans: Sequence[HospitalPlan],
    store: KeyStore,
    circumstances: Circumstances,
    partners: Sequence[Partner] = (),
) -> tuple[Installation, dict[str, bytearray]]:
    """Make an installation with its own embedded ledger and the given hospitals.

    Args:
        folder: new or empty.
        plans: the hospitals to be founded here.
        store: where the master key goes.
        circumstances: time and chance.
        partners: hospitals prepared elsewhere, which the ledger trusts from its first block.

    Returns:
        The installation, and each hospital's root CA key (PKCS #8, DER), to be sealed and kept offline.
    """
    master, hospitals, roots = _found_hospitals(folder, plans, store, circumstances)
    trusted = {msp_id: keys.authority.roots for msp_id, keys in hospitals.items()}
    trusted |= {each.plan.msp_id: each.roots for each in partners}
    ledger = ledgers.create_ledger(folder, trusted, master, circumstances)
    network = Network(ledger.network_id, "", tuple(each.plan for each in partners))
    network.write(folder)
    heads = ledgers.first_head(store, ledger, circumstances)
    return _assemble(folder, plans, network, store, circumstances, master, hospitals, ledger, heads), roots


def prepare(
    folder: Path, plan: HospitalPlan, store: KeyStore, circumstances: Circumstances
) -> tuple[Partner, bytearray]:
    """Make a hospital's keys where it will live, before there is a ledger; ``join`` follows.

    Returns:
        What the founder of the ledger needs, and the root CA key (PKCS #8, DER), to be sealed and kept offline.
    """
    master, hospitals, roots = _found_hospitals(folder, [plan], store, circumstances)
    authority = hospitals[plan.msp_id].authority
    authority.lock()
    master.lock()
    return Partner(plan, tuple(authority.roots)), roots[plan.msp_id]


def join(folder: Path, network: Network) -> None:
    """Say where the ledger is that a prepared hospital takes part in; the id must have come from its founder."""
    network.write(folder)


def open_installation(
    folder: Path, store: KeyStore, circumstances: Circumstances, *, any_head: bool = False
) -> Installation:
    """Open an installation that was founded before.

    A replacement of the master key that was interrupted is finished here.

    Args:
        folder: of the installation.
        store: holds its master key and the ledger's head.
        circumstances: see there.
        any_head: open whatever ledger is there; only for ``app.wiring.restoring``, which compares its head itself.

    Raises:
        KeyStoreError: the key store is closed, or another's.
        OlderLedgerError, OtherLedgerError, LedgerDamagedError: the ledger is not the one that was left.
        GatewayError: the ledger is another process's, and that one does not answer.
        CustodianInUseError: another process has a custodian open that is this one's to open.
    """
    plans, network = read_plans(folder), Network.read(folder)
    master = KeyInstallation(folder).open(store, circumstances.random)
    hospitals = {plan.msp_id: open_keys(folder, plan.msp_id, master, circumstances) for plan in plans}
    ledger = ledgers.open_ledger(folder, network, master, circumstances)
    try:
        heads = ledgers.keep_heads(store, ledger, circumstances, any_head=any_head)
        network = network or Network(ledger.network_id)
        installation = _assemble(folder, plans, network, store, circumstances, master, hospitals, ledger, heads)
    except BaseException:
        ledger.close()
        raise
    if master.previous is not None:
        try:
            installation.rotate_master_key()
        except BaseException:
            installation.parts.close()
            raise
    return installation


def open_keys(folder: Path, msp_id: str, master: MasterKeys, circumstances: Circumstances) -> HospitalKeys:
    """Return the keys of a hospital of an installation; see ``open_hospital``."""
    return open_hospital(msp_id, _key_file(folder, msp_id, circumstances), master)


def _found_hospitals(
    folder: Path, plans: Sequence[HospitalPlan], store: KeyStore, circumstances: Circumstances
) -> tuple[MasterKeys, dict[str, HospitalKeys], dict[str, bytearray]]:
    make_private_folder(folder)
    master = KeyInstallation(folder).open(store, circumstances.random)
    hospitals: dict[str, HospitalKeys] = {}
    roots: dict[str, bytearray] = {}
    now, random = circumstances.clock(), circumstances.random
    for plan in plans:
        place = folder / plan.msp_id
        make_private_folder(place)
        file = _key_file(folder, plan.msp_id, circumstances)
        hospitals[plan.msp_id], roots[plan.msp_id] = found_hospital(plan.msp_id, file, master.current, now, random)
        if plan.endpoint:
            keep_locked_leaf(place, hospitals[plan.msp_id].authority, now, random)
    write_plans(folder, plans)
    return master, hospitals, roots


def _assemble(
    folder: Path,
    plans: Sequence[HospitalPlan],
    network: Network,
    store: KeyStore,
    circumstances: Circumstances,
    master: MasterKeys,
    hospitals: Mapping[str, HospitalKeys],
    ledger: OpenLedger,
    heads: HeadKeeper,
) -> Installation:
    with ExitStack() as parts:
        parts.callback(ledger.close)
        if isinstance(ledger, EmbeddedLedger) and (network.partners or any(plan.endpoint for plan in plans)):
            parts.callback(LedgerDoor(ledger, folder / ledgers.FOLDER).close)
        reader = ReaderProcess()
        parts.callback(reader.close)
        around = _surroundings(ledger, reader, circumstances)
        custodians: dict[str, Custodian] = {}
        for plan in plans:
            if not plan.endpoint:
                place = folder / plan.msp_id
                parts.callback(CustodianLock(place).release)
                custodian = open_custodian(place, plan, hospitals[plan.msp_id], master, new_replica(ledger), around)
                parts.callback(custodian.close)
                custodians[plan.msp_id] = custodian
        machine = _machine(folder, (*plans, *network.partners), custodians, ledger, circumstances, parts)
        return Installation(
            folder,
            machine,
            custodians,
            {plan.msp_id: plan for plan in plans},
            hospitals,
            ProfileFolder(folder / "profiles", circumstances.stretching, circumstances.random),
            master,
            reader,
            ledger,
            store,
            heads,
            circumstances,
            network.partners,
            parts.pop_all(),
        )
    raise AssertionError("unreachable")


def _machine(
    folder: Path,
    known: Sequence[HospitalPlan],
    custodians: Mapping[str, Custodian],
    ledger: OpenLedger,
    circumstances: Circumstances,
    parts: ExitStack,
) -> Machine:
    """Return what services work with; they cannot tell in which process a custodian is."""
    clock, random, replica = circumstances.clock, circumstances.random, new_replica(ledger)

    def client(msp_id: str, way: Transport) -> CustodianClient:
        def key() -> bytes:
            return machine.custodian_key(msp_id)

        return CustodianClient(way, ledger.network_id, msp_id, key, clock=clock, random=random)

    def catch_up() -> None:
        machine.catch_up()

    directory = Directory(custodians, replica, genesis_of(ledger).organizations, client, catch_up)
    parts.callback(directory.close)
    outbox = Outbox(folder / "outbox", ledger)
    machine = Machine(ledger, replica, directory, Names(known), clock, random, outbox)
    return machine


def _surroundings(ledger: OpenLedger, reader: ReaderProcess, circumstances: Circumstances) -> Surroundings:
    return Surroundings(
        ledger,
        genesis_of(ledger).organizations,
        reader,
        circumstances.clock,
        circumstances.random,
        circumstances.stretching,
    )


def _key_file(folder: Path, msp_id: str, circumstances: Circumstances) -> KeyFile:
    return KeyFile(folder / msp_id / "service-keys.json", circumstances.random)
