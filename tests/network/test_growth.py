"""A running channel grows, changes its contract with the data in place, and no longer knows who was revoked."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import grpc
import pytest
from fabric_protos.common import configtx_pb2

from app.__main__ import main
from app.identity.certificates import Role
from app.network.configuration import update_between
from app.network.plan import NetworkError
from tests.support import contract as arguments
from tests.support.fabric import VALID, RealNetwork, start, up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALDER, BIRCH, CEDAR = "AlderMSP", "BirchMSP", "CedarMSP"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[RealNetwork]:
    """A network of two hospitals, of which Alder is registered."""
    with start(tmp_path / "network", hospitals=2, orderers=1) as running:
        with running.peer(ALDER) as alder:
            olga = running.issue(ALDER, Role.OPERATOR, "olga")
            assert alder.submit(olga, "RegisterOrganization", arguments.organization("alder")) == VALID
        yield running


def endpoint_of_alder(running: RealNetwork, msp_id: str) -> bytes:
    with running.peer(msp_id) as peer:
        olga = running.issue(ALDER, Role.OPERATOR, "olga")
        return peer.ask(olga, "ReadOrganization", {"msp_id": ALDER})[1].payload


def test_a_hospital_joins_a_running_channel_and_takes_part(two: RealNetwork) -> None:
    hospital = two.network.add_hospital(int(time.time()), os.urandom)
    assert hospital.msp_id == CEDAR
    assert all(node.pid for node in two.network.status())
    assert b"custodian.alder" in endpoint_of_alder(two, CEDAR)
    oscar = two.issue(CEDAR, Role.OPERATOR, "oscar")
    with two.peer(CEDAR) as cedar:
        assert cedar.submit(oscar, "RegisterOrganization", arguments.organization("cedar")) == VALID
    assert two.network.profile(CEDAR).peers[0].msp_id == CEDAR
    assert CEDAR in {peer.msp_id for peer in two.network.profile(ALDER).peers}
    assert two.network.profile(CEDAR).network_id == two.network.profile(ALDER).network_id


def test_a_hospital_that_was_interrupted_while_joining_joins_the_second_time(
    two: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("app.network.network.write_profiles", crash)
        patch.setattr("app.network.plan.Plan.write", crash)
        with pytest.raises(KeyboardInterrupt):
            two.network.add_hospital(int(time.time()), os.urandom)
    two.network.add_hospital(int(time.time()), os.urandom)
    assert b"custodian.alder" in endpoint_of_alder(two, CEDAR)
    up(two.network)
    assert len(two.network.plan.hospitals) == 3


def test_nobody_joins_a_network_that_is_down(two: RealNetwork) -> None:
    two.network.down()
    with pytest.raises(NetworkError, match="has ended"):
        two.network.add_hospital(int(time.time()), os.urandom)
    up(two.network)


def test_another_contract_comes_into_force_with_the_data_in_place(
    two: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.chaincode.package.LABEL", "assent_2")
    up(two.network)
    for msp_id in (ALDER, BIRCH):
        assert b"custodian.alder" in endpoint_of_alder(two, msp_id)
    remy = two.issue(BIRCH, Role.OPERATOR, "remy")
    with two.peer(BIRCH) as birch:
        assert birch.submit(remy, "RegisterOrganization", arguments.organization("birch")) == VALID
    running = {node.name: node.pid for node in two.network.status()}
    up(two.network)
    assert {node.name: node.pid for node in two.network.status()} == running
    assert "serving assent_2:" in two.network.log("alder-assent").read_text()


def test_a_revoked_certificate_is_refused_by_every_peer_and_others_are_not(two: RealNetwork) -> None:
    now = int(time.time())
    mallory = two.issue(ALDER, Role.PRACTITIONER, "mallory")
    with two.peer(ALDER) as alder:
        assert alder.ask(mallory, "ReadRegistry", {})[1].status == 200
    crl = two.network.authority(ALDER).revocation_list([(mallory.certificate, now)], now)
    two.network.revoke(ALDER, crl)
    two.network.revoke(ALDER, crl)
    for msp_id in (ALDER, BIRCH):
        with two.peer(msp_id) as peer, pytest.raises(grpc.RpcError, match="access denied"):
            peer.ask(mallory, "ReadRegistry", {})
        assert b"custodian.alder" in endpoint_of_alder(two, msp_id)


def test_a_list_of_another_authority_is_refused(two: RealNetwork) -> None:
    now = int(time.time())
    foreign = two.network.authority(BIRCH).revocation_list([], now)
    with pytest.raises(NetworkError, match="not signed by a CA of AlderMSP"):
        two.network.revoke(ALDER, foreign)


def test_the_command_adds_a_hospital(two: RealNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", "add", "--folder", str(two.network.places.folder)]) == 0
    assert "CedarMSP.json" in capsys.readouterr().out


def test_an_update_writes_what_changed_and_reads_the_rest_by_version() -> None:
    old = configtx_pb2.ConfigGroup(version=3, mod_policy="Admins")
    old.values["a"].CopyFrom(configtx_pb2.ConfigValue(version=1, value=b"1", mod_policy="Admins"))
    old.values["b"].CopyFrom(configtx_pb2.ConfigValue(version=2, value=b"2", mod_policy="Admins"))
    new = configtx_pb2.ConfigGroup.FromString(old.SerializeToString())
    config = configtx_pb2.Config(channel_group=old)
    assert update_between("assent", config, new) == b""
    new.values["b"].value = b"3"
    update = configtx_pb2.ConfigUpdate.FromString(update_between("assent", config, new))
    assert (update.read_set.version, update.write_set.version) == (3, 3)
    assert {name: value.version for name, value in update.write_set.values.items()} == {"b": 3}
    del new.values["a"]
    update = configtx_pb2.ConfigUpdate.FromString(update_between("assent", config, new))
    assert (update.read_set.version, update.write_set.version) == (3, 4)
    assert {name: value.version for name, value in update.write_set.values.items()} == {"b": 3}
