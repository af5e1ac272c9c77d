"""The hospital's authority: what it issues, and what keeps certificates apart or unlinked (ATTACKS.md A4, A17)."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from app.identity.certificates import (
    Branch,
    HospitalAuthority,
    IssuingError,
    NodeKind,
    RequestError,
    Role,
    certificate_request,
    new_subject,
    read_request,
)
from app.identity.keys import UnwrapError, WeakKeyError
from app.identity.passphrases import seal, unseal
from ledger.certificates import ROLE_EXTENSION, CertificateError, caller_of, verify_creator
from ledger.signatures import spki
from tests.support.certificates import NOW, private_key_of, subject_of
from tests.support.stretching import FAST

DAY = 86_400
ALICE = subject_of("alice")
KEY = private_key_of("alice")
SPKI = spki(KEY.public_key())


@cache
def alder() -> HospitalAuthority:
    return HospitalAuthority.create("AlderMSP", NOW)


def parsed(certificate: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate)


@pytest.mark.parametrize("role", list(Role))
def test_the_ledger_reads_the_caller_that_was_issued(role: Role) -> None:
    certificate = alder().issue(SPKI, ALICE, role, NOW)
    caller = verify_creator(certificate, alder().roots, "AlderMSP", NOW)
    assert (caller.msp_id, caller.subject, caller.role) == ("AlderMSP", ALICE, role.value)
    assert caller.key_hash == hashlib.sha256(SPKI).hexdigest()


def test_a_certificate_minted_again_for_the_same_subject_has_another_key_hash() -> None:
    first = alder().issue(SPKI, ALICE, Role.PATIENT, NOW)
    again = alder().issue(spki(private_key_of("mallory").public_key()), ALICE, Role.PATIENT, NOW)
    one, two = (verify_creator(certificate, alder().roots, "AlderMSP", NOW) for certificate in (first, again))
    assert (one.msp_id, one.subject, one.role) == (two.msp_id, two.subject, two.role)
    assert one.key_hash != two.key_hash


def test_a_renewed_certificate_for_the_same_key_keeps_the_key_hash() -> None:
    later = NOW + 700 * DAY
    again = alder().issue(SPKI, ALICE, Role.PATIENT, later)
    first = alder().issue(SPKI, ALICE, Role.PATIENT, NOW)
    assert (
        verify_creator(again, alder().roots, "AlderMSP", later).key_hash
        == verify_creator(first, alder().roots, "AlderMSP", NOW).key_hash
    )


def test_another_hospitals_authority_does_not_vouch() -> None:
    birch = HospitalAuthority.create("AlderMSP", NOW)  # the same names, other keys
    with pytest.raises(CertificateError):
        verify_creator(birch.issue(SPKI, ALICE, Role.PATIENT, NOW), alder().roots, "AlderMSP", NOW)


@pytest.mark.parametrize("role", list(Role))
def test_nothing_in_a_certificate_links_it_to_those_issued_with_it(role: Role) -> None:
    certificate = parsed(alder().issue(SPKI, ALICE, role, NOW + 12_345))
    days = 730 if role is Role.PATIENT else 365
    start = datetime.fromtimestamp((NOW + 12_345) // DAY * DAY, UTC)
    assert certificate.not_valid_before_utc == start
    assert (certificate.not_valid_after_utc - start).days == days
    assert [extension.oid for extension in certificate.extensions] == [ROLE_EXTENSION]
    extension = certificate.extensions.get_extension_for_oid(ROLE_EXTENSION)
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == f'{{"attrs":{{"assent.role":"{role.value}"}}}}'.encode()
    assert not extension.critical
    names = [(attribute.oid, attribute.value) for attribute in certificate.subject]
    assert names == [(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"), (NameOID.COMMON_NAME, ALICE)]


def test_serials_are_127_random_bits() -> None:
    serials = [parsed(alder().issue(SPKI, ALICE, Role.PATIENT, NOW)).serial_number for _ in range(64)]
    assert len(set(serials)) == 64
    assert max(serials).bit_length() <= 127
    assert max(serials).bit_length() > 120
    gaps = sorted(abs(left - right) for left, right in pairwise(serials))
    assert gaps[0] > 2**100
    largest = alder().issue(SPKI, ALICE, Role.PATIENT, NOW, lambda count: b"\xff" * count)
    assert parsed(largest).serial_number == 2**127 - 1
    assert parsed(alder().issue(SPKI, ALICE, Role.PATIENT, NOW, bytes)).serial_number == 1


def test_patients_and_people_come_from_different_keys() -> None:
    patient = parsed(alder().issue(SPKI, ALICE, Role.PATIENT, NOW))
    person = parsed(alder().issue(SPKI, ALICE, Role.REGISTRAR, NOW))
    patient.verify_directly_issued_by(parsed(alder().branches[Branch.PATIENTS]))
    person.verify_directly_issued_by(parsed(alder().branches[Branch.PEOPLE]))
    assert patient.issuer != person.issuer
    keys = [parsed(root).public_key() for root in (*alder().roots, alder().branches[Branch.TLS])]
    assert len({spki(key) for key in keys if isinstance(key, ec.EllipticCurvePublicKey)}) == 4


def test_the_trusted_certificates_are_root_people_and_patients() -> None:
    root, people, patients = (parsed(certificate) for certificate in alder().roots)
    assert root.subject == root.issuer
    for intermediate in (people, patients):
        intermediate.verify_directly_issued_by(root)
        constraints = intermediate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical
        assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
        assert intermediate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        intermediate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)


def test_the_tls_certificate_verifies_as_a_server_and_not_as_a_person() -> None:
    certificate = alder().issue_server(SPKI, "custodian.alder.example", NOW)
    policy = PolicyBuilder().store(Store([parsed(alder().root)])).time(datetime.fromtimestamp(NOW, UTC))
    branches = [parsed(branch) for branch in alder().branches.values()]
    chain = policy.build_server_verifier(x509.DNSName("custodian.alder.example")).verify(parsed(certificate), branches)
    assert [link.subject for link in chain][1] == parsed(alder().branches[Branch.TLS]).subject
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("birch.example")).verify(parsed(certificate), branches)
    with pytest.raises(CertificateError):
        verify_creator(certificate, alder().roots, "AlderMSP", NOW)


def test_a_service_with_an_address_serves_there_and_calls_only_if_it_may() -> None:
    policy = PolicyBuilder().store(Store([parsed(alder().root)])).time(datetime.fromtimestamp(NOW, UTC))
    branches = [parsed(branch) for branch in alder().branches.values()]
    server = parsed(alder().issue_server(SPKI, "127.0.0.1", NOW))
    both = parsed(alder().issue_server(SPKI, "127.0.0.1", NOW, is_client=True))
    here = x509.IPAddress(ip_address("127.0.0.1"))
    for certificate in (server, both):
        policy.build_server_verifier(here).verify(certificate, branches)
    policy.build_client_verifier().verify(both, branches)
    with pytest.raises(VerificationError):
        policy.build_client_verifier().verify(server, branches)


@pytest.mark.parametrize("kind", list(NodeKind))
def test_a_node_is_known_by_its_unit_and_is_nobody_on_the_ledger(kind: NodeKind) -> None:
    certificate = alder().issue_node(SPKI, "alder", kind, NOW)
    unit = parsed(certificate).subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert [each.value for each in unit] == [kind.value]
    with pytest.raises(CertificateError):
        verify_creator(certificate, alder().roots, "AlderMSP", NOW)


def test_a_caller_whose_chain_a_peer_verified_is_the_same_caller() -> None:
    certificate = alder().issue(SPKI, ALICE, Role.PATIENT, NOW)
    assert caller_of(certificate, "AlderMSP") == verify_creator(certificate, alder().roots, "AlderMSP", NOW)
    for other in (alder().root, alder().issue_node(SPKI, "alder", NodeKind.ADMIN, NOW), b"nothing"):
        with pytest.raises(CertificateError):
            caller_of(other, "AlderMSP")


def test_a_revocation_list_names_serials_and_is_signed_by_its_branch() -> None:
    certificate = alder().issue(SPKI, ALICE, Role.PRACTITIONER, NOW)
    crl = x509.load_pem_x509_crl(alder().revocation_list([(certificate, NOW)], NOW))
    people, patients = (parsed(alder().branches[branch]).public_key() for branch in (Branch.PEOPLE, Branch.PATIENTS))
    assert isinstance(people, ec.EllipticCurvePublicKey)
    assert isinstance(patients, ec.EllipticCurvePublicKey)
    assert crl.is_signature_valid(people)
    assert not crl.is_signature_valid(patients)
    assert [each.serial_number for each in crl] == [parsed(certificate).serial_number]


def test_a_request_proves_its_key_and_is_issued() -> None:
    request = certificate_request(KEY, ALICE)
    assert read_request(request) == (SPKI, ALICE)
    certificate = alder().issue_request(request, Role.PRACTITIONER, NOW)
    assert verify_creator(certificate, alder().roots, "AlderMSP", NOW).role == "practitioner"


def request_of(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    names: list[x509.NameAttribute[str]],
    extension: x509.ExtensionType | None = None,
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


OU = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client")
CN = x509.NameAttribute(NameOID.COMMON_NAME, ALICE)
ROLE = x509.UnrecognizedExtension(ROLE_EXTENSION, b'{"attrs":{"assent.role":"operator"}}')


@pytest.mark.parametrize(
    ("request_der", "reason"),
    [
        (b"", "not a certificate request"),
        (b"\x30" * 5000, "too large"),
        (request_of(rsa.generate_private_key(65537, 2048), [OU, CN]), "P-256"),
        (request_of(ec.generate_private_key(ec.SECP384R1()), [OU, CN]), "P-256"),
        (request_of(ed25519.Ed25519PrivateKey.generate(), [OU, CN]), "P-256"),
        (request_of(KEY, [CN]), "nothing else"),
        (request_of(KEY, [CN, OU]), "nothing else"),
        (request_of(KEY, [OU, CN, CN]), "nothing else"),
        (request_of(KEY, [OU, x509.NameAttribute(NameOID.COMMON_NAME, "Alice Fictive")]), "nothing else"),
        (request_of(KEY, [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "admin"), CN]), "nothing else"),
        (request_of(KEY, []), "nothing else"),
        (request_of(KEY, [OU, CN], ROLE), "nothing else"),
        (request_of(KEY, [OU, CN], x509.BasicConstraints(ca=True, path_length=None)), "nothing else"),
    ],
)
def test_other_requests_are_refused(request_der: bytes, reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        read_request(request_der)


def test_a_request_for_somebody_elses_key_is_refused() -> None:
    mine, other = certificate_request(private_key_of("mallory"), ALICE), SPKI
    stolen = mine.replace(spki(private_key_of("mallory").public_key()), other)
    assert stolen != mine
    with pytest.raises(RequestError, match="not signed by its own key"):
        read_request(stolen)


@pytest.mark.parametrize("subject", ["", "alice", ALICE.upper(), ALICE + "a", ALICE[:-1] + "1", ALICE[:-1] + "\n"])
def test_an_impossible_subject_is_refused(subject: str) -> None:
    with pytest.raises(RequestError):
        alder().issue(SPKI, subject, Role.PATIENT, NOW)


def test_a_weak_or_foreign_public_key_is_refused() -> None:
    other_curve = spki(ec.generate_private_key(ec.SECP384R1()).public_key())
    point = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    off_curve = SPKI.replace(point, point[:-1] + bytes([point[-1] ^ 1]))
    infinity = SPKI.replace(point, b"\x00" * len(point))
    for untrusted in (b"", other_curve, off_curve, infinity):
        with pytest.raises(WeakKeyError):
            alder().issue(untrusted, ALICE, Role.PATIENT, NOW)


def test_the_root_key_leaves_once_and_is_then_gone() -> None:
    authority = HospitalAuthority.create("BirchMSP", NOW)
    raw = authority.take_root_key()
    sealed = seal(raw, "a passphrase for the safe", "authority-root", FAST)
    assert bytes(raw) not in sealed
    key = load_der_private_key(unseal(sealed, "a passphrase for the safe", "authority-root"), None)
    assert parsed(authority.root).public_key() == key.public_key()
    with pytest.raises(IssuingError, match="offline"):
        authority.take_root_key()
    authority.issue(SPKI, ALICE, Role.PATIENT, NOW)


def test_a_custodian_holds_the_patients_key_only_and_wrapped() -> None:
    service_key = bytes(range(32))
    box = alder().wrapped_key(Branch.PATIENTS, service_key)
    custodian = HospitalAuthority("AlderMSP", alder().root, alder().branches, {})
    custodian.unwrap_key(Branch.PATIENTS, service_key, box)
    certificate = custodian.issue(SPKI, ALICE, Role.PATIENT, NOW)
    assert verify_creator(certificate, alder().roots, "AlderMSP", NOW).role == "patient"
    with pytest.raises(IssuingError, match="people CA is not here"):
        custodian.issue(SPKI, ALICE, Role.REGISTRAR, NOW)
    custodian.lock()
    with pytest.raises(IssuingError, match="patients CA is not here"):
        custodian.issue(SPKI, ALICE, Role.PATIENT, NOW)


def test_a_wrapped_authority_key_is_bound_to_its_hospital_and_branch() -> None:
    service_key = bytes(range(32))
    box = alder().wrapped_key(Branch.PATIENTS, service_key)
    same = HospitalAuthority("AlderMSP", alder().root, alder().branches, {})
    other = HospitalAuthority("BirchMSP", alder().root, alder().branches, {})
    with pytest.raises(UnwrapError):
        same.unwrap_key(Branch.PEOPLE, service_key, box)
    with pytest.raises(UnwrapError):
        other.unwrap_key(Branch.PATIENTS, service_key, box)
    with pytest.raises(UnwrapError):
        same.unwrap_key(Branch.PATIENTS, bytes(32), box)
    impostor = HospitalAuthority.create("AlderMSP", NOW)
    with pytest.raises(IssuingError, match="not the key of the patients CA"):
        impostor.unwrap_key(Branch.PATIENTS, service_key, box)


@pytest.mark.parametrize("msp_id", ["", "a b", "Älder", "A" * 65, "A.B", "A\n"])
def test_an_impossible_msp_id_is_refused(msp_id: str) -> None:
    with pytest.raises(ValueError, match="msp_id"):
        HospitalAuthority.create(msp_id, NOW)


def test_subjects_are_random_and_of_the_ledgers_form() -> None:
    subjects = {new_subject() for _ in range(100)}
    assert len(subjects) == 100
    for subject in subjects:
        alder().issue(SPKI, subject, Role.PATIENT, NOW)
