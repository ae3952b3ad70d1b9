"""Simulated worlds to count figures in: couples, evenings of first dates and quarrels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.simulation.calibration import couples, dating, split, talk
from soullink.modules.simulation.calibration.dating import Block
from soullink.modules.simulation.calibration.estimates import Z
from soullink.modules.simulation.calibration.population import Population, populate
from soullink.modules.simulation.calibration.talk import Talks
from soullink.modules.simulation.calibration.targets import Range
from soullink.modules.simulation.domain.parameters import Parameters

BOOTSTRAP_SEED: Final = 29
DRAWS: Final = 200


@dataclass(frozen=True, slots=True)
class Size:
    """How large a world is: arcs of scenarios, couples in each, evenings, quarrels."""

    arcs: int
    pairs: int
    evenings: int
    talks: int


FITTING: Final = Size(arcs=20, pairs=32, evenings=36, talks=96)
CHECKING: Final = Size(arcs=60, pairs=30, evenings=216, talks=480)
CHECK_SEED: Final = 20_260_501
"""Of the world that the table shows; no fit has seen it."""
AUC_SETS: Final = 3


@dataclass(frozen=True, slots=True)
class World:
    """What was lived under one set of parameters."""

    people: Population
    evenings: list[Block]
    talks: Talks


def lived(p: Parameters, seed: int, size: Size) -> World:
    """Return the world of `size` under `p`; everything follows from the seed."""
    return World(
        populate(seed, size.arcs, size.pairs, (p,)),
        dating.simulated_under((p,), seed, size.evenings)[0],
        talk.simulated(seed, size.talks, (p,))[0],
    )


def figures_under(many: Sequence[Parameters], seed: int, size: Size) -> list[dict[str, float]]:
    """Return the figures of the world of `size` under each of `many`, lived all at once."""
    people = populate(seed, size.arcs, size.pairs, many)
    evenings = dating.simulated_under(many, seed, size.evenings)
    talks = talk.simulated(seed, size.talks, many)
    return [
        {
            **dating.summary(evenings[number]),
            **couples.simulated_figures(people, people.under(number)),
            **talk.figures(talks[number].moods),
        }
        for number in range(len(many))
    ]


def with_intervals(world: World) -> dict[str, Range]:
    """Return every figure of targets.py with its interval.

    Bootstraps over evenings, over arcs (couples of one arc live through the same scenes) and
    over quarrels. The AUC's interval is from its spread over three sets of evenings.
    """
    group = world.people.group
    members = [np.flatnonzero(group == number) for number in np.unique(group)]

    def of_arcs(some: Sequence[np.ndarray]) -> dict[str, float]:
        return couples.simulated_figures(world.people, np.concatenate(some))

    def of_evenings(some: Sequence[Block]) -> dict[str, float]:
        return dating.summary(list(some))

    def of_talks(some: Sequence[int]) -> dict[str, float]:
        return talk.figures(world.talks.moods[np.array(some)])

    numbers = list(range(world.talks.size))
    return {
        **split.resampled(of_evenings, world.evenings, BOOTSTRAP_SEED, DRAWS),
        **split.resampled(of_arcs, members, BOOTSTRAP_SEED, DRAWS),
        **split.resampled(of_talks, numbers, BOOTSTRAP_SEED, DRAWS),
        "auc": _auc(world.evenings),
    }


def _auc(evenings: list[Block]) -> Range:
    sets = [evenings[k::AUC_SETS] for k in range(AUC_SETS)]
    values = np.array([dating.match_auc(some) for some in sets])
    half = Z * float(values.std(ddof=1)) / float(np.sqrt(AUC_SETS))
    value = float(values.mean())
    return Range(value, value - half, value + half)
