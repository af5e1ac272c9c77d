"""A hospital's certificate authority: an offline root; intermediates for people, patients, TLS (PROTOCOL.md B, F).

A leaf says who signs (``OU=client, CN=<subject>``) and in which role, and nothing else. Random serials, the day as
start and equal lifetimes keep certificates that were issued together from being linked by their looks (ATTACKS.md A17).
"""

import base64
import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.identity.forms import (
    authority_certificate,
    authority_name,
    certificate_builder,
    client_name,
    crl,
    general_name,
    key_id_of,
    signed,
    unit_name,
)
from app.identity.keys import Random, WeakKeyError, unwrap, wipe, wrap
from ledger.certificates import ROLE_ATTRIBUTE, ROLE_EXTENSION
from ledger.contract.canonical import encode
from ledger.signatures import SignatureError, load_public_key, spki

STAFF_DAYS: Final = 365
PATIENT_DAYS: Final = 730
_ROOT_DAYS: Final = 20 * 365
_INTERMEDIATE_DAYS: Final = 10 * 365
_SUBJECT: Final = re.compile(r"[a-z2-7]{26}")
_MSP_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CRL_DAYS: Final = 14
"""Lists are renewed weekly at the latest."""

_MAX_REQUEST: Final = 4096


class Role(StrEnum):
    """What a certificate's holder is; exactly one each (PROTOCOL.md B2)."""

    OPERATOR = "operator"
    REGISTRAR = "registrar"
    CUSTODIAN = "custodian"
    PRACTITIONER = "practitioner"
    PRIVACY_OFFICER = "privacy-officer"
    PATIENT = "patient"
    PROXY = "proxy"


class Branch(StrEnum):
    """The intermediates, each with a key of its own."""

    PEOPLE = "people"
    PATIENTS = "patients"
    TLS = "tls"


class NodeKind(StrEnum):
    """The organizational unit by which Fabric tells what a certificate is for (NodeOUs); people are ``client``."""

    PEER = "peer"
    ORDERER = "orderer"
    ADMIN = "admin"


class RequestError(ValueError):
    """A certificate request is refused; the text says why."""


class IssuingError(Exception):
    """The authority does not hold the key that this certificate needs."""


def new_subject(random: Random = os.urandom) -> str:
    """Return a random subject or patient id: 16 bytes as 26 lower-case base32 characters, never reused (B1, A17)."""
    return base64.b32encode(random(16)).decode().rstrip("=").lower()


