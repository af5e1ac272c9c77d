"""What the custodian honours, and what the patient is told (ATTACKS.md A17, A18, A27, A28)."""

import json
import os

import pytest

from app.consent.compile import Compiled, compile_consent
from app.consent.tags import tag
from app.consent.terms import Category, Labels
from app.custodian.messages import CustodianRefusal
from app.custodian.results import Notice, Opening
from ledger.commitments import commitment
from ledger.contract.canonical import Json
from tests.support.custody import DAY, Staff, World, document


def notices(world: World, grantee: str) -> tuple[Notice, ...]:
    pair = world.alice.pairs[grantee]
    return world.alder.client.notices(
        world.alice.signers[grantee], pair.patient_id, world.mailbox(world.alice, grantee)
    )


def prepared(world: World, who: Staff) -> str:
    """Introduce and let the patient claim her key; nothing is granted."""
    world.introduce(who, world.alice)
    world.alder.unlock(world.alice, who.signer.msp_id)
    return world.alice.pairs[who.signer.msp_id].patient_id


def base_told(notice: Notice) -> dict[str, Json]:
    """Return the base provision as the notice says it."""
    provisions = notice.content["provisions"]
    assert isinstance(provisions, list)
    base = provisions[0]
    assert isinstance(base, dict)
    return base


def known_to(world: World, patient_id: str) -> set[str]:
    """Return what the ledger holds for a patient id, by display."""
    return {
        held.display
        for shared in world.alder.desk.index.shared_of(patient_id)
        if world.alder.desk.find("record", patient_id, shared.record_id) is not None
        and (held := world.alder.desk.index.record(shared.internal_id)) is not None
    }


def test_own_records_are_known_at_import_and_others_only_when_a_consent_reaches_them(world: World) -> None:
    patient_id = prepared(world, world.dan)
    files = [
        document("inside"),
        document("other kind", category="laboratory"),
        document("too old", date="2020-01-01"),
        document("undated", date=""),
    ]
    world.alder.import_documents(world.alice, *files)
    assert known_to(world, world.alice.patient_id) == {"inside", "other kind", "too old", "undated"}
    assert known_to(world, patient_id) == set()
    terms = world.terms(world.dan, made_from="2026-01-01", made_until="2026-12-31")
    world.grant(world.alice, "Birch", "c1", world.sharing(world.alice, "c1", terms))
    assert known_to(world, patient_id) == {"inside"}


def test_later_records_are_known_when_the_list_is_refreshed(world: World) -> None:
    patient_id = world.share(world.dan, world.alice)
    world.alder.import_documents(world.alice, document("new"))
    assert known_to(world, patient_id) == set()
    assert world.alder.client.refresh_records(world.dan.signer, patient_id) == 1
    assert world.alder.client.refresh_records(world.dan.signer, patient_id) == 0
    assert known_to(world, patient_id) == {"new"}


@pytest.mark.parametrize(
    ("labels", "told"), [(Labels.NORMAL_ONLY, True), (Labels.NORMAL_ONLY, False), (Labels.NOT_MENTAL_HEALTH, True)]
)
def test_what_is_withheld_by_label_is_counted_only_if_she_lets_them_know(
    world: World, labels: Labels, *, told: bool
) -> None:
    """Scenario 13; ATTACKS.md A18: a count, no date, no kind."""
    patient_id = prepared(world, world.dan)
    assert world.alder.client.tells_withheld(world.alice.signers["Birch"], patient_id)
    if not told:
        world.alder.client.tell_withheld(world.alice.signers["Birch"], patient_id, on=False)
    assert world.alder.client.tells_withheld(world.alice.signers["Birch"], patient_id) is told
    world.alder.import_documents(
        world.alice, document("plain"), document("psychiatric", level="R", sensitivities=("PSY",))
    )
    terms = world.terms(world.dan, labels=labels, emergency_opens=False)
    world.grant(world.alice, "Birch", "c1", world.sharing(world.alice, "c1", terms))
    assert known_to(world, patient_id) == ({"plain", "psychiatric"} if told else {"plain"})
    listed = world.list(world.dan, patient_id)
    assert [row.display for row in listed.rows] == ["plain"]
    assert listed.withheld == (1 if told else 0)


