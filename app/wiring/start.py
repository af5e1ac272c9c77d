"""From a folder to an open installation: founded once, whole or not at all, and verified at every start."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.identity.keystore import KeyStore
from app.identity.private_files import make_private_folder
from app.services.machine import LedgerDamagedError
from app.wiring.home import home
from app.wiring.installation import Installation, open_installation
from app.wiring.ledgers import Circumstances, open_ledger_to_read
from app.wiring.plans import read_plans
from app.wiring.sandbox import Progress, found_sandbox, read_cards
from app.wiring.stores import open_store
from ledger.embedded.export import export
from ledger.embedded.storage import LedgerInUseError

NAME: Final = "sandbox"
VERIFIER: Final = "resources/verifier/verify.py"


@dataclass(frozen=True, slots=True)
class Started:
    """An open installation and what its verification at start found.

    Attributes:
        installation: open.
        cards: the sandbox's cards by patient's name; empty outside a sandbox.
        blocks: how many verified.
        seconds: it took.
        damage: what does not verify, or None.
    """

    installation: Installation
    cards: dict[str, str]
    blocks: int
    seconds: float
    damage: LedgerDamagedError | None


def start(
    folder: Path,
    passphrase: str | None,
    clock: Callable[[], int],
    progress: Progress = lambda _done, _total, _text: None,
    store: KeyStore | None = None,
) -> Started:
    """Open the sandbox in ``folder``, after founding it if there is none.

    Args:
        folder: ``home()``, or another.
        passphrase: see ``open_store``.
        clock: seconds UTC.
        progress: told what is being made.
        store: a key store to use instead of choosing one.

    Raises:
        PassphraseNeededError, KeyStoreError: see ``open_store``.
        OlderLedgerError: the ledger is an older copy than this machine has seen; see ``app.wiring.restoring``.
        OtherLedgerError: it is another ledger.
        ledger.embedded.opening.LedgerDamagedError: its newest blocks do not verify, so it cannot go on.
    """
    make_private_folder(folder)
    place, circumstances = folder / NAME, Circumstances(clock)
    chosen = store or open_store(place, NAME, passphrase)
    if not read_plans(place):
        _found(place, chosen, circumstances, progress)
    progress(0, 0, "Verifying the ledger")
    started = time.perf_counter()
    installation = open_installation(place, chosen, circumstances)
    damage = None
    try:
        installation.machine.catch_up()
    except LedgerDamagedError as found:
        damage = found
    blocks, seconds = installation.machine.replica.height, time.perf_counter() - started
    return Started(installation, read_cards(place), blocks, seconds, damage)


def _found(place: Path, store: KeyStore, circumstances: Circumstances, progress: Progress) -> None:
    """Found the sandbox beside its place and move it there once it is whole; what a crash left is made anew."""
    building = place.with_name(f"{place.name}.new")
    for left in (building, place):
        shutil.rmtree(left, ignore_errors=True)
    found_sandbox(building, store, circumstances, progress).installation.close()
    building.rename(place)


def export_home(file: Path) -> int:
    """Write this account's ledger to ``file`` for the separate verifier; returns the exit status.

    It is public to its hospitals, so no key is needed; nothing is verified here, that is the verifier's work.
    """
    place = home() / NAME
    if not read_plans(place):
        sys.stderr.write(
            "assent: there is no ledger on this machine yet. Start ./assent once, or keep a tour's sandbox.\n"
        )
        return 2
    try:
        ledger = open_ledger_to_read(place, Circumstances(lambda: int(time.time())))
    except LedgerInUseError:
        sys.stderr.write("assent: Assent is open. Export from its Ledger page, or close it first.\n")
        return 2
    try:
        head = export(ledger, file)
        network_id = ledger.network_id
    finally:
        ledger.close()
    sys.stdout.write(
        f"{head.number + 1} blocks in {file}. Verify them anywhere with Python and cryptography alone:\n"
        f"python3 {VERIFIER} {file} --network {network_id} --head {head.number}:{head.hash}\n"
    )
    return 0
