"""Who is asking, by certificate, newest verified state and the custodian's own clock (E.3, 1 to 3)."""

import hashlib
import math
from typing import Final

from app.custodian.desk import Desk
from app.custodian.messages import CLOCK_TOLERANCE, CustodianRefusal, Request, number, raw_bytes, text
from ledger.certificates import CertificateError, Creator, read_creator
from ledger.contract.caller import Caller
from ledger.contract.parties import MEMBERS, party, staff
from ledger.contract.shape import Fields
from ledger.signatures import SignatureError, signed_bytes, verify_signature

NONCE_BYTES: Final = 16
NONCE_MEMORY: Final = 600


def check_address(desk: Desk, request: Request) -> None:
    """Accept only what is meant for this custodian on this network.

    Raises:
        CustodianRefusal: ``malformed`` or ``wrong-organization``.
    """
    if text(request.fields, "network_id") != desk.network_id:
        raise CustodianRefusal("malformed", "another network")
    if text(request.fields, "custodian_msp") != desk.msp_id:
        raise CustodianRefusal("wrong-organization", "another custodian")


def check_freshness(desk: Desk, request: Request) -> None:
    """Accept a message once, and only within the clock tolerance.

    Raises:
        CustodianRefusal: ``clock-skew`` or ``already-exists`` (the nonce was seen).
    """
    now, at = desk.clock(), number(request.fields, "at")
    if abs(now - at) > CLOCK_TOLERANCE:
        raise CustodianRefusal("clock-skew", str(at - now))
    nonce = raw_bytes(request.fields, "nonce", NONCE_BYTES)
    if not desk.index.use_nonce(nonce, now, now - NONCE_MEMORY):
        raise CustodianRefusal("already-exists", "this message came before")


def check_pace(desk: Desk, request: Request) -> None:
    """Accept only so many messages of one certificate; it signed this one, so nobody uses up another's share.

    Raises:
        CustodianRefusal: ``busy``; the detail is after how many seconds to ask again.
    """
    seconds = desk.signers.take(hashlib.sha256(request.certificate).hexdigest())
    if seconds:
        raise CustodianRefusal("busy", str(math.ceil(seconds)))


def signer(desk: Desk, request: Request) -> Caller:
    """Return whose signature a message carries; whether he may do anything is not decided here.

    Raises:
        CustodianRefusal: ``unknown-organization``, ``not-enrolled`` (no certificate of that organization),
            ``wrong-key`` (not signed by the certificate's key).
    """
    creator = _creator(desk, request)
    message = signed_bytes(request.type, desk.network_id, request.signed)
    try:
        verify_signature(creator.public_key, message, request.signature)
    except SignatureError:
        raise CustodianRefusal("wrong-key", "the signature is not the certificate's") from None
    return creator.caller


def active(desk: Desk, caller: Caller, patient_id: str) -> Fields:
    """Return the member entry of a staff caller, or nothing for the patient's party, as it stands now.

    Raises:
        ContractError: the code of whatever keeps the caller from acting.
    """
    if caller.role in ("patient", "proxy"):
        party(desk.reader(caller), patient_id, erased=True)
        return {}
    return staff(desk.reader(caller), *MEMBERS)


def require_staff(desk: Desk, caller: Caller, *roles: str) -> Fields:
    """Return the member entry of staff of this very hospital.

    Raises:
        ContractError: those of ``staff``.
        CustodianRefusal: ``wrong-organization``.
    """
    member = staff(desk.reader(caller), *roles)
    if caller.msp_id != desk.msp_id:
        raise CustodianRefusal("wrong-organization")
    return member


def _creator(desk: Desk, request: Request) -> Creator:
    roots = desk.roots.get(request.msp_id)
    if roots is None:
        raise CustodianRefusal("unknown-organization")
    try:
        return read_creator(request.certificate, roots, request.msp_id, desk.clock())
    except CertificateError as refused:
        raise CustodianRefusal("not-enrolled", str(refused)) from None
