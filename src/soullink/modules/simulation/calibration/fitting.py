"""The loop of a fit: generation after generation, stopped and continued without losing any.

Knows nothing of couples: a world is a function from parameters and a seed to figures.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from soullink.modules.simulation.api import FloatArray
from soullink.modules.simulation.calibration import search
from soullink.modules.simulation.calibration.search import Problem

Simulate: TypeAlias = Callable[[Sequence[FloatArray], int], Iterable[FloatArray]]
"""From parameter vectors and a seed to all figures of each, in order, as they are ready."""


@dataclass(slots=True)
class Progress:
    """Where a fit stands between two generations; becomes and comes from plain data.

    generation: how many are done. members: (J, d) logits of the next. best: values (d,).
    seen, figures: every member simulated so far and what came of it, (n, d) and (n, all figures).
    """

    generation: int
    members: FloatArray
    start: float
    best: FloatArray
    best_misfit: float
    history: list[float] = field(default_factory=list)
    seen: list[list[float]] = field(default_factory=list)
    figures: list[list[float]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return this as plain data."""
        return {
            "generation": self.generation,
            "members": self.members.tolist(),
            "start": self.start,
            "best": self.best.tolist(),
            "best_misfit": self.best_misfit,
            "history": self.history,
            "seen": self.seen,
            "figures": self.figures,
        }

    @staticmethod
    def of(document: dict[str, Any]) -> "Progress":
        """Return progress from plain data."""
        arrays = {name: np.array(document[name], dtype=np.float64) for name in ("members", "best")}
        return Progress(**{**document, **arrays})


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search. fitted: places of the problem's figures among all that are simulated.

    judging_seed: of the one world in which the centres of all generations are compared.
    weight: how often the figures count against the prior; 1 ends in the posterior.
    """

    generations: int
    members: int
    seed: int
    spread: float
    fitted: Sequence[int]
    judging_seed: int
    weight: float = 1.0


def begun(problem: Problem, plan: Plan, start: FloatArray, judge: Simulate) -> Progress:
    """Return a fit before its first generation. start: values (d,)."""
    (figures,) = judge([start], plan.judging_seed)
    misfit = float(problem.misfit(figures[list(plan.fitted)]))
    random = np.random.default_rng([plan.seed, 0])
    members = search.prior(problem, start, plan.spread, plan.members, random)
    return Progress(0, members, misfit, start, misfit)


def continued(
    problem: Problem,
    plan: Plan,
    progress: Progress,
    simulate: Simulate,
    judge: Simulate,
    kept: Callable[[Progress], None],
    watch: Callable[[Progress, int], None],
    stopped: Callable[[], bool],
) -> bool:
    """Live through the generations left; returns whether all were done.

    Changes `progress`. simulate: small worlds for members; judge: a larger one for their centre.
    kept: called after each generation. watch: with how many members of this one are simulated.
    """
    fitted, inflation = list(plan.fitted), plan.generations / plan.weight
    while progress.generation < plan.generations:
        number = progress.generation + 1
        values = list(problem.shown(progress.members))
        found: list[FloatArray] = []
        watch(progress, 0)
        for figures in simulate(values, plan.seed * 1_000_003 + number):
            found.append(figures)
            watch(progress, len(found))
            if stopped():
                return False
        all_figures = np.array(found)
        random = np.random.default_rng([plan.seed, number])
        moved = search.moved(problem, progress.members, all_figures[:, fitted], inflation, random)
        centre = problem.shown(moved.mean(axis=0))
        (figures,) = judge([centre], plan.judging_seed)
        misfit = float(problem.misfit(figures[fitted]))
        progress.seen += progress.members.tolist()
        progress.figures += all_figures.tolist()
        progress.history.append(misfit)
        if misfit < progress.best_misfit:
            progress.best, progress.best_misfit = centre, misfit
        progress.members, progress.generation = moved, number
        kept(progress)
        if stopped():
            return progress.generation == plan.generations
    return True
