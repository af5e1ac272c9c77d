"""Persons, cards, PINs, certificates: what the custodian gives out, and what it does not (ATTACKS.md A4, A27, A30)."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.custodian.messages import CustodianRefusal
from app.custodian.results import Person
from app.identity.certificates import Role, certificate_request
from app.identity.signing import SigningIdentity
from ledger.gateway import EndorseError
from ledger.signatures import spki
from tests.support.custody import PIN, World

WRONG = "13572468"


def unlock(world: World, pin: str, card_id: str = "") -> CustodianRefusal:
    with pytest.raises(CustodianRefusal) as caught:
        world.alder.client.unlock_card(card_id or world.alice.card.card_id, pin)
    return caught.value


def test_a_registered_person_has_her_key_on_the_ledger(world: World) -> None:
    patient = world.alder.desk.find("patient", world.alice.patient_id)
    assert patient is not None
    assert (patient["custodian"], patient["grantee"], patient["custody"]) == ("Alder", "Alder", "card")
    assert patient["key_hash"] == world.alice.signers["Alder"].key_hash


def test_the_custodian_keeps_no_card_secret(world: World) -> None:
    secret = world.alice.card.secret
    text = world.alice.registered.card_text.rpartition(".")[2].encode()
    for path in world.alder.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert text not in content


def test_names_are_in_no_file(world: World) -> None:
    for path in world.alder.folder.rglob("*"):
        if path.is_file():
            assert b"Fictive" not in path.read_bytes()


def test_five_wrong_pins_lock_the_card_and_a_registrar_unlocks_it(world: World) -> None:
    assert [unlock(world, WRONG).tries_left for _ in range(4)] == [4, 3, 2, 1]
    assert unlock(world, WRONG).code == "card-locked"
    assert unlock(world, PIN).code == "card-locked"
    assert [row.card for row in world.alder.client.people(world.carol.signer)] == ["locked"]
    world.alder.client.reset_pin(world.alder.staff["registrar"].signer, world.alice.person_id, "97531864")
    key_before = world.alice.signers["Alder"].key_hash
    assert unlock(world, PIN).tries_left == 4
    pair = world.alder.client.unlock_card(world.alice.card.card_id, "97531864").pairs[0]
    assert pair.share == world.alice.pairs["Alder"].share
    assert world.alice.signers["Alder"].key_hash == key_before


def test_a_right_pin_gives_all_tries_back(world: World) -> None:
    assert unlock(world, WRONG).tries_left == 4
    world.alder.client.unlock_card(world.alice.card.card_id, PIN)
    assert unlock(world, WRONG).tries_left == 4


def test_a_try_is_spent_before_the_pin_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killing the custodian while it compares gives nobody a free guess."""

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("app.identity.pins.PinVerifier.is_right", killed)
        with pytest.raises(KeyboardInterrupt):
            world.alder.client.unlock_card(world.alice.card.card_id, WRONG)
    assert unlock(world, WRONG).tries_left == 3


def test_an_unknown_card_looks_like_a_wrong_pin(world: World) -> None:
    refused = unlock(world, WRONG, "a" * 16)
    assert (refused.code, refused.tries_left, refused.detail) == ("wrong-pin", 4, "")


@pytest.mark.parametrize("pin", ["1234567", "12345678", "11111111", "2468101a", ""])
def test_a_weak_pin_is_refused_when_it_is_chosen(world: World, pin: str) -> None:
    person = Person("Bob Mockup", "1971-03-04")
    with pytest.raises(CustodianRefusal, match="malformed"):
        world.alder.client.register_person(world.alder.staff["registrar"].signer, person, pin)
    assert len(world.alder.desk.index.persons()) == 1


@pytest.mark.parametrize(
    "person",
    [
        Person("", "1971-03-04"),
        Person("Bob Mockup", "1971-02-30"),
        Person("Bob Mockup", "4 March 1971"),
        Person("Bob Mockup", "1971-03-04", "unclear"),
    ],
)
def test_what_cannot_be_a_person_is_refused(world: World, person: Person) -> None:
    with pytest.raises(CustodianRefusal, match="malformed"):
        world.alder.client.register_person(world.alder.staff["registrar"].signer, person, PIN)


def test_a_person_is_registered_once(world: World) -> None:
    with pytest.raises(CustodianRefusal, match="already-exists"):
        world.alder.client.register_person(world.alder.staff["registrar"].signer, world.alice.person, PIN)


