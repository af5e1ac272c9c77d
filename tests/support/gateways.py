"""A door to the ledger that fails as networks do: the answer is lost, before or after the entry was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from app.services.outbox import Outbox
from ledger.gateway import Commit, CommitStatusError, EndorseError, Envelope, Event, Gateway, GatewayError, SubmitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.wiring.installation import Installation
    from ledger.contract.canonical import Json
    from ledger.gateway import Signer


class Loss(StrEnum):
    """What goes wrong with the next submissions."""

    BEFORE = "before recording"
    AFTER = "after recording"
    REFUSED = "at endorsement"


@dataclass
class FailingGateway:
    """A ``Gateway`` whose failures a test chooses.

    Attributes:
        real: the ledger.
        loss: what happens to submissions; None lets them through.
        is_silent: questions and events are not answered.
        prepared: names of the transactions that were signed anew.
        submitted: transaction ids that were handed over, each time.
    """

    real: Gateway
    loss: Loss | None = None
    is_silent: bool = False
    prepared: list[str] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)

    @property
    def network_id(self) -> str:
        return self.real.network_id

    def prepare(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Envelope:
        if self.loss is Loss.REFUSED:
            raise EndorseError("storage", "the disk is full")
        self.prepared.append(name)
        return self.real.prepare(signer, name, arguments)

    def submit(self, envelope: Envelope) -> Commit:
        self.submitted.append(envelope.transaction_id)
        if self.loss is Loss.BEFORE:
            raise SubmitError("unavailable", "", envelope.transaction_id)
        commit = self.real.submit(envelope)
        if self.loss is Loss.AFTER:
            raise CommitStatusError("unavailable", "", envelope.transaction_id)
        return commit

    def find_commit(self, transaction_id: str) -> Commit | None:
        if self.loss is not None:
            raise CommitStatusError("unavailable", "", transaction_id)
        return self.real.find_commit(transaction_id)

    def evaluate(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Json:
        if self.is_silent:
            raise EndorseError("unavailable")
        return self.real.evaluate(signer, name, arguments)

    def events(self, block: int = 0, transaction_id: str = "") -> Iterator[Event]:
        if self.is_silent:
            raise GatewayError("unavailable")
        return self.real.events(block, transaction_id)

    def wait(self, height: int, timeout: float) -> int:
        return self.real.wait(height, timeout)

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        return self.real.blocks(start)


def fail_between(installation: Installation) -> FailingGateway:
    """Put a failing door between an installation's services and its ledger."""
    gateway = FailingGateway(installation.ledger)
    outbox = Outbox(installation.folder / "outbox", gateway)
    installation.machine = replace(installation.machine, gateway=gateway, outbox=outbox)
    return gateway
