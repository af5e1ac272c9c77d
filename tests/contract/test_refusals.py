"""What every transaction refuses: wrong people, wrong keys, wrong hospitals, wrong forms (PROTOCOL.md C0, C2; A4)."""

from dataclasses import replace

import pytest

from ledger.contract.caller import Caller
from ledger.contract.canonical import encode
from ledger.contract.limits import ARGUMENTS_MAX_BYTES
from ledger.contract.transactions import REGISTRY
from tests.support.contract import (
    ALICE,
    BIRCH_VAULT,
    BOB,
    MALLORY,
    PETRA,
    PIA,
    REMY,
    STELLA,
    STRANGER,
    VAULT,
    appoint,
    digest,
    other_key,
)
from tests.support.refusals import refused
from tests.support.stage import Call, stage
from tests.support.staged import Staged

_, CALLS = stage()
STAFF_CALLS = sorted(name for name, call in CALLS.items() if call.by == "staff")
PARTY_CALLS = sorted(name for name, call in CALLS.items() if call.by == "party")
SIDED_CALLS = sorted(name for name, call in CALLS.items() if call.side)
PATIENT_CALLS = sorted({*SIDED_CALLS, *PARTY_CALLS})
SURVIVING_ERASURE = {"RecordReleases", "RecordPurge"}
FOREIGN = {"custodian": BIRCH_VAULT, "grantee": MALLORY}


def submit(ledger: Staged, call: Call, caller: Caller | None = None) -> None:
    ledger.submit(caller or call.caller, call.name, call.arguments)


def about(call: Call, patient_id: str) -> Call:
    """Return the call about another patient id, wherever in the arguments it stands."""
    if call.name == "RecordReleases":
        return call.with_arguments(items=[{**call.arguments["items"][0], "patient_id": patient_id}])
    return call.with_arguments(patient_id=patient_id)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_transaction_has_a_call_that_succeeds(name: str) -> None:
    ledger, calls = stage()
    submit(ledger, calls[name])
    assert ledger.block > 0


@pytest.mark.parametrize("name", STAFF_CALLS)
def test_staff_must_be_enrolled(name: str) -> None:
    ledger, calls = stage()
    with refused("not-enrolled"):
        submit(ledger, calls[name], replace(calls[name].caller, subject=STRANGER.subject))


@pytest.mark.parametrize("name", STAFF_CALLS)
def test_a_suspended_member_does_nothing(name: str) -> None:
    ledger, calls = stage()
    caller = calls[name].caller
    ledger.change(("member", caller.msp_id, caller.subject), status="suspended")
    with refused("suspended"):
        submit(ledger, calls[name])


@pytest.mark.parametrize("name", STAFF_CALLS)
def test_a_certificate_with_another_key_is_another_person(name: str) -> None:
    ledger, calls = stage()
    with refused("wrong-key"):
        submit(ledger, calls[name], other_key(calls[name].caller))


@pytest.mark.parametrize("name", STAFF_CALLS)
def test_a_certificate_with_another_role_than_enrolled_is_refused(name: str) -> None:
    ledger, calls = stage()
    caller = calls[name].caller
    ledger.change(("member", caller.msp_id, caller.subject), role="proxy")
    with refused("wrong-role"):
        submit(ledger, calls[name])


@pytest.mark.parametrize("name", sorted({*STAFF_CALLS} - {"SuspendMember", "OpenRecords", "RecordPurge"}))
def test_the_office_must_be_the_right_one(name: str) -> None:
    ledger, calls = stage()
    with refused("wrong-role"):
        submit(ledger, calls[name], PIA)


def test_only_an_office_suspends_others() -> None:
    ledger, calls = stage()
    with refused("wrong-role"):
        submit(ledger, calls["SuspendMember"], VAULT)


@pytest.mark.parametrize("role", ["", "doctor", "admin"])
@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_certificate_without_a_known_role_does_nothing(name: str, role: str) -> None:
    ledger, calls = stage()
    with refused("wrong-role"):
        submit(ledger, calls[name], replace(calls[name].caller, role=role))


@pytest.mark.parametrize("name", SIDED_CALLS)
def test_staff_of_another_hospital_is_refused(name: str) -> None:
    ledger, calls = stage()
    with refused("wrong-organization"):
        submit(ledger, calls[name], FOREIGN[calls[name].side])


@pytest.mark.parametrize("name", PARTY_CALLS)
def test_the_same_subject_under_another_hospital_is_another_patient(name: str) -> None:
    ledger, calls = stage()
    with refused("wrong-organization"):
        submit(ledger, calls[name], replace(ALICE, msp_id="birch"))


@pytest.mark.parametrize("name", PARTY_CALLS)
def test_a_reminted_patient_certificate_is_refused(name: str) -> None:
    ledger, calls = stage()
    with refused("wrong-key"):
        submit(ledger, calls[name], other_key(ALICE))


@pytest.mark.parametrize("name", PARTY_CALLS)
def test_the_patients_key_in_another_role_is_refused(name: str) -> None:
    ledger, calls = stage()
    with refused("wrong-role"):
        submit(ledger, calls[name], replace(ALICE, role="proxy"))


