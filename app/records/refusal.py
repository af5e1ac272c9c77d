"""How the records room says no: a refusal to act on, or an integrity error that names what changed."""

from enum import StrEnum
from typing import final


@final
class RefusedError(Exception):
    """A file is not taken in, or an object cannot be shown; ``reason`` says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Change(StrEnum):
    """What is not as it was sealed (feature R3)."""

    PIXELS_CHANGED = "pixels-changed"
    HEADER_CHANGED = "header-changed"
    FILE_CHANGED = "file-changed"
    OBJECT_DAMAGED = "object-damaged"
    OBJECT_MISSING = "object-missing"
    OBJECT_SWAPPED = "object-swapped"
    OBJECT_TRUNCATED = "object-truncated"
    OBJECT_REPLACED = "object-replaced"
    MANIFEST_CHANGED = "manifest-changed"
    VERSION_ROLLED_BACK = "version-rolled-back"
    WRONG_KEY = "wrong-key"


SENTENCES: dict[Change, str] = {
    Change.PIXELS_CHANGED: "The pixels were changed; the header is intact.",
    Change.HEADER_CHANGED: "The header was changed; the pixels are intact.",
    Change.FILE_CHANGED: "The file was changed.",
    Change.OBJECT_DAMAGED: "The stored object is damaged: its bytes are not those that were sealed.",
    Change.OBJECT_MISSING: "An object of this record is missing from the store.",
    Change.OBJECT_SWAPPED: "Another object was put in this one's place.",
    Change.OBJECT_TRUNCATED: "The stored object was cut short.",
    Change.OBJECT_REPLACED: "The stored object was sealed again; its content is the same, its bytes are not.",
    Change.MANIFEST_CHANGED: "The record's list of objects is not the one on the ledger.",
    Change.VERSION_ROLLED_BACK: "An older version of this record was put in place of the current one.",
    Change.WRONG_KEY: "This key does not open this record.",
}


@final
class IntegrityError(Exception):
    """A sealed record is not what was sealed; nothing of it is used. ``change`` is stable, the text is for people."""

    def __init__(self, change: Change, object_name: str = "") -> None:
        super().__init__(SENTENCES[change])
        self.change = change
        self.object_name = object_name
