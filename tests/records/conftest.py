"""One reader process for all tests of this room; every session still forks its own child."""

from collections.abc import Iterator

import pytest

from app.records.importing import Importer
from app.records.reader import ReaderProcess


@pytest.fixture(scope="session")
def reader() -> Iterator[ReaderProcess]:
    with ReaderProcess() as process:
        yield process


@pytest.fixture
def importer(reader: ReaderProcess) -> Importer:
    return Importer(reader)
