"""What the patient reads before she decides, and the artefact that she signed (E.1; ATTACKS.md A28)."""

from dataclasses import replace
from typing import Final

from app.custodian import readings
from app.custodian.artefacts import compile_artefact
from app.custodian.desk import Desk
from app.custodian.messages import CustodianRefusal, Request, exactly, raw_bytes, text
from app.custodian.results import Opening, StoredRequest
from ledger.commitments import commitment
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json
from ledger.contract.parties import of_grantee, party
from ledger.contract.shape import Fields

TEXT_MAX: Final = 48 * 1024
REASON_MAX: Final = 2000


def store_request(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Keep what the patient will read; nobody changes it once the proposal is on the ledger."""
    exactly(request.fields, "patient_id", "consent_id", "text", "reason", "salt", "reply_key")
    stored = StoredRequest(
        text(request.fields, "patient_id", 64),
        text(request.fields, "consent_id", 64),
        text(request.fields, "text", TEXT_MAX),
        text(request.fields, "reason", REASON_MAX),
        raw_bytes(request.fields, "salt", 32),
        caller.msp_id,
        caller.subject,
        desk.clock(),
    )
    of_grantee(desk.reader(caller), stored.patient_id, "practitioner")
    earlier = desk.index.request(stored.patient_id, stored.consent_id)
    recorded = desk.find("consent", stored.patient_id, stored.consent_id)
    if earlier is not None and (recorded or (earlier.msp_id, earlier.subject) != (caller.msp_id, caller.subject)):
        raise CustodianRefusal("already-exists")
    if recorded is not None and not _is_proposed_as(recorded, stored):
        raise CustodianRefusal("already-exists")
    desk.index.put_request(stored)
    return {}


def _is_proposed_as(consent: Fields, stored: StoredRequest) -> bool:
    """Tell whether what the ledger holds is this request: its proposer's, with this reason."""
    expected = (stored.subject, commitment(stored.salt, stored.reason.encode()))
    return (consent["proposer"], consent["reason_commitment"]) == expected


def read_request(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Return what the patient reads, to her party and to the proposer; the reason must be the one that was recorded."""
    exactly(request.fields, "patient_id", "consent_id", "reply_key")
    patient_id, consent_id = text(request.fields, "patient_id"), text(request.fields, "consent_id")
    if caller.role == "practitioner":
        of_grantee(desk.reader(caller), patient_id, "practitioner")
    else:
        party(desk.reader(caller), patient_id)
    stored = desk.index.request(patient_id, consent_id)
    if stored is None:
        raise CustodianRefusal("unknown-consent")
    if caller.role == "practitioner" and (stored.msp_id, stored.subject) != (caller.msp_id, caller.subject):
        raise CustodianRefusal("unknown-consent")
    consent = desk.find("consent", patient_id, consent_id)
    if consent is not None and consent["reason_commitment"] != commitment(stored.salt, stored.reason.encode()):
        raise CustodianRefusal("artefact-mismatch", "the reason is not the recorded one")
    return readings.stored_request_fields(stored)


def store_consent(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Keep the artefact before its grant is submitted; one that does not compile is not kept."""
    exactly(request.fields, "patient_id", "consent_id", "artefact", "salt", "reply_key")
    patient_id, consent_id = text(request.fields, "patient_id", 64), text(request.fields, "consent_id", 64)
    party(desk.reader(caller), patient_id)
    opening = Opening(text(request.fields, "artefact").encode(), raw_bytes(request.fields, "salt", 32))
    if compile_artefact(desk, patient_id, consent_id, opening.content) is None:
        raise CustodianRefusal("artefact-mismatch", "the artefact does not compile")
    consent = desk.find("consent", patient_id, consent_id)
    decided = consent is not None and consent["status"] != "proposed"
    if decided and desk.index.artefact(patient_id, consent_id) not in (None, opening):
        raise CustodianRefusal("already-exists")
    desk.index.put_artefact(patient_id, consent_id, opening)
    return {}


def tell_withheld(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Keep whether the grantee may learn that something is withheld (A18), and return it; ``null`` only asks."""
    exactly(request.fields, "patient_id", "on", "reply_key")
    patient_id, on = text(request.fields, "patient_id"), request.fields["on"]
    party(desk.reader(caller), patient_id)
    link = desk.index.link(patient_id)
    if link is None or not (on is None or isinstance(on, bool)):
        raise CustodianRefusal("malformed")
    if on is not None:
        desk.index.put_link(replace(link, tell_withheld=on))
    return {"on": link.tell_withheld if on is None else on}
