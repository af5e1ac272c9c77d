"""An older copy of the ledger: only an operator accepts it, and the ledger says so; another one nobody (A42)."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.custodian.messages import CustodianRefusal
from app.identity.ledger_head import HeadKeeper, OlderLedgerError, OtherLedgerError
from app.identity.passphrase_file import PassphraseFile
from app.identity.profile_file import ProfileError
from app.services.consents import ConsentState
from app.services.submission import UnsettledError
from app.wiring import restoring, start
from app.wiring.installation import open_installation
from app.wiring.ledgers import Circumstances
from app.wiring.restoring import NothingToAcceptError, accept_at_home, accept_older_ledger
from app.wiring.sandbox import PIN, read_cards
from ledger.embedded.ledger import EmbeddedLedger
from ledger.gateway import EndorseError, SubmitError
from tests.support.sandbox import ALMA, CAROL, FAST, Clock, SandboxWorld, found_allowed, found_small, open_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.identity.ledger_head import LedgerHead
    from ledger.gateway import Commit, Envelope

OTTO = "Otto Operand"
KINDS = frozenset({Category.CYTOLOGY, Category.DOCUMENT})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A sandbox whose ledger is the copy from before Alma allowed Dr Carol anything and Carol opened it."""
    open_copy(found_small(), tmp_path).installation.close()

    def allow_and_list(world: SandboxWorld) -> None:
        carol = world.staff(CAROL)
        world.allow(carol, ALMA, KINDS)
        carol.worklist.list_records(carol.patients.known()[0], "TREAT")

    go_back(tmp_path, allow_and_list)
    return tmp_path


def go_back(place: Path, act: Callable[[SandboxWorld], object]) -> None:
    """Let something happen, then put the ledger from before it back; the one with it is kept as ``newer``."""
    ledger = place / "sandbox" / "ledger"
    shutil.copytree(ledger, place / "older")
    world = opened(place)
    act(world)
    world.installation.close()
    ledger.rename(place / "newer")
    (place / "older").rename(ledger)


def store_of(place: Path) -> PassphraseFile:
    return PassphraseFile.open(place / "keys.sealed", "sandbox-passphrase")


def opened(place: Path) -> SandboxWorld:
    clock = Clock()
    installation = open_installation(place / "sandbox", store_of(place), Circumstances(clock, stretching=FAST))
    installation.machine.catch_up()
    return SandboxWorld(installation, clock, read_cards(place / "sandbox"))


def accepted(place: Path, name: str = OTTO, pin: str = PIN) -> LedgerHead:
    circumstances = Circumstances(Clock(), stretching=FAST)
    return accept_older_ledger(place / "sandbox", store_of(place), circumstances, name, pin)


def test_what_was_given_up_stands_on_the_ledger_with_who_and_when(place: Path) -> None:
    with pytest.raises(OlderLedgerError, match="accept-ledger"):
        opened(place)
    seen = accepted(place)
    world = opened(place)
    assert world.installation.machine.find("anchor", "AlderMSP", seen.head_hash) == {
        "height": seen.height,
        "head_hash": seen.head_hash,
        "archive_hash": "",
        "at": world.clock.now,
        "v": 1,
    }
    assert [event.name for event in world.installation.machine.replica.events()][-1] == "LedgerAnchored"
    world.installation.close()


def test_the_work_goes_on_and_what_was_given_up_opens_nothing(place: Path) -> None:
    accepted(place)
    world = opened(place)
    carol = world.staff(CAROL)
    assert not any(row.can_open for row in carol.worklist.rows())
    world.tick()
    world.allow(carol, ALMA, KINDS)
    known = [each for each in carol.patients.known() if world.installation.machine.find("patient", each.patient_id)]
    carol.worklist.list_records(known[-1], "TREAT")
    assert any(row.can_open for row in carol.worklist.rows())
    world.tick()
    world.installation.close()


def test_the_newer_copy_no_longer_opens_once_an_older_one_went_on(place: Path) -> None:
    accepted(place)
    shutil.rmtree(place / "sandbox" / "ledger")
    (place / "newer").rename(place / "sandbox" / "ledger")
    with pytest.raises(OtherLedgerError):
        opened(place)
    with pytest.raises(OtherLedgerError):
        accepted(place)


@pytest.mark.parametrize("name", ["Rita Roster", "Petra Protocol", CAROL])
def test_only_an_operator_accepts(place: Path, name: str) -> None:
    with pytest.raises(EndorseError) as refused:
        accepted(place, name)
    assert refused.value.code == "wrong-role"
    with pytest.raises(OlderLedgerError):
        opened(place)


