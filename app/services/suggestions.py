"""A diagnostic suggestion: approved, consented, recorded, answered by a person (ATTACKS.md A21; D4, D5, D9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from app.services.entries import integer, objects
from app.services.machine import Machine
from app.services.models import BundledModel, ModelStatus, approved_hashes, bundled_models, status_of
from app.services.openings import Opened, Openings
from app.services.patients import Patients
from app.services.submission import Submission
from diagnostics.applicability import Declined
from diagnostics.model import Model, ModelError, load_model
from diagnostics.suggestion import Suggestion, suggest
from ledger.commitments import commitment
from ledger.contract.canonical import Json, encode
from ledger.gateway import Commit

LEVEL = 0.98
"""The site's limit, until a hospital sets its own."""


class NotRunError(Exception):
    """The model did not run: it is not approved, suspended, or not the one that was approved.

    Attributes:
        code: ``not-approved``, ``suspended``, ``changed`` or ``missing``.
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
class QueueRow:
    """A suggestion that waits for a verdict.

    Attributes:
        patient_id: of the pair.
        suggestion_id: on the ledger.
        outcome: certain, uncertain or declined.
        at: seconds UTC.
        by: subject of the one who asked for it.
        verdicts: how many were given.
    """

    patient_id: str
    suggestion_id: str
    outcome: str
    at: int
    by: str
    verdicts: int


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
            "commitment": commitment(self.machine.random(32), encode(_statement(opened, loaded, values, result))),
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
        """Record his verdict; it cannot be changed, only followed by another.

        Args:
            answer: the suggestion.
            verdict: accept, override or second-reader.
            reading: his own reading if he overrides: benign, malignant or neither.
            reason_code: disagree, quality or other-evidence; needed to override.
            text: free text; it stays in this hospital, its salted commitment goes on the ledger.
            pin: his.

        Raises:
            ProfileError: not his PIN.
            GatewayError, UnsettledError: as they say.
        """
        self.reauthenticate(pin)
        patient_id = answer.opened.wanted.patient_id
        self.machine.catch_up()
        stored = self.machine.find("suggestion", patient_id, answer.suggestion_id) or {}
        number = len(objects(stored["verdicts"])) + 1 if stored else 1
        statement: dict[str, Json] = {"type": "verdict", "reading": reading, "text": text, "verdict": verdict}
        arguments = {
            "patient_id": patient_id,
            "suggestion_id": answer.suggestion_id,
            "number": number,
            "verdict": verdict,
            "reason_code": reason_code,
            "commitment": commitment(self.machine.random(32), encode(statement)),
        }
        return Submission(self.machine.gateway, self.patients.signer).send("RecordVerdict", arguments)

    def queue(self) -> tuple[QueueRow, ...]:
        """Return the suggestions about his patients that wait for a verdict, oldest first."""
        self.machine.catch_up()
        rows = [
            QueueRow(
                key[1],
                key[2],
                str(value["outcome"]),
                integer(value["at"]),
                str(value["by"]["subject"]) if isinstance(value["by"], dict) else "",
                len(objects(value["verdicts"])),
            )
            for patient in self.patients.known()
            for key, value in self.machine.scan("suggestion", patient.patient_id)
            if value["status"] == "open"
        ]
        return tuple(sorted(rows, key=lambda row: row.at))

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
