"""Plain facts about a piece of text: its script, its length, how like another it is."""

import re
import unicodedata
from functools import lru_cache, reduce
from itertools import accumulate
from sys import intern
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.language import Language

HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")

LENGTHS: Final[dict[Language, tuple[int, int]]] = {"en": (8, 25), "zh": (8, 45)}
"""Fewest and most words (en) or characters with punctuation (zh) of one turn as it should be."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


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


def similarity(one: str, other: str) -> float:
    """Return how alike two texts are, 0.0..1.0: Dice (1945) over their letter shingles."""
    return likeness_to_any(one, frozenset({other}))


@lru_cache(maxsize=256)
def likeness_to_any(text: str, others: frozenset[str]) -> float:
    """Return the `similarity` of `text` to the most alike of `others`, 0.0 where there is none."""
    mine, theirs = _numbered(text), [_numbered(other) for other in others]
    numbered = [found for found in theirs if found is not None]
    if mine is None or len(numbered) < len(theirs):
        own = _shingles(text)
        return max((_dice(own, _shingles(other)) for other in others), default=0.0)
    numbered = [found for found in numbered if found.size]
    if not mine.size or not numbered:
        return 0.0
    known = np.zeros(_NUMBERS, dtype=np.uint8)
    known[mine] = 1
    shared = known[np.concatenate(numbered)]
    sizes = [found.size for found in numbered]
    starts = [0, *accumulate(sizes[:-1])]
    common: list[int] = np.add.reduceat(shared, starts, dtype=np.int32).tolist()
    return max(2.0 * both / (mine.size + size) for both, size in zip(common, sizes, strict=True))


def _dice(left: frozenset[str], right: frozenset[str]) -> float:
    if not left or not right:
        return 0.0
    return 2.0 * len(left & right) / (len(left) + len(right))


@lru_cache(maxsize=2048)
def _shingles(text: str) -> frozenset[str]:
    """Return the runs of three letters (two where the text is Chinese), without punctuation."""
    letters = "".join(filter(str.isalnum, text.casefold()))
    size = 2 if han_share(letters) > 0.5 else 3
    if len(letters) <= size:
        return frozenset({letters} if letters else ())
    runs = (letters[start:] for start in range(size))
    # Interned: texts have most of their runs in common.
    found = set(map(intern, map("".join, zip(*runs, strict=False))))
    return frozenset(found)  # of a set: an iterator leaves twice the room


_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_LETTERS)
_NUMBERS: Final = _BASE**3 + _BASE**2 + _BASE
_OTHERS: Final = bytes(code for code in range(256) if chr(code) not in _LETTERS)
_PLACES: Final = bytes(max(_LETTERS.find(chr(code)), 0) for code in range(256))


@lru_cache(maxsize=8192)
def _numbered(text: str) -> NDArray[np.uint16] | None:
    """Return `_shingles` as numbers in base 36, each once, in order; None with other letters.

    In a tenth of the room, and counted in a quarter of the time.
    """
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(filter(str.isalnum, folded))
        if not folded.isascii():
            return None
    letters = folded.encode().translate(None, _OTHERS).translate(_PLACES)
    if len(letters) < 3:  # behind all that three letters can be
        start = 0 if not letters else _BASE**3 if len(letters) == 2 else _BASE**3 + _BASE**2
        whole = reduce(lambda number, place: number * _BASE + place, letters, 0)
        return np.array([start + whole] if letters else [], dtype=np.uint16)
    places = np.frombuffer(letters, np.uint8).astype(np.uint16)
    runs = (places[:-2] * _BASE + places[1:-1]) * _BASE + places[2:]
    runs.sort()
    different = np.empty(runs.size, dtype=np.bool_)
    different[0] = True
    np.not_equal(runs[1:], runs[:-1], out=different[1:])
    return runs[different]
