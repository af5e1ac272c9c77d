"""The patient's own records, and who could see each of them, now or on a date (feature C12)."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.custodian.results import Explanation
from app.services.accesses import Who, who
from app.services.entries import objects, strings
from app.services.machine import Machine
from app.services.notebook import PatientRef
from app.services.openings import Opened, Openings, Progress, Wanted
from app.services.pairs import Pair
from app.services.worklist import RecordRow, RowState
from ledger.contract.canonical import Json

OWN_RECORD = "PATRQT"


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """One record of the patient.

    Attributes:
        patient_id: of the pair.
        record_id: of the pair.
        version: the newest.
        category: of the record.
        title: one line.
        made_on: ISO date, or empty.
        grantee: msp_id of the hospital whose people this pair is about.
        hospital: name of the hospital that holds it.
        held: which record of the custodian it is, under whatever id.
    """

    patient_id: str
    record_id: str
    version: int
    category: str
    title: str
    made_on: str
    grantee: str
    hospital: str
    held: str = ""


@dataclass(frozen=True, slots=True)
class CouldSee:
    """Somebody who could have opened a record.

    Attributes:
        who: the person; None for a group, a hospital or everybody.
        kind: ``practitioner``, ``organization``, ``group``, ``role``, ``anyone`` …
        named: msp_id or id of a group or role.
        purposes: codes of the purposes.
        consents: ids of the consents that decide.
        reason: code of the decision.
        grantee: msp_id of the hospital whose people this is about.
    """

    who: Who | None
    kind: str
    named: str
    purposes: tuple[str, ...]
    consents: tuple[str, ...]
    reason: str
    grantee: str = ""


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """One patient's records, over all her pairs.

    Attributes:
        machine: this installation.
        pairs: hers, unlocked.
        openings: how she opens them; each opening is an entry like any other.
    """

    machine: Machine
    pairs: tuple[Pair, ...]
    openings: dict[str, Openings]

    def rows(self) -> tuple[OwnRecord, ...]:
        """Return her records as her own hospital's pair knows them, newest first."""
        self.machine.catch_up()
        own = [pair for pair in self.pairs if pair.grantee == pair.custodian]
        rows = [row for pair in own for row in self._of(pair)]
        return tuple(sorted(rows, key=lambda row: (row.made_on, row.title), reverse=True))

    def open(self, row: OwnRecord, *, progress: Progress) -> Opened:
        """Open one of her own records (purpose PATRQT); see ``Openings.open``."""
        pair = self._pair(row.patient_id)
        wanted = Wanted(row.patient_id, pair.custodian, row.record_id, row.version)
        return self.openings[row.patient_id].open(wanted, OWN_RECORD, progress=progress)

    @property
    def reading(self) -> "OwnReading":
        """Return her records as what opens records of a list wants them (purpose PATRQT)."""
        return OwnReading(self)

    def line(self, row: OwnRecord, name: str) -> RecordRow:
        """Return a record as a line that can be opened; ``name`` is hers."""
        pair = self._pair(row.patient_id)
        return RecordRow(
            patient=PatientRef(row.patient_id, pair.custodian, name, "", ""),
            state=RowState.OPEN,
            category=row.category,
            title=row.title,
            record_id=row.record_id,
            version=row.version,
            made_on=row.made_on,
            purpose=OWN_RECORD,
        )

    def who_could_see(self, row: OwnRecord, at: int) -> tuple[CouldSee, ...]:
        """Return who could have opened a record at a time, in every hospital that knows of it, and by which consents.

        Each hospital knows the record by another id, under another patient id; custodian and patient can join them.

        Raises:
            EndorseError: the query was refused.
        """
        self.machine.catch_up()
        own = self._pair(row.patient_id)
        others = [pair for pair in self.pairs if pair.custodian == own.custodian and pair is not own]
        known = [each for pair in others for each in self._of(pair) if row.held and each.held == row.held]
        return tuple(seen for each in (row, *known) for seen in self._could_see_here(each, at))

    def _could_see_here(self, row: OwnRecord, at: int) -> tuple[CouldSee, ...]:
        pair = self._pair(row.patient_id)
        arguments = {"patient_id": row.patient_id, "record_id": row.record_id, "at": at}
        answer = self.machine.gateway.evaluate(pair.identity, "WhoCouldSee", arguments)
        found = objects(answer["rows"]) if isinstance(answer, dict) else []
        subjects = sorted({actor[1] for each in found if (actor := strings(each["actor"]))[0] == "practitioner"})
        explained = pair.client.explain(pair.identity, pair.patient_id, subjects)
        return tuple(self._could_see(pair, each, explained) for each in found)

    @property
    def own_openings(self) -> Openings:
        """How she opens the records that her own hospital holds.

        Raises:
            LookupError: her own hospital's pair is not unlocked.
        """
        own = next((pair for pair in self.pairs if pair.grantee == pair.custodian), None)
        if own is None:
            raise LookupError("own hospital")
        return self.openings[own.patient_id]

    def _could_see(self, pair: Pair, row: dict[str, Json], explained: Explanation) -> CouldSee:
        kind, *named = strings(row["actor"])
        person = who(self.machine, pair.grantee, named[0], explained) if kind == "practitioner" else None
        deciding = {name.rpartition("#")[0] for name in strings(row["deciding"])}
        return CouldSee(
            person,
            kind,
            named[0] if named else "",
            tuple(strings(row["purposes"])),
            tuple(sorted(deciding)),
            str(row["reason"]),
            pair.grantee,
        )

    def _of(self, pair: Pair) -> Iterator[OwnRecord]:
        found = {
            key[2]: value for key, value in self.machine.scan("record", pair.patient_id) if value["status"] != "erased"
        }
        if not found:
            return
        explained = pair.client.explain(pair.identity, pair.patient_id, sorted(found))
        for record_id in found:
            text = explained.records.get(record_id)
            if text is not None:
                yield OwnRecord(
                    pair.patient_id,
                    record_id,
                    text.version,
                    text.category,
                    text.display,
                    text.date,
                    pair.grantee,
                    self.machine.hospitals[pair.custodian],
                    text.held,
                )

    def _pair(self, patient_id: str) -> Pair:
        return next(pair for pair in self.pairs if pair.patient_id == patient_id)


@dataclass(frozen=True, slots=True)
class OwnReading:
    """A patient's records for what opens the lines of a worklist: she needs no list released, hers is here already.

    Attributes:
        records: hers.
    """

    records: OwnRecords

    @property
    def openings(self) -> Openings:
        """How she opens them."""
        return self.records.own_openings

    def list_records(self, patient: PatientRef, purpose: str) -> tuple[RecordRow, ...]:
        """Return her records as lines; nothing is released by it."""
        return tuple(self.records.line(row, patient.name) for row in self.records.rows() if purpose == OWN_RECORD)
