"""The tour: every step comes out as it must, and a step that does not makes it fail."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from app.tour import run as tour
from app.tour.bytescan import scan
from app.tour.world import Done, Step, code_of
from ledger.gateway import EndorseError, SubmitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMBERS = ["step", "expected", "outcome", "ok", "block", "transaction_id", "milliseconds"]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_step_comes_out_as_it_must_and_the_sandbox_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kept"
    status = tour.run(as_json=True, keep=folder)
    told = lines(capsys)
    assert [line for line in told if not line["ok"]] == []
    assert status == 0
    assert len(told) == len(tour.STEPS) >= 45
    assert all(list(line) == MEMBERS for line in told)
    assert all(line["outcome"] == line["expected"] for line in told)
    entries = [line for line in told if line["transaction_id"]]
    assert len(entries) > 20
    assert all(isinstance(line["block"], int) and len(line["transaction_id"]) == 64 for line in entries)
    assert (folder / "sandbox" / "ledger").is_dir()
    assert tour.run(as_json=True, keep=folder) == 2
    assert "not empty" in capsys.readouterr().err


@contextmanager
def no_world(_folder: Path) -> Iterator[None]:
    """Stand in for the sandbox, which these steps do not use."""
    yield None


def fails(_: object) -> Done:
    raise RuntimeError("planted")


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (Step("planted", "right", lambda _: Done("wrong")), "wrong"),
        (Step("planted", "right", fails), "RuntimeError: planted"),
    ],
)
def test_a_step_that_comes_out_wrong_makes_it_fail_and_the_rest_still_runs(
    step: Step, outcome: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    after = Step("after", "right", lambda _: Done("right", 7, "ab" * 32))
    monkeypatch.setattr(tour, "STEPS", (step, after))
    monkeypatch.setattr(tour, "new_world", no_world)
    assert tour.run(as_json=True, keep=None) == 1
    planted, second = lines(capsys)
    assert (planted["ok"], planted["outcome"], planted["block"]) == (False, outcome, None)
    assert (second["ok"], second["block"]) == (True, 7)
    assert tour.run(as_json=False, keep=None) == 1
    text = capsys.readouterr().out
    assert "expected: right" in text
    assert "1 of 2 steps" in text
    monkeypatch.setattr(tour, "STEPS", (after,))
    assert tour.run(as_json=False, keep=None) == 0


def test_what_is_refused_is_told_by_its_code() -> None:
    def refuse(error: Exception) -> None:
        raise error

    assert code_of(lambda: None) == "not refused"
    assert code_of(lambda: refuse(EndorseError("forbidden"))) == "forbidden"
    assert code_of(lambda: refuse(SubmitError("unavailable"))) == "SubmitError unavailable"


# the byte scan, on planted traces

NAME, CODE = "Alma Fictive", "HIV"


def encodings() -> list[bytes]:
    raw = NAME.encode()
    digest = hashlib.sha256(raw).digest()
    return [
        raw,
        raw.lower(),
        raw.hex().encode(),
        *(base64.b64encode(b"x" * shift + raw + b"yy") for shift in range(3)),
        *(base64.b32encode(b"x" * shift + raw + b"yy") for shift in range(5)),
        digest.hex().encode(),
        base64.b64encode(digest),
        hashlib.sha1(raw, usedforsecurity=False).hexdigest().encode(),
        base64.b64encode(b"\x00" * 90 + raw + b"\x00" * 90),
    ]


@pytest.mark.parametrize("form", range(len(encodings())))
def test_a_name_is_found_in_every_form(form: int) -> None:
    block = b'{"value":"' + encodings()[form] + b'"}'
    found = scan([b"{}", block], {NAME}, set())
    assert {(find.block, find.what) for find in found} == {(1, NAME)}


@pytest.mark.parametrize("block", [b'{"code":"HIV"}', b'{"arguments":"{\\"code\\":\\"HIV\\"}"}', b'"http://x|HIV"'])
def test_a_short_code_is_found_where_it_is_one(block: bytes) -> None:
    assert [find.what for find in scan([block], set(), {CODE})] == [CODE]


def test_a_short_code_by_chance_is_none_and_nothing_is_found_in_nothing() -> None:
    assert scan([b'{"hash":"aaHIVbb"}'], {NAME}, {CODE}) == ()
