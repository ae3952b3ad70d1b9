"""Many pairs, many replicas of each, the same scenarios: lived in parallel, summed as they go."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.api import FloatArray, IntArray, Intervention, Scenario
from soullink.modules.simulation.domain import randomness, weights
from soullink.modules.simulation.domain.fast import choice, plans, source, statistics
from soullink.modules.simulation.domain.fast.drive import Sink, Trace
from soullink.modules.simulation.domain.fast.rows import TRACED, L
from soullink.modules.simulation.domain.fast.source import Precision
from soullink.modules.simulation.domain.fast.statistics import Statistics
from soullink.modules.simulation.domain.layout import N_TRAIT
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.domain.randomness import KeyArray

TOGETHER: Final = 4096
"""Trajectories handed to a thread at a time, at most about: its cache holds their sums."""
EACH: Final = 8
"""Parts for each thread at least, so that none waits long for the last."""
MOST_LANES: Final = 65_536
"""Trajectories whose lanes are listed at a time: bounds the memory, not the result."""
_COMPILING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Population:
    """P pairs of people.

    means, sds: (P, 2, 11) standardised attributes by layout.Trait; sd 0 takes the mean itself.
    likeness: (P,) share of interests in common, 0..1. names: (P, 2) `randomness.key_of` each
    person's id, so that a person draws alike whomever they meet. seed: of all draws.
    Raises InvalidInputError where the shapes do not fit.
    """

    means: FloatArray
    sds: FloatArray
    likeness: FloatArray
    names: KeyArray
    seed: int

    def __post_init__(self) -> None:
        shape = (len(self.likeness), 2, N_TRAIT)
        if self.means.shape != shape or self.sds.shape != shape or self.names.shape != shape[:2]:
            raise InvalidInputError(
                f"Attributes of {shape[0]} pairs need the shape {shape}, names {shape[:2]}."
            )
        if not np.isfinite(self.means).all() or not np.isfinite(self.sds).all():
            raise InvalidInputError("Attributes must be finite numbers.")

    def __len__(self) -> int:
        return len(self.likeness)

    def pairs(self, part: slice) -> "Population":
        """Return some of the pairs."""
        return Population(
            self.means[part], self.sds[part], self.likeness[part], self.names[part], self.seed
        )


@dataclass(frozen=True, slots=True)
class Traced:
    """Every turn of P * R courses, pair by pair.

    speakers, acts: (P * R, E, turns), -1 where there was no turn. states: (…, 2, columns) after
    it, the columns of `rows` from MOOD to SPOKEN; last_act of nobody is NO_ACT. conflict, minute:
    (P * R, E, turns). ends: (P * R, E + 1, 2, columns) before the first and after each episode.
    alive: (P * R, E + 1). outcomes: (P * R, E).
    """

    speakers: IntArray
    acts: IntArray
    states: FloatArray
    conflict: FloatArray
    minute: FloatArray
    ends: FloatArray
    alive: FloatArray
    outcomes: IntArray


class _Kernel:
    """The compiled courses of one list of scenarios under one arm."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        arm: Intervention | None,
        parameters: Parameters,
        precision: Precision,
    ) -> None:
        self._real: Any = np.dtype(precision).type
        self._module = source.compiled(precision)
        self._plan = plans.plan_of(scenarios, arm, self._real)
        base, moving = choice.weights_in_order(weights.effective(parameters))
        self._numbers = tuple(
            np.asarray(part, dtype=self._real) for part in (parameters.as_array(), base, moving)
        )
        self.outcomes = self._plan.successes.shape[1]
        self.episodes = len(scenarios)

    def _compiled(self) -> Any:
        entry = self._module.live
        if not entry.signatures:
            with _COMPILING, source.alone(self._module):
                if not entry.signatures:
                    entry(*self._nothing())
        return entry

    def _nothing(self) -> tuple[Any, ...]:
        """Return arguments of no courses at all, to compile by."""
        none = np.zeros((1, 2, N_TRAIT), dtype=self._real)
        sink = statistics.empty(1, 0, self.episodes, self.outcomes)
        return (
            np.uint64(0), np.zeros((1, 2), np.uint64), np.zeros(0, np.int64),
            np.zeros(0, np.uint64), 0, none, none, none[:, 0, 0].copy(), *self._numbers, self._plan,
            Sink(**{name: sink[name] for name in Sink._fields}), _no_trace(),
        )  # fmt: skip

    def live(
        self, people: Population, first: int, replicas: int, sink: dict[str, Any], trace: Trace
    ) -> None:
        """Live `replicas` courses of each pair, from number `first`, into `sink`."""
        real = self._real
        arrays = (people.means.astype(real), people.sds.astype(real), people.likeness.astype(real))
        seed = randomness.mix(np.array([people.seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))[0]
        out = Sink(**{name: sink[name] for name in Sink._fields})
        step = max(MOST_LANES // len(people), 1)
        for start in range(0, replicas, step):
            some = min(step, replicas - start)
            size = some * len(people)
            whole = -(-size // L) * L
            # Lanes that hold no course are of the last pair: a tile is all of one pair where its
            # first and its last lane are.
            pair = np.full(whole, len(people) - 1, dtype=np.int64)
            number = np.zeros(whole, dtype=np.uint64)
            pair[:size] = np.repeat(np.arange(len(people)), some)
            number[:size] = np.tile(
                np.arange(first + start, first + start + some, dtype=np.uint64), len(people)
            )
            self._compiled()(
                seed, people.names, pair, number, size, *arrays, *self._numbers, self._plan, out,
                trace,
            )  # fmt: skip


def _no_trace() -> Trace:
    return Trace(np.zeros((0, 0, 0, 2)), np.zeros((0, 0, 0, 2, 0)), np.zeros((0, 0, 2, 0)))


def _one_arm(
    people: Population, kernel: _Kernel, replicas: int, first: int, threads: int
) -> Statistics:
    tiles = -(-replicas // L)
    shares = min(EACH * threads, tiles) if len(people) < EACH * threads and threads > 1 else 1
    if shares > 1:  # few pairs: the replicas are shared out, each share with sums of its own
        ends = [first + min(tiles * n // shares * L, replicas) for n in range(shares + 1)]
        with ThreadPoolExecutor(threads) as pool:
            parts = list(
                pool.map(
                    lambda n: _one_arm(people, kernel, ends[n + 1] - ends[n], ends[n], 1),
                    range(shares),
                )
            )
        total = parts[0]
        for part in parts[1:]:
            total = total.merge(part)
        return total
    sink = statistics.empty(len(people), replicas, kernel.episodes, kernel.outcomes)
    most = len(people) if threads == 1 else len(people) // (EACH * threads)
    each = max(min(TOGETHER // replicas, most), 1)
    blocks = [slice(start, start + each) for start in range(0, len(people), each)]

    def live(part: slice) -> None:
        rows = {name: array[part] for name, array in sink.items()}
        kernel.live(people.pairs(part), first, replicas, rows, _no_trace())

    if threads == 1:
        for block in blocks:
            live(block)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(live, blocks))
    return Statistics(**sink)


def screen(
    population: Population,
    scenarios: Sequence[Scenario],
    replicas: int,
    *,
    threads: int = 1,
    first_replica: int = 0,
    arms: Sequence[Intervention] = (),
    parameters: Parameters = CURRENT,
    precision: Precision = "float32",
) -> Statistics:
    """Return what `replicas` courses of each pair come to, and the same under each of `arms`.

    Replica k has the same draws in every arm, block and thread (common random numbers); the result
    is the same to the last bit for any `threads` and any split into calls. About 14 kB for each
    pair: screen many pairs in blocks of some thousands. Raises InvalidInputError.
    """
    if not scenarios or len(population) == 0 or replicas < 1 or threads < 1:
        raise InvalidInputError("Screening needs a pair, a scenario, a replica and a thread.")
    base, *others = (
        _one_arm(
            population, _Kernel(scenarios, arm, parameters, precision), replicas, first_replica,
            threads,
        )
        for arm in (None, *arms)
    )  # fmt: skip
    return Statistics(**statistics.fields_of(base), arms=tuple(others))


def trace(
    population: Population,
    scenarios: Sequence[Scenario],
    replicas: int,
    *,
    first_replica: int = 0,
    arm: Intervention | None = None,
    parameters: Parameters = CURRENT,
    precision: Precision = "float64",
) -> Traced:
    """Return every turn of few courses, for looking at them and for tests."""
    kernel = _Kernel(scenarios, arm, parameters, precision)
    size, episodes = len(population) * replicas, len(scenarios)
    if size > MOST_LANES:
        raise InvalidInputError(f"At most {MOST_LANES} courses can be traced at once.")
    most = max(scenario.turns[1] for scenario in scenarios)
    kept = Trace(
        np.full((size, episodes, most, 2), -1.0),
        np.full((size, episodes, most, 2, TRACED + 1), np.nan),
        np.full((size, episodes + 1, 2, TRACED + 1), np.nan),
    )
    sink = statistics.empty(len(population), replicas, episodes, kernel.outcomes)
    kernel.live(population, first_replica, replicas, sink, kept)
    return Traced(
        speakers=kept.turns[..., 0].astype(np.int64),
        acts=kept.turns[..., 1].astype(np.int64),
        states=kept.states[..., :TRACED],
        conflict=kept.states[..., 0, TRACED],
        minute=kept.states[..., 1, TRACED],
        ends=kept.ends[..., :TRACED],
        alive=kept.ends[..., 0, TRACED],
        outcomes=kept.ends[:, 1:, 1, TRACED].astype(np.int64),
    )