@pytest.mark.parametrize("name", ["operator", "officer", "carol"])
def test_only_a_registrar_registers(world: World, name: str) -> None:
    with pytest.raises(CustodianRefusal, match="wrong-role"):
        world.alder.client.register_person(world.alder.staff[name].signer, Person("Bob", "1971-03-04"), PIN)


def test_a_registrar_of_another_hospital_registers_nobody(world: World) -> None:
    with pytest.raises(CustodianRefusal, match="wrong-organization"):
        world.alder.client.register_person(world.birch.staff["registrar"].signer, Person("Bob", "1971-03-04"), PIN)


def test_people_are_listed_to_the_own_hospital_only(world: World) -> None:
    rows = world.alder.client.people(world.carol.signer)
    assert [(row.person.name, row.patient_id) for row in rows] == [("Alice Fictive", world.alice.patient_id)]
    with pytest.raises(CustodianRefusal, match="wrong-organization"):
        world.alder.client.people(world.dan.signer)


def test_a_certificate_says_whose_patient_id_it_is_and_nothing_else(world: World) -> None:
    """ATTACKS.md A17: rounded to the day, equal lifetime, random serial, one extension, the same one again."""
    certificate = x509.load_der_x509_certificate(world.alice.signers["Alder"].certificate)
    assert certificate.not_valid_before_utc.time().isoformat() == "00:00:00"
    assert [extension.oid.dotted_string for extension in certificate.extensions] == ["1.2.3.4.5.6.7.8.1"]
    assert certificate.serial_number.bit_length() > 96
    world.clock.now += 3600
    before = world.alice.signers["Alder"].certificate
    world.alder.unlock(world.alice)
    assert world.alice.signers["Alder"].certificate == before


def test_a_certificate_is_renewed_for_the_same_key(world: World) -> None:
    before = world.alice.signers["Alder"]
    world.clock.now += 720 * 86_400
    world.alder.unlock(world.alice)
    after = world.alice.signers["Alder"]
    assert after.certificate != before.certificate
    assert after.key_hash == before.key_hash


def test_another_key_for_a_claimed_id_is_refused(world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = certificate_request(key, world.alice.patient_id)
    with pytest.raises(CustodianRefusal, match="wrong-key"):
        world.alder.client.issue_patient_certificate(world.alice.card.card_id, PIN, request)


def test_a_reminted_certificate_acts_for_nobody(world: World) -> None:
    """ATTACKS.md A4: the CA's operator makes alice again; contract and custodian refuse the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    patient_id = world.alice.patient_id
    certificate = world.alder.authority.issue(spki(key.public_key()), patient_id, Role.PATIENT, world.clock())
    minted = SigningIdentity("Alder", certificate, key)
    with pytest.raises(EndorseError, match="wrong-key"):
        world.submit(minted, "RejectConsent", {"patient_id": patient_id, "consent_id": "c1"})
    with pytest.raises(CustodianRefusal, match="wrong-key"):
        world.alder.client.statement(minted, patient_id)


def test_a_card_certifies_its_own_persons_ids_only(world: World) -> None:
    bob = world.alder.register("Bob Mockup")
    key = ec.generate_private_key(ec.SECP256R1())
    request = certificate_request(key, world.alice.patient_id)
    with pytest.raises(CustodianRefusal, match="refused"):
        world.alder.client.issue_patient_certificate(bob.card.card_id, PIN, request)


@pytest.mark.parametrize("request_bytes", [b"", b"no request"])
def test_what_is_no_certificate_request_is_refused(world: World, request_bytes: bytes) -> None:
    with pytest.raises(CustodianRefusal, match="malformed"):
        world.alder.client.issue_patient_certificate(world.alice.card.card_id, PIN, request_bytes)


def test_a_session_at_birch_learns_the_pair_with_birch_only(world: World) -> None:
    world.introduce(world.dan, world.alice)
    pairs = world.alder.client.unlock_card(world.alice.card.card_id, PIN, "Birch").pairs
    assert [pair.grantee for pair in pairs] == ["Birch"]
    assert pairs[0].share != world.alice.pairs["Alder"].share
    assert {pair.grantee for pair in world.alder.client.unlock_card(world.alice.card.card_id, PIN).pairs} == {
        "Alder",
        "Birch",
    }
