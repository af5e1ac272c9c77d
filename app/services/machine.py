"""What one installation holds, as the services see it: the ledger's door, its verified replica, and the custodians."""

import base64
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from app.custodian.client import CustodianClient
from app.services.outbox import Outbox
from app.services.submission import Submission
from ledger.contract.canonical import Json, decode_object
from ledger.contract.state import Key
from ledger.gateway import Gateway, GatewayError, Signer
from ledger.genesis import Genesis, verify_genesis
from ledger.replica import CommittedAccess, Replica


class LedgerDamagedError(Exception):
    """The ledger on this machine does not verify: everything may be looked at, nothing can be opened.

    Attributes:
        block: number of the block at which verification stopped.
    """

    def __init__(self, block: int, reason: str) -> None:
        super().__init__(reason)
        self.block = block


@dataclass(frozen=True)
class Machine:
    """One installation.

    Attributes:
        gateway: the ledger.
        replica: this machine's own verified copy of the world state; what decides is read here, never asked.
        custodians: by msp_id; on a network more hospitals than have people on this machine.
        hospitals: names of hospitals by msp_id.
        clock: seconds UTC.
        random: source of ids, salts and keys.
        outbox: what is sent again by itself.
    """

    gateway: Gateway
    replica: Replica
    custodians: Mapping[str, CustodianClient]
    hospitals: Mapping[str, str]
    clock: Callable[[], int]
    random: Callable[[int], bytes] = os.urandom
    outbox: Outbox | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def catch_up(self) -> Replica:
        """Verify the blocks that came since, and return the replica.

        Raises:
            LedgerDamagedError: a block does not verify; the replica stays where it was.
        """
        with self._turn:
            self.replica.follow(self.gateway)
            alarm = self.replica.halted
            if alarm is not None:
                raise LedgerDamagedError(alarm.block, alarm.reason)
            return self.replica

    def scan(self, *prefix: str) -> Iterator[tuple[Key, dict[str, Json]]]:
        """Yield verified values below ``prefix``, in key order."""
        for key, raw in list(self.replica.scan(prefix)):
            yield key, decode_object(raw)

    def find(self, *key: str) -> dict[str, Json] | None:
        """Return a verified value, or None."""
        raw = self.replica.get(key)
        return None if raw is None else decode_object(raw)

    def submission(self, signer: Signer) -> Submission:
        """Return what ``signer`` submits with."""
        return Submission(self.gateway, signer, self.outbox)

    def committed(self, patient_id: str, access_id: str) -> CommittedAccess:
        """Return an access from the own verified replica.

        Raises:
            LookupError: the replica holds none; the entry is not committed.
        """
        found = self.catch_up().committed_access(patient_id, access_id)
        if found is None:
            raise LookupError(access_id)
        return found

    @property
    def genesis(self) -> Genesis:
        """Whom this ledger trusts, from its verified first block."""
        return verify_genesis(next(iter(self.gateway.blocks(0))))

    def custodian_key(self, msp_id: str) -> bytes:
        """Return the key with which a hospital's custodian signs, as the verified ledger names it (SPKI DER).

        While the ledger is silent it is the one that was verified last, so that a stop can be acknowledged (A11).

        Raises:
            LookupError: the organization is not on the ledger.
        """
        with suppress(GatewayError):
            self.catch_up()
        organization = self.find("organization", msp_id)
        if organization is None:
            raise LookupError(msp_id)
        return base64.b64decode(str(organization["custodian_key"]))

    def new_id(self) -> str:
        """Return 26 lower-case base32 characters of fresh randomness: an id that says nothing."""
        return base64.b32encode(self.random(16)).decode().lower().rstrip("=")
