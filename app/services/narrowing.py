"""Making a consent smaller: the patient signs a new one that replaces it, allows less, and ends no later (feature C5).

It goes the way of every signature, with card and PIN: only what she starts from is her own earlier consent. The ledger
ends the old and begins the new one in one entry, so there is no moment without either.
"""

from app.consent.artefact import Artefact, days_left
from app.consent.terms import Terms
from app.services.consents import ConsentRow
from app.services.entries import an_object
from app.services.machine import Machine
from app.services.pairs import Pair, Unlocked
from app.services.requests import signed_terms
from app.services.turn import NotWaitingError, Turn
from ledger.commitments import CommitmentError, verify_commitment


def start_narrowing(machine: Machine, unlocked: Unlocked, row: ConsentRow, *, zone: str) -> Turn:
    """Begin to make a consent smaller.

    Args:
        machine: this installation.
        unlocked: the patient, by card and PIN.
        row: a sharing of hers.
        zone: her hospital's fixed offset.

    Raises:
        WrongCardError: the consent is another person's.
        NotWaitingError: it ended meanwhile, or was not signed in these words, or refuses somebody something.
    """
    pair = unlocked.pair(row.patient_id)
    machine.catch_up()
    value, now = machine.find("consent", pair.patient_id, row.consent_id), machine.clock()
    if value is None or value["status"] != "active":
        raise NotWaitingError("This consent ended meanwhile.")
    ends_at = an_object(an_object(value["granted"])["base"])["valid_until"]
    terms = _terms(pair, row.consent_id, str(value["artefact_commitment"]))
    if row.asked_by is None or not isinstance(ends_at, int):
        raise NotWaitingError("This consent cannot be made smaller. You can stop it.")
    if ends_at <= now:
        raise NotWaitingError("This consent ended meanwhile.")
    days = min(terms.keep_open_days, days_left(ends_at, now))
    held = terms.narrowed(keep_open_days=days)
    return Turn(
        machine=machine,
        unlocked=unlocked,
        pair=pair,
        consent_id=machine.new_id(),
        asked_by=row.asked_by,
        reason="",
        asked=held,
        terms=held,
        language=unlocked.person.language,
        zone=zone,
        started_at=now,
        replaces=row.consent_id,
        ends_by=ends_at,
    )


def _terms(pair: Pair, consent_id: str, committed: str) -> Terms:
    """Return what she signed: the custodian's copy, if it is the one that the ledger commits to."""
    opening = pair.client.explain(pair.identity, pair.patient_id, [consent_id]).artefacts.get(consent_id)
    terms = None
    if opening is not None:
        try:
            verify_commitment(committed, opening.salt, opening.content)
        except CommitmentError:
            raise NotWaitingError("The stored consent is not the one on the ledger.") from None
        terms = signed_terms(Artefact.from_bytes(opening.content))
    if terms is None:
        raise NotWaitingError("This consent cannot be made smaller. You can stop it.")
    return terms
