"""Each error as the state that pages show, and an unknown outcome that is asked about until it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.custodian.messages import CustodianRefusal
from app.identity.profiles import ProfileLockedError, WrongPinError
from app.records.refusal import Change
from app.services.entries import Access
from app.services.machine import LedgerDamagedError
from app.services.openings import ChangedError, DeniedError, StoppedError
from app.services.submission import UnsettledError
from app.ui import outcomes
from app.ui.outcomes import Settling, failure_sentence, pin_sentence, state_of
from ledger.gateway import Commit, CommitError, EndorseError, SubmitError
from tests.support.practitioner import COMMIT, CONSENT, ENVELOPE, NOW

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from app.ui.background import Background
    from app.ui.widgets import State

ACCESS = Access(
    msp_id="AlderMSP",
    subject="c" * 26,
    kind="open",
    purpose="TREAT",
    device="",
    at=NOW,
    until=NOW,
    records=("r1",),
    denied=True,
    reason="DENY_OVERRIDES",
    consents=(CONSENT,),
    overridden=(),
)


@pytest.mark.parametrize(
    ("error", "role", "words"),
    [
        (EndorseError("suspended"), "deny", "Not sent. Your access is suspended."),
        (SubmitError("timeout"), "unknown", "We do not know yet whether this was recorded."),
        (UnsettledError(ENVELOPE), "unknown", "Please do not send it again."),
        (CommitError("stale-read"), "wait", "Someone changed this at the same time."),
        (DeniedError(ACCESS, 9), "deny", "Decided by Consent C-C4RT."),
        (ChangedError(Change.PIXELS_CHANGED, 104, 1, 412), "deny", "Pixels changed in 1 of 412 images (image 104)."),
        (ChangedError(Change.OBJECT_MISSING, 1, 1, 1), "deny", "missing from the store"),
        (StoppedError(), "held", "The opening stays recorded, nothing was shown."),
        (LedgerDamagedError(173, "merkle"), "deny", "changed at block 173"),
        (CustodianRefusal("refused"), "deny", "A code works once and for 15 minutes."),
        (CustodianRefusal("stopped-by-patient"), "deny", "The patient has stopped all access for now."),
        (RuntimeError("a stack trace"), "deny", "tell the operator"),
    ],
)
def test_each_error_is_one_state_with_what_to_do(error: Exception, role: str, words: str) -> None:
    state = state_of(error)
    assert state.role == role
    assert words in state.sentence
    assert "stack trace" not in state.sentence


def test_a_wrong_pin_says_how_many_tries_are_left() -> None:
    assert pin_sentence(WrongPinError(4)) == "That was not your PIN. 4 tries left."
    assert failure_sentence(WrongPinError(1)) == "That was not your PIN. 1 try left."
    assert failure_sentence(ProfileLockedError()).startswith("Too many tries.")


class Answers:
    """Answers of ``settle``, one after the other."""

    def __init__(self, *answers: Commit | Exception | None) -> None:
        self.left = list(answers)

    def __call__(self, _error: UnsettledError) -> Commit | None:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def settled(qtbot: QtBot, background: Background, *answers: Any) -> tuple[Any, list[State]]:
    settling = Settling(Answers(*answers), background, lambda: NOW)
    told: list[State] = []
    settling.told.connect(told.append)
    with qtbot.waitSignal(settling.settled) as signal:
        settling.begin(UnsettledError(ENVELOPE))
        was_open = settling.is_open
    assert (was_open, settling.is_open) == (True, False)
    return signal.args[0], told


def test_an_unknown_outcome_is_asked_until_it_is_known(
    qtbot: QtBot, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_WAITS", (0,))
    still = UnsettledError(ENVELOPE)
    commit, told = settled(qtbot, background, still, still, COMMIT)
    assert commit is COMMIT
    assert [state.role for state in told] == ["unknown", "unknown", "unknown", "ok"]
    assert "Second check" in told[1].note
    assert "It was recorded at" in told[-1].text


def test_what_was_not_recorded_may_be_sent_again(
    qtbot: QtBot, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_WAITS", (0,))
    commit, told = settled(qtbot, background, None)
    assert commit is None
    assert "You can send it again." in told[-1].text
    commit, told = settled(qtbot, background, CommitError("stale-read"))
    assert commit is None
    assert told[-1].role == "wait"


def test_after_two_minutes_the_person_may_go_on(qtbot: QtBot, background: Background) -> None:
    now = [NOW]
    settling = Settling(Answers(), background, lambda: now[0])
    told: list[State] = []
    settling.told.connect(told.append)
    settling.begin(UnsettledError(ENVELOPE))
    now[0] += 121
    settling._next()
    settling.stop()
    assert [action.key for action in told[0].actions] == []
    assert [action.key for action in told[1].actions] == ["background"]
