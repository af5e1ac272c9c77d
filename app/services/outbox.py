"""What was signed but may not be recorded yet, kept over a lock and a restart and sent again in order (A41).

Only what makes the patient safer or tells her more is kept: suspending, stopping, refusing, purge receipts, verdicts.
A request for access never is. An envelope holds what the channel may read anyway: ids, a certificate and a signature.
"""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.identity.private_files import make_private_folder, read_private, remove_private, write_private
from ledger.gateway import CommitError, CommitStatusError, EndorseError, Envelope, Gateway, Signer, SubmitError

ORDER: Final = ("SuspendMember", "RevokeConsent", "RejectConsent", "RecordPurge", "RecordVerdict")
"""Transactions that are kept, the most urgent first."""

_MAX_FILE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """What was sent again and the ledger will never record; whoever signed it is told until he has read it.

    Attributes:
        transaction_id: of the envelope.
        name: of the transaction.
        code: why, the contract's or ``stale-read``.
    """

    transaction_id: str
    name: str
    code: str


class Outbox:
    """Envelopes of unknown outcome, one file each; may be used from any thread.

    A file's name says order, number, transaction id and a mark of the signer's certificate; that of a refused one, in a
    folder of its own, transaction id, mark, order and code.
    """

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        """Use ``folder``, which is made when something is kept."""
        self._folder: Final = folder
        self._over: Final = folder / "refused"
        self._gateway: Final = gateway
        self._turn: Final = threading.Lock()

    def keep(self, name: str, envelope: Envelope, signer: Signer) -> bool:
        """Keep an envelope durably; returns False for a transaction that is never sent again by itself."""
        if name not in ORDER:
            return False
        with self._turn:
            make_private_folder(self._folder)
            number = 1 + max((int(path.name.split(".")[1]) for path in self._waiting()), default=0)
            place = f"{ORDER.index(name)}.{number:08}.{envelope.transaction_id}.{_mark(signer)}"
            write_private(self._folder / place, envelope.content)
        return True

    def waiting(self) -> tuple[str, ...]:
        """Return the transaction ids of what is kept, in the order in which it is sent."""
        with self._turn:
            return tuple(path.name.split(".")[2] for path in self._waiting())

    def send(self) -> int:
        """Send everything again, until the ledger does not answer; returns how many were settled.

        Settled is what the ledger recorded, as valid or not, and what it refuses for good; see ``refused``.
        """
        settled = 0
        with self._turn:
            for path in self._waiting():
                order, _, transaction_id, mark = path.name.split(".")
                envelope = Envelope(transaction_id, read_private(path, _MAX_FILE))
                try:
                    if self._gateway.find_commit(envelope.transaction_id) is None:
                        self._gateway.submit(envelope)
                except (CommitError, EndorseError) as refused:
                    make_private_folder(self._over)
                    write_private(self._over / f"{transaction_id}.{mark}.{order}.{refused.code}", b"")
                except (SubmitError, CommitStatusError):
                    return settled
                remove_private(path)
                settled += 1
        return settled

    def refused(self, *signers: Signer) -> tuple[Refused, ...]:
        """Return what these identities of one person sent and the ledger finally refused."""
        marks = {_mark(signer) for signer in signers}
        found = (path.name.split(".") for path in sorted(self._over.glob("*.*.*.*")))
        return tuple(
            Refused(transaction_id, ORDER[int(order)], code)
            for transaction_id, mark, order, code in found
            if mark in marks
        )

    def forget(self, transaction_id: str) -> None:
        """Tell of a refused entry no more: it was read."""
        for path in self._over.glob(f"{transaction_id}.*"):
            remove_private(path)

    def _waiting(self) -> Iterator[Path]:
        found = sorted(self._folder.glob("[0-9].*")) if self._folder.is_dir() else []
        return (path for path in found if not path.name.endswith(".new"))


def _mark(signer: Signer) -> str:
    return hashlib.sha256(signer.certificate).hexdigest()[:32]
