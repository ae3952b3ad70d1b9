"""What a language model is told about a turn, of a size that does not grow with the course.

Who knows what: the speaker's own profile is told in full, secrets included, since one speaks from
all that one is. Of the listener only what they show is told: name, city, occupation, interests,
languages and what they look for. Never their essays, traits, answers, attachment, values,
deal-breakers or secrets; what the listener has said is in the history, as the speaker heard it.
The inner thoughts of earlier turns are told to nobody.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from soullink.kernel.language import LANGUAGES, Language, Text
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import Prompt
from soullink.modules.simulation.api import PersonState
from soullink.modules.simulation.domain.acts import meaning
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.voice.facts import invented
from soullink.modules.simulation.voice.ledger import contradicted, own_words
from soullink.modules.simulation.voice.lines import line_book
from soullink.modules.simulation.voice.port import SpeechRequest
from soullink.modules.simulation.voice.slots import first_name, held_dear
from soullink.modules.simulation.voice.text import LENGTHS, clipped, one_line

HISTORY_TURNS: Final = 12
MEMORIES: Final = 6
EVENTS: Final = 4
ESSAYS_BUDGET: Final = 900
"""Characters of all essays together; each gets an equal share."""
LONGEST_FIELD: Final = 200
MOST_PORTRAITS: Final = 64
"""Kept at once; a course needs two of a kind."""
LONGEST_TURN: Final = 280
LONGEST_MEMORY: Final = 180

_MANNERS: Final[Mapping[str, Text]] = {
    "plain": {"en": "Talks plainly; nothing stands out.", "zh": "说话平实，不起眼。"},
    "lively": {
        "en": "Talks fast and a lot, exclaims, jumps from one thing to the next.",
        "zh": "话多话快，爱用感叹，想到哪儿说到哪儿。",
    },
    "reserved": {
        "en": "Says little: short, dry, understated sentences.",
        "zh": "话少，句子短，干巴巴的，点到为止。",
    },
    "anxious": {
        "en": "Hedges, checks back, apologises, corrects what was just said.",
        "zh": "说话犹豫，老要确认，动不动道歉，刚说完又改口。",
    },
    "orderly": {
        "en": "Precise: times, numbers, one point after the other.",
        "zh": "讲究准确，几点几分、第一第二，一条一条说。",
    },
    "dreamy": {
        "en": "Talks in images and what-ifs, drifts from one thing to another.",
        "zh": "爱打比方，爱说“要是”，说着说着就飘远了。",
    },
    "blunt": {"en": "Direct, little padding, no sugar.", "zh": "直来直去，不铺垫，不哄人。"},
    "warm": {
        "en": "Attentive and gentle; notices how the other is.",
        "zh": "体贴温和，总留意对方好不好。",
    },
}

_LABELS: Final[Mapping[str, Text]] = {
    "name": {"en": "Name", "zh": "名字"},
    "age": {"en": "Age", "zh": "年龄"},
    "pronouns": {"en": "Pronouns", "zh": "代词"},
    "city": {"en": "Lives in", "zh": "住在"},
    "occupation": {"en": "Occupation", "zh": "职业"},
    "languages": {"en": "Languages", "zh": "语言"},
    "interests": {"en": "Interests", "zh": "兴趣"},
    "manner": {"en": "Manner", "zh": "说话的样子"},
    "wants": {"en": "Looks for", "zh": "想找"},
    "values": {"en": "Holds most dear", "zh": "最看重"},
    "deal_breakers": {"en": "Cannot live with", "zh": "接受不了"},
    "secrets": {"en": "Keeps secret", "zh": "藏在心里不说的"},
    "essay": {"en": "In own words", "zh": "自己写的"},
}

_CHOICES: Final[Mapping[str, Text]] = {
    "casual": {"en": "something casual", "zh": "轻松的相处"},
    "dating": {"en": "dating", "zh": "先约会看看"},
    "long_term": {"en": "something for the long term", "zh": "长久的关系"},
    "marriage": {"en": "marriage", "zh": "奔着结婚"},
    "friendship": {"en": "friendship", "zh": "交朋友"},
    "unsure": {"en": "not sure yet", "zh": "还没想好"},
    "wants": {"en": "wants children", "zh": "想要孩子"},
    "does_not_want": {"en": "does not want children", "zh": "不想要孩子"},
    "has_and_wants_more": {"en": "has children and wants more", "zh": "有孩子，还想再要"},
    "has_and_done": {"en": "has children and wants no more", "zh": "有孩子，不打算再要"},
    "open": {"en": "open about children", "zh": "要不要孩子都可以"},
}

_MOODS: Final[tuple[tuple[float, Text], ...]] = (
    (-0.5, {"en": "very low", "zh": "很低落"}),
    (-0.15, {"en": "rather low", "zh": "有点低落"}),
    (0.15, {"en": "neither up nor down", "zh": "不好不坏"}),
    (0.5, {"en": "good", "zh": "不错"}),
    (1.0, {"en": "very good", "zh": "很好"}),
)
_DEGREES: Final[tuple[tuple[float, Text], ...]] = (
    (0.2, {"en": "hardly any", "zh": "几乎没有"}),
    (0.4, {"en": "a little", "zh": "一点"}),
    (0.6, {"en": "some", "zh": "一些"}),
    (0.8, {"en": "much", "zh": "很多"}),
    (1.0, {"en": "very much", "zh": "非常多"}),
)
_MOOD_LIMITS: Final = tuple(limit for limit, _ in _MOODS)
_LIMITS: Final = tuple(limit for limit, _ in _DEGREES)
_FEELINGS: Final[tuple[tuple[str, Text], ...]] = (
    ("arousal", {"en": "agitation", "zh": "激动"}),
    ("stress", {"en": "stress", "zh": "压力"}),
    ("trust", {"en": "trust in the other", "zh": "对对方的信任"}),
    ("closeness", {"en": "closeness to the other", "zh": "对对方的亲近"}),
    ("commitment", {"en": "wish to stay together", "zh": "想在一起的心"}),
)


def declared(prompt: Prompt, variables: Mapping[str, object]) -> dict[str, object]:
    """Return those of `variables` that the version at hand declares; versions differ in them."""
    return {name: value for name, value in variables.items() if name in prompt.variables}


class Portraits:
    """Tells who the two people of a course are, once for all courses of the same people."""

    def __init__(self) -> None:
        self._personas = {tongue: self._kept(persona_text, tongue) for tongue in LANGUAGES}
        self._publics = {tongue: self._kept(public_text, tongue) for tongue in LANGUAGES}

    def _kept(self, tell: Callable[..., str], language: Language) -> Kept[str]:
        return Kept(lambda *of: tell(*of, language), MOST_PORTRAITS)

    def persona(self, request: SpeechRequest) -> str:
        """Return `persona_text` of the speaker."""
        return self._personas[request.language](request.speaker, request.styles)

    def public(self, request: SpeechRequest) -> str:
        """Return `public_text` of the listener."""
        return self._publics[request.language](request.listener)


_TOLD: Final[Mapping[str, Callable[[SpeechRequest, Portraits], object]]] = {
    "persona": lambda request, told: told.persona(request),
    "partner_public": lambda request, told: told.public(request),
    "scenario": lambda request, _: {
        "title": one_line(request.scenario.title[request.language]),
        "setting": one_line(request.setting),
        "goal": one_line(request.goal),
    },
    "memory": lambda request, _: [
        clipped(line, LONGEST_MEMORY) for line in request.memories[:MEMORIES]
    ],
    "history": lambda request, _: [
        f"{first_name((request.speaker if who == 0 else request.listener).name)}: "
        f"{clipped(words, LONGEST_TURN)}"
        for who, words in request.history[-HISTORY_TURNS:]
    ],
    "apart": lambda *_: True,
    "act": lambda request, _: _act(request),
    "state": lambda request, _: state_text(request.state, request.language),
    "word_min": lambda request, _: LENGTHS[request.language][0],
    "word_max": lambda request, _: LENGTHS[request.language][1],
    "language": lambda request, _: request.language,
    "interrupted": lambda request, _: request.interrupted,
    "events": lambda request, _: [
        clipped(event, LONGEST_FIELD) for event in request.events[-EVENTS:]
    ],
}
TELLABLE: Final = tuple(_TOLD)
"""What a version of the prompt simulation.turn may be told."""


class TurnVariables(Mapping[str, object]):
    """What the prompt simulation.turn can be given of `names`; made when it is looked at.

    A version may declare what it leaves to other messages, and most of it is looked at once.
    memories: what the speaker recalls; None: what the request says.
    """

    __slots__ = ("_made", "_names", "_portraits", "_request")

    def __init__(
        self,
        request: SpeechRequest,
        names: tuple[str, ...],
        portraits: Portraits,
        memories: Sequence[str] | None = None,
    ) -> None:
        self._request = request
        self._names = _tellable(names)
        self._portraits = portraits
        self._made: dict[str, object] = {} if memories is None else {"memory": list(memories)}

    def __getitem__(self, name: str) -> object:
        made = self._made.get(name)
        if made is None:
            if name not in self._names:
                raise KeyError(name)
            made = self._made[name] = _TOLD[name](self._request, self._portraits)
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def recalling(self, memories: Sequence[str]) -> "TurnVariables":
        """Return the same with other memories, where memories are wanted."""
        return TurnVariables(self._request, self._names, self._portraits, memories)


@lru_cache(maxsize=64)
def _tellable(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name in _TOLD)


def repair_variables(
    request: SpeechRequest, words: str, faults: Iterable[str]
) -> dict[str, object]:
    """Return the variables of the prompt simulation.repair for the words with `faults`."""
    codes = list(faults)
    details: list[str] = []
    if "invented_fact" in codes:
        details += invented(words, request)
    if "contradiction" in codes:
        details += contradicted(words, own_words(request), request.language)
    return {
        "faults": codes,
        "details": [clipped(detail, LONGEST_FIELD) for detail in details],
        "act": _act(request),
        **_frame(request),
    }


def persona_text(person: Profile, styles: Mapping[str, float], language: Language) -> str:
    """Return all that `person` is, one field a line, at most about 2,400 characters."""
    phrases = line_book(language).values
    dearest = [phrases[name][0] for name in held_dear(person)]
    manners = sorted(styles, key=lambda style: -styles[style])[:2]
    fields: list[tuple[str, str]] = [
        ("name", person.name),
        ("age", "" if person.age is None else str(person.age)),
        ("pronouns", person.pronouns or ""),
        ("city", person.city or ""),
        ("occupation", person.occupation or ""),
        ("languages", _joined(person.languages, language)),
        ("manner", " ".join(_MANNERS[style][language] for style in manners)),
        ("interests", _joined(person.interests, language)),
        ("values", _joined(dearest, language)),
        ("wants", _wants(person, language)),
        ("deal_breakers", _joined(person.deal_breakers, language)),
        ("secrets", _joined(person.secrets, language)),
    ]
    essays = [essay for essay in person.essays.values() if essay.strip()]
    share = ESSAYS_BUDGET // max(1, len(essays))
    fields += [("essay", clipped(essay, share)) for essay in essays if share > 20]
    return _lines(fields, language, ESSAYS_BUDGET)


def public_text(person: Profile, language: Language) -> str:
    """Return what `person` shows to others, one field a line."""
    fields = [
        ("name", person.name),
        ("city", person.city or ""),
        ("occupation", person.occupation or ""),
        ("languages", _joined(person.languages, language)),
        ("interests", _joined(person.interests, language)),
        ("wants", _wants(person, language)),
    ]
    return _lines(fields, language, LONGEST_FIELD)


def state_text(state: PersonState, language: Language) -> str:
    """Return the state in a few words: "mood good; stress a little; ..."."""
    levels = [bisect_left(_MOOD_LIMITS, state.mood)]
    levels += [bisect_left(_LIMITS, getattr(state, name)) for name, _ in _FEELINGS]
    return _levels_text(tuple(levels), language)


@lru_cache(maxsize=4096)
def _levels_text(levels: tuple[int, ...], language: Language) -> str:
    mood = "mood" if language == "en" else "心情"
    gap = " " if language == "en" else ""
    parts = [f"{mood}{gap}{_word(levels[0], _MOODS, language)}"]
    parts += [
        f"{words[language]}{gap}{_word(level, _DEGREES, language)}"
        for level, (_, words) in zip(levels[1:], _FEELINGS, strict=True)
    ]
    return ("; " if language == "en" else "；").join(parts)


def _word(level: int, steps: tuple[tuple[float, Text], ...], language: Language) -> str:
    return steps[min(level, len(steps) - 1)][1][language]


def _act(request: SpeechRequest) -> dict[str, str]:
    return {"name": request.act.value, "meaning": meaning(request.act)[request.language]}


def _frame(request: SpeechRequest) -> dict[str, object]:
    few, many = LENGTHS[request.language]
    return {"word_min": few, "word_max": many, "language": request.language}


def _lines(fields: Iterable[tuple[str, str]], language: Language, longest_essay: int) -> str:
    colon = ": " if language == "en" else "："
    return "\n".join(
        _LABELS[name][language]
        + colon
        + clipped(text, longest_essay if name == "essay" else LONGEST_FIELD)
        for name, text in fields
        if one_line(text)
    )


def _joined(items: Iterable[str], language: Language) -> str:
    return ("; " if language == "en" else "；").join(clipped(item, 80) for item in items)


def _wants(person: Profile, language: Language) -> str:
    wants = person.wants
    parts = [_worded(wants.goal, language), _worded(wants.children, language), wants.text or ""]
    return _joined([part for part in parts if part], language)


def _worded(choice: str | None, language: Language) -> str:
    """Return a choice of the profile's format in words; one that is not known as it is written."""
    if not choice:
        return ""
    known = _CHOICES.get(choice)
    return choice.replace("_", " ") if known is None else known[language]
