"""What sensitivity does: reads a run, lives it again many times, says what moved it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

import numpy as np

from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import ACTS, Episode, FloatArray, Intervention, Turn
from soullink.modules.simulation.domain import forking, live
from soullink.modules.simulation.domain.environment import LIFE_EVENTS
from soullink.modules.simulation.domain.sensitivity import factors, moments, sobol
from soullink.modules.simulation.domain.sensitivity.lives import Pair
from soullink.modules.simulation.sensitivity.api import (
    MOST_COURSES,
    MOST_FUTURES,
    MOST_MOMENTS,
    OUTCOMES,
    OVERS,
    Change,
    FactorEffect,
    Group,
    OutcomeName,
    Over,
    Sensitivity,
    Shares,
    TurningPoint,
    TurningPoints,
)
from soullink.modules.simulation.store import RecordedRun, RunStore

P = ParamSpec("P")
T = TypeVar("T")

REPLICAS: Final[Mapping[OutcomeName, int]] = {
    "together": 8, "satisfaction": 4, "conflict": 4, "again": 8, "trust": 4,
}  # fmt: skip
"""Of each point of a pick-freeze design: more where chance makes more of the outcome, at the cost
of points."""
BLOCKS: Final = {"range": 17, "profile": 8}
INTERACTING: Final = 0.05
"""Total less first-order share, at the lower end of its interval, from which it is said."""
DIGITS: Final = 6
"""Decimals of results: sums of floats depend on their order beyond that."""


@dataclass(frozen=True, slots=True)
class SensitivityService(Sensitivity):
    """Sensitivity of recorded runs. workers: where lives are lived, None for a thread."""

    database: Database
    workers: Executor | None = None

    async def effects(self, run_id: RunId, courses: int) -> tuple[FactorEffect, ...]:
        _check("courses", courses, 4, MOST_COURSES)
        pair = _pair(await self._recorded(run_id))
        found = await self._away(factors.effects, pair, courses)
        _, sds = live.trait_arrays(pair.personas)
        return tuple(
            FactorEffect(
                person=one.person,
                name=one.factor.name,
                kind=one.factor.kind,
                half=one.factor.half,
                open=(
                    round(float(sds[one.person, one.factor.column]), DIGITS)
                    if one.factor.kind == "trait"
                    else None
                ),
                outcomes=_changes(one.values),
            )
            for one in found
        )

    async def shares(
        self,
        run_id: RunId,
        outcome: OutcomeName,
        courses: int,
        over: Over = "range",
        interventions: Sequence[Intervention] = (),
    ) -> Shares:
        _check("courses", courses, 4, MOST_COURSES)
        if outcome not in OUTCOMES or over not in OVERS:
            raise InvalidInputError(
                f"Outcomes are {', '.join(OUTCOMES)}; they vary over {' or '.join(OVERS)}."
            )
        pair = _pair(await self._recorded(run_id))
        replicas = REPLICAS[outcome]
        points = max(courses // (BLOCKS[over] * replicas), 8)
        lived = await self._away(factors.blocks, pair, points, replicas, over, tuple(interventions))
        place = OUTCOMES.index(outcome)
        found = sobol.indices(
            lived.a[..., place], lived.b[..., place], lived.mixed[..., place], pair.seed
        )
        groups: list[Group] = []
        if found.first is not None and found.total is not None and found.beyond is not None:
            groups = [
                Group(
                    name,
                    person,
                    _change(np.clip(first, 0.0, 1.0)),
                    _change(np.clip(total, 0.0, 1.0)),
                    bool(beyond[1] > INTERACTING and total[1] > max(first[2], INTERACTING)),
                )
                for (name, person), first, total, beyond in zip(
                    lived.groups, found.first, found.total, found.beyond, strict=True
                )
            ]
        groups.sort(key=lambda one: (-one.total.value, one.name))
        return Shares(outcome, over, points, replicas, _change(found.varied), tuple(groups))

    async def turning_points(self, run_id: RunId, most: int, futures: int) -> TurningPoints:
        _check("moments", most, 1, MOST_MOMENTS)
        _check("futures", futures, 2, MOST_FUTURES)
        recorded, turns, episodes = await self._lived(run_id)
        finished = {episode.number for episode in episodes}
        told = [turn for turn in turns if turn.episode in finished]
        found = await self._away(
            moments.worth, _pair(recorded), moments.players(told, episodes, most), futures
        )
        return TurningPoints(
            tuple(
                _point(player, values)
                for player, values in zip(found.players, found.shares, strict=True)
            ),
            _named(found.everyone),
            _named(found.nobody),
            futures,
        )

    async def _recorded(self, run_id: RunId) -> RecordedRun:
        async with self.database.work() as work:
            return await RunStore(work.session).get(run_id)

    async def _lived(self, run_id: RunId) -> tuple[RecordedRun, list[Turn], list[Episode]]:
        async with self.database.work() as work:
            store = RunStore(work.session)
            recorded = await store.get(run_id)
            turns, _ = await store.turns(run_id)
            return recorded, turns, await store.episodes(run_id, recorded.scenarios)

    async def _away(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        del kwargs  # executors take none
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, work, *args)


def _check(what: str, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        raise InvalidInputError(f"Ask for {least} to {most} {what}, not {count}.")


def _pair(recorded: RecordedRun) -> Pair:
    first, second = recorded.run.people
    return Pair(
        recorded.personas,
        live.likeness(first.interests, second.interests),
        recorded.run.settings.seed,
        recorded.scenarios,
        forking.overrides_of(recorded.overrides, (str(first.id), str(second.id))),
    )


def _change(ends: FloatArray) -> Change:
    value, low, high = (round(float(end), DIGITS) + 0.0 for end in ends)
    return Change(value, low, high)


def _changes(table: FloatArray) -> Mapping[OutcomeName, Change]:
    return {name: _change(row) for name, row in zip(OUTCOMES, table, strict=True)}


def _named(values: FloatArray) -> Mapping[OutcomeName, float]:
    return {
        name: round(float(value), DIGITS) + 0.0
        for name, value in zip(OUTCOMES, values, strict=True)
    }


def _point(player: moments.Player, values: FloatArray) -> TurningPoint:
    of_turn = player.event < 0
    return TurningPoint(
        episode=player.episode,
        turn=player.turn,
        person=player.person,
        act=str(ACTS[player.act]) if of_turn else None,
        instead=str(ACTS[player.instead]) if of_turn else None,
        event=None if of_turn else LIFE_EVENTS[player.event].id,
        outcomes=_changes(values),
    )
