"""What an access was found to allow, kept while nothing that the answer depends on can have changed.

A record of 200 images is 200 requests within a second or two. The answer of FetchObject (E.1) to "may he still?" is a
function of the verified ledger, the custodian's clock in whole seconds, the caller and the access; so within one second
and one ledger head it is worked out once. What does not come from the ledger (a stop, an erasure) is looked up each
time by the caller of this.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ledger.contract.caller import Caller

_MOST: Final = 64

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that an answer depends on.

    Attributes:
        head: hash of the newest verified block.
        now: seconds UTC, custodian's clock.
        caller: by certificate.
        patient_id: of the pair.
        access_id: of the ledger.
    """

    head: str
    now: int
    caller: Caller
    patient_id: str
    access_id: str


@dataclass(slots=True)
class Standing:
    """The last permissions, for use under the custodian's lock; a refusal is worked out again each time."""

    _kept: dict[Moment, Sizes] = field(default_factory=dict)

    def sizes(self, moment: Moment, decide: Callable[[], dict[str, int]]) -> Sizes:
        """Return the objects of an access and their sizes.

        Args:
            moment: for which it is asked.
            decide: works it out, or raises when it is not permitted.
        """
        found = self._kept.get(moment)
        if found is None:
            found = MappingProxyType(decide())
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[moment] = found
        return found
