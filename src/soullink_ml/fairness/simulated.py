"""Made-up dates whose fairness is known, to check that audits find what is there and no more."""

from dataclasses import dataclass

import numpy as np

from soullink_ml.fairness.dates import Dates, Scores, of_independent
from soullink_ml.fairness.measures import chance
from soullink_ml.fairness.resampling import IntArray


@dataclass(frozen=True, slots=True)
class World:
    """How the dates are made; effects are standard deviations in log-odds.

    choosy, popular: of people, as on the Columbia speed dates (actor .19 and partner .16 of the
    variance of decisions, which is about .95 and .9). seen: share of a person's variance that the
    model's score has. evening: of waves. share: of people in the group of the audit.
    planted: log-odds by which scores of those shown of the group are lowered; truth is not.
    """

    waves: int = 14
    side: int = 13
    base: float = -0.4
    choosy: float = 0.95
    popular: float = 0.9
    seen: float = 0.15
    evening: float = 0.3
    share: float = 0.25
    planted: float = 0.0


def simulated(world: World, seed: int) -> tuple[Dates, Scores]:
    """Return dates with one attribute, "group" ("few" or "most"), and the scores of a model.

    The group has nothing to do with anything; only `planted` makes a difference, in scores.
    """
    random = np.random.default_rng(seed)
    count = world.waves * world.side * 2
    wave = np.repeat(np.arange(world.waves, dtype=np.int64), world.side * 2)
    side = np.tile(np.repeat(np.array([0, 1], dtype=np.int64), world.side), world.waves)
    few = random.random(count) < world.share
    seen = random.normal(size=(2, count)) * np.sqrt(world.seen)
    hidden = random.normal(size=(2, count)) * np.sqrt(1 - world.seen)
    viewer, shown, reverse = _everybody_meets(wave, side)
    evening = random.normal(size=world.waves) * world.evening
    truth = (
        world.base
        + evening[wave[viewer]]
        + world.choosy * (seen + hidden)[0, viewer]
        + world.popular * (seen + hidden)[1, shown]
    )
    said_yes = (random.random(viewer.size) < chance(truth)).astype(np.float64)
    # What is hidden flattens the chances: the usual approximation of a logistic-normal mean.
    hidden_variance = (world.choosy**2 + world.popular**2) * (1 - world.seen) + world.evening**2
    told = world.base + world.choosy * seen[0, viewer] + world.popular * seen[1, shown]
    scores = chance(told / np.sqrt(1 + hidden_variance * np.pi / 8) - world.planted * few[shown])
    dates = Dates(
        viewer=viewer,
        shown=shown,
        said_yes=said_yes,
        reverse=reverse,
        wave=wave,
        side=side,
        groups={"group": tuple("few" if one else "most" for one in few)},
        person_features=np.zeros((count, 1)),
        pair_features=np.zeros((viewer.size, 1)),
    )
    return dates, of_independent(scores, reverse)


def _everybody_meets(wave: IntArray, side: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    pairs = [
        (int(a), int(b))
        for one in np.unique(wave)
        for a in np.flatnonzero((wave == one) & (side == 0))
        for b in np.flatnonzero((wave == one) & (side == 1))
    ]
    viewer = np.array([pair[at] for pair in pairs for at in (0, 1)], dtype=np.int64)
    shown = np.array([pair[at] for pair in pairs for at in (1, 0)], dtype=np.int64)
    return viewer, shown, np.arange(viewer.size, dtype=np.int64) ^ 1