def test_rows_are_decided_one_by_one(world: World) -> None:
    """ATTACKS.md A36: a second consent refuses one kind; the row is gone from the list."""
    files = [document("fna"), document("letter", category="document", level="N")]
    world.alder.import_documents(world.alice, *files)
    patient_id = world.share(world.dan, world.alice)
    assert {row.display for row in world.list(world.dan, patient_id).rows} == {"fna", "letter"}
    only = world.terms(world.dan, categories=frozenset({Category.CYTOLOGY}))
    world.grant(world.alice, "Birch", "c2", world.sharing(world.alice, "c2", only), replaces="c1")
    assert {row.display for row in world.list(world.dan, patient_id).rows} == {"fna"}


def test_the_same_study_is_not_linkable_between_pairs(world: World) -> None:
    """ATTACKS.md A17: ids, commitments and tags of one record have nothing in common in two pairs."""
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.dan, world.alice)
    seen = []
    for each in (world.alice.patient_id, patient_id):
        shared = world.alder.desk.index.shared_of(each)[0]
        record = world.alder.desk.find("record", each, shared.record_id)
        assert record is not None
        description = record["description"]
        tags = {*description["classes"], *description["records"], description["level"], *description["dates"][0]}
        seen.append({each, shared.record_id, record["commitment"], *tags})
    assert not seen[0] & seen[1]


def test_a_notice_says_what_the_ledger_says(world: World) -> None:
    patient_id = prepared(world, world.dan)
    terms = world.terms(world.dan, made_from="2025-01-01", made_until="2026-06-30", labels=Labels.NORMAL_ONLY)
    world.grant(world.alice, "Birch", "c1", world.sharing(world.alice, "c1", terms))
    notice = notices(world, "Birch")[-1]
    assert (notice.kind, notice.patient_id, notice.content["consent_id"]) == ("consent-granted", patient_id, "c1")
    base = base_told(notice)
    assert base["actors"] == [{"kind": "practitioner", "ids": [world.dan.subject], "name": "Dr Dan Specimen"}]
    assert base["categories"] == ["cytology", "document"]
    assert base["period"] == [["2025-01-01", "2026-06-30"]]
    assert base["levels"] == ["U", "L", "M", "N"]
    assert (base["purposes"], base["actions"]) == (["TREAT"], ["access"])
    assert base["valid_until"] == world.clock() + 7 * DAY
    assert notice.content["retention_days"] == 7


def test_an_open_period_is_told_as_open(world: World) -> None:
    prepared(world, world.dan)
    terms = world.terms(world.dan, made_from="2026-12-31")
    world.grant(world.alice, "Birch", "c1", world.sharing(world.alice, "c1", terms))
    assert base_told(notices(world, "Birch")[-1])["period"] == [["2026-12-31", "9999-12-31"]]


def test_a_grant_that_the_artefact_does_not_say_is_not_honoured(world: World) -> None:
    """ATTACKS.md A28: the workstation shows cytology to dan for a day and signs everything to everyone."""
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = prepared(world, world.dan)
    signer, pair = world.alice.signers["Birch"], world.alice.pairs["Birch"]
    shown = world.sharing(world.alice, "c1", world.terms(world.dan, keep_open_days=1))
    compiled = compile_consent(shown.consent, shown.context, tag(pair.tag_key))
    assert isinstance(compiled, Compiled)
    salt = os.urandom(32)
    world.alder.client.store_consent(signer, patient_id, "c1", shown.to_bytes(), salt)
    base = {**compiled.terms()["base"], "actors": [["anyone"]], "classes": [], "valid_until": None}  # type: ignore[dict-item]
    arguments = {
        "patient_id": patient_id,
        "consent_id": "c1",
        "base": base,
        "nested": [],
        "retention_days": 1,
        "artefact_commitment": commitment(salt, shown.to_bytes()),
        "replaces": "",
    }
    world.submit(signer, "GrantConsent", arguments)
    world.alder.custodian.tick()

    assert known_to(world, patient_id) == set()
    alarms = world.alder.client.alarms(world.alder.staff["officer"].signer)
    assert alarms.flags == {(patient_id, "c1"): "artefact-mismatch"}
    notice = notices(world, "Birch")[-1]
    assert notice.kind == "artefact-mismatch"
    assert base_told(notice)["actors"] == [{"kind": "anyone", "ids": [], "name": ""}]
    with pytest.raises(CustodianRefusal, match="artefact-mismatch"):
        world.list(world.dan, patient_id)


