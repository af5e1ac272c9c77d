"""The sandbox: two hospitals with everybody they need, an approved model, and cards that only a sandbox keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.identity.passphrases import unseal
from app.services.models import bundled_models, status_of
from app.wiring.desks import StaffDesk, sign_in, zone_text
from app.wiring.samples import samples_of
from app.wiring.sandbox import PIN, STAFF, read_cards
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from pathlib import Path


def test_every_hospital_has_its_people(world: SandboxWorld) -> None:
    profiles = world.installation.profiles.profiles()
    by_hospital = {
        plan.plan.msp_id: sorted(each.role for each in profiles if each.msp_id == plan.plan.msp_id) for plan in STAFF
    }
    expected = ["operator", "practitioner", "practitioner", "privacy-officer", "registrar"]
    assert by_hospital == {"AlderMSP": expected, "BirchMSP": expected}
    machine = world.installation.machine
    stewards = [value for _, value in machine.scan("member") if value["steward"]]
    assert len(stewards) == 2
    assert {value["status"] for _, value in machine.scan("member")} == {"active"}


def test_everybody_signs_in_with_the_one_pin_and_locks(world: SandboxWorld) -> None:
    for profile in world.installation.profiles.profiles():
        desk = sign_in(world.installation, profile, PIN)
        assert isinstance(desk, StaffDesk)
        desk.reauthenticate(PIN)
        assert desk.open_count == 0
        desk.lock()
    for name in world.cards:
        patient = world.patient(name)
        assert patient.unlocked.person.name == name
        assert patient.open_count == 0
        patient.lock()


def test_locking_wipes_the_key_whatever_closing_does(allowed: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = allowed.staff(CAROL)

    def broken(_ending: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(desk.openings, "close_all", broken)
    with pytest.raises(RuntimeError):
        desk.lock()
    assert desk.identity.is_locked


def test_both_hospitals_approve_the_model(world: SandboxWorld) -> None:
    for model in bundled_models():
        status = status_of(world.installation.machine, model.model_id)
        assert (status.status, status.approved_by) == ("approved", ("Alder Hospital", "Birch Hospital"))


def test_root_keys_are_sealed_and_cards_read_only_where_there_are_any(world: SandboxWorld, tmp_path: Path) -> None:
    for msp_id in ("AlderMSP", "BirchMSP"):
        sealed = (world.installation.folder / msp_id / "root-ca.sealed").read_bytes()
        assert bytes(unseal(sealed, PIN, "root-ca"))[:1] == b"\x30"
    assert set(world.cards) == {person.name for staffing in STAFF for person in staffing.patients}
    assert read_cards(tmp_path / "nowhere") == {}


def test_samples_are_of_the_person_and_lie_before_today() -> None:
    greta = next(person for staffing in STAFF for person in staffing.patients if person.name == "Greta Imaginary")
    (table,) = samples_of(greta, "2026-11-24")
    assert b"2026-11-20" in table.content
    bruno = next(person for staffing in STAFF for person in staffing.patients if person.name == "Bruno Mockup")
    chart = next(file for file in samples_of(bruno, "2026-11-24") if file.name == "chart.json")
    assert b"Mockup" in chart.content
    assert ALMA.encode() not in chart.content


def test_an_offset_is_written_as_fhir_writes_it() -> None:
    assert [zone_text(each) for each in (0, 7200, -12_600)] == ["+00:00", "+02:00", "-03:30"]
