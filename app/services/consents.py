"""The patient's consents: what is in force, what was refused, and how it is stopped (features C5, C11)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.consent.artefact import Artefact, Signing, block
from app.consent.compile import compile_consent
from app.consent.reading import UnreadableError
from app.consent.refusal import Refusal
from app.consent.sentences import sentences
from app.consent.tags import tag
from app.consent.terms import Grantee, GranteeKind, Party, Terms
from app.custodian.artefacts import proposer_of
from app.identity.cards import Card
from app.identity.certificates import Role
from app.services import pairs
from app.services.accesses import Who, who
from app.services.entries import Access, an_object, integer
from app.services.machine import Machine
from app.services.pairs import Pair
from app.services.receipts import Receipt, find_receipt
from app.services.requests import short_id, signed_terms
from app.services.submission import Submission
from ledger.commitments import commitment
from ledger.contract.canonical import Json
from ledger.gateway import Commit

_AT_A_TIME: Final = 1000
"""Ids that a custodian explains at once."""


class ConsentState(StrEnum):
    """Where a consent is in its life."""

    ACTIVE = "active"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One consent, as its patient reads it.

    Attributes:
        consent_id: of the ledger.
        patient_id: of the pair.
        state: where it is in its life.
        denies: it refuses somebody something.
        asked_by: who asked for it, or for the one that it replaces; None if the patient made it herself.
        sentences: what was signed, in the patient's language.
        given_at: seconds UTC, None if it never was.
        ends_at: seconds UTC, None for no end.
        times_opened: how many openings it decided.
        terms: what was signed, of a sharing in our words; else None.
    """

    consent_id: str
    patient_id: str
    state: ConsentState
    denies: bool
    asked_by: Who | None
    sentences: tuple[str, ...]
    given_at: int | None
    ends_at: int | None
    times_opened: int
    terms: Terms | None = None

    @property
    def short_id(self) -> str:
        """What people read instead of the id."""
        return short_id(self.consent_id)