@pytest.mark.parametrize("name", PARTY_CALLS)
@pytest.mark.parametrize("other", [BOB, PETRA, STRANGER], ids=lambda caller: caller.subject)
def test_nobody_else_acts_for_the_patient(name: str, other: Caller) -> None:
    ledger, calls = stage()
    with refused("forbidden"):
        submit(ledger, calls[name], other)


@pytest.mark.parametrize("name", sorted({*PARTY_CALLS} - {"SetPatientKey"}))
def test_an_active_proxy_acts_for_the_patient(name: str) -> None:
    ledger, calls = stage()
    appoint(ledger, PETRA, "alice", until=ledger.now + 1)
    submit(ledger, calls[name], PETRA)
    assert ledger.journal[-1][0] == name


@pytest.mark.parametrize("name", PARTY_CALLS)
@pytest.mark.parametrize("status", ["pending", "dormant", "ended"])
def test_a_proxy_who_is_not_active_is_refused(name: str, status: str) -> None:
    ledger, calls = stage()
    appoint(ledger, PETRA, "alice", until=ledger.now + 1, status=status)
    with refused("forbidden"):
        submit(ledger, calls[name], PETRA)


@pytest.mark.parametrize("name", PARTY_CALLS)
def test_a_proxys_authority_ends_by_the_second(name: str) -> None:
    ledger, calls = stage()
    appoint(ledger, PETRA, "alice", until=ledger.now)
    with refused("forbidden"):
        submit(ledger, calls[name], PETRA)


@pytest.mark.parametrize("name", PARTY_CALLS)
@pytest.mark.parametrize(
    ("caller", "code"), [(other_key(PETRA), "wrong-key"), (replace(PETRA, role="patient"), "wrong-role")]
)
def test_a_proxy_is_a_member_too(name: str, caller: Caller, code: str) -> None:
    ledger, calls = stage()
    appoint(ledger, PETRA, "alice", until=ledger.now + 1)
    with refused(code):
        submit(ledger, calls[name], caller)


@pytest.mark.parametrize("name", PARTY_CALLS)
def test_a_suspended_proxy_is_refused(name: str) -> None:
    ledger, calls = stage()
    appoint(ledger, PETRA, "alice", until=ledger.now + 1)
    ledger.submit(PIA, "SuspendMember", {"subject": "petra"})
    with refused("suspended"):
        submit(ledger, calls[name], PETRA)


@pytest.mark.parametrize("name", PATIENT_CALLS)
def test_an_unknown_patient_id_is_refused(name: str) -> None:
    ledger, calls = stage()
    with refused("unknown-patient"):
        submit(ledger, about(calls[name], "nobody"))


@pytest.mark.parametrize("name", PATIENT_CALLS)
def test_an_erased_patient_id_only_takes_receipts(name: str) -> None:
    ledger, calls = stage()
    ledger.submit(VAULT, "ErasePatient", {"patient_id": "alice", "certificate": digest("gone")})
    if name in SURVIVING_ERASURE:
        submit(ledger, calls[name])
        assert ledger.journal[-1][0] == name
    else:
        with refused("illegal-transition"):
            submit(ledger, calls[name])


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_an_unknown_field_is_malformed(name: str) -> None:
    ledger, calls = stage()
    with refused("malformed"):
        submit(ledger, calls[name].with_arguments(note="Alma Fictive"))


FIELDS = [(name, field) for name, rule in sorted(REGISTRY.items()) for field in sorted(rule.form)]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_missing_field_is_malformed(name: str, field: str) -> None:
    ledger, calls = stage()
    arguments = {key: value for key, value in calls[name].arguments.items() if key != field}
    with refused("malformed"):
        ledger.submit(calls[name].caller, name, arguments)


@pytest.mark.parametrize("wrong", [None, -1, "ü", "x" * 301, {"x": 1}, [[]]], ids=lambda value: repr(value)[:9])
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_field_of_another_form_is_malformed(name: str, field: str, wrong: object) -> None:
    ledger, calls = stage()
    with refused("malformed"):
        submit(ledger, calls[name].with_arguments(**{field: wrong}))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_arguments_must_be_canonical(name: str) -> None:
    ledger, calls = stage()
    call = calls[name]
    with refused("malformed"):
        ledger.endorse_bytes(call.caller, name, encode(call.arguments).replace(b":", b": ", 1))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_arguments_are_at_most_64_kib(name: str) -> None:
    ledger, calls = stage()
    with refused("limit"):
        ledger.endorse_bytes(calls[name].caller, name, b" " * (ARGUMENTS_MAX_BYTES + 1))


def test_an_unknown_transaction_is_refused() -> None:
    ledger, _ = stage()
    with refused("unknown-transaction"):
        ledger.submit(REMY, "DeleteEverything", {})


@pytest.mark.parametrize("subject", ["", "a/b", "ü", "x" * 65, "a\x00b"])
def test_a_subject_that_is_no_part_of_a_key_is_refused(subject: str) -> None:
    ledger, calls = stage()
    with refused("malformed"):
        submit(ledger, calls["VoteModel"], replace(STELLA, subject=subject))
