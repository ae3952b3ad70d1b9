"""What a report does not know, and the report in one paragraph."""

from collections.abc import Sequence
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.analysis.api import Dimension, PersonView, StateShare
from soullink.modules.analysis.domain.wording.limits import LIMITS, SUMMARY
from soullink.modules.analysis.domain.wording.phrases import joined, listed, percent, say
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
    end: StateShare,
    replicas: Replicas,
    language: Language,
) -> str:
    """Return the report in one paragraph."""
    episodes = course.episodes
    size = int(replicas.ended.size)
    first, second = (person.name for person in course.run.people)
    by_level = {
        level: [
            d.title if language == "zh" else d.title.lower() for d in dimensions if d.level == level
        ]
        for level in ("high", "low", "unclear")
    }
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
    if len(by_level["unclear"]) == len(dimensions):
        sentences.append(SUMMARY["all_unclear"][language])
    else:
        sentences += [
            say(SUMMARY[code], language, dimensions=listed(by_level[level], language))
            for code, level in (("strong", "high"), ("weak", "low"), ("unclear", "unclear"))
            if by_level[level]
        ]
        if not by_level["high"] and not by_level["low"]:
            sentences.append(SUMMARY["average"][language])
    sentences.append(say(SUMMARY["end"], language, share=percent(end.probability), replicas=size))
    return joined(sentences, language)
