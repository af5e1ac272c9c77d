"""The artefact: the FHIR R4 Consent that is read, signed, kept by custodian and patient, and compiled (A28).

What a patient signs in one dialog is one Consent. Care is its base; each use of AI that was asked separately and
answered with yes is an exception of its own that names its purpose, its people, its action and its categories. So
"separate consent" (C10) holds where it decides: care never covers AI (TREATDS and MLTRAINING must be named, A47), a no
leaves nothing behind, and stopping AI alone is a new consent that ``replaces`` this one. No Device is named among the
actors: the values of one element are OR, so naming a model would open the records to whoever runs it; which model was
used is in the access entry.

A block of a person and a general dissent are consents of their own with a denying base (DECISION.md 6).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.consent import codes
from app.consent.codes import Coding
from app.consent.context import Context, raw_resource
from app.consent.dates import DAY_SECONDS
from app.consent.terms import Category, Grantee, GranteeKind, Labels, Party, Terms
from ledger.contract import wire
from ledger.contract.canonical import decode_object, encode
from ledger.contract.errors import ContractError

POLICY_URI: Final = "https://assent.example.org/policies/sharing/1"
SUBJECT_SYSTEM: Final = "https://assent.example.org/fhir/subject"
"""Identifiers that an organization of the ledger assigns to its people."""
TEXT_ID: Final = "consent/1"
"""Version of the texts in ``resources/consent``; a changed text asks for consent again."""
LANGUAGES: Final = ("en", "de")
"""The languages that the texts exist in."""
MENTAL_HEALTH: Final = ("PSY", "PSYTHPN")
"""What "mental health" means in the dialog: psychiatry, and notes of psychotherapy."""
_ALL_BUT_MENTAL_HEALTH: Final = (
    (codes.CONFIDENTIALITY, "V"),
    *((codes.ACT_CODE, code) for code in sorted(codes.SENSITIVITIES.difference(MENTAL_HEALTH))),
)
_DISSENT: Final = ("TREAT", "HPAYMT", "HOPERAT")
_MEMBERS: Final = frozenset({"consent", "context", "text_id", "language", "retention_days", "assisted_by"})
Resource = dict[str, object]


@dataclass(frozen=True, slots=True)
class Artefact:
    """A consent with everything that is needed to read and to recompile it.

    Attributes:
        consent: raw JSON of the FHIR Consent.
        context: what compiling may know besides.
        text_id, language: which text the patient read.
        retention_days: how long a recipient may keep ciphertext and derived text.
        assisted_by: subject of the staff member at whose desk it was signed, or empty.
    """

    consent: str
    context: Context
    text_id: str
    language: str
    retention_days: int
    assisted_by: str

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that ``artefact_commitment`` commits to."""
        return encode(
            {
                "consent": self.consent,
                "context": self.context.to_wire(),
                "text_id": self.text_id,
                "language": self.language,
                "retention_days": self.retention_days,
                "assisted_by": self.assisted_by,
            }
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Artefact":
        """Return the artefact of untrusted bytes.

        Raises:
            ContractError: ``malformed``; not canonical, or not exactly an artefact.
        """
        artefact = decode_object(untrusted)
        if artefact.keys() != _MEMBERS:
            raise ContractError("malformed", "artefact")
        return cls(
            consent=wire.text(artefact["consent"]),
            context=Context.from_wire(artefact["context"]),
            text_id=wire.text(artefact["text_id"]),
            language=wire.text(artefact["language"]),
            retention_days=wire.integer(artefact["retention_days"]),
            assisted_by=wire.text(artefact["assisted_by"]),
        )


@dataclass(frozen=True, slots=True)
class Signing:
    """The circumstances of one signature.

    Attributes:
        party: whose consent it is.
        consent_id: its id on the ledger.
        at: seconds UTC.
        language: of the text that is read.
        assisted_by: subject of the staff member at whose desk it is, or empty.
        status: ``active``, or ``proposed`` for a request.
        ends_by: seconds UTC by which it ends whatever its days say, because it replaces one that ends then; 0 for none.
    """

    party: Party
    consent_id: str
    at: int
    language: str = "en"
    assisted_by: str = ""
    status: str = "active"
    ends_by: int = 0

    def end(self, terms: Terms) -> int:
        """Return when a sharing of ``terms`` ends, seconds UTC."""
        by_days = self.at + self.days(terms) * DAY_SECONDS
        return min(by_days, self.ends_by) if self.ends_by else by_days

    def days(self, terms: Terms) -> int:
        """Return for how many days ``terms`` are signed: as they say, but no more than are begun before ``ends_by``."""
        if not self.ends_by:
            return terms.keep_open_days
        return max(1, min(terms.keep_open_days, days_left(self.ends_by, self.at)))


def days_left(end: int, now: int) -> int:
    """Return how many days are left until ``end``, the begun one counted; seconds UTC."""
    return -((now - end) // DAY_SECONDS)


def sharing(terms: Terms, signing: Signing) -> Artefact:
    """Return the artefact that allows exactly ``terms``."""
    grantee, resources = _grantee(terms.grantee)
    base: Resource = {
        "type": "permit",
        "period": {"end": _instant(signing.end(terms) - 1)},
        "actor": [grantee],
        "action": _actions("access"),
        "purpose": [_coding(terms.purpose)],
        "class": _classes(terms.categories),
        **_data_period(terms),
        **({"securityLabel": [_coding((codes.CONFIDENTIALITY, "N"))]} if terms.labels is Labels.NORMAL_ONLY else {}),
    }
    if nested := [*_ai(terms, grantee), *_labels(terms)]:
        base["provision"] = nested
    local = frozenset({terms.purpose} - {(codes.ACT_REASON, terms.purpose[1]), codes.REWARD})
    return _artefact(base, signing, _ids(terms.grantee), resources, signing.days(terms), local)


def block(person: Grantee, signing: Signing, *, emergency_opens: bool) -> Artefact:
    """Return the artefact "not this person": no purpose is stated, so all are refused."""
    actor, resources = _grantee(person)
    base: Resource = {"type": "deny", "actor": [actor], **_emergency_exception(emergency_opens=emergency_opens)}
    return _artefact(base, signing, _ids(person), resources)


def dissent(signing: Signing, *, emergency_opens: bool) -> Artefact:
    """Return the artefact of a general dissent: nobody, for care, payment and operations."""
    purposes = [_coding((codes.ACT_REASON, code)) for code in _DISSENT]
    base: Resource = {"type": "deny", "purpose": purposes, **_emergency_exception(emergency_opens=emergency_opens)}
    return _artefact(base, signing, {}, ())


def _artefact(
    base: Resource,
    signing: Signing,
    ids: Mapping[str, str],
    resources: tuple[str, ...],
    retention_days: int = 0,
    local_purposes: frozenset[Coding] = frozenset(),
) -> Artefact:
    party = signing.party
    patient = f"Patient/{party.patient_id}"
    performer = f"RelatedPerson/{party.representative}" if party.representative else patient
    consent: Resource = {
        "resourceType": "Consent",
        "id": signing.consent_id,
        "status": signing.status,
        "scope": {"coding": [_coding(codes.PATIENT_PRIVACY)]},
        "category": [{"coding": [_coding((codes.LOINC, "59284-0"))]}],
        "patient": {"reference": patient},
        "dateTime": _instant(signing.at),
        "performer": [{"reference": performer}],
        "organization": [_named(f"Organization/{party.custodian}", party.custodian_name)],
        "sourceAttachment": {"contentType": "text/plain", "language": signing.language, "title": TEXT_ID},
        "policy": [{"uri": POLICY_URI}],
        "provision": base,
    }
    context = Context(
        zone=party.zone,
        local_purposes=local_purposes,
        ids={f"Organization/{party.custodian}": party.custodian, **ids},
        resources=(*resources, *_representative(party)),
    )
    return Artefact(raw_resource(consent), context, TEXT_ID, signing.language, retention_days, signing.assisted_by)


def _ai(terms: Terms, grantee: Resource) -> list[Resource]:
    """Return one permit per AI use that was answered with yes."""
    organization = _actor(f"Organization/{terms.grantee.msp_id}", terms.grantee.organization_name)
    limits: Resource = {"class": _classes(terms.ai_categories)}
    if terms.labels is Labels.NOT_MENTAL_HEALTH:
        # Said as a permit of all others: a deny beside the permit would read as a contradiction.
        limits["securityLabel"] = [_coding(each) for each in _ALL_BUT_MENTAL_HEALTH]
    nested = []
    if terms.ai_inference and terms.ai_categories:
        nested.append(_ai_use("TREATDS", grantee, ("use",)) | limits)
    if terms.ai_training and terms.ai_categories:
        nested.append(_ai_use("MLTRAINING", organization, ("access", "use")) | limits)
    return nested


def _ai_use(purpose: str, actor: Resource, actions: tuple[str, ...]) -> Resource:
    return {
        "type": "permit",
        "actor": [actor],
        "purpose": [_coding((codes.ACT_REASON, purpose))],
        "action": _actions(*actions),
    }


def _labels(terms: Terms) -> list[Resource]:
    """Return the exceptions of the dialog's label choice, with its answer for emergencies (DECISION.md 6)."""
    if terms.labels is Labels.NORMAL_ONLY and terms.emergency_opens:
        return [{**_break_glass(), "securityLabel": [_coding((codes.CONFIDENTIALITY, "V"))]}]
    if terms.labels is not Labels.NOT_MENTAL_HEALTH:
        return []
    closed: Resource = {"type": "deny", "securityLabel": _mental_health()}
    if not terms.emergency_opens:
        closed["purpose"] = [_coding(terms.purpose), _coding((codes.ACT_REASON, "ETREAT"))]
    return [closed]


def _emergency_exception(*, emergency_opens: bool) -> Resource:
    return {"provision": [_break_glass()]} if emergency_opens else {}


def _break_glass() -> Resource:
    return {"type": "permit", "purpose": [_coding((codes.ACT_REASON, "BTG"))]}


def _mental_health() -> list[Resource]:
    return [_coding((codes.ACT_CODE, code)) for code in MENTAL_HEALTH]


def _grantee(grantee: Grantee) -> tuple[Resource, tuple[str, ...]]:
    """Return the actor and, for a role, the PractitionerRole it refers to."""
    if grantee.kind is GranteeKind.PRACTITIONER:
        actor = _actor(f"Practitioner/{grantee.subject}", grantee.name)
        assigner = _named(f"Organization/{grantee.msp_id}", grantee.organization_name)
        identifier = {"system": SUBJECT_SYSTEM, "value": grantee.subject, "assigner": assigner}
        return actor | {
            "reference": {**_named(f"Practitioner/{grantee.subject}", grantee.name), "identifier": identifier}
        }, ()
    if grantee.kind is GranteeKind.ORGANIZATION:
        return _actor(f"Organization/{grantee.msp_id}", grantee.organization_name), ()
    role: Resource = {
        "resourceType": "PractitionerRole",
        "id": grantee.function,
        "active": True,
        "organization": _named(f"Organization/{grantee.msp_id}", grantee.organization_name),
        "code": [{"coding": [_coding((codes.FUNCTION, grantee.function))], "text": grantee.name}],
    }
    return _actor(f"PractitionerRole/{grantee.function}", grantee.name), (raw_resource(role),)


def _ids(grantee: Grantee) -> dict[str, str]:
    ids = {f"Organization/{grantee.msp_id}": grantee.msp_id}
    if grantee.kind is GranteeKind.PRACTITIONER:
        ids[f"Practitioner/{grantee.subject}"] = grantee.subject
    if grantee.kind is GranteeKind.ROLE:
        ids[codes.joined((codes.FUNCTION, grantee.function))] = grantee.function
    return ids


def _representative(party: Party) -> tuple[str, ...]:
    if not party.representative:
        return ()
    person: Resource = {
        "resourceType": "RelatedPerson",
        "id": party.representative,
        "active": True,
        "patient": {"reference": f"Patient/{party.patient_id}"},
    }
    if party.representative_until:
        person["period"] = {"end": party.representative_until}
    return (raw_resource(person),)


def _data_period(terms: Terms) -> Resource:
    ends = {"start": terms.made_from, "end": terms.made_until}
    stated = {name: day for name, day in ends.items() if day}
    return {"dataPeriod": stated} if stated else {}


def _actor(reference: str, display: str) -> Resource:
    return {"role": {"coding": [_coding(codes.RECIPIENT)]}, "reference": _named(reference, display)}


def _named(reference: str, display: str) -> Resource:
    return {"reference": reference, **({"display": display} if display else {})}


def _actions(*actions: str) -> list[Resource]:
    return [{"coding": [_coding((codes.CONSENT_ACTION, action))]} for action in actions]


def _classes(categories: frozenset[Category]) -> list[Resource]:
    return [_coding((codes.CATEGORY, each.value)) for each in Category if each in categories]


def _coding(code: Coding) -> Resource:
    return {"system": code[0], "code": code[1]}


def _instant(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
