"""Text that others wrote, made safe to print."""

import re
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


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `number` with the word for so many: `many`, or else `one` with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


_LONGEST_ECHO = 60
_LONGEST_WORD = 200
_QUOTED = re.compile(r"(?<!\w)(['\"])(.*?)\1(?!\w)")
_WORD = re.compile(rf"\S{{{_LONGEST_WORD},}}")


def shortened(text: str, longest: int = _LONGEST_ECHO) -> str:
    """Return `text`, its middle left out where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    end = longest // 3
    return f"{text[: longest - end - 1]}…{text[-end:]}"


def with_short_words(sentence: str) -> str:
    """Return `sentence` with what it quotes, and words that no language has, shortened.

    Somebody's slip may be a file pasted into an option; a path of usual length stays whole.
    """
    quoted = _QUOTED.sub(lambda found: found[1] + shortened(found[2]) + found[1], sentence)
    return _WORD.sub(lambda found: shortened(found[0]), quoted)
