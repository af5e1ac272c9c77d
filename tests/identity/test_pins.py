"""PINs and passphrases (ATTACKS.md A27, A51; HOSTILE.md 28)."""

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st

from app.identity.pins import PERSON, VAULT, PinVerifier, Stretching, WeakPinError, check_passphrase, check_pin, stretch
from tests.support.stretching import FAST

SALT = b"sixteen bytes !!"


def test_argon2id_is_the_reference_implementations() -> None:
    # phc-winner-argon2, test.c: version 0x13, t = 2, m = 2^16 KiB, p = 1, "password", "somesalt"
    key = Argon2id(salt=b"somesalt", length=32, iterations=2, lanes=1, memory_cost=65536).derive(b"password")
    assert key.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_stretching_hands_every_setting_to_its_place() -> None:
    expected = Argon2id(salt=SALT, length=32, iterations=3, lanes=2, memory_cost=64).derive(b"24681012")
    assert stretch("24681012", SALT, Stretching(memory_kib=64, iterations=3, lanes=2)) == expected


def test_the_settings_are_the_protocols() -> None:
    assert (VAULT.memory_kib, VAULT.iterations) == (256 * 1024, 3)
    assert (PERSON.memory_kib, PERSON.iterations, PERSON.lanes) == (64 * 1024, 3, 4)


def test_the_same_letters_from_another_keyboard_are_the_same_passphrase() -> None:
    assert stretch("Stra\u00dfe zu M\u00fcnchen", SALT, FAST) == stretch("Stra\u00dfe zu Mu\u0308nchen", SALT, FAST)


@pytest.mark.parametrize("pin", ["24681012", "19370428", "00000001", "123456789012345"[::2]])
def test_eight_digits_are_a_pin(pin: str) -> None:
    check_pin(pin)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "2468101",
        "2468101a",
        "2468 1012",
        "00000000",
        "12345678",
        "87654321",
        "78901234",
        "٢٤٦٨١٠١٢",
        "²4681012",
        "1" * 300,
    ],
)
def test_what_is_no_pin_or_everyones_first_guess_is_refused(pin: str) -> None:
    with pytest.raises(WeakPinError):
        check_pin(pin)
    with pytest.raises(WeakPinError):
        PinVerifier.make(pin, FAST)


@pytest.mark.parametrize("passphrase", ["", "seven77", "aaaaaaaaaaaa", "x1" * 200, "abcdefg\ud800"])
def test_weak_passphrases_are_refused(passphrase: str) -> None:
    with pytest.raises(WeakPinError):
        check_passphrase(passphrase)


def test_a_verifier_tells_right_from_wrong() -> None:
    verifier = PinVerifier.make("24681012", FAST)
    assert verifier.is_right("24681012")
    for wrong in ("24681013", "", "2468101", "24681012 ", "٢٤٦٨١٠١٢", "2" * 10_000, "\ud800"):
        assert not verifier.is_right(wrong)


def test_two_verifiers_of_one_pin_have_nothing_in_common() -> None:
    first, second = PinVerifier.make("24681012", FAST), PinVerifier.make("24681012", FAST)
    assert first.salt != second.salt
    assert first.digest != second.digest


def test_a_verifier_keeps_its_meaning_on_the_wire_and_shows_no_digest() -> None:
    verifier = PinVerifier.make("24681012", FAST)
    again = PinVerifier.from_wire(verifier.to_wire())
    assert again == verifier
    assert again.is_right("24681012")
    assert verifier.digest.hex() not in repr(verifier)
    assert str(verifier.digest) not in repr(verifier)


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "AAAA"},
        {"digest": "AAAA"},
        {"digest": "not base64"},
        {"stretching": {}},
        {"stretching": {"memory_kib": True, "iterations": 1, "lanes": 1}},
        {"stretching": {"memory_kib": 8, "iterations": 1, "lanes": "1"}},
        {"stretching": {"memory_kib": 2**31, "iterations": 1, "lanes": 1}},
        {"more": 1},
    ],
)
def test_a_changed_verifier_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        PinVerifier.from_wire({**PinVerifier.make("24681012", FAST).to_wire(), **change})


def test_no_verifier_is_no_verifier() -> None:
    with pytest.raises(ValueError, match="not a PIN verifier"):
        PinVerifier.from_wire([])


@given(st.integers(-1, 2**40), st.integers(-1, 100), st.integers(-1, 100))
def test_foreign_settings_never_cost_more_than_a_gibibyte_and_sixteen_passes(
    memory: int, passes: int, lanes: int
) -> None:
    try:
        settings = Stretching(memory, passes, lanes)
    except ValueError:
        return
    assert settings.memory_kib <= 1024 * 1024
    assert settings.iterations <= 16


def test_a_salt_has_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        stretch("24681012", b"short", FAST)
