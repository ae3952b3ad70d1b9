"""What somebody has said of themselves, and where later words say the opposite.

Precision before recall: a claim has one of a few fixed forms, is no question, not supposed, not
said in jest, and contradicts another only on the very same subject. What can change in the time
between two episodes (where one lives, a pet, being married) is compared within one episode only.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.voice.claims import (
    CHINESE_AGE,
    ENGLISH_AGE,
    ENGLISH_HABIT,
    ENGLISH_HAS,
    ENGLISH_HAS_NOT,
    ENGLISH_HATES,
    ENGLISH_LIKES,
    ENGLISH_MARRIED,
    ENGLISH_NUMBER,
    ENGLISH_ORIGIN,
    ENGLISH_UNMARRIED,
    GENERAL,
    HAN_HABIT,
    HAN_HAS,
    HAN_HAS_NOT,
    HAN_HATES,
    HAN_LIKES,
    HAN_MARRIED,
    HAN_NUMBER,
    HAN_ORIGIN,
    HAN_SELF,
    HAN_UNMARRIED,
    PETS,
    SINGULAR,
    UNITS,
    WIDE_PLACES,
    Form,
    meant,
    of_oneself,
)
from soullink.modules.simulation.voice.facts import number_of
from soullink.modules.simulation.voice.port import SpeechRequest
from soullink.modules.simulation.voice.text import clipped

JESTS: Final = frozenset({Act.JOKE, Act.TEASE, Act.SILENCE})
LONGEST_QUOTE: Final = 120

_SENTENCES: Final = re.compile(r"[^.!?。！？…]+[.!?。！？…]*")
_REPORTED: Final = re.compile(
    r"\b(?:you|he|she|they|people|who|everyone) (?:say|says|said|think|thinks|thought|told me)\b|"
    r"(?:你|他|她|人家|别人|大家)(?:说|以为|觉得|问)",
    re.IGNORECASE,
)
_HAN_NUMBERS: Final = {word: number for number, word in enumerate("一两三四五六七八九", start=1)}


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing said of oneself. lasting: it does not change within a course."""

    subject: str
    value: str
    lasting: bool = True


def own_words(request: SpeechRequest) -> tuple[tuple[bool, str], ...]:
    """Return (said in this episode, words) of the speaker's earlier turns that are meant.

    Empty where the turn itself is a jest.
    """
    if request.act in JESTS:
        return ()
    return tuple(
        (said.episode == request.episode, said.words)
        for said in request.course
        if said.own and said.act not in JESTS
    )


def contradicted(
    words: str, earlier: Iterable[tuple[bool, str]], language: Language
) -> tuple[str, ...]:
    """Return earlier words that `words` deny, clipped, oldest first."""
    now = claims_of(words, language)
    if not now:
        return ()
    return tuple(
        clipped(said, LONGEST_QUOTE)
        for same_episode, said in earlier
        if any(
            _denies(one, other, same_episode) for one in now for other in claims_of(said, language)
        )
    )


@lru_cache(maxsize=8192)
def claims_of(words: str, language: Language) -> tuple[Claim, ...]:
    """Return what the words claim of the one who says them."""
    if not _of_oneself(words, language):
        return ()
    found: list[Claim] = []
    for sentence in _SENTENCES.findall(words):
        if not _of_oneself(sentence, language) or sentence.rstrip().endswith(("?", "？")):
            continue
        if _REPORTED.search(sentence):
            continue
        found += _claims(sentence, _FORMS[language])
    return tuple(dict.fromkeys(found))


def _of_oneself(words: str, language: Language) -> bool:
    """Tell whether words speak of the one who says them; every form does."""
    return HAN_SELF in words if language == "zh" else of_oneself(words)


def _denies(one: Claim, other: Claim, same_episode: bool) -> bool:
    if one.subject != other.subject or one.value in other.value or other.value in one.value:
        return False
    return same_episode or (one.lasting and other.lasting)


@dataclass(frozen=True, slots=True)
class _Forms:
    """The patterns of one language."""

    has: Form
    has_not: Form
    number: Form
    likes: Form
    hates: Form
    habit: Form
    origin: tuple[tuple[str, Form, bool], ...]
    age: Form
    married: Form
    unmarried: Form


_FORMS: Final[dict[Language, _Forms]] = {
    "en": _Forms(
        *(ENGLISH_HAS, ENGLISH_HAS_NOT, ENGLISH_NUMBER, ENGLISH_LIKES, ENGLISH_HATES),
        *(ENGLISH_HABIT, ENGLISH_ORIGIN, ENGLISH_AGE, ENGLISH_MARRIED, ENGLISH_UNMARRIED),
    ),
    "zh": _Forms(
        *(HAN_HAS, HAN_HAS_NOT, HAN_NUMBER, HAN_LIKES, HAN_HATES),
        *(HAN_HABIT, HAN_ORIGIN, CHINESE_AGE, HAN_MARRIED, HAN_UNMARRIED),
    ),
}


def _claims(sentence: str, forms: _Forms) -> Iterator[Claim]:
    yield from _possessions(sentence, forms)
    yield from _habits(sentence, forms)
    yield from _circumstances(sentence, forms)


def _possessions(sentence: str, forms: _Forms) -> Iterator[Claim]:
    for match in meant(forms.has, sentence):
        key = _one(match[1])
        for subject in dict.fromkeys((key, GENERAL.get(key, key))):
            yield Claim(f"has {subject}", "yes", _stays(key))
    for match in meant(forms.has_not, sentence):
        key = _one(match[1])
        yield Claim(f"has {key}", "no", _stays(key))
    for match in meant(forms.number, sentence):
        yield Claim(f"count {_one(match[2])}", _count(match[1].casefold()), lasting=False)


def _habits(sentence: str, forms: _Forms) -> Iterator[Claim]:
    for pattern, value in ((forms.likes, "likes"), (forms.hates, "hates")):
        for match in meant(pattern, sentence):
            yield Claim(f"taste {_bare(match[1])}", value)
    for match in meant(forms.habit, sentence):
        yield Claim(f"habit {match[2].casefold()}", "no" if match[1] else "yes")


def _circumstances(sentence: str, forms: _Forms) -> Iterator[Claim]:
    for kind, pattern, lasting in forms.origin:
        for match in meant(pattern, sentence):
            if match[1] not in WIDE_PLACES:
                yield Claim(kind, match[1], lasting)
    for match in meant(forms.age, sentence):
        yield Claim("age", str(number_of(match[1].casefold())), lasting=False)
    for pattern, value in ((forms.married, "yes"), (forms.unmarried, "no")):
        for _ in meant(pattern, sentence):
            yield Claim("married", value, lasting=False)


def _one(key: str) -> str:
    """Return the word in the singular, small."""
    small = key.casefold()
    if small in SINGULAR:
        return SINGULAR[small]
    return small[:-1] if small.isascii() and small.endswith("s") else small


def _stays(key: str) -> bool:
    return PETS.fullmatch(key) is None


def _count(number: str) -> str:
    if number.isdigit():
        return number
    return str(_HAN_NUMBERS[number] if number in _HAN_NUMBERS else UNITS.index(number) + 1)


def _bare(thing: str) -> str:
    return re.sub(r"^(?:the|a|an|my|all|any|some) ", "", thing.casefold().strip())
