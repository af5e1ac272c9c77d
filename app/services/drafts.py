"""Requests that were begun and not sent: kept sealed on this machine until sent or discarded (SCREENS.md d)."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.consent.terms import DAYS, Category
from app.identity.keys import UnwrapError
from app.identity.private_files import ExposedFileError
from app.services.sealed_file import SealedFile
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError

REASON_MAX: Final = 200
PURPOSES: Final = ("TREAT", "COC", "HQUALIMP", "HRESCH")
"""Treatment, second opinion, quality assurance, research: what the hospital lets its practitioners ask for."""
PURPOSE: Final = "assent/drafts/1"
"""Of the key that seals drafts."""
_UNREADABLE: Final = (UnwrapError, ExposedFileError, ContractError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as the form holds it.

    Attributes:
        patient_id: whom it is for.
        purpose: one of ``PURPOSES``.
        categories: chosen kinds of records.
        first_day: ISO date or empty.
        last_day: ISO date or empty.
        days: for how long it may be opened.
        ai: asks separately for a diagnostic suggestion.
        training: asks separately for training.
        reason: one sentence for the patient; never on the ledger.
        study: the study's number, for research.
    """

    patient_id: str
    purpose: str = "TREAT"
    categories: frozenset[Category] = frozenset()
    first_day: str = ""
    last_day: str = ""
    days: int = 7
    ai: bool = False
    training: bool = False
    reason: str = ""
    study: str = ""


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A draft, and when it was last changed (seconds UTC)."""

    draft: Draft
    at: int


class DraftsDamagedError(Exception):
    """The file was changed, or is another person's. It was set aside, and drafts are kept anew from now on."""


class Drafts:
    """One practitioner's drafts, at most one per patient.

    ``note`` and ``discard`` only remember, so that they may be called for every letter typed; ``flush`` writes, and a
    desk that locks flushes before it wipes the key.

    Args:
        file: theirs alone.
        clock: seconds UTC.
    """

    def __init__(self, file: SealedFile, clock: Callable[[], int]) -> None:
        self._file: Final = file
        self._clock: Final = clock
        self._noted: dict[str, KeptDraft | None] = {}
        self._was_damaged = False
        self._memory: Final = threading.Lock()
        self._turn: Final = threading.Lock()

    def note(self, draft: Draft) -> None:
        """Remember a draft in place of the one before for the same patient."""
        with self._memory:
            self._noted[draft.patient_id] = KeptDraft(draft, self._clock())

    def discard(self, patient_id: str) -> None:
        """Forget the draft for a patient, because it was sent or is not wanted any more, or she was erased."""
        with self._memory:
            self._noted[patient_id] = None

    def flush(self) -> None:
        """Write what was noted since; blocks.

        Raises:
            LockedError: the person's key was wiped.
            OSError: it cannot be written; what was noted is tried again with the next flush.
        """
        with self._turn:
            with self._memory:
                noted = dict(self._noted)
            if not noted:
                return
            kept = self._merged(self._written(), noted)
            self._file.write(_write(kept))
            with self._memory:
                self._noted = {key: each for key, each in self._noted.items() if noted.get(key, ...) is not each}

    def read(self) -> tuple[KeptDraft, ...]:
        """Return all drafts, the newest first; blocks.

        Raises:
            DraftsDamagedError: once, when the file could not be read.
            LockedError: the person's key was wiped.
        """
        with self._turn:
            written = self._written()
            with self._memory:
                kept = self._merged(written, self._noted)
            was_damaged, self._was_damaged = self._was_damaged, False
        if was_damaged:
            raise DraftsDamagedError
        return tuple(sorted(kept.values(), key=lambda each: each.at, reverse=True))

    def _written(self) -> dict[str, KeptDraft]:
        """Return what the file holds; one that cannot be read is set aside."""
        try:
            raw = self._file.read()
            return {} if raw is None else _parse(raw)
        except _UNREADABLE:
            self._file.set_aside()
            self._was_damaged = True
            return {}

    @staticmethod
    def _merged(written: Mapping[str, KeptDraft], noted: Mapping[str, KeptDraft | None]) -> dict[str, KeptDraft]:
        both = {**written, **noted}
        return {key: each for key, each in both.items() if each is not None}


def _write(kept: Mapping[str, KeptDraft]) -> bytes:
    return encode({"v": 1, "drafts": [_to_json(each) for each in kept.values()]})


def _to_json(kept: KeptDraft) -> dict[str, Json]:
    draft = kept.draft
    return {
        "at": kept.at,
        "patient_id": draft.patient_id,
        "purpose": draft.purpose,
        "categories": [str(each) for each in sorted(draft.categories)],
        "first_day": draft.first_day,
        "last_day": draft.last_day,
        "days": draft.days,
        "ai": draft.ai,
        "training": draft.training,
        "reason": draft.reason,
        "study": draft.study,
    }


def _parse(raw: bytes) -> dict[str, KeptDraft]:
    value = decode_object(raw)
    drafts = value["drafts"]
    if value["v"] != 1 or not isinstance(drafts, list):
        raise ValueError("another form")
    kept = [_from_json(each) for each in drafts if isinstance(each, dict)]
    return {each.draft.patient_id: each for each in kept}


def _from_json(value: Mapping[str, Json]) -> KeptDraft:
    categories, days, at = value["categories"], value["days"], value["at"]
    if not isinstance(categories, list) or not isinstance(at, int) or days not in DAYS:
        raise ValueError("another form")
    if value["purpose"] not in PURPOSES:
        raise ValueError("an unknown purpose")
    return KeptDraft(
        Draft(
            str(value["patient_id"]),
            purpose=str(value["purpose"]),
            categories=frozenset(Category(str(each)) for each in categories),
            first_day=_day(value["first_day"]),
            last_day=_day(value["last_day"]),
            days=int(str(days)),
            ai=value["ai"] is True,
            training=value["training"] is True,
            reason=str(value["reason"])[:REASON_MAX],
            study=str(value["study"]),
        ),
        at,
    )


def _day(value: Json) -> str:
    return date.fromisoformat(str(value)).isoformat() if value else ""
