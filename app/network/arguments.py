"""What ``./assent network`` takes; apart from what it does, so that ``--help`` is quick."""

import argparse
from pathlib import Path
from typing import Final

import platformdirs

ACTIONS: Final = ("up", "down", "status", "logs", "add", "reset")


def add_network_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    command.add_argument("action", choices=ACTIONS)
    command.add_argument("node", nargs="?", help="for logs: of this node alone")
    command.add_argument("--hospitals", type=int, metavar="N", help="of a new network (default 3)")
    command.add_argument("--orderers", type=int, metavar="N", help="of a new network (default 3)")
    command.add_argument("--folder", type=Path, default=home(), metavar="DIR", help="where it is kept")


def home() -> Path:
    """Return the folder of this account's network."""
    return Path(platformdirs.user_state_dir("assent", appauthor=False)) / "network"
