"""Opening a record: entry first, then the key, then the bytes; and closing it again (PROTOCOL.md E.3, DESIGN.md).

One function is one opening. Nothing of a record is in memory before the entry that names person, record, purpose and
consent is committed and was verified by this machine's own replica.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.custodian.client import CustodianClient
from app.custodian.messages import CustodianRefusal
from app.custodian.results import Released, ReleasedRecord
from app.identity.badges import BadgeOpening
from app.identity.keys import LockedError
from app.records.manifest import Manifest
from app.records.refusal import Change, IntegrityError
from app.records.sealing import open_manifest, open_object
from app.services.ahead import ahead
from app.services.entries import Access
from app.services.machine import Machine
from app.services.submission import UnsettledError
from app.services.watching import Ending, Wanted, Watch
from ledger import merkle
from ledger.contract.canonical import encode
from ledger.gateway import CommitError, EndorseError, Signer

__all__ = ["ChangedError", "Closing", "DeniedError", "Ending", "Opened", "Openings", "StoppedError", "Wanted"]

_RELEASE_TRIES: Final = 10
_FOR_GOOD: Final = frozenset({"already-exists", "suspended", "forbidden", "wrong-key", "not-enrolled"})
"""Codes with which a purge receipt will always be refused."""

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is going on; from the worker's thread."""


class DeniedError(Exception):
    """The rules said no, and that is recorded; nothing of the record was shown.

    Attributes:
        access: the entry.
        block: that holds it.
    """

    def __init__(self, access: Access, block: int) -> None:
        super().__init__(access.reason)
        self.access = access
        self.block = block


class ChangedError(Exception):
    """What came is not what was sealed; nothing of it is shown.

    Attributes:
        change: what was found first.
        first: number of the first such object, from 1.
        count: objects of which the same is true.
        total: objects in the record.
    """

    def __init__(self, change: Change, first: int, count: int, total: int) -> None:
        super().__init__(str(change))
        self.change = change
        self.first = first
        self.count = count
        self.total = total


class StoppedError(Exception):
    """The person cancelled. The entry stays recorded, nothing was shown."""


@dataclass
class Opened:
    """A record that is open now; its plaintext lives here and nowhere else.

    Attributes:
        wanted: which record.
        access: the committed entry.
        access_id: its transaction id.
        block: that holds it.
        released: the custodian's signed answer, without keys.
        manifest: verified against the ledger's commitment.
        objects: plaintext of the manifest's objects, in their order; emptied when it closes.
        viewed: names of the objects that were shown, for the purge receipt.
    """

    wanted: Wanted
    access: Access
    access_id: str
    block: int
    released: Released
    manifest: Manifest
    objects: list[bytes | memoryview] = field(repr=False)
    viewed: set[str] = field(default_factory=set)

    @property
    def until(self) -> int:
        """When it has to be closed: as the entry and the custodian's answer say, seconds UTC."""
        return min(self.access.until, self.released.until)


@dataclass(frozen=True, slots=True)
class Closing:
    """That a record was closed, and why.

    Attributes:
        opened: what was open; its objects are gone.
        ending: why.
        at: seconds UTC.
        receipt: hash of the purge receipt that the ledger holds, or empty if it could not be recorded yet.
        statement: the purge receipt itself, canonical bytes; empty if it was closed before.
    """

    opened: Opened
    ending: Ending
    at: int
    receipt: str
    statement: bytes = b""


