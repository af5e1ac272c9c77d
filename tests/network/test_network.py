"""A real network: up twice, killed, in the way, down, gone."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fabric_protos.common import common_pb2

from app.__main__ import main
from app.identity.certificates import HospitalAuthority, Role
from app.network.plan import HOST, NetworkError
from ledger.fabric.headers import block_hash
from ledger.fabric.profile import ConnectionProfile, ProfileError
from tests.support import contract as arguments
from tests.support.fabric import VALID, RealNetwork, network_at, start, up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@pytest.fixture
def small(tmp_path: Path) -> Iterator[RealNetwork]:
    """A network of its own that a test may ill-treat."""
    with start(tmp_path / "network", hospitals=1, orderers=1) as running:
        yield running


def pids(running: RealNetwork) -> dict[str, int | None]:
    return {node.name: node.pid for node in running.network.status()}


def test_every_node_of_a_network_that_is_up_runs(fabric: RealNetwork) -> None:
    assert len(pids(fabric)) == 9
    assert all(pids(fabric).values())


def test_a_second_up_changes_nothing(fabric: RealNetwork) -> None:
    before = pids(fabric)
    up(fabric.network)
    assert pids(fabric) == before


@pytest.mark.parametrize("name", ["birch-peer", "birch-assent", "orderer2"])
def test_a_killed_node_is_healed_by_up(fabric: RealNetwork, name: str) -> None:
    before = pids(fabric)
    assert fabric.network.send(name, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while pids(fabric)[name] is not None:
        assert time.monotonic() < deadline
    up(fabric.network)
    after = pids(fabric)
    assert after[name] not in (None, before[name])
    assert {**after, name: 0} == {**before, name: 0}


def test_every_hospital_has_a_profile_that_begins_with_its_own_peer(fabric: RealNetwork) -> None:
    plan = fabric.network.plan
    for hospital in plan.hospitals:
        profile = fabric.network.profile(hospital.msp_id)
        assert profile.peers[0].endpoint == hospital.endpoint
        assert {peer.msp_id for peer in profile.peers} == {each.msp_id for each in plan.hospitals}
        assert ConnectionProfile.from_json(profile.to_json()) == profile


def test_a_profile_names_the_channel_by_its_first_block(fabric: RealNetwork) -> None:
    header = common_pb2.Block.FromString(fabric.network.places.genesis.read_bytes()).header
    expected = block_hash(header.number, header.previous_hash, header.data_hash).hex()
    assert fabric.network.profile("AlderMSP").network_id == expected


def test_a_profile_that_begins_with_another_hospital_is_refused(fabric: RealNetwork) -> None:
    text = fabric.network.profile("AlderMSP").to_json().replace('"msp_id": "AlderMSP"', '"msp_id": "BirchMSP"')
    with pytest.raises(ProfileError):
        ConnectionProfile.from_json(text.replace('"BirchMSP",\n "network_id"', '"CedarMSP",\n "network_id"'))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"type": "assent-connection-profile", "version": 2}'])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(ProfileError):
        ConnectionProfile.from_json(text)


def test_no_secret_file_of_a_network_can_be_read_by_others(fabric: RealNetwork) -> None:
    folder = fabric.network.places.folder
    assert folder.stat().st_mode & 0o077 == 0
    keys = [*folder.rglob("key.pem"), *folder.rglob("*.key"), *folder.rglob("connection.json")]
    assert keys
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)


def test_no_node_listens_beyond_loopback(fabric: RealNetwork) -> None:
    addresses = listening(pid for pid in pids(fabric).values() if pid)
    assert addresses
    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_what_is_recorded_outlives_down(small: RealNetwork) -> None:
    olga = small.issue("AlderMSP", Role.OPERATOR)
    with small.peer("AlderMSP") as peer:
        assert peer.submit(olga, "RegisterOrganization", arguments.organization("alder")) == VALID
    small.network.down()
    assert not any(pids(small).values())
    up(small.network)
    with small.peer("AlderMSP") as peer:
        _, reply = peer.ask(olga, "ReadOrganization", {"msp_id": "AlderMSP"})
    assert b"custodian.alder" in reply.payload


def test_a_port_in_other_hands_is_named(small: RealNetwork) -> None:
    small.network.down()
    port = small.network.plan.hospitals[0].port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, port))
        other.listen()
        with pytest.raises(NetworkError, match=f"alder-peer needs port {port}"):
            up(small.network)
    up(small.network)


def test_a_node_that_ends_at_once_is_named_with_its_log(small: RealNetwork) -> None:
    small.network.down()
    (small.network.places.node("alder") / "msp" / "keystore" / "key.pem").unlink()
    with pytest.raises(NetworkError, match=r"alder-peer has ended: see .*alder-peer\.log"):
        up(small.network)


def test_another_size_is_no_reason_to_touch_a_network(fabric: RealNetwork) -> None:
    before = pids(fabric)
    with pytest.raises(NetworkError, match="has 3 hospitals and 3 orderers"):
        up(fabric.network, hospitals=2)
    assert pids(fabric) == before


def test_a_hospital_may_bring_its_own_authority(tmp_path: Path) -> None:
    now = int(time.time())
    own = HospitalAuthority.create("AlderMSP", now)
    network = network_at(tmp_path / "network")
    try:
        network.up(1, 1, now, os.urandom, {"AlderMSP": own})
        assert network.authority("AlderMSP").root == own.root
    finally:
        network.reset()


def test_reset_leaves_nothing(tmp_path: Path) -> None:
    with start(tmp_path / "network", hospitals=1, orderers=1) as running:
        network = running.network
    assert not network.places.folder.exists()


def test_reset_spares_a_folder_that_holds_no_network(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(NetworkError, match="holds no network"):
        network_at(tmp_path).reset()
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


def test_the_command_says_what_runs_and_where_the_logs_are(
    fabric: RealNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--folder", str(fabric.network.places.folder)]
    assert main(["network", "up", *folder]) == 0
    assert "AlderMSP.json" in capsys.readouterr().out
    assert main(["network", "status", *folder]) == 0
    assert capsys.readouterr().out.count("runs as") == 9
    assert main(["network", "logs", "alder-assent", *folder]) == 0
    assert "serving assent_1:" in capsys.readouterr().out
    assert main(["network", "logs", "elm-peer", *folder]) == 1
    assert "There is no elm-peer" in capsys.readouterr().err


def test_the_command_needs_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("status", "down", "logs"):
        assert main(["network", action, "--folder", str(tmp_path / "none")]) == 1
        assert "There is no network here: ./assent network up" in capsys.readouterr().err


def listening(processes: Iterable[int]) -> set[str]:
    """Local addresses, in hex, on which processes listen (Linux)."""
    inodes = set()
    for pid in processes:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    tables = (Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
