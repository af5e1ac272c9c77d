"""Argon2id settings for tests: no protection at all, and fast."""

from typing import Final

from app.identity.pins import Stretching

FAST: Final = Stretching(memory_kib=8, iterations=1, lanes=1)
