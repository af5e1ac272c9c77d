"""One practitioner's own openings of one patient's records, as he may read them: titles only of records on his list."""

from dataclasses import dataclass

from app.services.entries import Access, integer
from app.services.notebook import PatientRef
from app.services.worklist import Worklist


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One of his openings or attempts.

    Attributes:
        access_id: transaction id of the entry.
        at: seconds UTC.
        kind: ``open``, ``index`` (the list of records) or ``export``.
        records: ids of the records.
        titles: of those records that his list names.
        purpose: code.
        denied: nothing was shown.
        computer: a diagnostic model was to read it.
        reason: code of the decision.
        closed_at: when the purge was stated, or None.
        block: that holds the entry.
    """

    access_id: str
    at: int
    kind: str
    records: tuple[str, ...]
    titles: tuple[str, ...]
    purpose: str
    denied: bool
    computer: bool
    reason: str
    closed_at: int | None
    block: int


def read_log(worklist: Worklist, patient: PatientRef) -> tuple[OpeningRow, ...]:
    """Return his openings of a patient's records, newest first.

    Raises:
        LedgerDamagedError: the ledger does not verify.
    """
    machine = worklist.machine
    machine.catch_up()
    kept = worklist.patients.notebook.read().lists.get(patient.patient_id)
    names = {row.record_id: row.display for row in kept.rows} if kept is not None else {}
    rows = []
    for key, value in machine.scan("access", patient.patient_id):
        access = Access.of(value)
        if access.subject != worklist.patients.subject:
            continue
        purge = machine.find("purge", patient.patient_id, key[2])
        rows.append(
            OpeningRow(
                access_id=key[2],
                at=access.at,
                kind=access.kind,
                records=access.records,
                titles=tuple(names[record] for record in access.records if record in names),
                purpose=access.purpose,
                denied=access.denied,
                computer=bool(access.device),
                reason=access.reason,
                closed_at=None if purge is None else integer(purge["at"]),
                block=machine.committed(patient.patient_id, key[2]).block,
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.at, row.access_id), reverse=True))
