"""How like a text is to those that were said before it, letter by letter.

Likeness is Dice (1945) over shingles: the different runs of three letters, of two where a text is
Chinese, without spaces and punctuation.
"""

import threading
from collections.abc import Iterable
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.modules.simulation.voice.text import han_share

_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_LETTERS)
_NUMBERS: Final = _BASE**3 + _BASE**2 + _BASE
_OTHERS: Final = bytes(code for code in range(256) if chr(code) not in _LETTERS)
_PLACES: Final = bytes(max(_LETTERS.find(chr(code)), 0) for code in range(256))
_VALUES: Final = np.array([_BASE**2, _BASE, 1], dtype=np.uint16)


class _Table(threading.local):
    """Which shingles a text has, by their number; all zero between two questions."""

    def __init__(self) -> None:
        self.has: NDArray[np.uint8] = np.zeros(_NUMBERS, dtype=np.uint8)


_TABLE: Final = _Table()


class Echoes:
    """Texts that were said. Grows; a text is compared with all of them in one go.

    Texts of plain letters and digits are kept as numbers one behind the other, 160 bytes each,
    the rest as texts.
    """

    __slots__ = (
        *("_asked", "_asked_likeness", "_asked_numbers"),
        *("_numbers", "_others", "_sizes", "_starts", "_texts", "_used"),
    )

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: set[str] = set()
        self._others: list[str] = []
        self._numbers: NDArray[np.uint16] = np.empty(0, dtype=np.uint16)
        self._used = 0
        self._starts: list[int] = []
        self._sizes: list[int] = []
        # The last text asked about: most are then said.
        self._asked: str | None = None
        self._asked_numbers: NDArray[np.uint16] | None = None
        self._asked_likeness = 0.0
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Take in what was just said; the same text counts once."""
        if text in self._texts:
            return
        self._texts.add(text)
        found = self._asked_numbers if self._asked == text else _numbered(text)
        self._asked = None
        if found is None:
            self._others.append(text)
        elif found.size:
            start, end = self._used, self._used + found.size
            if end > self._numbers.size:
                self._numbers = np.resize(self._numbers, 2 * end)
            self._numbers[start:end] = found
            self._used = end
            self._starts.append(start)
            self._sizes.append(found.size)

    def likeness(self, text: str) -> float:
        """Return the likeness, 0..1, to the most alike of all; 0.0 where there is none."""
        if self._asked != text:
            mine = _numbered(text)
            self._asked_likeness = self._likeness(text, mine)
            self._asked, self._asked_numbers = text, mine
        return self._asked_likeness

    def _likeness(self, text: str, mine: NDArray[np.uint16] | None) -> float:
        if mine is None or self._others:
            own = shingles(text)
            compared = self._texts if mine is None else self._others
            best = max((_dice(own, shingles(other)) for other in compared), default=0.0)
        else:
            best = 0.0
        if mine is None or not mine.size or not self._starts:
            return best
        has = _TABLE.has
        has[mine] = 1
        shared = has[self._numbers[: self._used]]
        has[mine] = 0
        common: list[int] = np.add.reduceat(shared, self._starts, dtype=np.int32).tolist()
        size = mine.size
        for both, other in zip(common, self._sizes, strict=True):
            alike = 2.0 * both / (size + other)
            if alike > best:  # noqa: PLR1730 - max() takes three times as long
                best = alike
        return best


def similarity(one: str, other: str) -> float:
    """Return the likeness of two texts, 0..1."""
    return _dice(shingles(one), shingles(other))


def shingles(text: str) -> set[str]:
    """Return the different runs of letters of a text."""
    letters = "".join(filter(str.isalnum, text.casefold()))
    size = 2 if han_share(letters) > 0.5 else 3
    if len(letters) <= size:
        return {letters} if letters else set()
    return set(map("".join, zip(*(letters[start:] for start in range(size)), strict=False)))


def _dice(left: set[str], right: set[str]) -> float:
    if not left or not right:
        return 0.0
    return 2.0 * len(left & right) / (len(left) + len(right))


def _numbered(text: str) -> NDArray[np.uint16] | None:
    """Return `shingles` as numbers in base 36, each once, in order; None with other letters."""
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(filter(str.isalnum, folded))
        if not folded.isascii():
            return None
    letters = folded.encode().translate(_PLACES, _OTHERS)
    if len(letters) < 3:  # behind all that three letters can be
        start = 0 if not letters else _BASE**3 if len(letters) == 2 else _BASE**3 + _BASE**2
        whole = reduce(lambda number, place: number * _BASE + place, letters, 0)
        return np.array([start + whole] if letters else [], dtype=np.uint16)
    places = np.frombuffer(letters, np.uint8).astype(np.uint16)
    runs = np.correlate(places, _VALUES)  # each letter and the two behind it as one number
    runs.sort()
    different = np.empty(runs.size, dtype=np.bool_)
    different[0] = True
    np.not_equal(runs[1:], runs[:-1], out=different[1:])
    return runs[different]
