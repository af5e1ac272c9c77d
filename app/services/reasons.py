"""How a record was decided: the consents that decided or came nearest, who signed them, when, and in which block (C12).

It says only what the practitioner may know anyway: his own requests and their answers in full, of other consents of the
patient their bare existence, and only where the decision names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.consent.terms import Category
from app.services.entries import integer
from app.services.machine import Machine
from app.services.notebook import PatientRef
from app.services.opening_log import OpeningRow, read_log
from app.services.requests import RequestRow, RequestState
from app.services.worklist import RecordRow, RowState, Worklist
from ledger.contract.canonical import Json


class Stand(StrEnum):
    """What a consent says to what was wanted."""

    PERMITS = "permits"
    LEAVES_OUT = "leaves-out"
    REFUSES = "refuses"
    WAITS = "waits"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Ground:
    """One consent that decided, or came nearest.

    Attributes:
        consent_id: of the ledger.
        stand: what it says.
        categories: what it permits or leaves out; empty where that is not known here.
        by_patient: the patient's party signed it; otherwise it is the request, which nobody signed yet.
        at: seconds UTC of the entry that put it into this state.
        block: that holds that entry; -1 if the ledger holds none.
    """

    consent_id: str
    stand: Stand
    categories: frozenset[Category]
    by_patient: bool
    at: int
    block: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a row of the worklist is as it is.

    Attributes:
        row: which.
        asked: the terms asked for in the request it belongs to; empty if there is none of his.
        grounds: the consents, permits first.
        reason: code of DECISION.md 8.
    """

    row: RecordRow
    asked: frozenset[Category]
    grounds: tuple[Ground, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """Explains one practitioner's rows.

    Attributes:
        worklist: his.
    """

    worklist: Worklist

    @property
    def machine(self) -> Machine:
        """This installation."""
        return self.worklist.machine

    def explain(self, row: RecordRow) -> Explanation:
        """Return how a row was decided.

        Raises:
            CustodianRefusal, LedgerDamagedError: as they say.
        """
        requests = {each.answered_by: each for each in self.worklist.requests.rows()}
        named = tuple(dict.fromkeys(each for each in (row.consent_id, *row.consents, *row.overridden) if each))
        grounds = [ground for each in named for ground in self._grounds(row, each, requests.get(each))]
        grounds.sort(key=lambda ground: ground.stand is not Stand.PERMITS)
        asked = requests[row.consent_id].asked.categories if row.consent_id in requests else frozenset()
        return Explanation(row, asked, tuple(grounds), row.reason or _reason(row))

    def lines(self, patient_id: str) -> tuple[PatientRef, tuple[RecordRow, ...], tuple[OpeningRow, ...]]:
        """Return a patient, her lines and his own openings.

        Raises:
            LookupError: he was never introduced to this patient.
            CustodianRefusal, LedgerDamagedError: as they say.
        """
        patient = self.worklist.patients.read(patient_id)
        return patient, self.worklist.of_patient(patient), read_log(self.worklist, patient)

    def _grounds(self, row: RecordRow, consent_id: str, request: RequestRow | None) -> list[Ground]:
        value = self.machine.find("consent", row.patient.patient_id, consent_id)
        if value is None:
            return []
        status = str(value["status"])
        at, event = _moment(value, status)
        block = self._block(event, consent_id)
        if request is None:
            permitted = row.can_open and consent_id == row.consent_id
            return [
                Ground(
                    consent_id, _stand(status, permitted=permitted), frozenset(), by_patient=True, at=at, block=block
                )
            ]
        if request.state is RequestState.WAITING:
            return [Ground(consent_id, Stand.WAITS, request.asked.categories, by_patient=False, at=at, block=block)]
        allowed = (request.allowed or request.asked).categories
        if request.state not in (RequestState.ALLOWED, RequestState.NARROWED):
            return [Ground(consent_id, _stand(status, permitted=False), allowed, by_patient=True, at=at, block=block)]
        grounds = [Ground(consent_id, Stand.PERMITS, allowed, by_patient=True, at=at, block=block)]
        left_out = frozenset(each for each in request.asked.categories - allowed if each == row.category)
        if left_out:
            grounds.append(Ground(consent_id, Stand.LEAVES_OUT, left_out, by_patient=True, at=at, block=block))
        return grounds

    def _block(self, event: str, consent_id: str) -> int:
        blocks = (
            each.block
            for each in self.machine.replica.events()
            if each.name == event and each.payload.get("consent_id") == consent_id
        )
        return next(blocks, -1)


def _stand(status: str, *, permitted: bool) -> Stand:
    if status == "rejected":
        return Stand.REFUSES
    if status == "active":
        return Stand.PERMITS if permitted else Stand.REFUSES
    return Stand.ENDED


def _moment(value: Mapping[str, Json], status: str) -> tuple[int, str]:
    """Return when a consent came into its state, and the name of the event that said so."""
    member, event = {
        "proposed": ("proposed_at", "ConsentProposed"),
        "active": ("granted_at", "ConsentGranted"),
        "rejected": ("ended_at", "ConsentRejected"),
        "entered-in-error": ("ended_at", "ConsentWithdrawn"),
    }.get(status, ("ended_at", "ConsentRevoked"))
    at = value[member]
    return (0 if at is None else integer(at)), event


def _reason(row: RecordRow) -> str:
    return {
        RowState.WAITING: "NOT_ACTIVE",
        RowState.DENIED: "DENIED_BY_CONSENT",
        RowState.ENDED: "EXPIRED",
        RowState.WITHHELD: "LABEL_NOT_COVERED",
    }.get(row.state, "PERMITTED_BY_CONSENT")
