"""What every page says when it is empty, loading, refused, unsure or offline: the exact texts of SCREENS.md 3.

A state is a value; ``Band`` shows it inline, ``StateView`` centred. Both say by its key which action was pressed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.ui.widgets.buttons import ButtonKind
from app.ui.wording import code_sentence, time_text

if TYPE_CHECKING:
    from datetime import tzinfo


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a state.

    Attributes:
        key: what ``acted`` carries.
        is_default: whether Enter presses it; only where SCREENS.md says "default".
    """

    key: str
    text: str
    icon_name: str = ""
    kind: ButtonKind = ButtonKind.PLAIN
    key_hint: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """One thing that is true, with icon, words and what to do.

    Attributes:
        role: ok, wait, deny, unknown, held, info, emergency or muted: the colours.
        heading: may be empty (bands then show the text alone).
        text: plain text, no markup.
        note: a smaller line below, for example when the next check is.
    """

    role: str
    icon_name: str
    heading: str
    text: str = ""
    actions: tuple[Action, ...] = field(default=())
    note: str = ""

    @property
    def sentence(self) -> str:
        """What a screen reader says."""
        parts = (self.heading, self.text, self.note)
        return " ".join(part if part.endswith((".", "…", "?")) else f"{part}." for part in parts if part)


def empty(icon_name: str, text: str, heading: str = "Nothing here yet", action: Action | None = None) -> State:
    """Nothing to show; ``action`` is the one useful thing to do."""
    return State("muted", icon_name, heading, text, (action,) if action else ())


def no_match(query: str, what: str = "record") -> State:
    """A filter hides everything; key ``clear`` takes it away."""
    return State("muted", "list-filter", "", f"No {what} matches '{query}'.", (Action("clear", "Clear filter"),))


def not_sent(code: str, *, changed: bool = False) -> State:
    """EndorseError: nothing was recorded. Keys ``changed`` (if there is something to show) and ``again``."""
    actions = (Action("changed", "Show what changed"),) if changed else ()
    retry = Action("again", "Try again", "rotate-cw")
    return State("deny", "circle-x", "Not sent.", f"{code_sentence(code)} Nothing was recorded.", (*actions, retry))


def failed(sentence: str) -> State:
    """Something other than the ledger failed. Key ``again``."""
    return State("deny", "circle-x", "This did not work.", sentence, (Action("again", "Try again", "rotate-cw"),))


def unknown(note: str = "", *, is_long: bool = False) -> State:
    """SubmitError or CommitStatusError: the sending button stays off until this is settled.

    Args:
        note: for example "Third check in 4 s · sent 14:33:20".
        is_long: two minutes have passed; key ``background`` lets the person go on.
    """
    actions = (Action("background", "Keep checking in the background"),) if is_long else ()
    heading = "We do not know yet whether this was recorded."
    text = "Checking… Nothing is opened meanwhile. Please do not send it again."
    return State("unknown", "circle-question-mark", heading, text, actions, note)


def was_recorded(at: int, zone: tzinfo | None = None) -> State:
    """An unknown outcome turned out to be recorded."""
    return State("ok", "circle-check", "", f"It was recorded at {time_text(at, zone, seconds=True)}.")


def was_not_recorded() -> State:
    """An unknown outcome turned out not to be recorded; it may be sent again."""
    return State("wait", "circle-dashed", "", "It was not recorded. You can send it again.")


def conflict() -> State:
    """CommitError: the form keeps its content. Key ``look`` (default)."""
    look = Action("look", "Look again", "rotate-cw", ButtonKind.PRIMARY, is_default=True)
    heading = "Someone changed this at the same time."
    return State("wait", "git-compare-arrows", heading, "Please look again. Your choices are kept below.", (look,))


def denied(sentence: str, ask: str = "Ask for it…") -> State:
    """The decision is no. Keys ``why`` and ``ask``."""
    actions = (Action("why", "How it was decided", "scale"), Action("ask", ask, "send"))
    return State("deny", "ban", "You may not open this.", sentence, actions)


def offline(since: int, waiting: int, open_until: int | None, zone: tzinfo | None = None) -> State:
    """The ledger does not answer; the band stands under the header of every page. Keys ``now`` and ``waiting``."""
    parts = ["Nothing new can be opened."]
    if waiting:
        noun, verbs = ("entry", "waits and is sent") if waiting == 1 else ("entries", "wait and are sent")
        parts.append(f"{waiting} {noun} {verbs} by {'itself' if waiting == 1 else 'themselves'}.")
    if open_until is not None:
        parts.append(f"Records already open stay until {time_text(open_until, zone)}.")
    actions = [Action("now", "Try now", "rotate-cw")]
    if waiting:
        actions.append(Action("waiting", f"What waits ({waiting})"))
    heading = f"No connection to the ledger since {time_text(since, zone)}."
    return State("wait", "cloud-off", heading, " ".join(parts), tuple(actions))


def changed_record(what: str) -> State:
    """The record is not what was committed, so nothing of it is drawn. Key ``tell``.

    Args:
        what: "Pixels changed in 1 of 412 images (image 104). Header unchanged."
    """
    actions = (Action("tell", "Tell the privacy officer", "bell-ring"),)
    return State("deny", "file-diff", "This record was changed.", f"{what} It is not shown.", actions)


def withdrawn(patient: str, closed_at: int, zone: tzinfo | None = None) -> State:
    """The patient withdrew while the record was open: blank at once, then this. Keys ``receipt``, ``worklist``."""
    closed = time_text(closed_at, zone, seconds=True)
    actions = (Action("receipt", "Show receipt", "receipt-text"), Action("worklist", "Worklist"))
    text = f"The record was closed at {closed} and your copy purged. Receipt signed."
    return State("held", "eye-off", f"{patient} withdrew this consent.", text, actions)


def permission_ended(at: int, zone: tzinfo | None = None) -> State:
    """The time of the permission is over. Key ``worklist``."""
    text = f"The permission ended at {time_text(at, zone)}. The record is closed and your copy purged."
    return State("held", "clock-alert", "Closed.", text, (Action("worklist", "Worklist"),))


def loading(what: str, detail: str = "", recorded: str = "") -> State:
    """Work that takes longer than 250 ms; ``LoadingView`` adds the bar and, after two seconds, Cancel.

    Args:
        what: "Opening CT chest".
        detail: "Decrypting image 260 of 412 · 163 of 258 MB".
        recorded: "The opening is already recorded, 14:33:02."
    """
    return State("muted", "", what, detail, (), recorded)


def stopped() -> State:
    """The person cancelled an opening; the entry stays."""
    return State("held", "circle-slash-2", "Stopped.", "The opening stays recorded, nothing was shown.")
