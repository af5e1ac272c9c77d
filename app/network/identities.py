"""Keys and certificates of a network's nodes, in the folders that Fabric reads (its "local MSP").

A local network keeps the keys of its CAs beside its nodes, readable to their owner alone: it is for trying and for
tests. A hospital that brings its own authority keeps them where it keeps them.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from app.identity.certificates import STAFF_DAYS, Branch, HospitalAuthority, NodeKind
from app.identity.forms import certificate_builder, general_name, signed, unit_name
from app.identity.keys import KEY_BYTES
from app.identity.private_files import make_private_folder, read_private, write_private
from app.network.plan import HOST
from ledger.signatures import sign, spki

_WRAPPING: Final = "wrapping.key"
_MAX_BOX: Final = 4096
_UNITS: Final = ("client", "peer", "admin", "orderer")
_NODE_UNITS: Final = "NodeOUs:\n  Enable: true\n" + "".join(
    f"  {unit.capitalize()}OUIdentifier:\n    OrganizationalUnitIdentifier: {unit}\n" for unit in _UNITS
)
"""config.yaml of a local MSP: what a certificate is for stands in its organizational unit."""


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A node's administrator: a ``Signer`` whose key lies in a file.

    Attributes:
        certificate: X.509, DER.
    """

    msp_id: str
    certificate: bytes
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def read(cls, msp_id: str, folder: Path) -> Self:
        """Read ``cert.pem`` and ``key.pem``."""
        key = serialization.load_pem_private_key(read_private(folder / "key.pem", _MAX_BOX), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the administrator's key is on P-256")
        return cls(msp_id, read_certificate(folder / "cert.pem"), key)

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA-SHA256 signature with low S over ``message``."""
        return sign(self._key, message)


def write_authority(folder: Path, authority: HospitalAuthority) -> None:
    """Write CA certificates (PEM) and, wrapped under a key beside them, the CA keys that are present."""
    make_private_folder(folder)
    secret = os.urandom(KEY_BYTES)
    write_private(folder / _WRAPPING, secret)
    write_certificates(folder / "root.pem", authority.root)
    for branch, certificate in authority.branches.items():
        write_certificates(folder / f"{branch}.pem", certificate)
        write_private(folder / f"{branch}.key", authority.wrapped_key(branch, secret))


def read_authority(folder: Path, msp_id: str) -> HospitalAuthority:
    """Return the authority that ``write_authority`` wrote, with its keys."""
    branches = {branch: read_certificate(folder / f"{branch}.pem") for branch in Branch}
    authority = HospitalAuthority(msp_id, read_certificate(folder / "root.pem"), branches, {})
    secret = read_private(folder / _WRAPPING, KEY_BYTES)
    for branch in Branch:
        authority.unwrap_key(branch, secret, read_private(folder / f"{branch}.key", _MAX_BOX))
    return authority


def write_node(folder: Path, authority: HospitalAuthority, name: str, kind: NodeKind, now: int) -> None:
    """Write local MSP (``msp``) and TLS pair (``tls``) of a node, with fresh keys."""
    msp = folder / "msp"
    for part in ("cacerts", "intermediatecerts", "tlscacerts", "tlsintermediatecerts", "signcerts", "keystore"):
        make_private_folder(msp / part)
    write_certificates(msp / "cacerts" / "root.pem", authority.root)
    write_certificates(msp / "intermediatecerts" / "people.pem", authority.branches[Branch.PEOPLE])
    write_certificates(msp / "tlscacerts" / "root.pem", authority.root)
    write_certificates(msp / "tlsintermediatecerts" / "tls.pem", authority.branches[Branch.TLS])
    (msp / "config.yaml").write_text(_NODE_UNITS, encoding="utf-8")
    public_key = _new_key(msp / "keystore" / "key.pem")
    write_certificates(msp / "signcerts" / "cert.pem", authority.issue_node(public_key, name, kind, now))
    write_tls(folder / "tls", authority, now)


def write_tls(folder: Path, authority: HospitalAuthority, now: int) -> None:
    """Write a TLS pair that serves and calls on this machine: ``{key,cert,chain,root}.pem``."""
    make_private_folder(folder)
    certificate = authority.issue_server(_new_key(folder / "key.pem"), HOST, now, is_client=True)
    write_certificates(folder / "cert.pem", certificate)
    write_certificates(folder / "chain.pem", certificate, authority.branches[Branch.TLS])
    write_certificates(folder / "root.pem", authority.root)


def write_admin(folder: Path, authority: HospitalAuthority, name: str, now: int) -> None:
    """Write the administrator's pair: joins channels, installs, approves; the contract knows no such role."""
    make_private_folder(folder)
    public_key = _new_key(folder / "key.pem")
    write_certificates(folder / "cert.pem", authority.issue_node(public_key, name, NodeKind.ADMIN, now))
    write_tls(folder / "tls", authority, now)


def write_pinned(folder: Path, now: int) -> None:
    """Write a self-signed TLS pair that its one counterpart trusts by itself: no other certificate will do."""
    make_private_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    name = unit_name("chaincode", folder.name)
    builder = certificate_builder(name, key.public_key(), name, now=now, days=STAFF_DAYS, random=os.urandom)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([general_name(HOST)]), critical=False)
    _write_key(folder / "key.pem", key)
    write_certificates(folder / "cert.pem", signed(builder, key))


def write_certificates(path: Path, *certificates: bytes) -> None:
    """Write certificates (DER) as PEM, one after the other."""
    path.write_bytes(b"".join(map(to_pem, certificates)))


def read_certificate(path: Path) -> bytes:
    """Return the first certificate of a PEM file, DER."""
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


def to_pem(certificate: bytes) -> bytes:
    """Return a certificate (DER) as PEM."""
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


def _new_key(path: Path) -> bytes:
    """Write a fresh P-256 key and return its public half, SubjectPublicKeyInfo, DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(path, key)
    return spki(key.public_key())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(path, pem)
