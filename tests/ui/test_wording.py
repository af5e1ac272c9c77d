"""Every code has its sentence, and dates and durations are written one way."""

from __future__ import annotations

from datetime import UTC, date

import pytest

from app.ui import refusals, wording
from ledger.contract.decision import Reason
from ledger.contract.errors import CODES
from ledger.gateway import CommitError, CommitStatusError, EndorseError, SubmitError

NOW = 1_795_530_720  # 24 Nov 2026, 14:32 UTC


def test_every_reason_of_a_decision_has_a_sentence() -> None:
    assert set(refusals.REASONS) == set(Reason)
    assert (
        refusals.reason_sentence("DENY_OVERRIDES") == "One consent allows this, another refuses it; the refusal counts."
    )


def test_every_contract_code_has_a_sentence_that_says_what_to_do() -> None:
    assert set(wording.CONTRACT_CODES) >= CODES
    for text in (*wording.CONTRACT_CODES.values(), *wording.RELEASE_CODES.values(), *refusals.REASONS.values()):
        assert text.endswith(".")
        assert "!" not in text
        assert "please wait" not in text.lower()
    for code in CODES:
        assert wording.CONTRACT_CODES[code].count(". ") >= 1, f"{code} says nothing to do"


def test_release_codes_are_those_of_the_protocol() -> None:
    named = {
        *("not-yet-committed", "wrong-release-key", "entry-too-old", "stopped-by-patient", "denied"),
        *("label-mismatch", "artefact-mismatch", "badge-mismatch", "object-mismatch"),
    }
    assert set(wording.RELEASE_CODES) >= named


def test_an_unknown_code_says_so() -> None:
    assert "does not know" in wording.code_sentence("no-such-code")
    assert "does not know" in refusals.reason_sentence("NO_SUCH_REASON")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            EndorseError("suspended", "internal detail"),
            "Not sent. Your access is suspended. Ask a registrar of your hospital. Nothing was recorded.",
        ),
        (SubmitError("timeout"), "We do not know yet whether this was recorded. Checking…"),
        (CommitStatusError("timeout"), "We do not know yet whether this was recorded. Checking…"),
        (CommitError("stale-read"), "Someone changed this at the same time. Please look again."),
    ],
)
def test_the_four_gateway_errors(error: Exception, text: str) -> None:
    assert refusals.error_sentence(error) == text


def test_the_text_of_an_error_is_never_shown() -> None:
    assert "secret" not in refusals.error_sentence(ValueError("secret"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (6 * 86_400 + 23 * 3_600 + 59, "6 d 23 h"),
        (2 * 3_600 + 600, "2 h 10 min"),
        (3_600, "1 h"),
        (3_599, "59 min"),
        (40, "40 s"),
        (-5, "0 s"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert wording.duration_text(seconds) == text


def test_countdowns() -> None:
    assert wording.countdown_text(6 * 86_400 + 23 * 3_600 + 58 * 60) == "6 d 23 h 58 min left"
    assert wording.countdown_text(3_599) == "59 min 59 s left"
    assert wording.countdown_text(9) == "9 s left"
    assert wording.countdown_text(2 * 86_400, "de") == "noch 2 T 0 h 0 min"
    assert wording.clock_text(252) == "4:12"


def test_dates() -> None:
    day = date(2026, 11, 24)
    assert wording.day_text(day) == "24 Nov 2026"
    assert wording.day_text(day, "de") == "24. Nov. 2026"
    assert wording.long_day_text(day) == "24 November 2026"
    assert wording.long_day_text(day, "de") == "24. November 2026"
    assert wording.moment_text(NOW, zone=UTC) == "24 Nov 2026, 14:32"
    assert wording.end_text(NOW + 7_800, NOW, zone=UTC) == "Today, 16:42"
    assert wording.end_text(NOW + 7 * 86_400 - 60, NOW, zone=UTC) == "1 Dec, 14:31"
    assert wording.end_text(None, NOW) == wording.NONE
    assert wording.weekday_text(NOW, NOW, zone=UTC) == "Today, Tuesday 24 November"
    assert wording.weekday_text(NOW - 3 * 86_400, NOW, zone=UTC) == "Saturday 21 November"
    assert wording.weekday_text(NOW, NOW, "de", zone=UTC) == "Heute, Dienstag, 24. November"


def test_partial_dates_stay_partial() -> None:
    assert wording.iso_day_text("2026") == "2026"
    assert wording.iso_day_text("2026-11") == "Nov 2026"
    assert wording.iso_day_text("2026-11-24T09:12:00+01:00") == "24 Nov 2026"
    assert wording.iso_day_text("") == wording.NONE


def test_ages_turn_on_the_birthday() -> None:
    assert wording.age_text("1961-03-14", date(2026, 11, 24)) == "14 Mar 1961, 65 years"
    assert wording.age_text("1961-11-25", date(2026, 11, 24)) == "25 Nov 1961, 64 years"
    assert wording.age_text("2025-11-24", date(2026, 11, 24)) == "24 Nov 2025, 1 year"
    assert wording.age_text("1961", date(2026, 11, 24)) == "1961"


def test_counts_and_sizes() -> None:
    assert wording.count_text(1, "record", "records") == "1 record"
    assert wording.count_text(1902, "entry", "entries") == "1,902 entries"
    assert wording.size_text(2_100) == "2.1 kB"
    assert wording.size_text(999) == "999 B"
