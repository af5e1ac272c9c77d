"""Suggestions: approved, consented, answered; and refused where either is missing."""

import shutil
from dataclasses import replace
from pathlib import Path

from app.consent.terms import Category
from app.records.views import open_table
from app.services.drafts import Draft
from app.services.models import BundledModel, bundled_models
from app.services.openings import DeniedError
from app.services.suggestions import Answer, NotRunError
from app.tour.beginning import CAROL, CLARA, RITA
from app.tour.world import Done, Step, World, code_of
from app.wiring.sandbox import PIN

GRETA = "Greta Imaginary"


def _values(world: World) -> dict[str, object]:
    """Return one row of the open cytology table, a text per measurement."""
    table = open_table(world.installation.reader, world.opened["cytology"].objects[0])
    roles = set(table.roles.values())
    return {
        column.name: cell.text
        for number, (column, cell) in enumerate(zip(table.columns, table.rows[0], strict=True))
        if number not in roles
    }


def _suggested(world: World) -> Answer:
    return world.staff(CAROL).suggestions.run(world.opened["cytology"], _values(world), bundled_models()[0])


def _run(world: World) -> Done:
    answer = _suggested(world)
    world.kept["suggestion"] = answer.suggestion_id
    world.answer = answer
    return Done(f"answered, {answer.status.status}", answer.commit.block, answer.commit.transaction_id)


def _verdict(world: World) -> Done:
    assert world.answer is not None  # noqa: S101 -- the step before made it
    desk = world.staff(CAROL)
    commit = desk.suggestions.answer(world.answer, "second-reader", "", "", "Border case.", PIN)
    return Done("verdict recorded", commit.block, commit.transaction_id)


def _declined(world: World) -> Done:
    values = {**_values(world), "mean radius": "900"}
    answer = world.staff(CAROL).suggestions.run(world.opened["cytology"], values, bundled_models()[0])
    return Done(answer.outcome, answer.commit.block, answer.commit.transaction_id)


def _without_consent(world: World) -> Done:
    """Another patient allowed care and no suggestion."""
    code = world.staff(RITA).people.make_code(world.sandbox.persons[GRETA].patient_id)
    desk = world.staff(CAROL)
    patient = desk.patients.introduce("AlderMSP", code.code)
    desk.requests.send(Draft(patient.patient_id, categories=frozenset({Category.CYTOLOGY}), ai=True, reason="Care."))
    greta = world.patient(GRETA)
    turn = greta.inbox.turn(greta.inbox.rows()[0])
    turn.narrow(ai_inference=False)
    turn.sign(world.sandbox.cards[GRETA], PIN)
    world.settle()
    row = next(row for row in desk.worklist.list_records(patient, "TREAT") if row.can_open)
    opened = desk.openings.open(row.wanted, "TREAT")
    try:
        desk.suggestions.run(opened, _values(world), bundled_models()[0])
    except DeniedError as denied:
        return Done(f"denied {denied.access.reason}", denied.block)
    finally:
        desk.openings.close(opened)
    return Done("not denied")


def _unregistered(world: World) -> Done:
    stranger: BundledModel = replace(bundled_models()[0], folder=_changed_model(world))
    try:
        world.staff(CAROL).suggestions.run(world.opened["cytology"], _values(world), stranger)
    except NotRunError as error:
        return Done(f"not run: {error.code}")
    return Done("it ran")


def _changed_model(world: World) -> Path:
    """Copy the bundled model and change one letter of its manifest, as a file dropped beside it would be."""
    folder = world.folder / "another-model"
    shutil.copytree(bundled_models()[0].folder, folder)
    manifest = folder / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes().replace(b"a", b"b", 1))
    return folder


def _suspended(world: World) -> Done:
    steward, model = world.staff(CLARA), bundled_models()[0]
    vote = {"model_id": model.model_id, "vote": "suspend"}
    commit = world.machine.submission(steward.identity).send("VoteModel", vote)
    try:
        world.staff(CAROL).suggestions.run(world.opened["cytology"], _values(world), model)
    except NotRunError as error:
        return Done(f"not run: {error.code}", commit.block, commit.transaction_id)
    return Done("it ran")


def _not_by_all(world: World) -> Done:
    vote = {"model_id": bundled_models()[0].model_id, "vote": "approve"}
    return Done(code_of(lambda: world.machine.submission(world.staff(CAROL).identity).send("VoteModel", vote)))


STEPS = (
    Step("The approved model suggests, because she allowed it", "answered, approved", _run),
    Step("He answers: a second reader", "verdict recorded", _verdict),
    Step("A value outside what the model knows", "declined", _declined),
    Step("A patient allowed care and no suggestion", "denied PURPOSE_NOT_COVERED", _without_consent),
    Step("A model whose manifest is not the registered one", "not run: not-approved", _unregistered),
    Step("A doctor who is no data steward votes", "forbidden", _not_by_all),
    Step("One hospital suspends the model", "not run: suspended", _suspended),
)
