"""What the custodian knows of persons, pairs and records, and the ledger does not (PROTOCOL.md E.1, F; ATTACKS.md A17).

Every row is sealed under the purpose key of its kind (``tables``). Ids of the ledger are in clear, as they are there;
which of them belong to one person is not. Keys are in the key table, a file of its own.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.custodian import entries, readings
from app.custodian.database import claim, connect, set_key_id, truncate
from app.custodian.entries import HeldCard, HeldPerson, HeldRecord, HeldVersion, Link, SharedRecord
from app.custodian.results import Opening, Question, StoredRequest
from app.custodian.tables import SealedTable
from app.identity.badges import BadgeOpening
from app.identity.keys import MasterKey, Purpose, wipe
from ledger.contract.canonical import Json
from ledger.contract.wire import integer, text
from ledger.encoding import from_base64, to_base64

PIN_TRIES: Final = 5
_SEALED: Final = (
    "persons",
    "cards",
    "links",
    "records",
    "versions",
    "shared",
    "requests",
    "artefacts",
    "badges",
    "reasons",
    "codes",
    "stops",
    "flags",
    "owed",
    "questions",
    "visits",
)
_PLAIN: Final = """
CREATE TABLE IF NOT EXISTS nonces (nonce BLOB PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Index:
    """The custodian's tables. Every method may be called from any thread.

    Attributes:
        key_id: of the master key that the rows are wrapped under.

    Raises:
        UnwrapError: at opening, if the file is under another master key; from any reading method, if a row was changed
            or moved on disk.
    """

    def __init__(self, path: Path, master: MasterKey, random: Callable[[int], bytes]) -> None:
        self._lock = threading.RLock()
        self._key = master.purpose_key(Purpose.TAGS)
        self._mailbox_key = master.purpose_key(Purpose.MAILBOX)
        tables = "".join(SealedTable.schema(name) for name in (*_SEALED, "notices"))
        self._database = connect(path, tables + _PLAIN)
        self.key_id = master.key_id
        claim(self._database, master.key_id)
        self._seen = connect(path, "")  # nonces: kept over a crash of the process, not flushed one by one
        self._seen.execute("PRAGMA synchronous = NORMAL")
        self._kept_after = 0
        made = {name: SealedTable(self._database, self._lock, name, self._key, random) for name in _SEALED}
        self._tables = tuple(made.values())
        self._persons, self._cards, self._links = made["persons"], made["cards"], made["links"]
        self._records, self._versions, self._shared = made["records"], made["versions"], made["shared"]
        self._requests, self._artefacts, self._badges = made["requests"], made["artefacts"], made["badges"]
        self._reasons, self._codes, self._stops = made["reasons"], made["codes"], made["stops"]
        self._flags, self._owed = made["flags"], made["owed"]
        self._questions, self._visits = made["questions"], made["visits"]
        self._notices = SealedTable(self._database, self._lock, "notices", self._mailbox_key, random)

    def close(self) -> None:
        """Overwrite the purpose keys and close the file."""
        wipe(self._key, self._mailbox_key)
        self._seen.close()
        self._database.close()

    def settle(self) -> None:
        """Make sure that what was deleted is in no file of the index."""
        with self._lock:
            truncate(self._database)

    def rewrap(self, new: MasterKey) -> None:
        """Wrap every row under another master key, in one durable step; nothing happens if it already is."""
        if self.key_id == new.key_id:
            return
        key, mailbox_key = new.purpose_key(Purpose.TAGS), new.purpose_key(Purpose.MAILBOX)
        with self._lock:
            with self._database:
                for table in self._tables:
                    table.rewrap(key)
                self._notices.rewrap(mailbox_key)
                set_key_id(self._database, new.key_id)
            self._key[:], self._mailbox_key[:] = key, mailbox_key
            self.key_id = new.key_id
            truncate(self._database)
        wipe(key, mailbox_key)

    # persons and cards

    def put_person(self, held: HeldPerson) -> None:
        """Register a person."""
        value = entries.person_value(held)
        self._persons.put(held.person_id, value)

    def person(self, person_id: str) -> HeldPerson | None:
        """Return a person."""
        value = self._persons.find(person_id)
        return None if value is None else entries.read_person(person_id, value)

    def persons(self) -> list[HeldPerson]:
        """Return everybody registered here."""
        return [entries.read_person(person_id, value) for person_id, value in self._persons.all()]

    def put_card(self, card: HeldCard) -> None:
        """Write a card: new PIN, or a try less."""
        value = entries.card_value(card)
        self._cards.put(card.card_id, value, card.person_id)

    def card(self, card_id: str) -> HeldCard | None:
        """Return a card by what is printed on it."""
        value = self._cards.find(card_id)
        return None if value is None else entries.read_card(card_id, value)

    def card_of(self, person_id: str) -> HeldCard | None:
        """Return a person's card; there is at most one."""
        return next((entries.read_card(card_id, value) for card_id, value in self._cards.of_group(person_id)), None)

    # pairs

    def put_link(self, link: Link) -> None:
        """Write a pair."""
        value = entries.link_value(link)
        self._links.put(link.patient_id, value, link.person_id)

    def link(self, patient_id: str) -> Link | None:
        """Return the pair of a patient id."""
        value = self._links.find(patient_id)
        return None if value is None else entries.read_link(patient_id, value)

    def links_of(self, person_id: str) -> list[Link]:
        """Return all pairs of a person."""
        return [entries.read_link(patient_id, value) for patient_id, value in self._links.of_group(person_id)]

    def find_pair(self, person_id: str, grantee: str) -> Link | None:
        """Return the one live pair of a person and a grantee (ATTACKS.md A30)."""
        return next((link for link in self.links_of(person_id) if link.grantee == grantee), None)

    def introduce(self, link: Link, subject: str) -> Link:
        """Note that a member of the grantee's staff was introduced."""
        met = replace(link, introduced=tuple(sorted({*link.introduced, subject})))
        self.put_link(met)
        return met

    # records

    def put_record(self, record: HeldRecord) -> None:
        """Write a record."""
        value = entries.record_value(record)
        self._records.put(record.internal_id, value, record.person_id)

    def record(self, internal_id: str) -> HeldRecord | None:
        """Return a record."""
        value = self._records.find(internal_id)
        return None if value is None else entries.read_record(internal_id, value)

    def records_of(self, person_id: str) -> list[HeldRecord]:
        """Return all records of a person."""
        return [entries.read_record(internal_id, value) for internal_id, value in self._records.of_group(person_id)]

    def put_version(self, version: HeldVersion) -> None:
        """Write a version."""
        value = entries.version_value(version)
        self._versions.put(f"{version.internal_id}/{version.version}", value, version.internal_id)

    def version(self, internal_id: str, version: int) -> HeldVersion | None:
        """Return one version."""
        value = self._versions.find(f"{internal_id}/{version}")
        return None if value is None else entries.read_version(value)

    def versions_of(self, internal_id: str) -> list[HeldVersion]:
        """Return all versions of a record."""
        return [entries.read_version(value) for _, value in self._versions.of_group(internal_id)]

    def put_shared(self, shared: SharedRecord) -> None:
        """Write a record as a pair sees it; found by record and by pair."""
        value = entries.shared_value(shared)
        self._shared.put(f"{shared.patient_id}/{shared.record_id}", value, shared.patient_id)

    def shared(self, patient_id: str, record_id: str) -> SharedRecord | None:
        """Return a record of a pair."""
        value = self._shared.find(f"{patient_id}/{record_id}")
        return None if value is None else entries.read_shared(value)

    def shared_of(self, patient_id: str) -> list[SharedRecord]:
        """Return all records of a pair."""
        return [entries.read_shared(value) for _, value in self._shared.of_group(patient_id)]

    # texts

    def put_request(self, request: StoredRequest) -> None:
        """Keep what a patient reads."""
        value = readings.stored_request_fields(request)
        self._requests.put(f"{request.patient_id}/{request.consent_id}", value, request.patient_id)

    def request(self, patient_id: str, consent_id: str) -> StoredRequest | None:
        """Return what a patient reads."""
        value = self._requests.find(f"{patient_id}/{consent_id}")
        return None if value is None else readings.stored_request(value)

    def put_artefact(self, patient_id: str, consent_id: str, opening: Opening) -> None:
        """Keep a signed artefact and its salt; the bytes are kept as they came."""
        value: dict[str, Json] = {"content": to_base64(opening.content), "salt": to_base64(opening.salt)}
        self._artefacts.put(f"{patient_id}/{consent_id}", value, patient_id)

    def artefact(self, patient_id: str, consent_id: str) -> Opening | None:
        """Return a signed artefact."""
        value = self._artefacts.find(f"{patient_id}/{consent_id}")
        return None if value is None else Opening(from_base64(text(value["content"])), from_base64(text(value["salt"])))

    def put_badge(self, msp_id: str, subject: str, badge: BadgeOpening) -> None:
        """Keep who a subject is."""
        self._badges.put(f"{msp_id}/{subject}", {"badge": badge.to_wire()})

    def badge(self, msp_id: str, subject: str) -> BadgeOpening | None:
        """Return who a subject is."""
        value = self._badges.find(f"{msp_id}/{subject}")
        return None if value is None else BadgeOpening.from_wire(value["badge"])

    def put_reason(self, patient_id: str, emergency_id: str, opening: Opening) -> None:
        """Keep why an emergency was declared."""
        value = readings.opening_fields(opening)
        self._reasons.put(f"{patient_id}/{emergency_id}", value, patient_id)

    def reason(self, patient_id: str, emergency_id: str) -> Opening | None:
        """Return why an emergency was declared."""
        value = self._reasons.find(f"{patient_id}/{emergency_id}")
        return None if value is None else readings.opening(value)

    # notices, codes, stops

    def put_notice(self, patient_id: str, number: int, value: dict[str, Json]) -> None:
        """Queue a notice."""
        self._notices.put(f"{patient_id}/{number:08d}", value, patient_id)

    def count_notices(self, patient_id: str) -> int:
        """Return how many notices a patient id has."""
        return self._notices.count(patient_id)

    def notices_of(self, patient_id: str) -> list[dict[str, Json]]:
        """Return the notices of a patient id, in order."""
        return [value for _, value in self._notices.of_group(patient_id)]

    def put_question(self, question: Question) -> None:
        """Keep a question, or its answer."""
        value = readings.question_fields(question)
        self._questions.put(f"{question.patient_id}/{question.access_id}", value, question.patient_id)

    def question(self, patient_id: str, access_id: str) -> Question | None:
        """Return what was asked about an access."""
        value = self._questions.find(f"{patient_id}/{access_id}")
        return None if value is None else readings.question(value)

    def questions_of(self, patient_id: str) -> list[Question]:
        """Return what was asked under a patient id."""
        return [readings.question(value) for _, value in self._questions.of_group(patient_id)]

    def questions(self) -> list[Question]:
        """Return all that was asked."""
        return [readings.question(value) for _, value in self._questions.all()]

    def put_visit(self, patient_id: str, block: int) -> None:
        """Note up to which block a patient read who saw what."""
        self._visits.put(patient_id, {"block": block}, patient_id)

    def visit(self, patient_id: str) -> int | None:
        """Return up to which block a patient read who saw what; None if she never did."""
        value = self._visits.find(patient_id)
        return None if value is None else integer(value["block"])

    def put_code(self, digest: str, value: dict[str, Json], patient_id: str) -> None:
        """Keep a code by its hash."""
        self._codes.put(digest, value, patient_id)

    def code(self, digest: str) -> dict[str, Json] | None:
        """Return what a code stands for."""
        return self._codes.find(digest)

    def remove_code(self, digest: str) -> None:
        """Use up a code."""
        self._codes.remove(digest)

    def stop(self, patient_id: str, value: dict[str, Json]) -> None:
        """Stop all releases of a patient id."""
        self._stops.put(patient_id, value)

    def resume(self, patient_id: str) -> None:
        """Lift a stop."""
        self._stops.remove(patient_id)

    def stopped(self, patient_id: str) -> dict[str, Json] | None:
        """Return why releases are stopped, or None."""
        return self._stops.find(patient_id)

    def flag(self, patient_id: str, consent_id: str, value: dict[str, Json]) -> None:
        """Note that a consent is not honoured, and why."""
        self._flags.put(f"{patient_id}/{consent_id}", value, patient_id)

    def flagged(self, patient_id: str, consent_id: str) -> dict[str, Json] | None:
        """Return why a consent is not honoured, or None."""
        return self._flags.find(f"{patient_id}/{consent_id}")

    def flags(self) -> list[tuple[str, dict[str, Json]]]:
        """Return all consents that are not honoured."""
        return list(self._flags.all())

    def put_owed(self, key: str, value: dict[str, Json]) -> None:
        """Remember a transaction that must be posted."""
        self._owed.put(key, value)

    def owed(self) -> list[tuple[str, dict[str, Json]]]:
        """Return the transactions that must still be posted."""
        return list(self._owed.all())

    def remove_owed(self, key: str) -> None:
        """Forget a transaction that is posted, or can never be."""
        self._owed.remove(key)

    # replay and progress

    def use_nonce(self, nonce: bytes, at: int, keep_after: int) -> bool:
        """Note a nonce; False if it was seen. Those before ``keep_after`` are forgotten."""
        with self._lock, self._seen:
            if keep_after != self._kept_after:  # a walk over all of them; once a second is enough
                self._seen.execute("DELETE FROM nonces WHERE at < ?", (keep_after,))
                self._kept_after = keep_after
            done = self._seen.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, at))
            return done.rowcount == 1

    def progress(self, name: str) -> str:
        """Return a remembered text, or empty."""
        with self._lock:
            row = self._database.execute("SELECT value FROM progress WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])

    def set_progress(self, name: str, value: str) -> None:
        """Remember a text."""
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (name, value))

    # erasure

    def erase_record(self, internal_id: str) -> None:
        """Delete a record's texts, salts, versions and pair entries; call ``settle`` after."""
        record = self.record(internal_id)
        if record is None:
            return
        for link in self.links_of(record.person_id):
            for shared in self.shared_of(link.patient_id):
                if shared.internal_id == internal_id:
                    self._shared.remove(f"{shared.patient_id}/{shared.record_id}")
        self._versions.remove_group(internal_id)
        self._records.remove(internal_id)

    def erase_pair(self, patient_id: str) -> None:
        """Delete everything under a patient id; call ``settle`` after."""
        tables = (self._shared, self._requests, self._artefacts, self._reasons, self._notices, self._flags)
        for table in (*tables, self._codes, self._questions, self._visits):
            table.remove_group(patient_id)
        self._stops.remove(patient_id)
        self._links.remove(patient_id)

    def erase_person(self, person_id: str) -> None:
        """Delete a person and her card; her pairs and records go first."""
        self._cards.remove_group(person_id)
        self._persons.remove(person_id)

    def shared_everywhere(self, internal_id: str) -> Iterator[SharedRecord]:
        """Yield a record as each pair sees it."""
        record = self.record(internal_id)
        if record is not None:
            for link in self.links_of(record.person_id):
                yield from (each for each in self.shared_of(link.patient_id) if each.internal_id == internal_id)
