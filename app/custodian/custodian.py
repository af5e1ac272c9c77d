"""The custodian: takes a message, answers with a signed one (PROTOCOL.md E.1); in process, or behind a server."""

import threading
from collections.abc import Callable
from typing import Final

from app.custodian import (
    answers,
    erasure,
    following,
    imports,
    introductions,
    notices,
    objects,
    proofs,
    questions,
    registration,
    release,
    requests,
    sharing,
)
from app.custodian.authentication import check_address, check_freshness, check_pace, require_staff, signer
from app.custodian.desk import Desk
from app.custodian.journal import JournalEntry, JournalKind
from app.custodian.messages import (
    CustodianRefusal,
    Request,
    exactly,
    frame,
    parse_request,
    raw_bytes,
    reply_info,
    seal_to,
    text,
    to_text,
)
from app.identity.keys import MasterKey, UnwrapError
from ledger.contract.caller import Caller
from ledger.contract.canonical import Json, encode
from ledger.contract.errors import ContractError
from ledger.contract.parties import of_grantee
from ledger.gateway import GatewayError
from ledger.replica import ReplicaHaltedError
from ledger.signatures import signed_bytes

_ID_MAX: Final = 64  # PROTOCOL.md C: ids of the ledger
_Signed = Callable[[Desk, Request, Caller], dict[str, Json]]
_Unsigned = Callable[[Desk, Request], dict[str, Json]]
_NOBODY: Final = Caller("", "", "", "")


