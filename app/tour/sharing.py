"""Introduction, request, narrowing, signature, receipt."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.consent.terms import Category, Labels, WideningError
from app.services.drafts import Draft
from app.services.pairs import WrongCardError, WrongPinError
from app.services.turn import Turn
from app.tour.beginning import ALMA, CAROL, RITA
from app.tour.world import Done, Step, World, code_of
from app.wiring.sandbox import PIN

VERIFIER = Path(__file__).resolve().parents[2] / "resources" / "verifier" / "verify.py"
ASKED = frozenset({Category.IMAGE, Category.LABORATORY, Category.CYTOLOGY, Category.DOCUMENT, Category.PROBLEM})
WRONG_PIN = "13579246"
_FLIPS = 5


def _introduced(world: World) -> Done:
    code = world.staff(RITA).people.make_code(world.sandbox.persons[ALMA].patient_id)
    world.kept["code"] = code.code
    patient = world.staff(CAROL).patients.introduce("AlderMSP", code.code)
    world.kept["patient_id"] = patient.patient_id
    return Done(f"introduced to {patient.name}")


def _code_again(world: World) -> Done:
    return Done(code_of(lambda: world.staff(CAROL).patients.introduce("AlderMSP", world.kept["code"])))


def _requested(world: World) -> Done:
    today = datetime.fromtimestamp(world.clock(), UTC).date()
    draft = Draft(
        world.kept["patient_id"],
        categories=ASKED,
        first_day=(today - timedelta(days=730)).isoformat(),
        last_day=today.isoformat(),
        days=30,
        ai=True,
        reason="I want to compare your scan and cell sample with earlier ones.",
    )
    world.request = world.staff(CAROL).requests.send(draft)
    return _entry(world, "ConsentProposed", "waits for the patient")


def _turn(world: World) -> Turn:
    inbox = world.patient_anew(ALMA).inbox
    row = next(row for row in inbox.rows() if row.consent_id == world.request)
    return inbox.turn(row)


def _narrowed(world: World) -> Turn:
    turn = _turn(world)
    today = datetime.fromtimestamp(world.clock(), UTC).date()
    turn.narrow(
        categories=turn.terms.categories - {Category.LABORATORY},
        made_from=(today - timedelta(days=100)).isoformat(),
        keep_open_days=7,
        labels=Labels.NOT_MENTAL_HEALTH,
    )
    return turn


def _read(world: World) -> Done:
    turn = _turn(world)
    return Done(f"{turn.asked_by.name} asks: {turn.reason}")


def _narrow(world: World) -> Done:
    turn = _narrowed(world)
    return Done("narrowed: " + ", ".join(each.term for each in turn.narrowed))


def _no_more(world: World) -> Done:
    try:
        _turn(world).narrow(keep_open_days=90)
    except WideningError:
        return Done("refused: more than was asked")
    return Done("not refused")


def _no_card(world: World) -> Done:
    turn = _narrowed(world)
    card = world.sandbox.cards["Greta Imaginary"]
    found = []
    for text in ("", card):
        try:
            turn.sign(text, PIN)
        except WrongCardError:
            found.append("wrong card")
    return Done(", ".join(found))


def _wrong_pin(world: World) -> Done:
    try:
        _narrowed(world).sign(world.sandbox.cards[ALMA], WRONG_PIN)
    except WrongPinError as error:
        return Done(f"wrong PIN, {error.tries_left} tries left")
    return Done("not refused")


def _granted(world: World) -> Done:
    world.receipt = _narrowed(world).sign(world.sandbox.cards[ALMA], PIN)
    world.settle()
    return Done("recorded, with a receipt", world.receipt.block, world.receipt.transaction_id)


def _verified(world: World) -> Done:
    """Verify it with its QR code's fingerprint and the custodian's key; then with one byte changed, here and there."""
    assert world.receipt is not None  # noqa: S101 -- the step before made it
    content, file = world.receipt.content, world.folder / "receipt.json"
    key = base64.b64encode(world.machine.custodian_key("AlderMSP")).decode()
    known = ("--network", world.machine.gateway.network_id, "--custodian-key", key)
    file.write_bytes(content)
    good = verify(file, *known, "--fingerprint", world.receipt.hash)
    places = {content.index(b'"purpose":') + 12, content.index(b'"custodian":') + 300, len(content) - 2}
    places |= {len(content) * part // _FLIPS for part in range(_FLIPS)}
    refused = 0
    for place in sorted(places):
        changed = bytearray(content)
        changed[place] ^= 1
        file.write_bytes(changed)
        refused += not verify(file, *known, "--fingerprint", world.receipt.hash)["ok"]
    file.write_bytes(content)
    told = "every changed one refused" if refused == len(places) else f"{refused} of {len(places)} changed ones refused"
    return Done(f"receipt {_word(good)}, {told}", world.receipt.block, world.receipt.transaction_id)


def _notice(world: World) -> Done:
    pair = world.patient(ALMA).unlocked.pair(world.kept["patient_id"])
    notices = pair.client.notices(pair.identity, pair.patient_id, pair.mailbox)
    kinds = {notice.kind for notice in notices}
    return Done("notice of the grant" if "consent-granted" in kinds else f"{sorted(kinds)}")


def verify(file: Path, *options: str) -> dict[str, object]:
    """Run the separate verifier on an exported ledger or a receipt, as somebody else would."""
    run = subprocess.run(  # noqa: S603 -- our own verifier
        [sys.executable, "-I", str(VERIFIER), str(file), "--json", *options],
        capture_output=True,
        check=False,
        text=True,
    )
    answer: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    if (run.returncode == 0) != answer["ok"]:
        raise ValueError(run)
    return answer


def _word(answer: dict[str, object]) -> str:
    return "verified" if answer["ok"] else "refused"


def _entry(world: World, name: str, outcome: str) -> Done:
    event = [event for event in world.machine.catch_up().events() if event.name == name][-1]
    return Done(outcome, event.block, event.transaction_id)


STEPS = (
    Step("A registrar makes an introduction code and a practitioner uses it", f"introduced to {ALMA}", _introduced),
    Step("The code is used again", "refused", _code_again),
    Step(
        "He asks for five kinds of records, two years, kept 30 days, and a suggestion",
        "waits for the patient",
        _requested,
    ),
    Step(
        "She reads who asks and why",
        f"{CAROL} asks: I want to compare your scan and cell sample with earlier ones.",
        _read,
    ),
    Step(
        "She takes out laboratory, older records, three weeks, and mental health",
        "narrowed: categories, made_from, keep_open_days, labels",
        _narrow,
    ),
    Step("She is offered more than was asked", "refused: more than was asked", _no_more),
    Step("She signs without her card, then with another's", "wrong card, wrong card", _no_card),
    Step("She signs with a wrong PIN", "wrong PIN, 4 tries left", _wrong_pin),
    Step("She signs with card and PIN", "recorded, with a receipt", _granted),
    Step("The receipt is verified with the network off", "receipt verified, every changed one refused", _verified),
    Step("Her hospital tells her what it read on the ledger", "notice of the grant", _notice),
)
