"""What is signed outside Fabric, and how: ECDSA P-256, SHA-256, over typed network-bound bytes (PROTOCOL.md B11).

The type keeps a signature from being used as another kind of statement, the network id from being used on another
ledger (ATTACKS.md A45), and low S from being replaced by its twin ``n - s``, which verifies as well.
"""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order n of P-256 (FIPS 186-4, D.1.2.3)."""

_ALGORITHM: Final = ec.ECDSA(hashes.SHA256())


class SignatureError(Exception):
    """A signature is not that of the key over the message, or not in its one accepted form, or the key is unsuited."""


def signed_bytes(kind: str, network_id: str, canonical: bytes) -> bytes:
    """Return the bytes that are signed for a statement of type ``kind`` on the ledger ``network_id``.

    Args:
        kind: the statement's type, for example ``transaction``, ``block``, ``release-request``.
        network_id: lower-case hex ledger id; no statement is valid on two ledgers.
        canonical: the statement's canonical bytes.
    """
    return b"assent\0" + kind.encode("ascii") + b"\0" + network_id.encode("ascii") + b"\0" + canonical


def sign(private_key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return the DER signature with low S of ``message``."""
    return low_s(private_key.sign(message, _ALGORITHM))


def low_s(signature: bytes) -> bytes:
    """Return the form of a DER signature whose S is at most n/2."""
    r, s = decode_dss_signature(signature)
    return signature if s <= ORDER // 2 else encode_dss_signature(r, ORDER - s)


def verify_signature(public_key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> None:
    """Accept only the DER, low-S signature of ``message`` by ``public_key``.

    Raises:
        SignatureError: anything else.
    """
    try:
        _, s = decode_dss_signature(signature)
        public_key.verify(signature, message, _ALGORITHM)
    except (ValueError, InvalidSignature):
        raise SignatureError("the signature does not belong to this key and message") from None
    if s > ORDER // 2:
        raise SignatureError("the signature has a high S")


@lru_cache(maxsize=1024)
def load_public_key(untrusted_spki: bytes) -> ec.EllipticCurvePublicKey:
    """Return the P-256 public key of SubjectPublicKeyInfo DER bytes.

    Raises:
        SignatureError: the bytes hold no P-256 key.
    """
    try:
        key = serialization.load_der_public_key(untrusted_spki)
    except (ValueError, UnsupportedAlgorithm):
        raise SignatureError("not a public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SignatureError("not a P-256 key")
    return key


def spki(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo DER bytes of a key; their SHA-256 is the ``key_hash`` of PROTOCOL.md B1."""
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class SoftwareKey:
    """A private key held in this process's memory, for what signs without a certificate: ledger and receipt keys."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return spki(self._private_key.public_key())

    def sign(self, message: bytes) -> bytes:
        """Return the DER signature with low S of ``message``."""
        return sign(self._private_key, message)
