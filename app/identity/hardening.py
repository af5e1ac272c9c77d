"""Keep secrets of this process out of core files and other processes' reach (PROTOCOL.md F)."""

import ctypes
import sys
from dataclasses import dataclass
from typing import Final

_PR_GET_DUMPABLE: Final = 3
_PR_SET_DUMPABLE: Final = 4


@dataclass(frozen=True, slots=True)
class Hardening:
    """What the platform granted; the operator's page shows it.

    Attributes:
        no_core_files: the process leaves no memory image when it crashes.
        not_traceable: other processes of the same account can neither attach to it nor read its memory.
    """

    no_core_files: bool
    not_traceable: bool


def harden_process() -> Hardening:
    """Forbid core files (RLIMIT_CORE) and, on Linux, tracing and reading of memory (PR_SET_DUMPABLE).

    Called once by the wiring before any key is read. Python cannot lock pages into memory: encrypt swap or have none.
    """
    return Hardening(_forbid_core_files(), _forbid_tracing())


def _forbid_core_files() -> bool:
    if sys.platform == "win32":
        return False
    import resource  # noqa: PLC0415 (absent on Windows)

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def _forbid_tracing() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