@dataclass
class Openings:
    """One person's openings.

    Attributes:
        machine: this installation.
        signer: the person.
        subject: of the person, as events name members.
        badge: opens his member entry's commitment; a patient has none.
    """

    machine: Machine
    signer: Signer
    subject: str
    badge: BadgeOpening | None
    _open: dict[str, Opened] = field(default_factory=dict, repr=False)
    _owed: list[Mapping[str, object]] = field(default_factory=list, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _sweeps: int = 0

    def __post_init__(self) -> None:
        """Begin to listen."""
        self._watch = Watch(self.machine, self.signer, self.subject)

    @property
    def count(self) -> int:
        """How many records are open now."""
        return len(self._open)

    def index(self, patient_id: str, custodian: str, purpose: str) -> Released:
        """Have the list of a patient's records released; that is an entry of its own (ATTACKS.md A36).

        Raises:
            DeniedError: recorded as denied.
            CustodianRefusal, GatewayError, UnsettledError: as they say.
        """
        wanted = Wanted(patient_id, custodian, "", 0)
        _, released = self._released(wanted, "index", "access", purpose, "")
        return released

    def open(
        self,
        wanted: Wanted,
        purpose: str,
        *,
        progress: Progress = lambda _done, _total, _text: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Opened:
        """Open one record: recorded, committed, verified, released, decrypted in memory, compared.

        Raises:
            DeniedError: recorded as denied.
            ChangedError: the record is not the one that was sealed.
            StoppedError: cancelled, or everything was closed meanwhile; the entry stays.
            CustodianRefusal, GatewayError, UnsettledError, LedgerDamagedError: as they say.
        """
        progress(0, 0, "recording")
        sweeps = self._sweeps
        access_id, released = self._released(wanted, "open", "access", purpose, "")
        client = self.machine.custodians[wanted.custodian]
        item = released.items[0]
        manifest = self._manifest(client, wanted, access_id, item)
        objects = self._objects(client, wanted, access_id, item, manifest, progress, cancelled)
        committed = self.machine.committed(wanted.patient_id, access_id)
        opened = Opened(
            wanted, Access.of(committed.value), access_id, committed.block, _keyless(released), manifest, objects
        )
        with self._turn:
            if self._sweeps != sweeps:
                objects.clear()
                raise StoppedError
            self._watch.begin(committed.block, is_first=not self._open)
            self._open[access_id] = opened
        return opened

    def permit_inference(self, opened: Opened, device: str) -> str:
        """Record that a model may read an open record (purpose TREATDS); returns the access id. No key is released.

        Raises:
            DeniedError: the patient did not allow it; recorded as denied.
        """
        access_id, access, block = self._record(opened.wanted, "open", "use", "TREATDS", device, "")
        if access.denied:
            raise DeniedError(access, block)
        return access_id

    def close(self, opened: Opened, ending: Ending = Ending.CLOSED) -> Closing:
        """Drop the plaintext and state the purge on the ledger; closing twice states it once.

        The plaintext is gone whatever happens after. A receipt that cannot be recorded now has an empty hash; it is
        kept and sent again, by ``ended`` as long as this person is signed in and by the outbox after that (A41).
        """
        with self._turn:
            was_open = self._open.pop(opened.access_id, None) is not None
            self._watch.forget(opened.access_id)
        names = sorted(opened.viewed)
        opened.objects.clear()
        at = self.machine.clock()
        if not was_open:
            return Closing(opened, ending, at, self._stated(opened))
        statement = encode(
            {
                "type": "purge-receipt",
                "network_id": self.machine.gateway.network_id,
                "patient_id": opened.wanted.patient_id,
                "access_ids": [opened.access_id],
                "objects": [item.name for item in opened.manifest.objects],
                "views_root": _root(names),
                "views_count": len(names),
                "at": at,
            }
        )
        digest = sha256(statement).hexdigest()
        purge = {"patient_id": opened.wanted.patient_id, "access_ids": [opened.access_id], "receipt": digest}
        return Closing(opened, ending, at, digest if self._state(purge) else "", statement)

    def ended(self) -> tuple[tuple[Opened, Ending], ...]:
        """Return what must close now: withdrawn, over, suspended, or the ledger has been silent for five minutes.

        To be asked every second or so from a worker; the caller blanks the screen, then calls ``close``.
        """
        with self._turn:
            opened, owed, self._owed = tuple(self._open.values()), self._owed, []
        for purge in owed:
            self._state(purge)
        return self._watch.ended(opened) if opened else ()

    def close_all(self, ending: Ending) -> tuple[Closing, ...]:
        """Close everything, for example because the person's session is locked; what is being opened stays closed."""
        with self._turn:
            self._sweeps += 1
            opened = tuple(self._open.values())
        return tuple(self.close(each, ending) for each in opened)

    def _state(self, purge: Mapping[str, object]) -> bool:
        """Record a purge receipt; what is not recorded for now is kept. Returns whether it is recorded."""
        try:
            self.machine.submission(self.signer).send("RecordPurge", purge)
        except UnsettledError:
            return False  # the outbox has the envelope
        except (EndorseError, CommitError) as refused:
            if refused.code not in _FOR_GOOD:
                with self._turn:
                    self._owed.append(purge)
            return False
        except LockedError:
            return False
        return True

    def _stated(self, opened: Opened) -> str:
        purge = self.machine.find("purge", opened.wanted.patient_id, opened.access_id)
        return "" if purge is None else str(purge["receipt"])

    def _released(self, wanted: Wanted, kind: str, action: str, purpose: str, device: str) -> tuple[str, Released]:
        release_key = X25519PrivateKey.generate()
        key_hash = sha256(release_key.public_key().public_bytes_raw()).hexdigest()
        access_id, access, block = self._record(wanted, kind, action, purpose, device, key_hash)
        if access.denied:
            raise DeniedError(access, block)
        client = self.machine.custodians[wanted.custodian]
        committed = self.machine.committed(wanted.patient_id, access_id)
        replica = self.machine.replica
        for attempt in range(_RELEASE_TRIES):
            try:
                return access_id, client.release(self.signer, committed, release_key, replica, badge=self.badge)
            except CustodianRefusal as refusal:
                if refusal.code != "not-yet-committed" or attempt == _RELEASE_TRIES - 1:
                    raise
                self.machine.gateway.wait(replica.height, 1.0)
        raise AssertionError("unreachable")

    def _record(
        self, wanted: Wanted, kind: str, action: str, purpose: str, device: str, key_hash: str
    ) -> tuple[str, Access, int]:
        items = [{"record_id": wanted.record_id, "version": wanted.version}] if wanted.record_id else []
        commit = self.machine.submission(self.signer).send(
            "OpenRecords",
            {
                "patient_id": wanted.patient_id,
                "kind": kind,
                "action": action,
                "device": device,
                "purpose": purpose,
                "items": items,
                "release_key_hash": key_hash,
                "emergency_id": "",
            },
        )
        committed = self.machine.committed(wanted.patient_id, commit.transaction_id)
        return commit.transaction_id, Access.of(committed.value), committed.block

    def _manifest(self, client: CustodianClient, wanted: Wanted, access_id: str, item: ReleasedRecord) -> Manifest:
        sealed = client.fetch_object(self.signer, wanted.patient_id, access_id, item.manifest_name)
        try:
            return open_manifest(
                item.identity,
                sealed,
                name=item.manifest_name,
                salt=item.manifest_salt,
                committed=item.commitment,
                version=item.version,
            )
        except IntegrityError as error:
            raise ChangedError(error.change, 0, 1, 1) from None

    def _fetched(self, client: CustodianClient, wanted: Wanted, access_id: str, name: str) -> bytes | None:
        """Return an object's untrusted bytes, None if the custodian's store has lost it."""
        try:
            return client.fetch_object(self.signer, wanted.patient_id, access_id, name)
        except CustodianRefusal as refusal:
            if refusal.code != "object-mismatch":
                raise
            return None

    def _objects(
        self,
        client: CustodianClient,
        wanted: Wanted,
        access_id: str,
        item: ReleasedRecord,
        manifest: Manifest,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> list[bytes | memoryview]:
        """Return all plaintexts; the next objects are fetched while one is decrypted and compared."""
        opened: list[bytes | memoryview] = []
        failed: list[tuple[int, Change]] = []
        total = len(manifest.objects)
        names = [each.name for each in manifest.objects]
        with closing(ahead(names, lambda name: self._fetched(client, wanted, access_id, name))) as fetched:
            for position, name in enumerate(names, 1):
                if cancelled():
                    opened.clear()
                    raise StoppedError
                progress(position, total, "opening")
                sealed = next(fetched)
                try:
                    opened.append(open_object(item.identity, name, sealed, manifest))
                except IntegrityError as error:
                    failed.append((position, error.change))
        if failed:
            opened.clear()
            first, change = failed[0]
            raise ChangedError(change, first, sum(found is change for _, found in failed), total)
        return opened


def _keyless(released: Released) -> Released:
    """Return the answer without the keys, which are not needed once the objects are open."""
    return replace(released, items=tuple(replace(item, identity="") for item in released.items))


def _root(names: list[str]) -> str:
    """Return the Merkle root of what was shown, "" for nothing (PROTOCOL.md C0: the ledger's own tree)."""
    return merkle.root([merkle.leaf_hash(name.encode()) for name in names]).hex() if names else ""
