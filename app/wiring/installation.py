"""One installation, made and opened: ledger, custodians, profiles; the only place that knows which parts there are."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.client import CustodianClient
from app.custodian.custodian import Custodian
from app.custodian.database import key_id_in
from app.custodian.desk import Desk as CustodianDesk
from app.custodian.index import Index
from app.custodian.journal import Journal
from app.custodian.keytable import KeyTable
from app.identity.badges import BadgeOpening
from app.identity.installation import Installation as KeyInstallation
from app.identity.installation import MasterKeys, Wrapped
from app.identity.keys import LockedError, MasterKey, Purpose, Random, wipe
from app.identity.keystore import KeyStore
from app.identity.ledger_head import HeadKeeper, LedgerHead, OlderLedgerError, OtherLedgerError
from app.identity.pins import PERSON, Stretching
from app.identity.private_files import make_private_folder, remove_private, write_private
from app.identity.profiles import Profile, ProfileFolder
from app.identity.signing import SigningIdentity
from app.records.importing import Importer
from app.records.reader import ReaderProcess
from app.records.store import FolderStore
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
from app.wiring.service_keys import HospitalKeys, KeyFile, box_key, found_hospital, open_hospital, open_key
from ledger.blocks import EmbeddedChain, hash_of, header_of
from ledger.embedded.ledger import EmbeddedLedger
from ledger.genesis import verify_genesis
from ledger.replica import Replica
from ledger.signatures import SoftwareKey

_LEDGER_KEY: Final = "ledger"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What comes from outside: time, chance, and how much one guess of a PIN costs.

    Attributes:
        clock: seconds UTC.
        random: unpredictable bytes.
        stretching: of PINs and passphrases.
    """

    clock: Callable[[], int]
    random: Random = os.urandom
    stretching: Stretching = PERSON