@pytest.mark.parametrize("spoil", ["patient", "consent", "context", "zone", "compile", "form"])
def test_an_artefact_that_cannot_be_honoured_is_not_kept(world: World, spoil: str) -> None:
    patient_id = prepared(world, world.dan)
    artefact = world.sharing(world.alice, "c1", world.terms(world.dan)).to_bytes()
    fields = json.loads(artefact)
    if spoil == "patient":
        fields["consent"] = fields["consent"].replace(patient_id, world.alice.patient_id)
    elif spoil == "consent":
        fields["consent"] = fields["consent"].replace('"c1"', '"c2"')
    elif spoil == "context":  # the screen says dan, the ledger would say mallory
        fields["context"]["ids"][f"Practitioner/{world.dan.subject}"] = world.mallory.subject
    elif spoil == "zone":
        fields["context"]["zone"] = "+09:00"
    elif spoil == "compile":
        fields["consent"] = fields["consent"].replace('"status":"active"', '"status":"wonderful"')
    else:
        fields["more"] = ""
    raw = json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()
    with pytest.raises(CustodianRefusal, match="artefact-mismatch"):
        world.alder.client.store_consent(world.alice.signers["Birch"], patient_id, "c1", raw, bytes(32))
    assert world.alder.desk.index.artefact(patient_id, "c1") is None


def test_a_granted_artefact_stays_what_it_was(world: World) -> None:
    patient_id = world.share(world.dan, world.alice)
    kept = world.alder.desk.index.artefact(patient_id, "c1")
    other = world.sharing(world.alice, "c1", world.terms(world.dan, keep_open_days=1)).to_bytes()
    with pytest.raises(CustodianRefusal, match="already-exists"):
        world.alder.client.store_consent(world.alice.signers["Birch"], patient_id, "c1", other, bytes(32))
    assert world.alder.desk.index.artefact(patient_id, "c1") == kept


def test_only_the_party_leaves_artefacts(world: World) -> None:
    patient_id = prepared(world, world.dan)
    artefact = world.sharing(world.alice, "c1", world.terms(world.dan)).to_bytes()
    bob = world.alder.register("Bob Mockup")
    world.alder.unlock(bob)
    for signer in (world.dan.signer, world.carol.signer, bob.signers["Alder"], world.alice.signers["Alder"]):
        with pytest.raises(CustodianRefusal):
            world.alder.client.store_consent(signer, patient_id, "c1", artefact, bytes(32))


def test_a_request_is_read_by_the_patient_and_its_proposer(world: World) -> None:
    patient_id = prepared(world, world.dan)
    salt = os.urandom(32)
    world.alder.client.store_request(
        world.dan.signer, patient_id, "q1", text="the request", reason="to plan treatment", salt=salt
    )
    for signer in (world.alice.signers["Birch"], world.dan.signer):
        stored = world.alder.client.read_request(signer, patient_id, "q1")
        assert (stored.text, stored.reason, stored.subject) == ("the request", "to plan treatment", world.dan.subject)
    with pytest.raises(CustodianRefusal, match="unknown-consent"):
        world.alder.client.read_request(world.mallory.signer, patient_id, "q1")
    with pytest.raises(CustodianRefusal, match="already-exists"):
        world.alder.client.store_request(world.mallory.signer, patient_id, "q1", text="x", reason="y", salt=salt)


