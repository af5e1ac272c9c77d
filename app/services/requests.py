"""Asking a patient for access: what is asked, what she will read, and what came of it (features C1, C10)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.consent import codes
from app.consent.artefact import Artefact, Signing, sharing
from app.consent.compile import Compiled, compile_consent
from app.consent.reading import UnreadableError, read_artefact
from app.consent.refusal import Refusal
from app.consent.sentences import preview
from app.consent.terms import AI_CATEGORIES, Grantee, GranteeKind, Party, Terms
from app.custodian.results import StoredRequest
from app.services.drafts import REASON_MAX, Draft
from app.services.entries import integer
from app.services.machine import Machine
from app.services.notebook import PatientRef
from app.services.patients import Patients
from app.services.submission import Submission
from ledger.commitments import commitment
from ledger.contract.canonical import Json, decode, encode


class Gap(StrEnum):
    """What is still missing from a draft; the page words it and puts the focus there."""

    NO_CATEGORY = "no-category"
    DATES_CROSSED = "dates-crossed"
    NO_REASON = "no-reason"
    REASON_TOO_LONG = "reason-too-long"
    NO_STUDY = "no-study"


class RequestState(StrEnum):
    """What became of a request."""

    WAITING = "waiting"
    ALLOWED = "allowed"
    NARROWED = "narrowed"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request and its answer.

    Attributes:
        consent_id: of the ledger.
        patient: whom it went to.
        state: what became of it.
        asked: the terms that were asked for.
        allowed: the terms that were signed, or None.
        sent_at: seconds UTC.
        decided_at: seconds UTC, or None.
        until: when an allowed one ends, or None.
        answered_by: the consent that answers it now: its own, or the one with which the patient made that smaller.
    """

    consent_id: str
    patient: PatientRef
    state: RequestState
    asked: Terms
    allowed: Terms | None
    sent_at: int
    decided_at: int | None
    until: int | None
    answered_by: str = ""

    @property
    def short_id(self) -> str:
        """What people read instead of the id."""
        return short_id(self.consent_id)


def short_id(consent_id: str) -> str:
    """Return the form in which people read a consent's id."""
    return f"C-{consent_id[:4].upper()}"


