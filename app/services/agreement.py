"""Whether hospitals agree about what happened with a patient's records: each is asked, none is believed (A13)."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.custodian.messages import CustodianRefusal, ReplyError
from app.custodian.results import View
from app.services.machine import Machine
from app.services.pairs import Pair
from ledger.gateway import GatewayError

ASKED: Final = 2
"""Organizations that are asked about each patient id: the one that holds the records, and one other."""
_WAIT: Final = 2.0
"""Seconds in which a block that a hospital has must arrive here too."""


class Stand(StrEnum):
    """What a hospital's answer says, compared with what this machine verified."""

    AGREES = "agrees"
    DIFFERS = "differs"
    AHEAD = "ahead"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One hospital's answer about one patient id.

    Attributes:
        msp_id: the hospital.
        patient_id: of the pair.
        stand: what it says.
        block: the newest block it verified; -1 if it did not answer.
        hidden: accesses that this machine verified and the hospital leaves out.
        unknown: accesses that only the hospital names.
        code: why there is no answer; empty if there is one.
    """

    msp_id: str
    patient_id: str
    stand: Stand
    block: int = -1
    hidden: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the hospitals that were asked said.

    Attributes:
        opinions: one for each hospital and patient id.
    """

    opinions: tuple[Opinion, ...]

    @property
    def asked(self) -> int:
        """How many hospitals were asked."""
        return len({each.msp_id for each in self.opinions})

    @property
    def agreeing(self) -> int:
        """How many of them agree, about every patient id they were asked about."""
        return self.asked - len({each.msp_id for each in self.opinions if each.stand is not Stand.AGREES})

    @property
    def block(self) -> int:
        """The newest block up to which all that answered were compared; -1 if nobody answered."""
        return min((each.block for each in self.opinions if each.stand is not Stand.SILENT), default=-1)

    @property
    def differing(self) -> tuple[Opinion, ...]:
        """What is to be shown in full and reported: a hospital leaves out an access, or has another ledger."""
        return tuple(each for each in self.opinions if each.stand is Stand.DIFFERS)


def ask_hospitals(machine: Machine, pairs: tuple[Pair, ...]) -> Agreement:
    """Ask the hospital that holds the records, and one other, about every patient id of a patient.

    Raises:
        LedgerDamagedError: this machine's own ledger does not verify.
    """
    machine.catch_up()
    opinions = [_opinion(machine, pair, msp_id) for pair in pairs for msp_id in _whom(machine, pair)]
    return Agreement(tuple(opinions))


def _whom(machine: Machine, pair: Pair) -> list[str]:
    """Return the custodian, then the grantee if it is another hospital, then whoever else there is."""
    wanted = dict.fromkeys([pair.custodian, pair.grantee, *sorted(machine.custodians)])
    return [msp_id for msp_id in wanted if msp_id in machine.custodians][:ASKED]


def _opinion(machine: Machine, pair: Pair, msp_id: str) -> Opinion:
    try:
        view = machine.custodians[msp_id].view(pair.identity, pair.patient_id)
    except CustodianRefusal as refusal:
        return Opinion(msp_id, pair.patient_id, Stand.SILENT, code=refusal.code)
    except ReplyError:
        return Opinion(msp_id, pair.patient_id, Stand.SILENT, code="wrong-key")
    return _compared(machine, pair.patient_id, view)


def _compared(machine: Machine, patient_id: str, view: View) -> Opinion:
    """Compare an answer with the own verified blocks up to the one it names."""
    replica = machine.replica
    if view.block >= replica.height:
        with suppress(GatewayError):
            machine.gateway.wait(view.block, _WAIT)
            machine.catch_up()
    own = frozenset(_accesses(machine, patient_id, view.block))
    hidden, unknown = tuple(sorted(own - view.accesses)), tuple(sorted(view.accesses - own))
    if view.block >= replica.height:
        stand = Stand.DIFFERS if hidden else Stand.AHEAD
    elif hidden or unknown or replica.block_hash(view.block) != view.block_hash:
        stand = Stand.DIFFERS
    else:
        stand = Stand.AGREES
    return Opinion(view.msp_id, patient_id, stand, view.block, hidden, unknown)


def _accesses(machine: Machine, patient_id: str, block: int) -> Iterator[str]:
    """Yield the accesses that this machine verified up to a block."""
    for key, _ in machine.scan("access", patient_id):
        access = machine.replica.committed_access(patient_id, key[2])
        if access is not None and access.block <= block:
            yield access.access_id
