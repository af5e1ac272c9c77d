"""Sealing and opening: what is tampered with is named, nothing is half-done (R2, R3; HOSTILE.md 16, 22 to 28)."""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from pyrage import x25519

from app.records import pipeline, sealing
from app.records.imported import BytesSource, FileSource, ImportObject, ImportRecord, Readable, identity_of
from app.records.manifest import Manifest
from app.records.refusal import Change, IntegrityError, RefusedError
from app.records.sealing import SealedVersion, open_manifest, open_object, seal_record
from ledger.commitments import commitment, verify_commitment
from tests.support.records import MemorySink, MemoryStore, ct_slice, record_of

HEADER = b"H" * 1000
PIXELS = bytes(range(256)) * 1200


def instance(pixels: bytes = PIXELS, header: bytes = HEADER, tail: bytes = b"tail") -> ImportObject:
    content = header + pixels + tail
    return ImportObject.of("a.dcm", "application/dicom", content, (len(header), len(pixels)))


def document(content: bytes = b"%PDF-1.4 hello") -> ImportObject:
    return ImportObject.of("a.pdf", "application/pdf", content)


def sealed(record: ImportRecord, version: int = 1) -> tuple[SealedVersion, MemoryStore, Manifest]:
    store = MemoryStore()
    made = seal_record(record, store, version=version)
    return made, store, opened(made, store, version)


def opened(made: SealedVersion, store: MemoryStore, version: int = 1, ciphertext: bytes | None = None) -> Manifest:
    return open_manifest(
        made.identity,
        store.objects[made.manifest_name] if ciphertext is None else ciphertext,
        name=made.manifest_name,
        salt=made.salt,
        committed=made.commitment,
        version=version,
    )


def change_of(work: Callable[[], object]) -> Change:
    with pytest.raises(IntegrityError) as caught:
        work()
    assert str(caught.value)
    return caught.value.change


def reopened(made: SealedVersion, manifest: Manifest, content: bytes | None, index: int = 0) -> Change:
    return change_of(lambda: open_object(made.identity, manifest.objects[index].name, content, manifest))


def test_what_was_sealed_opens_again() -> None:
    made, store, manifest = sealed(record_of(instance(), document()))
    plain = [open_object(made.identity, item.name, store.objects[item.name], manifest) for item in manifest.objects]
    assert plain == [instance().data, document().data]
    assert set(made.names) == set(store.objects)
    assert (manifest.version, manifest.display, manifest.dates) == (1, "CT chest", ("2026-11-10",))
    assert all(item.name == hashlib.sha256(store.objects[item.name]).hexdigest() for item in manifest.objects)
    verify_commitment(made.commitment, made.salt, made.manifest)


def test_every_version_has_its_own_identity_and_salts() -> None:
    first, second = (seal_record(record_of(document()), MemoryStore()) for _ in range(2))
    assert first.identity != second.identity
    assert first.salt != second.salt
    assert first.commitment != second.commitment
    assert not set(first.names) & set(second.names)


def test_the_secret_does_not_show_when_a_version_is_printed() -> None:
    made, _, _ = sealed(record_of(document()))
    assert made.identity not in repr(made)
    assert made.salt.hex() not in repr(made)


def test_changed_pixels_are_named() -> None:
    made, _, manifest = sealed(record_of(instance()))
    flipped = bytearray(instance().data)
    flipped[2000] ^= 1
    forged = pyrage.encrypt(bytes(flipped), [x25519.Recipient.from_str(manifest.recipient)])
    assert reopened(made, manifest, forged) is Change.PIXELS_CHANGED


def test_a_changed_header_is_named_whether_it_grew_or_not() -> None:
    made, _, manifest = sealed(record_of(instance()))
    for header in (b"h" + HEADER[1:], b"more" + HEADER, HEADER[4:]):
        forged = pyrage.encrypt(header + PIXELS + b"tail", [x25519.Recipient.from_str(manifest.recipient)])
        assert reopened(made, manifest, forged) is Change.HEADER_CHANGED


def test_pixels_of_another_length_are_named() -> None:
    made, _, manifest = sealed(record_of(instance()))
    for pixels in (PIXELS + b"more", PIXELS[:-10]):
        forged = pyrage.encrypt(HEADER + pixels + b"tail", [x25519.Recipient.from_str(manifest.recipient)])
        assert reopened(made, manifest, forged) is Change.PIXELS_CHANGED


