"""Sealing a record version and opening it again (PROTOCOL.md F, ATTACKS.md A23, A24; features R2, R3).

A version gets a fresh age identity. Each object is one age file to it, named by the SHA-256 of its ciphertext; the
manifest is one more. Opening happens in memory, and nothing is handed on before the whole object verified; what does
not verify is looked at again only to say what was changed.
"""

import hashlib
import hmac
import io
import mmap
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pyrage
from pyrage import x25519

from app.records.imported import ImportObject, ImportRecord
from app.records.limits import MIB
from app.records.manifest import SALT_BYTES, Manifest, ManifestObject
from app.records.pipeline import BUFFER, Ciphertext, Plaintext
from app.records.refusal import Change, IntegrityError, RefusedError
from app.records.store import ObjectStore
from ledger.commitments import CommitmentError, commitment, verify_commitment

IN_MEMORY: Final = 64 * MIB


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """A record version at rest. The identity is the only secret; whoever destroys it erases the version (feature R4).

    Attributes:
        identity: age identity, ``AGE-SECRET-KEY-1…``, 74 characters.
        recipient: its public part, ``age1…``.
        manifest: canonical bytes that the commitment is to.
        manifest_name: object name of the sealed manifest.
        salt: of the ledger's commitment.
        commitment: for the ledger.
        names: of all objects in the store, the manifest's last.
    """

    identity: str = field(repr=False)
    recipient: str
    manifest: bytes = field(repr=False)
    manifest_name: str
    salt: bytes = field(repr=False)
    commitment: str
    names: tuple[str, ...]


