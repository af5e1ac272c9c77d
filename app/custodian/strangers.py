"""Tries at cards that nobody has, counted like those at real ones, so that the answers are alike (ATTACKS.md A50)."""

import hashlib
from collections import OrderedDict
from typing import Final

_REMEMBERED: Final = 4096


class Strangers:
    """Counts in memory; the custodian's turn guards it. What is pushed out by thousands of others starts anew."""

    def __init__(self) -> None:
        self._tries: OrderedDict[bytes, int] = OrderedDict()

    def spend(self, card_id: str, tries: int) -> int:
        """Spend a try of a card that is not known; return how many of ``tries`` are left, -1 once there was none."""
        name = hashlib.sha256(card_id.encode()).digest()
        left = self._tries.pop(name, tries) - 1
        self._tries[name] = max(left, 0)
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        return left
