"""Which entries of Who saw what are shown, as rows under days, and as a list on paper or in a file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Final

from app.services.accesses import AccessState
from app.services.requests import short_id
from app.ui.pages.paper import paragraphs, table, write_pdf
from app.ui.pages.patient_words import chip_of, heading_of, icon_of, is_own, moment, name_of, role_of, what_of, why_of
from app.ui.widgets import Group, TwoLine
from app.ui.wording import time_text, weekday_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo
    from pathlib import Path

    from app.services.accesses import AccessRow

HEAD: Final = ("When", "Who", "What they are", "What", "Why", "Result", "Consent", "Block", "Entry")
_DAY: Final = 86_400
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Which(StrEnum):
    """Segments of the list."""

    ALL = "all"
    NOT_OPENED = "not-opened"
    COMPUTER = "computer"


class Period(StrEnum):
    """How far back the list goes."""

    DAYS_30 = "30"
    YEAR = "365"
    ALL = ""


PERIODS: Final = {Period.DAYS_30: "Last 30 days", Period.YEAR: "Last year", Period.ALL: "Since the beginning"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown.

    Attributes:
        which: segment.
        person: subject, or empty for everyone.
        period: how far back.
    """

    which: Which = Which.ALL
    person: str = ""
    period: Period = Period.DAYS_30

    def shows(self, row: AccessRow, now: int) -> bool:
        """Whether a row is shown."""
        return self._is_of(row) and self.shows_any(row, now)

    def shows_any(self, row: AccessRow, now: int) -> bool:
        """Whether person and period fit, whatever the segment."""
        is_recent = not self.period or row.at > now - int(self.period) * _DAY
        return is_recent and self.person in ("", row.who.subject)

    def _is_of(self, row: AccessRow) -> bool:
        if self.which is Which.NOT_OPENED:
            return row.state is AccessState.NOT_OPENED
        return row.computer if self.which is Which.COMPUTER else True


def entries_of(
    rows: Iterable[AccessRow], now: int, zone: tzinfo | None, unread: frozenset[str] = frozenset()
) -> list[Group | TwoLine]:
    """Return the rows under their days, newest first; ``unread`` are access ids that get a dot."""
    entries: list[Group | TwoLine] = []
    day = ""
    for row in rows:
        heading = weekday_text(row.at, now, "en", zone)
        if heading != day:
            entries.append(Group(heading))
            day = heading
        entries.append(_entry(row, zone, unread=row.access_id in unread))
    return entries


def _entry(row: AccessRow, zone: tzinfo | None, *, unread: bool) -> TwoLine:
    title = "Computer program" if row.computer else name_of(row.who)
    caption = f"Used by {name_of(row.who)}" if row.computer else f"{role_of(row.who)}, {row.who.hospital}"
    chip = chip_of(row)
    return TwoLine(
        title=title,
        caption=row.who.hospital if is_own(row) else caption,
        icon_name=icon_of(row),
        icon_colour="accent",
        lead=time_text(row.at, zone),
        middle=what_of(row),
        middle_caption=why_of(row),
        chip=chip,
        unread=unread,
        row=row,
        spoken=f"{'New: ' if unread else ''}{heading_of(row)}, {moment(row.at, zone)}, {why_of(row)}, {chip.word}",
    )


def lines_of(rows: Iterable[AccessRow], zone: tzinfo | None) -> list[tuple[str, ...]]:
    """Return the rows as lines under ``HEAD``."""
    return [
        (
            moment(row.at, zone),
            name_of(row.who),
            f"{role_of(row.who)}, {row.who.hospital}",
            what_of(row),
            why_of(row),
            chip_of(row).word,
            ", ".join(short_id(each) for each in row.consents),
            str(row.block),
            row.access_id,
        )
        for row in rows
    ]


def save_list(path: Path, rows: Iterable[AccessRow], said: str, zone: tzinfo | None) -> None:
    """Write the list as CSV or, if the name ends in ``.pdf``, as PDF.

    Args:
        path: where.
        rows: what.
        said: how complete the list is.
        zone: where the patient is.

    Raises:
        OSError: it cannot be written there.
    """
    lines = lines_of(rows, zone)
    if path.suffix == ".pdf":
        short = [(*line[:-1], f"{line[-1][:12]}…") for line in lines]
        write_pdf(path, "Who saw what", paragraphs("Who saw what", (said,)) + table(HEAD, short), landscape=True)
        return
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([_plain(cell) for cell in line] for line in lines)
    path.write_text(text.getvalue(), encoding="utf-8")


def _plain(cell: str) -> str:
    """Keep a spreadsheet from running a name as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
