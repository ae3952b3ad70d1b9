"""Plain facts about a piece of text: its script, its length, how like another it is."""

import re
import unicodedata
from functools import lru_cache, reduce
from operator import itemgetter
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
    """Return the `similarity` of `text` to the most alike of `others`, 0.0 where there is none.

    Most are told by their marks to be less alike than the best so far, and not compared.
    """
    own, size, marks = _shingles(text)
    if not size:
        return 0.0
    hidden = size - marks.bit_count()
    possible = []
    for other in others:
        theirs, their_size, their_marks = _shingles(other)
        shared = (marks & their_marks).bit_count() + hidden  # at most
        possible.append((2.0 * shared / (size + their_size), their_size, theirs))
    possible.sort(key=_bound, reverse=True)
    best, runs = 0.0, frozenset(own.tolist())
    for bound, their_size, theirs in possible:
        if bound <= best:
            break
        best = max(best, 2.0 * len(runs.intersection(theirs.tolist())) / (size + their_size))
    return best


_bound: Final = itemgetter(0)
_MARKS: Final = 1021
"""A prime, so that runs of like letters get other marks."""
_NO_LETTERS: Final = bytes(code for code in range(256) if not (code < 128 and chr(code).isalnum()))


@lru_cache(maxsize=8192)
def _shingles(text: str) -> tuple[NDArray[np.int64], int, int]:
    """Return the runs of three letters (two where the text is Chinese), without punctuation.

    Each once, as the code points of its letters, 21 bits each, which take a tenth of the room
    of a set of texts; how many there are; a number with a bit for each, which several may share.
    """
    folded, size = text.casefold(), 3
    if folded.isascii():
        letters = np.frombuffer(folded.encode().translate(None, _NO_LETTERS), np.uint8)
    else:
        written = "".join(filter(str.isalnum, folded))
        size = 2 if han_share(written) > 0.5 else 3
        letters = np.frombuffer(written.encode("utf-32-le", "surrogatepass"), np.uint32)
    codes = letters.astype(np.int64)
    if codes.size <= size:
        whole = reduce(lambda run, letter: run << 21 | letter, codes.tolist(), 0)
        found = np.array([whole] if whole else [], dtype=np.int64)
    else:
        runs = codes[:-1] << 21 | codes[1:]
        if size == 3:
            runs = runs[:-1] << 21 | codes[2:]
        runs.sort()
        different = np.ones(runs.size, dtype=np.bool_)
        np.not_equal(runs[1:], runs[:-1], out=different[1:])
        found = runs[different]
    marks = np.zeros(_MARKS + 3, dtype=np.bool_)
    marks[found % _MARKS] = True
    return found, found.size, int.from_bytes(np.packbits(marks).tobytes(), "big")
