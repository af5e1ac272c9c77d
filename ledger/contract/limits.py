"""The protocol's numbers (PROTOCOL.md, constants). Seconds unless the name says otherwise."""

from typing import Final

CLOCK_TOLERANCE: Final = 120
RELEASE_WINDOW: Final = 300
SESSION_MAX: Final = 8 * 3600
ARGUMENTS_MAX_BYTES: Final = 64 * 1024
CONSENTS_MAX: Final = 32
RECORDS_MAX: Final = 50
ITEMS_MAX: Final = 32
RELEASES_MAX: Final = 100
PURGES_MAX: Final = 32
HISTORY_MAX: Final = 16
FUNCTIONS_MAX: Final = 8
GROUPS_MAX: Final = 16
VERDICTS_MAX: Final = 64
PAGE_MAX: Final = 200
