"""Courses that are lived at one time take turns together and come out as each does alone."""

import asyncio
from collections.abc import Sequence

import pytest

from soullink.modules.simulation.agents import ensemble as ensemble_module
from soullink.modules.simulation.agents.ensemble import MOST_TOGETHER, Ensemble
from soullink.modules.simulation.api import Episode
from soullink.modules.simulation.domain import live
from soullink.modules.simulation.domain.bare import BareTurn
from soullink.modules.simulation.domain.live import LiveCourse, Opening
from tests.simulation.test_together import a_course, alone

pytestmark = pytest.mark.anyio


async def lived(ensemble: Ensemble, seed: int, pauses: Sequence[float]) -> list[BareTurn]:
    """Live a course whose model thinks for `pauses` milliseconds, one after the other."""
    course, turns = a_course(seed), list[BareTurn]()
    with ensemble.joined(course):
        while not course.over:
            await ensemble.open(course)
            while (bare := await ensemble.turn(course)) is not None:
                turns.append(bare)
                await asyncio.sleep(pauses[len(turns) % len(pauses)] / 1000)
            ensemble.close(course)
            await asyncio.sleep(pauses[0] / 1000)  # as the end is written down
    return turns


def nothing_is_left(ensemble: Ensemble) -> bool:
    kinds = (ensemble._openings, ensemble._turns, ensemble._closings)
    return not any(kind.due or kind.ready for kind in kinds)


async def test_courses_of_every_pace_come_out_as_each_does_alone() -> None:
    ensemble = Ensemble()
    paces = ((0.0,), (1.0, 0.0), (3.0, 0.0, 0.0), (0.0, 0.0, 0.0, 2.0))
    seeds = range(12)
    found = await asyncio.gather(*(lived(ensemble, seed, paces[seed % 4]) for seed in seeds))
    for seed in seeds:
        assert found[seed] == alone(seed)[0]


async def test_turns_are_taken_for_many_however_long_each_course_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widths: list[int] = []

    def counted(courses: Sequence[LiveCourse]) -> list[BareTurn | None]:
        widths.append(len(courses))
        return live.turns_of(courses)

    monkeypatch.setattr(ensemble_module, "turns_of", counted)
    ensemble = Ensemble()
    # No two of them ask in the same round of the loop.
    paces = [(2.0 + 0.37 * seed,) for seed in range(20)]
    turns = await asyncio.gather(*(lived(ensemble, n, pace) for n, pace in enumerate(paces)))
    assert max(widths) <= MOST_TOGETHER
    assert sum(map(len, turns)) / len(widths) > 4


async def test_who_leaves_takes_nothing_along_and_is_forgotten() -> None:
    ensemble = Ensemble()
    going = [asyncio.ensure_future(lived(ensemble, seed, (1.0,))) for seed in range(6)]
    await asyncio.sleep(0.01)
    for one in going[::2]:
        one.cancel()
    await asyncio.gather(*going, return_exceptions=True)
    for seed in (1, 3, 5):
        assert going[seed].result() == alone(seed)[0]
    assert nothing_is_left(ensemble)
    assert not ensemble._live


async def test_an_error_reaches_those_who_wait_and_those_taken_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ensemble, courses = Ensemble(), [a_course(seed) for seed in range(1, 4)]
    for course in courses:
        course.open()
    with ensemble.joined(courses[0]), ensemble.joined(courses[1]), ensemble.joined(courses[2]):
        await asyncio.gather(*(ensemble.turn(course) for course in courses))

        def broken(_: Sequence[LiveCourse]) -> list[BareTurn | None]:
            raise ArithmeticError("a bug")

        monkeypatch.setattr(ensemble._turns, "_go", broken)
        for course in courses:
            with pytest.raises(ArithmeticError, match="a bug"):
                await ensemble.turn(course)


async def test_episodes_that_end_meanwhile_are_settled_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widths: list[int] = []

    def counted(courses: Sequence[LiveCourse]) -> list[Episode]:
        widths.append(len(courses))
        return live.closings_of(courses)

    monkeypatch.setattr(ensemble_module, "closings_of", counted)
    ensemble = Ensemble()
    await asyncio.gather(*(lived(ensemble, seed, (1.0,)) for seed in range(1, 40, 2)))
    assert max(widths) > 4
    assert nothing_is_left(ensemble)


async def test_episodes_that_begin_meanwhile_are_opened_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widths: list[int] = []

    def counted(courses: Sequence[LiveCourse]) -> list[Opening]:
        widths.append(len(courses))
        return live.openings_of(courses)

    monkeypatch.setattr(ensemble_module, "openings_of", counted)
    ensemble = Ensemble()
    seeds = range(1, 24, 2)
    found = await asyncio.gather(*(lived(ensemble, seed, (4.0, 0.0)) for seed in seeds))
    assert widths[:1] == [len(seeds) - 1]  # the first came while nobody else was there
    assert max(widths[1:]) > 1
    assert found[3] == alone(7)[0]
    assert nothing_is_left(ensemble)


async def test_an_error_at_the_end_reaches_all_whose_episode_was_to_be_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: Sequence[LiveCourse]) -> list[Episode]:
        raise ArithmeticError("a bug")

    ensemble, courses = Ensemble(), [a_course(seed) for seed in range(1, 4)]
    for course in courses:
        course.open()
    with ensemble.joined(courses[0]), ensemble.joined(courses[1]), ensemble.joined(courses[2]):

        async def to_the_end(course: LiveCourse) -> None:
            while await ensemble.turn(course) is not None:
                pass

        await asyncio.gather(*map(to_the_end, courses))
        monkeypatch.setattr(ensemble._closings, "_go", broken)
        for course in courses:
            with pytest.raises(ArithmeticError, match="a bug"):
                ensemble.close(course)
