"""What is to be lived, and the engines that can: the equations over arrays, or compiled."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink.modules.simulation.api import FloatArray, IntArray, Scenario
from soullink.modules.simulation.domain import fast, randomness
from soullink.modules.simulation.domain.randomness import KeyArray
from soullink.modules.simulation.domain.screening import (
    LOW_MIDDLE_HIGH,
    NUMBERS,
    ArrayEngine,
    Block,
    BlockNumbers,
    NumberArray,
    People,
    ScreeningEngine,
    put_shares,
)
from soullink.modules.simulation.screening.api import EngineName, MissingExtraError

Arithmetic: TypeAlias = Literal["numpy", "numba"]
PAIRS_AT_ONCE: Final = 512
"""Pairs whose sums are kept together, about 14 kB each: bounds the memory, not the result."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides on the numbers of every pair; travels to other machines."""

    people: People
    scenarios: tuple[Scenario, ...]
    seed: int
    replicas: int
    arithmetic: Arithmetic

    def engine(self) -> ScreeningEngine:
        """Return the engine; blocks may be given to it from several threads."""
        kind = CompiledEngine if self.arithmetic == "numba" else ArrayEngine
        return kind(self.people, self.scenarios, self.seed, self.replicas)


def arithmetic_of(name: EngineName) -> Arithmetic:
    """Return what `name` stands for on this machine. Raises MissingExtraError."""
    if name == "numpy":
        return "numpy"
    if fast.available():
        return "numba"
    if name == "numba":
        raise MissingExtraError(
            "The engine numba is not installed; install it with: pip install 'soullink[fast]', "
            "or take --engine numpy."
        )
    return "numpy"


@dataclass(frozen=True)
class CompiledEngine(ScreeningEngine):
    """The compiled equations, one thread a block."""

    people: People
    scenarios: tuple[Scenario, ...]
    seed: int
    replicas: int

    @cached_property
    def _names(self) -> KeyArray:
        return np.array([randomness.key_of(name) for name in self.people.ids], dtype=np.uint64)

    def screen_block(self, block: Block) -> BlockNumbers:
        rows = np.zeros(block.first.size, dtype=NUMBERS)
        turns = 0
        pairs = np.stack([block.first, block.second], axis=1)
        for start in range(0, block.first.size, PAIRS_AT_ONCE):
            some = slice(start, start + PAIRS_AT_ONCE)
            found = self._statistics(pairs[some], block.likeness[some])
            _put(rows[some], found, self.replicas)
            turns += int(found.turns.sum())
        rows["likeness"] = block.likeness
        return BlockNumbers(rows, turns)

    def _statistics(self, pairs: IntArray, likeness: FloatArray) -> fast.Statistics:
        who = fast.Population(
            self.people.means[pairs],
            self.people.sds[pairs],
            likeness,
            self._names[pairs],
            self.seed,
        )
        # Replica k has number k + 1 as in replicas.of_pair: number 0 is a course shown.
        return fast.screen(who, self.scenarios, self.replicas, first_replica=1)


def _put(rows: NumberArray, found: fast.Statistics, count: int) -> None:
    """Write what the statistics say into `rows`, in place."""
    put_shares(rows, found.ended[:, 0], count)
    again = found.meet_again
    for place, who in enumerate(("first", "second")):
        variable = f"{place}.satisfaction"
        rows[f"satisfaction_{who}_mean"] = found.mean(variable)
        for name, values in zip(
            ("q10", "q50", "q90"), _quantiles(found, variable, LOW_MIDDLE_HIGH), strict=True
        ):
            rows[f"satisfaction_{who}_{name}"] = values
        rows[f"again_{who}"] = again[:, place]
    rows["conflict_peak_mean"] = found.mean("conflict_peak")
    rows["conflict_peak_q90"] = _quantiles(found, "conflict_peak", LOW_MIDDLE_HIGH[2:])[0]


def _quantiles(
    found: fast.Statistics, variable: str, shares: tuple[float, ...]
) -> list[FloatArray]:
    """Return quantiles of one variable, each (n,), from its histogram alone; linear in a bin."""
    place = fast.VARIABLES.index(variable)
    low, high = fast.RANGES[place]
    histogram = found.histograms[:, place].astype(np.int64)
    below = np.cumsum(histogram, axis=1)
    bins = histogram.shape[1]
    rows = np.arange(histogram.shape[0])
    out: list[FloatArray] = []
    for share in shares:
        wanted = share * found.replicas
        bin_of = np.minimum((below < wanted[:, None]).sum(axis=1), bins - 1)
        inside = histogram[rows, bin_of]
        part = (wanted - (below[rows, bin_of] - inside)) / np.maximum(inside, 1)
        out.append(low + (high - low) * (bin_of + np.clip(part, 0.0, 1.0)) / bins)
    return out
