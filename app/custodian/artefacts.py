"""Does the artefact that the patient signed mean what stands on the ledger? (ATTACKS.md A28)."""

from collections.abc import Callable

from app.consent.artefact import Artefact
from app.consent.compile import Compiled, compile_consent
from app.custodian.desk import Desk
from app.custodian.messages import CustodianRefusal
from ledger.commitments import CommitmentError, verify_commitment
from ledger.contract.canonical import encode
from ledger.contract.errors import ContractError
from ledger.contract.shape import Fields


def compile_artefact(desk: Desk, patient_id: str, consent_id: str, content: bytes) -> Fields | None:
    """Return the terms that an artefact compiles to, as ``granted`` carries them; None if it may not be honoured.

    It must be about this patient id and this hospital, in this hospital's time, and its references must be the ledger's
    own ids: a context that maps a name to another person's subject would let the screen say what is not signed.

    Args:
        desk: the custodian.
        patient_id: whose artefact it must be.
        consent_id: which consent it must be.
        content: canonical bytes.
    """
    try:
        artefact = Artefact.from_bytes(content)
        compiled = compile_consent(artefact.consent, artefact.context, desk.tag(patient_id))
    except (ContractError, CustodianRefusal):
        return None
    if not isinstance(compiled, Compiled):
        return None
    stated = (compiled.patient, compiled.consent.consent_id, compiled.consent.status)
    if stated != (f"Patient/{patient_id}", consent_id, "active"):
        return None
    context = artefact.context
    honest = all(name.replace("|", "/").rpartition("/")[2] == found for name, found in context.ids.items())
    if not honest or context.zone_seconds != desk.zone or compiled.consent.custodians != {desk.msp_id}:
        return None
    return {**compiled.terms(), "retention_days": artefact.retention_days}


def proposer_of(find: Callable[[str], Fields | None], consent_id: str) -> str:
    """Return who asked for a consent, or for the one that it replaces; empty if nobody did.

    Args:
        find: gives the consent of an id on the ledger; each replaced an active one, so there is no circle.
        consent_id: where to begin.
    """
    consent = find(consent_id)
    while consent is not None and not consent["proposer"]:
        consent = find(str(consent["replaces"])) if consent["replaces"] else None
    return "" if consent is None else str(consent["proposer"])


def is_faithful(desk: Desk, patient_id: str, consent_id: str) -> bool:
    """Tell whether a consent's artefact is here, is the committed one, and compiles to the ledger's provisions."""
    consent = desk.find("consent", patient_id, consent_id)
    opening = desk.index.artefact(patient_id, consent_id)
    if consent is None or opening is None or consent["granted"] is None:
        return False
    try:
        verify_commitment(str(consent["artefact_commitment"]), opening.salt, opening.content)
    except CommitmentError:
        return False
    terms = compile_artefact(desk, patient_id, consent_id, opening.content)
    granted = {name: consent["granted"][name] for name in ("base", "nested", "retention_days")}
    return terms is not None and encode(terms) == encode(granted)
