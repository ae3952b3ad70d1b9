"""Courses really lived by the dynamics, with placeholder words, for the tests of analysis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import soullink.modules.simulation
from soullink.kernel.ids import PersonId, RunId, new_uuid7
from soullink.modules.analysis.domain.prediction import interventions
from soullink.modules.personality.api import Persona, Personality
from soullink.modules.personality.wiring import build
from soullink.modules.profiles.api import Attachment, Profile, Wants
from soullink.modules.simulation.api import (
    ACTS,
    Course,
    Fork,
    Intervention,
    Replicas,
    Run,
    Scenario,
    Settings,
    Speech,
    Turn,
    Wall,
)
from soullink.modules.simulation.domain import live, replicas
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.scenarios import document, reading

TEMPLATES = Path(soullink.modules.simulation.__file__).parent / "scenarios" / "templates"
FIVE = ("last-train-noodle-bar", "meeting-the-friends", "whose-dishes", "the-lie", "house-viewing")
KIND = {
    "agreeableness": 95.0, "neuroticism": 8.0, "openness": 60.0, "extraversion": 65.0,
    "conscientiousness": 70.0,
}  # fmt: skip
HOSTILE = {
    "agreeableness": 4.0, "neuroticism": 93.0, "openness": 40.0, "extraversion": 50.0,
    "conscientiousness": 25.0,
}  # fmt: skip
SECURE = Attachment(anxiety=1.8, avoidance=1.6)
INSECURE = Attachment(anxiety=5.6, avoidance=4.6)


def scenario(name: str) -> Scenario:
    path = TEMPLATES / f"{name}.yaml"
    return document.from_document(reading.read_file(path), path.name)


def person(
    key: str,
    percentiles: Mapping[str, float] | None = None,
    attachment: Attachment | None = None,
    name: str | None = None,
    essays: Mapping[str, str] | None = None,
    wants: Wants | None = None,
) -> Profile:
    return Profile(
        id=PersonId(key),
        name=name or key.title(),
        age=31,
        percentiles=percentiles or {},
        attachment=attachment or Attachment(),
        essays=essays or {},
        wants=wants or Wants(),
        interests=("chess", "tides"),
        secrets=("the secret of " + key,),
    )


@dataclass(frozen=True)
class Lived:
    """A course with its replicas and, on demand, alternatives."""

    course: Course
    replicas: Replicas
    alternatives: Mapping[str, Replicas]


def lived(
    people: tuple[Profile, Profile],
    names: Sequence[str] = FIVE,
    *,
    seed: int = 3,
    count: int = 60,
    alternatives: bool = False,
    overrides: Mapping[tuple[int, int], Mapping[str, float]] | None = None,
    fork: Fork | None = None,
) -> Lived:
    scenarios = tuple(scenario(name) for name in names)
    return Lived(
        course_of(people, scenarios, seed, overrides or {}, fork),
        replicas_of(people, scenarios, seed, count),
        {
            change.id: replicas_of(people, scenarios, seed, count, change)
            for change in (interventions() if alternatives else [])
        },
    )


PERSONALITY: Personality = build()


def personas(people: tuple[Profile, Profile]) -> tuple[Persona, Persona]:
    return PERSONALITY.persona(people[0]), PERSONALITY.persona(people[1])


def without_last_episode(course: Course) -> Course:
    """Return `course` as it stood while its last episode was being lived."""
    return replace(course, episodes=course.episodes[:-1])


def replicas_of(
    people: tuple[Profile, Profile],
    scenarios: Sequence[Scenario],
    seed: int,
    count: int,
    change: Intervention | None = None,
) -> Replicas:
    batch = live.batch_of(personas(people), 0.2, seed, count, 1, sampled=True)
    ids = (str(people[0].id), str(people[1].id))
    return replicas.run(batch, ids, scenarios, Conditions((change,) if change else ()))


def course_of(
    people: tuple[Profile, Profile],
    scenarios: Sequence[Scenario],
    seed: int,
    overrides: Mapping[tuple[int, int], Mapping[str, float]],
    fork: Fork | None = None,
) -> Course:
    batch = live.batch_of(personas(people), 0.2, seed, 1, 0, sampled=False)
    walking = live.LiveCourse(batch, scenarios, Conditions((), overrides))
    turns: list[Turn] = []
    episodes = []
    while not walking.over:
        walking.open()
        while (bare := walking.turn()) is not None:
            turns.append(_turn(bare))
        episodes.append(walking.close())
    run = Run(
        id=RunId(new_uuid7()),
        people=people,
        settings=Settings(seed=seed, scenarios=tuple(s.id for s in scenarios)),
        status="finished",
        versions={"soullink": "test", "dynamics": "test"},
        fork=fork,
        created_at="2026-03-01T12:00:00+00:00",
        finished_at="2026-03-01T12:01:00+00:00",
    )
    walls = tuple(Wall("2026-03-01T12:00:00+00:00", 0.0, 0.001, 40.0) for _ in turns)
    return Course(run, tuple(episodes), tuple(turns), walls)


def _turn(bare: live.BareTurn) -> Turn:
    speech = Speech(
        words=f"words {bare.episode}.{bare.sequence}",
        inner_thought="",
        voice="built-in",
        status="ok",
        quality={"fresh": 1.0},
    )
    return Turn(
        episode=bare.episode, sequence=bare.sequence, speaker=bare.speaker, act=ACTS[bare.act],
        distribution=bare.distribution, seed=bare.seed, topic=bare.topic,
        interrupted=bare.interrupted, double=bare.double, minute=bare.minute,
        appraisal=bare.appraisal, before=bare.before, after=bare.after, conflict=bare.conflict,
        positions=bare.positions, memories=bare.memories, events=bare.events, speech=speech,
    )  # fmt: skip
