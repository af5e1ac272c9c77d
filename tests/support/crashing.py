"""A process that records entries and says so, until it is killed: ``python -m tests.support.crashing FOLDER SEED``."""

import itertools
import sys
import threading
from pathlib import Path

from ledger.embedded import EmbeddedLedger
from tests.support.ledger import CAROL, LEDGER_KEY, Chance, Clock, Counters

THREADS = 4


def run(folder: Path, seed: int) -> None:
    """Count for ever in several threads; each line written is the id of an entry that was acknowledged."""
    ledger = EmbeddedLedger.open(
        folder, LEDGER_KEY, clock=Clock(), random=Chance(itertools.count(seed)), contract=Counters()
    )
    writing = threading.Lock()

    def work(thread: int) -> None:
        for number in itertools.count():
            commit = ledger.submit(ledger.prepare(CAROL, "Count", {"name": f"t{thread}-{seed}-{number % 7}"}))
            with writing:
                sys.stdout.write(commit.transaction_id + "\n")
                sys.stdout.flush()

    for thread in range(THREADS):
        threading.Thread(target=work, args=(thread,)).start()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
