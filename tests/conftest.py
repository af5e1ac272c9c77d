"""What every test is held to: no network, no unexpected log line, nothing left running, no window left."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support import guards

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_ID = 60
DEEP = os.environ.get("ASSENT_DEEP") == "1"

hypothesis.settings.register_profile("small", max_examples=40, deadline=None, print_blob=True)
hypothesis.settings.register_profile(
    "deep",
    max_examples=30_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--onscreen``: run the tests that want real windows, and only those, on the display that is there."""
    parser.addoption("--onscreen", action="store_true", help="run the tests marked onscreen, on a display")


def pytest_configure(config: pytest.Config) -> None:
    """Choose Qt's platform, and keep tests away from the folders and the keyring of whoever runs them."""
    if not config.getoption("--onscreen"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    home = Path(tempfile.mkdtemp(prefix="assent-tests-"))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = str(home / name.lower())
    os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
    hypothesis.settings.load_profile("deep" if DEEP else "small")
    guards.forbid_network()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked onscreen run with ``--onscreen`` and those marked deep with ASSENT_DEEP=1; else not at all."""
    onscreen = bool(config.getoption("--onscreen"))
    chosen: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        wanted = (item.get_closest_marker("onscreen") is not None) == onscreen
        wanted = wanted and (DEEP or item.get_closest_marker("deep") is None)
        (chosen if wanted else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = chosen


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long values by their argument: ids are for people, and must be the same in every worker."""
    return argname if isinstance(val, str | bytes) and len(val) > LONGEST_ID else None


@pytest.fixture
def expected_logs() -> guards.ExpectedLogs:
    """Announce log warnings: ``expected_logs.add("regular expression")``."""
    return guards.ExpectedLogs()


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """pytest-qt's: what the one application begins with, and the fonts that it finds."""
    from tests.support.fonts import lend_fonts  # noqa: PLC0415 (only tests with Qt come here)

    lend_fonts()
    return ["assent-tests"]


@pytest.fixture(autouse=True)
def _nothing_unannounced(expected_logs: guards.ExpectedLogs) -> Iterator[None]:
    """Fail a test that logged a warning it had not announced, or tried to reach beyond loopback."""
    guards.attempts.clear()
    with guards.recorded_warnings() as records:
        yield
    surprises = expected_logs.surprises(records)
    assert not surprises, f"unexpected log lines: {surprises}"
    assert not guards.attempts, f"tried to reach beyond loopback: {guards.attempts}"


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, an active timer or a top-level widget behind."""
    threads = guards.threads()
    uses_qt = "qapp" in request.fixturenames
    windows = guards.windows() if uses_qt else frozenset()
    yield
    left = guards.wait_for_end(guards.threads, threads)
    assert not left, f"threads left running: {sorted(thread.name for thread in left)}"
    if uses_qt:
        guards.assert_no_windows(windows)


def pytest_report_header() -> str:
    """Say where tests may connect to."""
    return f"network: loopback only (host {socket.gethostname()!r}); hypothesis: {'deep' if DEEP else 'small'}"
