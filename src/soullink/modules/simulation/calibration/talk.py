"""Mood in a quarrel, turn by turn: inertia, the partner's influence, and how far both agree.

Real couples rated their affect every two seconds; a simulated turn is about ten seconds long. The
weights over one turn are therefore those at ten seconds. The weights at two seconds are those of
the process that gives them when run five times: the fifth root of the matrix of weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray, IntArray, Stage
from soullink.modules.simulation.calibration import estimates
from soullink.modules.simulation.calibration.estimates import Effect
from soullink.modules.simulation.calibration.population import strangers
from soullink.modules.simulation.domain import course
from soullink.modules.simulation.domain.layout import Person
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.scenarios import library

TURNS: Final = 60
"""A quarrel of ten minutes at ten seconds a turn, as couples have in the laboratory."""
RATINGS_IN_A_TURN: Final = 5
"""Ratings of two seconds in a turn of ten."""


@dataclass(frozen=True, slots=True)
class Talks:
    """Moods in long talks about a crisis that lasted at least half of their turns.

    moods: (n, turns, 2), NaN after an early end.
    """

    moods: FloatArray

    @property
    def size(self) -> int:
        """Return n."""
        return int(self.moods.shape[0])


def simulated(
    seed: int, couples: int = 400, many: Sequence[Parameters] = (CURRENT,)
) -> list[Talks]:
    """Return about `couples` talks of strangers, over all shipped crises, for each of `many`."""
    random = np.random.default_rng(seed)
    scenes = [s for s in library.shipped() if s.stage is Stage.CRISIS]
    calm = course.Conditions()
    lasted: list[list[FloatArray]] = [[] for _ in many]
    for scene in scenes:
        long = replace(scene, turns=(TURNS, TURNS))
        each = couples // len(scenes)
        batch = strangers(each, random, many)
        record, situation = course.open_episode(batch, long, None, 1, calm)
        moods = np.full((batch.size, TURNS, 2), np.nan)
        turns = course.live_turns(batch, long, 1, situation, record, calm)
        for turn, taken in enumerate(turns):
            moods[taken.rows, turn] = taken.after[..., Person.MOOD]
        for number, store in enumerate(lasted):
            part = moods[number * each : (number + 1) * each]
            store.append(part[~np.isnan(part[:, TURNS // 2, 0])])
    return [Talks(np.concatenate(parts)) for parts in lasted]


def _regression(moods: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """Return (next, own, partner's) mood less its mean in the talk, and the talk's number."""
    centred = moods - np.nanmean(moods, axis=1, keepdims=True)
    target, own, other, talk = [], [], [], []
    numbers = np.arange(moods.shape[0])
    for person in (0, 1):
        there = ~np.isnan(centred[:, 1:, person])
        target.append(centred[:, 1:, person][there])
        own.append(centred[:, :-1, person][there])
        other.append(centred[:, :-1, 1 - person][there])
        talk.append(np.broadcast_to(numbers[:, None], there.shape)[there])
    return tuple(np.concatenate(part) for part in (target, own, other, talk))  # type: ignore[return-value]


def mood_in_a_quarrel(seed: int, couples: int = 400) -> tuple[Effect, Effect]:
    """Return (inertia, partner influence) of mood over one turn, with intervals over talks."""
    y, own, other, talk = _regression(simulated(seed, couples)[0].moods)
    none = np.zeros(talk.size, dtype=np.int64)
    inertia, influence = estimates.slopes([own, other], y, talk, none)
    return inertia, influence


def figures(moods: FloatArray) -> dict[str, float]:
    """Return inertia and influence at ten and at two seconds, and how far mean moods agree.

    moods: (n, turns, 2). The two people are interchangeable, so the matrix of weights is
    [[inertia, influence], [influence, inertia]]; its eigenvalues are their sum and difference.
    """
    y, own, other, _ = _regression(moods)
    x = np.stack([estimates.standard(own), estimates.standard(other)], axis=1)
    inertia, influence = np.linalg.solve(x.T @ x, x.T @ estimates.standard(y))
    both = np.maximum([inertia + influence, inertia - influence], 0.0) ** (1.0 / RATINGS_IN_A_TURN)
    mean = np.nanmean(moods, axis=1)
    return {
        "inertia": float(inertia),
        "influence": float(influence),
        "inertia_2s": float(both.mean()),
        "influence_2s": float((both[0] - both[1]) / 2.0),
        "mood_agreement": estimates.correlation(
            np.concatenate([mean[:, 0], mean[:, 1]]), np.concatenate([mean[:, 1], mean[:, 0]])
        ),
    }
