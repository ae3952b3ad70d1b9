"""The course so far as entries of a context: scenes, who said what, and what is left of it later.

What people said stands behind "> ", in one line, so that none of it passes for the prompt's own
words; the speaker's own turns stand as the answers that they were, in JSON.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.prompts.api import Entry, Memory
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.domain.acts import meaning
from soullink.modules.simulation.voice.claims import CHINESE, ENGLISH
from soullink.modules.simulation.voice.port import Place, Said, SpeechRequest
from soullink.modules.simulation.voice.slots import first_name, interests_of, mentions
from soullink.modules.simulation.voice.text import clipped, one_line

LONGEST_TURN: Final = 280
LONGEST_EVENT: Final = 200
LONGEST_MEMORY: Final = 180
LONGEST_FACT: Final[dict[Language, int]] = {"en": 44, "zh": 22}
MOST_FACTS: Final = 2
MARKS: Final[dict[Language, tuple[str, str, str]]] = {
    "en": (": ", ", ", "; "),
    "zh": ("：", "、", "；"),
}
YOU: Final[dict[Language, str]] = {"en": "you", "zh": "你"}

QUOTED_ACTS: Final = frozenset(
    {Act.CONFIDE, Act.PROMISE, Act.PLAN, Act.COMPROMISE, Act.REFUSE, Act.SET_BOUNDARY, Act.LEAVE}
    | {Act.REQUEST, Act.COMPLAIN, Act.APOLOGISE}
)
"""Acts of which the beginning of the words is kept when they are told in short."""


def entries_of(request: SpeechRequest, scene: Callable[[Place], str]) -> list[Entry]:
    """Return the course so far, oldest first, and the scene of the present episode.

    scene: returns how a place is told.
    """
    return [entry for _, entry in _told(request, scene)]


def memories_of(request: SpeechRequest) -> list[Memory]:
    """Return what the speaker recalls; about: the entry in which it was said, by its words."""
    places = {
        (said.episode, said.sequence): (index, said.words)
        for index, said in _numbered(request)
        if said is not None
    }
    found = []
    for recollection in request.recollections:
        lived = [places[turn] for turn in recollection.turns if turn in places]
        # A memory keeps the words of its strongest turn, which need not be the last.
        about = next((i for i, words in lived if words[:40] in recollection.text), None)
        text = clipped(recollection.text, LONGEST_MEMORY)
        found.append(Memory(text, recollection.importance, about))
    return found


def _numbered(request: SpeechRequest) -> Iterator[tuple[int, Said | None]]:
    yield from enumerate(said for said, _ in _told(request, lambda place: place.title))


def _told(
    request: SpeechRequest, scene: Callable[[Place], str]
) -> Iterator[tuple[Said | None, Entry]]:
    language = request.language
    names = (first_name(request.speaker.name), first_name(request.listener.name))
    known = _subjects(request)
    episode = 0
    for said in request.course:
        if said.episode != episode:
            episode = said.episode
            yield from _scene(request.places, episode, scene)
        for event in said.events:
            text = f"> {clipped(event, LONGEST_EVENT)}"
            yield None, Entry("user", text)
        yield said, _entry(said, names, known, language)
    if episode != request.episode:
        yield from _scene(request.places, request.episode, scene)


def _scene(
    places: Mapping[int, Place], episode: int, scene: Callable[[Place], str]
) -> Iterator[tuple[None, Entry]]:
    place = places.get(episode)
    if place is not None:
        yield None, Entry("user", scene(place), heading=True, did=one_line(place.title))


@lru_cache(maxsize=8192)
def _entry(said: Said, names: tuple[str, str], known: tuple[str, ...], language: Language) -> Entry:
    words = clipped(said.words, LONGEST_TURN)
    name = names[0] if said.own else names[1]
    if said.own and said.act is not Act.SILENCE:
        answer = {"words": words, "act": said.act.value}
        role, text = "assistant", json.dumps(answer, ensure_ascii=False)
    else:
        role, text = "user", f"> {name}{MARKS[language][0]}{words}"
    return Entry(
        "assistant" if role == "assistant" else "user",
        text,
        who=YOU[language] if said.own else name,
        did=said.act.value.replace("_", " ") if language == "en" else meaning(said.act)["zh"],
        facts=_facts(said, known, language),
    )


def _facts(said: Said, known: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Return the key facts of a turn: its beginning where it binds, else what it speaks of."""
    if said.act in QUOTED_ACTS:
        return (clipped(said.words, LONGEST_FACT[language]),)
    lowered = said.words.casefold()
    found = [subject for subject in known if mentions(subject, lowered)]
    for pattern in ENGLISH if language == "en" else CHINESE:
        found += [match[1] for match in pattern.finditer(said.words)]
    return tuple(dict.fromkeys(clipped(fact, LONGEST_FACT[language]) for fact in found))[
        :MOST_FACTS
    ]


def _subjects(request: SpeechRequest) -> tuple[str, ...]:
    people = (request.speaker, request.listener)
    found = [item for person in people for item in interests_of(person, request.language)]
    found += [person.city for person in people if person.city]
    return tuple(dict.fromkeys(found))