@dataclass(frozen=True, slots=True)
class Consents:
    """One patient's consents, over all her pairs.

    Attributes:
        machine: this installation.
        card: hers; with her PIN it signs.
        pairs: hers, unlocked.
        language: hers.
        zone: her hospital's fixed offset.
    """

    machine: Machine
    card: Card
    pairs: tuple[Pair, ...]
    language: str
    zone: str

    def rows(self) -> tuple[ConsentRow, ...]:
        """Return her consents and refusals, active ones first, then newest first."""
        self.machine.catch_up()
        rows = [row for pair in self.pairs for row in self._of(pair)]
        return tuple(sorted(rows, key=lambda row: (row.state is not ConsentState.ACTIVE, -(row.given_at or 0))))

    def stop(self, row: ConsentRow, pin: str) -> Commit:
        """End a consent at once; what is open under it closes within seconds.

        Raises:
            WrongPinError: not her PIN.
            GatewayError, UnsettledError: as they say.
        """
        pairs.check_pin(self.machine, self.card, pin)
        pair = self._pair(row.patient_id)
        arguments = {"patient_id": row.patient_id, "consent_id": row.consent_id}
        return self.machine.submission(pair.identity).send("RevokeConsent", arguments)

    def block_person(self, person: Who, pin: str, *, emergency_opens: bool) -> Commit:
        """Refuse one named person everything; a consent of its own that overrides every permission (C11).

        Raises:
            WrongPinError: not her PIN.
            LookupError: the person's hospital is no grantee of hers.
            CustodianRefusal, GatewayError, UnsettledError: as they say.
        """
        pairs.check_pin(self.machine, self.card, pin)
        pair = next((pair for pair in self.pairs if pair.grantee == person.msp_id), None)
        if pair is None:
            raise LookupError(person.msp_id)
        grantee = Grantee(
            GranteeKind.PRACTITIONER, person.msp_id, person.hospital, name=person.name, subject=person.subject
        )
        consent_id = self.machine.new_id()
        party = Party(pair.patient_id, pair.custodian, self.machine.hospitals[pair.custodian], zone=self.zone)
        signing = Signing(party, consent_id, self.machine.clock(), self.language)
        return grant(self.machine, pair, consent_id, block(grantee, signing, emergency_opens=emergency_opens))

    def people(self) -> tuple[Who, ...]:
        """Return whom she could block: the practitioners of the hospitals whose people may ask for her records."""
        found = {each.subject: each for pair in self.pairs for each in staff(self.machine, pair)}
        return tuple(sorted(found.values(), key=lambda each: each.name))

    def tells_withheld(self) -> dict[str, bool]:
        """Return by hospital (msp_id) whether its people are told that a hidden record exists."""
        return {pair.grantee: pair.client.tells_withheld(pair.identity, pair.patient_id) for pair in self.pairs}

    def tell_withheld(self, *, on: bool) -> None:
        """Choose, for all hospitals, whether their people are told that a hidden record exists (SCREENS.md 6.1).

        Raises:
            CustodianRefusal: as it says.
        """
        for pair in self.pairs:
            pair.client.tell_withheld(pair.identity, pair.patient_id, on=on)

    def receipt(self, row: ConsentRow) -> Receipt:
        """Return the receipt of a consent that was given.

        Raises:
            LookupError: the ledger holds no grant of it.
        """
        return find_receipt(self.machine, self._pair(row.patient_id), row.consent_id)

    def _pair(self, patient_id: str) -> Pair:
        return next(pair for pair in self.pairs if pair.patient_id == patient_id)

    def _of(self, pair: Pair) -> Iterator[ConsentRow]:
        found = {key[2]: value for key, value in self.machine.scan("consent", pair.patient_id)}
        decided = {name: value for name, value in found.items() if value["status"] != "proposed"}
        if not decided:
            return
        proposers = {consent_id: proposer_of(found.get, consent_id) for consent_id in decided}
        replaced = {str(value["replaces"]) for value in decided.values()}
        ids = {*decided, *proposers.values()} - {""}
        explained = pair.client.explain(pair.identity, pair.patient_id, sorted(ids))
        opened = [Access.of(value) for _, value in self.machine.scan("access", pair.patient_id)]
        for consent_id, value in decided.items():
            artefact = explained.artefacts.get(consent_id)
            proposer = proposers[consent_id]
            asked_by = who(self.machine, pair.grantee, proposer, explained) if proposer else None
            times = sum(consent_id in access.consents and not access.denied for access in opened)
            row = self._row(pair, consent_id, value, asked_by, times)
            if artefact is not None:
                signed = Artefact.from_bytes(artefact.content)
                row = replace(row, sentences=self._words(signed), terms=signed_terms(signed))
            yield replace(row, state=ConsentState.REPLACED) if consent_id in replaced else row

    def _row(
        self,
        pair: Pair,
        consent_id: str,
        value: dict[str, Json],
        asked_by: Who | None,
        times: int,
    ) -> ConsentRow:
        granted = value["granted"]
        base = an_object(an_object(granted)["base"]) if granted is not None else {}
        until, given = base.get("valid_until"), value["granted_at"]
        return ConsentRow(
            consent_id=consent_id,
            patient_id=pair.patient_id,
            state=_state(str(value["status"]), until, self.machine.clock()),
            denies=base.get("type") == "deny",
            asked_by=asked_by,
            sentences=(),
            given_at=None if given is None else integer(given),
            ends_at=None if until is None else integer(until),
            times_opened=times,
        )

    def _words(self, artefact: Artefact) -> tuple[str, ...]:
        try:
            return sentences(artefact, self.language)
        except UnreadableError:
            return ()


def staff(machine: Machine, pair: Pair) -> tuple[Who, ...]:
    """Return the practitioners of a pair's hospital whose badge can be shown, by name."""
    machine.catch_up()
    subjects = [
        key[2] for key, value in machine.scan("member", pair.grantee) if str(value["role"]) == Role.PRACTITIONER.value
    ]
    people = []
    for start in range(0, len(subjects), _AT_A_TIME):
        some = subjects[start : start + _AT_A_TIME]
        explained = pair.client.explain(pair.identity, pair.patient_id, some)
        people += [who(machine, pair.grantee, subject, explained) for subject in some]
    return tuple(sorted((each for each in people if each.name), key=lambda each: each.name))


def grant(machine: Machine, pair: Pair, consent_id: str, artefact: Artefact, replaces: str = "") -> Commit:
    """Leave an artefact with the custodian and have it recorded, signed by the patient's key.

    Raises:
        CustodianRefusal, GatewayError, UnsettledError: as they say.
    """
    content, salt = artefact.to_bytes(), machine.random(32)
    compiled = compile_consent(artefact.consent, artefact.context, tag(pair.tag_key))
    if isinstance(compiled, Refusal):
        raise TypeError(compiled)
    pair.client.store_consent(pair.identity, pair.patient_id, consent_id, content, salt)
    arguments = {
        "patient_id": pair.patient_id,
        "consent_id": consent_id,
        **compiled.terms(),
        "retention_days": artefact.retention_days,
        "artefact_commitment": commitment(salt, content),
        "replaces": replaces,
    }
    return Submission(machine.gateway, pair.identity).send("GrantConsent", arguments)


def _state(status: str, until: Json, now: int) -> ConsentState:
    if status == "active":
        return ConsentState.ENDED if isinstance(until, int) and until <= now else ConsentState.ACTIVE
    return ConsentState.REFUSED if status == "rejected" else ConsentState.WITHDRAWN
