"""What the tour works on: a fresh sandbox, a clock that can be put forward, and the people at their desks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from app.custodian.messages import CustodianRefusal
from app.identity.passphrase_file import PassphraseFile
from app.identity.pins import Stretching
from app.services.machine import Machine
from app.services.openings import Opened
from app.services.receipts import Receipt
from app.services.suggestions import Answer
from app.services.worklist import RecordRow
from app.wiring.desks import PatientDesk, StaffDesk, sign_in, sign_in_patient
from app.wiring.installation import Installation
from app.wiring.ledgers import Circumstances
from app.wiring.sandbox import PIN, Sandbox, found_sandbox
from ledger.gateway import EndorseError, GatewayError

_QUICK = Stretching(1024, 1, 1)
"""The tour's people are made in seconds; what a PIN costs to guess is tested elsewhere."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a step came out.

    Attributes:
        outcome: in the words of the step's expectation.
        block: of the entry it made or read, or None.
        transaction_id: of that entry, or empty.
    """

    outcome: str
    block: int | None = None
    transaction_id: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the tour.

    Attributes:
        name: what is done, in one line.
        expected: the only right outcome.
        run: does it; whatever it raises is a wrong outcome.
    """

    name: str
    expected: str
    run: Callable[["World"], Done]


@dataclass
class TourClock:
    """Real time, put forward by the steps that need a later hour; it never goes back."""

    ahead: int = 0

    def __call__(self) -> int:
        """Return seconds UTC."""
        return int(time.time()) + self.ahead


@dataclass
class World:
    """The state that the steps share."""

    folder: Path
    clock: TourClock
    sandbox: Sandbox
    request: str = ""
    receipt: Receipt | None = None
    rows: tuple[RecordRow, ...] = ()
    answer: Answer | None = None
    opened: dict[str, Opened] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    _staff: dict[str, StaffDesk] = field(default_factory=dict)
    _patients: dict[str, PatientDesk] = field(default_factory=dict)

    @property
    def installation(self) -> Installation:
        """The sandbox's installation."""
        return self.sandbox.installation

    @property
    def machine(self) -> Machine:
        """What services work with."""
        return self.installation.machine

    def staff(self, name: str) -> StaffDesk:
        """Return the desk of a member of staff, signed in."""
        if name not in self._staff:
            self._staff[name] = sign_in(self.installation, self.sandbox.profiles[name], PIN)
        return self._staff[name]

    def patient(self, name: str) -> PatientDesk:
        """Return the desk of a patient, signed in with card and PIN."""
        if name not in self._patients:
            self._patients[name] = self.patient_anew(name)
        return self._patients[name]

    def patient_anew(self, name: str) -> PatientDesk:
        """Sign a patient in again, so that pairs made since are there."""
        self._patients[name] = sign_in_patient(self.installation, self.sandbox.cards[name], PIN)
        return self._patients[name]

    def settle(self) -> None:
        """Let the custodians do what the ledger asks of them, and post their receipts."""
        self.installation.tick(force=True)

    def done(self, outcome: str, transaction_id: str = "") -> Done:
        """Return an outcome with its entry, looked up on the verified ledger."""
        events = self.machine.catch_up().events()
        blocks = (event.block for event in events if event.transaction_id == transaction_id)
        return Done(outcome, next(blocks, None), transaction_id)


@contextmanager
def new_world(folder: Path) -> Iterator[World]:
    """Make a fresh sandbox in ``folder`` and close it afterwards."""
    clock = TourClock()
    folder.mkdir(parents=True, exist_ok=True)
    passphrase = sha256(str(folder).encode()).hexdigest()
    store = PassphraseFile.create(folder / "key-store.sealed", passphrase, _QUICK)
    sandbox = found_sandbox(folder / "sandbox", store, Circumstances(clock, stretching=_QUICK))
    try:
        world = World(folder, clock, sandbox)
        world.kept["today"] = datetime.fromtimestamp(clock(), UTC).date().isoformat()
        yield world
    finally:
        sandbox.installation.close()


def code_of(act: Callable[[], object]) -> str:
    """Return the code with which an act is refused, or ``not refused``."""
    try:
        act()
    except EndorseError as refused:
        return refused.code
    except GatewayError as failed:
        return f"{type(failed).__name__} {failed.code}"
    except CustodianRefusal as refused:
        return refused.code
    return "not refused"
