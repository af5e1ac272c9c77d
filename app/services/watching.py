"""What ends an open record: the ledger's word, the hour, or the ledger's silence (ATTACKS.md A8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from app.services.entries import Access, objects
from app.services.machine import Machine
from ledger.gateway import EndorseError, Event, GatewayError, Signer

SILENCE: Final = 300
"""Seconds without an answer of the ledger after which nothing stays open."""

_OF_PATIENT: Final = frozenset({"PatientFrozen", "PatientErased", "RecordErased", "ConsentRevoked", "ConsentGranted"})


class Ending(StrEnum):
    """Why an open record closed."""

    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    ERASED = "erased"
    OFFLINE = "offline"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which record is to be opened.

    Attributes:
        patient_id: of the pair.
        custodian: msp_id of the hospital that holds it.
        record_id: of the pair.
        version: of the record.
    """

    patient_id: str
    custodian: str
    record_id: str
    version: int


class Watched(Protocol):
    """An open record, as far as its ending is concerned: see ``openings.Opened``."""

    wanted: Wanted
    access: Access
    access_id: str
    block: int

    @property
    def until(self) -> int:
        """When it has to be closed, seconds UTC."""


W = TypeVar("W", bound=Watched)


@dataclass
class Watch:
    """Listens to the ledger for one person's open records.

    Attributes:
        machine: this installation.
        signer: the person.
        subject: of the person, as events name members.
    """

    machine: Machine
    signer: Signer
    subject: str
    _heard: tuple[int, str] = (0, "")
    _answered_at: int = 0
    _found: dict[str, Ending] = field(default_factory=dict, repr=False)

    def begin(self, block: int, *, is_first: bool) -> None:
        """Listen from the block of an entry on, also to what came while its record was being opened.

        Args:
            block: of the entry.
            is_first: nothing else is open.
        """
        self._answered_at = self.machine.clock()
        if is_first or block < self._heard[0]:
            self._heard = (block, "")

    def forget(self, access_id: str) -> None:
        """Stop watching a record."""
        self._found.pop(access_id, None)

    def ended(self, opened: Iterable[W]) -> tuple[tuple[W, Ending], ...]:
        """Return what must close now, and why; the same again until it is forgotten."""
        now = self.machine.clock()
        events = self._events(now)
        is_silent = now - self._answered_at >= SILENCE
        found = []
        for each in opened:
            ending = self._found.get(each.access_id) or self._ending(each, now, events)
            ending = ending or (Ending.OFFLINE if is_silent else None)
            if ending is not None:
                self._found[each.access_id] = ending
                found.append((each, ending))
        return tuple(found)

    def _events(self, now: int) -> list[Event]:
        """Return what happened since; nothing, while the ledger does not answer."""
        events = []
        try:
            for event in self.machine.gateway.events(*self._heard):
                events.append(event)
                self._heard = (event.block, event.transaction_id)
        except GatewayError:
            return events
        self._answered_at = now
        return events

    def _ending(self, opened: Watched, now: int, events: Iterable[Event]) -> Ending | None:
        if now >= opened.until:
            return Ending.ENDED
        later = (event for event in events if event.block >= opened.block)
        return next((ending for event in later if (ending := self._concerns(opened, event)) is not None), None)

    def _concerns(self, opened: Watched, event: Event) -> Ending | None:
        payload = event.payload
        if event.name == "MemberSuspended" and payload.get("subject") == self.subject:
            return Ending.SUSPENDED
        if event.name not in _OF_PATIENT or payload.get("patient_id") != opened.wanted.patient_id:
            return None
        if event.name == "ConsentRevoked":
            return Ending.WITHDRAWN if payload.get("consent_id") in opened.access.consents else None
        if event.name == "ConsentGranted":
            return None if self._is_permitted(opened) else Ending.WITHDRAWN
        if event.name == "RecordErased" and payload.get("record_id") != opened.wanted.record_id:
            return None
        return Ending.FROZEN if event.name == "PatientFrozen" else Ending.ERASED

    def _is_permitted(self, opened: Watched) -> bool:
        """Ask whether the rules would permit it again: a new consent may be a refusal, or replace another."""
        arguments = {
            "patient_id": opened.wanted.patient_id,
            "kind": opened.access.kind,
            "action": "access",
            "device": "",
            "purpose": opened.access.purpose,
            "items": [{"record_id": opened.wanted.record_id, "version": opened.wanted.version}],
            "release_key_hash": "",
            "emergency_id": "",
        }
        try:
            answer = self.machine.gateway.evaluate(self.signer, "PreviewDecision", arguments)
        except EndorseError:
            return False
        items = objects(answer["items"]) if isinstance(answer, dict) else []
        return bool(items) and all(item["outcome"] == "permit" for item in items)
