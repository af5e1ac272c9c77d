"""Processes are started once, known by their lock, and nobody else's is ever ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from app.network.processes import Processes, Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.end([lock.stem for lock in tmp_path.glob("*.lock")])


def sleeper(tmp_path: Path, script: str = "exec sleep 60") -> Program:
    return Program("sleeper", ["/bin/sh", "-c", script], PATH, tmp_path)


def wait_until_gone(processes: Processes, name: str) -> None:
    deadline = time.monotonic() + 5
    while processes.pid(name) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_that_runs_is_not_started_again(processes: Processes, tmp_path: Path) -> None:
    assert processes.pid("sleeper") is None
    assert processes.start(sleeper(tmp_path))
    pid = processes.pid("sleeper")
    assert pid is not None
    assert not processes.start(sleeper(tmp_path))
    assert processes.pid("sleeper") == pid


def test_a_program_outlives_its_terminal_and_is_no_child_of_ours(processes: Processes, tmp_path: Path) -> None:
    processes.start(sleeper(tmp_path))
    pid = processes.pid("sleeper")
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_a_killed_program_is_started_again(processes: Processes, tmp_path: Path) -> None:
    processes.start(sleeper(tmp_path))
    first = processes.pid("sleeper")
    assert processes.send("sleeper", signal.SIGKILL)
    wait_until_gone(processes, "sleeper")
    assert processes.start(sleeper(tmp_path))
    assert processes.pid("sleeper") not in (None, first)


def test_a_number_that_belongs_to_another_process_by_now_is_left_alone(processes: Processes, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "sleeper.lock").write_text(str(other.pid))
        assert processes.pid("sleeper") is None
        assert not processes.send("sleeper", signal.SIGKILL)
        processes.end(["sleeper"])
        assert other.poll() is None
        processes.start(sleeper(tmp_path))
        assert processes.pid("sleeper") != other.pid
        other.kill()


def test_a_program_that_does_not_want_to_end_is_ended(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.network.processes._PATIENCE", 0.2)
    processes.start(sleeper(tmp_path, "trap '' TERM; while :; do sleep 0.05; done"))
    pid = processes.pid("sleeper")
    assert pid is not None
    processes.end(["sleeper"])
    assert processes.pid("sleeper") is None


def test_a_program_that_is_not_there_says_so_in_its_log(processes: Processes, tmp_path: Path) -> None:
    processes.start(Program("sleeper", [str(tmp_path / "nothing")], PATH, tmp_path))
    wait_until_gone(processes, "sleeper")
    assert "nothing" in processes.log("sleeper").read_text()


def test_a_command_that_is_killed_while_it_starts_a_program_leaves_one_that_can_be_ended(tmp_path: Path) -> None:
    """As often as a second allows: what was left behind, at whatever moment, is known by its number or not there."""
    starter = (
        "import sys; from pathlib import Path; from app.network.processes import *; folder = Path(sys.argv[1]);"
        "print('ready', flush=True);"
        "Processes(folder).start(Program('sleeper', ['/bin/sleep', '60'], {}, folder))"
    )
    for delay in range(8):
        with subprocess.Popen([sys.executable, "-c", starter, str(tmp_path)], stdout=subprocess.PIPE) as command:
            assert command.stdout is not None
            command.stdout.readline()
            time.sleep(delay / 1000)
            command.kill()
        time.sleep(0.1)
        processes = Processes(tmp_path)
        processes.start(sleeper(tmp_path))
        assert processes.pid("sleeper") is not None
        processes.end(["sleeper"])


def test_what_a_program_writes_is_in_its_log_that_only_the_owner_reads(processes: Processes, tmp_path: Path) -> None:
    processes.start(sleeper(tmp_path, "echo out; echo err >&2"))
    wait_until_gone(processes, "sleeper")
    log = processes.log("sleeper")
    assert log.read_text() == "out\nerr\n"
    assert log.stat().st_mode & 0o077 == 0


def test_a_large_log_is_set_aside(processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.network.processes._LOG_BYTES", 4)
    processes.log("sleeper").write_text("a long one")
    processes.start(sleeper(tmp_path, "echo new"))
    wait_until_gone(processes, "sleeper")
    assert processes.log("sleeper").read_text() == "new\n"
    assert (tmp_path / "sleeper.log.old").read_text() == "a long one"
