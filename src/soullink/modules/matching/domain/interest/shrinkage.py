"""What a person's own history says, shrunk towards what the answers let expect.

A person's effect on the log-odds is normal around 0 with the standard deviation that was learned.
n decisions with k yeses move it to the posterior mode (empirical Bayes; Laplace's approximation):

    maximise over d:  k log p + (n - k) log(1 - p) - d^2 / (2 sd^2),
    p = 1 / (1 + exp(-(base + d) c)),   c = 1 / sqrt(1 + pi/8 other_sd^2)

c averages over the people whom the decisions were about, who differ too (MacKay 1992).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.matching.domain.interest.people import FloatArray

PROBIT: Final = float(np.pi / 8.0)
"""The mean of a logistic over a normal: p(x / sqrt(1 + pi/8 variance)) (MacKay 1992)."""
_STEPS: Final = 12
_LARGEST_STEP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Effect:
    """A person's effect in log-odds, (n,) each: posterior mode and variance."""

    mean: FloatArray
    variance: FloatArray


def shrunk(yes: FloatArray, of: FloatArray, base: FloatArray, sd: float, other_sd: float) -> Effect:
    """Return the effects of people with `yes` (n,) yeses among `of` (n,) decisions.

    base: (n,) log-odds that answers let expect. Without decisions: mean 0, variance sd^2.
    """
    softened = damping(other_sd**2)
    mean = np.zeros(len(of))
    for _ in range(_STEPS):
        p = logistic((base + mean) * softened)
        slope = softened * (yes - of * p) - mean / sd**2
        curve = softened**2 * of * p * (1.0 - p) + sd**-2
        mean = mean + np.clip(slope / curve, -_LARGEST_STEP, _LARGEST_STEP)
    p = logistic((base + mean) * softened)
    return Effect(mean, 1.0 / (softened**2 * of * p * (1.0 - p) + sd**-2))


def damping(variance: float) -> float:
    """Return what log-odds are multiplied by when a normal of this variance is averaged over."""
    return float(1.0 / np.sqrt(1.0 + PROBIT * variance))


def logistic(x: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
