"""Run a hospital's chaincode: ``python -m ledger.chaincode SETTINGS``. Ends on SIGTERM."""

import logging
import signal
import sys
import time
from pathlib import Path
from typing import Final

from ledger.chaincode.server import ChaincodeServer
from ledger.chaincode.settings import Settings

_log: Final = logging.getLogger("ledger.chaincode")


def main() -> None:
    """Serve until told to end."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    settings = Settings.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    server = ChaincodeServer(settings, lambda: int(time.time()))
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    _log.info("serving %s on %s", settings.package_id, settings.address)
    server.wait()


if __name__ == "__main__":
    main()
