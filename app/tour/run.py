"""Run the tour and print how each step came out."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.tour import beginning, judging, opening, oversight, sharing
from app.tour.world import Done, Step, new_world

STEPS: Final = (
    *beginning.STEPS,
    *sharing.STEPS,
    *opening.STEPS,
    *judging.STEPS,
    *oversight.STEPS,
    *oversight.LAST,
)


def run(*, as_json: bool, keep: Path | None) -> int:
    """Run all steps on a fresh sandbox; return 0 only if every one came out as expected.

    Args:
        as_json: print one JSON object a line: step, expected, outcome, ok, block, transaction_id, milliseconds.
        keep: an empty folder to leave the sandbox in; without it nothing is left.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        sys.stderr.write(f"assent: {keep} is not empty. Name a new folder.\n")
        return 2
    wrong = 0
    with _folder(keep) as folder, new_world(folder) as world:
        for number, step in enumerate(STEPS, 1):
            started = time.perf_counter()
            try:
                done = step.run(world)
            except Exception as error:  # noqa: BLE001 -- whatever a step raises is a wrong outcome, and the tour goes on
                done = Done(f"{type(error).__name__}: {error}")
            wrong += done.outcome != step.expected
            _say(number, step, done, round((time.perf_counter() - started) * 1000), as_json=as_json)
    if not as_json:
        sys.stdout.write(f"\n{len(STEPS) - wrong} of {len(STEPS)} steps came out as they must.\n")
    return 1 if wrong else 0


def _say(number: int, step: Step, done: Done, milliseconds: int, *, as_json: bool) -> None:
    ok = done.outcome == step.expected
    if as_json:
        line = {
            "step": step.name,
            "expected": step.expected,
            "outcome": done.outcome,
            "ok": ok,
            "block": done.block,
            "transaction_id": done.transaction_id,
            "milliseconds": milliseconds,
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        entry = "" if done.block is None else f"  block {done.block} {done.transaction_id[:8]}".rstrip()
        expected = "" if ok else f"\n      expected: {step.expected}"
        mark = "ok " if ok else "NO "
        sys.stdout.write(f"{number:3} {mark} {step.name}\n      {done.outcome}{entry}  ({milliseconds} ms){expected}\n")
    sys.stdout.flush()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="assent-tour-") as name:
        yield Path(name)
