"""The one place where courses are lived to find out what moves them: a seam for faster engines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.personality.api import Persona
from soullink.modules.simulation.api import BoolArray, FloatArray, IntArray, Intervention, Scenario
from soullink.modules.simulation.domain import course, dynamics, live, randomness, replicas
from soullink.modules.simulation.domain.course import Conditions, Overrides
from soullink.modules.simulation.domain.layout import LOADS, N_TRAIT, STATE, Person
from soullink.modules.simulation.domain.sensitivity import outcomes

TOGETHER: Final = 1000
"""Courses lived in one batch: what fits the cache is fastest; the result does not depend on it."""

N_STATE: Final = STATE.stop - STATE.start
N_LOAD: Final = LOADS.stop - LOADS.start


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people and what they live through. overrides: of a fork."""

    personas: tuple[Persona, Persona]
    alike: float
    seed: int
    scenarios: tuple[Scenario, ...]
    overrides: Overrides

    @property
    def names(self) -> tuple[str, str]:
        """Return their ids."""
        return str(self.personas[0].person), str(self.personas[1].person)


@dataclass(frozen=True, slots=True)
class Variants:
    """V variations of how a course begins and is lived.

    replica: (V,) which draws each has. traits: (V, 2, 11), attraction: (V, 2), states: (V, 2, 6),
    loads: (V, 2, 4), all added to what the draws give. tried: (interventions, V), which of
    `interventions` hold. open_traits: whether traits are drawn from what the profiles leave open
    or are their means.
    """

    replica: IntArray
    traits: FloatArray
    attraction: FloatArray
    states: FloatArray
    loads: FloatArray
    interventions: tuple[Intervention, ...]
    tried: BoolArray
    open_traits: bool

    @staticmethod
    def plain(
        replica: IntArray, open_traits: bool, interventions: Sequence[Intervention] = ()
    ) -> "Variants":
        """Return variants in which nothing is varied yet; the arrays are there to be changed."""
        size = replica.size
        return Variants(
            replica,
            np.zeros((size, 2, N_TRAIT)),
            np.zeros((size, 2)),
            np.zeros((size, 2, N_STATE)),
            np.zeros((size, 2, N_LOAD)),
            tuple(interventions),
            np.zeros((len(interventions), size), dtype=np.bool_),
            open_traits,
        )


@dataclass(frozen=True, slots=True)
class _Tried(Conditions):
    """Conditions under which each course has its own interventions. tried: (interventions, R)."""

    tried: BoolArray | None = None

    def where(self, number: int, replicas: int) -> BoolArray:
        if self.tried is None:
            return np.zeros(replicas, dtype=np.bool_)
        held: BoolArray = self.tried[number]
        return held


def lived(pair: Pair, variants: Variants) -> FloatArray:
    """Return the outcomes of every variant, (V, outcomes) in the order of outcomes.OUTCOMES."""
    size = variants.replica.size
    found = np.zeros((size, len(outcomes.OUTCOMES)))
    means, sds = live.trait_arrays(pair.personas)
    if not variants.open_traits:
        sds = np.zeros_like(sds)
    keys = randomness.person_keys(pair.seed, pair.names, int(variants.replica.max()) + 1)
    for start in range(0, size, TOGETHER):
        part = slice(start, min(start + TOGETHER, size))
        rows = part.stop - part.start
        batch = course.begin(
            means + variants.traits[part],
            np.broadcast_to(sds, (rows, 2, N_TRAIT)),
            np.full(rows, pair.alike),
            keys[variants.replica[part]],
        )
        people = batch.people
        people[..., STATE] += variants.states[part]
        people[..., LOADS] = np.clip(people[..., LOADS] + variants.loads[part], 0.0, 1.0)
        # A load is felt as stress from the first day, as it is where loads are drawn.
        people[..., Person.STRESS] += batch.parameters.stress_of_load * variants.loads[part].mean(
            axis=2
        )
        dynamics.bounded(people)
        batch.general = batch.general + variants.attraction[part]
        batch.drawn = np.clip(batch.drawn + variants.attraction[part], -3.0, 3.0)
        conditions = _Tried(variants.interventions, pair.overrides, tried=variants.tried[:, part])
        found[part] = outcomes.of_replicas(
            replicas.run(batch, pair.names, pair.scenarios, conditions)
        )
    return found