def test_a_file_that_changed_altogether_is_named() -> None:
    made, _, manifest = sealed(record_of(instance(), document()))
    recipient = x25519.Recipient.from_str(manifest.recipient)
    both = pyrage.encrypt(b"h" + HEADER[1:] + b"p" + PIXELS[1:] + b"tail", [recipient])
    assert reopened(made, manifest, both) is Change.FILE_CHANGED
    assert reopened(made, manifest, pyrage.encrypt(b"short", [recipient])) is Change.FILE_CHANGED
    assert reopened(made, manifest, pyrage.encrypt(b"%PDF other", [recipient]), 1) is Change.FILE_CHANGED


def test_a_missing_object_is_named() -> None:
    made, _, manifest = sealed(record_of(document()))
    assert reopened(made, manifest, None) is Change.OBJECT_MISSING


def test_swapped_objects_are_named() -> None:
    made, store, manifest = sealed(record_of(document(b"one"), document(b"two")))
    other, other_store, other_manifest = sealed(record_of(document(b"three")))
    recipient = x25519.Recipient.from_str(manifest.recipient)
    assert reopened(made, manifest, store.objects[manifest.objects[1].name]) is Change.OBJECT_SWAPPED
    assert reopened(made, manifest, pyrage.encrypt(b"two", [recipient])) is Change.OBJECT_SWAPPED
    assert reopened(made, manifest, other_store.objects[other_manifest.objects[0].name]) is Change.OBJECT_SWAPPED
    assert change_of(lambda: open_object(made.identity, other.names[0], b"", manifest)) is Change.OBJECT_SWAPPED


def test_the_same_content_sealed_again_is_named() -> None:
    made, _, manifest = sealed(record_of(document()))
    again = pyrage.encrypt(document().data, [x25519.Recipient.from_str(manifest.recipient)])
    assert reopened(made, manifest, again) is Change.OBJECT_REPLACED


@pytest.mark.parametrize("place", [0, 30, 150, 400, -1])
def test_a_flipped_bit_anywhere_gives_no_plaintext(place: int) -> None:
    made, store, manifest = sealed(record_of(document(b"x" * 100_000)))
    flipped = bytearray(store.objects[manifest.objects[0].name])
    flipped[place] ^= 1
    assert reopened(made, manifest, bytes(flipped)) in (Change.OBJECT_DAMAGED, Change.OBJECT_SWAPPED)


@pytest.mark.parametrize("kept", [0, 100, 65536 + 16, -1])
def test_a_truncated_object_is_named_also_at_a_chunk_boundary(kept: int) -> None:
    made, store, manifest = sealed(record_of(document(b"x" * 200_000)))
    cut = store.objects[manifest.objects[0].name][:kept]
    assert reopened(made, manifest, cut) is Change.OBJECT_TRUNCATED


def test_a_longer_object_is_damaged() -> None:
    made, store, manifest = sealed(record_of(document(b"x" * 1000)))
    assert reopened(made, manifest, store.objects[manifest.objects[0].name] + b"more") is Change.OBJECT_DAMAGED


def test_an_object_whose_plaintext_is_not_the_committed_one_is_refused_even_under_its_right_name() -> None:
    made, store, manifest = sealed(record_of(instance()))
    item = manifest.objects[0]
    lying = replace(manifest, objects=(replace(item, file="0" * 64, header="0" * 64),))
    assert reopened(made, lying, store.objects[item.name]) is Change.HEADER_CHANGED


def test_an_older_version_is_named_a_rollback() -> None:
    record = record_of(document())
    old, old_store, _ = sealed(record, version=1)
    new, _, _ = sealed(record, version=2)
    old_bytes = old_store.objects[old.manifest_name]
    rolled_back = lambda: open_manifest(  # noqa: E731
        old.identity, old_bytes, name=new.manifest_name, salt=new.salt, committed=new.commitment, version=2
    )
    assert change_of(rolled_back) is Change.VERSION_ROLLED_BACK
    own_salt = lambda: open_manifest(  # noqa: E731  -- as if the ledger's number alone had moved on
        old.identity, old_bytes, name=old.manifest_name, salt=old.salt, committed=old.commitment, version=2
    )
    assert change_of(own_salt) is Change.VERSION_ROLLED_BACK


def test_a_manifest_of_a_later_version_than_the_ledger_says_is_refused() -> None:
    made, store, _ = sealed(record_of(document()), version=3)
    assert change_of(lambda: opened(made, store, version=2)) is Change.MANIFEST_CHANGED


