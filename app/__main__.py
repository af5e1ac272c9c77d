"""The commands of ``./assent``. Each imports what it needs when it runs: ``--help`` and the first window are quick."""

from __future__ import annotations

import argparse
import os
import re
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.environment import has_display
from app.network.arguments import add_network_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOT_POSSIBLE = 2
"""Exit status when the command cannot run here, as argparse uses it for a wrong command line."""


def parser() -> argparse.ArgumentParser:
    """The command line, one function per command."""
    top = argparse.ArgumentParser(
        prog="assent",
        description="Patient records shared by consent: every opening is an entry that the patient can see.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("desktop", desktop, "open the desktop on the sandbox of this machine (default)")
    command = add(
        "tour", tour, "run the whole main job without a screen, on a fresh sandbox; exit 0 if every step came out right"
    )
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.add_argument("--keep", type=Path, metavar="DIR", help="keep the sandbox in this empty folder")
    command = add(
        "inspect",
        inspect,
        "say what an import would do with files or folders, storing nothing; exit 2 if any is refused",
    )
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command = add("export", export, "write the ledger of this machine to a file that the separate verifier reads")
    command.add_argument("file", type=Path, metavar="FILE")
    add("accept-ledger", accept_ledger, "go on from an older copy of this machine's ledger, as an operator")
    command = add("vectors", vectors, "run a folder of decision vectors")
    command.add_argument("folder", type=Path, metavar="DIR")
    command = add("screenshots", screenshots, "draw every page and state of the sandbox to PNG files")
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--theme", choices=("light", "dark"), default="light")
    command.add_argument("--size", type=size, default=(1280, 800), metavar="WIDTHxHEIGHT")
    command.add_argument("--language", choices=("en", "de"), default="en")
    command.add_argument("--text-size", type=int, choices=(100, 150), default=100, metavar="PERCENT")
    command = add("network", network, "run a Fabric network of several hospitals on this machine, without Docker")
    add_network_arguments(command)
    command = add(
        "custodian", custodian, "serve a hospital's custodian to other hospitals, unlock it, look at it, stop it"
    )
    command.add_argument("action", choices=("serve", "unlock", "lock", "status", "stop"))
    command.add_argument("--folder", type=Path, metavar="DIR", help="of the hospital's installation")
    command.add_argument("--hospital", default="", metavar="MSP_ID", help="if the folder holds several")
    command.add_argument("--listen", default="", metavar="HOST:PORT", help="for serve: instead of the endpoint's own")
    command = add("bench", bench, "run the benchmarks against their peers and print a table of ratios")
    command.add_argument("names", nargs="*", metavar="NAME")
    return top


def size(text: str) -> tuple[int, int]:
    """Width and height in pixels, written as 1280x800."""
    if (match := re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def desktop(_: argparse.Namespace) -> int:
    """Open the window; without a display say so and name what works without one."""
    if not has_display(os.environ):
        sys.stderr.write("assent: there is no display here, so no window can open. Without one: ./assent tour\n")
        return NOT_POSSIBLE
    from app.wiring.entrance import run
    from app.wiring.home import home

    return run(home())


def tour(arguments: argparse.Namespace) -> int:
    """Run the tour."""
    from app.tour.run import run

    return run(as_json=arguments.json, keep=arguments.keep)


def inspect(arguments: argparse.Namespace) -> int:
    """Say what an import would do."""
    from app.records.inspect import main

    return main(arguments.paths, as_json=arguments.json)


def export(arguments: argparse.Namespace) -> int:
    """Write the ledger to a file."""
    from app.wiring.start import export_home

    return export_home(arguments.file)


def accept_ledger(_: argparse.Namespace) -> int:
    """Have an operator accept an older copy of the ledger."""
    from app.wiring.restoring import accept_at_home

    return accept_at_home()


def vectors(arguments: argparse.Namespace) -> int:
    """Run decision vectors."""
    from app.consent.vectors import main

    return main(arguments.folder)


def screenshots(arguments: argparse.Namespace) -> int:
    """Draw the pages, offscreen unless a platform was chosen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from app.wiring.screenshots import draw

    return draw(
        arguments.folder,
        theme=arguments.theme,
        size=arguments.size,
        language=arguments.language,
        text_size=arguments.text_size,
    )


def network(arguments: argparse.Namespace) -> int:
    """Bring the local Fabric network up or down, or say how it is."""
    from app.network.command import run

    return run(arguments)


def custodian(arguments: argparse.Namespace) -> int:
    """Serve a hospital's custodian, or do what its operator asks."""
    from app.wiring.custodian_command import run

    return run(arguments)


def bench(arguments: argparse.Namespace) -> int:
    """Run the benchmarks; they are part of the tests, so nothing of the product imports them."""
    sys.argv = ["bench", *arguments.names]
    runpy.run_module("tests.benchmarks", run_name="__main__", alter_sys=True)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run the command; a bare start is the desktop."""
    parsed = parser().parse_args(arguments or ["desktop"])
    run: Callable[[argparse.Namespace], int] = parsed.run
    return run(parsed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
