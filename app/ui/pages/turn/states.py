"""What came of an entry of the patient's, in her language; the clinicians' wording stands in ``app.ui.outcomes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.machine import LedgerDamagedError
from app.ui.widgets import State
from app.ui.wording import time_text
from ledger.gateway import CommitError, EndorseError

if TYPE_CHECKING:
    from datetime import tzinfo

    from app.ui.pages.turn.words import Words

_OVER = frozenset({"illegal-transition", "expired", "unknown-consent"})
"""Codes of the contract that say: somebody decided or withdrew this."""


def failed(error: Exception, words: Words) -> State:
    """Return the state for an error; unknown outcomes are ``unknown``'s."""
    if isinstance(error, CommitError):
        return State("wait", "git-compare-arrows", "", words.say("conflict"))
    if isinstance(error, EndorseError):
        key = "not_waiting" if error.code in _OVER else "not_sent"
        return State("deny", "circle-x", "", words.say(key))
    if isinstance(error, LedgerDamagedError):
        return State("deny", "circle-x", "", words.say("damaged"))
    return State("deny", "circle-x", "", words.say("failed"))


def unknown(words: Words) -> State:
    """Nobody knows yet; it may not be sent again."""
    return State("unknown", "circle-question-mark", words.say("unknown"), words.say("unknown_note"))


def not_recorded(words: Words) -> State:
    """It turned out not to be recorded."""
    return State("wait", "circle-dashed", "", words.say("not_recorded"))


def recorded(at: int, words: Words, zone: tzinfo | None) -> State:
    """It turned out to be recorded."""
    return State("ok", "circle-check", "", words.say("recorded_at", time=time_text(at, zone, seconds=True)))
