"""Text that others wrote, made safe to print."""

import unicodedata

_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings and overrides, which would turn the rest of a line around. Letters keep their own
direction without them."""


def printable(text: str) -> str:
    """Return `text` on one line, without what a terminal would take for a command."""
    kept = (
        " " if character.isspace() else character
        for character in text
        if character.isspace()
        or (unicodedata.category(character) not in {"Cc", "Cs"} and character not in _DIRECTIONS)
    )
    return "".join(kept)
