"""The other end of the custodian's messages: signs, opens, believes only what is signed or committed."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.custodian import readings
from app.custodian.messages import (
    REPLY_MAX,
    SUITE,
    CustodianRefusal,
    ReplyError,
    frame,
    member,
    number,
    objects,
    open_sealed,
    raw_bytes,
    reply_info,
    text,
    texts,
    to_text,
    unframe,
)
from app.custodian.recipient import open_release
from app.custodian.results import (
    Acknowledgement,
    Alarms,
    AskedQuestion,
    Erasure,
    Explanation,
    ImportFile,
    ImportOutcome,
    Introduction,
    IntroductionCode,
    Notice,
    Opening,
    Person,
    PersonRow,
    Proof,
    Question,
    RegisteredPerson,
    Released,
    Statement,
    StoredRequest,
    Unlocked,
    View,
)
from app.identity.badges import BadgeOpening
from app.identity.cards import Card, patient_private_key
from app.identity.certificates import certificate_request
from ledger.contract.canonical import Json, decode_object, encode
from ledger.contract.errors import ContractError
from ledger.contract.state import Committed
from ledger.gateway import Signer
from ledger.replica import CommittedAccess
from ledger.signatures import SignatureError, load_public_key, signed_bytes, verify_signature

VIEW_MAX: Final = 500_000
"""Accesses of one patient id that a reply has room for."""


class CustodianClient:
    """One custodian, as services see it. Every method raises ``CustodianRefusal`` with a code, or ``ReplyError``.

    Args:
        transport: takes a request, returns the reply; in process it is ``Custodian.handle``, else a ``TlsTransport``.
        network_id: of the ledger.
        custodian_msp: whose custodian this is.
        custodian_key: returns the receipt key that the ledger names for that organization (SPKI DER) now.
        clock: seconds UTC.
        random: source of nonces and keys.
    """

    def __init__(
        self,
        transport: Callable[[bytes], bytes],
        network_id: str,
        custodian_msp: str,
        custodian_key: Callable[[], bytes],
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._transport = transport
        self._network_id = network_id
        self._custodian_msp = custodian_msp
        self._custodian_key = custodian_key
        self._clock = clock
        self._random = random

    @property
    def custodian_msp(self) -> str:
        """The hospital whose custodian this is."""
        return self._custodian_msp

    # people and cards

    def register_person(self, signer: Signer, person: Person, pin: str) -> RegisteredPerson:
        """Register a patient (registrar) and make her card; her key for the own pair goes on the ledger."""
        reply = self._ask(signer, "register-person", {"person": readings.person_fields(person), "pin": pin})
        card = Card(self._custodian_msp, text(reply, "card_id"), self._random(32))
        patient_id = text(reply, "patient_id")
        key = patient_private_key(card.secret, raw_bytes(reply, "share", 32), patient_id)
        self.issue_patient_certificate(card.card_id, pin, certificate_request(key, patient_id))
        return RegisteredPerson(text(reply, "person_id"), patient_id, card.text)

    def people(self, signer: Signer) -> tuple[PersonRow, ...]:
        """Return the hospital's own registration (its practitioners, registrars and privacy officers)."""
        return tuple(readings.person_row(row) for row in objects(self._ask(signer, "people", {}), "people"))

    def reset_pin(self, signer: Signer, person_id: str, pin: str) -> None:
        """Give a card a new PIN and five new tries (registrar, the person is present); her key stays."""
        self._ask(signer, "reset-pin", {"person_id": person_id, "pin": pin})

    def unlock_card(self, card_id: str, pin: str, grantee: str = "") -> Unlocked:
        """Return the shares and tag keys of a card: of one grantee's pair, or of all.

        Raises:
            CustodianRefusal: ``wrong-pin`` with ``tries_left`` (also for an unknown card), ``card-locked``.
        """
        return readings.unlocked(self._ask(None, "unlock-card", {"card_id": card_id, "pin": pin, "grantee": grantee}))

    def issue_patient_certificate(self, card_id: str, pin: str, request: bytes) -> bytes:
        """Return the certificate (DER) for the key and patient id of a certificate request (DER).

        The first time the custodian also posts the key's hash to the ledger; the call returns when that is committed.

        Raises:
            CustodianRefusal: ``wrong-key`` if the ledger holds another key for this id.
        """
        fields = {"card_id": card_id, "pin": pin, "request": to_text(request)}
        return raw_bytes(self._ask(None, "issue-patient-certificate", fields), "certificate")

    # introductions and requests

    def make_code(self, signer: Signer, patient_id: str) -> IntroductionCode:
        """Make a one-use introduction code (the patient, her proxy, or a registrar of her hospital)."""
        reply = self._ask(signer, "make-code", {"patient_id": patient_id})
        return IntroductionCode(text(reply, "code"), number(reply, "expires_at"))

    def introduce(
        self,
        signer: Signer,
        badge: BadgeOpening,
        *,
        code: str = "",
        patient_id: str = "",
        purposes: Sequence[str] = (),
        categories: Sequence[str] = (),
        first: str = "",
        last: str = "",
    ) -> Introduction:
        """Learn the patient id and the tags that a request needs (practitioner).

        Args:
            signer: the practitioner.
            badge: opens his member entry's badge commitment.
            code: the patient's introduction code; or:
            patient_id: of the pair of his own hospital, or of one he was introduced to before.
            purposes: that he will ask for.
            categories: codes of the category code system.
            first: first day of the data period, ISO, or empty.
            last: last day, ISO, or empty.

        Raises:
            CustodianRefusal: ``refused``: unknown, used, expired and not allowed look alike.
        """
        reply = self._ask(
            signer,
            "introduce",
            {
                "code": code,
                "patient_id": patient_id,
                "badge": badge.to_wire(),
                "purposes": sorted(set(purposes)),
                "categories": sorted(set(categories)),
                "first": first,
                "last": last,
            },
        )
        return readings.introduction(reply)

    def store_request(
        self, signer: Signer, patient_id: str, consent_id: str, *, text: str, reason: str, salt: bytes
    ) -> None:
        """Leave what the patient reads, before ``ProposeConsent`` is submitted (the proposer)."""
        fields = {
            "patient_id": patient_id,
            "consent_id": consent_id,
            "text": text,
            "reason": reason,
            "salt": to_text(salt),
        }
        self._ask(signer, "store-request", fields)

    def read_request(self, signer: Signer, patient_id: str, consent_id: str) -> StoredRequest:
        """Return a stored request (the patient's party, or the proposer)."""
        return readings.stored_request(
            self._ask(signer, "read-request", {"patient_id": patient_id, "consent_id": consent_id})
        )

    def store_consent(self, signer: Signer, patient_id: str, consent_id: str, artefact: bytes, salt: bytes) -> None:
        """Leave the artefact before ``GrantConsent`` is submitted (the patient's party).

        Raises:
            CustodianRefusal: ``artefact-mismatch``: it is no artefact of this patient id, or does not compile.
        """
        fields = {
            "patient_id": patient_id,
            "consent_id": consent_id,
            "artefact": artefact.decode("ascii"),
            "salt": to_text(salt),
        }
        self._ask(signer, "store-consent", fields)

    def tell_withheld(self, signer: Signer, patient_id: str, *, on: bool) -> None:
        """Choose whether the grantee learns that something is withheld (the patient's party; on at first)."""
        self._ask(signer, "tell-withheld", {"patient_id": patient_id, "on": on})

    def tells_withheld(self, signer: Signer, patient_id: str) -> bool:
        """Return whether the grantee learns that something is withheld (the patient's party)."""
        reply = self._ask(signer, "tell-withheld", {"patient_id": patient_id, "on": None})
        if not isinstance(reply.get("on"), bool):
            raise ReplyError("the reply says neither yes nor no")
        return reply["on"] is True

    def store_badge(self, signer: Signer, msp_id: str, subject: str, badge: BadgeOpening) -> None:
        """Leave a staff member's badge opening, so that patients can be told who he is (his hospital, or himself)."""
        fields = {"msp_id": msp_id, "subject": subject, "badge": badge.to_wire()}
        self._ask(signer, "store-badge", fields)

    # records

    def import_files(
        self, signer: Signer, person_id: str, files: Sequence[ImportFile], made_on: str = ""
    ) -> tuple[ImportOutcome, ...]:
        """Import files for a person: all of a file or nothing of it.

        Args:
            signer: a practitioner or registrar of this hospital.
            person_id: whom the files are about.
            files: their names and bytes.
            made_on: ISO day for tables and documents that state none.
        """
        listed = [
            {"name": file.name, "size": len(file.content), "digest": hashlib.sha256(file.content).hexdigest()}
            for file in files
        ]
        attachment = b"".join(file.content for file in files)
        reply = self._ask(signer, "import", {"person_id": person_id, "files": listed, "made_on": made_on}, attachment)
        return tuple(readings.import_outcome(row) for row in objects(reply, "files"))

    def refresh_records(self, signer: Signer, patient_id: str) -> int:
        """Have records registered that match this pair's consents by now; return how many were new (its staff)."""
        return number(self._ask(signer, "refresh-records", {"patient_id": patient_id}), "registered")

    def release(
        self,
        signer: Signer,
        access: CommittedAccess,
        release_key: X25519PrivateKey,
        state: Committed,
        *,
        badge: BadgeOpening | None = None,
        reason: Opening | None = None,
    ) -> Released:
        """Ask for the keys, or the rows, of one committed access, and check the answer as E.3 says.

        Args:
            signer: who opened.
            access: from the caller's own replica.
            release_key: the private half of the key whose hash the access carries; memory only.
            state: the caller's own replica's state, for commitments.
            badge: of staff; a patient has none.
            reason: of a declared emergency.

        Raises:
            CustodianRefusal: with a release code; ``not-yet-committed`` may be asked again for ten seconds.
            ReplyError: the answer is not what the ledger's entry says.
        """
        openings: dict[str, object] = {}
        if badge is not None:
            openings["badge"] = badge.to_wire()
        if reason is not None:
            openings["reason"] = readings.opening_fields(reason)
        request = self._request(
            signer,
            "release-request",
            {
                "access_id": access.access_id,
                "patient_id": access.patient_id,
                "release_key": to_text(release_key.public_key().public_bytes_raw()),
                "suite": SUITE,
                "openings": openings,
            },
        )
        raw = self._transport(request)
        self._verified(raw, request, "release")
        return open_release(
            raw, access, release_key, state, network_id=self._network_id, custodian_msp=self._custodian_msp
        )

    def fetch_object(self, signer: Signer, patient_id: str, access_id: str, name: str) -> bytes:
        """Return one ciphertext of a released access, as the store holds it (the one who opened).

        It is untrusted: ``app.records.sealing`` opens it, compares it with the manifest, and can say what was changed.

        Raises:
            CustodianRefusal: ``forbidden``; ``object-mismatch`` if the store has none.
        """
        parts: list[bytes] = []
        size, have = 1, 0
        while have < size:
            fields = {"patient_id": patient_id, "access_id": access_id, "name": name, "offset": have}
            request = self._request(signer, "fetch-object", fields)
            raw = self._transport(request)
            reply, chunk = self._verified(raw, request, "object")
            size = number(reply, "size")
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        return b"".join(parts)

    # what the patient and the practitioner may read

    def notices(
        self, signer: Signer, patient_id: str, mailbox_key: X25519PrivateKey, since: int = 0
    ) -> tuple[Notice, ...]:
        """Return the notices above number ``since`` (the patient's party), sealed to the mailbox key on the way."""
        public = mailbox_key.public_key().public_bytes_raw()
        request = self._request(
            signer, "notices", {"patient_id": patient_id, "since": since, "mailbox_key": to_text(public)}
        )
        reply, _ = self._verified(self._transport(request), request, "notices")
        rows = []
        for item in objects(reply, "notices"):
            info = encode(
                {
                    "type": "notice",
                    "network_id": self._network_id,
                    "patient_id": patient_id,
                    "number": number(item, "number"),
                }
            )
            rows.append(readings.notice(decode_object(open_sealed(mailbox_key, info, raw_bytes(item, "sealed")))))
        return tuple(rows)

    def keep_receipt(self, signer: Signer, patient_id: str, consent_id: str, receipt: bytes) -> None:
        """Put a receipt into the patient's mailbox, where her own device finds it (her party); once is enough.

        Raises:
            CustodianRefusal: ``artefact-mismatch``: it does not prove this consent.
        """
        fields = {"patient_id": patient_id, "consent_id": consent_id, "receipt": receipt.decode()}
        self._ask(signer, "keep-receipt", fields)

    def seen(self, signer: Signer, patient_id: str, block: int | None = None) -> int | None:
        """Return up to which block who saw what was read before, None for never, and note ``block`` (her party)."""
        reply = self._ask(signer, "seen", {"patient_id": patient_id, "block": block})
        return None if reply["block"] is None else number(reply, "block")

    def ask_question(self, signer: Signer, patient_id: str, access_id: str, words: str) -> None:
        """Ask the hospital's privacy officer about an access (the patient's party); once per access.

        Raises:
            CustodianRefusal: ``already-exists``: it was asked about with other words; ``unknown-access``.
        """
        self._ask(signer, "ask-question", {"patient_id": patient_id, "access_id": access_id, "text": words})

    def own_questions(self, signer: Signer, patient_id: str) -> tuple[Question, ...]:
        """Return what was asked under a patient id, with the answers (her party)."""
        reply = self._ask(signer, "own-questions", {"patient_id": patient_id})
        return tuple(readings.question(row) for row in objects(reply, "questions"))

    def questions(self, signer: Signer) -> tuple[AskedQuestion, ...]:
        """Return what this hospital's patients asked (its privacy officer)."""
        return tuple(readings.asked_question(row) for row in objects(self._ask(signer, "questions", {}), "questions"))

    def answer_question(self, signer: Signer, patient_id: str, access_id: str, words: str) -> None:
        """Answer a question, which cannot be changed later (the privacy officer).

        Raises:
            CustodianRefusal: ``already-exists``: it was answered.
        """
        self._ask(signer, "answer-question", {"patient_id": patient_id, "access_id": access_id, "text": words})

    def not_me(self, code: str) -> None:
        """Stop all releases of the patient id whose notice carried ``code``; whoever holds the notice may."""
        self._ask(None, "not-me", {"code": code})

    def suspend(self, signer: Signer, patient_id: str) -> Acknowledgement:
        """Stop all releases of a patient id by her own key, whatever the ledger does (ATTACKS.md A11)."""
        return self._stop_or_resume(signer, "suspend", patient_id)

    def resume(self, signer: Signer, patient_id: str) -> Acknowledgement:
        """Lift a stop by the patient's own key."""
        return self._stop_or_resume(signer, "resume", patient_id)

    def explain(self, signer: Signer, patient_id: str, ids: Sequence[str]) -> Explanation:
        """Return readable texts for subjects, record, consent and emergency ids (party, or the one concerned)."""
        return readings.explanation(self._ask(signer, "explain", {"patient_id": patient_id, "ids": sorted(set(ids))}))

    def statement(self, signer: Signer, patient_id: str) -> Statement:
        """Return the signed statement of all releases of a patient id (the patient's party)."""
        request = self._request(signer, "statement", {"patient_id": patient_id})
        raw = self._transport(request)
        reply, _ = self._verified(raw, request, "statement")
        return readings.statement(reply, raw)

    def view(self, signer: Signer, patient_id: str) -> View:
        """Return what this hospital verified of a patient id, hers to hold or not (the patient's party)."""
        request = self._request(signer, "view", {"patient_id": patient_id})
        raw = self._transport(request)
        reply, _ = self._verified(raw, request, "view")
        head = member(reply, "head")
        found = frozenset(texts(reply, "accesses", VIEW_MAX))
        return View(self._custodian_msp, number(head, "number"), text(head, "hash"), found, raw)

    def proof(self, transaction_id: str) -> Proof:
        """Return where the ledger holds a transaction, with everything an offline verifier needs."""
        request = self._request(None, "proof", {"transaction_id": transaction_id})
        raw = self._transport(request)
        reply, untrusted = self._verified(raw, request, "proof")
        block_hash = text(reply, "block_hash")
        try:
            content = decode_object(untrusted)
            header = text(content, "header")
        except ContractError:
            raise ReplyError("the proof is not well-formed") from None
        if hashlib.sha256(header.encode()).hexdigest() != block_hash:
            raise ReplyError("the proof is about another block")
        signed = raw[: len(raw) - len(untrusted) - 1]
        return Proof(text(reply, "transaction_id"), number(reply, "block"), block_hash, content, signed)

    # erasure

    def erase_record(self, signer: Signer, patient_id: str, record_id: str) -> Erasure:
        """Destroy a record's keys, salts, texts and objects in every pair, and post it (registrar)."""
        return readings.erasure(self._ask(signer, "erase-record", {"patient_id": patient_id, "record_id": record_id}))

    def erase_person(self, signer: Signer, person_id: str) -> Erasure:
        """Destroy everything that links to or opens a person's records, and post it per pair (registrar)."""
        return readings.erasure(self._ask(signer, "erase-person", {"person_id": person_id}))

    def alarms(self, signer: Signer) -> Alarms:
        """Return what is not honoured here, and whether the ledger was changed (operator, privacy officer)."""
        return readings.alarms(self._ask(signer, "alarms", {}))

    # the exchange itself

    def _stop_or_resume(self, signer: Signer, kind: str, patient_id: str) -> Acknowledgement:
        request = self._request(signer, kind, {"patient_id": patient_id})
        raw = self._transport(request)
        reply, _ = self._verified(raw, request, kind)
        if (reply.get("patient_id"), reply.get("stopped")) != (patient_id, kind == "suspend"):
            raise ReplyError("the acknowledgement says something else")
        return Acknowledgement(patient_id, number(reply, "at"), kind == "suspend", raw)

    def _request(
        self, signer: Signer | None, kind: str, fields: Mapping[str, object], attachment: bytes = b""
    ) -> bytes:
        message = {
            "type": kind,
            "network_id": self._network_id,
            "custodian_msp": self._custodian_msp,
            "nonce": to_text(self._random(16)),
            "at": self._clock(),
            **fields,
        }
        signature = b"" if signer is None else signer.sign(signed_bytes(kind, self._network_id, encode(message)))
        outer = {
            "message": message,
            "msp_id": "" if signer is None else signer.msp_id,
            "certificate": "" if signer is None else to_text(signer.certificate),
            "signature": to_text(signature),
        }
        return frame(outer, attachment)

    def _ask(
        self, signer: Signer | None, kind: str, fields: Mapping[str, object], attachment: bytes = b""
    ) -> dict[str, Json]:
        """Send a request whose reply is sealed to a key made for it alone."""
        key = X25519PrivateKey.from_private_bytes(self._random(32))
        sealed_fields = {**fields, "reply_key": to_text(key.public_key().public_bytes_raw())}
        request = self._request(signer, kind, sealed_fields, attachment)
        reply, _ = self._verified(self._transport(request), request, "sealed-reply")
        info = reply_info(self._network_id, text(reply, "request"))
        return decode_object(open_sealed(key, info, raw_bytes(reply, "sealed")))

    def _verified(self, untrusted: bytes, request: bytes, kind: str) -> tuple[dict[str, Json], bytes]:
        """Return a reply that this custodian signed for this request; a refusal is raised."""
        try:
            outer, attachment = unframe(untrusted, REPLY_MAX)
            reply, signature = member(outer, "reply"), raw_bytes(outer, "signature")
            verify_signature(
                load_public_key(self._custodian_key()),
                signed_bytes(text(reply, "type"), self._network_id, encode(reply)),
                signature,
            )
        except (ContractError, SignatureError):
            raise ReplyError("the reply is not signed by the custodian that the ledger names") from None
        if text(reply, "network_id") != self._network_id:
            raise ReplyError("the reply belongs to another network")
        message = encode(member(unframe(request)[0], "message"))
        if reply["type"] != "release" and reply.get("request") != hashlib.sha256(message).hexdigest():
            raise ReplyError("the reply belongs to another request")
        if reply["type"] == "refusal":
            tries = reply.get("tries_left")
            raise CustodianRefusal(
                text(reply, "code"), text(reply, "detail"), tries if isinstance(tries, int) else None
            )
        if reply["type"] != kind:
            raise ReplyError("the reply is of another kind")
        return reply, attachment
