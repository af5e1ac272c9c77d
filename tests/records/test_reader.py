"""The child's confinement: limits on memory, time, files and processes hold, and an ended child is only a refusal."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.records import child as child_module
from app.records.limits import MIB, Limits
from app.records.reader import ReaderProcess, _parse
from app.records.refusal import RefusedError
from tests.support.hostile import image

TABLE = b"a,b\n1,2\n"


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReaderProcess]:
    """A reader whose operation is tests' own; only its program text differs from the real one."""
    import app.records.reader as reader_module  # noqa: PLC0415

    root = str(Path(__file__).resolve().parents[2])
    program = (
        f"import sys; sys.path.insert(0, {root!r}); import app.records.child as child; "
        "import tests.support.misbehaving as own; child.OPERATIONS['table'] = ('tests.support.misbehaving', 'act'); "
        "child._PARSERS['tests.support.misbehaving'] = ('numpy',); child.main({descriptor})"
    )
    monkeypatch.setattr(reader_module, "_START", program)
    monkeypatch.setitem(child_module.OPERATIONS, "table", ("tests.support.misbehaving", "act"))
    with ReaderProcess(Limits(seconds=2.0, memory_bytes=64 * MIB, output_bytes=32 * MIB)) as process:
        yield process


def refusal(reader: ReaderProcess, what: str) -> str:
    with pytest.raises(RefusedError) as caught:
        reader.ask("table", TABLE, {"what": what})
    return caught.value.reason


def test_the_misbehaving_operation_answers_when_it_behaves(misbehaving: ReaderProcess) -> None:
    assert misbehaving.ask("table", TABLE, {"what": "echo"}).document == {"size": len(TABLE)}


@pytest.mark.parametrize("what", ["write a file", "fork", "open many files", "temporary file"])
def test_what_a_child_may_not_do_fails(misbehaving: ReaderProcess, what: str) -> None:
    if what == "fork" and os.geteuid() == 0:
        what = "limits"  # the superuser's processes are not counted; the limit itself is still set
    answer = misbehaving.ask("table", TABLE, {"what": what}).document
    assert answer["failed"], answer


def test_a_child_sees_no_file_of_its_own_and_no_secret(
    misbehaving: ReaderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = misbehaving.ask("table", TABLE, {"what": "look around"}).document
    assert answer["entries"] == []
    assert set(answer["environment"]) <= {
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "LC_ALL",
        "PATH",
        "TMPDIR",
        "LC_CTYPE",
    }
    assert answer["descriptors"] <= 7  # three that lead nowhere, channel, answer, the mapped object, this list
    assert answer["core"] == [0, 0]
    assert answer["dumpable"] == 0


def test_memory_is_limited(misbehaving: ReaderProcess) -> None:
    assert "more than 64 MiB of memory" in refusal(misbehaving, "fill memory")


def test_an_answer_that_is_too_large_is_refused(misbehaving: ReaderProcess) -> None:
    assert "at most 32 MiB are shown" in refusal(misbehaving, "large answer")


@pytest.mark.parametrize("what", ["sleep", "spin"])
def test_time_is_limited(misbehaving: ReaderProcess, what: str) -> None:
    started = time.monotonic()
    assert "longer than 2 seconds" in refusal(misbehaving, what)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("what", ["crash", "exit", "recursion", "exception"])
def test_a_child_that_ends_is_a_refusal(misbehaving: ReaderProcess, what: str) -> None:
    assert refusal(misbehaving, what)
    assert misbehaving.ask("table", TABLE, {"what": "echo"}).document == {"size": len(TABLE)}


@pytest.mark.parametrize("what", ["keep the memory", "need nothing", "need too much", "say no object", "junk"])
def test_a_child_that_breaks_the_protocol_is_a_refusal(misbehaving: ReaderProcess, what: str) -> None:
    assert "made to do harm" in refusal(misbehaving, what)


def test_a_session_given_up_ends_its_child(misbehaving: ReaderProcess) -> None:
    session = misbehaving.session("table")
    pid = session.ask("table", TABLE, {"what": "pid"}).document["pid"]
    session.close()
    assert not session.alive
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_children_die_with_their_server(misbehaving: ReaderProcess) -> None:
    session = misbehaving.session("table")
    pid = session.ask("table", TABLE, {"what": "pid"}).document["pid"]
    misbehaving.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()
    session.close()


def test_a_killed_server_is_started_again(reader: ReaderProcess) -> None:
    reader.warm()
    server = reader._server
    assert server is not None
    server.send_signal(signal.SIGKILL)
    server.wait()
    assert reader.ask("table", TABLE).document["rows"] == [[["1", 1.0], ["2", 2.0]]]


def test_one_session_reads_many_objects(reader: ReaderProcess) -> None:
    with reader.session("table") as session:
        for number in range(20):
            content = f"a,b\n{number},2\n".encode()
            assert session.ask("table", content).document["rows"][0][0] == [str(number), float(number)]


def test_an_empty_object_and_one_that_vanished_are_refused(reader: ReaderProcess, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="empty"):
        reader.ask("table", b"")
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE * 10_000)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert reader.ask("table", memoryview(TABLE)).document
        os.truncate(path, 0)
        with pytest.raises(RefusedError):
            reader.ask("table", descriptor)
    finally:
        os.close(descriptor)


def test_a_process_that_cannot_start_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(RefusedError, match="cannot be started"):
        ReaderProcess().session("table")


def test_arrays_come_back_read_only(reader: ReaderProcess) -> None:
    reply = reader.ask("images", image())
    assert reply.arrays[0].tolist() == [[[0, 100], [200, 300]]]
    assert not reply.arrays[0].flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        reply.arrays[0][0, 0, 0] = 7


@pytest.mark.parametrize(
    "answer",
    [
        b'{"document":{},"arrays":[{"dtype":"object","shape":[1],"offset":0}]}',
        b'{"document":{},"arrays":[{"dtype":"uint8","shape":[-1],"offset":0}]}',
        b'{"document":{},"arrays":[{"dtype":"uint8","shape":[1000000],"offset":0}]}',
        b'{"document":{},"arrays":[{"dtype":"uint8","shape":"x","offset":0}]}',
        b'{"document":[],"arrays":[]}',
        b'{"arrays":[]}',
        b"not json",
    ],
)
def test_an_answer_of_another_form_is_not_believed(answer: bytes) -> None:
    import mmap  # noqa: PLC0415

    with mmap.mmap(-1, 4096) as mapped:
        mapped[:8] = len(answer).to_bytes(8, "little")
        mapped[8 : 8 + len(answer)] = answer
        with pytest.raises(OSError, match="no usable answer"):
            _parse(mapped)
        mapped[:8] = (10_000).to_bytes(8, "little")
        with pytest.raises(OSError, match="no usable answer"):
            _parse(mapped)
