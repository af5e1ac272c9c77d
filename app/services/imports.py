"""Bringing files in for a patient of the own hospital: looked at here first, then taken whole or not at all (R1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.custodian.client import CustodianClient
from app.custodian.results import ImportFile, ImportOutcome, PersonRow
from app.records.importing import Finding
from app.records.inspect import inspect
from app.records.reader import ReaderProcess
from ledger.gateway import Signer


@dataclass(frozen=True, slots=True)
class Looked:
    """What an import would do.

    Attributes:
        findings: one for each file, and for each record of a bundle.
    """

    findings: tuple[Finding, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that can be imported: nothing of them is refused."""
        refused = {finding.path for finding in self.findings if not finding.accepted}
        return tuple(dict.fromkeys(each.path for each in self.findings if each.path not in refused))

    @property
    def count(self) -> int:
        """How many files were looked at."""
        return len({finding.path for finding in self.findings})

    @property
    def lacks_date(self) -> bool:
        """A table or document states no day, so one has to be given."""
        return any(each.accepted and not each.date and each.kind in {"pdf", "csv"} for each in self.findings)


@dataclass(frozen=True, slots=True)
class Imports:
    """One practitioner's imports.

    Attributes:
        client: the own hospital's custodian.
        signer: the practitioner.
        reader: reads untrusted files in a confined child.
    """

    client: CustodianClient
    signer: Signer
    reader: ReaderProcess

    def people(self) -> tuple[PersonRow, ...]:
        """Return the hospital's patients, by name."""
        return tuple(sorted(self.client.people(self.signer), key=lambda row: (row.person.name, row.person_id)))

    def look(self, paths: Sequence[Path]) -> Looked:
        """Say what an import of files and folders would do; nothing is stored."""
        return Looked(tuple(inspect(paths, reader=self.reader)))

    def take(self, person_id: str, looked: Looked, made_on: str = "") -> tuple[ImportOutcome, ...]:
        """Import what can be imported.

        Args:
            person_id: whose records they are.
            looked: what was shown before.
            made_on: ISO day for tables and documents that state none.

        Raises:
            CustodianRefusal: as it says.
            OSError: a file cannot be read any more.
        """
        files = [ImportFile(path, Path(path).read_bytes()) for path in looked.files]
        return self.client.import_files(self.signer, person_id, files, made_on)
