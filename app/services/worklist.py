"""The practitioner's worklist: what he asked for, what he may open, and what is closed to him, each with the reason."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.consent.terms import Category, Terms
from app.custodian.results import IndexRow
from app.services.entries import Access, objects, strings
from app.services.machine import Machine
from app.services.notebook import KeptList, PatientRef
from app.services.openings import Openings, Wanted
from app.services.patients import Patients
from app.services.requests import RequestRow, Requests, RequestState
from ledger.contract.canonical import Json
from ledger.gateway import EndorseError

_DAY: Final = 86_400
_PAGE: Final = 32


class RowState(StrEnum):
    """Whether a record is open to the practitioner (SCREENS.md 1.2)."""

    OPEN = "open"
    ENDS_SOON = "ends-soon"
    WAITING = "waiting"
    NOT_LISTED = "not-listed"
    DENIED = "denied"
    WITHHELD = "withheld"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One line of the worklist: a record, or a kind of record of which no more may be known.

    Attributes:
        patient: whose it is.
        state: whether it is open.
        category: of the record, or that was asked for; empty where even that is withheld.
        title: of the record, or empty for a whole kind.
        record_id: of the pair, or empty.
        version: of the record.
        made_on: ISO date, or empty.
        until: when access ends, seconds UTC, or None.
        purpose: code of the purpose it may be opened for.
        consent_id: that decides, or came nearest, or empty.
        reason: code of the decision, or empty.
        consents: that decided, or came nearest where nothing permits.
        overridden: consents that were outvoted.
        terms: that are allowed, or were asked for where nothing is; None if no request of his has to do with it.
        last_opened: when he opened it last, seconds UTC, or None.
        count: how many records a withheld row stands for.
    """

    patient: PatientRef
    state: RowState
    category: str
    title: str = ""
    record_id: str = ""
    version: int = 0
    made_on: str = ""
    until: int | None = None
    purpose: str = "TREAT"
    consent_id: str = ""
    reason: str = ""
    consents: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    terms: Terms | None = None
    last_opened: int | None = None
    count: int = 1

    @property
    def key(self) -> str:
        """What makes a line the same over a refresh."""
        return "/".join((self.patient.patient_id, self.record_id or f"{self.category}/{self.consent_id}/{self.state}"))

    @property
    def can_open(self) -> bool:
        """Opening it would now be permitted."""
        return self.state in (RowState.OPEN, RowState.ENDS_SOON) and bool(self.record_id)

    @property
    def wanted(self) -> Wanted:
        """What an opening names."""
        return Wanted(self.patient.patient_id, self.patient.custodian, self.record_id, self.version)


@dataclass(frozen=True, slots=True)
class Worklist:
    """One practitioner's worklist.

    Attributes:
        patients: whom he knows.
        requests: what he asked for.
        openings: how he opens.
    """

    patients: Patients
    requests: Requests
    openings: Openings

    @property
    def machine(self) -> Machine:
        """This installation."""
        return self.patients.machine

    def rows(self) -> tuple[RecordRow, ...]:
        """Return all lines, newest record first; nothing of a record whose existence was not disclosed."""
        requests = self.requests.rows()
        rows = [row for patient in self.patients.known() for row in self._of(patient, requests)]
        return tuple(sorted(rows, key=lambda row: (row.made_on, row.patient.name, row.category), reverse=True))

    def list_records(self, patient: PatientRef, purpose: str) -> tuple[RecordRow, ...]:
        """Have a patient's list of records released, which is an entry of its own, and return her lines.

        Raises:
            DeniedError: recorded as denied.
            CustodianRefusal, GatewayError, UnsettledError: as they say.
        """
        released = self.openings.index(patient.patient_id, patient.custodian, purpose)
        kept = KeptList(released.access_id, released.released_at, released.rows, released.withheld)
        self.patients.notebook.keep_list(patient.patient_id, kept)
        return tuple(self._of(patient, self.requests.rows()))

    def of_patient(self, patient: PatientRef) -> tuple[RecordRow, ...]:
        """Return the lines of one patient."""
        return tuple(self._of(patient, self.requests.rows()))

    def _of(self, patient: PatientRef, requests: tuple[RequestRow, ...]) -> Iterator[RecordRow]:
        mine = [row for row in requests if row.patient.patient_id == patient.patient_id]
        allowed = [row for row in mine if row.state in (RequestState.ALLOWED, RequestState.NARROWED)]
        kept = self.patients.notebook.read().lists.get(patient.patient_id)
        if kept is not None and not allowed:
            self.patients.notebook.drop_list(patient.patient_id)
            kept = None
        yield from _asked(patient, mine)
        for request in allowed:
            yield from _left_out(patient, request)
        if kept is None or any((row.decided_at or 0) > kept.at for row in allowed):
            yield from (each for request in allowed for each in _not_listed(patient, request, self.machine.clock()))
        if kept is not None:
            yield from self._listed(patient, kept, allowed)
            if kept.withheld:
                yield RecordRow(patient, RowState.WITHHELD, "", count=kept.withheld, reason="LABEL_NOT_COVERED")

    def _listed(self, patient: PatientRef, kept: KeptList, allowed: list[RequestRow]) -> Iterator[RecordRow]:
        purpose = allowed[0].asked.purpose[1]
        opened, terms = self._opened(patient.patient_id), {row.answered_by: row.allowed for row in allowed}
        for start in range(0, len(kept.rows), _PAGE):
            page = kept.rows[start : start + _PAGE]
            for row, item in zip(page, self._previewed(patient, page, purpose), strict=True):
                decided = _decided(patient, row, item, purpose, self._ends(allowed, item), self.machine.clock())
                yield replace(decided, last_opened=opened.get(row.record_id), terms=terms.get(decided.consent_id))

    def _opened(self, patient_id: str) -> dict[str, int]:
        """Return when he opened each of a patient's records last."""
        opened: dict[str, int] = {}
        for _, value in self.machine.scan("access", patient_id):
            access = Access.of(value)
            if access.subject == self.patients.subject and access.kind == "open" and not access.denied:
                opened |= {record: max(access.at, opened.get(record, 0)) for record in access.records}
        return opened

    def _previewed(self, patient: PatientRef, page: tuple[IndexRow, ...], purpose: str) -> list[dict[str, Json]]:
        arguments = {
            "patient_id": patient.patient_id,
            "kind": "open",
            "action": "access",
            "device": "",
            "purpose": purpose,
            "items": [{"record_id": row.record_id, "version": row.version} for row in page],
            "release_key_hash": "",
            "emergency_id": "",
        }
        try:
            answer = self.machine.gateway.evaluate(self.patients.signer, "PreviewDecision", arguments)
        except EndorseError as error:
            return [{"outcome": "deny", "reason": error.code, "deciding": [], "overridden": []} for _ in page]
        return objects(answer["items"]) if isinstance(answer, dict) else []

    def _ends(self, allowed: list[RequestRow], item: dict[str, Json]) -> int | None:
        deciding = {name.rpartition("#")[0] for name in strings(item["deciding"])}
        ends = [row.until for row in allowed if row.answered_by in deciding and row.until is not None]
        return max(ends, default=None)


