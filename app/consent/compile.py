"""From a FHIR R4 Consent to the provision on the ledger: one pure function for client, custodian and verifier (A28).

The functions look at nothing but their arguments: no directory, no clock. What they cannot resolve counts against
disclosure, and what they do not know is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.consent import codes, elements
from app.consent.context import Context
from app.consent.dates import read_date_time
from app.consent.elements import Elements
from app.consent.refusal import Refusal, RefusalCode, RefusedError
from app.consent.tags import Tag
from app.consent.untrusted import DuplicateKeyError, ReadingError, has_member, read_json
from ledger.contract.canonical import Json, encode
from ledger.contract.provision import NEVER, Consent, Emergency, Kind, Provision

_TOP_LEVEL: Final = frozenset(
    {
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "language",
        "text",
        "contained",
        "extension",
        "modifierExtension",
        "identifier",
        "status",
        "scope",
        "category",
        "patient",
        "dateTime",
        "performer",
        "organization",
        "sourceAttachment",
        "sourceReference",
        "policy",
        "policyRule",
        "verification",
        "provision",
    }
)
"""The members of Consent in R4 4.0.1."""
_SOURCES: Final = ("sourceAttachment", "sourceReference")
_NO_TIME: Final = (0, 0)

Window = tuple[int | None, int | None]
"""First second and the second after the last one; None is open."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An accepted artefact.

    Attributes:
        consent: what the decision works on; its ``custodians`` and ``status`` are the artefact's.
        patient: the reference of the patient.
    """

    consent: Consent
    patient: str

    def terms(self) -> dict[str, Json]:
        """Return the ``base`` and ``nested`` arguments of ``GrantConsent``."""
        return {"base": self.consent.base.to_wire(), "nested": [each.to_wire() for each in self.consent.nested]}

    def terms_bytes(self) -> bytes:
        """Return the canonical bytes that recompiling must give again."""
        return encode(self.terms())


def compile_consent(artefact: str, context: Context, tag: Tag) -> Compiled | Refusal:
    """Compile the raw JSON of a Consent.

    Args:
        artefact: raw JSON, as it was signed.
        context: what was stored with it.
        tag: the tag function of the patient id.

    Returns:
        The compiled consent, or the first rule of DECISION.md 3.1 that it breaks.
    """
    try:
        untrusted = _read(artefact)
        _check_head(untrusted)
        return _compile(untrusted, _base(untrusted), context, tag)
    except RefusedError as refused:
        return Refusal(refused.code)


def _read(artefact: str) -> dict[str, Json]:
    try:
        untrusted = read_json(artefact)
    except DuplicateKeyError:
        raise RefusedError(RefusalCode.DUPLICATE_KEY) from None
    except ReadingError:
        raise RefusedError(RefusalCode.WRONG_RESOURCE_TYPE) from None
    return untrusted


def _check_head(untrusted: Elements) -> None:
    """Check everything above the provisions, and that they are not nested twice."""
    for code, broken in _HEAD_CHECKS:
        if broken(untrusted):
            raise RefusedError(code)


def _has_scope(untrusted: Elements) -> bool:
    return codes.PATIENT_PRIVACY in codes.codings(untrusted.get("scope"))


def _references(untrusted: Elements, name: str) -> list[str]:
    """Return the references of a list; one empty text if the list is absent, empty or holds something else."""
    member = untrusted.get(name)
    return [codes.reference(each) for each in member] if isinstance(member, list) and member else [""]


def _policies(untrusted: Elements) -> list[Json]:
    member = untrusted.get("policy")
    return member if isinstance(member, list) else []


def _has_policy(untrusted: Elements) -> bool:
    uris = [each.get("uri") for each in _policies(untrusted) if isinstance(each, dict)]
    return any(isinstance(uri, str) and uri for uri in uris)


def _has_type(untrusted: Elements) -> bool:
    return bool(_base(untrusted).get("type"))


def _is_entitled(untrusted: Elements) -> bool:
    patient = codes.reference(untrusted.get("patient"))
    performers = _references(untrusted, "performer")
    return all(each == patient or codes.reference_type(each) == "RelatedPerson" for each in performers)


def _base(untrusted: Elements) -> Elements:
    base = untrusted.get("provision")
    return base if isinstance(base, dict) else {}


def _nested(base: Elements) -> list[Json]:
    member = base.get("provision")
    return member if isinstance(member, list) else []


def _is_nested_twice(untrusted: Elements) -> bool:
    return any(isinstance(each, dict) and "provision" in each for each in _nested(_base(untrusted)))


_HEAD_CHECKS: Final[tuple[tuple[RefusalCode, Callable[[Elements], bool]], ...]] = (
    (RefusalCode.WRONG_RESOURCE_TYPE, lambda untrusted: untrusted.get("resourceType") != "Consent"),
    (RefusalCode.UNKNOWN_MODIFIER, lambda untrusted: "implicitRules" in untrusted),
    (RefusalCode.UNKNOWN_MODIFIER, lambda untrusted: has_member(dict(untrusted), "modifierExtension")),
    (RefusalCode.UNKNOWN_FIELD, lambda untrusted: not untrusted.keys() <= _TOP_LEVEL),
    (RefusalCode.VERIFICATION_NOT_ALLOWED, lambda untrusted: "verification" in untrusted),
    (RefusalCode.UNKNOWN_STATUS, lambda untrusted: untrusted.get("status") not in [*codes.STATUSES]),
    (RefusalCode.WRONG_SCOPE, lambda untrusted: not _has_scope(untrusted)),
    (RefusalCode.MISSING_PATIENT, lambda untrusted: not codes.reference(untrusted.get("patient"))),
    (RefusalCode.MISSING_DATETIME, lambda untrusted: not untrusted.get("dateTime")),
    (RefusalCode.MISSING_PERFORMER, lambda untrusted: "" in _references(untrusted, "performer")),
    (RefusalCode.MISSING_ORGANIZATION, lambda untrusted: "" in _references(untrusted, "organization")),
    (RefusalCode.MISSING_SOURCE, lambda untrusted: not any(untrusted.get(source) for source in _SOURCES)),
    (RefusalCode.TWO_SOURCES, lambda untrusted: all(source in untrusted for source in _SOURCES)),
    (RefusalCode.MISSING_POLICY, lambda untrusted: not _has_policy(untrusted)),
    (RefusalCode.TWO_POLICIES, lambda untrusted: len(_policies(untrusted)) > 1 or "policyRule" in untrusted),
    (RefusalCode.MISSING_PROVISION_TYPE, lambda untrusted: not _has_type(untrusted)),
    (RefusalCode.PERFORMER_NOT_ENTITLED, lambda untrusted: not _is_entitled(untrusted)),
    (RefusalCode.NESTING_TOO_DEEP, _is_nested_twice),
    (RefusalCode.INVALID_DATE, lambda untrusted: read_date_time(untrusted["dateTime"]) is None),
)


def _compile(untrusted: Elements, base: Elements, context: Context, tag: Tag) -> Compiled:
    elements.check(base, context)
    exceptions = [each for each in _nested(base) if isinstance(each, dict)]
    for each in exceptions:
        elements.check(each, context)
    window = elements.validity(base, context.zone_seconds)
    compiled_base = _provision(base, Emergency.HOLDS, window, context, tag)
    nested = tuple(_exception(each, base, window, context, tag) for each in exceptions)
    custodians = {context.ids.get(each, NEVER) for each in _references(untrusted, "organization")}
    name = untrusted.get("id")
    consent = Consent(
        consent_id=name if isinstance(name, str) else "",
        base=compiled_base,
        nested=nested,
        authority=_authority(untrusted, context),
        custodians=frozenset(custodians),
        status=str(untrusted["status"]),
    )
    return Compiled(consent, codes.reference(untrusted["patient"]))


def _exception(own: Elements, base: Elements, window: Window, context: Context, tag: Tag) -> Provision:
    """Return an exception: what it does not state it takes from the base, then its own type translates (3.2)."""
    inherited = {name: base[name] for name in elements.INHERITED if name in base}
    narrowed = _both(window, elements.validity(own, context.zone_seconds))
    return _provision({**inherited, **own}, _emergency(own, base), narrowed, context, tag)


def _provision(effective: Elements, emergency: Emergency, window: Window, context: Context, tag: Tag) -> Provision:
    kind = Kind(str(effective["type"]))
    levels, sensitivities = elements.labels(effective, kind, tag)
    data = elements.data(effective, kind, tag)
    return Provision(
        kind=kind,
        emergency=emergency,
        actors=elements.actors(effective, kind, context, tag),
        purposes=elements.purposes(effective),
        actions=elements.actions(effective),
        classes=elements.classes(effective, tag),
        codes=elements.content_codes(effective, tag),
        period=elements.period(effective, kind, context.zone_seconds, tag),
        authors=data["authors"],
        related=data["related"],
        records=data["records"],
        levels=levels,
        sensitivities=sensitivities,
        valid_from=window[0],
        valid_until=window[1],
    )


def _emergency(own: Elements, base: Elements) -> Emergency:
    """Return what an exception does in a declared emergency; only what it states itself counts (DECISION.md 6)."""
    if own["type"] == "permit" or base["type"] == "deny" or elements.names_emergency(own):
        return Emergency.HOLDS
    return Emergency.NAMED if "actor" in own else Emergency.YIELDS


def _authority(untrusted: Elements, context: Context) -> Window:
    """Return while everyone who signed might do so."""
    patient = codes.reference(untrusted["patient"])
    window: Window = (None, None)
    for performer in _references(untrusted, "performer"):
        if performer != patient:
            window = _both(window, _representation(context.resource(performer), patient, context.zone_seconds))
    return window


def _representation(untrusted: Elements | None, patient: str, zone: int) -> Window:
    """Return while a RelatedPerson may act for ``patient``: never, if that cannot be read."""
    if untrusted is None or untrusted.get("active") is False:
        return _NO_TIME
    if codes.reference(untrusted.get("patient")) != patient or not elements.has_readable_period(untrusted):
        return _NO_TIME
    return elements.validity(untrusted, zone)


def _both(one: Window, other: Window) -> Window:
    starts = [each[0] for each in (one, other) if each[0] is not None]
    ends = [each[1] for each in (one, other) if each[1] is not None]
    return (max(starts, default=None), min(ends, default=None))
