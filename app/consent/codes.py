"""The code systems a consent may use, and the few codes of each that mean something here (DECISION.md 3.1, 7)."""

from typing import Final

from ledger.contract.lineage import PURPOSES

ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
LOINC: Final = "http://loinc.org"
CATEGORY: Final = "https://assent.example.org/fhir/CodeSystem/category"
FUNCTION: Final = "https://assent.example.org/fhir/CodeSystem/function"
OWN_PURPOSE: Final = "https://assent.example.org/fhir/CodeSystem/purpose-of-use"

Coding = tuple[str, str]
"""System and code."""

REWARD: Final[Coding] = (OWN_PURPOSE, "REWARD")
RECIPIENT: Final[Coding] = (PARTICIPATION, "IRCP")
PATIENT_PRIVACY: Final[Coding] = (CONSENT_SCOPE, "patient-privacy")
STATUSES: Final = frozenset({"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"})
LEVELS: Final = ("U", "L", "M", "N", "R", "V")
"""Confidentiality, lowest first."""
SENSITIVITIES: Final = frozenset(
    {"ETH", "ETHUD", "OPIOIDUD", "PSY", "SDV", "HIV", "SEX", "STD", "PSYTHPN", "GDIS"},
)
EXPANDED: Final = {"ETH": ("ETH", "ETHUD", "OPIOIDUD")}
"""PCF's list, not the code system's: HL7 puts the two under other codes."""
ACTIONS: Final = frozenset({"collect", "access", "use", "disclose", "correct"})
MEANINGS: Final = {"instance": "records", "related": "related", "authoredby": "authors"}
ACTOR_TYPES: Final = frozenset(
    {"Practitioner", "Organization", "Group", "PractitionerRole", "Device", "RelatedPerson"},
)


def coding(untrusted: object) -> Coding:
    """Return system and code of a FHIR Coding; an absent or misshapen one is empty."""
    if not isinstance(untrusted, dict):
        return ("", "")
    system, code = untrusted.get("system"), untrusted.get("code")
    return (system if isinstance(system, str) else "", code if isinstance(code, str) else "")


def codings(untrusted: object) -> list[Coding]:
    """Return the codings of a FHIR CodeableConcept."""
    untrusted_list = untrusted.get("coding") if isinstance(untrusted, dict) else None
    return [coding(each) for each in untrusted_list] if isinstance(untrusted_list, list) else []


def joined(code: Coding) -> str:
    """Return ``system|code``."""
    return "|".join(code)


def purpose_code(code: Coding) -> str:
    """Return a purpose as the wire has it: codes of v3-ActReason in clear, of other systems ``system:code``."""
    return code[1] if code[0] == ACT_REASON else ":".join(code)


def is_known_purpose(code: Coding, local_purposes: frozenset[Coding]) -> bool:
    """Tell whether ``code`` is a purpose that can be consented to, in its own system."""
    if code[0] == ACT_REASON:
        return code[1] in PURPOSES
    return code == REWARD or (code in local_purposes and "" not in code)


def reference(untrusted: object) -> str:
    """Return the text of a FHIR Reference, empty if there is none."""
    text = untrusted.get("reference") if isinstance(untrusted, dict) else None
    return text if isinstance(text, str) else ""


def reference_type(text: str) -> str:
    """Return the resource type that a literal reference names, empty if none can be read."""
    parts = text.split("/")
    return parts[-2] if len(parts) > 1 and parts[-1] else ""