@pytest.mark.parametrize(("name", "pin"), [(OTTO, "00000000"), ("Mallory", PIN)])
def test_a_wrong_pin_or_an_unknown_person_accepts_nothing(place: Path, name: str, pin: str) -> None:
    with pytest.raises(ProfileError):
        accepted(place, name, pin)
    with pytest.raises(OlderLedgerError):
        opened(place)


def test_a_ledger_that_is_not_older_is_not_accepted(place: Path) -> None:
    accepted(place)
    with pytest.raises(NothingToAcceptError):
        accepted(place)


def test_an_acceptance_that_stopped_half_way_is_done_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = EmbeddedLedger.submit

    def lost(self: EmbeddedLedger, envelope: object) -> None:
        submit(self, envelope)  # type: ignore[arg-type]  # opaque to everybody between
        raise SubmitError("unavailable", "", "")

    monkeypatch.setattr(EmbeddedLedger, "submit", lost)
    with pytest.raises(UnsettledError):
        accepted(place)
    monkeypatch.undo()
    with pytest.raises(OlderLedgerError):
        opened(place)
    accepted(place)
    opened(place).installation.close()


def test_an_acceptance_of_one_lost_block_that_stopped_half_way_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_copy(found_small(), tmp_path).installation.close()
    go_back(tmp_path, suspend_carol)
    monkeypatch.setattr(HeadKeeper, "accept", stop_here)
    with pytest.raises(InterruptedError):
        accepted(tmp_path)
    monkeypatch.undo()
    with pytest.raises(OtherLedgerError):  # as long as what was seen, with the anchor in the lost block's place
        opened(tmp_path)
    accepted(tmp_path)
    opened(tmp_path).installation.close()


def suspend_carol(world: SandboxWorld) -> None:
    world.staff("Rita Roster").people.suspend(world.staff(CAROL).identity.subject)
    world.tick()


def stop_here(*_: object) -> None:
    raise InterruptedError


def test_an_acceptance_sent_again_accepts_no_other_loss(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(place / "sandbox" / "ledger", place / "again")
    sent: list[Envelope] = []
    submit = EmbeddedLedger.submit

    def overheard(self: EmbeddedLedger, envelope: Envelope) -> Commit:
        sent.append(envelope)
        return submit(self, envelope)

    monkeypatch.setattr(EmbeddedLedger, "submit", overheard)
    accepted(place)
    monkeypatch.undo()
    world = opened(place)
    suspend_carol(world)
    world.installation.close()
    shutil.rmtree(place / "sandbox" / "ledger")
    (place / "again").rename(place / "sandbox" / "ledger")
    circumstances = Circumstances(Clock(), stretching=FAST)
    with closing(open_installation(place / "sandbox", store_of(place), circumstances, any_head=True)) as installation:
        installation.ledger.submit(sent[-1])
    with pytest.raises(OlderLedgerError):
        opened(place)


def test_who_had_stopped_a_consent_that_the_copy_calls_active_stays_stopped_until_she_resumes(tmp_path: Path) -> None:
    open_copy(found_allowed(), tmp_path).installation.close()

    def stop_all(world: SandboxWorld) -> None:
        alma = world.patient(ALMA)
        alma.consents.stop(alma.consents.rows()[0], PIN)
        world.tick()

    go_back(tmp_path, stop_all)
    accepted(tmp_path)
    world = opened(tmp_path)
    carol, alma = world.staff(CAROL), world.patient(ALMA)
    with pytest.raises(CustodianRefusal) as refused:
        carol.worklist.list_records(carol.patients.known()[0], "TREAT")
    assert refused.value.code == "stopped-by-patient"
    assert alma.consents.rows()[0].state is ConsentState.ACTIVE
    world.installation.machine.custodians["AlderMSP"].resume(
        alma.unlocked.pairs[0].identity, alma.unlocked.pairs[0].patient_id
    )
    carol.worklist.list_records(carol.patients.known()[0], "TREAT")
    world.installation.close()


@pytest.fixture
def at_home(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    monkeypatch.setattr(restoring, "home", lambda: place)
    monkeypatch.setattr(restoring, "_store", lambda _place, _ask: store_of(place))
    assert start.NAME == "sandbox"
    return lambda pin: accept_at_home(lambda _: OTTO, lambda _: pin)


def test_the_command_says_what_came_of_it(at_home: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert at_home("00000000") == 2
    assert "Nothing was accepted." in capsys.readouterr().err
    assert at_home(PIN) == 0
    assert "Given up: everything up to block" in capsys.readouterr().out
    assert at_home(PIN) == 2
    assert "not older" in capsys.readouterr().err


def test_without_a_ledger_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(restoring, "home", lambda: tmp_path)
    assert accept_at_home(lambda _: "", lambda _: "") == 2
    assert "no ledger" in capsys.readouterr().err