def _asked(patient: PatientRef, requests: list[RequestRow]) -> Iterator[RecordRow]:
    """Yield kinds that wait, were refused or have ended."""
    states = {
        RequestState.WAITING: RowState.WAITING,
        RequestState.REFUSED: RowState.DENIED,
        RequestState.ENDED: RowState.ENDED,
    }
    for request in requests:
        state = states.get(request.state)
        if state is None:
            continue
        terms = request.allowed if request.state is RequestState.ENDED and request.allowed else request.asked
        for category in _ordered(terms.categories):
            yield _kind(patient, state, category, request)


def _left_out(patient: PatientRef, request: RequestRow) -> Iterator[RecordRow]:
    """Yield the kinds that the patient took out of a request before she signed."""
    if request.allowed is not None:
        for category in _ordered(request.asked.categories - request.allowed.categories):
            yield replace(_kind(patient, RowState.DENIED, category, request), reason="CATEGORY_NOT_COVERED")


def _not_listed(patient: PatientRef, request: RequestRow, now: int) -> Iterator[RecordRow]:
    """Yield the kinds that are open, but of which no list was asked for since they are."""
    for category in _ordered((request.allowed or request.asked).categories):
        row = _kind(patient, RowState.NOT_LISTED, category, request)
        if request.until is None or request.until > now:
            yield replace(row, until=request.until)


def _kind(patient: PatientRef, state: RowState, category: Category, request: RequestRow) -> RecordRow:
    return RecordRow(
        patient,
        state,
        category.value,
        until=request.until,
        purpose=request.asked.purpose[1],
        consent_id=request.answered_by,
        terms=request.allowed or request.asked,
    )


def _decided(
    patient: PatientRef, row: IndexRow, item: dict[str, Json], purpose: str, until: int | None, now: int
) -> RecordRow:
    permitted = item["outcome"] == "permit"
    soon = until is not None and until - now < _DAY
    deciding = [name.rpartition("#")[0] for name in strings(item["deciding"]) or strings(item.get("nearest", []))]
    return RecordRow(
        patient=patient,
        state=(RowState.ENDS_SOON if soon else RowState.OPEN) if permitted else RowState.DENIED,
        category=row.category,
        title=row.display,
        record_id=row.record_id,
        version=row.version,
        made_on=row.date,
        until=until,
        purpose=purpose,
        consent_id=deciding[0] if deciding else "",
        reason=str(item["reason"]),
        consents=tuple(dict.fromkeys(deciding)),
        overridden=tuple(sorted({name.rpartition("#")[0] for name in strings(item["overridden"])})),
    )


def _ordered(categories: frozenset[Category]) -> list[Category]:
    return [category for category in Category if category in categories]
