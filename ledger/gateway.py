"""The door to a ledger, whichever it is: what services and custodian see of the embedded ledger and of Fabric alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ledger.contract.canonical import Json


class Signer(Protocol):
    """A person's or a service's identity: its certificate is public, its private key never leaves it."""

    @property
    def msp_id(self) -> str:
        """The organization whose CA issued the certificate."""

    @property
    def certificate(self) -> bytes:
        """X.509 certificate, DER."""

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA-SHA256 signature with low S over ``message``.

        Raises:
            LockedError: the key was wiped (``app.identity``).
        """


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed transaction that has not yet been accepted. Sending it twice records it once (ATTACKS.md A41).

    Attributes:
        transaction_id: lower-case hex SHA-256 of nonce and creator.
        content: the bytes the backend sends; opaque to everyone else.
    """

    transaction_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction recorded as valid.

    Attributes:
        transaction_id: see ``Envelope``.
        block: number of the block that holds it.
        index: its position in that block, from 0.
        at: the transaction's own time, seconds UTC.
        response: canonical public response of the contract.
    """

    transaction_id: str
    block: int
    index: int
    at: int
    response: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """What a valid transaction announced: ids and codes only.

    ``(block, transaction_id)`` is the checkpoint from which ``events`` resumes.
    """

    name: str
    payload: dict[str, Json]
    block: int
    transaction_id: str


class GatewayError(Exception):
    """A transaction did not go through as asked.

    Attributes:
        code: the contract's or the backend's; never to be guessed from text.
        detail: for people, in English; may be empty.
        transaction_id: empty while there is none.
    """

    def __init__(self, code: str, detail: str = "", transaction_id: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.transaction_id = transaction_id


class EndorseError(GatewayError):
    """Nothing was recorded: the rules, or a node before recording, refused."""


class SubmitError(GatewayError):
    """Unknown whether it was recorded: it was being handed over.

    Find out by ``transaction_id``; send only the same envelope again.
    """


class CommitStatusError(GatewayError):
    """Unknown whether it was recorded: the answer did not come. Find out by ``transaction_id``."""


class CommitError(GatewayError):
    """Recorded as invalid, for example because what it read had changed (code ``stale-read``)."""


class Gateway(Protocol):
    """One channel. Every method may be called from any thread and blocks until it is answered or fails."""

    @property
    def network_id(self) -> str:
        """Lower-case hex SHA-256 of the genesis block; inside every signed message (ATTACKS.md A45)."""

    def prepare(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Envelope:
        """Sign one transaction and have it checked.

        Raises:
            EndorseError: nothing was recorded.
        """

    def submit(self, envelope: Envelope) -> Commit:
        """Record ``envelope`` and wait until it is committed; again for the same envelope gives the same answer.

        Raises:
            EndorseError, SubmitError, CommitStatusError, CommitError: as each says.
        """

    def find_commit(self, transaction_id: str) -> Commit | None:
        """Return the commit of a transaction, or None while it is not recorded.

        Raises:
            CommitError: it is recorded as invalid.
        """

    def evaluate(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Json:
        """Ask a query; leaves no trace and proves nothing.

        Raises:
            EndorseError: the query was refused.
        """

    def events(self, block: int = 0, transaction_id: str = "") -> Iterator[Event]:
        """Yield the events after a checkpoint that are committed so far, in order; ends at the head.

        Without ``transaction_id`` it starts at the beginning of ``block``.
        """

    def wait(self, height: int, timeout: float) -> int:
        """Return the ledger's height (number of blocks) once it is above ``height``, or after ``timeout`` seconds."""

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield untrusted blocks from number ``start`` to the head, in the backend's form: for replica, export."""
