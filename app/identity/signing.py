"""A person's or a service's signature, as long as the key is unlocked (PROTOCOL.md B11, ATTACKS.md A26)."""

from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.identity.keys import LockedError, derive, wipe
from ledger.signatures import sign, spki

__all__ = ["LockedError", "SigningIdentity", "WrongCertificateError"]


class WrongCertificateError(ValueError):
    """Certificate and private key do not belong together."""


class SigningIdentity:
    """Certificate and unlocked private key of one member or patient id; implements ``ledger.gateway.Signer``.

    The private key stays inside OpenSSL, which overwrites it when the last reference goes; ``lock`` drops it.
    """

    def __init__(self, msp_id: str, certificate: bytes, private_key: ec.EllipticCurvePrivateKey) -> None:
        """Unite a certificate with its key.

        Args:
            msp_id: the organization whose CA issued the certificate.
            certificate: X.509, DER.
            private_key: on P-256.

        Raises:
            WrongCertificateError: the certificate is not for this key.
        """
        public = spki(private_key.public_key())
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            certified = parsed.public_key()
        except ValueError:
            raise WrongCertificateError("not a certificate") from None
        if not isinstance(certified, ec.EllipticCurvePublicKey) or spki(certified) != public:
            raise WrongCertificateError("the certificate is for another key")
        names = parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        self._msp_id: Final = msp_id
        self._certificate: Final = certificate
        self._private_key: ec.EllipticCurvePrivateKey | None = private_key
        self.subject: Final = str(names[0].value) if names else ""
        self.key_hash: Final = sha256(public).hexdigest()

    def __repr__(self) -> str:
        return f"SigningIdentity({self._msp_id!r}, subject={self.subject!r}, locked={self.is_locked})"

    @property
    def msp_id(self) -> str:
        """The organization."""
        return self._msp_id

    @property
    def certificate(self) -> bytes:
        """X.509 certificate, DER."""
        return self._certificate

    @property
    def is_locked(self) -> bool:
        """Tell whether the key was wiped."""
        return self._private_key is None

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA-SHA256 signature with low S over ``message``.

        Raises:
            LockedError: the key was wiped.
        """
        private_key = self._private_key
        if private_key is None:
            raise LockedError("Locked. Sign in again to go on.")
        return sign(private_key, message)

    def derive(self, purpose: str) -> bytearray:
        """Return 32 bytes that only the unlocked identity gives, for what its owner alone may read on this machine.

        Another key than the signing key, by HKDF from it: a person has one secret, and locking takes both away.

        Raises:
            LockedError: the key was wiped.
        """
        private_key = self._private_key
        if private_key is None:
            raise LockedError("Locked. Sign in again to go on.")
        scalar = bytearray(private_key.private_numbers().private_value.to_bytes(32, "big"))
        try:
            return derive(scalar, purpose.encode())
        finally:
            wipe(scalar)

    def lock(self) -> None:
        """Drop the private key; this object never signs again."""
        self._private_key = None
