"""``./assent network``: one command for a network of several hospitals on this machine."""

import argparse
import os
import sys
import time
from typing import Final

from app.network.binaries import programs
from app.network.network import Network
from app.network.plan import NetworkError

_FAILED: Final = 1


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 if it could not be done, or ``status`` finds a process that does not run."""
    network = Network(arguments.folder.absolute(), lambda: programs(os.environ, _say), _say)
    actions = {"up": _up, "down": _down, "status": _status, "logs": _logs, "add": _add, "reset": _reset}
    try:
        return actions[arguments.action](network, arguments)
    except NetworkError as error:
        _say(str(error))
        return _FAILED


def _up(network: Network, arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    plan = network.up(arguments.hospitals, arguments.orderers, int(time.time()), os.urandom)
    _say(f"{len(plan.hospitals)} hospitals are up after {time.monotonic() - began:.1f} s. Their connection profiles:")
    for hospital in plan.hospitals:
        sys.stdout.write(f"{network.places.profile(hospital)}\n")
    return 0


def _down(network: Network, _: argparse.Namespace) -> int:
    network.down()
    _say("All processes have ended. What is recorded is kept: ./assent network up")
    return 0


def _status(network: Network, _: argparse.Namespace) -> int:
    nodes = network.status()
    for node in nodes:
        state = "does not run" if node.pid is None else f"runs as {node.pid}"
        sys.stdout.write(f"{node.name:<16}port {node.port}  {state}\n")
    return 0 if all(node.pid is not None for node in nodes) else _FAILED


def _logs(network: Network, arguments: argparse.Namespace) -> int:
    names = [arguments.node] if arguments.node else [node.name for node in network.status()]
    for name in names:
        log = network.log(name)
        sys.stdout.write(f"── {log}\n")
        if log.exists():
            sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
    return 0


def _add(network: Network, _: argparse.Namespace) -> int:
    hospital = network.add_hospital(int(time.time()), os.urandom)
    _say(f"{hospital.msp_id} has joined. Its connection profile:")
    sys.stdout.write(f"{network.places.profile(hospital)}\n")
    return 0


def _reset(network: Network, _: argparse.Namespace) -> int:
    network.reset()
    _say("The network and all that was recorded on it are gone.")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"assent: {text}\n")
