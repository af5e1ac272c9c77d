"""Half-written requests: sealed for their writer alone, kept through lock and restart, gone with the patient."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.consent.terms import Category
from app.identity.keys import LockedError
from app.services import drafts as module
from app.services.drafts import PURPOSE, Draft, Drafts, DraftsDamagedError
from app.services.sealed_file import SealedFile
from ledger.contract.canonical import encode
from tests.support.drafts import drafts_of, identity
from tests.support.practitioner import NOW
from tests.support.sandbox import ALMA, CAROL, SandboxWorld

if TYPE_CHECKING:
    from pathlib import Path

DRAFT = Draft(
    "p" * 26,
    purpose="HRESCH",
    categories=frozenset({Category.IMAGE, Category.CYTOLOGY}),
    first_day="2024-02-29",
    last_day="2026-11-24",
    days=90,
    ai=True,
    reason="Ärztlich — half a sen",
    study="S-1",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "drafts" / "AlderMSP.carol"


def only(drafts: Drafts) -> Draft:
    (kept,) = drafts.read()
    return kept.draft


def test_a_draft_comes_back_as_it_was_after_a_restart(path: Path) -> None:
    drafts = drafts_of(path)
    drafts.note(replace(DRAFT, reason="earlier"))
    drafts.note(DRAFT)
    assert only(drafts) == DRAFT  # before it is written, too
    assert not path.exists()
    drafts.flush()
    assert only(drafts_of(path)) == DRAFT


def test_nothing_of_a_draft_is_on_the_disk_in_plain(path: Path) -> None:
    drafts = drafts_of(path)
    drafts.note(DRAFT)
    drafts.flush()
    content = path.read_bytes()
    for part in (DRAFT.patient_id.encode(), b"half a sen", b"HRESCH", b"cytology", b"S-1"):
        assert part not in content
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_each_patient_has_one_draft_and_the_newest_comes_first(path: Path) -> None:
    now = [NOW]
    drafts = Drafts(SealedFile(path, identity(), PURPOSE, os.urandom), lambda: now[0])
    for letter in "abca":
        drafts.note(replace(DRAFT, patient_id=letter * 26))
        drafts.flush()
        now[0] += 1
    assert [each.draft.patient_id[0] for each in drafts.read()] == ["a", "c", "b"]
    drafts.discard("a" * 26)
    drafts.flush()
    assert [each.draft.patient_id[0] for each in drafts_of(path).read()] == ["c", "b"]


def test_another_person_s_file_does_not_open_and_is_set_aside(path: Path) -> None:
    hers = drafts_of(path, "mallory")
    hers.note(DRAFT)
    hers.flush()
    stolen = path.read_bytes()
    mine = drafts_of(path)
    with pytest.raises(DraftsDamagedError):
        mine.read()
    assert mine.read() == ()
    assert path.with_name(f"{path.name}.damaged").read_bytes() == stolen


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
        lambda raw: bytes([raw[0] ^ 1]) + raw[1:],
        lambda raw: raw[:-1],
        lambda _raw: b"",
        lambda _raw: b"x" * 27,
    ],
    ids=["last bit", "first bit", "cut", "empty", "too short"],
)
def test_a_damaged_file_takes_nothing_but_the_drafts(path: Path, damage: object) -> None:
    drafts = drafts_of(path)
    drafts.note(DRAFT)
    drafts.flush()
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]  # a function per case
    again = drafts_of(path)
    again.note(replace(DRAFT, reason="new"))
    again.flush()  # what is written now is not lost to what was damaged before
    with pytest.raises(DraftsDamagedError):
        again.read()
    assert only(again).reason == "new"


@pytest.mark.parametrize(
    "content",
    [
        {"v": 2, "drafts": []},
        {"v": 1, "drafts": {}},
        {"v": 1},
        {"v": 1, "drafts": [{}]},
        *(
            {"v": 1, "drafts": [{**module._to_json(module.KeptDraft(DRAFT, NOW)), **change}]}
            for change in (
                {"days": 8},
                {"purpose": "HPAYMT"},
                {"categories": ["everything"]},
                {"categories": "image"},
                {"first_day": "2026-02-30"},
                {"at": "now"},
            )
        ),
    ],
    ids=str,
)
def test_what_no_form_can_show_is_damage(path: Path, content: dict[str, object]) -> None:
    SealedFile(path, identity(), PURPOSE, os.urandom).write(encode(content))
    with pytest.raises(DraftsDamagedError):
        drafts_of(path).read()


def test_a_file_that_others_can_read_is_set_aside(path: Path) -> None:
    drafts = drafts_of(path)
    drafts.note(DRAFT)
    drafts.flush()
    path.chmod(0o644)
    with pytest.raises(DraftsDamagedError):
        drafts.read()


def test_a_disk_that_refuses_loses_nothing_that_was_noted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = drafts_of(path)
    drafts.note(DRAFT)

    def full(_self: SealedFile, _content: bytes) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(SealedFile, "write", full)
        with pytest.raises(OSError, match="no space"):
            drafts.flush()
    drafts.flush()
    assert only(drafts_of(path)) == DRAFT


# with a desk


def test_locking_a_desk_writes_what_was_begun_and_wipes_the_key(world: SandboxWorld) -> None:
    desk = world.staff(CAROL)
    draft = replace(DRAFT, patient_id="p" * 26)
    desk.drafts.note(draft)
    desk.lock()
    with pytest.raises(LockedError):
        desk.drafts.read()
    assert only(world.staff(CAROL).drafts) == draft
    assert world.staff("Dr Clara Invented").drafts.read() == ()


def test_a_key_is_wiped_even_if_drafts_cannot_be_written(world: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = world.staff(CAROL)
    desk.drafts.note(DRAFT)

    def full(_self: SealedFile, _content: bytes) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(SealedFile, "write", full)
    with pytest.raises(OSError, match="no space"):
        desk.lock()
    assert desk.identity.is_locked


def test_drafts_are_listed_for_patients_who_are_known_and_go_with_an_erased_one(world: SandboxWorld) -> None:
    desk = world.staff(CAROL)
    people = world.staff("Rita Roster").people
    person = next(row for row in people.persons() if row.person.name == ALMA)
    alma = desk.patients.introduce("AlderMSP", people.make_code(person.patient_id).code)
    desk.drafts.note(replace(DRAFT, patient_id=alma.patient_id))
    desk.drafts.note(replace(DRAFT, patient_id="z" * 26))
    ((patient, kept),) = desk.patients.unfinished()
    assert (patient, kept.draft.reason) == (alma, DRAFT.reason)
    people.erase(person.person_id)
    world.installation.tick(force=True)
    assert desk.patients.known() == ()
    assert [each.draft.patient_id for each in world.staff(CAROL).drafts.read()] == ["z" * 26]
