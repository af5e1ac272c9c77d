"""The benchmarks' own arithmetic: what is called met, and that sides take turns."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import measurement
from tests.benchmarks.measurement import Result, pairs, table

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("goal", "ratios", "met"),
    [
        (("<=", 1.0), (0.9, 5.0, 1.0), "yes"),
        (("<=", 1.0), (0.9, 1.1, 1.2), "no"),
        ((">=", 1.0), (0.9, 1.1, 1.2), "yes"),
        ((">=", 1.0), (0.9, 0.9, 1.2), "no"),
    ],
)
def test_the_median_of_the_ratios_decides(goal: tuple[str, float], ratios: tuple[float, ...], met: str) -> None:
    assert Result("1", "what", goal, ratios, "peer").cells()[5] == met


def test_sides_take_turns_and_keep_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    called: list[float] = []

    def timer(work: Callable[[], object]) -> float:
        work()
        return called[-1]

    measured = pairs(timer, lambda: called.append(1.0), lambda: called.append(2.0), runs=2)
    assert measured == [(1.0, 2.0), (1.0, 2.0)]
    assert called == [1.0, 2.0, 2.0, 1.0]


@pytest.mark.parametrize(("load", "runs"), [(0.0, 2), (999.0, 4)])
def test_a_busy_machine_is_measured_once_more(load: float, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    calls = []
    pairs(measurement.wall, lambda: calls.append(1), runs=2)
    assert len(calls) == runs


def test_the_table_says_goal_measure_spread_and_peer() -> None:
    text = table([Result("1", "seal / age", ("<=", 0.75), (0.5, 0.7, 0.6), "age 1", "1 GB")])
    assert "| 1   | seal / age | <= 0.75 | 0.6      | 0.5 to 0.7 | yes | age 1 (1 GB) |" in text


def test_an_unknown_name_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such benchmark: nothing" in done.stderr
