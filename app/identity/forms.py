"""X.509 as this product writes it: names, certificates, revocation lists (PROTOCOL.md B, ATTACKS.md A17)."""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from app.identity.keys import Random


def authority_certificate(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    *,
    now: int,
    days: int,
    path_length: int,
    random: Random,
) -> bytes:
    """Make a CA certificate with the extensions that Fabric's MSP asks of one (subject key id, certificate signing)."""
    public_key = key.public_key()
    issuer_name, issuer_key = issuer
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        certificate_builder(name, public_key, issuer_name, now=now, days=days, random=random)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return signed(builder, issuer_key)


def certificate_builder(
    name: x509.Name, public_key: ec.EllipticCurvePublicKey, issuer: x509.Name, *, now: int, days: int, random: Random
) -> x509.CertificateBuilder:
    """Begin a certificate: a random serial, the day of ``now`` (seconds UTC) as start, ``days`` as lifetime."""
    start = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    serial = int.from_bytes(random(16), "big") >> 1 or 1  # 127 random bits; RFC 5280 wants it positive
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )


def signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the certificate, DER, signed with SHA-256."""
    return builder.sign(key, SHA256()).public_bytes(serialization.Encoding.DER)


def client_name(subject: str) -> x509.Name:
    """Return the name of a person or service: nothing but the subject (B1)."""
    return unit_name("client", subject or "-")


def unit_name(unit: str, name: str) -> x509.Name:
    """Return a name of organizational unit and common name, in this order."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def general_name(host: str) -> x509.GeneralName:
    """Return a host as an alternative name: as an address where it is one."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def authority_name(msp_id: str, branch: str) -> x509.Name:
    """Return the name of one of an organization's CAs."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, msp_id),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{branch} CA"),
        ]
    )


def key_id_of(issuer: bytes) -> x509.AuthorityKeyIdentifier:
    """Return the extension by which a leaf or list names the key of its CA (certificate, DER)."""
    above = x509.load_der_x509_certificate(issuer)
    key_id = above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)


def crl(
    issuer: bytes, key: ec.EllipticCurvePrivateKey, revoked: Iterable[tuple[bytes, int]], now: int, until: int
) -> bytes:
    """Return a list of revoked certificates, PEM.

    Args:
        issuer: the CA's certificate, DER.
        key: the CA's.
        revoked: certificates, DER, each with when, seconds UTC.
        now: seconds UTC.
        until: when the next list is due.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_der_x509_certificate(issuer).subject)
        .last_update(datetime.fromtimestamp(now, UTC))
        .next_update(datetime.fromtimestamp(until, UTC))
        .add_extension(key_id_of(issuer), critical=False)
    )
    for certificate, at in revoked:
        serial = x509.load_der_x509_certificate(certificate).serial_number
        entry = x509.RevokedCertificateBuilder(serial, datetime.fromtimestamp(at, UTC))
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM)