@dataclass(frozen=True, slots=True)
class HospitalPlan:
    """A hospital to be founded on this machine.

    Attributes:
        msp_id: its name on the ledger.
        name: its name on screens.
        zone: fixed offset, seconds east of UTC.
    """

    msp_id: str
    name: str
    zone: int = 0


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
        ledger: the embedded ledger.
    """

    folder: Path
    machine: Machine
    custodians: Mapping[str, Custodian]
    hospitals: Mapping[str, HospitalPlan]
    keys: Mapping[str, HospitalKeys]
    profiles: ProfileFolder
    master: MasterKeys
    reader: ReaderProcess
    ledger: EmbeddedLedger
    key_store: KeyStore
    heads: HeadKeeper
    circumstances: Circumstances
    _closed: bool = field(default=False, repr=False)

    def tick(self, *, force: bool = False) -> None:
        """Send what waits, let the custodians do what the ledger asks of them, and keep the head out of reach."""
        if self.machine.outbox is not None:
            self.machine.outbox.send()
        for custodian in self.custodians.values():
            custodian.tick(force=force)
        replica = self.machine.catch_up()
        self.heads.note(LedgerHead(replica.network_id, replica.height, replica.head_hash))

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
        files = [_key_file(self.folder, msp_id, self.circumstances) for msp_id in self.hospitals]
        ledger_key = _ledger_key_file(self.folder, self.circumstances)
        parts: list[Wrapped] = [self.profiles, *files, ledger_key, *self.custodians.values()]
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
        for custodian in self.custodians.values():
            custodian.close()
        self.reader.close()
        self.ledger.close()
        for keys in self.keys.values():
            keys.authority.lock()
        self.master.lock()


def found(
    folder: Path, plans: Sequence[HospitalPlan], store: KeyStore, circumstances: Circumstances
) -> tuple[Installation, dict[str, bytearray]]:
    """Make an installation with its own embedded ledger and the given hospitals.

    Returns:
        The installation, and each hospital's root CA key (PKCS #8, DER), to be sealed and kept offline.
    """
    make_private_folder(folder)
    master = KeyInstallation(folder).open(store, circumstances.random)
    hospitals: dict[str, HospitalKeys] = {}
    roots: dict[str, bytearray] = {}
    for plan in plans:
        make_private_folder(folder / plan.msp_id)
        file = _key_file(folder, plan.msp_id, circumstances)
        hospitals[plan.msp_id], roots[plan.msp_id] = found_hospital(
            plan.msp_id, file, master.current, circumstances.clock(), circumstances.random
        )
    ledger_key = ec.generate_private_key(ec.SECP256R1())
    service_key = master.current.purpose_key(Purpose.SERVICE)
    box = box_key(service_key, _LEDGER_KEY, ledger_key, circumstances.random)
    wipe(service_key)
    public = {_LEDGER_KEY: SoftwareKey(ledger_key).public_key}
    _ledger_key_file(folder, circumstances).write(master.current, public, {_LEDGER_KEY: box})
    trusted = {msp_id: keys.authority.roots for msp_id, keys in hospitals.items()}
    ledger = EmbeddedLedger.create(
        folder / "ledger",
        trusted,
        SoftwareKey(ledger_key),
        clock=circumstances.clock,
        random=circumstances.random,
    )
    _write_plans(folder, plans)
    heads = HeadKeeper(store, circumstances.clock)
    heads.accept(LedgerHead(ledger.network_id, 1, ledger.network_id))
    return _assemble(folder, plans, store, circumstances, master, hospitals, ledger, heads), roots


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
    """
    plans = read_plans(folder)
    master = KeyInstallation(folder).open(store, circumstances.random)
    hospitals = {
        plan.msp_id: open_hospital(plan.msp_id, _key_file(folder, plan.msp_id, circumstances), master) for plan in plans
    }
    ledger_key_file = _ledger_key_file(folder, circumstances)
    _, boxes = ledger_key_file.read()
    service_key = ledger_key_file.purpose_key(master)
    ledger_key = SoftwareKey(open_key(service_key, _LEDGER_KEY, boxes[_LEDGER_KEY]))
    wipe(service_key)
    ledger = EmbeddedLedger.open(folder / "ledger", ledger_key, clock=circumstances.clock, random=circumstances.random)
    try:
        heads = HeadKeeper(store, circumstances.clock)
        try:
            heads.verify(ledger.network_id, ledger.wait(-1, 0), partial(_hash_of_block, ledger))
        except (OlderLedgerError, OtherLedgerError):
            if not any_head:
                raise
        installation = _assemble(folder, plans, store, circumstances, master, hospitals, ledger, heads)
        if master.previous is not None:
            installation.rotate_master_key()
    except BaseException:
        ledger.close()
        raise
    return installation


