"""Which networks can be, and which ports they get."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from app.network.plan import HOST, NetworkError, Plan, free_ports, is_free

if TYPE_CHECKING:
    from pathlib import Path


def first(count: int) -> bytes:
    return bytes(count)


@pytest.mark.parametrize(("hospitals", "orderers"), [(0, 1), (10, 1), (3, 0), (3, 2), (3, 9)])
def test_a_network_of_an_impossible_size_is_refused(hospitals: int, orderers: int) -> None:
    with pytest.raises(NetworkError, match="a network has 1"):
        Plan.make(hospitals, orderers, 0, first)


def test_every_node_has_ports_of_its_own() -> None:
    plan = Plan.make(9, 7, 0, first)
    ports = [port for each in plan.orderers for port in (each.port, each.admin_port)]
    ports += [port for each in plan.hospitals for port in (each.port, each.chaincode_port)]
    assert len(set(ports)) == 2 * (9 + 7)


def test_a_range_with_a_port_in_use_is_passed_over() -> None:
    wanted = free_ports(4, first)
    with socket.socket() as other:
        other.bind((HOST, wanted[2]))
        other.listen()
        assert not is_free(wanted[2])
        assert wanted[2] not in free_ports(4, first)


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = Plan.make(2, 3, 1_800_000_000, first)
    assert Plan.read(tmp_path) is None
    plan.write(tmp_path)
    assert Plan.read(tmp_path) == plan


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"created_at": 1, "orderers": [{"x": 1}], "hospitals": []}'])
def test_a_plan_that_cannot_be_read_says_how_to_begin_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "network.json").write_text(text)
    with pytest.raises(NetworkError, match="network reset"):
        Plan.read(tmp_path)
