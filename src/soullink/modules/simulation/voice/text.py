"""Plain facts about a piece of text: its script and its length."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from soullink.kernel.language import Language

HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")

LENGTHS: Final[dict[Language, tuple[int, int]]] = {"en": (8, 25), "zh": (8, 45)}
"""Fewest and most words (en) or characters with punctuation (zh) of one turn as it should be."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def holds_any(text: str, parts: tuple[str, ...]) -> bool:
    """Tell whether any of `parts` stands in `text`."""
    for part in parts:  # noqa: SIM110 - any() of a generator takes twice as long
        if part in text:
            return True
    return False


def one_line(text: str) -> str:
    """Return `text` as one line of data: no control or formatting characters, no braces."""
    # Nearly every text: what is printable holds none of those characters.
    if text.isprintable() and "{" not in text and "}" not in text:
        return " ".join(text.split())
    return _cleaned(text)


@lru_cache(maxsize=4096)
def _cleaned(text: str) -> str:
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in text
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"} and character not in "{}"
    )
    return " ".join(kept.split())


@lru_cache(maxsize=4096)
def clipped(text: str, limit: int) -> str:
    """Return `one_line(text)`, at most `limit` characters, cut at a word where there is one."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > limit // 2 else head).rstrip(" ,;:，；：") + "…"


def han_share(text: str) -> float:
    """Return the share of Han characters among the letters of `text`, 0.0 without letters."""
    if text.isascii():
        return 0.0
    letters = sum(character.isalpha() for character in text)
    return len(HAN.findall(text)) / letters if letters else 0.0


def in_script(text: str, language: Language) -> bool:
    """Tell whether `text` can stand inside a sentence of `language`.

    English: every letter is Latin. Chinese: at least one Han character ("K歌" is fine).
    """
    if language == "zh":
        return HAN.search(text) is not None
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and all("LATIN" in unicodedata.name(letter, "") for letter in letters)


def count_words(text: str, language: Language) -> int:
    """Return the words of an English text, or the characters of a Chinese one without spaces."""
    return len(text.split()) if language == "en" else len("".join(text.split()))


def tokens(text: str) -> list[str]:
    """Return the words of `text` in lower case; a run of Han characters is one word."""
    return _WORD.findall(text.casefold())
