"""The embedded ledger: blocks of client-signed transactions in one folder, behind the same door as Fabric.

One OS account is one trust domain: whoever administers this computer can rewrite the file and sign it again. What
exposes that are the heads held elsewhere: receipts, exports, the keyring (ATTACKS.md A42).

``prepare`` endorses, that is, executes on committed state at some height; ``submit`` commits, many in one block
(``ledger.embedded.commits``).
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol, Self

import ledger.contract
from ledger.blocks import (
    NONCE_BYTES,
    EmbeddedChain,
    Entry,
    Head,
    envelope_content,
    hash_of,
    transaction_content,
    verify_envelope,
    verify_transaction,
)
from ledger.certificates import CertificateError, verify_creator
from ledger.contract import canonical, check_clock
from ledger.contract.canonical import Json
from ledger.contract.errors import ContractError
from ledger.contract.limits import CLOCK_TOLERANCE
from ledger.embedded.assembly import Candidate
from ledger.embedded.commits import Committer, answer_of
from ledger.embedded.headstate import HeadState, View
from ledger.embedded.opening import Anchor, verify_newest
from ledger.embedded.storage import ENTRIES_PER_BLOCK, Snapshot, Storage
from ledger.execution import Contract, Execution, run
from ledger.faults import Fault, LedgerFaultError
from ledger.gateway import (
    Commit,
    CommitStatusError,
    EndorseError,
    Envelope,
    Event,
    GatewayError,
    Signer,
)
from ledger.genesis import genesis_block, genesis_content
from ledger.replica import Alarm, Replica
from ledger.signatures import signed_bytes

_REMEMBERED: Final = 4096
"""Endorsed and not yet submitted transactions whose execution is kept; others are executed again."""

_PAGE: Final = 256


class LedgerKey(Protocol):
    """The key that signs blocks; who keeps it wrapped is not the ledger's matter."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA-SHA256 signature with low S."""


