"""Reading an artefact back: what a person is shown comes from the consent that is signed, not from the form beside it.

Only what our own dialog writes can be put into our plain words. To be sure that the words say all of it, the artefact
is built again from what was read and must be the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from app.consent import codes
from app.consent.artefact import LANGUAGES, Artefact, Signing, block, dissent, sharing
from app.consent.dates import read_date_time
from app.consent.terms import Category, Grantee, GranteeKind, Labels, Party, Terms
from app.consent.untrusted import ReadingError, read_json
from ledger.contract.errors import ContractError

_ERRORS: Final = (LookupError, TypeError, ValueError, AttributeError, OverflowError, ReadingError, ContractError)
Untrusted = Mapping[str, Any]


class UnreadableError(Exception):
    """The artefact says something for which there are no plain words (it did not come from this dialog)."""


class Form(StrEnum):
    """What kind of consent it is."""

    SHARING = "sharing"
    BLOCK = "block"
    DISSENT = "dissent"


@dataclass(frozen=True, slots=True)
class Signed:
    """What an artefact says.

    Attributes:
        terms: of a sharing, else None.
        person: of a block, else None.
        emergency_opens: the answer "open it then".
    """

    form: Form
    signing: Signing
    emergency_opens: bool
    terms: Terms | None = None
    person: Grantee | None = None


def read_artefact(artefact: Artefact) -> Signed:
    """Return what ``artefact`` says.

    Raises:
        UnreadableError: it is not exactly what the dialog writes.
    """
    try:
        consent: Untrusted = read_json(artefact.consent)
        signed = _signed(consent, artefact)
        if signed.terms is not None:
            Terms.from_wire(signed.terms.to_wire())
        again = _written(signed)
    except _ERRORS as error:
        raise UnreadableError(str(error)) from error
    if again != artefact or artefact.language not in LANGUAGES:
        raise UnreadableError("the consent says more than its words")
    return signed


def _signed(consent: Untrusted, artefact: Artefact) -> Signed:
    base, signing = consent["provision"], _signing(consent, artefact)
    nested = base.get("provision", [])
    if base["type"] == "permit":
        terms = _terms(base, nested, artefact)
        ends_by = _read_second(base["period"]["end"]) + 1
        earlier = replace(signing, ends_by=ends_by) if ends_by < signing.end(terms) else signing
        return Signed(Form.SHARING, earlier, terms.emergency_opens, terms=terms)
    if "actor" in base:
        return Signed(Form.BLOCK, signing, bool(nested), person=_grantee(base["actor"][0]["reference"], artefact))
    return Signed(Form.DISSENT, signing, bool(nested))


def _written(signed: Signed) -> Artefact:
    if signed.terms is not None:
        return sharing(signed.terms, signed.signing)
    if signed.person is not None:
        return block(signed.person, signed.signing, emergency_opens=signed.emergency_opens)
    return dissent(signed.signing, emergency_opens=signed.emergency_opens)


def _signing(consent: Untrusted, artefact: Artefact) -> Signing:
    patient, performer = consent["patient"]["reference"], consent["performer"][0]["reference"]
    organization = consent["organization"][0]
    person: Untrusted = artefact.context.resource(performer) or {}
    period: Untrusted = person.get("period") or {}
    party = Party(
        patient_id=_name(patient),
        custodian=_name(organization["reference"]),
        custodian_name=organization.get("display", ""),
        zone=artefact.context.zone,
        representative="" if performer == patient else _name(performer),
        representative_until=period.get("end", ""),
    )
    at = _read_second(consent["dateTime"])
    return Signing(party, consent["id"], at, artefact.language, artefact.assisted_by, consent["status"])


def _read_second(untrusted: str) -> int:
    """Return a moment in seconds UTC; another spelling than ours is found when the artefact is built again."""
    read = read_date_time(untrusted)
    if read is None:
        raise ValueError(untrusted)
    return read.first_second(0)


def _terms(base: Untrusted, nested: list[Untrusted], artefact: Artefact) -> Terms:
    purposes = {codes.coding(code)[1] for each in nested if each["type"] == "permit" for code in each["purpose"]}
    closed = [each for each in nested if each["type"] == "deny"]
    labels, emergency_opens = Labels.ALL, True
    if "securityLabel" in base:
        labels, emergency_opens = Labels.NORMAL_ONLY, "BTG" in purposes
    elif closed:
        labels, emergency_opens = Labels.NOT_MENTAL_HEALTH, "purpose" not in closed[0]
    days: Untrusted = base.get("dataPeriod", {})
    return Terms(
        grantee=_grantee(base["actor"][0]["reference"], artefact),
        purpose=codes.coding(base["purpose"][0]),
        categories=frozenset(Category(each["code"]) for each in base["class"]),
        keep_open_days=artefact.retention_days,
        made_from=days.get("start", ""),
        made_until=days.get("end", ""),
        ai_inference="TREATDS" in purposes,
        ai_training="MLTRAINING" in purposes,
        labels=labels,
        emergency_opens=emergency_opens,
    )


def _grantee(reference: Untrusted, artefact: Artefact) -> Grantee:
    kind, name = codes.reference_type(reference["reference"]), reference.get("display", "")
    identity = _name(reference["reference"])
    if kind == "Organization":
        return Grantee(GranteeKind.ORGANIZATION, identity, name)
    if kind == "PractitionerRole":
        role: Untrusted = artefact.context.resource(reference["reference"]) or {}
        msp_id, organization_name = _organization(role["organization"])
        return Grantee(GranteeKind.ROLE, msp_id, organization_name, name=name, function=identity)
    msp_id, organization_name = _organization(reference["identifier"]["assigner"])
    return Grantee(GranteeKind.PRACTITIONER, msp_id, organization_name, name=name, subject=identity)


def _organization(reference: Untrusted) -> tuple[str, str]:
    return _name(reference["reference"]), reference.get("display", "")


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]
