"""What the desktop says of the machine, the ledger and a refused sign-in: values for the widgets, in plain words."""

import time
from typing import Final

from app.custodian.messages import CustodianRefusal
from app.identity.keystore import KeyStoreError
from app.identity.ledger_head import OlderLedgerError, OtherLedgerError
from app.identity.private_files import ExposedFileError
from app.identity.profiles import ProfileLockedError
from app.identity.profiles import WrongPinError as WrongStaffPinError
from app.services.machine import LedgerDamagedError
from app.services.pairs import WrongCardError, WrongPinError
from app.ui.outcomes import failure_sentence
from app.ui.pages.sign_in import StartFacts, Tile
from app.ui.widgets import LedgerFacts, State
from app.ui.widgets.states import offline
from app.wiring.failures import note_failure, unforeseen_text
from app.wiring.following import Followed
from app.wiring.sandbox import PIN
from app.wiring.start import Started
from ledger.embedded.opening import HeadBehindError
from ledger.embedded.opening import LedgerDamagedError as StoredLedgerDamagedError
from ledger.embedded.storage import LedgerInUseError, LedgerStorageError
from ledger.replica import ReplicaHaltedError

VERSION: Final = "Assent 0.1 · Sandbox"
CARD: Final = "card:"
"""Before the name in the key of a tile that stands for a patient of the sandbox."""
_ORDER: Final = ("practitioner", "patient", "privacy-officer", "registrar", "operator")
_EXPECTED: Final = (WrongPinError, WrongStaffPinError, ProfileLockedError, WrongCardError, LedgerDamagedError)
_KEPT: Final = "This machine alone keeps it. A change would be noticed, unless its owner rewrote everything."
_STOPPED: Final[dict[type[Exception], str]] = {
    LedgerInUseError: "Assent is open already on this account. Close the other window, then try again.",
    HeadBehindError: "The ledger on this machine is an older copy: {error}. Restore the newest, then try again.",
    LedgerStorageError: "The ledger on this machine cannot be read: {error}. Restore it from a backup.",
}


def start_facts(started: Started) -> StartFacts:
    """Return what the sign-in page says of the machine."""
    installation, damage = started.installation, started.damage
    people = len(started.cards) + len(installation.profiles.profiles())
    verified = (
        f"{_changed(damage.block)} You can look, but nothing can be opened."
        if damage is not None
        else f"{started.blocks} of {started.blocks} blocks verified at start, {started.seconds:.1f} s"
    )
    return StartFacts(
        verified=verified,
        is_damaged=damage is not None,
        key_store=f"Keys are in {installation.key_store.title}",
        version=VERSION,
        about=f"{people} people of the sandbox. None of them exists.",
        pin_hint=f"In the sandbox every PIN is {PIN}.",
    )


def tiles(started: Started) -> tuple[Tile, ...]:
    """Return who may sign in: the staff of this machine, and in a sandbox its patients."""
    profiles = started.installation.profiles.profiles()
    staff = [Tile(each.profile_id, each.name, each.role, each.hospital) for each in profiles]
    hospitals = started.installation.machine.hospitals
    patients = [
        Tile(CARD + name, name, "patient", hospitals.get(text.split(".")[1], ""))
        for name, text in started.cards.items()
    ]
    return tuple(sorted([*staff, *patients], key=lambda tile: (tile.hospital, _ORDER.index(tile.role), tile.name)))


def refusal_text(error: Exception) -> str:
    """Return why a sign-in or unlocking did not work; what is no plain refusal is logged too."""
    if isinstance(error, WrongPinError):
        if error.tries_left:
            return f"That was not your PIN. {_tries(error.tries_left)}"
        return "Too many tries. Ask a registrar to reset your PIN; bring your card."
    if isinstance(error, WrongCardError):
        return str(error)
    if isinstance(error, LedgerDamagedError):
        return f"{_changed(error.block)} You can look, but nothing can be opened."
    if not isinstance(error, (*_EXPECTED, CustodianRefusal)):
        note_failure(error)
    return failure_sentence(error)


def ledger_state(followed: Followed | None, damage: int | None) -> State | None:
    """Return the band under the header of every page; None while all is well."""
    if damage is not None:
        return State("deny", "circle-x", _changed(damage), "You can look, but nothing can be opened.")
    if followed is not None and followed.silent_since is not None:
        return offline(followed.silent_since, 0, None)
    return None


def ledger_facts(followed: Followed | None, damage: int | None, *, has_page: bool) -> LedgerFacts:
    """Return what the ledger badge says."""
    link = ("Open the ledger", "ledger") if has_page else ("", "")
    if damage is not None:
        return LedgerFacts("circle-x", "Local ledger, changed", "deny", (_changed(damage),), *link)
    if followed is None:
        return LedgerFacts("hard-drive", "Local ledger, not shared", "wait", (_KEPT,), *link)
    counted = (f"{followed.height:,} blocks, all verified.", f"Last entry recorded {time_of_day(followed.at)}.", _KEPT)
    if followed.silent_since is not None:
        since = time.strftime("%H:%M", time.localtime(followed.silent_since))
        return LedgerFacts("cloud-off", f"Local ledger, offline since {since}", "deny", counted, *link)
    return LedgerFacts("hard-drive", "Local ledger, not shared", "wait", counted, *link)


def last_entry(followed: Followed) -> str:
    """Return what the status line says at its left."""
    return f"Last entry recorded {time_of_day(followed.at)} · block {followed.height - 1}"


def damaged_block(error: Exception) -> int | None:
    """Return the block at which a ledger was found changed; None if the error is another."""
    if isinstance(error, LedgerDamagedError):
        return error.block
    return error.alarm.block if isinstance(error, ReplicaHaltedError) else None


def time_of_day(at: int) -> str:
    """Return a time of today with seconds, where the machine is."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def _changed(block: int) -> str:
    return f"The ledger on this machine was changed at block {block}."


def _tries(left: int) -> str:
    return "1 try left." if left == 1 else f"{left} tries left."


def start_trouble(error: Exception) -> str:
    """Return why the machine does not start, and what to do; what is not foreseen is logged too."""
    if isinstance(error, (KeyStoreError, OlderLedgerError, OtherLedgerError, ExposedFileError)):
        return str(error)
    for kind, text in _STOPPED.items():
        if isinstance(error, kind):
            return text.format(error=error)
    note_failure(error)
    if isinstance(error, StoredLedgerDamagedError):
        return f"{_changed(error.block)} Keep the files as they are, and tell the operator."
    if isinstance(error, OSError):
        return f"The files of this account cannot be used: {error.strerror or type(error).__name__}."
    return unforeseen_text(error)
