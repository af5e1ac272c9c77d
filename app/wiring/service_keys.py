"""Keys of services, wrapped at rest under ``assent/service/1``: custodian, receipt, CAs, ledger (PROTOCOL.md F)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.identity.certificates import Branch, HospitalAuthority, Role, new_subject
from app.identity.installation import MasterKeys
from app.identity.keys import MasterKey, Purpose, Random, rewrap, unwrap, wipe, wrap
from app.identity.private_files import read_private, write_private
from app.identity.signing import SigningIdentity
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.signatures import SoftwareKey, spki

_MAX_FILE: Final = 64 * 1024


class ServiceKeysError(Exception):
    """The file of a service's keys is damaged, or belongs to another master key."""


@dataclass(frozen=True, slots=True)
class HospitalKeys:
    """What one hospital's services sign with.

    Attributes:
        authority: issues certificates; its root key is elsewhere.
        custodian: the custodian's ledger identity, role custodian.
        receipt: signs the custodian's replies.
    """

    authority: HospitalAuthority
    custodian: SigningIdentity
    receipt: SoftwareKey


class KeyFile:
    """Named private keys and public texts of a service in one file; implements ``installation.Wrapped``."""

    def __init__(self, path: Path, random: Random) -> None:
        """Use the file at ``path``."""
        self._path: Final = path
        self._random: Final = random

    def write(self, master: MasterKey, public: Mapping[str, bytes], boxes: Mapping[str, bytes]) -> None:
        """Keep public texts, and keys in boxes that are bound to their names under ``Purpose.SERVICE``."""
        self._store(master.key_id, public, boxes)

    def read(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return the public texts and the boxes.

        Raises:
            ServiceKeysError: the file is damaged.
        """
        _, public, boxes = self._load()
        return public, boxes

    def purpose_key(self, master: MasterKeys) -> bytearray:
        """Return the key that opens the boxes, to be wiped by the caller.

        Raises:
            ServiceKeysError: the file is damaged.
            KeyStoreMismatchError: it is under neither of the master keys.
        """
        key_id, _, _ = self._load()
        return master.named(key_id).purpose_key(Purpose.SERVICE)

    def rewrap(self, old: MasterKey, new: MasterKey) -> None:
        """See ``installation.Wrapped``."""
        key_id, public, boxes = self._load()
        if key_id == new.key_id:
            return
        old_key, new_key = old.purpose_key(Purpose.SERVICE), new.purpose_key(Purpose.SERVICE)
        try:
            moved = {name: rewrap(old_key, new_key, box, name.encode(), self._random) for name, box in boxes.items()}
        finally:
            wipe(old_key, new_key)
        self._store(new.key_id, public, moved)

    def _store(self, key_id: str, public: Mapping[str, bytes], boxes: Mapping[str, bytes]) -> None:
        content = {"v": 1, "key_id": key_id, "public": _texts(public), "boxes": _texts(boxes)}
        write_private(self._path, encode(content))

    def _load(self) -> tuple[str, dict[str, bytes], dict[str, bytes]]:
        try:
            value = decode_object(read_private(self._path, _MAX_FILE))
            return str(value["key_id"]), _bytes(value["public"]), _bytes(value["boxes"])
        except (ContractError, KeyError, ValueError, TypeError):
            raise ServiceKeysError(f"{self._path.name} is damaged. Restore it from a backup.") from None


def found_hospital(
    msp_id: str, file: KeyFile, master: MasterKey, now: int, random: Random
) -> tuple[HospitalKeys, bytearray]:
    """Make the keys of a new hospital and keep them.

    Returns:
        The keys, and the root CA's key (PKCS #8, DER), which is to be sealed and kept offline.
    """
    authority = HospitalAuthority.create(msp_id, now, random)
    root_key = authority.take_root_key()
    custodian, receipt = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    certificate = authority.issue(spki(custodian.public_key()), new_subject(random), Role.CUSTODIAN, now, random)
    key = master.purpose_key(Purpose.SERVICE)
    boxes = {authority.place(branch).decode(): authority.wrapped_key(branch, key) for branch in Branch}
    boxes |= {
        "custodian": box_key(key, "custodian", custodian, random),
        "receipt": box_key(key, "receipt", receipt, random),
    }
    wipe(key)
    branches = {str(branch): authority.branches[branch] for branch in Branch}
    file.write(master, {"root": authority.root, "certificate": certificate, **branches}, boxes)
    return HospitalKeys(authority, SigningIdentity(msp_id, certificate, custodian), SoftwareKey(receipt)), root_key


def open_hospital(msp_id: str, file: KeyFile, master: MasterKeys) -> HospitalKeys:
    """Return the keys of a hospital that was founded on this machine.

    Raises:
        ServiceKeysError, UnwrapError, KeyStoreMismatchError: damaged, or another master key.
    """
    public, boxes = file.read()
    authority = HospitalAuthority(msp_id, public["root"], {branch: public[str(branch)] for branch in Branch}, {})
    key = file.purpose_key(master)
    try:
        for branch in Branch:
            authority.unwrap_key(branch, key, boxes[authority.place(branch).decode()])
        custodian, receipt = (open_key(key, name, boxes[name]) for name in ("custodian", "receipt"))
    finally:
        wipe(key)
    return HospitalKeys(authority, SigningIdentity(msp_id, public["certificate"], custodian), SoftwareKey(receipt))


def box_key(key: bytearray, name: str, private_key: ec.EllipticCurvePrivateKey, random: Random) -> bytes:
    """Wrap a private key under a purpose key, bound to its name."""
    raw = bytearray(
        private_key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    try:
        return wrap(key, raw, name.encode(), random)
    finally:
        wipe(raw)


def open_key(key: bytearray, name: str, box: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the private key of ``box_key``.

    Raises:
        UnwrapError: another key or name, or changed bytes.
        ServiceKeysError: not a P-256 key.
    """
    raw = unwrap(key, box, name.encode())
    private_key = serialization.load_der_private_key(raw, None)
    wipe(raw)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise ServiceKeysError("not a P-256 key")
    return private_key


def _texts(values: Mapping[str, bytes]) -> dict[str, Json]:
    return {name: base64.b64encode(value).decode() for name, value in values.items()}


def _bytes(value: Json) -> dict[str, bytes]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return {name: base64.b64decode(str(text), validate=True) for name, text in value.items()}