def seal_record(
    record: ImportRecord,
    store: ObjectStore,
    *,
    version: int = 1,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> SealedVersion:
    """Seal all objects of a record into ``store``, to a fresh identity; all of them, or none stay there.

    Args:
        record: what an import found.
        store: where the ciphertext goes.
        version: of the record, from 1.
        random: source of the two salts; age draws its own keys.

    Raises:
        RefusedError: a file is not the one that was looked at, or the store cannot take it.
    """
    identity = x25519.Identity.generate()
    recipient = identity.to_public()
    names: list[str] = []
    try:
        salt = random(SALT_BYTES)
        objects = []
        for item in record.objects:
            objects.append(_seal_object(item, store, recipient, salt))
            names.append(objects[-1].name)
        manifest = Manifest(
            version=version,
            recipient=str(recipient),
            salt=salt,
            kind=record.kind,
            category=record.category.value,
            codes=record.codes,
            dates=record.dates,
            display=record.display,
            objects=tuple(objects),
        ).to_bytes()
        sealed_manifest = pyrage.encrypt(manifest, [recipient])
        names.append(hashlib.sha256(sealed_manifest).hexdigest())
        store.put(names[-1], sealed_manifest)
    except OSError as error:
        _forget(store, names)
        raise RefusedError(f"It could not be stored: {error.strerror}. Make room and import it again.") from None
    except BaseException:
        _forget(store, names)
        raise
    outer_salt = random(SALT_BYTES)
    return SealedVersion(
        identity=str(identity),
        recipient=str(recipient),
        manifest=manifest,
        manifest_name=names[-1],
        salt=outer_salt,
        commitment=commitment(outer_salt, manifest),
        names=tuple(names),
    )


def open_manifest(
    identity: str, untrusted_ciphertext: bytes, *, name: str, salt: bytes, committed: str, version: int
) -> Manifest:
    """Return the manifest that the ledger commits to.

    Args:
        identity: age identity of the version.
        untrusted_ciphertext: from a store or a custodian.
        name: of the object.
        salt: opens the commitment.
        committed: the ledger's commitment of this version.
        version: the ledger's version number.

    Raises:
        IntegrityError: ``wrong-key``, ``object-damaged``, ``version-rolled-back`` or ``manifest-changed``.
    """
    raw = bytes(_decrypt(identity, untrusted_ciphertext, name))
    try:
        verify_commitment(committed, salt, raw)
    except CommitmentError:
        older = Manifest.from_bytes(raw).version < version
        raise IntegrityError(Change.VERSION_ROLLED_BACK if older else Change.MANIFEST_CHANGED, name) from None
    if hashlib.sha256(untrusted_ciphertext).hexdigest() != name:
        raise IntegrityError(Change.OBJECT_REPLACED, name)
    manifest = Manifest.from_bytes(raw)
    if manifest.version != version:
        raise IntegrityError(
            Change.VERSION_ROLLED_BACK if manifest.version < version else Change.MANIFEST_CHANGED, name
        )
    if manifest.recipient != str(x25519.Identity.from_str(identity).to_public()):
        raise IntegrityError(Change.WRONG_KEY, name)
    return manifest


def open_object(
    identity: str, name: str, untrusted_ciphertext: "bytes | memoryview | None", manifest: Manifest
) -> bytes | memoryview:
    """Return an object's plaintext, in memory only, after all of it verified.

    Args:
        identity: age identity of the version.
        name: which object of the manifest is meant.
        untrusted_ciphertext: from a store; None if it has none.
        manifest: verified.

    Returns:
        bytes, or above 64 MiB a read-only view of anonymous memory.

    Raises:
        IntegrityError: names what changed.
    """
    item = manifest.object_named(name)
    if untrusted_ciphertext is None:
        raise IntegrityError(Change.OBJECT_MISSING, name)
    if hashlib.sha256(untrusted_ciphertext).hexdigest() != name:
        raise IntegrityError(_what_changed(identity, item, untrusted_ciphertext, manifest), name)
    plaintext = _decrypt(identity, untrusted_ciphertext, name)
    if not hmac.compare_digest(_mac(manifest.salt, hashlib.sha256(plaintext).digest()), item.file):
        raise IntegrityError(_changed_part(item, plaintext, manifest), name)
    return plaintext


def _seal_object(item: ImportObject, store: ObjectStore, recipient: object, salt: bytes) -> ManifestObject:
    with store.create() as sink, item.source.open() as stream:
        plain, cipher = Plaintext(stream, item.pixels), Ciphertext(sink)
        try:
            pyrage.encrypt_io(io.BufferedReader(plain, BUFFER), cipher, [recipient])
            cipher.flush()
        except pyrage.EncryptError:
            raise plain.error or cipher.error or RefusedError("It could not be encrypted. Import it again.") from None
        finally:
            plain.worker.stop()
            cipher.worker.stop()
        plain.worker.check()
        cipher.worker.check()
        if plain.file.hexdigest() != item.sha256:
            raise RefusedError("It changed while it was read. Import it again when nothing writes to it any more.")
        name = cipher.digest.hexdigest()
        sink.keep(name)
    return ManifestObject(
        name=name,
        size=cipher.size,
        plain_size=plain.size,
        media_type=item.media_type,
        file=_mac(salt, plain.file.digest()),
        pixels=_mac(salt, plain.pixels.digest()) if item.pixels else "",
        header=_mac(salt, plain.header.digest()) if item.pixels else "",
        pixels_at=item.pixels,
    )


def _forget(store: ObjectStore, names: list[str]) -> None:
    """Leave nothing of a version that was not sealed to its end."""
    for name in names:
        store.delete(name)


def _mac(salt: bytes, digest: bytes) -> str:
    """Return ``commitment(salt, data)`` from data's digest, for what is digested in parts."""
    return hmac.digest(salt, digest, "sha256").hex()


def _decrypt(identity: str, untrusted_ciphertext: bytes | memoryview, name: str) -> bytes | memoryview:
    """Return all of the plaintext or nothing; the output is dropped when any chunk fails (A24)."""
    try:
        key = x25519.Identity.from_str(identity)
    except pyrage.IdentityError:
        raise IntegrityError(Change.WRONG_KEY, name) from None
    try:
        if len(untrusted_ciphertext) <= IN_MEMORY:
            return bytes(pyrage.decrypt(bytes(untrusted_ciphertext), [key]))
        return _decrypt_large(key, untrusted_ciphertext)
    except (pyrage.DecryptError, OSError) as error:
        wrong = "No matching keys" in str(error)
        raise IntegrityError(Change.WRONG_KEY if wrong else Change.OBJECT_DAMAGED, name) from None


def _decrypt_large(key: object, untrusted_ciphertext: bytes | memoryview) -> memoryview:
    descriptor = os.memfd_create("assent-plaintext", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "w+b", buffering=BUFFER) as plaintext:
        pyrage.decrypt_io(io.BytesIO(untrusted_ciphertext), plaintext, [key])
        plaintext.flush()
        return memoryview(mmap.mmap(plaintext.fileno(), 0, access=mmap.ACCESS_READ))


def _what_changed(
    identity: str, item: ManifestObject, untrusted_ciphertext: bytes | memoryview, manifest: Manifest
) -> Change:
    """Name how bytes differ from the object they stand for; anyone can encrypt to a recipient, so they may decrypt."""
    digest = hashlib.sha256(untrusted_ciphertext).hexdigest()
    if any(other.name == digest for other in manifest.objects):
        return Change.OBJECT_SWAPPED
    try:
        plaintext = _decrypt(identity, untrusted_ciphertext, item.name)
    except IntegrityError as error:
        if error.change is Change.WRONG_KEY:
            return Change.OBJECT_SWAPPED
        return Change.OBJECT_TRUNCATED if len(untrusted_ciphertext) < item.size else Change.OBJECT_DAMAGED
    whole = _mac(manifest.salt, hashlib.sha256(plaintext).digest())
    if whole == item.file:
        return Change.OBJECT_REPLACED
    if any(other.file == whole for other in manifest.objects):
        return Change.OBJECT_SWAPPED
    return _changed_part(item, plaintext, manifest)


def _changed_part(item: ManifestObject, plaintext: bytes | memoryview, manifest: Manifest) -> Change:
    """Say whether pixels or the rest differ, by the places the manifest names; a header that grew moves the pixels."""
    if item.pixels_at is None:
        return Change.FILE_CHANGED
    offset, length = item.pixels_at
    grown = len(plaintext) - item.plain_size
    view = memoryview(plaintext)
    places = ((offset, offset + length), (offset + grown, offset + grown + length), (offset, offset + grown + length))
    pixels_equal = False
    for start, end in places:
        if not 0 <= start <= end <= len(view):
            continue
        rest = hashlib.sha256(view[:start])
        rest.update(view[end:])
        if _mac(manifest.salt, rest.digest()) == item.header:
            return Change.PIXELS_CHANGED
        pixels_equal = pixels_equal or _mac(manifest.salt, hashlib.sha256(view[start:end]).digest()) == item.pixels
    return Change.HEADER_CHANGED if pixels_equal else Change.FILE_CHANGED
