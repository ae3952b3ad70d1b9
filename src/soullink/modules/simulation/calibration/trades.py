"""What cannot be met at once: the price of bringing a row inside, found and then simulated."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray
from soullink.modules.simulation.calibration import search
from soullink.modules.simulation.calibration.api import Trade
from soullink.modules.simulation.calibration.fitting import Simulate
from soullink.modules.simulation.calibration.search import Problem
from soullink.modules.simulation.calibration.targets import Range, Target

FARTHEST: Final = 3.0
"""Length of a move in logits at most: beyond it the slopes say nothing."""


def direction(slopes: FloatArray, need: float) -> FloatArray:
    """Return the shortest move, (d,), that changes a figure of `slopes`, (d,), by `need`."""
    power = float(slopes @ slopes)
    move = slopes * (need / power) if power > 0.0 else np.zeros_like(slopes)
    length = float(np.sqrt(move @ move))
    return move * min(1.0, FARTHEST / length) if length > 0.0 else move


def _distance(value: float, span: Range) -> float:
    return abs(value - span.value) / span.scale


def measured(
    problem: Problem,
    targets: Sequence[Target],
    fitted: Sequence[int],
    seen: tuple[FloatArray, FloatArray],
    best: FloatArray,
    outside: Sequence[int],
    judge: Simulate,
    seed: int,
) -> tuple[Trade, ...]:
    """Return the trade of each row `outside` (places in targets).

    fitted: places of the problem's figures. seen: (logits, figures) of all members. best: values.
    The slopes across all members give the shortest move that would bring the row to the middle
    of its interval; a world is simulated there and at `best`, with the same seed.
    """
    if not outside:
        return ()
    slopes = search.slopes(*seen)
    here = problem.hidden(best)
    (before,) = judge([best], seed)
    misfit = float(problem.misfit(before[list(fitted)]))
    needs = [float(targets[place].check.value - before[place]) for place in outside]
    moves = [direction(slopes[place], need) for place, need in zip(outside, needs, strict=True)]
    out = []
    found = judge([problem.shown(here + move) for move in moves], seed)
    for place, after in zip(outside, found, strict=True):
        worse = [
            _distance(after[k], target.check) - _distance(before[k], target.check)
            if k != place
            else -np.inf
            for k, target in enumerate(targets)
        ]
        rival = int(np.argmax(worse))
        out.append(
            Trade(
                row=targets[place].id,
                before=float(before[place]),
                after=float(after[place]),
                against=targets[rival].id,
                against_before=float(before[rival]),
                against_after=float(after[rival]),
                misfit_before=misfit,
                misfit_after=float(problem.misfit(after[list(fitted)])),
            )
        )
    return tuple(out)
