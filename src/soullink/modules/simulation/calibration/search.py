"""Ensemble smoother with multiple data assimilation (Emerick & Reynolds 2013).

An ensemble of parameter vectors is drawn from a prior. Each generation simulates every member
once and moves all of them towards the observed figures by the regression of parameters on figures
across the ensemble, a Kalman update with the observations' noise inflated. With G generations
of inflation G a linear problem ends in its exact posterior; a mildly nonlinear one close to
it. Needs no derivatives and bears noisy simulations. NumPy alone.

Parameters are searched as logits of their place between their bounds, so none leaves them. A
problem falls into blocks, parameters with the figures they are fitted to, so that chance
correlations of a small ensemble between unrelated ones move nothing (localisation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray

EDGE: Final = 0.1
"""A prior's centre keeps this share of the width off either bound, so that it can move."""

Block = tuple[Sequence[int], Sequence[int]]
"""Places of parameters, and places of the figures that they are fitted to."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is searched for: bounds (d, 2), figures (k,) observed with standard errors (k,).

    blocks: which parameters are fitted to which figures; each parameter stands in one at most.
    What stands in none keeps its value.
    """

    bounds: FloatArray
    observed: FloatArray
    errors: FloatArray
    blocks: tuple[Block, ...]

    def misfit(self, figures: FloatArray) -> FloatArray:
        """Return the mean squared distance in standard errors; (..., k) -> (...)."""
        out: FloatArray = (((figures - self.observed) / self.errors) ** 2).mean(axis=-1)
        return out

    def hidden(self, values: FloatArray, edge: float = 0.0) -> FloatArray:
        """Return values within the bounds as logits, at least `edge` off the bounds."""
        low, high = self.bounds[:, 0], self.bounds[:, 1]
        place = np.clip((values - low) / (high - low), max(edge, 1e-6), 1.0 - max(edge, 1e-6))
        out: FloatArray = np.log(place / (1.0 - place))
        return out

    def shown(self, hidden: FloatArray) -> FloatArray:
        """Return logits as values within the bounds."""
        low, high = self.bounds[:, 0], self.bounds[:, 1]
        out: FloatArray = low + (high - low) / (1.0 + np.exp(-np.clip(hidden, -30.0, 30.0)))
        return out


def prior(
    problem: Problem, centre: FloatArray, spread: float, members: int, random: np.random.Generator
) -> FloatArray:
    """Return the first ensemble as logits, (members, d), around values `centre`, (d,).

    A value at its very bound was never set, and stands for the middle.
    """
    at_bound = (centre[:, None] == problem.bounds).any(axis=1)
    middle = problem.hidden(np.where(at_bound, problem.bounds.mean(axis=1), centre), EDGE)
    drawn = random.normal(size=(members, middle.size))
    drawn -= drawn.mean(axis=0)
    searched = np.isin(np.arange(middle.size), [k for own, _ in problem.blocks for k in own])
    out: FloatArray = middle + spread * drawn * searched
    out[:, ~searched] = problem.hidden(centre)[~searched]
    return out


def moved(
    problem: Problem,
    members: FloatArray,
    figures: FloatArray,
    inflation: float,
    random: np.random.Generator,
) -> FloatArray:
    """Return the ensemble after one assimilation, (J, d). figures: (J, k) of its members."""
    size = members.shape[0]
    scaled = (figures - problem.observed) / problem.errors
    noise = np.sqrt(inflation) * random.normal(size=scaled.shape)
    noise -= noise.mean(axis=0)
    out = members.copy()
    for parameters, wanted in problem.blocks:
        own = scaled[:, wanted]
        off = members[:, parameters] - members[:, parameters].mean(axis=0)
        spread = own - own.mean(axis=0)
        cross = off.T @ spread / (size - 1)
        total = spread.T @ spread / (size - 1) + inflation * np.eye(len(wanted))
        out[:, parameters] -= np.linalg.solve(total, (own + noise[:, wanted]).T).T @ cross.T
    return out


def slopes(members: FloatArray, figures: FloatArray, ridge: float = 0.02) -> FloatArray:
    """Return how figures move with logits across many members, (k, d), by ridge regression.

    ridge: as a share of the mean variance of the logits.
    """
    x = members - members.mean(axis=0)
    y = figures - figures.mean(axis=0)
    gram = x.T @ x
    gram += ridge * np.trace(gram) / x.shape[1] * np.eye(x.shape[1])
    out: FloatArray = np.linalg.solve(gram, x.T @ y).T
    return out
