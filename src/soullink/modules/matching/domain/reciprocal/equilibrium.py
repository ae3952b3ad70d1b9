"""The transferable-utility equilibrium: demand for everybody balanced by a price on attention.

Choo & Siow 2006: with logit tastes of scale beta, the mass of couples (i, j) in equilibrium is
mu_ij = exp(Phi_ij / (2 beta)) sqrt(mu_i0 mu_0j), where mu_i0 and mu_0j are the masses of those
who stay single and mu_i0 + sum_j mu_ij = capacity_i. Galichon & Salanie's IPFP solves for
A = sqrt(mu_i0) and B = sqrt(mu_0j) in turn. Tomita et al. 2022 rank by mu with
Phi = P + Q^T: people whom everybody wants are shown where they are wanted AND likely to answer.

Here in logarithms, so that a small beta (sharp tastes) neither overflows nor divides by zero.
"""

from dataclasses import dataclass

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Market, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import Recommendations, fixed, ranked

ITERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Masses of couples and singles; row sums of couples plus left_single are the capacities.

    couples: (n, m). left_single: (n,), right_single: (m,). residual: the largest amount by which
    anybody's masses miss its capacity. iterations: sweeps made.
    """

    couples: Matrix
    left_single: Vector
    right_single: Vector
    residual: float
    iterations: int


@dataclass(frozen=True, slots=True)
class Prices:
    """Half the log mass of singles of each side: whom everybody wants has a low one.

    left: (n,) and right: (m,). The mass of a couple is exp(joint / (2 beta) + left + right), so
    one person's list is its candidates by joint / (2 beta) + right, and a new person can be
    ranked with the prices as they stand. residual: largest miss of a capacity. sweeps made.
    """

    left: Vector
    right: Vector
    residual: float
    sweeps: int


def surplus(market: Market) -> Matrix:
    """Phi = P + Q^T, (n, m), -inf where two may not be shown to each other."""
    return np.where(market.allowed, market.left_yes + market.right_yes.T, -np.inf)


def equilibrium(
    joint: Matrix,
    beta: float = 1.0,
    left_capacity: Vector | None = None,
    right_capacity: Vector | None = None,
    tolerance: float = 1e-9,
    single: bool = False,
) -> Equilibrium:
    """Solve for the masses of joint surplus (n, m); -inf forbids a couple.

    beta: scale of unseen tastes. Capacities (default 1) are above 0. single: one group, joint
    symmetric. Raises InvalidInputError; a residual above tolerance tells of no convergence.
    """
    left = capacities(left_capacity, joint.shape[0], "left_capacity")
    right = left if single else capacities(right_capacity, joint.shape[1], "right_capacity")
    if beta <= 0.0:
        raise InvalidInputError("beta is above 0")
    if single and not np.array_equal(joint, joint.T):
        raise InvalidInputError("in a one-sided market the joint surplus is symmetric")
    kernel = joint / (2.0 * beta)
    log_a, log_b = np.log(left) / 2.0, np.log(right) / 2.0
    residual, sweep, shift = np.inf, 0, 0.0
    while residual > tolerance and sweep < ITERATIONS:
        sweep += 1
        wanted = _log_sum(kernel + log_b)
        if single:
            # Half-way in logarithms: the plain step would swing between two values.
            log_a = log_b = (log_b + root_of_mass(wanted, left)) / 2.0
        else:
            log_a = root_of_mass(wanted, left)
            log_b = root_of_mass(_log_sum(kernel.T + log_a), right)
            shift = balance(log_a, log_b, left, right)
            log_a, log_b = log_a + shift, log_b - shift
        # But for the shift the right side holds exactly; the left side's miss tells the distance.
        reached = np.exp(2.0 * log_a) + np.exp(log_a + _log_sum(kernel + log_b))
        residual = max(float(np.max(np.abs(reached - left))), missed_by_shift(log_b, shift))
    couples = np.exp(kernel + log_a[:, None] + log_b[None, :])
    return Equilibrium(couples, np.exp(2.0 * log_a), np.exp(2.0 * log_b), residual, sweep)


def equilibrium_lists(
    market: Market,
    beta: float = 1.0,
    left_capacity: Vector | None = None,
    right_capacity: Vector | None = None,
    length: int | None = None,
) -> Recommendations:
    """Each side's lists by falling mass of the couple (Tomita et al. 2022)."""
    masses = equilibrium(
        surplus(market), beta, left_capacity, right_capacity, single=market.single
    ).couples
    people, others = masses.shape
    return Recommendations(
        fixed(ranked(masses, market.allowed, length), others),
        fixed(ranked(masses.T, market.allowed.T, length), people),
    )


def capacities(given: Vector | None, count: int, name: str) -> Vector:
    """The given capacities, (count,), or one for each; raises InvalidInputError."""
    values = np.ones(count) if given is None else np.asarray(given, dtype=np.float64)
    if values.shape != (count,) or not bool(np.all(values > 0.0)):
        raise InvalidInputError(f"{name} holds one number above 0 for each of {count} people")
    return values


def _log_sum(table: Matrix) -> Vector:
    """Log of the row sums of exp(table), (n,); -inf for a row that forbids everybody."""
    top = table.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    total = np.exp(table - safe[:, None]).sum(axis=1)
    return np.where(total > 0.0, safe + np.log(np.maximum(total, np.finfo(float).tiny)), -np.inf)


def root_of_mass(wanted: Vector, capacity: Vector) -> Vector:
    """Log of the positive root of a^2 + a exp(wanted) = capacity, each (n,)."""
    # log(sqrt(c + h^2) + h) with h = exp(wanted) / 2, whichever of the two is larger.
    half = wanted - np.log(2.0)
    size = np.logaddexp(np.log(capacity), 2.0 * half) / 2.0
    root: Vector = np.log(capacity) - np.logaddexp(size, half)
    return root


def balance(log_a: Vector, log_b: Vector, left: Vector, right: Vector) -> float:
    """What to add to log_a and take from log_b, so that the two sides' singles fit together.

    Couples take as much from one side as from the other: sum A^2 - sum B^2 is the difference of
    capacities. Alternating updates approach that very slowly where few stay single (the couples
    do not feel the shift); this puts it right at once, and sweeps fall from hundreds to a few.
    """
    singles_left, singles_right = np.exp(2.0 * log_a).sum(), np.exp(2.0 * log_b).sum()
    excess = float(left.sum() - right.sum())
    root = np.sqrt(excess**2 + 4.0 * singles_left * singles_right)
    # The positive root of singles_left x^2 - excess x - singles_right = 0, without cancellation.
    if excess >= 0.0:
        ratio = (excess + root) / (2.0 * singles_left)
    else:
        ratio = 2.0 * singles_right / (root - excess)
    return float(np.log(ratio) / 2.0)


def missed_by_shift(log_b: Vector, shift: float) -> float:
    """The largest miss of a right capacity that `balance` made; log_b is that after the shift."""
    return float(np.max(np.exp(2.0 * log_b))) * abs(float(np.expm1(2.0 * shift)))