def refresh_records(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """Register what this pair's consents reach by now: the grantee's list is refreshed (A17)."""
    exactly(request.fields, "patient_id", "reply_key")
    patient_id = text(request.fields, "patient_id", 64)
    of_grantee(desk.reader(caller), patient_id, "practitioner")
    link = desk.index.link(patient_id)
    if link is None:
        raise CustodianRefusal("refused")
    return {"registered": sharing.share_with(desk, link)}


def alarms(desk: Desk, request: Request, caller: Caller) -> dict[str, Json]:
    """List what the custodian does not honour, and whether the ledger was found changed (operator, privacy officer)."""
    exactly(request.fields, "reply_key")
    require_staff(desk, caller, "operator", "privacy-officer")
    found = desk.replica.halted
    halted: dict[str, Json] | None = None
    if found is not None:
        halted = {"block": found.block, "transaction_id": found.transaction_id, "reason": found.reason.value}
    flags: list[Json] = [{"about": key, **value} for key, value in desk.index.flags()]
    if desk.journal.fault:
        flags.append({"about": "/journal", "code": "journal-mismatch", "at": desk.clock()})
    return {"halted": halted, "flags": flags}


_SIGNED: Final[dict[str, _Signed]] = {
    "register-person": registration.register_person,
    "people": registration.people,
    "reset-pin": registration.reset_pin,
    "make-code": introductions.make_code,
    "introduce": introductions.introduce,
    "store-badge": introductions.store_badge,
    "store-request": requests.store_request,
    "read-request": requests.read_request,
    "store-consent": requests.store_consent,
    "tell-withheld": requests.tell_withheld,
    "import": imports.import_files,
    "refresh-records": refresh_records,
    "explain": answers.explain,
    "erase-record": erasure.erase_record,
    "erase-person": erasure.erase_person,
    "alarms": alarms,
    "ask-question": questions.ask,
    "own-questions": questions.own_questions,
    "questions": questions.questions,
    "answer-question": questions.answer,
    "seen": notices.seen,
    "keep-receipt": notices.keep_receipt,
}
_BY_PIN: Final[dict[str, _Unsigned]] = {
    "unlock-card": registration.unlock_card,
    "issue-patient-certificate": registration.issue_certificate,
    "not-me": notices.not_me,
}
_IN_CLEAR: Final[dict[str, _Signed]] = {
    "notices": notices.notices,
    "statement": answers.statement,
    "view": answers.view,
    "suspend": notices.stop_or_resume,
    "resume": notices.stop_or_resume,
}
_WHILE_HALTED: Final = frozenset({"suspend", "not-me", "alarms", "statement"})
_WITHOUT_JOURNAL: Final = _WHILE_HALTED - {"statement"}  # a shorter journal must not be signed for (A12)


class Custodian:
    """One hospital's custodian. ``handle`` and ``tick`` may be called from any thread; they take turns."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.RLock()

    @property
    def is_halted(self) -> bool:
        """Whether the ledger, or the journal, was found changed, so that nothing is given out."""
        return self._desk.replica.halted is not None or bool(self._desk.journal.fault)

    @property
    def height(self) -> int:
        """Number of blocks that were verified."""
        return self._desk.replica.height

    def close(self) -> None:
        """Wipe the purpose keys and close the files."""
        with self._lock:
            self._desk.keys.close()
            self._desk.index.close()
            self._desk.journal.close()

    def rewrap(self, old: MasterKey, new: MasterKey) -> None:
        """Go over from one master key to another; safe to call again after a crash (``identity`` has the whole order).

        Each file changes in one durable step, and says which key it is under (``database.key_id_in``).

        Args:
            old: what the files are wrapped under, as far as they are not yet under ``new``.
            new: what they are wrapped under afterwards.

        Raises:
            UnwrapError: a file is under neither of the two.
        """
        with self._lock:
            if not {self._desk.keys.key_id, self._desk.index.key_id} <= {old.key_id, new.key_id}:
                raise UnwrapError("these files are wrapped under another master key")
            self._desk.keys.rewrap(new)
            self._desk.index.rewrap(new)
            self._desk.index.set_progress(following.BACKED_UP_AT, "")

    def go_back(self) -> None:
        """See ``app.custodian.following.go_back``."""
        following.go_back(self._desk)

    def tick(self, *, force: bool = False) -> None:
        """Follow the ledger, act on what happened, post what is owed; nothing from a journal that was changed.

        Args:
            force: post release receipts now instead of in batches of 100 or 60 seconds.

        Raises:
            CustodianRefusal, GatewayError: the ledger does not answer; the next tick goes on from the same place.
            ReplicaHaltedError: the ledger was changed; nothing goes on.
        """
        with self._lock:
            following.follow(self._desk)
            halted = self._desk.replica.halted
            if halted is not None:
                raise ReplicaHaltedError(halted)
            if not self._desk.journal.fault:
                following.settle(self._desk, force=force)

    def expects(self, head: bytes) -> int:
        """Return how many bytes may follow a message that announces files; none unless staff of this hospital signed.

        A server asks before it takes them: a stranger's gigabytes are not even read. ``handle`` then checks everything.
        """
        with self._lock:
            try:
                request = parse_request(head)
                check_address(self._desk, request)
                return imports.announced_bytes(self._desk, request, signer(self._desk, request))
            except (CustodianRefusal, ContractError):
                return 0

    def handle(self, message: bytes) -> bytes:
        """Answer one message; a refusal is an answer too."""
        with self._lock:
            try:
                request = parse_request(message)
            except ContractError as refused:
                return self._refusal("", CustodianRefusal("malformed", refused.detail))
            caller = _NOBODY
            try:
                check_address(self._desk, request)  # 1
                if request.type not in _BY_PIN and request.type != "proof":
                    caller = signer(self._desk, request)  # 2
                    check_pace(self._desk, request)
                check_freshness(self._desk, request)  # 3
                self._catch_up(request.type)
                self._check_running(request.type)
                return self._dispatch(request, caller)
            except CustodianRefusal as refused:
                return self._refused(request, caller, refused)
            except ContractError as refused:
                return self._refused(request, caller, CustodianRefusal(refused.code, refused.detail))

    def _catch_up(self, kind: str) -> None:
        """Take new blocks; while the ledger is silent only a stop and what is known here go on (A9, A11).

        Raises:
            CustodianRefusal: ``not-yet-committed``.
        """
        try:
            following.catch_up(self._desk)
        except GatewayError:
            if kind not in _WHILE_HALTED:
                raise CustodianRefusal("not-yet-committed", "the ledger does not answer") from None

    def _check_running(self, kind: str) -> None:
        """Refuse what needs a ledger, or a journal, that is no longer what it was.

        Raises:
            CustodianRefusal: ``halted``.
        """
        if self._desk.replica.halted is not None and kind not in _WHILE_HALTED:
            raise CustodianRefusal("halted")
        if self._desk.journal.fault and kind not in _WITHOUT_JOURNAL:
            raise CustodianRefusal("halted", self._desk.journal.fault)

    def _dispatch(self, request: Request, caller: Caller) -> bytes:
        desk, kind = self._desk, request.type
        if kind == "release-request":
            return release.release(desk, request, caller)
        if kind == "fetch-object":
            fields, chunk = objects.fetch_object(desk, request, caller)
            return self._signed("object", request, fields, chunk)
        if kind == "proof":
            return self._signed("proof", request, *proofs.proof(desk, request))
        if kind in _IN_CLEAR:
            return self._signed(kind, request, _IN_CLEAR[kind](desk, request, caller))
        if kind in _BY_PIN:
            return self._sealed(request, _BY_PIN[kind](desk, request))
        if kind in _SIGNED:
            return self._sealed(request, _SIGNED[kind](desk, request, caller))
        raise CustodianRefusal("unknown-transaction", "no such message")

    def _refused(self, request: Request, caller: Caller, refused: CustodianRefusal) -> bytes:
        """Answer with the code; refusals of a release are written down (E.3, E.4), but for those of a flood."""
        if request.type == "release-request" and refused.code != "busy":
            ids = [request.fields.get(name) for name in ("patient_id", "access_id")]
            patient_id, access_id = (each if isinstance(each, str) and len(each) <= _ID_MAX else "" for each in ids)
            entry = JournalEntry(
                JournalKind.REFUSE,
                patient_id,
                access_id,
                caller.msp_id,
                caller.subject,
                refused.code,
                request.digest,
                self._desk.clock(),
            )
            self._desk.journal.append(entry)
        return self._refusal(request.digest, refused)

    def _refusal(self, digest: str, refused: CustodianRefusal) -> bytes:
        return self._sign(
            {
                "type": "refusal",
                "network_id": self._desk.network_id,
                "request": digest,
                "code": refused.code,
                "detail": refused.detail,
                "tries_left": refused.tries_left,
            }
        )

    def _sealed(self, request: Request, content: dict[str, Json]) -> bytes:
        """Seal a reply to the key that the request brought for it."""
        info = reply_info(self._desk.network_id, request.digest)
        sealed = seal_to(raw_bytes(request.fields, "reply_key", 32), info, encode(content))
        return self._signed("sealed-reply", request, {"sealed": to_text(sealed)})

    def _signed(self, kind: str, request: Request, fields: dict[str, Json], attachment: bytes = b"") -> bytes:
        reply = {"type": kind, "network_id": self._desk.network_id, "request": request.digest, **fields}
        return self._sign(reply, attachment)

    def _sign(self, reply: dict[str, Json], attachment: bytes = b"") -> bytes:
        message = signed_bytes(str(reply["type"]), self._desk.network_id, encode(reply))
        return frame({"reply": reply, "signature": to_text(self._desk.receipt_key.sign(message))}, attachment)
