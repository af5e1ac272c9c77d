"""A custodian's process that is killed after it wrote a release down and before it answers (PROTOCOL.md E.6).

``python -m tests.support.dying_custodian custodian serve …`` is ``./assent custodian serve …``.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from app.__main__ import main
from app.custodian.journal import Journal

if TYPE_CHECKING:
    from app.custodian.journal import StoredReply

_write = Journal.append_reply


def write_and_die(journal: Journal, *given: Any) -> "StoredReply":
    """Write the release down, then end as a power failure would."""
    _write(journal, *given)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


if __name__ == "__main__":
    Journal.append_reply = write_and_die  # type: ignore[method-assign, assignment]  # that is the point
    sys.exit(main(sys.argv[1:]))
