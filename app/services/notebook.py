"""What one member of staff keeps on this machine: the own badge, whom he was introduced to, and lists he was given.

One file, sealed under a key that only the person's unlocked identity gives; a stolen machine holds nothing readable
(ATTACKS.md A26). Nothing in it opens a record.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from app.custodian.results import IndexRow, Introduction
from app.identity.badges import BadgeOpening
from app.identity.keys import Random
from app.services.sealed_file import SealedFile
from ledger.commitments import commitment
from ledger.contract.canonical import Json, decode_object, encode

PURPOSE: Final = "assent/notebook/1"
"""Of the key that seals a notebook."""


@dataclass(frozen=True, slots=True)
class PatientRef:
    """A patient whom this person may know.

    Attributes:
        patient_id: of the pair of her hospital and ours.
        custodian: msp_id of the hospital that holds her records.
        name: as her hospital registered her.
        birth_date: ISO date.
        sex: FHIR administrative gender.
    """

    patient_id: str
    custodian: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class KeptList:
    """The list of records that one index access gave.

    Attributes:
        access_id: the entry of that access.
        at: seconds UTC.
        rows: each passed the custodian's decision then.
        withheld: how many were held back by label.
    """

    access_id: str
    at: int
    rows: tuple[IndexRow, ...]
    withheld: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What a commitment of this person on the ledger is to: a suggestion's outcome or a verdict (ATTACKS.md A21).

    Attributes:
        patient_id: of the pair; with her erasure it goes, too.
        about: ``suggestion_id#0`` for the suggestion, ``#n`` for the verdict of that number.
        salt: 32 bytes, lower-case hex.
        content: canonical JSON; without the salt the ledger's commitment says nothing of it.
    """

    patient_id: str
    about: str
    salt: str
    content: str


@dataclass(frozen=True, slots=True)
class Notes:
    """The content of a notebook."""

    badge: BadgeOpening | None
    patients: Mapping[str, PatientRef]
    lists: Mapping[str, KeptList]
    cards_read: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


class Notebook:
    """One person's notebook; every change is on disk when the call returns."""

    def __init__(self, file: SealedFile, random: Random) -> None:
        """Open or begin a notebook; ``random`` makes the salts of statements."""
        self._file: Final = file
        self._random: Final = random
        self._turn: Final = threading.Lock()

    def read(self) -> Notes:
        """Return all notes.

        Raises:
            UnwrapError: the file is not this person's, or was changed.
            LockedError: the person's key was wiped.
        """
        raw = self._file.read()
        return Notes(None, {}, {}) if raw is None else _parse(raw)

    def keep_badge(self, badge: BadgeOpening) -> None:
        """Keep the opening of the own badge."""
        self._change(lambda notes: replace(notes, badge=badge))

    def keep_patient(self, introduced: Introduction) -> PatientRef:
        """Keep whom the person was introduced to."""
        patient = PatientRef(
            introduced.patient_id, introduced.custodian, introduced.name, introduced.birth_date, introduced.sex
        )
        self._change(lambda notes: replace(notes, patients={**notes.patients, patient.patient_id: patient}))
        return patient

    def keep_list(self, patient_id: str, kept: KeptList) -> None:
        """Keep the newest list of a patient's records."""
        self._change(lambda notes: replace(notes, lists={**notes.lists, patient_id: kept}))

    def drop_list(self, patient_id: str) -> None:
        """Forget a list, because what allowed it has ended (ATTACKS.md A25)."""
        self._change(
            lambda notes: replace(notes, lists={key: kept for key, kept in notes.lists.items() if key != patient_id})
        )

    def forget(self, patient_id: str) -> None:
        """Forget a patient, because she was erased (ATTACKS.md A23)."""
        self.drop_list(patient_id)
        self._change(
            lambda notes: replace(
                notes,
                patients={key: one for key, one in notes.patients.items() if key != patient_id},
                statements=tuple(each for each in notes.statements if each.patient_id != patient_id),
            )
        )

    def keep_card_read(self, model_hash: str) -> None:
        """Keep that the model card of this model version was read."""
        self._change(lambda notes: replace(notes, cards_read=tuple(sorted({*notes.cards_read, model_hash}))))

    def commit_to(self, patient_id: str, about: str, content: bytes) -> str:
        """Keep a statement with a fresh salt, and return the commitment that goes on the ledger."""
        salt = self._random(32)
        kept = Statement(patient_id, about, salt.hex(), content.decode("ascii"))
        self._change(lambda notes: replace(notes, statements=(*notes.statements, kept)))
        return commitment(salt, content)

    def _change(self, change: Callable[[Notes], Notes]) -> None:
        with self._turn:
            self._file.write(_write(change(self.read())))


def _write(notes: Notes) -> bytes:
    badge = None if notes.badge is None else notes.badge.to_wire()
    return encode(
        {
            "v": 1,
            "badge": badge,
            "patients": [asdict(patient) for patient in notes.patients.values()],
            "lists": {
                key: {**asdict(kept), "rows": [asdict(row) for row in kept.rows]} for key, kept in notes.lists.items()
            },
            "cards_read": list(notes.cards_read),
            "statements": [asdict(each) for each in notes.statements],
        }
    )


def _parse(raw: bytes) -> Notes:
    value = decode_object(raw)
    badge, patients, lists, cards = value["badge"], value["patients"], value["lists"], value["cards_read"]
    opening = None if badge is None else BadgeOpening.from_wire(badge)
    refs = [PatientRef(**_texts(each)) for each in _objects(patients)]
    if not isinstance(lists, dict) or not isinstance(cards, list):
        raise TypeError("another form")
    kept = {key: _kept(each) for key, each in lists.items()}
    stated = tuple(Statement(**_texts(each)) for each in _objects(value["statements"]))
    return Notes(opening, {ref.patient_id: ref for ref in refs}, kept, tuple(str(card) for card in cards), stated)


def _kept(value: Json) -> KeptList:
    if not isinstance(value, dict):
        raise TypeError("another form")
    rows = tuple(_row(each) for each in _objects(value["rows"]))
    return KeptList(str(value["access_id"]), _integer(value["at"]), rows, _integer(value["withheld"]))


def _row(value: dict[str, Json]) -> IndexRow:
    texts = {name: str(value[name]) for name in ("record_id", "category", "date", "display")}
    return IndexRow(version=_integer(value["version"]), **texts)


def _objects(value: Json) -> list[dict[str, Json]]:
    if not isinstance(value, list):
        raise TypeError("another form")
    return [each for each in value if isinstance(each, dict)]


def _texts(value: dict[str, Json]) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()}


def _integer(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError("another form")
    return value