def open_ledger_to_read(folder: Path, circumstances: Circumstances) -> EmbeddedLedger:
    """Open an installation's ledger without any secret, to read its blocks; it cannot record.

    Raises:
        LedgerInUseError: Assent is open on it.
    """
    public, _ = _ledger_key_file(folder, circumstances).read()
    return EmbeddedLedger.open(
        folder / "ledger", PublicKey(public[_LEDGER_KEY]), clock=circumstances.clock, random=circumstances.random
    )


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A ledger key of which only the public half is here (SubjectPublicKeyInfo, DER)."""

    public_key: bytes

    def sign(self, message: bytes) -> bytes:
        """Refuse: whoever only reads signs nothing."""
        raise LockedError(f"{len(message)} bytes are not signed by a ledger that is only read")


def read_plans(folder: Path) -> tuple[HospitalPlan, ...]:
    """Return the hospitals of an installation; empty if none was founded in this folder."""
    path = folder / "hospitals.json"
    if not path.is_file():
        return ()
    return tuple(HospitalPlan(**each) for each in json.loads(path.read_text(encoding="utf-8")))


def _assemble(
    folder: Path,
    plans: Sequence[HospitalPlan],
    store: KeyStore,
    circumstances: Circumstances,
    master: MasterKeys,
    hospitals: Mapping[str, HospitalKeys],
    ledger: EmbeddedLedger,
    heads: HeadKeeper,
) -> Installation:
    reader = ReaderProcess()
    trusted = {msp_id: keys.authority.roots for msp_id, keys in hospitals.items()}
    custodians = {
        plan.msp_id: _custodian(
            folder / plan.msp_id,
            plan,
            hospitals[plan.msp_id],
            trusted,
            ledger,
            new_replica(ledger),
            master,
            reader,
            circumstances,
        )
        for plan in plans
    }
    replica = new_replica(ledger)
    clients: dict[str, CustodianClient] = {}
    names = {plan.msp_id: plan.name for plan in plans}
    outbox = Outbox(folder / "outbox", ledger)
    machine = Machine(ledger, replica, clients, names, circumstances.clock, circumstances.random, outbox)
    for msp_id, custodian in custodians.items():
        clients[msp_id] = CustodianClient(
            custodian.handle,
            ledger.network_id,
            msp_id,
            partial(machine.custodian_key, msp_id),
            clock=circumstances.clock,
            random=circumstances.random,
        )
    profiles = ProfileFolder(folder / "profiles", circumstances.stretching, circumstances.random)
    return Installation(
        folder,
        machine,
        custodians,
        {plan.msp_id: plan for plan in plans},
        hospitals,
        profiles,
        master,
        reader,
        ledger,
        store,
        heads,
        circumstances,
    )


def _custodian(
    folder: Path,
    plan: HospitalPlan,
    keys: HospitalKeys,
    trusted: Mapping[str, Sequence[bytes]],
    ledger: EmbeddedLedger,
    replica: Replica,
    master: MasterKeys,
    reader: ReaderProcess,
    circumstances: Circumstances,
) -> Custodian:
    random, keys_file, index_file = circumstances.random, folder / "keys.db", folder / "index.db"
    desk = CustodianDesk(
        msp_id=plan.msp_id,
        gateway=ledger,
        replica=replica,
        signer=keys.custodian,
        receipt_key=keys.receipt,
        authority=keys.authority,
        roots=trusted,
        keys=KeyTable(keys_file, folder / "key-backups", _key_of(keys_file, master), random),
        index=Index(index_file, _key_of(index_file, master), random),
        journal=Journal(folder / "journal.db"),
        store=FolderStore(folder / "objects"),
        importer=Importer(reader),
        clock=circumstances.clock,
        random=random,
        zone=plan.zone,
        stretching=circumstances.stretching,
    )
    return Custodian(desk)


def _key_of(file: Path, master: MasterKeys) -> MasterKey:
    """Return the master key that a custodian's file is under, or is to be under if it is new."""
    key_id = key_id_in(file)
    return master.named(key_id) if key_id else master.current


def _hash_of_block(ledger: EmbeddedLedger, number: int) -> str:
    """Return the hash of a stored block, for the head that the key store holds."""
    block = next(iter(ledger.blocks(number)))
    return ledger.network_id if number == 0 else hash_of(header_of(block))


def new_replica(ledger: EmbeddedLedger) -> Replica:
    """Return an empty replica of the ledger; each custodian has its own, because each believes only itself."""
    return Replica(EmbeddedChain(verify_genesis(next(iter(ledger.blocks(0))))))


def _key_file(folder: Path, msp_id: str, circumstances: Circumstances) -> KeyFile:
    return KeyFile(folder / msp_id / "service-keys.json", circumstances.random)


def _ledger_key_file(folder: Path, circumstances: Circumstances) -> KeyFile:
    return KeyFile(folder / "ledger-key.json", circumstances.random)


def _write_plans(folder: Path, plans: Iterable[HospitalPlan]) -> None:
    listed = [{"msp_id": plan.msp_id, "name": plan.name, "zone": plan.zone} for plan in plans]
    write_private(folder / "hospitals.json", json.dumps(listed, indent=1).encode())
