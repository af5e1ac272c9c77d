"""Any sequence of consents and openings against a model that a reader checks in a minute."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.contract.errors import ContractError
from tests.support.contract import ALICE, CAROL, DAN, PIA, clinic, named, opening, proposal, signed, terms
from tests.support.staged import NOW, Staged

CONSENTS = ("c1", "c2", "c3")
PEOPLE = {"carol": CAROL, "dan": DAN}
PURPOSES = ("TREAT", "HRESCH", "TREATDS")
CONSENT = st.sampled_from(CONSENTS)


@dataclass
class Given:
    """A consent as the model knows it."""

    status: str = "proposed"
    kind: str = "permit"
    actors: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    until: int | None = None

    def speaks(self, who: str, purpose: str, now: int) -> bool:
        """Tell whether this consent says anything about ``who`` and ``purpose``."""
        named_or_silent = purpose in self.purposes or (
            not self.purposes and (self.kind == "deny" or purpose == "TREAT")
        )
        in_force = self.status == "active" and (self.until is None or now < self.until)
        return in_force and (not self.actors or who in self.actors) and named_or_silent


@dataclass
class Model:
    """What should be: consents by id, who is suspended, accesses by outcome."""

    consents: dict[str, Given] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    accesses: dict[str, str] = field(default_factory=dict)

    def outcome(self, who: str, purpose: str, now: int) -> str:
        kinds = {each.kind for each in self.consents.values() if each.speaks(who, purpose, now)}
        return "permit" if kinds == {"permit"} else "deny"


class Consents(RuleBasedStateMachine):
    """One patient, two practitioners, three consents."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger: Staged = clinic()
        self.model = Model()

    def attempt(self, caller: Any, name: str, arguments: dict[str, object]) -> str:
        """Submit; return "" or the code of the refusal."""
        before = {**self.ledger.committed}
        try:
            self.ledger.submit(caller, name, arguments)
        except ContractError as error:
            assert self.ledger.committed == before
            return error.code
        return ""

    @rule(seconds=st.integers(1, 100))
    def wait(self, seconds: int) -> None:
        self.ledger.now += seconds

    @rule(consent_id=CONSENT, who=st.sampled_from(sorted(PEOPLE)))
    def propose(self, consent_id: str, who: str) -> None:
        code = self.attempt(PEOPLE[who], "ProposeConsent", proposal("alice", consent_id))
        if who in self.model.suspended:
            assert code == "suspended"
        elif consent_id in self.model.consents:
            assert code == "already-exists"
        else:
            assert code == ""
            self.model.consents[consent_id] = Given()

    @rule(
        consent_id=CONSENT,
        kind=st.sampled_from(["permit", "deny"]),
        actors=st.sets(st.sampled_from(sorted(PEOPLE)), max_size=1),
        purposes=st.sets(st.sampled_from(PURPOSES), max_size=2),
        seconds=st.none() | st.integers(-50, 150),
    )
    def grant(self, consent_id: str, kind: str, actors: set[str], purposes: set[str], seconds: int | None) -> None:
        until = None if seconds is None else self.ledger.now + seconds
        what = terms(
            type=kind,
            actors=[["practitioner", each] for each in sorted(actors)],
            purposes=sorted(purposes),
            valid_until=until,
        )
        known = self.model.consents.get(consent_id)
        code = self.attempt(ALICE, "GrantConsent", signed("alice", consent_id, what))
        if known is not None and known.status != "proposed":
            assert code == "illegal-transition"
        elif until is not None and until <= self.ledger.now:
            assert code == "expired"
        else:
            assert code == ""
            given = Given("active", kind, tuple(sorted(actors)), tuple(sorted(purposes)), until)
            self.model.consents[consent_id] = given

    @rule(consent_id=CONSENT, action=st.sampled_from(["RejectConsent", "RevokeConsent"]))
    def end(self, consent_id: str, action: str) -> None:
        known = self.model.consents.get(consent_id)
        needed, then = ("proposed", "rejected") if action == "RejectConsent" else ("active", "inactive")
        code = self.attempt(ALICE, action, named("alice", consent_id))
        if known is None:
            assert code == "unknown-consent"
        elif known.status != needed:
            assert code == "illegal-transition"
        else:
            assert code == ""
            known.status = then

    @precondition(lambda self: not self.model.suspended)
    @rule(who=st.sampled_from(sorted(PEOPLE)))
    def suspend(self, who: str) -> None:
        assert self.attempt(PIA, "SuspendMember", {"subject": who}) == ""
        self.model.suspended.add(who)

    @rule(who=st.sampled_from(sorted(PEOPLE)), purpose=st.sampled_from(PURPOSES[:2]))
    def open_records(self, who: str, purpose: str) -> None:
        code = self.attempt(PEOPLE[who], "OpenRecords", opening("alice", "r1", "r2", purpose=purpose))
        if who in self.model.suspended:
            assert code == "suspended"
        else:
            assert code == ""
            entry = self.ledger.journal[-1][1]
            expected = self.model.outcome(who, purpose, self.ledger.now)
            self.model.accesses[entry.transaction_id] = expected
            assert f'"outcome":"{expected}"'.encode() in entry.outcome.event_payload

    @rule(who=st.sampled_from(sorted(PEOPLE)), consent_id=CONSENT)
    def a_revocation_ordered_first_wins(self, who: str, consent_id: str) -> None:
        known = self.model.consents.get(consent_id)
        if known is None or known.status != "active" or who in self.model.suspended:
            return
        access = self.ledger.endorse(PEOPLE[who], "OpenRecords", opening("alice", "r1"))
        revocation = self.ledger.endorse(ALICE, "RevokeConsent", named("alice", consent_id))
        assert self.ledger.commit([revocation, access]) == [True, False]
        known.status = "inactive"

    @invariant()
    def every_decision_is_an_entry(self) -> None:
        entries = {key[2] for key in self.ledger.committed if key[0] == "access"}
        assert entries == {*self.model.accesses}

    @invariant()
    def the_policy_holds_exactly_the_active_consents(self) -> None:
        policy: dict[str, Any] = self.ledger.value("policy", "alice")
        active = sorted(key for key, each in self.model.consents.items() if each.status == "active")
        assert [each["id"] for each in policy["consents"]] == active
        ended = [each for each in self.model.consents.values() if each.status == "inactive" and each.kind == "permit"]
        assert policy["ended"] == bool(ended)

    @invariant()
    def status_and_times_agree(self) -> None:
        for consent_id, given in self.model.consents.items():
            value: dict[str, Any] = self.ledger.value("consent", "alice", consent_id)
            assert value["status"] == given.status
            assert (value["ended_at"] is not None) == (given.status in {"rejected", "inactive"})
            assert (value["granted_at"] is not None) == (given.status in {"active", "inactive"})
            assert value["granted_at"] is None or NOW <= value["granted_at"] <= self.ledger.now


TestConsents = Consents.TestCase
TestConsents.settings = settings(stateful_step_count=25)
