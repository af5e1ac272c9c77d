"""A diagnostic suggestion: approved, consented, recorded, answered by a person (ATTACKS.md A21; D4, D5, D9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from app.services.entries import Access, an_object, objects
from app.services.machine import Machine
from app.services.models import BundledModel, ModelStatus, approved_hashes, bundled_models, status_of
from app.services.notebook import PatientRef
from app.services.openings import Opened, Openings
from app.services.patients import Patients
from app.services.submission import Submission
from diagnostics.applicability import Declined
from diagnostics.model import Model, ModelError, load_model
from diagnostics.suggestion import Suggestion, suggest
from ledger.contract.canonical import Json, encode
from ledger.gateway import Commit

LEVEL = 0.98
"""The site's limit, until a hospital sets its own."""


class NotRunError(Exception):
    """The model did not run: it is not approved, suspended, or not the one that was approved.

    Attributes:
        code: ``not-approved``, ``suspended``, ``changed``, ``missing``, or ``no-model`` for this kind of record.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """A recorded suggestion, with what it says; only its salted commitment is on the ledger.

    Attributes:
        suggestion_id: on the ledger.
        opened: the record that it read.
        result: what the model said, or why it declined.
        model: the model's facts.
        status: what the ledger says of the model.
        commit: of the entry.
        device: the tag under which the model was allowed to read.
    """

    suggestion_id: str
    opened: Opened
    result: Suggestion | Declined
    model: Model
    status: ModelStatus
    commit: Commit
    access_id: str

    @property
    def outcome(self) -> str:
        """What stands on the ledger: certain, uncertain or declined."""
        if isinstance(self.result, Declined):
            return "declined"
        return "certain" if self.result.is_certain else "uncertain"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says to a suggestion.

    Attributes:
        verdict: accept, override or second-reader.
        reading: the own reading of one who overrides: benign, malignant or neither.
        reason_code: disagree, quality or other-evidence; needed to override.
        text: free text; it stays in this hospital, its salted commitment goes on the ledger.
    """

    verdict: str
    reading: str = ""
    reason_code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A suggestion that waits for a verdict.

    Attributes:
        patient_id: of the pair.
        suggestion_id: on the ledger.
        outcome: certain, uncertain or declined.
        at: seconds UTC.
        by: subject of the one who asked for it.
        verdicts: how many were given.
        patient: whom it is about.
        record_id: of the record that was read.
        title: of that record if his list names it, else empty.
        for_another: he gave the last verdict himself; a second person has to read.
    """

    patient_id: str
    suggestion_id: str
    outcome: str
    at: int
    by: str
    verdicts: int
    patient: PatientRef
    record_id: str
    title: str
    for_another: bool


@dataclass(frozen=True, slots=True)
class Overrides:
    """How often people overrode suggestions, over all that this machine's ledger holds.

    Attributes:
        overridden: suggestions whose newest verdict is an override.
        answered: suggestions with a verdict.
    """

    overridden: int
    answered: int


@dataclass(frozen=True, slots=True)
class Suggestions:
    """One practitioner's suggestions.

    Attributes:
        patients: whom he knows.
        openings: his open records.
        reauthenticate: raises unless the PIN is his.
    """

    patients: Patients
    openings: Openings
    reauthenticate: Callable[[str], None]

    @property
    def machine(self) -> Machine:
        """This installation."""
        return self.patients.machine

    def model_for(self, category: str) -> BundledModel | None:
        """Return the model for a kind of record, None if there is none; says nothing about approval."""
        return next((model for model in bundled_models() if category == "cytology"), None)

    def run(self, opened: Opened, values: Mapping[str, object], model: BundledModel) -> Answer:
        """Have an approved model judge an open record, and record that.

        Args:
            opened: the record.
            values: one row of it, a value per column.
            model: which model.

        Raises:
            NotRunError: the ledger does not approve the model, or its files are not those that were approved.
            DeniedError: the patient did not allow it; recorded as denied.
            GatewayError, UnsettledError, CustodianRefusal: as they say.
        """
        self.machine.catch_up()
        loaded, status = self._approved(model), status_of(self.machine, model.model_id)
        patient = self.patients.read(opened.wanted.patient_id)
        tags = self.patients.tags(patient, "TREATDS", [opened.manifest.category], "", "")
        access_id = self.openings.permit_inference(opened, tags.devices[model.model_id])
        result = suggest(loaded, opened.manifest.category, values, LEVEL)
        suggestion_id = self.machine.new_id()
        arguments = {
            "patient_id": patient.patient_id,
            "access_id": access_id,
            "suggestion_id": suggestion_id,
            "registry_epoch": status.epoch,
            "outcome": _outcome(result),
            "commitment": self.patients.notebook.commit_to(
                patient.patient_id, f"{suggestion_id}#0", encode(_statement(opened, loaded, values, result))
            ),
        }
        commit = Submission(self.machine.gateway, self.patients.signer).send("RecordSuggestion", arguments)
        return Answer(suggestion_id, opened, result, loaded, status, commit, access_id)

    def card_was_read(self, model_hash: str) -> bool:
        """Tell whether he has read the model card of this version."""
        return model_hash in self.patients.notebook.read().cards_read

    def keep_card_read(self, model_hash: str) -> None:
        """Keep that he has read it."""
        self.patients.notebook.keep_card_read(model_hash)

    def answer(self, answer: Answer, verdict: str, reading: str, reason_code: str, text: str, pin: str) -> Commit:
        """Record his verdict on a suggestion that he sees; see ``give_verdict``."""
        given = Verdict(verdict, reading, reason_code, text)
        return self.give_verdict(answer.opened.wanted.patient_id, answer.suggestion_id, given, pin)

    def give_verdict(self, patient_id: str, suggestion_id: str, verdict: Verdict, pin: str) -> Commit:
        """Record his verdict; it cannot be changed, only followed by another.

        Args:
            patient_id: of the pair.
            suggestion_id: on the ledger.
            verdict: his.
            pin: his.

        Raises:
            ProfileError: not his PIN.
            GatewayError, UnsettledError: as they say.
        """
        self.reauthenticate(pin)
        self.machine.catch_up()
        stored = self.machine.find("suggestion", patient_id, suggestion_id) or {}
        number = len(objects(stored["verdicts"])) + 1 if stored else 1
        statement: dict[str, Json] = {
            "type": "verdict",
            "reading": verdict.reading,
            "text": verdict.text,
            "verdict": verdict.verdict,
        }
        arguments = {
            "patient_id": patient_id,
            "suggestion_id": suggestion_id,
            "number": number,
            "verdict": verdict.verdict,
            "reason_code": verdict.reason_code,
            "commitment": self.patients.notebook.commit_to(patient_id, f"{suggestion_id}#{number}", encode(statement)),
        }
        return self.machine.submission(self.patients.signer).send("RecordVerdict", arguments)

    def queue(self) -> tuple[QueueRow, ...]:
        """Return the suggestions about his patients that wait for a verdict, oldest first."""
        self.machine.catch_up()
        rows = [
            self._row(patient, key[2], value)
            for patient in self.patients.known()
            for key, value in self.machine.scan("suggestion", patient.patient_id)
            if value["status"] == "open"
        ]
        return tuple(sorted(rows, key=lambda row: row.at))

    def open_model(self, category: str) -> tuple[BundledModel, Model, ModelStatus]:
        """Return the approved model for a kind of record, verified, with what the ledger says of it.

        Raises:
            NotRunError: there is none, the ledger does not approve it, or its files are not those that were approved.
        """
        self.machine.catch_up()
        bundled = self.model_for(category)
        if bundled is None:
            raise NotRunError("no-model")
        return bundled, self._approved(bundled), status_of(self.machine, bundled.model_id)

    def overrides(self) -> Overrides:
        """Return how often suggestions were overridden."""
        verdicts = [objects(value["verdicts"]) for _, value in self.machine.scan("suggestion")]
        answered = [given[-1]["verdict"] for given in verdicts if given]
        return Overrides(answered.count("override"), len(answered))

    def _row(self, patient: PatientRef, suggestion_id: str, value: dict[str, Json]) -> QueueRow:
        patient_id, by, verdicts = patient.patient_id, an_object(value["by"]), objects(value["verdicts"])
        found = self.machine.find("access", patient_id, str(value["access_id"]))
        access = None if found is None else Access.of(found)
        record_id = access.records[0] if access is not None and access.records else ""
        kept = self.patients.notebook.read().lists.get(patient_id)
        titles = {row.record_id: row.display for row in kept.rows} if kept is not None else {}
        last = str(an_object(verdicts[-1]["by"])["subject"]) if verdicts else ""
        return QueueRow(
            patient_id=patient_id,
            suggestion_id=suggestion_id,
            outcome=str(value["outcome"]),
            at=0 if access is None else access.at,
            by=str(by["subject"]),
            verdicts=len(verdicts),
            patient=patient,
            record_id=record_id,
            title=titles.get(record_id, ""),
            for_another=last == self.patients.subject,
        )

    def _approved(self, model: BundledModel) -> Model:
        try:
            return load_model(model.folder, approved_hashes(self.machine))
        except ModelError as error:
            status = status_of(self.machine, model.model_id).status
            raise NotRunError("suspended" if status == "suspended" else error.code) from None


def _outcome(result: Suggestion | Declined) -> str:
    if isinstance(result, Declined):
        return "declined"
    return "certain" if result.is_certain else "uncertain"


def _statement(
    opened: Opened, model: Model, values: Mapping[str, object], result: Suggestion | Declined
) -> dict[str, Json]:
    """Return what the ledger's commitment is to: record, version, model, output and inputs (PROTOCOL.md C, A21)."""
    inputs = encode({name: str(value) for name, value in values.items()})
    stated: dict[str, Json] = {
        "type": "suggestion",
        "record_id": opened.wanted.record_id,
        "version": opened.wanted.version,
        "model_hash": model.model_hash,
        "inputs": sha256(inputs).hexdigest(),
        "outcome": _outcome(result),
    }
    if isinstance(result, Suggestion):
        stated |= {"label": result.label, "probability": f"{result.probability:.9f}", "level": f"{result.level:.4f}"}
    else:
        stated |= {"reason": str(result.reason), "fields": list(result.fields)}
    return stated
