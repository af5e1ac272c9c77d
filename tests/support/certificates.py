"""Certificate authorities and people with certificates, made in memory for tests of ledger and custodian."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledger.certificates import ROLE_EXTENSION
from ledger.signatures import sign, spki

NOW = 1_800_000_000
"""The tests' usual present: 2027-01-15 08:00:00 UTC."""


def subject_of(seed: str) -> str:
    """Return 26 lower-case base32 characters that depend on ``seed`` alone."""
    return base64.b32encode(hashlib.sha256(seed.encode()).digest())[:26].decode().lower()


def private_key_of(seed: str) -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key that depends on ``seed`` alone."""
    return ec.derive_private_key(
        int.from_bytes(hashlib.sha256(b"key" + seed.encode()).digest()[:31]) + 1, ec.SECP256R1()
    )


@dataclass(frozen=True)
class Person:
    """A certificate with its private key; implements ``ledger.gateway.Signer``."""

    msp_id: str
    subject: str
    certificate: bytes
    private_key: ec.EllipticCurvePrivateKey

    @property
    def key_hash(self) -> str:
        return hashlib.sha256(spki(self.private_key.public_key())).hexdigest()

    def sign(self, message: bytes) -> bytes:
        return sign(self.private_key, message)


def authority_certificate(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    path_length: int | None = None,
    is_authority: bool = True,
    now: int = NOW,
    days: int = 3650,
) -> bytes:
    """Return a CA certificate, DER; self-signed when ``issuer`` is ``name``."""
    return (
        _builder(_common_name(name), _common_name(issuer), public_key, now, days)
        .add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=path_length if is_authority else None), critical=True
        )
        .sign(issuer_key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


@dataclass
class Hospital:
    """An organization with a root and the two intermediates below it."""

    msp_id: str
    now: int = NOW
    roots: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        root = self._key("root")
        self.roots = [
            authority_certificate(f"{self.msp_id} root", root.public_key(), f"{self.msp_id} root", root, now=self.now),
            *(
                authority_certificate(
                    f"{self.msp_id} {name}",
                    self._key(name).public_key(),
                    f"{self.msp_id} root",
                    root,
                    path_length=0,
                    now=self.now,
                )
                for name in ("people", "patients")
            ),
        ]

    def issue(
        self, seed: str, role: str, *, days: int = 365, now: int | None = None, key_seed: str = "", issuer: str = ""
    ) -> Person:
        """Return the person of ``seed``, freshly certified; ``key_seed`` gives another key for the same subject."""
        private_key = private_key_of(f"{self.msp_id} {key_seed or seed}")
        subject = subject_of(seed)
        issuer = issuer or ("patients" if role == "patient" else "people")
        builder = _builder(
            client_name(subject),
            _common_name(f"{self.msp_id} {issuer}"),
            private_key.public_key(),
            self.now if now is None else now,
            days,
        ).add_extension(role_extension(role), critical=False)
        certificate = builder.sign(self._key(issuer), hashes.SHA256())
        return Person(self.msp_id, subject, certificate.public_bytes(serialization.Encoding.DER), private_key)

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey:
        return private_key_of(f"{self.msp_id} authority {name}")


def client_name(subject: str) -> x509.Name:
    """Return the DN of PROTOCOL.md B1."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
            x509.NameAttribute(NameOID.COMMON_NAME, subject),
        ]
    )


def role_extension(role: object) -> x509.UnrecognizedExtension:
    """Return the attribute extension with one role."""
    return x509.UnrecognizedExtension(ROLE_EXTENSION, json.dumps({"attrs": {"assent.role": role}}).encode())


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: int, days: int
) -> x509.CertificateBuilder:
    day = datetime.fromtimestamp(now - now % 86400, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(day)
        .not_valid_after(day + timedelta(days=days))
    )
