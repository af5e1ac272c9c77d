"""Persons, cards, PINs, keys: the custodian's half of a patient's identity (B4; ATTACKS.md A4, A27, A30)."""

import base64
import unicodedata
from dataclasses import replace
from datetime import date
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.custodian import readings
from app.custodian.authentication import require_staff
from app.custodian.desk import Desk
from app.custodian.entries import HeldCard, HeldPerson, Link
from app.custodian.index import PIN_TRIES
from app.custodian.messages import CustodianRefusal, Request, exactly, member, raw_bytes, text, to_text
from app.custodian.notices import notify
from app.custodian.pairs import ensure_pair, share_of
from app.custodian.results import Person
from app.identity.certificates import RequestError, Role, read_request
from app.identity.pins import PinVerifier, WeakPinError
from ledger.certificates import CertificateError, read_creator
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json

SEXES: Final = ("male", "female", "other", "unknown")
RENEWAL: Final = 30 * 86_400


def register_person(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Register a patient with a card and the hospital's own pair; her key follows, made with the card's secret."""
    exactly(request.fields, "person", "pin", "reply_key")
    require_staff(desk, caller, "registrar")
    person = _checked(readings.person(member(request.fields, "person")))
    if any(_same(person, held.person) for held in desk.index.persons()):
        raise CustodianRefusal("already-exists", "this person is registered")
    verifier = _new_verifier(desk, text(request.fields, "pin", 256))
    person_id = desk.new_id()
    card = HeldCard(base64.b32encode(desk.random(10)).decode().lower(), person_id, verifier, PIN_TRIES)
    desk.keys.put_share(person_id, desk.random(32))
    desk.index.put_person(HeldPerson(person_id, person, desk.clock(), caller.subject))
    desk.index.put_card(card)
    link = ensure_pair(desk, person_id, desk.msp_id)
    notify(desk, link.patient_id, "registered", {"by": caller.subject})
    share = share_of(desk, link) or b""
    return {
        "person_id": person_id,
        "patient_id": link.patient_id,
        "card_id": card.card_id,
        "share": to_text(share),
    }


def people(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """List the hospital's own registration, for its own staff (A36: not from the vault)."""
    exactly(request.fields, "reply_key")
    require_staff(desk, caller, "registrar", "practitioner", "privacy-officer")
    rows: list[Json] = []
    for held in desk.index.persons():
        link = desk.index.find_pair(held.person_id, desk.msp_id)
        card = desk.index.card_of(held.person_id)
        state = "none" if card is None else "active" if card.tries_left else "locked"
        rows.append(
            {
                "person_id": held.person_id,
                "patient_id": "" if link is None else link.patient_id,
                "person": readings.person_fields(held.person),
                "card": state,
                "registered_at": held.registered_at,
                "registered_by": held.registered_by,
            }
        )
    return {"people": rows}


def reset_pin(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Give a card a new PIN; the key itself is unchanged, and the patient is told."""
    exactly(request.fields, "person_id", "pin", "reply_key")
    require_staff(desk, caller, "registrar")
    card = desk.index.card_of(text(request.fields, "person_id"))
    if card is None:
        raise CustodianRefusal("refused")
    verifier = _new_verifier(desk, text(request.fields, "pin", 256))
    desk.index.put_card(replace(card, verifier=verifier, tries_left=PIN_TRIES))
    link = desk.index.find_pair(card.person_id, desk.msp_id)
    if link is not None:
        notify(desk, link.patient_id, "pin-reset", {"by": caller.subject})
    return {}


def unlock_card(desk: Desk, request: Request) -> dict[str, Json]:
    """Give out shares and tag keys for the right PIN."""
    exactly(request.fields, "card_id", "pin", "grantee", "reply_key")
    card = _card_for_pin(desk, request)
    held = desk.index.person(card.person_id)
    if held is None:
        raise CustodianRefusal("refused")
    grantee = text(request.fields, "grantee")
    links = [link for link in desk.index.links_of(card.person_id) if grantee in ("", link.grantee)]
    return {"person": readings.person_fields(held.person), "pairs": [_pair(desk, link) for link in links]}


def issue_certificate(desk: Desk, request: Request) -> dict[str, Json]:
    """Certify a patient's key for one of her patient ids; the first time its hash goes on the ledger."""
    exactly(request.fields, "card_id", "pin", "request", "reply_key")
    card = _card_for_pin(desk, request)
    untrusted = raw_bytes(request.fields, "request")
    try:
        public_key, patient_id = read_request(untrusted)
    except RequestError as refused:
        raise CustodianRefusal("malformed", str(refused)) from None
    link = desk.index.link(patient_id)
    patient = desk.find("patient", patient_id)
    if link is None or patient is None or link.person_id != card.person_id:
        raise CustodianRefusal("refused")
    if patient["status"] == "erased":
        raise CustodianRefusal("illegal-transition")
    certificate = _certificate(desk, link, public_key)
    key_hash = _key_hash(desk, certificate)
    if patient["key_hash"] == "":
        desk.submit("SetPatientKey", {"patient_id": patient_id, "key_hash": key_hash, "custody": "card"})
        notify(desk, patient_id, "key-set", {"key_hash": key_hash})
    elif patient["key_hash"] != key_hash:
        raise CustodianRefusal("wrong-key", "the ledger holds another key for this id")  # A4
    desk.index.put_link(replace(desk.index.link(patient_id) or link, certificate=certificate))
    return {"certificate": to_text(certificate)}


def _certificate(desk: Desk, link: Link, public_key: bytes) -> bytes:
    """Return the certificate that was issued before while it is good: fewer certificates, fewer traces (A17)."""
    now = desk.clock()
    if link.certificate:
        try:
            creator = read_creator(link.certificate, desk.authority.roots, desk.msp_id, now)
            renewed = creator.not_after - now < RENEWAL
        except CertificateError:
            renewed = True
        if not renewed and public_key_in(link.certificate) == public_key:
            return link.certificate
    return desk.authority.issue(public_key, link.patient_id, Role.PATIENT, now, desk.random)


def _key_hash(desk: Desk, certificate: bytes) -> str:
    return read_creator(certificate, desk.authority.roots, desk.msp_id, desk.clock()).caller.key_hash


def public_key_in(certificate: bytes) -> bytes:
    """Return the key that a certificate of this hospital names, SubjectPublicKeyInfo DER."""
    return (
        x509.load_der_x509_certificate(certificate)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


def _card_for_pin(desk: Desk, request: Request) -> HeldCard:
    """Return the card whose PIN is right; a try is spent on disk before the PIN is looked at.

    Raises:
        CustodianRefusal: ``wrong-pin`` (an unknown card looks the same and takes the same work) or ``card-locked``.
    """
    pin = text(request.fields, "pin", 256)
    card = desk.index.card(text(request.fields, "card_id", 64))
    if card is None:
        raise _stranger(desk, text(request.fields, "card_id", 64), pin)
    if card.tries_left == 0:
        raise CustodianRefusal("card-locked")
    spent = replace(card, tries_left=card.tries_left - 1)
    desk.index.put_card(spent)
    if not card.verifier.is_right(pin):
        if spent.tries_left == 0:
            raise CustodianRefusal("card-locked")
        raise CustodianRefusal("wrong-pin", tries_left=spent.tries_left)
    desk.index.put_card(replace(card, tries_left=PIN_TRIES))
    return card


def _stranger(desk: Desk, card_id: str, pin: str) -> CustodianRefusal:
    """Return how a card that nobody has is refused: as a real one with a wrong PIN, after the same work (A50)."""
    left = desk.strangers.spend(card_id, PIN_TRIES)
    if left >= 0:
        PinVerifier(bytes(16), bytes(32), desk.stretching).is_right(pin)
    return CustodianRefusal("wrong-pin", tries_left=left) if left > 0 else CustodianRefusal("card-locked")


def _new_verifier(desk: Desk, pin: str) -> PinVerifier:
    try:
        return PinVerifier.make(pin, desk.stretching, desk.random)
    except WeakPinError as weak:
        raise CustodianRefusal("malformed", str(weak)) from None


def _pair(desk: Desk, link: Link) -> dict[str, Json]:
    patient = desk.find("patient", link.patient_id) or {"key_hash": ""}
    return {
        "patient_id": link.patient_id,
        "grantee": link.grantee,
        "share": to_text(share_of(desk, link) or b""),
        "tag_key": to_text(desk.keys.tag_key(link.patient_id) or b""),
        "has_key": patient["key_hash"] != "",
    }


def _checked(person: Person) -> Person:
    """Refuse what cannot be a person.

    Raises:
        CustodianRefusal: ``malformed``.
    """
    try:
        day = date.fromisoformat(person.birth_date).isoformat()
    except ValueError:
        day = ""
    if not person.name.strip() or day != person.birth_date or person.sex not in SEXES:
        raise CustodianRefusal("malformed", "name, birth date and sex are needed")
    return person


def _same(one: Person, other: Person) -> bool:
    """One live patient id per person and grantee, one card per person, however her name is typed (A30).

    Two of the same name and day are two persons only if the hospital's own numbers, both given, say so.
    """
    numbers = {_plain(one.number), _plain(other.number)}
    if "" not in numbers:
        return len(numbers) == 1
    return (_plain(one.name), one.birth_date) == (_plain(other.name), other.birth_date)


def _plain(typed: str) -> str:
    """Return a text without what a typist may vary: composition, case, white space."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", typed).casefold()).split())
