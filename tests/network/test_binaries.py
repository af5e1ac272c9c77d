"""Fabric's programs: a hospital's own, built from locked sources, and no others."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from app.network import binaries
from app.network.plan import NetworkError

if TYPE_CHECKING:
    from pathlib import Path


def nothing(_: str) -> None:
    pytest.fail("nothing is to be built")


def test_a_hospitals_own_release_is_used_as_it_is(tmp_path: Path) -> None:
    for name in binaries.PROGRAMS:
        (tmp_path / name).touch(0o755)
    assert binaries.programs({"FABRIC_BIN": str(tmp_path)}, nothing) == tmp_path


def test_a_folder_without_the_programs_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "peer").touch(0o644)
    with pytest.raises(NetworkError, match="no program peer and no orderer"):
        binaries.programs({"FABRIC_BIN": str(tmp_path)}, nothing)


def test_the_programs_are_of_the_pinned_release() -> None:
    folder = binaries.programs(os.environ, lambda _: None)
    for name in binaries.PROGRAMS:
        said = subprocess.run([folder / name, "version"], capture_output=True, text=True, check=True).stdout
        assert "Version: 2.5.0" in said


@pytest.mark.parametrize(("version", "major"), [("2.5.0", 2), ("v3.1.5", 3), ("2.5.16", 2)])
def test_a_release_says_its_version(tmp_path: Path, version: str, major: int) -> None:
    (tmp_path / "orderer").write_text(
        f"#!/bin/sh\necho 'orderer:'; echo ' Version: {version}'; echo ' Go version: go1.26'\n"
    )
    (tmp_path / "orderer").chmod(0o755)
    assert binaries.major_version(tmp_path) == major


@pytest.mark.parametrize("text", [None, "#!/bin/sh\nexit 1\n", "no program"])
def test_a_release_that_does_not_say_its_version_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "orderer").write_text(text)
        (tmp_path / "orderer").chmod(0o755)
    with pytest.raises(NetworkError, match="does not"):
        binaries.major_version(tmp_path)


def test_programs_from_other_sources_are_built_anew(tmp_path: Path) -> None:
    for name in binaries.PROGRAMS:
        (tmp_path / name).touch(0o755)
    assert not binaries.is_built(tmp_path)
    (tmp_path / "built-from").write_text("something else")
    assert not binaries.is_built(tmp_path)


def test_a_build_that_fails_says_why(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text(
        '#!/bin/sh\n[ "$1" = version ] && echo go version go1.24.1 linux/amd64 && exit\necho no space; exit 1\n'
    )
    go.chmod(0o755)
    with pytest.raises(NetworkError, match="could not be built:\nno space"):
        binaries.programs({"PATH": f"{tmp_path}:/usr/bin:/bin"}, lambda _: None, tmp_path)
    assert not binaries.is_built(tmp_path / "fabric")


@pytest.mark.parametrize(("version", "enough"), [("go1.19.8", False), ("go1.24", True), ("go2.0", True), ("", False)])
def test_a_go_that_knows_no_tool_lines_is_not_used(tmp_path: Path, version: str, enough: bool) -> None:  # noqa: FBT001
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho go version {version} linux/amd64\n")
    go.chmod(0o755)
    assert binaries._is_new_enough(str(go)) is enough
