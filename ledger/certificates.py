"""From a certificate to a caller: chain, names, role and validity, the same for ledger and custodian (PROTOCOL.md B1).

An organization is trusted through its CA certificates in the genesis block: self-signed roots and the intermediates
below them. A creator's certificate must chain through these to a root; nothing that a client sends joins the chain.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from ledger.contract.caller import Caller
from ledger.signatures import spki

ROLE_EXTENSION: Final = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""Where Fabric CA puts attributes, and the chaincode finds them."""

ROLE_ATTRIBUTE: Final = "assent.role"
_SUBJECT: Final = re.compile(r"[a-z2-7]{26}")
_MAX_CHAIN: Final = 4
_MAX_CERTIFICATE: Final = 8192
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_UNDERSTOOD: Final = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ROLE_EXTENSION})


class CertificateError(Exception):
    """A certificate does not name a caller of this organization at this time."""


@dataclass(frozen=True, slots=True)
class Creator:
    """A caller with what is needed to check his signatures.

    Attributes:
        caller: who it is.
        public_key: his P-256 key.
        not_before: first second, UTC, at which every certificate of the chain is valid.
        not_after: the last such second.
    """

    caller: Caller
    public_key: ec.EllipticCurvePublicKey
    not_before: int
    not_after: int


def verify_creator(certificate_der: bytes, roots: Sequence[bytes], msp_id: str, at: int) -> Caller:
    """Return who a certificate of organization ``msp_id`` names at a time.

    Args:
        certificate_der: the untrusted X.509 certificate, DER.
        roots: the organization's CA certificates, DER: roots and intermediates.
        msp_id: the organization.
        at: seconds UTC.

    Raises:
        CertificateError: it does not chain to a root, is not valid then, or has not the form of PROTOCOL.md B1.
    """
    return read_creator(certificate_der, roots, msp_id, at).caller


def read_creator(certificate_der: bytes, roots: Sequence[bytes], msp_id: str, at: int) -> Creator:
    """Return caller and key of a certificate; everything else as ``verify_creator``.

    Raises:
        CertificateError: see ``verify_creator``.
    """
    creator = _creator(certificate_der, tuple(roots), msp_id)
    if not creator.not_before <= at <= creator.not_after:
        raise CertificateError("the certificate, or one above it, is not valid at this time")
    return creator


@lru_cache(maxsize=8192)
def _creator(certificate_der: bytes, roots: tuple[bytes, ...], msp_id: str) -> Creator:
    """Everything about a certificate but the time of its use; refusals are not remembered."""
    caller, public_key, certificate = _leaf(certificate_der, msp_id)
    chain = [certificate, *_chain(certificate, _authorities(roots))]
    return Creator(
        caller,
        public_key,
        max(int(link.not_valid_before_utc.timestamp()) for link in chain),
        min(int(link.not_valid_after_utc.timestamp()) for link in chain),
    )


@lru_cache(maxsize=8192)
def caller_of(certificate_der: bytes, msp_id: str) -> Caller:
    """Return who a certificate names whose chain and time the Fabric peer, which asks, has verified.

    Raises:
        CertificateError: it has not the form of PROTOCOL.md B1.
    """
    return _leaf(certificate_der, msp_id)[0]


def _leaf(certificate_der: bytes, msp_id: str) -> tuple[Caller, ec.EllipticCurvePublicKey, x509.Certificate]:
    """Read a certificate that must name one person or service of an organization."""
    if len(certificate_der) > _MAX_CERTIFICATE:
        raise CertificateError("the certificate is too large")
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        public_key = certificate.public_key()
        extensions = certificate.extensions
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise CertificateError("not a certificate") from None
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, ec.SECP256R1):
        raise CertificateError("the certificate's key is not on P-256")
    if any(extension.critical and extension.oid not in _UNDERSTOOD for extension in extensions):
        raise CertificateError("the certificate has a critical extension that is not understood")
    if _is_authority(extensions):
        raise CertificateError("a CA certificate signs no transactions")
    key_hash = hashlib.sha256(spki(public_key)).hexdigest()
    return Caller(msp_id, _subject(certificate.subject), _role(extensions), key_hash), public_key, certificate


@lru_cache(maxsize=256)
def _authorities(roots: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_der_x509_certificate(root) for root in roots)
    except ValueError:
        raise CertificateError("an organization's CA certificate cannot be read") from None


def _chain(leaf: x509.Certificate, authorities: tuple[x509.Certificate, ...]) -> list[x509.Certificate]:
    """Return the CA certificates from the leaf's issuer up to a self-signed root."""
    chain: list[x509.Certificate] = []
    below = leaf
    while len(chain) < _MAX_CHAIN:
        issuer = next((one for one in authorities if _issued(one, below, depth=len(chain))), None)
        if issuer is None:
            raise CertificateError("the certificate does not chain to a root of the organization")
        chain.append(issuer)
        if issuer.subject == issuer.issuer:
            return chain
        below = issuer
    raise CertificateError("the chain is too long")


def _issued(issuer: x509.Certificate, below: x509.Certificate, depth: int) -> bool:
    """Is ``below`` signed by ``issuer``, a CA that may have ``depth`` intermediates under it?"""
    if issuer.subject != below.issuer or not isinstance(below.signature_hash_algorithm, _HASHES):
        return False
    extensions = issuer.extensions
    length = (
        extensions.get_extension_for_class(x509.BasicConstraints).value.path_length if _is_authority(extensions) else -1
    )
    if length is not None and length < depth:
        return False
    try:
        below.verify_directly_issued_by(issuer)
        if issuer.subject == issuer.issuer:
            issuer.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _is_authority(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _subject(name: x509.Name) -> str:
    """Return the CN of a name that is exactly ``OU=client, CN=<26 base32 characters>``."""
    parts = [(attribute.oid, attribute.value) for rdn in name.rdns for attribute in rdn]
    subject = parts[-1][1] if parts else ""
    if len(name.rdns) != len(parts) or not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise CertificateError("the certificate's name is not of the agreed form")
    if parts != [(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"), (NameOID.COMMON_NAME, subject)]:
        raise CertificateError("the certificate's name is not of the agreed form")
    return subject


def _role(extensions: x509.Extensions) -> str:
    """Return the role attribute, empty without one: which roles exist is the contract's matter."""
    try:
        extension = extensions.get_extension_for_oid(ROLE_EXTENSION).value
    except x509.ExtensionNotFound:
        return ""
    raw = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
    try:
        attributes = json.loads(raw.decode())["attrs"]
        role = attributes.get(ROLE_ATTRIBUTE, "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CertificateError("the certificate's attributes cannot be read") from None
    if not isinstance(role, str):
        raise CertificateError("the certificate's role is not a text")
    return role
