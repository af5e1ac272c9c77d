"""The locks are in step with pyproject.toml, hashed, and name no host and no machine."""

from __future__ import annotations

import re
import runpy
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.environment import DEVELOPMENT_LOCK, ROOT, RUNTIME_LOCK
from app.network.binaries import GO_LOCK

ENTRY = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def entries(name: str) -> dict[str, set[str]]:
    """Versions by package; a package may be locked at several versions for different Pythons."""
    found: dict[str, set[str]] = {}
    for line in read(name).splitlines():
        if match := ENTRY.match(line):
            found.setdefault(match["name"], set()).add(match["version"])
    return found


def requirements(name: str) -> list[Requirement]:
    project = tomllib.loads(read("pyproject.toml"))
    groups = project["dependency-groups"]
    if name == GO_LOCK:
        return [Requirement(text) for text in groups["go"]]
    wanted = list(project["project"]["dependencies"])
    if name == DEVELOPMENT_LOCK:
        wanted += groups["dev"]
    return [Requirement(text) for text in wanted]


@pytest.mark.parametrize("name", [RUNTIME_LOCK, DEVELOPMENT_LOCK, GO_LOCK])
def test_the_lock_was_written_from_the_dependencies_as_they_are(name: str) -> None:
    fingerprint = runpy.run_path(str(ROOT / ".ci" / "lock"))["fingerprint"]()
    assert read(name).startswith(f"# pyproject.toml {fingerprint};"), "run .ci/lock"


@pytest.mark.parametrize("name", [RUNTIME_LOCK, DEVELOPMENT_LOCK, GO_LOCK])
def test_every_dependency_is_locked_at_versions_that_it_allows(name: str) -> None:
    locked = entries(name)
    for requirement in requirements(name):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not locked"
        assert all(requirement.specifier.contains(version, prereleases=True) for version in versions), requirement


@pytest.mark.parametrize("name", [RUNTIME_LOCK, DEVELOPMENT_LOCK, GO_LOCK])
def test_every_entry_has_hashes_and_nothing_else_stands_in_the_lock(name: str) -> None:
    lines = read(name).splitlines()[1:]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if ENTRY.match(line):
            assert following.startswith("    --hash=sha256:"), f"{line} has no hash"
        else:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line


def test_the_development_lock_holds_the_runtime_lock_at_the_same_versions() -> None:
    development = entries(DEVELOPMENT_LOCK)
    assert {name: development.get(name) for name in entries(RUNTIME_LOCK)} == entries(RUNTIME_LOCK)