def test_a_reason_that_is_not_the_recorded_one_is_not_shown(world: World) -> None:
    patient_id = prepared(world, world.dan)
    salt = os.urandom(32)
    world.alder.client.store_request(world.dan.signer, patient_id, "q1", text="t", reason="harmless", salt=salt)
    compiled = compile_consent(
        (artefact := world.sharing(world.alice, "q1", world.terms(world.dan))).consent,
        artefact.context,
        world.alder.desk.tag(patient_id),
    )
    assert isinstance(compiled, Compiled)
    proposal = {"patient_id": patient_id, "consent_id": "q1", **compiled.terms(), "retention_days": 7}
    recorded = {**proposal, "reason_commitment": commitment(salt, b"the true reason")}
    world.submit(world.dan.signer, "ProposeConsent", recorded)
    with pytest.raises(CustodianRefusal, match="artefact-mismatch"):
        world.alder.client.read_request(world.alice.signers["Birch"], patient_id, "q1")
    with pytest.raises(CustodianRefusal, match="already-exists"):
        world.alder.client.store_request(world.dan.signer, patient_id, "q1", text="t", reason="new", salt=salt)


def test_notices_are_numbered_and_sealed_to_her_mailbox(world: World) -> None:
    patient_id = world.share(world.dan, world.alice)
    world.list(world.dan, patient_id)
    world.alder.custodian.tick()
    world.submit(world.alice.signers["Birch"], "RevokeConsent", {"patient_id": patient_id, "consent_id": "c1"})
    world.alder.custodian.tick()
    told = notices(world, "Birch")
    assert [each.kind for each in told] == ["key-set", "consent-granted", "opened", "consent-revoked"]
    assert [each.number for each in told] == [1, 2, 3, 4]
    later = world.alder.client.notices(
        world.alice.signers["Birch"], patient_id, world.mailbox(world.alice, "Birch"), since=3
    )
    assert [each.kind for each in later] == ["consent-revoked"]
    own = notices(world, "Alder")
    assert [each.kind for each in own] == ["registered", "key-set"]
    with pytest.raises(CustodianRefusal):
        world.alder.client.notices(world.dan.signer, patient_id, world.mailbox(world.alice, "Birch"))


def test_not_me_stops_everything_of_that_pair(world: World) -> None:
    world.alder.import_documents(world.alice, document("fna"))
    patient_id = world.share(world.dan, world.alice)
    code = next(each.not_me for each in notices(world, "Birch") if each.kind == "consent-granted")
    with pytest.raises(CustodianRefusal, match="refused"):
        world.alder.client.not_me("a" * 26)
    world.alder.client.not_me(code)
    with pytest.raises(CustodianRefusal, match="stopped-by-patient"):
        world.list(world.dan, patient_id)
    assert notices(world, "Birch")[-1].kind == "suspended"
    world.alder.client.resume(world.alice.signers["Birch"], patient_id)
    assert world.list(world.dan, patient_id).rows


def test_an_introduction_code_is_no_not_me_code(world: World) -> None:
    code = world.alder.client.make_code(world.alice.signers["Alder"], world.alice.patient_id).code
    with pytest.raises(CustodianRefusal, match="refused"):
        world.alder.client.not_me(code)


def test_events_are_acted_on_once_across_restarts(world: World) -> None:
    world.share(world.dan, world.alice)
    before = len(notices(world, "Birch"))
    world.alder.custodian.tick()
    world.alder.close()
    world.alder.start()
    world.alder.custodian.tick()
    assert len(notices(world, "Birch")) == before


def test_a_consent_for_the_own_pair_is_honoured_too(world: World) -> None:
    world.alder.import_documents(world.alice, document("fna"))
    terms = world.terms(world.carol)
    opening = world.grant(world.alice, "Alder", "c1", world.sharing(world.alice, "c1", terms))
    assert isinstance(opening, Opening)
    assert [row.display for row in world.list(world.carol, world.alice.patient_id).rows] == ["fna"]