def test_another_manifest_is_named() -> None:
    made, store, _ = sealed(record_of(document()))
    forged = made.manifest.replace(b"CT chest", b"CT heart")
    ciphertext = pyrage.encrypt(forged, [x25519.Recipient.from_str(made.recipient)])
    assert change_of(lambda: opened(made, store, ciphertext=ciphertext)) is Change.MANIFEST_CHANGED
    again = pyrage.encrypt(made.manifest, [x25519.Recipient.from_str(made.recipient)])
    assert change_of(lambda: opened(made, store, ciphertext=again)) is Change.OBJECT_REPLACED


def test_a_manifest_to_another_key_is_refused() -> None:
    made, store, manifest = sealed(record_of(document()))
    stranger = x25519.Identity.generate()
    wrong = replace(made, identity=str(stranger))
    assert change_of(lambda: opened(wrong, store)) is Change.WRONG_KEY
    pasted = manifest.to_bytes()
    ciphertext = pyrage.encrypt(pasted, [stranger.to_public()])
    name = hashlib.sha256(ciphertext).hexdigest()
    for_stranger = lambda: open_manifest(  # noqa: E731
        str(stranger), ciphertext, name=name, salt=made.salt, committed=made.commitment, version=1
    )
    assert change_of(for_stranger) is Change.WRONG_KEY


def test_an_identity_that_is_none_is_a_wrong_key() -> None:
    made, store, _ = sealed(record_of(document()))
    assert change_of(lambda: opened(replace(made, identity="AGE-SECRET-KEY-1JUNK"), store)) is Change.WRONG_KEY


def test_a_passphrase_file_is_never_tried() -> None:
    made, _, manifest = sealed(record_of(document()))
    costly = pyrage.passphrase.encrypt(b"x", "secret")
    assert reopened(made, manifest, costly) in (Change.OBJECT_SWAPPED, Change.OBJECT_DAMAGED, Change.OBJECT_TRUNCATED)


def test_large_objects_open_in_anonymous_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "IN_MEMORY", 1000)
    content = secrets.token_bytes(200_000)
    made, store, manifest = sealed(record_of(document(content)))
    plain = open_object(made.identity, manifest.objects[0].name, store.objects[manifest.objects[0].name], manifest)
    assert isinstance(plain, memoryview)
    assert plain.readonly
    assert bytes(plain) == content
    flipped = bytearray(store.objects[manifest.objects[0].name])
    flipped[-1] ^= 1
    assert reopened(made, manifest, bytes(flipped)) is Change.OBJECT_DAMAGED


def test_nothing_is_written_to_disk_by_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(sealing, "IN_MEMORY", 1000)
    made, store, manifest = sealed(record_of(document(b"plain" * 10_000)))
    open_object(made.identity, manifest.objects[0].name, store.objects[manifest.objects[0].name], manifest)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changes_after_it_was_looked_at_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"first content")
    status = path.stat()
    item = ImportObject(
        "a.pdf",
        "application/pdf",
        13,
        hashlib.sha256(b"first content").hexdigest(),
        None,
        FileSource(path, identity_of(status)),
    )
    assert item.data == b"first content"
    path.write_bytes(b"other content")
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    store = MemoryStore()
    with pytest.raises(RefusedError, match="changed while it was read"):
        seal_record(record_of(document(), item), store)
    assert store.objects == {}
    with pytest.raises(RefusedError, match="changed while it was read"):
        _ = item.data
    path.write_bytes(b"a longer content")
    with pytest.raises(RefusedError, match="changed while it was read"):
        seal_record(record_of(item), store)
    path.unlink()
    with pytest.raises(RefusedError, match="cannot be read"):
        seal_record(record_of(item), store)


class FullSink(MemorySink):
    """A disk that fills up."""

    def write(self, data: bytes, /) -> int:
        if len(self._content) > 300_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


class FullStore(MemoryStore):
    def create(self) -> MemorySink:
        return FullSink(self)


@pytest.mark.parametrize("size", [400_000, 40_000_000])
def test_a_full_disk_leaves_nothing_and_says_so(size: int) -> None:
    store = FullStore()
    with pytest.raises(RefusedError, match=r"No space left on device\. Make room"):
        seal_record(record_of(document(), document(bytes(size))), store)
    assert store.objects == {}


