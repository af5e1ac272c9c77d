"""What every part of the custodian works with: its tables, its keys, the verified ledger, and a clock of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from app.consent.tags import Tag, tag
from app.custodian.index import Index
from app.custodian.journal import Journal
from app.custodian.keytable import KeyTable
from app.custodian.limits import Buckets
from app.custodian.messages import ALL_CODES, CustodianRefusal
from app.custodian.standing import Standing
from app.custodian.strangers import Strangers
from app.identity.certificates import HospitalAuthority, new_subject
from app.identity.pins import PERSON, Stretching
from app.records.importing import Import
from app.records.store import ObjectStore
from ledger.contract.caller import Caller
from ledger.contract.canonical import load
from ledger.contract.shape import Fields
from ledger.contract.state import Key
from ledger.contract.transaction import Reader
from ledger.gateway import Commit, CommitError, CommitStatusError, EndorseError, Gateway, Signer, SubmitError
from ledger.replica import Replica
from ledger.signatures import SoftwareKey

ATTEMPTS: Final = 3


class Importer(Protocol):
    """Reads untrusted files in a confined child; ``app.records.importing`` has it."""

    def read_bytes(self, named: Sequence[tuple[str, bytes]], *, made_on: str = "") -> Import:
        """Return what the files hold; never raises for a file's content."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The custodian's own side.

    Attributes:
        msp_id: the hospital.
        gateway: carries what the custodian posts; nothing is believed from it.
        replica: world state recomputed from verified blocks: the only source of truth about the ledger (A1).
        signer: the ledger identity, role custodian.
        receipt_key: signs replies; its public half is ``custodian_key`` of the organization on the ledger.
        authority: issues patients' certificates.
        roots: CA certificates (DER) of each organization, as the genesis block or the channel's configuration has them.
        keys: the key table.
        index: persons, pairs, records, texts.
        journal: what was done with keys.
        store: ciphertext objects.
        importer: reads uploaded files.
        clock: seconds UTC; the only clock that releases look at.
        random: unpredictable bytes.
        zone: the hospital's fixed offset, seconds east of UTC (DECISION.md 3).
        stretching: cost of one PIN guess.
        standing: what accesses were found to allow this second.
        signers: how often one certificate may ask.
        strangers: tries at cards that are not known here, by their hash.
    """

    msp_id: str
    gateway: Gateway
    replica: Replica
    signer: Signer
    receipt_key: SoftwareKey
    authority: HospitalAuthority
    roots: Mapping[str, Sequence[bytes]]
    keys: KeyTable
    index: Index
    journal: Journal
    store: ObjectStore
    importer: Importer
    clock: Callable[[], int]
    random: Callable[[int], bytes]
    zone: int = 0
    stretching: Stretching = PERSON
    standing: Standing = field(default_factory=Standing, repr=False, compare=False)
    signers: Buckets = field(default_factory=lambda: Buckets(100, 1000), repr=False, compare=False)
    strangers: Strangers = field(default_factory=Strangers, repr=False, compare=False)

    @property
    def network_id(self) -> str:
        """The ledger's id; in every signed byte (A45)."""
        return self.gateway.network_id

    def reader(self, caller: Caller) -> Reader:
        """Return the newest verified state as ``caller`` sees it, at the custodian's own time."""
        return Reader(self.replica, caller, self.clock())

    def find(self, *key: str) -> Fields | None:
        """Return a value of the newest verified state."""
        return self._load(key)

    def new_id(self) -> str:
        """Return a random id of 26 base32 characters, for patients, records and persons."""
        return new_subject(self.random)

    def tag(self, patient_id: str) -> Tag:
        """Return the tag function of a patient id.

        Raises:
            CustodianRefusal: ``unknown-patient``: it is not ours, or was erased.
        """
        key = self.keys.tag_key(patient_id)
        if key is None:
            raise CustodianRefusal("unknown-patient")
        return tag(key)

    def submit(self, name: str, arguments: Mapping[str, object]) -> Commit:
        """Post a transaction and follow the ledger until the replica has it.

        Raises:
            CustodianRefusal: with the contract's code, or ``not-yet-committed`` while the outcome is unknown.
        """
        for _ in range(ATTEMPTS):
            try:
                commit = self._submit_once(name, arguments)
            except CommitError:
                continue  # recorded as invalid: what it read had changed, so a new proposal is right
            except EndorseError as refused:
                raise CustodianRefusal(refused.code if refused.code in ALL_CODES else "refused") from refused
            self.replica.follow(self.gateway)
            return commit
        raise CustodianRefusal("not-yet-committed", name)

    def _submit_once(self, name: str, arguments: Mapping[str, object]) -> Commit:
        envelope = self.gateway.prepare(self.signer, name, arguments)
        for _ in range(ATTEMPTS):
            try:
                return self.gateway.submit(envelope)
            except (SubmitError, CommitStatusError):
                continue  # unknown: only the same envelope may be sent again (A41)
        raise CustodianRefusal("not-yet-committed", name)

    def _load(self, key: Key) -> Fields | None:
        raw = self.replica.get(key)
        return None if raw is None else load(raw)
