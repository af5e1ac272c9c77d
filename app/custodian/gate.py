"""Whether a custodian that runs as a service is unlocked: without its master key there is none (ATTACKS.md A51)."""

import threading
from collections.abc import Callable
from typing import Final

from app.custodian.custodian import Custodian

LOCKED: Final = "locked"
READY: Final = "ready"
HALTED: Final = "halted"


class CustodianLockedError(Exception):
    """The custodian is locked: an operator has to unlock it. Nothing is released."""


class Gate:
    """Holds the custodian while it is unlocked. Safe for several threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._custodian: Custodian | None = None
        self._close: Callable[[], None] = lambda: None

    @property
    def state(self) -> str:
        """``locked``, ``ready``, or ``halted``: ledger or journal was changed. Never waits for a request."""
        custodian = self._custodian
        if custodian is None:
            return LOCKED
        return HALTED if custodian.is_halted else READY

    @property
    def height(self) -> int:
        """Number of blocks that the custodian verified; 0 while it is locked."""
        custodian = self._custodian
        return 0 if custodian is None else custodian.height

    def open(self, custodian: Custodian, close: Callable[[], None]) -> None:
        """Let requests reach a custodian; ``close`` is called when it is locked again.

        Raises:
            ValueError: it is unlocked already.
        """
        with self._turn:
            if self._custodian is not None:
                raise ValueError("the custodian is unlocked already")
            self._custodian, self._close = custodian, close

    def lock(self) -> None:
        """Finish the request that runs, wipe the keys and close the files; a locked one stays locked."""
        with self._turn:
            custodian, self._custodian = self._custodian, None
            if custodian is not None:
                custodian.close()
                self._close()

    def handle(self, message: bytes) -> bytes:
        """See ``Custodian.handle``.

        Raises:
            CustodianLockedError: it is locked.
        """
        with self._turn:
            return self._unlocked().handle(message)

    def expects(self, head: bytes) -> int:
        """See ``Custodian.expects``.

        Raises:
            CustodianLockedError: it is locked.
        """
        with self._turn:
            return self._unlocked().expects(head)

    def tick(self) -> bool:
        """See ``Custodian.tick``; return False while locked."""
        with self._turn:
            if self._custodian is None:
                return False
            self._custodian.tick()
            return True

    def _unlocked(self) -> Custodian:
        if self._custodian is None:
            raise CustodianLockedError
        return self._custodian
