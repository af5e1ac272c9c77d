"""From certificate to caller: what is refused (PROTOCOL.md B1, ATTACKS.md A4)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledger.certificates import ROLE_EXTENSION, CertificateError, read_creator, verify_creator
from tests.support.certificates import (
    NOW,
    Hospital,
    authority_certificate,
    client_name,
    private_key_of,
    role_extension,
    subject_of,
)

ALDER = Hospital("Alder")
CAROL = ALDER.issue("carol", "practitioner")
PEOPLE = private_key_of("Alder authority people")
DAY = 86400


def certificate(  # one argument per thing that a forger may vary
    *,
    name: x509.Name | None = None,
    key: ec.EllipticCurvePublicKey | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ((role_extension("practitioner"), False),),
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(client_name(subject_of("carol")) if name is None else name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Alder people")]))
        .public_key(key or private_key_of("carol").public_key())
        .serial_number(1)
        .not_valid_before(datetime.fromtimestamp(NOW, UTC))
        .not_valid_after(datetime.fromtimestamp(NOW, UTC) + timedelta(days=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(PEOPLE, algorithm or hashes.SHA256())  # type: ignore[arg-type]  # tests weak ones too
    return signed.public_bytes(serialization.Encoding.DER)


def refused(certificate_der: bytes, match: str, roots: list[bytes] | None = None) -> None:
    with pytest.raises(CertificateError, match=match):
        verify_creator(certificate_der, ALDER.roots if roots is None else roots, "Alder", NOW)


def test_a_certificate_names_its_caller() -> None:
    caller = verify_creator(CAROL.certificate, ALDER.roots, "Alder", NOW)
    assert (caller.msp_id, caller.subject, caller.role) == ("Alder", subject_of("carol"), "practitioner")
    assert caller.key_hash == CAROL.key_hash
    assert read_creator(CAROL.certificate, ALDER.roots, "Alder", NOW).public_key == CAROL.private_key.public_key()


def test_a_root_may_issue_directly() -> None:
    assert verify_creator(ALDER.issue("dan", "operator", issuer="root").certificate, ALDER.roots, "Alder", NOW)


def test_a_certificate_without_role_has_an_empty_one() -> None:
    assert verify_creator(certificate(extensions=()), ALDER.roots, "Alder", NOW).role == ""


def test_validity_is_that_of_the_whole_chain() -> None:
    start = NOW - NOW % DAY
    verify_creator(CAROL.certificate, ALDER.roots, "Alder", start)
    verify_creator(CAROL.certificate, ALDER.roots, "Alder", start + 365 * DAY)
    for at in (start - 1, start + 365 * DAY + 1):
        with pytest.raises(CertificateError, match="not valid at this time"):
            verify_creator(CAROL.certificate, ALDER.roots, "Alder", at)
    young = Hospital("Alder", now=NOW + 10 * DAY)
    with pytest.raises(CertificateError, match="not valid at this time"):
        verify_creator(young.issue("carol", "practitioner", now=NOW).certificate, young.roots, "Alder", NOW)


def test_another_hospitals_certificate_is_refused() -> None:
    refused(Hospital("Birch").issue("carol", "practitioner").certificate, "chain")


def test_a_namesake_authority_with_another_key_is_refused() -> None:
    root = private_key_of("mallory root")
    forged = authority_certificate("Alder root", root.public_key(), "Alder root", root)
    people = authority_certificate("Alder people", private_key_of("x").public_key(), "Alder root", root)
    refused(CAROL.certificate, "chain", [forged, people])


def test_an_intermediate_alone_is_no_root() -> None:
    refused(CAROL.certificate, "chain", ALDER.roots[1:])


def test_a_root_whose_own_signature_is_wrong_is_none() -> None:
    forged = authority_certificate(
        "Alder root", private_key_of("Alder authority root").public_key(), "Alder root", private_key_of("mallory")
    )
    refused(CAROL.certificate, "chain", [forged, *ALDER.roots[1:]])


@pytest.mark.parametrize(("path_length", "is_authority"), [(0, True), (None, False)])
def test_what_may_not_issue_does_not(path_length: int | None, *, is_authority: bool) -> None:
    root = private_key_of("Alder authority root")
    other = authority_certificate(
        "Alder root", root.public_key(), "Alder root", root, path_length=path_length, is_authority=is_authority
    )
    refused(CAROL.certificate, "chain", [other, *ALDER.roots[1:]])


def test_a_chain_has_an_end() -> None:
    keys = [private_key_of(str(number)) for number in range(6)]
    roots = [authority_certificate("0", keys[0].public_key(), "0", keys[0])]
    roots += [authority_certificate(str(n), keys[n].public_key(), str(n - 1), keys[n - 1]) for n in range(1, 6)]
    roots.append(authority_certificate("Alder people", PEOPLE.public_key(), "5", keys[5]))
    refused(CAROL.certificate, "too long", roots)


def test_a_ca_certificate_is_no_caller() -> None:
    refused(ALDER.roots[1], "CA certificate")


def test_an_unreadable_root_refuses_everybody() -> None:
    refused(CAROL.certificate, "cannot be read", [b"nothing"])


def test_a_weak_hash_breaks_the_chain() -> None:
    refused(certificate(algorithm=hashes.SHA224()), "chain")


CN = NameOID.COMMON_NAME
OU = NameOID.ORGANIZATIONAL_UNIT_NAME


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [(CN, subject_of("carol"))],
        [(OU, "admin"), (CN, subject_of("carol"))],
        [(CN, subject_of("carol")), (OU, "client")],
        [(OU, "client"), (CN, subject_of("carol")), (CN, subject_of("carol"))],
        [(OU, "client"), (CN, subject_of("carol").upper())],
        [(OU, "client"), (CN, "carol")],
    ],
)
def test_other_names_are_refused(parts: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    refused(certificate(name=x509.Name([x509.NameAttribute(*part) for part in parts])), "agreed form")


def test_two_attributes_in_one_part_are_refused() -> None:
    name = x509.Name([x509.RelativeDistinguishedName(list(client_name(subject_of("carol"))))])
    refused(certificate(name=name), "agreed form")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"{}", b'{"attrs":[]}', b'{"attrs":{"assent.role":1}}', b"\xff", b"[" * 100_000]
)
def test_unreadable_attributes_are_refused(raw: bytes) -> None:
    match = "too large" if len(raw) > 8192 else "attributes|not a text"
    refused(certificate(extensions=((x509.UnrecognizedExtension(ROLE_EXTENSION, raw), False),)), match)


def test_an_unknown_critical_extension_is_refused() -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"")
    refused(certificate(extensions=((extension, True),)), "critical")
    verify_creator(certificate(extensions=((extension, False),)), ALDER.roots, "Alder", NOW)


def test_other_curves_are_refused() -> None:
    refused(certificate(key=ec.generate_private_key(ec.SECP384R1()).public_key()), "P-256")


@pytest.mark.parametrize("raw", [b"", b"nothing"])
def test_what_is_no_certificate_is_refused(raw: bytes) -> None:
    refused(raw, "not a certificate")
