"""``assent inspect``: says what an import would do, without storing anything."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.records.description import plain
from app.records.importing import Finding, Importer
from app.records.limits import Limits
from app.records.reader import ReaderProcess


def inspect(
    paths: Sequence[Path], *, reader: ReaderProcess | None = None, limits: Limits | None = None
) -> Iterator[Finding]:
    """Yield one finding for each file, and for each record of a bundle.

    Args:
        paths: files and folders.
        reader: a running reader; without one, a process is started and ended.
        limits: of that process.
    """
    if reader is not None:
        yield from Importer(reader).read_files(paths).findings
        return
    with ReaderProcess(limits) as own:
        yield from Importer(own).read_files(paths).findings


def main(paths: Sequence[Path], *, as_json: bool) -> int:
    """Print the findings; return 0, or 2 if any file is refused."""
    refused = False
    for finding in inspect(paths):
        refused = refused or not finding.accepted
        sys.stdout.write((_line(finding) if as_json else _sentence(finding)) + "\n")
    return 2 if refused else 0


def _line(finding: Finding) -> str:
    row = {
        "path": finding.path,
        "kind": finding.kind,
        "accepted": finding.accepted,
        "reason": finding.reason,
        "category": finding.category,
        "date": finding.date,
        "level": finding.level,
    }
    if finding.reading:
        row["reading"] = finding.reading
    return json.dumps(row, ensure_ascii=True)


def _sentence(finding: Finding) -> str:
    """Return a line for people; names of files may hold anything and are made harmless."""
    path = plain(finding.path, 200)
    if not finding.accepted:
        return f"{path}: refused. {finding.reason}"
    parts = [finding.category, finding.date or "no date", f"level {finding.level}", finding.display]
    return f"{path}: {', '.join(part for part in parts if part)}. {finding.reading}".rstrip()
