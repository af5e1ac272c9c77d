"""Base64 with one spelling: what is hashed or signed must not have a second text for the same bytes."""

import base64


def to_base64(content: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(content).decode("ascii")


def from_base64(text: str | bytes) -> bytes:
    """Return what base64 stands for.

    Raises:
        ValueError: the text is not what ``to_base64`` gives.
    """
    raw = text.encode("ascii") if isinstance(text, str) else text
    content = base64.b64decode(raw, validate=True)
    if base64.b64encode(content) != raw:
        raise ValueError("not the one spelling of these bytes")
    return content