def certificate_request(private_key: ec.EllipticCurvePrivateKey, subject: str) -> bytes:
    """Return a PKCS #10 request, DER: the key never leaves the machine that made it (B3)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(client_name(subject))
    return builder.sign(private_key, SHA256()).public_bytes(serialization.Encoding.DER)


def read_request(untrusted_der: bytes) -> tuple[bytes, str]:
    """Return public key (SubjectPublicKeyInfo, DER) and subject of a request that proves possession of its key.

    Raises:
        RequestError: not a request, not on P-256, not signed by its key, or another name than one subject; anything
            else it asks for (extensions, alternative names) is refused too, not dropped in silence.
    """
    if len(untrusted_der) > _MAX_REQUEST:
        raise RequestError("the certificate request is too large")
    try:
        request = x509.load_der_x509_csr(untrusted_der)
        public_key = request.public_key()
        asks_more = len(request.extensions) + len(request.attributes) > 0
        valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature, x509.DuplicateExtension):
        raise RequestError("not a certificate request") from None
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, ec.SECP256R1):
        raise RequestError("the key of a certificate is on P-256")
    if not valid:
        raise RequestError("the request is not signed by its own key")
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject = str(names[0].value) if names else ""
    if asks_more or not _SUBJECT.fullmatch(subject) or request.subject != client_name(subject):
        raise RequestError("a request names one subject and nothing else")
    return spki(public_key), subject


class HospitalAuthority:
    """What issues certificates of one organization. Branches whose keys are elsewhere are simply not in ``keys``."""

    def __init__(
        self,
        msp_id: str,
        root: bytes,
        branches: Mapping[Branch, bytes],
        keys: Mapping[Branch, ec.EllipticCurvePrivateKey],
        root_key: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        """Unite certificates (DER) with the keys that are present.

        Raises:
            ValueError: an impossible ``msp_id``.
        """
        _check(msp_id)
        self.msp_id: Final = msp_id
        self.root: Final = root
        self.branches: Final = dict(branches)
        self._keys = dict(keys)
        self._root_key = root_key

    @classmethod
    def create(cls, msp_id: str, now: int, random: Random = os.urandom) -> Self:
        """Make root and intermediates.

        The root key is in memory until ``take_root_key``; seal it to a file (``passphrases.seal``), kept offline.

        Args:
            msp_id: the organization.
            now: seconds UTC.
            random: for the serials.

        Raises:
            ValueError: an impossible ``msp_id``.
        """
        _check(msp_id)
        root_key = ec.generate_private_key(ec.SECP256R1())
        root_name = authority_name(msp_id, "root")
        root = authority_certificate(
            root_name, root_key, (root_name, root_key), now=now, days=_ROOT_DAYS, path_length=1, random=random
        )
        keys = {branch: ec.generate_private_key(ec.SECP256R1()) for branch in Branch}
        branches = {
            branch: authority_certificate(
                authority_name(msp_id, branch),
                key,
                (root_name, root_key),
                now=now,
                days=_INTERMEDIATE_DAYS,
                path_length=0,
                random=random,
            )
            for branch, key in keys.items()
        }
        return cls(msp_id, root, branches, keys, root_key)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The CA certificates that the channel trusts for this organization: root, people, patients (DER)."""
        return (self.root, self.branches[Branch.PEOPLE], self.branches[Branch.PATIENTS])

    def take_root_key(self) -> bytearray:
        """Hand out the root key (PKCS #8, DER) once, to be sealed and kept offline; it is then no longer here.

        Raises:
            IssuingError: it was taken before.
        """
        if self._root_key is None:
            raise IssuingError("the root key is offline")
        raw = bytearray(_pkcs8(self._root_key))
        self._root_key = None
        return raw

    def wrapped_key(self, branch: Branch, service_key: bytes | bytearray) -> bytes:
        """Return the key of an intermediate, wrapped for the disk (``Purpose.SERVICE``).

        Raises:
            IssuingError: the key is not here.
        """
        raw = bytearray(_pkcs8(self._key(branch)))
        try:
            return wrap(service_key, raw, self.place(branch))
        finally:
            wipe(raw)

    def unwrap_key(self, branch: Branch, service_key: bytes | bytearray, box: bytes) -> None:
        """Take an intermediate's key back from ``wrapped_key``.

        Raises:
            UnwrapError: another key or place, or changed bytes.
            IssuingError: it is not the key of this authority's certificate.
        """
        raw = unwrap(service_key, box, self.place(branch))
        key = serialization.load_der_private_key(raw, None)
        wipe(raw)
        certificate = x509.load_der_x509_certificate(self.branches[branch])
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise IssuingError(f"not the key of the {branch} CA")
        self._keys[branch] = key

    def lock(self) -> None:
        """Drop all keys."""
        self._keys = {}
        self._root_key = None

    def keep(self, *branches: Branch) -> None:
        """Drop every key but those of these branches."""
        self._keys = {branch: self._keys[branch] for branch in branches}

    def issue(self, public_key: bytes, subject: str, role: Role, now: int, random: Random = os.urandom) -> bytes:
        """Return the certificate (DER) of a member or patient id.

        Args:
            public_key: SubjectPublicKeyInfo, DER, on P-256.
            subject: 26 lower-case base32 characters.
            role: decides the branch and the lifetime.
            now: seconds UTC; the certificate starts with that day.
            random: for the serial.

        Raises:
            WeakKeyError: not a P-256 public key.
            RequestError: an impossible subject.
            IssuingError: the branch's key is not here.
        """
        if not _SUBJECT.fullmatch(subject):
            raise RequestError("a subject has 26 lower-case base32 characters")
        branch = Branch.PATIENTS if role is Role.PATIENT else Branch.PEOPLE
        days = PATIENT_DAYS if role is Role.PATIENT else STAFF_DAYS
        attributes = encode({"attrs": {ROLE_ATTRIBUTE: role.value}})
        builder = self._leaf(branch, public_key, client_name(subject), now=now, days=days, random=random).add_extension(
            x509.UnrecognizedExtension(ROLE_EXTENSION, attributes), critical=False
        )
        return signed(builder, self._key(branch))

    def issue_request(self, untrusted_request: bytes, role: Role, now: int, random: Random = os.urandom) -> bytes:
        """Return the certificate for a PKCS #10 request; whether its subject may have this role is the caller's check.

        Raises:
            RequestError: see ``read_request``.
            IssuingError: the branch's key is not here.
        """
        public_key, subject = read_request(untrusted_request)
        return self.issue(public_key, subject, role, now, random)

    def issue_server(
        self, public_key: bytes, host: str, now: int, random: Random = os.urandom, *, is_client: bool = False
    ) -> bytes:
        """Return a TLS certificate (DER) of a service for one host name or address.

        Args:
            public_key: SubjectPublicKeyInfo, DER, on P-256.
            host: a DNS name or an IP address.
            now: seconds UTC; the certificate starts with that day.
            random: for the serial.
            is_client: the service also calls others, and shows them this certificate.

        Raises:
            WeakKeyError: not a P-256 public key.
            IssuingError: the TLS key is not here.
        """
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        uses = [ExtendedKeyUsageOID.SERVER_AUTH] + [ExtendedKeyUsageOID.CLIENT_AUTH] * is_client
        builder = (
            self._leaf(Branch.TLS, public_key, name, now=now, days=STAFF_DAYS, random=random)
            .add_extension(x509.SubjectAlternativeName([general_name(host)]), critical=False)
            .add_extension(key_id_of(self.branches[Branch.TLS]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        )
        return signed(builder, self._key(Branch.TLS))

    def issue_node(self, public_key: bytes, name: str, kind: NodeKind, now: int, random: Random = os.urandom) -> bytes:
        """Return the certificate (DER) with which a node of a Fabric network, or its administrator, signs.

        Raises:
            WeakKeyError: not a P-256 public key.
            IssuingError: the key of the people CA is not here.
        """
        builder = self._leaf(
            Branch.PEOPLE, public_key, unit_name(kind.value, name), now=now, days=STAFF_DAYS, random=random
        ).add_extension(key_id_of(self.branches[Branch.PEOPLE]), critical=False)
        return signed(builder, self._key(Branch.PEOPLE))

    def revocation_list(self, revoked: Iterable[tuple[bytes, int]], now: int, branch: Branch = Branch.PEOPLE) -> bytes:
        """Return the CRL (PEM) of a branch: what it issued and no longer stands by (PROTOCOL.md B6).

        Args:
            revoked: certificates (DER), all of this branch that ever were revoked, each with when, seconds UTC.
            now: seconds UTC.
            branch: which of the CAs.

        Raises:
            IssuingError: the branch's key is not here.
        """
        return crl(self.branches[branch], self._key(branch), revoked, now, now + _CRL_DAYS * 86400)

    def _leaf(
        self, branch: Branch, public_key: bytes, name: x509.Name, *, now: int, days: int, random: Random
    ) -> x509.CertificateBuilder:
        try:
            key = load_public_key(public_key)
        except SignatureError:
            raise WeakKeyError("not a P-256 public key") from None
        issuer = x509.load_der_x509_certificate(self.branches[branch]).subject
        return certificate_builder(name, key, issuer, now=now, days=days, random=random)

    def _key(self, branch: Branch) -> ec.EllipticCurvePrivateKey:
        key = self._keys.get(branch)
        if key is None:
            raise IssuingError(f"the key of the {branch} CA is not here")
        return key

    def place(self, branch: Branch) -> bytes:
        """What the box of a branch's key is bound to, so that no box passes for another."""
        return encode({"type": "authority-key", "msp_id": self.msp_id, "branch": branch.value})


def _check(msp_id: str) -> None:
    if not _MSP_ID.fullmatch(msp_id):
        raise ValueError("an msp_id has 1 to 64 letters, digits, '-' or '_'")


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
