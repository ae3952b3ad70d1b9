"""The course so far as entries of a context: scenes, who said what, and what is left of it later.

What people said stands behind "> ", in one line, so that none of it passes for the prompt's own
words; the speaker's own turns stand as the answers that they were, in JSON.
"""

import json
import operator
from collections.abc import Callable
from functools import partial
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.prompts.api import Conversation, Entry, Memory
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.domain.acts import meaning
from soullink.modules.simulation.voice.claims import CHINESE, ENGLISH
from soullink.modules.simulation.voice.port import Place, Recollection, Said, SpeechRequest
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
_quoted: Final = json.encoder.encode_basestring
YOU: Final[dict[Language, str]] = {"en": "you", "zh": "你"}

QUOTED_ACTS: Final = frozenset(
    {Act.CONFIDE, Act.PROMISE, Act.PLAN, Act.COMPROMISE, Act.REFUSE, Act.SET_BOUNDARY, Act.LEAVE}
    | {Act.REQUEST, Act.COMPLAIN, Act.APOLOGISE}
)
"""Acts of which the beginning of the words is kept when they are told in short."""


class Telling:
    """The course as one of the two is told it. Grows with the course.

    system: the part of the prompt that stands before it, once it is known. scene: returns how a
    place is told. conversation: takes in what happened, oldest first, with
    the scene of the present episode.
    """

    def __init__(
        self, request: SpeechRequest, conversation: Conversation, scene: Callable[[Place], str]
    ) -> None:
        self.conversation = conversation
        self.system: str | None = None
        self._scene = scene
        self._styles = request.styles
        self._language = request.language
        self._people = (request.speaker, request.listener)
        self._names = (first_name(request.speaker.name), first_name(request.listener.name))
        self._known = _subjects(request)
        self._course: tuple[Said, ...] = ()
        self._episode = 0
        self._entries = 0
        self._lived: dict[tuple[int, int], tuple[int, str]] = {}
        self._memories: dict[tuple[str, tuple[tuple[int, int], ...]], Memory] = {}

    def follows(self, request: SpeechRequest) -> bool:
        """Tell whether the request is a later one of the same course, to the same person."""
        told = self._course
        return (
            len(request.course) >= len(told)
            and request.episode >= self._episode
            and all(map(operator.is_, told, request.course))
            and self._people[0] is request.speaker
            and self._people[1] is request.listener
            and self._styles is request.styles
            and self._language == request.language
        )

    def go_on(self, request: SpeechRequest) -> None:
        """Take in what has been said since."""
        for said in request.course[len(self._course) :]:
            self._open(request, said.episode)
            for event in said.events:
                self._add(Entry("user", f"> {clipped(event, LONGEST_EVENT)}"))
            self._lived[said.episode, said.sequence] = (self._entries, said.words)
            self._add(_entry(said, self._names, self._known, self._language))
        self._course = request.course
        self._open(request, request.episode)

    def _add(self, entry: Entry) -> None:
        self._entries += 1
        self.conversation.add(entry)

    def _open(self, request: SpeechRequest, episode: int) -> None:
        if episode == self._episode:
            return
        self._episode = episode
        place = request.places.get(episode)
        if place is not None:
            self._add(Entry("user", self._scene(place), heading=True, did=one_line(place.title)))

    def memories(self, request: SpeechRequest) -> list[Memory]:
        """Return what the speaker recalls; about: the entry in which it was said, by its words."""
        return [self._memory(recollection) for recollection in request.recollections]

    def _memory(self, recollection: Recollection) -> Memory:
        key = (recollection.text, recollection.turns)
        memory = self._memories.get(key)
        if memory is not None and memory.salience == recollection.importance:
            return memory
        lived = [self._lived[turn] for turn in recollection.turns if turn in self._lived]
        # A memory keeps the words of its strongest turn, which need not be the last.
        about = next((i for i, words in lived if words[:40] in recollection.text), None)
        text = clipped(recollection.text, LONGEST_MEMORY)
        memory = Memory(text, recollection.importance, about)
        if about is not None:
            self._memories[key] = memory
        return memory


def _entry(said: Said, names: tuple[str, str], known: tuple[str, ...], language: Language) -> Entry:
    words = clipped(said.words, LONGEST_TURN)
    name = names[0] if said.own else names[1]
    if said.own and said.act is not Act.SILENCE:
        role = "assistant"
        text = f'{{"words": {_quoted(words)}, "act": "{said.act}"}}'
    else:
        role = "user"
        text = f"> {name}{MARKS[language][0]}{words}"
    return Entry(
        "assistant" if role == "assistant" else "user",
        text,
        who=YOU[language] if said.own else name,
        did=said.act.replace("_", " ") if language == "en" else meaning(said.act)["zh"],
        facts=partial(_facts, said, known, language),
    )


def _facts(said: Said, known: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Return the key facts of a turn: its beginning where it binds, else what it speaks of."""
    if said.act in QUOTED_ACTS:
        return (clipped(said.words, LONGEST_FACT[language]),)
    lowered = said.words.casefold()
    found = [subject for subject in known if mentions(subject, lowered)]
    for form in ENGLISH if language == "en" else CHINESE:
        found += [match[1] for match in form.finditer(said.words)]
    return tuple(dict.fromkeys(clipped(fact, LONGEST_FACT[language]) for fact in found))[
        :MOST_FACTS
    ]


def _subjects(request: SpeechRequest) -> tuple[str, ...]:
    people = (request.speaker, request.listener)
    found = [item for person in people for item in interests_of(person, request.language)]
    found += [person.city for person in people if person.city]
    return tuple(dict.fromkeys(found))
