"""FHIR Consents for tests of compile: small, valid, and changed one thing at a time."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from app.consent.compile import Compiled, compile_consent
from app.consent.context import Context, raw_resource
from app.consent.refusal import Refusal
from app.consent.tags import Tag, clear_tag
from ledger.contract.provision import Provision

HL7 = "http://terminology.hl7.org/CodeSystem/"
CATEGORY = "https://assent.example.org/fhir/CodeSystem/category"

IDS = {
    "Practitioner/carol": "carol",
    "Practitioner/dan": "dan",
    "RelatedPerson/erin": "erin",
    "Organization/north": "north",
    "Organization/south": "south",
    "Group/ward": "ward",
    "s|nurse": "nurse",
    "s|doctor": "doctor",
}


def coding(system: str, code: str) -> dict[str, str]:
    return {"system": system if "/" in system else HL7 + system, "code": code}


def purpose(*names: str) -> list[dict[str, str]]:
    return [coding("v3-ActReason", name) for name in names]


def labels(*names: str) -> list[dict[str, str]]:
    systems = dict.fromkeys("ULMNRV", "v3-Confidentiality")
    return [coding(systems.get(name, "v3-ActCode"), name) for name in names]


def action(*names: str) -> list[dict[str, Any]]:
    return [{"coding": [coding("consentaction", name)]} for name in names]


def actor(*references: str) -> list[dict[str, Any]]:
    role = {"coding": [coding("v3-ParticipationType", "IRCP")]}
    return [{"role": role, "reference": {"reference": reference}} for reference in references]


def data(meaning: str, *references: str) -> list[dict[str, Any]]:
    return [{"meaning": meaning, "reference": {"reference": reference}} for reference in references]


def consent(base: Mapping[str, Any] | None = None, *nested: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an active consent of alice for records of north; a change to None removes a member."""
    provision = {"type": "permit"} if base is None else dict(base)
    whole: dict[str, Any] = {
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "scope": {"coding": [coding("consentscope", "patient-privacy")]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/alice"},
        "dateTime": "2026-01-15T09:30:00Z",
        "performer": [{"reference": "Patient/alice"}],
        "organization": [{"reference": "Organization/north"}],
        "sourceAttachment": {"title": "consent/1"},
        "policy": [{"uri": "https://assent.example.org/policies/sharing/1"}],
        "provision": provision | ({"provision": [dict(each) for each in nested]} if nested else {}),
    }
    whole |= copy.deepcopy(changes)
    return {name: value for name, value in whole.items() if value is not None}


def context(*resources: Mapping[str, Any], **changes: Any) -> Context:
    """Return a context that knows the people of ``IDS``."""
    plain: dict[str, Any] = {"ids": IDS, "resources": tuple(map(raw_resource, resources))}
    return Context(**plain | changes)


def compiled(resource: Mapping[str, Any], about: Context | None = None, tag: Tag = clear_tag) -> Compiled:
    """Return the compiled consent, which must not be refused."""
    result = compile_consent(json.dumps(resource), about or context(), tag)
    assert isinstance(result, Compiled), result
    return result


def refused(resource: Mapping[str, Any] | str, about: Context | None = None) -> str:
    """Return the code of the refusal, which there must be."""
    raw = resource if isinstance(resource, str) else json.dumps(resource)
    result = compile_consent(raw, about or context(), clear_tag)
    assert isinstance(result, Refusal), result
    return result.code.value


def base_of(provision: Mapping[str, Any], about: Context | None = None) -> Provision:
    """Return a compiled base."""
    return compiled(consent(provision), about).consent.base


def wire_of(provision: Mapping[str, Any], name: str, about: Context | None = None) -> Any:
    """Return one list of a compiled base, as the wire has it."""
    return base_of(provision, about).to_wire()[name]
