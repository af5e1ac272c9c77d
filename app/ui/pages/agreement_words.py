"""Whether hospitals agree about a patient's records, in plain words (SCREENS.md h; ATTACKS.md A13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.agreement import Stand
from app.ui.widgets.states import State
from app.ui.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.services.agreement import Agreement, Opinion


def agreement_text(said: Agreement, hospital: Callable[[str], str]) -> str:
    """Return one line: how many agree, as of which block, and who did not answer."""
    line = f"{said.agreeing} of {count_text(said.asked, 'hospital', 'hospitals')} agree, as of block {said.block}"
    silent = sorted({hospital(each.msp_id) for each in said.opinions if each.stand is Stand.SILENT})
    return f"{line}; no answer from {', '.join(silent)}" if silent else line


def disagreement_state(said: Agreement, hospital: Callable[[str], str]) -> State | None:
    """Return what stands above the list while hospitals disagree, in full; None while they do not."""
    told = [_difference(each, hospital(each.msp_id)) for each in said.differing]
    if not told:
        return None
    text = " ".join([*dict.fromkeys(told), "Show this to the privacy officer of your hospital."])
    return State("deny", "circle-x", "Hospitals disagree about your records.", text)


def _difference(opinion: Opinion, name: str) -> str:
    parts = []
    if opinion.hidden:
        parts.append(f"leaves out {count_text(len(opinion.hidden), 'entry', 'entries')} of this list")
    if opinion.unknown:
        parts.append(f"has {count_text(len(opinion.unknown), 'entry', 'entries')} that this list has not")
    if not parts:
        parts.append(f"has another block {opinion.block} on its ledger")
    return f"{name} {' and '.join(parts)}."
