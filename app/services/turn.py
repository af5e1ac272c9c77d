"""The patient's turn: she reads, narrows, answers two questions, signs with her card and PIN, and gets a receipt.

Nothing of the clinician is in here: his session is locked meanwhile (ATTACKS.md A27). What she reads is built from the
same consent that she signs (A28).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.consent.artefact import Artefact, Signing, sharing
from app.consent.compile import compile_consent
from app.consent.refusal import Refusal
from app.consent.sentences import preview, sentences
from app.consent.tags import tag
from app.consent.terms import Grantee, GranteeKind, Narrowing, Party, Terms, WideningError, narrowings
from app.services import pairs
from app.services.accesses import Who, who
from app.services.choices import Choices
from app.services.consents import Consents, grant, staff
from app.services.entries import an_object, integer, objects
from app.services.machine import Machine
from app.services.pairs import Pair, Unlocked
from app.services.receipts import Receipt, keep_in_mailbox, make_receipt
from app.services.requests import asked_terms
from ledger.commitments import commitment
from ledger.contract.canonical import Json
from ledger.gateway import Commit


class NotWaitingError(Exception):
    """The request was answered or withdrawn meanwhile."""


@dataclass
class Turn:
    """One request being decided.

    Attributes:
        machine: this installation.
        unlocked: the patient with her keys.
        pair: the one the request is about.
        consent_id: of the proposal.
        asked_by: the practitioner, badge opened against the ledger.
        reason: his sentence to her.
        asked: what he asked for.
        terms: what she leaves of it so far.
        language: in which she reads, ``en`` or ``de``.
        zone: her hospital's fixed offset.
        assisted_by: subject of the staff member who sits beside her, or empty.
        fixed: the consent that she reads for the last time and then signs; None while she still chooses.
        replaces: her own consent that she makes smaller, or empty; ``asked`` is then what that one allows.
        ends_by: when the replaced one ends, seconds UTC, or 0.
    """

    machine: Machine
    unlocked: Unlocked
    pair: Pair
    consent_id: str
    asked_by: Who
    reason: str
    asked: Terms
    terms: Terms
    language: str
    zone: str
    assisted_by: str = ""
    started_at: int = 0
    fixed: Artefact | None = None
    replaces: str = ""
    ends_by: int = 0

    @property
    def patient_name(self) -> str:
        """Her name, as her hospital registered her."""
        return self.unlocked.person.name

    @property
    def narrowed(self) -> tuple[Narrowing, ...]:
        """What she took out so far."""
        return narrowings(self.asked, self.terms)

    @property
    def is_signable(self) -> bool:
        """Whether there is something to sign: what replaces a consent allows less than it."""
        return not self.replaces or bool(self.narrowed)

    def narrow(self, **changes: Any) -> Terms:
        """Take something out, or put back what was asked; never more.

        Raises:
            WideningError: it would be more than was asked.
        """
        self.terms, self.fixed = self.asked.narrowed(**{**_differences(self.asked, self.terms), **changes}), None
        return self.terms

    def choose(self, choices: Choices) -> Terms:
        """Take over all of her choices.

        Raises:
            WideningError: they allow more than was asked, or nothing is left.
        """
        self.terms, self.fixed = choices.terms(self.asked), None
        return self.terms

    def read(self, language: str) -> None:
        """Go on in another language; what is signed names the one in which she read."""
        self.language, self.fixed = language, None

    def asked_sentences(self) -> tuple[str, ...]:
        """Return what was asked, or what she allowed before, sentence by sentence."""
        start = sharing(self.asked, self._signing())
        return sentences(start) if self.replaces else preview(start)

    def artefact(self) -> Artefact:
        """Return the consent as it would be signed now; every text on the screen is made from it."""
        return self.fixed or sharing(self.terms, self._signing())

    def fix(self) -> Artefact:
        """Hold the consent as it stands: what is read from now on is, byte for byte, what ``sign`` signs (A28)."""
        self.fixed = self.artefact()
        return self.fixed

    @property
    def end(self) -> int:
        """When it would end, signed now, seconds UTC."""
        return self._signing().end(self.terms)

    def _signing(self) -> Signing:
        party = Party(
            self.pair.patient_id, self.pair.custodian, self.machine.hospitals[self.pair.custodian], zone=self.zone
        )
        now = self.machine.clock()
        return Signing(party, self.consent_id, now, self.language, self.assisted_by, ends_by=self.ends_by)

    def people(self) -> tuple[Who, ...]:
        """Return whom she could block here: the doctors and nurses of the hospital that asks, but not the asker."""
        return tuple(each for each in staff(self.machine, self.pair) if each.subject != self.asked_by.subject)

    def block_person(self, person: Who, card_text: str, pin: str, *, emergency_opens: bool) -> Commit:
        """Refuse one person everything, as a consent of its own that is in force at once.

        Raises:
            WrongCardError, WrongPinError: it is not her card, or not its PIN.
            CustodianRefusal, GatewayError, UnsettledError: as they say.
        """
        opened = pairs.unlock(self.machine, card_text, pin, self.pair.grantee)
        opened.pair(self.pair.patient_id)
        consents = Consents(self.machine, opened.card, opened.pairs, self.language, self.zone)
        return consents.block_person(person, pin, emergency_opens=emergency_opens)

    def sign(self, card_text: str, pin: str) -> Receipt:
        """Sign the terms with card and PIN and have them recorded.

        Raises:
            WrongCardError, WrongPinError: it is not her card, or not its PIN.
            WideningError: nothing is smaller than in the consent that it would replace.
            CustodianRefusal, GatewayError, UnsettledError: as they say.
        """
        if not self.is_signable:
            raise WideningError("nothing is smaller")
        pair = self._own_pair(card_text, pin)
        return self.receipt(grant(self.machine, pair, self.consent_id, self.artefact(), self.replaces))

    def receipt(self, commit: Commit) -> Receipt:
        """Return the receipt of a grant; also once an unknown outcome was settled."""
        return make_receipt(self.machine, self.pair, self.consent_id, commit)

    def mail(self, receipt: Receipt) -> None:
        """Put a receipt of this turn into her mailbox; see ``keep_in_mailbox``."""
        keep_in_mailbox(self.pair, receipt)

    def refuse(self, card_text: str, pin: str) -> Commit:
        """Refuse the whole request, signed like a consent.

        Raises:
            WrongCardError, WrongPinError, GatewayError, UnsettledError: as they say.
        """
        pair = self._own_pair(card_text, pin)
        arguments = {"patient_id": pair.patient_id, "consent_id": self.consent_id}
        return self.machine.submission(pair.identity).send("RejectConsent", arguments)

    def _own_pair(self, card_text: str, pin: str) -> Pair:
        opened = pairs.unlock(self.machine, card_text, pin, self.pair.grantee)
        return opened.pair(self.pair.patient_id)


def start_turn(
    machine: Machine, unlocked: Unlocked, patient_id: str, consent_id: str, *, zone: str, assisted_by: str = ""
) -> Turn:
    """Begin to decide a request.

    Args:
        machine: this installation.
        unlocked: the patient, by card and PIN.
        patient_id: of the request.
        consent_id: of the request.
        zone: the hospital's fixed offset.
        assisted_by: subject of the staff member at whose desk it is.

    Raises:
        WrongCardError: the request is another person's.
        NotWaitingError: it was decided or withdrawn meanwhile.
    """
    pair = unlocked.pair(patient_id)
    machine.catch_up()
    consent = machine.find("consent", patient_id, consent_id)
    if consent is None or consent["status"] != "proposed":
        raise NotWaitingError("This request was answered or withdrawn meanwhile.")
    request = pair.client.read_request(pair.identity, patient_id, consent_id)
    if request.subject != consent["proposer"]:
        raise NotWaitingError("The stored request is not the one on the ledger.")
    if commitment(request.salt, request.reason.encode()) != consent["reason_commitment"]:
        raise NotWaitingError("The stored reason is not the one on the ledger.")
    explained = pair.client.explain(pair.identity, patient_id, [request.subject])
    asked_by, asked = who(machine, request.msp_id, request.subject, explained), asked_terms(request)
    if not _is_asked(machine, pair, asked, consent, zone) or not _names(asked.grantee, asked_by):
        raise NotWaitingError("The stored request is not the one on the ledger.")
    return Turn(
        machine=machine,
        unlocked=unlocked,
        pair=pair,
        consent_id=consent_id,
        asked_by=asked_by,
        reason=request.reason,
        asked=asked,
        terms=asked,
        language=unlocked.person.language,
        zone=zone,
        assisted_by=assisted_by,
        started_at=machine.clock(),
    )


def _is_asked(machine: Machine, pair: Pair, asked: Terms, consent: dict[str, Json], zone: str) -> bool:
    """Tell whether the stored words mean the provision that the ledger holds, but for the seconds it was asked in."""
    proposed = an_object(consent["asked"])
    party = Party(pair.patient_id, pair.custodian, machine.hospitals[pair.custodian], zone=zone)
    stored = sharing(asked, Signing(party, "", integer(consent["proposed_at"]), status="proposed"))
    compiled = compile_consent(stored.consent, stored.context, tag(pair.tag_key))
    if isinstance(compiled, Refusal):
        return False
    told = {**compiled.terms(), "retention_days": stored.retention_days}
    return _undated(told) == _undated({name: proposed[name] for name in told})


def _undated(terms: Mapping[str, Json]) -> dict[str, Json]:
    """Return terms without when they begin and end: that follows from the days and the moment of signing."""
    provisions = [an_object(terms["base"]), *objects(terms["nested"])]
    dates = ("valid_from", "valid_until")
    undated: list[Json] = [{name: each[name] for name in each if name not in dates} for each in provisions]
    return {"provisions": undated, "retention_days": terms["retention_days"]}


def _names(grantee: Grantee, asked_by: Who) -> bool:
    """Tell whether the person whom the words name is the one whose badge opens the ledger's commitment."""
    if grantee.kind is not GranteeKind.PRACTITIONER or grantee.subject != asked_by.subject:
        return grantee.organization_name == asked_by.hospital
    return (grantee.name, grantee.organization_name) == (asked_by.name, asked_by.hospital)


def _differences(asked: Terms, terms: Terms) -> dict[str, Any]:
    return {each.term: each.allowed for each in narrowings(asked, terms)}