class UncompilableError(Exception):
    """The terms make no consent; the code is DECISION.md's."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal.code))
        self.code = str(refusal.code)


@dataclass(frozen=True, slots=True)
class Requests:
    """One practitioner's requests.

    Attributes:
        patients: whom he may ask.
        name: his name, as patients read it.
        zone: the hospital's fixed offset.
    """

    patients: Patients
    name: str
    zone: str

    @property
    def machine(self) -> Machine:
        """This installation."""
        return self.patients.machine

    def gaps(self, draft: Draft) -> tuple[Gap, ...]:
        """Return what is still missing, in the order of the form."""
        found = {
            Gap.NO_CATEGORY: not draft.categories,
            Gap.DATES_CROSSED: bool(draft.last_day) and draft.first_day > draft.last_day,
            Gap.NO_REASON: not draft.reason.strip(),
            Gap.REASON_TOO_LONG: len(draft.reason) > REASON_MAX,
            Gap.NO_STUDY: draft.purpose == "HRESCH" and not draft.study.strip(),
        }
        return tuple(gap for gap, holds in found.items() if holds)

    def terms(self, draft: Draft) -> Terms:
        """Return what a draft asks for."""
        signer = self.patients.signer
        grantee = Grantee(
            GranteeKind.PRACTITIONER,
            signer.msp_id,
            self.machine.hospitals[signer.msp_id],
            name=self.name,
            subject=self.patients.subject,
        )
        readable = bool(draft.categories & AI_CATEGORIES)
        return Terms(
            grantee=grantee,
            purpose=(codes.ACT_REASON, draft.purpose),
            categories=draft.categories,
            keep_open_days=draft.days,
            made_from=draft.first_day,
            made_until=draft.last_day,
            ai_inference=draft.ai and readable,
            ai_training=draft.training and readable,
        )

    def preview(self, draft: Draft, language: str) -> tuple[str, ...]:
        """Return what the patient will read, sentence by sentence.

        Raises:
            ValueError: the draft has gaps that leave no sentence.
        """
        patient = self.patients.read(draft.patient_id)
        return preview(sharing(self.terms(draft), self._signing(patient, "preview")), language)

    def send(self, draft: Draft) -> str:
        """Ask the patient; returns the id of the consent that is now proposed.

        Raises:
            ValueError: the draft has gaps.
            CustodianRefusal, GatewayError, UnsettledError: as they say.
        """
        if self.gaps(draft):
            raise ValueError(self.gaps(draft))
        patient, terms = self.patients.read(draft.patient_id), self.terms(draft)
        tags = self.patients.tags(
            patient, draft.purpose, [str(each) for each in sorted(draft.categories)], draft.first_day, draft.last_day
        )
        consent_id, salt = self.machine.new_id(), self.machine.random(32)
        artefact = sharing(terms, self._signing(patient, consent_id))
        compiled = _compiled(compile_consent(artefact.consent, artefact.context, tags.tag))
        reason = draft.reason.strip() + (f" ({draft.study.strip()})" if draft.study.strip() else "")
        self.machine.custodians[patient.custodian].store_request(
            self.patients.signer,
            patient.patient_id,
            consent_id,
            text=encode(terms.to_wire()).decode(),
            reason=reason,
            salt=salt,
        )
        arguments = {
            "patient_id": patient.patient_id,
            "consent_id": consent_id,
            **compiled.terms(),
            "retention_days": artefact.retention_days,
            "reason_commitment": commitment(salt, reason.encode()),
        }
        Submission(self.machine.gateway, self.patients.signer).send("ProposeConsent", arguments)
        return consent_id

    def rows(self) -> tuple[RequestRow, ...]:
        """Return his requests, newest first."""
        self.machine.catch_up()
        rows = [row for patient in self.patients.known() for row in self._of(patient)]
        return tuple(sorted(rows, key=lambda row: row.sent_at, reverse=True))

    def _of(self, patient: PatientRef) -> Iterator[RequestRow]:
        every = {key[2]: value for key, value in self.machine.scan("consent", patient.patient_id)}
        replaced_by = {str(value["replaces"]): key for key, value in every.items() if value["granted"] is not None}
        newest = {
            key: _newest(replaced_by, key) for key, value in every.items() if value["proposer"] == self.patients.subject
        }
        if not newest:
            return
        client = self.machine.custodians[patient.custodian]
        explained = client.explain(self.patients.signer, patient.patient_id, sorted({*newest, *newest.values()}))
        for consent_id, answer_id in newest.items():
            request = explained.requests.get(consent_id)
            artefact = explained.artefacts.get(answer_id)
            if request is not None:
                allowed = None if artefact is None else Artefact.from_bytes(artefact.content)
                sent_at = integer(every[consent_id]["proposed_at"])
                asked = _Asked(consent_id, patient, request, sent_at)
                yield _row(asked, answer_id, every[answer_id], allowed, self.machine.clock())

    def _signing(self, patient: PatientRef, consent_id: str) -> Signing:
        party = Party(patient.patient_id, patient.custodian, self.machine.hospitals[patient.custodian], zone=self.zone)
        return Signing(party, consent_id, self.machine.clock(), status="proposed")


def asked_terms(request: StoredRequest) -> Terms:
    """Return the terms of a stored request.

    Raises:
        ContractError: ``malformed``; it was not written by Assent.
    """
    return Terms.from_wire(decode(request.text.encode()))


def signed_terms(artefact: Artefact) -> Terms | None:
    """Return the terms of a signed sharing; None if the artefact did not come from our dialog."""
    try:
        return read_artefact(artefact).terms
    except UnreadableError:
        return None


def _newest(replaced_by: Mapping[str, str], consent_id: str) -> str:
    """Return the last of the consents that replace one another; each replaced an active one, so there is no circle."""
    while consent_id in replaced_by:
        consent_id = replaced_by[consent_id]
    return consent_id


def _compiled(result: Compiled | Refusal) -> Compiled:
    if isinstance(result, Refusal):
        raise UncompilableError(result)
    return result


@dataclass(frozen=True, slots=True)
class _Asked:
    consent_id: str
    patient: PatientRef
    request: StoredRequest
    sent_at: int


def _row(sent: _Asked, answer_id: str, value: dict[str, Json], artefact: Artefact | None, now: int) -> RequestRow:
    asked = asked_terms(sent.request)
    allowed = None if artefact is None else signed_terms(artefact)
    granted = value["granted"]
    base = granted["base"] if isinstance(granted, dict) else None
    until = base["valid_until"] if isinstance(base, dict) else None
    decided = value["granted_at"] if value["granted_at"] is not None else value["ended_at"]
    return RequestRow(
        consent_id=sent.consent_id,
        patient=sent.patient,
        state=_state(str(value["status"]), asked, allowed, until, now),
        asked=asked,
        allowed=allowed,
        sent_at=sent.sent_at,
        decided_at=None if decided is None else integer(decided),
        until=None if until is None else integer(until),
        answered_by=answer_id,
    )


def _state(status: str, asked: Terms, allowed: Terms | None, until: Json, now: int) -> RequestState:
    if status == "active":
        over = isinstance(until, int) and until <= now
        if over:
            return RequestState.ENDED
        return RequestState.ALLOWED if allowed == asked else RequestState.NARROWED
    return {"proposed": RequestState.WAITING, "rejected": RequestState.REFUSED}.get(status, RequestState.ENDED)