class BrokenSource:
    """A stream that fails half way."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    @contextmanager
    def open(self) -> Iterator[Readable]:
        yield self

    def read(self, _size: int = -1, /) -> bytes:
        raise self._error


def test_a_source_that_fails_is_reported_as_it_failed() -> None:
    store = MemoryStore()
    for error, expected in ((RefusedError("gone"), "gone"), (OSError(errno.EIO, "Input/output error"), "Input/output")):
        item = replace(document(), source=BrokenSource(error))
        with pytest.raises(RefusedError, match=expected):
            seal_record(record_of(document(), item), store)
    assert store.objects == {}


def test_an_encryption_that_fails_by_itself_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise pyrage.EncryptError("no")

    monkeypatch.setattr(pyrage, "encrypt_io", fail)
    with pytest.raises(RefusedError, match="could not be encrypted"):
        seal_record(record_of(document()), MemoryStore())


def test_a_worker_carries_its_first_failure() -> None:
    done: list[bytes] = []

    def work(parts: list[bytes]) -> None:
        if parts == [b"bad"]:
            raise OSError("full")
        done.extend(parts)

    worker = pipeline.Worker(work)
    for part in (b"good", b"bad", b"late"):
        worker.give([part])
    worker.stop()
    assert done == [b"good"]
    with pytest.raises(OSError, match="full"):
        worker.check()
    with pytest.raises(OSError, match="full"):
        worker.give([b"more"])


def test_flushing_nothing_stores_nothing() -> None:
    sink = MemorySink(MemoryStore())
    cipher = pipeline.Ciphertext(sink)
    cipher.write(b"part")
    cipher.flush()
    cipher.flush()
    cipher.worker.stop()
    assert (cipher.size, cipher.digest.hexdigest()) == (4, hashlib.sha256(b"part").hexdigest())


def test_a_real_slice_names_its_pixels(tmp_path: Path) -> None:
    content = ct_slice()
    start = len(content) - 256 * 256 * 2
    item = ImportObject(
        "1.dcm",
        "application/dicom",
        len(content),
        hashlib.sha256(content).hexdigest(),
        (start, 131072),
        BytesSource(content),
    )
    made, _, manifest = sealed(record_of(item))
    edited = content.replace(b"Fictive^Alma", b"Forged^^Alma")
    assert edited != content
    forged = pyrage.encrypt(edited, [x25519.Recipient.from_str(manifest.recipient)])
    assert reopened(made, manifest, forged) is Change.HEADER_CHANGED


@pytest.mark.parametrize(
    "damage",
    [
        b"not json",
        b"[]",
        b'{"type":"other","v":1}',
        b'{"type":"record-manifest","v":2}',
        b'{"type":"record-manifest","v":1}',
    ],
)
def test_bytes_that_are_no_manifest_are_refused(damage: bytes) -> None:
    assert change_of(lambda: Manifest.from_bytes(damage)) is Change.MANIFEST_CHANGED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":1', b'"version":true'),
        (b'"version":1', b'"version":-1'),
        (b'"kind":"dicom"', b'"kind":7'),
        (b'"dates":["2026-11-10"]', b'"dates":"2026-11-10"'),
        (b'"digests":{', b'"digests":[{'),
        (b'"pixels_at":[1000,307200]', b'"pixels_at":[1000]'),
        (b'"objects":[', b'"objects":[1,'),
    ],
)
def test_a_manifest_with_a_field_of_another_kind_is_refused(old: bytes, new: bytes) -> None:
    made, _, _ = sealed(record_of(instance()))
    assert old in made.manifest
    assert change_of(lambda: Manifest.from_bytes(made.manifest.replace(old, new))) is Change.MANIFEST_CHANGED


def test_a_digest_list_in_place_of_an_object_is_refused() -> None:
    made, _, manifest = sealed(record_of(document()))
    wire = manifest.objects[0].to_wire()
    raw = made.manifest
    start = raw.index(b'"digests":{')
    end = raw.index(b"}", start) + 1
    assert change_of(lambda: Manifest.from_bytes(raw[:start] + b'"digests":[]' + raw[end:])) is Change.MANIFEST_CHANGED
    assert set(wire) == {"name", "size", "plain_size", "media_type", "digests", "pixels_at"}


def test_the_manifest_never_says_where_the_file_came_from() -> None:
    item = replace(document(), name_hint="/home/alma/fictive.pdf")
    made, _, _ = sealed(record_of(item))
    assert b"fictive.pdf" not in made.manifest


def test_digests_are_salted() -> None:
    first, second = (sealed(record_of(instance()))[2] for _ in range(2))
    assert first.objects[0].file != second.objects[0].file
    assert first.objects[0].file == commitment(first.salt, instance().data)
    assert first.objects[0].pixels == commitment(first.salt, PIXELS)
    assert first.objects[0].header == commitment(first.salt, HEADER + b"tail")
