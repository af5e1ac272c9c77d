"""Who saw what: every opening of the patient's records and every attempt, from verified blocks (feature L3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.custodian.client import CustodianClient
from app.custodian.results import Explanation
from app.identity.badges import Badge, BadgeError, open_badge
from app.services.agreement import Agreement, ask_hospitals
from app.services.entries import Access, integer
from app.services.machine import Machine
from app.services.pairs import Pair
from app.services.proofs import Checked, NotProvenError, check_entry
from ledger.contract.canonical import Json, decode_object
from ledger.gateway import Signer
from ledger.genesis import verify_genesis


class AccessState(StrEnum):
    """What became of an access."""

    OPENED = "opened"
    OPEN_NOW = "open-now"
    ASKED = "asked"
    NOT_OPENED = "not-opened"


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted, as the patient may read it; the badge was opened against the ledger's commitment.

    Attributes:
        name: on the badge, or empty if no badge is known.
        role: of the member entry: ``practitioner``, ``patient`` …
        qualification: on the badge.
        hospital: name of the hospital.
        subject: on the ledger.
        msp_id: of the hospital.
    """

    name: str
    role: str
    qualification: str
    hospital: str
    subject: str
    msp_id: str


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One access entry, as the patient reads it.

    Attributes:
        access_id: transaction id of the entry.
        patient_id: of the pair.
        at: seconds UTC.
        who: the one who asked.
        kind: ``open``, ``index`` (the list of records) or ``export``.
        records: what it was about; empty for an index.
        categories: of the records.
        purpose: code of the purpose.
        state: what became of it.
        computer: a diagnostic model was to read it.
        reason: code of the decision (the first denied item's, else the first's).
        consents: ids of the consents that decided.
        overridden: ids of the consents that were set aside or outvoted.
        until: the opening's end, seconds UTC.
        closed_at: when the recipient's application stated the purge, or None.
        block: that holds the entry.
    """

    access_id: str
    patient_id: str
    at: int
    who: Who
    kind: str
    records: tuple[str, ...]
    categories: tuple[str, ...]
    purpose: str
    state: AccessState
    computer: bool
    reason: str
    consents: tuple[str, ...]
    overridden: tuple[str, ...]
    until: int
    closed_at: int | None
    block: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """What the list was compared with.

    Attributes:
        block: the newest block that this machine verified itself.
        at: when, seconds UTC.
        complete: False if newer blocks could not be verified; the list may then miss entries.
    """

    block: int
    at: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Accesses:
    """The accesses of one patient, over all her pairs.

    Attributes:
        machine: this installation.
        pairs: hers, unlocked.
    """

    machine: Machine
    pairs: tuple[Pair, ...]

    def rows(self) -> tuple[AccessRow, ...]:
        """Return every access, newest first; what was opened a moment ago is in the custodian's signed statement first.

        Raises:
            LedgerDamagedError: the ledger does not verify.
        """
        self.machine.catch_up()
        rows = [
            row
            for pair in self.pairs
            for row in read_rows(self.machine, pair.client, pair.identity, pair.patient_id, _released(pair))
        ]
        return tuple(sorted(rows, key=lambda row: (row.at, row.access_id), reverse=True))

    def completeness(self) -> Completeness:
        """Say with which block the list was compared."""
        replica = self.machine.replica
        newest = self.machine.gateway.wait(-1, 0)
        return Completeness(replica.height - 1, self.machine.clock(), replica.height == newest and not replica.halted)

    def agreement(self) -> Agreement:
        """Ask the hospital that holds the records, and one other, and say whether they agree; see ``agreement``."""
        return ask_hospitals(self.machine, self.pairs)

    def seen(self) -> dict[str, int | None]:
        """Return up to which block she read this list before, by patient id; None for never."""
        return {pair.patient_id: pair.client.seen(pair.identity, pair.patient_id) for pair in self.pairs}

    def mark_seen(self, block: int) -> None:
        """Note that she read the list as it stood at a block; her hospital keeps it, so every device knows."""
        for pair in self.pairs:
            pair.client.seen(pair.identity, pair.patient_id, block)

    def check(self, row: AccessRow) -> Checked:
        """Check one entry again, without believing anyone: envelope, signature and Merkle path, on this machine.

        Raises:
            NotProvenError: it is not what this list says.
            CustodianRefusal: the custodian hands out no proof.
        """
        pair = next(pair for pair in self.pairs if pair.patient_id == row.patient_id)
        proof = pair.client.proof(row.access_id)
        replica = self.machine.catch_up()
        genesis = verify_genesis(next(iter(self.machine.gateway.blocks(0))))
        if genesis.network_id != self.machine.gateway.network_id or proof.block != row.block:
            raise NotProvenError("block", "another ledger's, or another block")
        entry = check_entry(proof, genesis, replica.block_hash(row.block))
        arguments = decode_object(entry.arguments)
        told = (entry.name, entry.transaction_id, arguments.get("patient_id"), entry.caller.subject, entry.at)
        if told != ("OpenRecords", row.access_id, row.patient_id, row.who.subject, row.at):
            raise NotProvenError("another", "the entry says something else")
        number = integer(proof.content["index"]) + 1
        return Checked(row.access_id, row.block, number, self.machine.clock(), proof.block_hash)


def is_new(row: AccessRow, seen: Mapping[str, int | None]) -> bool:
    """Tell whether somebody else did this since her last visit; on her first visit everything is new.

    Args:
        row: an entry of her list.
        seen: what ``Accesses.seen`` returned when the visit began.
    """
    last = seen.get(row.patient_id)
    return row.who.subject != row.patient_id and (last is None or row.block > last)


def read_rows(
    machine: Machine,
    client: CustodianClient,
    signer: Signer,
    patient_id: str,
    released: frozenset[str] = frozenset(),
) -> tuple[AccessRow, ...]:
    """Return the accesses of one patient id, newest first.

    Args:
        machine: this installation.
        client: the custodian.
        signer: who may read the texts.
        patient_id: of the pair.
        released: accesses that the custodian states as released although its receipts are not on the ledger yet.
    """
    machine.catch_up()
    found = {key[2]: value for key, value in machine.scan("access", patient_id)}
    if not found:
        return ()
    explained = client.explain(signer, patient_id, _ids(found.values()))
    posted = {key[2] for key, _ in machine.scan("release", patient_id)}
    rows = [
        _row(machine, patient_id, access_id, value, explained, is_released=access_id in released | posted)
        for access_id, value in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.at, row.access_id), reverse=True))


def _released(pair: Pair) -> frozenset[str]:
    """Return what the custodian signs that it released; its receipts reach the ledger up to a minute later (E.4)."""
    return frozenset(entry.access_id for entry in pair.client.statement(pair.identity, pair.patient_id).entries)


def _row(
    machine: Machine,
    patient_id: str,
    access_id: str,
    value: dict[str, Json],
    explained: Explanation,
    *,
    is_released: bool,
) -> AccessRow:
    access = Access.of(value)
    texts = [explained.records[record] for record in access.records if record in explained.records]
    purge = machine.find("purge", patient_id, access_id)
    return AccessRow(
        access_id=access_id,
        patient_id=patient_id,
        at=access.at,
        who=who(machine, access.msp_id, access.subject, explained, patient_id),
        kind=access.kind,
        records=tuple(text.display for text in texts),
        categories=tuple(sorted({text.category for text in texts})),
        purpose=access.purpose,
        state=_state(machine, access, is_released=is_released, is_closed=purge is not None),
        computer=bool(access.device),
        reason=access.reason,
        consents=access.consents,
        overridden=access.overridden,
        until=access.until,
        closed_at=None if purge is None else integer(purge["at"]),
        block=machine.committed(patient_id, access_id).block,
    )


def _state(machine: Machine, access: Access, *, is_released: bool, is_closed: bool) -> AccessState:
    if access.denied:
        return AccessState.NOT_OPENED
    if not is_released and not access.device:
        return AccessState.ASKED
    is_over = is_closed or access.kind != "open" or bool(access.device) or machine.clock() >= access.until
    return AccessState.OPENED if is_over else AccessState.OPEN_NOW


def who(machine: Machine, msp_id: str, subject: str, explained: Explanation, patient_id: str = "") -> Who:
    """Return a person of the ledger as a patient may read him; a badge that does not fit its commitment is left out."""
    hospital = machine.hospitals.get(msp_id, msp_id)
    if subject == patient_id:
        return Who("", "patient", "", hospital, subject, msp_id)
    member = machine.find("member", msp_id, subject) or {}
    badge = _badge(explained, str(member.get("badge_commitment", "")), msp_id, subject)
    role = str(member.get("role", ""))
    if badge is None:
        return Who("", role, "", hospital, subject, msp_id)
    return Who(badge.name, role, badge.qualification, hospital, subject, msp_id)


def _badge(explained: Explanation, commitment: str, msp_id: str, subject: str) -> Badge | None:
    opening = explained.badges.get(subject)
    if opening is None:
        return None
    try:
        return open_badge(opening, commitment, msp_id, subject)
    except BadgeError:
        return None


def _ids(values: Iterable[dict[str, Json]]) -> list[str]:
    accesses = [Access.of(value) for value in values]
    subjects = {access.subject for access in accesses}
    return sorted(subjects | {record for access in accesses for record in access.records})
