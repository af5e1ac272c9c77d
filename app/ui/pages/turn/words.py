"""Every text of the patient's turn, in her language: the consent's own, and those around it (resources/ui)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.consent.sentences import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "de": "Deutsch"}
_FOLDER: Final = Path(__file__).resolve().parents[4] / "resources" / "ui"


class Words:
    """The texts of one language. A text that is part of the consent stands with the consent, and only there.

    Args:
        language: ``en`` or ``de``.
        own: the texts around the consent.
        smaller: a consent is made smaller; a text ``smaller.key`` then takes the place of ``key``.
    """

    def __init__(self, language: str, own: Mapping[str, str], *, smaller: bool = False) -> None:
        self.language = language
        self._own = own
        self._smaller = smaller
        self.consent: Texts = texts(language)

    def say(self, key: str, **fields: object) -> str:
        """Return a text with its fields filled in.

        Raises:
            KeyError: there is no such text, or a field is missing.
        """
        written = {name: str(value) for name, value in fields.items()}
        if self._smaller and f"smaller.{key}" in self._own:
            key = f"smaller.{key}"
        if key in self._own:
            return self._own[key].format(**written)
        return self.consent.say(key, **written)

    def counted(self, key: str, number: int, **fields: object) -> str:
        """Return the text for one or for many: ``key.one`` or ``key.many``."""
        return self.say(f"{key}.{'one' if number == 1 else 'many'}", **fields)


@cache
def own_texts(language: str) -> Mapping[str, str]:
    """Return the texts around the consent."""
    read: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return read


@cache
def words(language: str, *, smaller: bool = False) -> Words:
    """Return the texts of ``language``; see ``Words`` for ``smaller``.

    Raises:
        KeyError: there are none.
    """
    known = language if language in LANGUAGES else "en"
    return Words(known, own_texts(known), smaller=smaller)
