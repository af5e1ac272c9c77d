"""Which ledger an installation works on: its own, or the one of another process through its door (PROTOCOL.md C0)."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from app.identity.installation import MasterKeys
from app.identity.keys import LockedError, Purpose, Random, wipe
from app.identity.keystore import KeyStore
from app.identity.ledger_head import HeadKeeper, LedgerHead, OlderLedgerError, OtherLedgerError
from app.identity.pins import PERSON, Stretching
from app.wiring.plans import Network
from app.wiring.service_keys import KeyFile, box_key, open_key
from ledger.blocks import EmbeddedChain, hash_of, header_of
from ledger.embedded.ledger import EmbeddedLedger
from ledger.embedded.remote import RemoteLedger
from ledger.faults import Fault, LedgerFaultError
from ledger.gateway import Gateway
from ledger.genesis import Genesis, verify_genesis
from ledger.replica import Replica
from ledger.signatures import SoftwareKey

FOLDER: Final = "ledger"
"""Of an installation's own ledger."""
_LEDGER_KEY: Final = "ledger"

OpenLedger = EmbeddedLedger | RemoteLedger


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
class PublicKey:
    """A ledger key of which only the public half is here (SubjectPublicKeyInfo, DER)."""

    public_key: bytes

    def sign(self, message: bytes) -> bytes:
        """Refuse: whoever only reads signs nothing."""
        raise LockedError(f"{len(message)} bytes are not signed by a ledger that is only read")


def create_ledger(
    folder: Path, trusted: Mapping[str, Sequence[bytes]], master: MasterKeys, around: Circumstances
) -> EmbeddedLedger:
    """Make an installation's own ledger, and keep its key.

    Args:
        folder: of the installation.
        trusted: CA certificates (DER) of every organization.
        master: what the ledger key is wrapped under.
        around: time and chance.
    """
    ledger_key = ec.generate_private_key(ec.SECP256R1())
    service_key = master.current.purpose_key(Purpose.SERVICE)
    box = box_key(service_key, _LEDGER_KEY, ledger_key, around.random)
    wipe(service_key)
    signing = SoftwareKey(ledger_key)
    ledger_key_file(folder, around).write(master.current, {_LEDGER_KEY: signing.public_key}, {_LEDGER_KEY: box})
    return EmbeddedLedger.create(folder / FOLDER, trusted, signing, clock=around.clock, random=around.random)


def open_ledger(folder: Path, network: Network | None, master: MasterKeys, around: Circumstances) -> OpenLedger:
    """Open an installation's own ledger, or the way to the one it joined."""
    if network is not None and network.ledger:
        return RemoteLedger(Path(network.ledger), network.network_id, clock=around.clock, random=around.random)
    key_file = ledger_key_file(folder, around)
    _, boxes = key_file.read()
    service_key = key_file.purpose_key(master)
    signing = SoftwareKey(open_key(service_key, _LEDGER_KEY, boxes[_LEDGER_KEY]))
    wipe(service_key)
    return EmbeddedLedger.open(folder / FOLDER, signing, clock=around.clock, random=around.random)


def open_ledger_to_read(folder: Path, around: Circumstances) -> EmbeddedLedger:
    """Open an installation's ledger without any secret, to read its blocks; it cannot record.

    Raises:
        LedgerInUseError: Assent is open on it.
    """
    public, _ = ledger_key_file(folder, around).read()
    key = PublicKey(public[_LEDGER_KEY])
    return EmbeddedLedger.open(folder / FOLDER, key, clock=around.clock, random=around.random)


def keep_heads(store: KeyStore, ledger: Gateway, around: Circumstances, *, any_head: bool = False) -> HeadKeeper:
    """Compare a ledger with the head that the key store holds, and return what writes the next ones there.

    Raises:
        OlderLedgerError: the ledger is behind the one that was left, and not ``any_head`` is to do.
        OtherLedgerError: it is another one.
    """
    heads = HeadKeeper(store, around.clock)
    try:
        heads.verify(ledger.network_id, ledger.wait(-1, 0), partial(_hash_of_block, ledger))
    except (OlderLedgerError, OtherLedgerError):
        if not any_head:
            raise
    return heads


def first_head(store: KeyStore, ledger: Gateway, around: Circumstances) -> HeadKeeper:
    """Put the head of a ledger that begins in the key store."""
    heads = HeadKeeper(store, around.clock)
    heads.accept(LedgerHead(ledger.network_id, 1, ledger.network_id))
    return heads


def genesis_of(ledger: Gateway) -> Genesis:
    """Return whom the ledger trusts.

    Raises:
        LedgerFaultError: the first block is not the one that its id names: another ledger answers there.
    """
    genesis = verify_genesis(next(iter(ledger.blocks(0)), b""))
    if genesis.network_id != ledger.network_id:
        raise LedgerFaultError(Fault.GENESIS, "another ledger")
    return genesis


def new_replica(ledger: Gateway) -> Replica:
    """Return an empty replica of the ledger; each custodian has its own, because each believes only itself."""
    return Replica(EmbeddedChain(genesis_of(ledger)))


def ledger_key_file(folder: Path, around: Circumstances) -> KeyFile:
    """Return the file of an own ledger's key."""
    return KeyFile(folder / "ledger-key.json", around.random)


def _hash_of_block(ledger: Gateway, number: int) -> str:
    block = next(iter(ledger.blocks(number)))
    return ledger.network_id if number == 0 else hash_of(header_of(block))