class EmbeddedLedger:
    """A ``Gateway`` over one folder; made by ``create`` or ``open``."""

    def __init__(
        self,
        storage: Storage,
        ledger_key: LedgerKey,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        contract: Contract,
        expected: Anchor | None,
    ) -> None:
        self._storage = storage
        self._ledger_key = ledger_key
        self._clock = clock
        self._random = random
        self._contract = contract
        with storage.reading() as snapshot:
            self._chain, head = verify_newest(snapshot, ledger_key.public_key, expected)
        self._state = HeadState(storage, head)
        self._committer = Committer(storage, self._state, contract, self._sign_block, clock)
        self._endorsed: OrderedDict[str, Candidate] = OrderedDict()
        self._endorsed_lock = threading.Lock()

    @classmethod
    def create(
        cls,
        folder: Path,
        organizations: Mapping[str, Sequence[bytes]],
        ledger_key: LedgerKey,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        contract: Contract = ledger.contract,
    ) -> Self:
        """Make a new ledger and open it.

        Args:
            folder: made with mode 0700; must hold no ledger.
            organizations: the CA certificates, DER, of each msp_id: root and intermediates.
            ledger_key: signs the genesis block, and every block from now on.
            clock: seconds UTC.
            random: returns so many unpredictable bytes.
            contract: the rules.

        Raises:
            LedgerStorageError: there is a ledger already.
        """
        at = clock()
        content = genesis_content(organizations, ledger_key.public_key, at, random(NONCE_BYTES))
        network_id = hash_of(content)
        first = genesis_block(content, ledger_key.sign(signed_bytes("genesis", network_id, content)))
        storage = Storage(folder, create=True)
        with storage.writing() as state:
            state.append(Head(0, network_id, at), first, {}, ())
        return cls._over(storage, ledger_key, clock, random, contract, None)

    @classmethod
    def open(
        cls,
        folder: Path,
        ledger_key: LedgerKey,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        contract: Contract = ledger.contract,
        expected: Anchor | None = None,
    ) -> Self:
        """Open a ledger after checking its genesis block and its newest blocks.

        Args:
            folder: where it is.
            ledger_key: the key of its genesis block.
            clock: seconds UTC.
            random: returns so many unpredictable bytes.
            contract: the rules.
            expected: the newest head that is known from elsewhere; the files must contain it.

        Raises:
            HeadBehindError: they do not (A42).
            LedgerDamagedError: the newest blocks do not verify.
            LedgerInUseError, LedgerStorageError: see ``Storage``.
        """
        return cls._over(Storage(folder), ledger_key, clock, random, contract, expected)

    @classmethod
    def _over(
        cls,
        storage: Storage,
        ledger_key: LedgerKey,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        contract: Contract,
        expected: Anchor | None,
    ) -> Self:
        try:
            return cls(storage, ledger_key, clock, random, contract, expected)
        except BaseException:
            storage.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is being committed and give the folder free; what is submitted later is not recorded."""
        with self._committer.lock:
            self._storage.close()

    @property
    def network_id(self) -> str:
        """Lower-case hex SHA-256 of the genesis block."""
        return self._chain.network_id

    @property
    def chain(self) -> EmbeddedChain:
        """The judge of this ledger's blocks, for a replica."""
        return self._chain

    @property
    def head(self) -> Head:
        """The newest block, to be held elsewhere as an ``Anchor``."""
        return self._state.head

    def prepare(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Envelope:
        """See ``Gateway.prepare``."""
        try:
            transaction = transaction_content(
                self.network_id,
                self._random(NONCE_BYTES),
                self._clock(),
                signer,
                name,
                canonical.encode(dict(arguments)),
            )
        except ContractError as error:
            raise EndorseError(error.code, error.detail) from None
        except LedgerFaultError as fault:
            raise EndorseError("malformed", fault.detail) from None
        return self.endorse(transaction, signer.sign(signed_bytes("transaction", self.network_id, transaction)))

    def endorse(self, untrusted_transaction: bytes, untrusted_signature: bytes) -> Envelope:
        """Check a signed transaction and execute it on the committed state; nothing is recorded.

        Raises:
            EndorseError: the clock, the signature, the creator or the rules refuse.
        """
        now = self._clock()
        transaction_id = ""
        try:
            head = self.head
            _check_progress(now, head)
            entry = verify_transaction(untrusted_transaction, untrusted_signature, self._chain.genesis, head.number)
            transaction_id = entry.transaction_id
            check_clock(now, entry.at)
            entry, execution = self._state.at_head(partial(self._execute, entry))
        except sqlite3.Error as error:
            raise EndorseError("storage", str(error), transaction_id) from None
        except LedgerFaultError as fault:
            raise EndorseError(fault.fault, fault.detail, fault.transaction_id) from None
        except ContractError as error:
            raise EndorseError(error.code, error.detail, transaction_id) from None
        if execution.refusal is not None:
            raise EndorseError(execution.refusal.code, execution.refusal.detail, entry.transaction_id)
        content = envelope_content(entry.height, untrusted_signature, untrusted_transaction)
        envelope = Envelope(entry.transaction_id, content)
        with self._endorsed_lock:
            self._endorsed[entry.transaction_id] = Candidate(envelope, entry, execution)
            if len(self._endorsed) > _REMEMBERED:
                self._endorsed.popitem(last=False)
        return envelope

    def submit(self, envelope: Envelope) -> Commit:
        """See ``Gateway.submit``."""
        answer = self._committer.commit(self._admit(envelope))
        if isinstance(answer, GatewayError):
            raise answer
        return answer

    def find_commit(self, transaction_id: str) -> Commit | None:
        """See ``Gateway.find_commit``."""
        with self._reading(CommitStatusError) as snapshot:
            recorded = snapshot.find(transaction_id)
        answer = None if recorded is None else answer_of(recorded)
        if isinstance(answer, GatewayError):
            raise answer
        return answer

    def evaluate(self, signer: Signer, name: str, arguments: Mapping[str, object]) -> Json:
        """See ``Gateway.evaluate``; nobody signs: the answer proves nothing, and this machine is one trust domain."""
        now = self._clock()
        roots = self._chain.genesis.organizations.get(signer.msp_id, ())
        try:
            caller = verify_creator(signer.certificate, roots, signer.msp_id, now)
            with self._reading(EndorseError) as snapshot:
                answer = self._contract.query(snapshot, caller, now, name, canonical.encode(dict(arguments)))
        except CertificateError as error:
            raise EndorseError(Fault.CERTIFICATE, str(error)) from None
        except ContractError as error:
            raise EndorseError(error.code, error.detail) from None
        return canonical.load(answer)

    def events(self, block: int = 0, transaction_id: str = "") -> Iterator[Event]:
        """See ``Gateway.events``."""
        position = block * ENTRIES_PER_BLOCK
        if transaction_id:
            with self._reading(GatewayError) as snapshot:
                passed = snapshot.find(transaction_id)
            if passed is not None and passed.block == block:
                position += passed.index + 1
        while True:
            with self._reading(GatewayError) as snapshot:
                page = snapshot.after(position, _PAGE)
            for one in page:
                if one.event:
                    yield Event(one.event, canonical.load(one.payload), one.block, one.transaction_id)
            if not page:
                return
            position = page[-1].block * ENTRIES_PER_BLOCK + page[-1].index + 1

    def wait(self, height: int, timeout: float) -> int:
        """See ``Gateway.wait``."""
        return self._state.wait(height, timeout)

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """See ``Gateway.blocks``; the form is that of ``ledger.blocks``."""
        while True:
            with self._reading(GatewayError) as snapshot:
                page = snapshot.blocks(start, _PAGE)
            yield from page
            if not page:
                return
            start += len(page)

    def verify(self) -> Alarm | None:
        """Compare all that is stored with what the blocks and the rules give; takes as long as the ledger is."""
        replica = Replica(self._chain, self._contract)
        if not all(replica.feed(block) for block in self.blocks(1)):
            return replica.halted
        with self._reading(GatewayError) as snapshot:
            stored = {key: (value, version) for key, value, version in snapshot.everything()}
        if stored != dict(replica.everything()) or list(self.events()) != list(replica.events()):
            detail = "what is derived from the blocks was changed"
            return Alarm(replica.head.number, None, "", Fault.STORAGE, detail)
        return None

    def _execute(self, entry: Entry, view: View) -> tuple[Entry, Execution]:
        """Return ``entry`` with the height of ``view`` and what it does there."""
        if entry.height != view.head.number:
            entry = replace(entry, height=view.head.number)
        return entry, run(self._contract, view, entry)

    def _sign_block(self, header: bytes) -> bytes:
        return self._ledger_key.sign(signed_bytes("block", self.network_id, header))

    def _admit(self, envelope: Envelope) -> Candidate:
        """Return the candidate that was endorsed here a while ago, or check the envelope as any stranger's.

        It may be old, since the same envelope is sent again after an outage (A41), but never from the future.
        """
        with self._endorsed_lock:
            known = self._endorsed.pop(envelope.transaction_id, None)
        if known is not None and known.envelope == envelope:
            return known
        try:
            entry = verify_envelope(envelope.content, self._chain.genesis)
        except LedgerFaultError as fault:
            raise EndorseError(fault.fault, fault.detail, fault.transaction_id) from None
        if entry.transaction_id != envelope.transaction_id:
            raise EndorseError("malformed", "the envelope holds another transaction", envelope.transaction_id)
        if (ahead := entry.at - self._clock()) > CLOCK_TOLERANCE:
            raise EndorseError("clock-skew", str(ahead), envelope.transaction_id)
        return Candidate(envelope, entry, None)

    @contextmanager
    def _reading(self, failure: type[GatewayError]) -> Iterator[Snapshot]:
        try:
            with self._storage.reading() as snapshot:
                yield snapshot
        except sqlite3.Error as error:
            raise failure("storage", str(error)) from None


def _check_progress(now: int, head: Head) -> None:
    """Refuse a clock that was turned back below the ledger (ATTACKS.md A5).

    Raises:
        ContractError: ``clock-behind-ledger``.
    """
    if now < head.at - CLOCK_TOLERANCE:
        raise ContractError("clock-behind-ledger", f"the last block is {head.at - now} s ahead of this computer")
