"""An older copy of the ledger: only an operator accepts it, and the ledger says so; another one nobody (A42)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.identity.ledger_head import OlderLedgerError, OtherLedgerError
from app.identity.passphrase_file import PassphraseFile
from app.identity.profile_file import ProfileError
from app.services.submission import UnsettledError
from app.wiring import restoring, start
from app.wiring.installation import open_installation
from app.wiring.ledgers import Circumstances
from app.wiring.restoring import NothingToAcceptError, accept_at_home, accept_older_ledger
from app.wiring.sandbox import PIN, read_cards
from ledger.embedded.ledger import EmbeddedLedger
from ledger.gateway import EndorseError, SubmitError
from tests.support.sandbox import ALMA, CAROL, FAST, Clock, SandboxWorld, found_small, open_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.identity.ledger_head import LedgerHead

OTTO = "Otto Operand"
KINDS = frozenset({Category.CYTOLOGY, Category.DOCUMENT})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A sandbox whose ledger is the copy from before Alma allowed Dr Carol anything and Carol opened it."""
    world = open_copy(found_small(), tmp_path)
    world.installation.close()
    ledger = tmp_path / "sandbox" / "ledger"
    shutil.copytree(ledger, tmp_path / "older")
    world = opened(tmp_path)
    carol = world.staff(CAROL)
    world.allow(carol, ALMA, KINDS)
    patient = carol.patients.known()[0]
    carol.worklist.list_records(patient, "TREAT")
    world.installation.close()
    ledger.rename(tmp_path / "newer")
    (tmp_path / "older").rename(ledger)
    return tmp_path


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
