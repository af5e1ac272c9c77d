"""Two hospitals are asked what happened with a patient's records, and a liar among them is shown (A13)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.custodian.messages import CustodianRefusal, ReplyError, unframe
from app.services.agreement import Stand
from ledger.contract.canonical import encode
from ledger.encoding import from_base64
from ledger.signatures import load_public_key, signed_bytes, verify_signature
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.custodian.results import View
    from ledger.gateway import Signer


@pytest.fixture
def opened(allowed: SandboxWorld) -> SandboxWorld:
    """Carol opened Alma's list."""
    carol = allowed.staff(CAROL)
    carol.worklist.list_records(carol.patients.known()[0], "TREAT")
    allowed.tick()
    return allowed


def lying(world: SandboxWorld, monkeypatch: pytest.MonkeyPatch, lie: Callable[[View], View]) -> None:
    """Have Birch's custodian sign something else."""
    client = world.installation.machine.custodians["BirchMSP"]
    honest = client.view

    def view(signer: Signer, patient_id: str) -> View:
        return lie(honest(signer, patient_id))

    monkeypatch.setattr(client, "view", view)


def test_two_of_two_agree(opened: SandboxWorld) -> None:
    alma = opened.patient(ALMA)
    said = alma.accesses.agreement()
    assert (said.agreeing, said.asked, said.differing) == (2, 2, ())
    assert said.block == opened.installation.machine.replica.height - 1
    assert {each.msp_id for each in said.opinions} == {"AlderMSP", "BirchMSP"}


def test_an_answer_is_signed_so_that_a_lie_is_a_signed_lie(opened: SandboxWorld) -> None:
    alma = opened.patient(ALMA)
    pair, machine = alma.unlocked.pairs[0], opened.installation.machine
    view = machine.custodians["BirchMSP"].view(pair.identity, pair.patient_id)
    assert view.accesses
    outer, _ = unframe(view.signed)
    message = signed_bytes("view", machine.gateway.network_id, encode(outer["reply"]))
    key = load_public_key(machine.custodian_key("BirchMSP"))
    verify_signature(key, message, from_base64(str(outer["signature"])))


@pytest.mark.parametrize(
    ("lie", "hidden", "unknown"),
    [
        (lambda view: replace(view, accesses=frozenset()), 1, 0),
        (lambda view: replace(view, accesses=view.accesses | {"f" * 64}), 0, 1),
        (lambda view: replace(view, block_hash="0" * 64), 0, 0),
        (lambda view: replace(view, block=view.block + 5, accesses=frozenset()), 1, 0),
    ],
    ids=["hides an access", "invents one", "has another ledger", "hides one on a longer ledger"],
)
def test_a_hospital_that_differs_is_shown(
    opened: SandboxWorld, monkeypatch: pytest.MonkeyPatch, lie: Callable[[View], View], hidden: int, unknown: int
) -> None:
    monkeypatch.setattr("app.services.agreement._WAIT", 0)
    lying(opened, monkeypatch, lie)
    said = opened.patient(ALMA).accesses.agreement()
    assert (said.agreeing, said.asked) == (1, 2)
    (differs,) = said.differing
    assert differs.msp_id == "BirchMSP"
    assert (len(differs.hidden), len(differs.unknown)) == (hidden, unknown)


def test_an_older_answer_is_compared_as_of_its_block(opened: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = opened.installation.machine.replica
    newest = max(event.block for event in replica.events() if event.name == "AccessDecided")
    lying(
        opened,
        monkeypatch,
        lambda view: replace(view, block=newest - 1, block_hash=replica.block_hash(newest - 1), accesses=frozenset()),
    )
    said = opened.patient(ALMA).accesses.agreement()
    assert (said.agreeing, said.block) == (2, newest - 1)


def test_a_machine_that_lags_says_so_instead_of_agreeing(opened: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.agreement._WAIT", 0)
    lying(opened, monkeypatch, lambda view: replace(view, block=view.block + 5))
    said = opened.patient(ALMA).accesses.agreement()
    assert (said.agreeing, said.differing) == (1, ())
    assert [each.stand for each in said.opinions if each.msp_id == "BirchMSP"] == [Stand.AHEAD]


@pytest.mark.parametrize(
    ("error", "code"), [(CustodianRefusal("locked"), "locked"), (ReplyError("not signed"), "wrong-key")]
)
def test_who_does_not_answer_does_not_count_as_agreeing(
    opened: SandboxWorld, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def refuse(*_: object) -> View:
        raise error

    monkeypatch.setattr(opened.installation.machine.custodians["BirchMSP"], "view", refuse)
    said = opened.patient(ALMA).accesses.agreement()
    assert (said.agreeing, said.asked, said.differing) == (1, 2, ())
    assert [each.code for each in said.opinions if each.stand is Stand.SILENT] == [code]
    assert said.block == opened.installation.machine.replica.height - 1


def test_nobody_else_is_told_what_happened(opened: SandboxWorld) -> None:
    carol, pair = opened.staff(CAROL), opened.patient(ALMA).unlocked.pairs[0]
    for client in opened.installation.machine.custodians.values():
        with pytest.raises(CustodianRefusal, match=r"wrong-role|forbidden"):
            client.view(carol.identity, pair.patient_id)
        greta = opened.patient("Greta Imaginary").unlocked.pairs[0]
        with pytest.raises(CustodianRefusal, match="forbidden"):
            client.view(greta.identity, pair.patient_id)
