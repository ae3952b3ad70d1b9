"""The authored building blocks of composed scenarios, and what a profile can put into them."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final, TypeAlias

from soullink.modules.profiles.api import SCHWARTZ_VALUES, Profile
from soullink.modules.simulation.api import Stage
from soullink.modules.simulation.scenarios.reading import parse

Block: TypeAlias = Mapping[str, Any]

PHRASE_LENGTH: Final = 40
LIMIT_LENGTH: Final = 60
_STOPS: Final = ".!?;:…。！？；：\n\r\t|/\\"
_DROPPED: Final = '{}<>[]`*"“”„«»「」『』#'
_INVISIBLE: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_SECURITY: Final = ("security", "conformity", "tradition")
_CHANGE: Final = ("self_direction", "stimulation", "hedonism")


@dataclass(frozen=True, slots=True)
class Blocks:
    """tensions: what is between the two; places: where; hours, occasions: parameter choices."""

    tensions: tuple[Block, ...]
    places: tuple[Block, ...]
    hours: tuple[Block, ...]
    occasions: tuple[Block, ...]


@lru_cache(maxsize=1)
def blocks() -> Blocks:
    """Return the shipped building blocks, in the order of their ids; read once per process."""
    folder = resources.files("soullink.modules.simulation.scenarios") / "blocks"
    tensions = [
        parse(entry.read_text(encoding="utf-8"), entry.name)
        for entry in (folder / "tensions").iterdir()
        if entry.name.endswith(".yaml")
    ]
    places = parse((folder / "places.yaml").read_text(encoding="utf-8"), "places.yaml")
    circumstances = parse(
        (folder / "circumstances.yaml").read_text(encoding="utf-8"), "circumstances.yaml"
    )
    return Blocks(
        tensions=tuple(sorted(tensions, key=lambda block: str(block["id"]))),
        places=tuple(sorted(places, key=lambda block: str(block["id"]))),
        hours=tuple(circumstances["hour"]),
        occasions=tuple(circumstances["occasion"]),
    )


def tensions_for(stage: Stage) -> list[Block]:
    """Return the tensions that can arise at `stage`."""
    return [block for block in blocks().tensions if stage.value in block["stages"]]


def places_for(stage: Stage) -> list[Block]:
    """Return the places where two people can be at `stage`."""
    return [block for block in blocks().places if stage.value in block["stages"]]


def short_phrase(text: str | None, longest: int = PHRASE_LENGTH) -> str | None:
    """Return the first part of `text` as a short harmless phrase, or None when there is none.

    Profile text is data: it is cut at the first sentence mark, loses braces, quotation marks,
    markup and invisible characters, and what stays longer than `longest` is not used at all.
    """
    if not text:
        return None
    start = text.strip()[: 4 * longest]
    for position, character in enumerate(start):
        if character in _STOPS:
            start = start[:position]
            break
    plain = "".join(
        " " if c.isspace() else "" if c in _DROPPED or _is_invisible(c) else c
        for c in unicodedata.normalize("NFC", start)
    )
    phrase = " ".join(plain.split()).strip(" ,，、-")
    has_letters = any(c.isalpha() for c in phrase)
    return phrase if has_letters and 2 <= len(phrase) <= longest else None


def facts(tension: Block, people: tuple[Profile, Profile]) -> list[tuple[str, str]] | None:
    """Return the phrases that could fill a tension's two slots, or None when it does not arise.

    people: in an order that does not depend on how they were given.
    """
    found = _FACTS[tension["needs"]](people)
    return list(dict.fromkeys(found)) or None


def _goals(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    goals = {person.wants.goal for person in people}
    return [("", "")] if len(goals) == 2 and not goals & {None, "unsure"} else []


def _values(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    leanings = {_leaning(person) for person in people}
    return [("", "")] if leanings == {"security", "change"} else []


def _cities(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    first, second = ([short_phrase(person.city)] for person in people)
    return _pairs(first, second)


def _different_interests(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    first, second = (_interests(person) for person in people)
    own, other = ({_folded(name) for name in names} for names in (first, second))
    return _pairs(
        [name for name in first if _folded(name) not in other],
        [name for name in second if _folded(name) not in own],
    )


def _shared_interests(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    first, second = (_interests(person) for person in people)
    other = {_folded(name) for name in second}
    return _singles([name for name in first if _folded(name) in other])


def _any_interest(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    return _singles([name for person in people for name in _interests(person)])


def _jobs(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    return _singles([short_phrase(person.occupation) for person in people])


def _deal_breakers(people: tuple[Profile, Profile]) -> list[tuple[str, str]]:
    texts = [text for person in people for text in person.deal_breakers[:12]]
    return _singles([short_phrase(text, LIMIT_LENGTH) for text in texts])


_FACTS: Final[Mapping[str, Callable[[tuple[Profile, Profile]], list[tuple[str, str]]]]] = {
    "nothing": lambda _: [("", "")],
    "goals": _goals,
    "values": _values,
    "cities": _cities,
    "interests": _different_interests,
    "shared": _shared_interests,
    "interest": _any_interest,
    "job": _jobs,
    "deal_breaker": _deal_breakers,
}
"""What a tension may need to know of the two, by the word in its `needs`."""


def _interests(person: Profile) -> list[str]:
    phrases = (short_phrase(text) for text in person.interests[:24])
    return list(dict.fromkeys(phrase for phrase in phrases if phrase))


def _singles(phrases: Sequence[str | None]) -> list[tuple[str, str]]:
    return [(phrase, "") for phrase in phrases if phrase]


def _pairs(own: Sequence[str | None], other: Sequence[str | None]) -> list[tuple[str, str]]:
    return [(a, b) for a in own for b in other if a and b and _folded(a) != _folded(b)]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _leaning(person: Profile) -> str | None:
    """Return which of two opposed sides of Schwartz's circle a person rates clearly higher."""
    rated = {name: person.values[name] for name in SCHWARTZ_VALUES if name in person.values}
    security = [rated[name] for name in _SECURITY if name in rated]
    change = [rated[name] for name in _CHANGE if name in rated]
    if not security or not change:
        return None
    gap = sum(security) / len(security) - sum(change) / len(change)
    if abs(gap) < 0.5:
        return None
    return "security" if gap > 0 else "change"


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE
