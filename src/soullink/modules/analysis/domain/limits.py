"""What a report does not know, and the report in one paragraph."""

from collections.abc import Sequence
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.analysis.api import Dimension, PersonView, Prediction
from soullink.modules.analysis.domain.dimensions import ENOUGH
from soullink.modules.analysis.domain.feedback import differences
from soullink.modules.analysis.domain.wording.limits import CHILDREN, GOALS, LIMITS, SUMMARY
from soullink.modules.analysis.domain.wording.phrases import joined, listed, percent, say
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Course, Replicas

FEW: Final = 100
BUILT_IN: Final = "built-in"


def limits(
    replicas: Replicas, people: tuple[PersonView, PersonView], voice: str, language: Language
) -> tuple[str, ...]:
    """Return what this report does not know, one sentence or two each."""
    size = int(replicas.ended.size)
    names = (people[0].name, people[1].name)
    again = replicas.again.mean(axis=0)
    found = [
        say(LIMITS["attraction"], language),
        say(
            LIMITS["second_chance"],
            language,
            first=names[0],
            second=names[1],
            share_first=percent(float(again[0])),
            share_second=percent(float(again[1])),
            both=percent(float(replicas.again.all(axis=1).mean())),
        ),
        say(
            LIMITS["one_situation" if len(replicas.scenarios) == 1 else "situations"],
            language,
            episodes=len(replicas.scenarios),
        ),
        LIMITS["not_used"][language],
    ]
    found += [
        say(LIMITS["unknown"], language, name=p.name, untold=listed(p.unknown, language))
        for p in people
        if p.unknown
    ]
    plain = ["model", "scale", "words", *(["built_in"] if voice == BUILT_IN else [])]
    found += [LIMITS[code][language] for code in plain]
    found.append(say(LIMITS["one_course"], language, replicas=size))
    if size < FEW:
        found.append(say(LIMITS["few"], language, replicas=size))
    return (*found, LIMITS["not_advice"][language])


def summary(
    course: Course,
    dimensions: Sequence[Dimension],
    outlook: Prediction,
    replicas: Replicas,
    language: Language,
) -> str:
    """Return the report in one paragraph."""
    episodes = course.episodes
    first, second = (person.name for person in course.run.people)
    sentences = [
        say(
            SUMMARY["lived_one" if len(episodes) == 1 else "lived"],
            language,
            first=first,
            second=second,
            episodes=len(episodes),
            days=round(episodes[-1].day) if episodes else 0,
        )
    ]
    if course.run.status == "finished" and len(episodes) < len(replicas.scenarios):
        sentences.append(SUMMARY["broke_off"][language])
    sentences += [
        *_levels(dimensions, int(replicas.ended.size), language),
        *_end(outlook, replicas, language),
        *_conflicts(course.run.people, language),
    ]
    return joined(sentences, language)


def _levels(dimensions: Sequence[Dimension], size: int, language: Language) -> list[str]:
    """Return where they fit and where they rub. size: of the replicas."""
    if size < ENOUGH:
        return [say(SUMMARY["too_few"], language, replicas=size, enough=ENOUGH)]
    by_level = {
        level: [
            d.title if language == "zh" else d.title.lower() for d in dimensions if d.level == level
        ]
        for level in ("high", "low", "mixed", "unclear")
    }
    if len(by_level["unclear"]) == len(dimensions):
        return [SUMMARY["all_unclear"][language]]
    sentences = [
        say(SUMMARY[code], language, dimensions=listed(by_level[level], language))
        for code, level in (("strong", "high"), ("weak", "low"), ("unclear", "unclear"))
        if by_level[level]
    ]
    plain = not by_level["high"] and not by_level["low"]
    if plain and 2 * len(by_level["mixed"]) > len(dimensions):
        sentences.append(SUMMARY["average"][language])
    return sentences


def _end(outlook: Prediction, replicas: Replicas, language: Language) -> list[str]:
    """Return how many stay together, on which condition, and what that compares to."""
    one = len(replicas.scenarios) == 1
    sentences = [
        say(
            SUMMARY["end_one" if one else "end"],
            language,
            share=percent(outlook.together.probability),
            again=percent(outlook.again.probability),
            replicas=int(replicas.ended.size),
        )
    ]
    if outlook.anyone is not None:
        share = percent(outlook.anyone.probability)
        sentences.append(say(SUMMARY["anyone"], language, share=share))
    code = "one_situation" if one else "situations"
    return [*sentences, say(SUMMARY[code], language, episodes=len(replicas.scenarios))]


def _conflicts(people: tuple[Profile, Profile], language: Language) -> list[str]:
    """Return what both told that does not go together, a sentence each."""
    told = {
        "goals": [GOALS.get(person.wants.goal or "") for person in people],
        "children": [CHILDREN.get(person.wants.children or "") for person in people],
    }
    sentences = []
    for code in differences((people[0].wants, people[1].wants)):
        first, second = told[code]
        if first is not None and second is not None:
            sentences.append(
                say(
                    SUMMARY[code],
                    language,
                    first=people[0].name,
                    second=people[1].name,
                    of_first=first[language],
                    of_second=second[language],
                )
            )
    return [*sentences, SUMMARY["not_counted"][language]] if sentences else []
