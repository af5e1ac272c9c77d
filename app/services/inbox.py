"""What a patient still has to decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.consent.terms import Terms
from app.custodian.messages import CustodianRefusal
from app.services.accesses import Who, who
from app.services.entries import integer
from app.services.machine import Machine
from app.services.pairs import Pair, Unlocked
from app.services.requests import asked_terms, short_id
from app.services.turn import Turn, start_turn
from ledger.contract.errors import ContractError

_UNREADABLE: Final = frozenset({"unknown-consent", "artefact-mismatch", "malformed"})
"""A request whose words are missing or wrong: she cannot decide it, and it must not hide the others."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One request that waits for the patient.

    Attributes:
        consent_id: of the proposal.
        patient_id: of the pair.
        asked_by: who asks.
        asked: the terms.
        reason: his sentence to her.
        sent_at: seconds UTC.
    """

    consent_id: str
    patient_id: str
    asked_by: Who
    asked: Terms
    reason: str
    sent_at: int

    @property
    def short_id(self) -> str:
        """What people read instead of the id."""
        return short_id(self.consent_id)


@dataclass(frozen=True, slots=True)
class Inbox:
    """One patient's open requests.

    Attributes:
        machine: this installation.
        unlocked: the patient.
        zone: her hospital's fixed offset.
    """

    machine: Machine
    unlocked: Unlocked
    zone: str

    def rows(self) -> tuple[InboxRow, ...]:
        """Return the requests that wait and can be read, newest first."""
        self.machine.catch_up()
        rows = [row for pair in self.unlocked.pairs for row in self._of(pair)]
        return tuple(sorted(rows, key=lambda row: row.sent_at, reverse=True))

    def turn(self, row: InboxRow, assisted_by: str = "") -> Turn:
        """Begin to decide one request; see ``start_turn``."""
        return start_turn(
            self.machine, self.unlocked, row.patient_id, row.consent_id, zone=self.zone, assisted_by=assisted_by
        )

    def _of(self, pair: Pair) -> Iterator[InboxRow]:
        for key, value in self.machine.scan("consent", pair.patient_id):
            if value["status"] != "proposed" or not value["proposer"]:
                continue
            try:
                request = pair.client.read_request(pair.identity, pair.patient_id, key[2])
                asked = asked_terms(request)
            except (CustodianRefusal, ContractError) as unreadable:
                if unreadable.code not in _UNREADABLE:
                    raise
                continue
            explained = pair.client.explain(pair.identity, pair.patient_id, [request.subject])
            asked_by = who(self.machine, request.msp_id, request.subject, explained)
            yield InboxRow(key[2], pair.patient_id, asked_by, asked, request.reason, integer(value["proposed_at"]))
