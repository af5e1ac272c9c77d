"""Sending one transaction, and what to do when nobody knows whether it was recorded (ATTACKS.md A41)."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.services.outbox import Outbox
from ledger.gateway import Commit, CommitStatusError, EndorseError, Envelope, Gateway, Signer, SubmitError


class UnsettledError(Exception):
    """It is not known whether the entry was recorded; nothing may be sent anew until ``settle`` has answered.

    Attributes:
        envelope: the one envelope that may be sent again.
    """

    def __init__(self, envelope: Envelope) -> None:
        super().__init__("We do not know yet whether this was recorded.")
        self.envelope = envelope


@dataclass(frozen=True, slots=True)
class Submission:
    """Submits for one person; the only place in ``app`` that turns an unknown outcome into a question to be settled.

    Attributes:
        gateway: the ledger.
        signer: the person.
        outbox: sends the same envelope again by itself, also after a restart; for few kinds of transactions.
    """

    gateway: Gateway
    signer: Signer
    outbox: Outbox | None = None

    def send(self, name: str, arguments: Mapping[str, object]) -> Commit:
        """Record one transaction.

        Raises:
            EndorseError: nothing was recorded.
            CommitError: recorded as invalid, something changed at the same time.
            UnsettledError: unknown; ask ``settle``.
        """
        envelope = self.gateway.prepare(self.signer, name, arguments)
        try:
            return self.gateway.submit(envelope)
        except (SubmitError, CommitStatusError):
            if self.outbox is not None:
                self.outbox.keep(name, envelope, self.signer)
            raise UnsettledError(envelope) from None

    def settle(self, unsettled: UnsettledError) -> Commit | None:
        """Find out what became of an envelope, by its id and by sending the same envelope again.

        Returns:
            The commit, or None if the ledger refused the envelope: it was not recorded and the person may try again.

        Raises:
            CommitError: recorded as invalid.
            UnsettledError: still unknown; ask again later.
        """
        envelope = unsettled.envelope
        try:
            found = self.gateway.find_commit(envelope.transaction_id)
            return found or self.gateway.submit(envelope)
        except EndorseError:
            return None
        except (SubmitError, CommitStatusError):
            raise UnsettledError(envelope) from None
