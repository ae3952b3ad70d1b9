"""Courses that take their turns together come out as each would alone, bit for bit."""

import numpy as np
import pytest

from soullink.modules.personality import wiring as personality
from soullink.modules.simulation.domain import live
from soullink.modules.simulation.domain.bare import BareTurn
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.live import LiveCourse
from soullink.modules.simulation.domain.turn import Batch
from soullink.modules.simulation.scenarios import library
from tests.simulation.courses import ADA, BEN, FIVE, XIA, YUE, SteppingClock

WHO = personality.build(SteppingClock())
SCENES = tuple(library.get(name) for name in FIVE)
FORKED = Conditions(overrides={(1, 3): {"0.mood": -0.9}, (2, 2): {"1.act": 5.0}})


def a_course(seed: int) -> LiveCourse:
    """Return one of many unlike courses: other people, other scenes, some of them forked."""
    pair = (ADA, BEN) if seed % 3 else (XIA, YUE)
    personas = (WHO.persona(pair[0]), WHO.persona(pair[1]))
    batch = live.batch_of(personas, 0.3, seed, 1, 0, sampled=False)
    scenes = SCENES[seed % 2 :: 2] if seed % 5 else SCENES
    return LiveCourse(batch, scenes, FORKED if seed % 4 == 0 else Conditions())


def numbers(batch: Batch) -> bytes:
    memory = batch.memory
    arrays = (batch.people, batch.pair, batch.alive, batch.again, memory.valence)
    more = (memory.importance, memory.day, memory.count, memory.superseded, memory.beliefs)
    return b"".join(np.ascontiguousarray(array).tobytes() for array in (*arrays, *more))


def alone(seed: int) -> tuple[list[BareTurn], list[bytes]]:
    course = a_course(seed)
    turns, states = [], []
    while not course.over:
        course.open()
        while (bare := course.turn()) is not None:
            turns.append(bare)
            if seed % 2:
                states.append(numbers(course.batch))
        course.close()
        if seed % 2:
            states.append(numbers(course.batch))
    states.append(numbers(course.batch))
    return turns, states


def together(seeds: range) -> dict[int, tuple[list[BareTurn], list[bytes]]]:
    courses = {seed: a_course(seed) for seed in seeds}
    lived: dict[int, tuple[list[BareTurn], list[bytes]]] = {seed: ([], []) for seed in seeds}
    live.openings_of(list(courses.values()))
    going = list(seeds)
    while going:
        taken = live.turns_of([courses[s] for s in going])
        over = [seed for seed, bare in zip(going, taken, strict=True) if bare is None]
        live.closings_of([courses[seed] for seed in over])
        for seed, bare in zip(going, taken, strict=True):
            turns, states = lived[seed]
            if bare is not None:
                turns.append(bare)
            if seed % 2:  # others are not looked at before their end
                states.append(numbers(courses[seed].batch))
        ended = {seed for seed in over if courses[seed].over}
        live.openings_of([courses[seed] for seed in over if seed not in ended])
        for seed in ended:
            lived[seed][1].append(numbers(courses[seed].batch))
        going = [seed for seed in going if seed not in ended]
    return lived


def test_episodes_settled_together_are_those_settled_alone() -> None:
    def at_their_end() -> list[LiveCourse]:
        courses = [a_course(seed) for seed in range(24)]
        for course in courses:
            course.open()
            while course.turn() is not None:
                pass
        return courses

    settled = live.closings_of(at_their_end())
    assert settled == [course.close() for course in at_their_end()]
    assert len({episode.outcome for episode in settled}) > 1
    course = a_course(3)
    course.open()
    with pytest.raises(RuntimeError, match="end"):
        course.close()


def test_episodes_opened_together_are_those_opened_alone() -> None:
    seeds, together_, alone_ = range(24), [], []
    courses = [a_course(seed) for seed in seeds]
    others = [a_course(seed) for seed in seeds]
    while courses:
        together_ += live.openings_of(courses)
        alone_ += [course.open() for course in others]
        for course in (*courses, *others):
            while course.turn() is not None:
                pass
            course.close()
        courses = [course for course in courses if not course.over]
        others = [course for course in others if not course.over]
    assert together_ == alone_
    assert any(opening.between for opening in alone_)


def test_turns_taken_together_are_those_taken_alone_to_the_last_bit() -> None:
    seeds = range(16)
    lived = together(seeds)
    assert sum(len(turns) for turns, _ in lived.values()) > 300
    for seed in seeds:
        turns, states = alone(seed)
        assert lived[seed][0] == turns
        assert lived[seed][1] == states


@pytest.mark.parametrize("company", [2, 3, 17])
def test_a_turn_does_not_depend_on_how_many_take_it_at_once(company: int) -> None:
    seeds = range(7, 7 + company)
    assert together(seeds)[7] == alone(7)


def test_an_episode_that_is_over_has_no_next_turn_and_holds_nobody_up() -> None:
    first, second = a_course(1), a_course(2)
    first.open()
    while first.turn() is not None:
        pass
    second.open()
    over, bare = live.turns_of([first, second])
    assert over is None
    assert bare is not None
    assert bare.sequence == 1


def test_courses_begun_together_are_those_begun_alone_to_the_last_bit() -> None:
    couples = [((ADA, BEN), (XIA, YUE))[seed % 2] for seed in range(7)]
    pairs = [
        ((WHO.persona(one), WHO.persona(other)), 0.1 * seed, seed)
        for seed, (one, other) in enumerate(couples)
    ]
    for batch, (personas, alike, seed) in zip(live.batches_of(pairs), pairs, strict=True):
        single = live.batch_of(personas, alike, seed, 1, 0, sampled=False)
        assert numbers(batch) == numbers(single)
        for name in ("traits", "general", "sparks", "drawn", "keys", "env"):
            assert getattr(batch, name).tobytes() == getattr(single, name).tobytes()
    assert live.batches_of([]) == []
