"""``./assent custodian``: a hospital's custodian as a process, and what its operator does with it."""

import argparse
import getpass
import signal
import sys
import time
from pathlib import Path
from typing import Final

from app.identity.hardening import harden_process
from app.wiring.control import ControlError, ask
from app.wiring.custodian_service import CustodianProcess
from app.wiring.custodians import CustodianInUseError
from app.wiring.home import home
from app.wiring.ledgers import Circumstances
from app.wiring.plans import HospitalPlan, read_plans
from app.wiring.start import NAME

_FAILED: Final = 1
_NOT_POSSIBLE: Final = 2


class CommandError(Exception):
    """The command line does not fit what is in the folder; the text says what to do."""


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 if it could not be done, or ``status`` finds the custodian locked or halted."""
    folder: Path = (arguments.folder or home() / NAME).absolute()
    try:
        plan = _plan(folder, arguments.hospital)
        if arguments.action == "serve":
            return _serve(folder, plan, arguments.listen)
        return _ask(folder / plan.msp_id, arguments.action)
    except CommandError as error:
        _say(str(error))
        return _NOT_POSSIBLE
    except (ControlError, CustodianInUseError, OSError) as error:
        _say(str(error))
        return _FAILED


def _serve(folder: Path, plan: HospitalPlan, listen: str) -> int:
    harden_process()
    process = CustodianProcess(folder, plan, Circumstances(lambda: int(time.time())), listen=listen)
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: process.end())
    _say(f"{plan.msp_id} listens at {plan.endpoint} and is locked. Unlock it: ./assent custodian unlock")
    process.run()
    _say(f"{plan.msp_id} has ended.")
    return 0


def _ask(place: Path, action: str) -> int:
    told = ask(place, action.capitalize(), {"passphrase": _passphrase()} if action == "unlock" else None)
    ledger = "" if told["ledger_answers"] else "; the ledger does not answer"
    sys.stdout.write(
        f"{told['msp_id']} at {told['endpoint']}: {told['state']}, {told['height']} blocks verified{ledger}"
        f" (process {told['pid']})\n"
    )
    return _FAILED if action == "status" and told["state"] != "ready" else 0


def _plan(folder: Path, msp_id: str) -> HospitalPlan:
    """Return the hospital that is meant.

    Raises:
        CommandError: there is none, several, or its custodian is part of the desktop.
    """
    plans = [plan for plan in read_plans(folder) if msp_id in ("", plan.msp_id)]
    served = [plan for plan in plans if plan.endpoint]
    if not plans:
        raise CommandError(f"{folder} holds no such hospital. Name its folder with --folder.")
    if not served:
        raise CommandError("This hospital's custodian is part of the desktop: it was founded without an endpoint.")
    if len(served) > 1:
        raise CommandError(f"Choose one with --hospital: {', '.join(plan.msp_id for plan in served)}")
    return served[0]


def _passphrase() -> str:
    """Return what opens the key store: typed unseen, or one line of a pipe; empty for the system's own store."""
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase of the key store (empty for the system's): ")
    return sys.stdin.readline().rstrip("\n")


def _say(text: str) -> None:
    sys.stderr.write(f"assent: {text}\n")
    sys.stderr.flush()
