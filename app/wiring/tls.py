"""A custodian's TLS keys: a fresh one at each unlocking, in memory only, and one for saying that it is locked (A51)."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.server import KeyAndChain
from app.custodian.wire import LOCKED_NAME, pem
from app.identity.certificates import Branch, HospitalAuthority
from app.identity.keys import Random
from app.identity.private_files import read_private, write_private
from ledger.signatures import spki

_KEY, _CHAIN = "locked.key", "locked.pem"
_MAX_FILE: Final = 16 * 1024


def issue_leaf(authority: HospitalAuthority, host: str, now: int, random: Random) -> KeyAndChain:
    """Make a key and its certificate chain for a host.

    Raises:
        IssuingError: the key of the TLS CA is not here.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue_server(spki(key.public_key()), host, now, random)
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return raw, pem(certificate, authority.branches[Branch.TLS])


def keep_locked_leaf(folder: Path, authority: HospitalAuthority, now: int, random: Random) -> None:
    """Keep, in clear, the key with which a locked custodian says so; it is good for nothing else (``wire``)."""
    key, chain = issue_leaf(authority, LOCKED_NAME, now, random)
    write_private(folder / _CHAIN, chain)
    write_private(folder / _KEY, key)


def read_locked_leaf(folder: Path) -> KeyAndChain:
    """Return what ``keep_locked_leaf`` kept.

    Raises:
        FileNotFoundError, ExposedFileError: there is none, or others can read it.
    """
    return read_private(folder / _KEY, _MAX_FILE), read_private(folder / _CHAIN, _MAX_FILE)
