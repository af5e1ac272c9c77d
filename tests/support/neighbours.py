"""Alder and Birch as two installations on one ledger, Birch's custodian a real process: ``./assent custodian serve``.

The clock is the machine's own, because TLS and the processes have no other.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.custodian.results import ImportFile
from app.custodian.transport import TlsTransport
from app.identity.passphrase_file import PassphraseFile
from app.records.description import Person
from app.records.phantom import cytology_csv, document_pdf
from app.wiring.control import NotRunningError, ask
from app.wiring.desks import PatientDesk, StaffDesk, sign_in, sign_in_patient
from app.wiring.installation import Installation, found, join, open_installation, prepare
from app.wiring.ledgers import Circumstances
from app.wiring.plans import HospitalPlan, Network, read_plans
from app.wiring.sandbox import (
    ALDER,
    BIRCH,
    PIN,
    STAFF,
    Sandbox,
    enrol_staff,
    register_organization,
    unlock_staff,
)
from tests.support.sandbox import FAST
from tests.support.service import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.services.notebook import PatientRef

ROOT: Final = Path(__file__).parents[2]
PASSPHRASE: Final = "neighbours-passphrase"
BRUNO: Final = "Bruno Mockup"
"""A patient of Birch."""
CAROL: Final = "Dr Carol Specimen"
"""Of Alder."""
REGISTRAR: Final = "Ruben Roster"
_AROUND: Final = Circumstances(lambda: int(time.time()), stretching=FAST)


@dataclass
class Neighbours:
    """The two hospitals. Alder's installation owns the ledger; Birch's custodian is a process.

    Attributes:
        folder: holds ``alder``, ``birch`` and their key stores.
        alder: open.
        birch: open: the desktop's side of Birch.
        process: Birch's custodian.
        cards: of patients by name.
    """

    folder: Path
    alder: Installation
    birch: Installation
    process: subprocess.Popen[str] | None = None
    card: str = ""

    @property
    def plan(self) -> HospitalPlan:
        return read_plans(self.folder / "birch")[0]

    def transport(self) -> TlsTransport:
        """A bare way to Birch's custodian."""
        return TlsTransport(self.plan.endpoint, self.birch.keys[BIRCH.msp_id].authority.root)

    def serve(self, module: str = "app") -> None:
        """Start Birch's custodian and wait until it listens; it is locked."""
        self.process = start(self.folder / "birch", module)
        until(self._listens, 30)

    def _listens(self) -> bool:
        try:
            return bool(ask(self.folder / "birch" / BIRCH.msp_id, "Status"))
        except NotRunningError:
            return False

    def unlock(self) -> None:
        done = operate(self.folder / "birch", "unlock", PASSPHRASE)
        assert done.returncode == 0, done.stderr
        until(lambda: self.state == "ready")

    @property
    def state(self) -> str:
        """What Birch's custodian says of itself to strangers."""
        transport = self.transport()
        try:
            return transport.state
        finally:
            transport.close()

    def end(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """End Birch's custodian and return its exit status."""
        assert self.process is not None
        self.process.send_signal(kind)
        status = self.process.wait(30)
        self.process = None
        return status

    def close(self) -> None:
        if self.process is not None:
            self.end(signal.SIGKILL)
        self.birch.close()
        self.alder.close()

    def reopen_alder(self) -> None:
        """Open Alder's installation again, as after a pause; the ledger is back with it."""
        self.alder = open_installation(self.folder / "alder", _open_store(self.folder, "alder"), _AROUND)
        self.alder.machine.catch_up()

    def staff(self, installation: Installation, name: str) -> StaffDesk:
        profile = next(each for each in installation.profiles.profiles() if each.name == name)
        return sign_in(installation, profile, PIN)

    def patient(self, installation: Installation) -> PatientDesk:
        """Sign Bruno in with his card."""
        return sign_in_patient(installation, self.card, PIN)

    def introduce(self, carol: StaffDesk) -> PatientRef:
        """Introduce a practitioner of Alder to Bruno, with a code that his hospital's registrar makes."""
        people = self.staff(self.birch, REGISTRAR).people
        person = next(row for row in people.persons() if row.person.name == BRUNO)
        return carol.patients.introduce(BIRCH.msp_id, people.make_code(person.patient_id).code)


def start(folder: Path, module: str = "app") -> subprocess.Popen[str]:
    """Start a custodian's process as its operator would."""
    command = [sys.executable, "-m", module, "custodian", "serve", "--folder", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.DEVNULL)


def operate(folder: Path, action: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Do what an operator does in a terminal."""
    command = [sys.executable, "-m", "app", "custodian", action, "--folder", str(folder)]
    return subprocess.run(command, cwd=ROOT, text=True, input=given + "\n", capture_output=True, check=False)


@cache
def found_neighbours() -> Path:
    """Found both hospitals, with Bruno and his records at Birch; once per run, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="near-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    partner, _ = prepare(
        folder / "birch", replace(BIRCH, endpoint=f"localhost:{free_port()}"), _store(folder, "birch"), _AROUND
    )
    alder, _ = found(folder / "alder", [ALDER], _store(folder, "alder"), _AROUND, [partner])
    join(folder / "birch", Network(alder.ledger.network_id, str(folder / "alder" / "ledger"), (ALDER,)))
    made = Neighbours(folder, alder, open_installation(folder / "birch", _open_store(folder, "birch"), _AROUND))
    made.serve()
    made.unlock()
    for installation, staffing in zip((made.alder, made.birch), STAFF, strict=True):
        sandbox = Sandbox(installation)
        enrol_staff(sandbox, staffing, register_organization(sandbox, staffing))
        if staffing.plan.msp_id == BIRCH.msp_id:
            (folder / "card").write_text(_register(sandbox))
    assert made.end() == 0
    made.close()
    return folder


def open_neighbours(folder: Path) -> Neighbours:
    """Open a copy of what ``found_neighbours`` made, for the caller to close; Birch's process is not started."""
    shutil.copytree(found_neighbours(), folder, dirs_exist_ok=True)
    network = Network.read(folder / "birch")
    assert network is not None
    join(folder / "birch", replace(network, ledger=str(folder / "alder" / "ledger")))
    alder = open_installation(folder / "alder", _open_store(folder, "alder"), _AROUND)
    birch = open_installation(folder / "birch", _open_store(folder, "birch"), _AROUND)
    for each in (alder, birch):
        each.machine.catch_up()
    return Neighbours(folder, alder, birch, card=(folder / "card").read_text())


def free_port() -> int:
    """Return a port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's."""
    made = Path(tempfile.mkdtemp(prefix="near-", dir=os.environ.get("TMPDIR", "/tmp")))  # noqa: S108 (a short name)
    yield made
    shutil.rmtree(made)


def _register(sandbox: Sandbox) -> str:
    """Register Bruno and import his records through the served custodian; return his card."""
    registrar = unlock_staff(sandbox, REGISTRAR)
    bruno = next(each for each in STAFF[1].patients if each.name == BRUNO)
    registered = sandbox.installation.people(registrar).register(bruno, PIN)
    person = Person(BRUNO, bruno.birth_date)
    files = [
        ImportFile("discharge-letter.pdf", document_pdf(person, "2026-11-12")),
        ImportFile("cytology.csv", cytology_csv("2026-11-20", (455, 0, 19))),
    ]
    client = sandbox.installation.machine.custodians[BIRCH.msp_id]
    outcomes = client.import_files(registrar, registered.person_id, files)
    assert all(each.accepted for each in outcomes), outcomes
    return registered.card_text


def _store(folder: Path, name: str) -> PassphraseFile:
    return PassphraseFile.create(folder / f"{name}.keys", PASSPHRASE, FAST)


def _open_store(folder: Path, name: str) -> PassphraseFile:
    return PassphraseFile.open(folder / f"{name}.keys", PASSPHRASE)
