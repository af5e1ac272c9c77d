"""The language-neutral vectors, and the program that runs them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.consent import Consent
from pydantic import ValidationError

from app.consent.vectors import Result, main, run

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
FILES = sorted(FOLDER.glob("*.json"))
CASES: list[dict[str, Any]] = [case for path in FILES for case in json.loads(path.read_text(encoding="utf-8"))["cases"]]


def test_every_vector_decides_as_expected_in_clear_and_on_tags() -> None:
    results = list(run(FOLDER))
    assert [each for each in results if each.message] == []
    assert len(results) == 122
    assert [each.case_id for each in results] == [case["id"] for case in CASES]


def test_the_program_prints_the_sums_last() -> None:
    output = io.StringIO()
    assert main(FOLDER, output) == 0
    assert output.getvalue() == "122 passed, 0 failed\n"


@pytest.mark.parametrize(
    "case", [each for each in CASES if each["kind"] == "register"], ids=lambda case: str(case["id"])
)
def test_what_the_vectors_say_of_r4_is_so(case: dict[str, Any]) -> None:
    raw = case["raw"] if "raw" in case else json.dumps(case["consent"])
    try:
        Consent.model_validate_json(raw)
        is_valid = True
    except ValidationError:
        is_valid = False
    assert is_valid is case["expected"]["r4_valid"]


def test_every_stored_consent_of_the_vectors_is_valid_r4() -> None:
    for case in CASES:
        for consent in case.get("consents", []):
            Consent.model_validate(consent)


def changed(name: str, **changes: Any) -> dict[str, Any]:
    """Return a vector whose members are changed; dots lead inside."""
    case = json.loads(json.dumps(next(each for each in CASES if each["id"] == name)))
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = case
        for part in outer:
            place = place[int(part) if isinstance(place, list) else part]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return dict(case)


def run_cases(folder: Path, cases: list[Any]) -> tuple[int, list[str]]:
    (folder / "some.json").write_text(json.dumps({"format": 1, "topic": "some", "cases": cases}))
    output = io.StringIO()
    return main(folder, output), output.getvalue().splitlines()


DIFFERENT = [
    ("basic-treat-permit", {"expected__decision": "deny"}, "decision is 'permit', expected 'deny'"),
    (
        "basic-treat-permit",
        {"expected__reason": "NO_CONSENT"},
        "reason is 'PERMITTED_BY_CONSENT', expected 'NO_CONSENT'",
    ),
    ("basic-treat-permit", {"expected__deciding": []}, "deciding is ['c-basic'], expected []"),
    (
        "basic-treat-permit",
        {"expected__records__0__outcome": "deny"},
        "ImagingStudy/ct-1 outcome is 'permit', expected 'deny'",
    ),
    (
        "basic-treat-permit",
        {"expected__records__0__overridden": ["c-basic"]},
        "ImagingStudy/ct-1 overridden is [], expected ['c-basic']",
    ),
    ("register-good", {"expected__result": "refused"}, "result is 'accepted', expected 'refused'"),
    ("register-unknown-purpose", {"expected__reason": "UNKNOWN_LABEL"}, "reason is 'UNKNOWN_PURPOSE'"),
    ("register-already-expired", {"expected__reason": "REGISTERED"}, "reason is 'ALREADY_EXPIRED'"),
]


@pytest.mark.parametrize(("name", "changes", "message"), DIFFERENT)
def test_a_case_that_differs_is_told_and_fails_the_run(
    tmp_path: Path, name: str, changes: dict[str, Any], message: str
) -> None:
    status, lines = run_cases(tmp_path, [changed(name, **changes), changed("basic-treat-permit")])
    assert status == 1
    assert lines[-1] == "1 passed, 1 failed"
    assert lines[0].startswith(f"{name}: in clear: ")
    assert message in lines[0]
    assert "on tags: " in lines[0]


BROKEN = [
    ("basic-treat-permit", {"kind": "guess"}),
    ("basic-treat-permit", {"expected": None}),
    ("basic-treat-permit", {"request": None}),
    ("basic-treat-permit", {"request__time": "noon"}),
    ("basic-treat-permit", {"records": []}),
    ("basic-treat-permit", {"consents": 5}),
    ("basic-treat-permit", {"context": 5}),
    ("register-good", {"time": None}),
]


@pytest.mark.parametrize(("name", "changes"), BROKEN)
def test_what_is_no_case_fails_alone(tmp_path: Path, name: str, changes: dict[str, Any]) -> None:
    consent = {"consent__provision__period": {"end": "2030"}} if name == "register-good" else {}
    status, lines = run_cases(tmp_path, [changed(name, **changes, **consent), "no case", changed("register-good")])
    assert status == 1
    assert lines[0].startswith(f"{name}: is not a case: ")
    assert lines[1].startswith("?: is not a case: ")
    assert lines[2:] == ["1 passed, 2 failed"]


def test_optional_members_may_be_absent(tmp_path: Path) -> None:
    bare = {
        "context": None,
        "request__role": None,
        "request__break_glass_authorised": None,
        "records__0__class": None,
        "records__0__code": None,
        "records__0__author": None,
        "records__0__related": None,
        "records__0__label": None,
        "records__0__date": None,
        "expected__records": None,
    }
    status, lines = run_cases(tmp_path, [changed("basic-treat-permit", **bare), changed("register-good", context=None)])
    assert (status, lines) == (0, ["2 passed, 0 failed"])


def test_a_refused_consent_was_never_stored(tmp_path: Path) -> None:
    case = changed(
        "basic-treat-permit",
        consents__0__status="on",
        expected={"decision": "deny", "reason": "NO_CONSENT", "deciding": []},
    )
    assert run_cases(tmp_path, [case]) == (0, ["1 passed, 0 failed"])


def test_a_group_member_counts_only_within_its_time(tmp_path: Path) -> None:
    case = changed("btg-dissent-but-break-glass")
    periods: list[tuple[dict[str, str], bool]] = [
        ({"start": case["request"]["time"]}, True),
        ({"start": "2099-01-01"}, False),
        ({"end": "2001-01-01"}, False),
        ({"end": "2099-01-01"}, True),
    ]
    for period, is_member in periods:
        case["context"]["resources"][0]["member"][0]["period"] = period
        assert run_cases(tmp_path, [case])[0] == (0 if is_member else 1)
    case["context"]["resources"][0]["member"][0]["period"] = {"end": "never"}
    assert "is not a case" in run_cases(tmp_path, [case])[1][0]


def test_files_of_another_form_fail(tmp_path: Path) -> None:
    for name, content in {
        "a.json": "[]",
        "b.json": "{}",
        "c.json": '{"format": 2, "cases": []}',
        "d.json": '{"format": 1, "cases": {}}',
        "e.json": "not json",
        "ee.json": "[" * 100_000,
        "f.txt": "not looked at",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "g.json").write_bytes(b"\xff")
    (tmp_path / "h.json").mkdir()
    output = io.StringIO()
    assert main(tmp_path, output) == 1
    lines = output.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == [
        "a.json",
        "b.json",
        "c.json",
        "d.json",
        "e.json",
        "ee.json",
        "g.json",
        "h.json",
    ]
    assert lines[-1] == "0 passed, 8 failed"


def test_an_empty_or_absent_folder_is_no_success(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        output = io.StringIO()
        assert main(folder, output) == 1
        assert output.getvalue() == "0 passed, 0 failed\n"


def test_the_result_says_whether_it_passed() -> None:
    assert Result("a", "").passed
    assert not Result("a", "differs").passed
