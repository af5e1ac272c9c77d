"""A patient's own keys, one per pair of hospitals, for as long as she is at the screen (ATTACKS.md A17, A27)."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.custodian.client import CustodianClient
from app.custodian.messages import CustodianRefusal
from app.custodian.results import Person, UnlockedPair
from app.identity.cards import Card, CardError, mailbox_key, patient_private_key
from app.identity.certificates import certificate_request
from app.identity.signing import SigningIdentity
from app.services.machine import Machine


class WrongCardError(Exception):
    """What was typed or read is no patient card of a hospital on this machine."""


class WrongPinError(Exception):
    """The PIN does not fit.

    Attributes:
        tries_left: before the card is locked; 0 if it is locked.
    """

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"{tries_left} tries left")
        self.tries_left = tries_left


@dataclass(frozen=True, slots=True)
class Pair:
    """One patient id with its keys.

    Attributes:
        patient_id: of the pair.
        custodian: msp_id of the hospital that holds the records.
        grantee: msp_id of the hospital whose people may be allowed.
        identity: signs for this patient id; ``lock`` wipes it.
        tag_key: gives this id's tags their meaning.
        mailbox: opens notices.
        client: the custodian.
    """

    patient_id: str
    custodian: str
    grantee: str
    identity: SigningIdentity
    tag_key: bytes = field(repr=False)
    mailbox: X25519PrivateKey = field(repr=False)
    client: CustodianClient


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A patient with the pairs that her card and PIN opened."""

    person: Person
    card: Card = field(repr=False)
    pairs: tuple[Pair, ...]

    def pair(self, patient_id: str) -> Pair:
        """Return the pair of one patient id.

        Raises:
            WrongCardError: it is another person's.
        """
        for pair in self.pairs:
            if pair.patient_id == patient_id:
                return pair
        raise WrongCardError("This card belongs to somebody else.")

    def lock(self) -> None:
        """Wipe every key."""
        for pair in self.pairs:
            pair.identity.lock()


def unlock(machine: Machine, card_text: str, pin: str, grantee: str = "") -> Unlocked:
    """Open a patient's keys with her card and her PIN; neither alone is of use.

    Args:
        machine: this installation.
        card_text: what the card's code says, typed, pasted or read by a scanner.
        pin: of the card.
        grantee: only the pair with this hospital; "" for all (the patient's own device, or her own hospital).

    Raises:
        WrongCardError: no card, or of a hospital that this machine does not reach.
        WrongPinError: wrong PIN, or the card is locked.
    """
    try:
        card = Card.parse(card_text.strip())
        client = machine.custodians[card.msp_id]
    except (CardError, KeyError):
        raise WrongCardError("This is not a patient card. Scan or type the whole code on the card.") from None
    try:
        opened = client.unlock_card(card.card_id, pin, grantee)
        pairs = tuple(_pair(client, card, pin, share) for share in opened.pairs)
    except CustodianRefusal as refusal:
        raise _pin_error(refusal) from None
    return Unlocked(opened.person, card, pairs)


def check_pin(machine: Machine, card: Card, pin: str) -> None:
    """Have the PIN checked once more, before something is signed.

    Raises:
        WrongPinError: wrong PIN, or the card is locked.
    """
    try:
        machine.custodians[card.msp_id].unlock_card(card.card_id, pin)
    except CustodianRefusal as refusal:
        raise _pin_error(refusal) from None


def _pin_error(refusal: CustodianRefusal) -> Exception:
    if refusal.code == "wrong-pin":
        return WrongPinError(refusal.tries_left or 0)
    return WrongPinError(0) if refusal.code == "card-locked" else refusal


def _pair(client: CustodianClient, card: Card, pin: str, opened: UnlockedPair) -> Pair:
    key = patient_private_key(card.secret, opened.share, opened.patient_id)
    request = certificate_request(key, opened.patient_id)
    certificate = client.issue_patient_certificate(card.card_id, pin, request)
    return Pair(
        opened.patient_id,
        card.msp_id,
        opened.grantee,
        SigningIdentity(card.msp_id, certificate, key),
        opened.tag_key,
        mailbox_key(card.secret, opened.share, opened.patient_id),
        client,
    )
