"""Going on from an older copy of the embedded ledger: an operator says so, and the ledger says it ever after (A42)."""

from __future__ import annotations

import sys
import time
from getpass import getpass
from typing import TYPE_CHECKING, Final

from app.identity.keystore import KeyStoreError
from app.identity.ledger_head import LedgerHead, OlderLedgerError, OtherLedgerError
from app.identity.profiles import ProfileError
from app.services.machine import LedgerDamagedError
from app.services.submission import Submission, UnsettledError
from app.wiring.home import home
from app.wiring.installation import open_installation
from app.wiring.ledgers import Circumstances
from app.wiring.plans import read_plans
from app.wiring.start import NAME
from app.wiring.stores import PassphraseNeededError, open_store
from ledger.embedded.opening import LedgerDamagedError as StoredLedgerDamagedError
from ledger.embedded.storage import LedgerInUseError
from ledger.gateway import EndorseError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.identity.keystore import KeyStore
    from app.identity.signing import SigningIdentity
    from app.wiring.installation import Installation


_DAMAGED: Final = (LedgerDamagedError, StoredLedgerDamagedError, LedgerInUseError)


_WARNING: Final = (
    "What was recorded since the older copy is given up, for good, and the ledger will say so. Patients who had "
    "stopped a consent stay stopped. People who had been suspended are not: suspend them again.\n"
)


class NothingToAcceptError(Exception):
    """The ledger here is not older than what this machine has seen."""


def accept_older_ledger(
    folder: Path, store: KeyStore, circumstances: Circumstances, name: str, passphrase: str
) -> LedgerHead:
    """Go on from an older copy of the ledger.

    What was seen last is anchored on the copy, so that whoever reads it knows that it lost its end, which, when, and
    who accepted that. The anchor is named by that head, since one ledger may lose its end more than once. A patient
    whose stop of a consent was among what is given up stays stopped at her hospital. Stopped half-way, it can be done
    again.

    Args:
        folder: of the installation.
        store: holds its master key and the head that was seen.
        circumstances: see there.
        name: of the operator's profile.
        passphrase: the operator's.

    Returns:
        The head that was given up.

    Raises:
        NothingToAcceptError: the ledger is not older.
        OtherLedgerError, LedgerDamagedError: it is another ledger, or changed; that is never accepted.
        ProfileError: there is no such person, or the passphrase is wrong.
        EndorseError: ``wrong-role``, for example: the person is no operator.
        UnsettledError: unknown whether it was recorded; do it again.
    """
    installation = open_installation(folder, store, circumstances, any_head=True)
    try:
        seen = _given_up(installation)
        identity = _unlocked(installation, name, passphrase)
        for custodian in installation.custodians.values():
            custodian.go_back()
        _anchor(installation, identity, seen)
        installation.heads.accept(_head(installation))
    finally:
        installation.close()
    return seen


def _given_up(installation: Installation) -> LedgerHead:
    """Return the head that was seen and is not on the ledger; see ``accept_older_ledger`` for what it raises."""
    seen, replica = installation.heads.seen(), installation.machine.catch_up()
    try:
        installation.heads.verify(replica.network_id, replica.height, replica.block_hash)
    except OlderLedgerError:
        pass
    except OtherLedgerError:
        # The anchor is a block itself: a copy that was one block behind is as long as what was seen once it is there.
        if seen is None or not any(
            installation.machine.find("anchor", msp, seen.head_hash) for msp in installation.keys
        ):
            raise
    else:
        seen = None
    if seen is None:
        raise NothingToAcceptError
    return seen


def _unlocked(installation: Installation, name: str, passphrase: str) -> SigningIdentity:
    found = next((each for each in installation.profiles.profiles() if each.name == name), None)
    if found is None:
        raise ProfileError(f"There is no {name} on this machine.")
    return installation.profiles.unlock(found.profile_id, passphrase, installation.master)


def _head(installation: Installation) -> LedgerHead:
    replica = installation.machine.catch_up()
    return LedgerHead(replica.network_id, replica.height, replica.head_hash)


def _anchor(installation: Installation, identity: SigningIdentity, seen: LedgerHead) -> None:
    arguments = {"ledger_id": seen.head_hash, "height": seen.height, "head_hash": seen.head_hash, "archive_hash": ""}
    try:
        Submission(installation.ledger, identity).send("AnchorLedger", arguments)
    except EndorseError as refused:
        if refused.code != "already-exists":  # then the last attempt stopped after it was recorded
            raise


def accept_at_home(ask: Callable[[str], str] = input, ask_secret: Callable[[str], str] = getpass) -> int:
    """Ask an operator at the terminal, and accept; returns the exit status."""
    place = home() / NAME
    if not read_plans(place):
        sys.stderr.write("assent: there is no ledger on this machine yet.\n")
        return 2
    try:
        store = _store(place, ask_secret)
        sys.stdout.write(_WARNING)
        seen = accept_older_ledger(
            place, store, Circumstances(lambda: int(time.time())), ask("Operator: "), ask_secret("PIN: ")
        )
    except NothingToAcceptError:
        sys.stderr.write("assent: the ledger is not older than what this machine has seen. Nothing was changed.\n")
        return 2
    except UnsettledError:
        sys.stderr.write("assent: it is not known whether this was recorded. Run the command again.\n")
        return 2
    except (GatewayError, ProfileError, KeyStoreError, OtherLedgerError, *_DAMAGED) as error:
        sys.stderr.write(f"assent: {error} Nothing was accepted.\n")
        return 2
    sys.stdout.write(f"Accepted. Given up: everything up to block {seen.height - 1}, {seen.head_hash}.\n")
    return 0


def _store(place: Path, ask_secret: Callable[[str], str]) -> KeyStore:
    try:
        return open_store(place, NAME, None)
    except PassphraseNeededError:
        return open_store(place, NAME, ask_secret("Passphrase of the keys: "))
