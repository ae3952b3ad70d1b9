"""The equilibrium of everybody with everybody, where the joint surplus has low rank.

joint = left @ right.T with r columns, such as the inner product of two feature vectors plus an
effect of each person (two more columns: [x, a, 1] and [y, 1, b]). The table of couples is made
block by block and never kept: memory is some megabytes beside the factors, and a sweep costs
n m (2 r + a few) operations. Because sweeps are dear, they start from the equilibrium of a random
sample of both sides, in which each stands for n / sample people; a few sweeps then suffice.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.equilibrium import (
    Prices,
    balance,
    capacities,
    missed_by_shift,
    root_of_mass,
)
from soullink.modules.matching.domain.reciprocal.market import Vector

SAMPLE = 2_048
SWEEPS = 50
_SAMPLE_TOLERANCE = 1e-4
_ROWS = 64
"""Left people a block: 64 x 100,000 single-precision numbers are 26 MB a thread."""

Factors = NDArray[np.float32]


def low_rank_equilibrium(
    left: Factors,
    right: Factors,
    beta: float = 1.0,
    left_capacity: Vector | None = None,
    right_capacity: Vector | None = None,
    tolerance: float = 1e-3,
    seed: int = 0,
    threads: int = 1,
) -> Prices:
    """Prices for joint surplus left @ right.T; left (n, r), right (m, r), single precision.

    seed: of the sample to start from. The residual is that of a whole pass over the prices
    returned; above tolerance it tells of no convergence in SWEEPS. Raises InvalidInputError.
    """
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        raise InvalidInputError(f"factors must have equal rank, not {left.shape}, {right.shape}")
    if beta <= 0.0:
        raise InvalidInputError("beta is above 0")
    room = (
        capacities(left_capacity, len(left), "left_capacity"),
        capacities(right_capacity, len(right), "right_capacity"),
    )
    scaled = np.asarray(left, dtype=np.float32) / np.float32(2.0 * beta)
    other = np.asarray(right, dtype=np.float32)
    log_a, log_b = np.log(room[0]) / 2.0, np.log(room[1]) / 2.0
    if min(len(left), len(right)) > 2 * SAMPLE:
        log_a, log_b = _from_sample(scaled, other, room, seed)
    return _sweeps(_Table(scaled, other, threads), room, (log_a, log_b), tolerance)


def _from_sample(
    left: Factors, right: Factors, room: tuple[Vector, Vector], seed: int
) -> tuple[Vector, Vector]:
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.choice(len(left), SAMPLE, replace=False))
    columns = np.sort(draw.choice(len(right), SAMPLE, replace=False))
    # One of the sample meets not one but n / SAMPLE of each like on the other side. With the sides
    # of different size, the mean factor keeps couples as many on one side as on the other.
    times = np.log(len(left) / SAMPLE), np.log(len(right) / SAMPLE)
    both = (times[0] + times[1]) / 2.0
    share = (times[1] - both) / 2.0, (times[0] - both) / 2.0
    few = room[0][rows] * np.exp(2.0 * share[1]), room[1][columns] * np.exp(2.0 * share[0])
    small = _Table(
        np.column_stack((left[rows], np.full(SAMPLE, both, dtype=np.float32))),
        np.column_stack((right[columns], np.ones(SAMPLE, dtype=np.float32))),
        1,
    )
    start = np.log(few[0]) / 2.0, np.log(few[1]) / 2.0
    prices = _sweeps(small, few, start, _SAMPLE_TOLERANCE)
    sample_b = prices.right - share[0]
    log_a = root_of_mass(_Table(left, right[columns], 1).log_row_sums(sample_b) + times[1], room[0])
    log_b = root_of_mass(_Table(right, left[rows], 1).log_row_sums(log_a[rows]) + times[0], room[1])
    return log_a, log_b


def _sweeps(
    table: "_Table", room: tuple[Vector, Vector], start: tuple[Vector, Vector], tolerance: float
) -> Prices:
    log_a, log_b = start
    missed, sweep = np.inf, 0
    while True:
        sweep += 1
        new_a, new_b, residual = table.sweep(log_a, log_b, room)
        if max(residual, missed) <= tolerance or sweep == SWEEPS:
            # The pass has measured the prices it began with; those are what is returned.
            return Prices(log_a, log_b, max(residual, missed), sweep)
        shift = balance(new_a, new_b, room[0], room[1])
        log_a, log_b = new_a + shift, new_b - shift
        missed = missed_by_shift(log_b, shift)


@dataclass(frozen=True, slots=True)
class _Table:
    """exp(left @ right.T), made block by block."""

    left: Factors
    right: Factors
    threads: int

    def sweep(
        self, log_a: Vector, log_b: Vector, room: tuple[Vector, Vector]
    ) -> tuple[Vector, Vector, float]:
        """New prices of both sides from one pass, and by how much the old ones missed the left."""
        columns = self._columns(log_b)

        def block(first: int) -> tuple[int, Vector, Vector, float]:
            last = min(first + _ROWS, len(self.left))
            couples = self._couples(columns, slice(first, last), log_a[first:last])
            sums = couples.sum(axis=1, dtype=np.float32).astype(np.float64)
            capacity = room[0][first:last]
            missed = np.exp(2.0 * log_a[first:last]) + sums - capacity
            new = root_of_mass(_log(sums) - log_a[first:last], capacity)
            ratio = np.exp(new - log_a[first:last]).astype(np.float32)
            return first, new, (ratio @ couples).astype(np.float64), float(np.abs(missed).max())

        new_a, column_sums, residual = np.empty(len(log_a)), np.zeros(len(log_b)), 0.0
        with ThreadPoolExecutor(self.threads) as pool:
            for first, new, sums, missed in pool.map(block, range(0, len(self.left), _ROWS)):
                new_a[first : first + len(new)] = new
                column_sums += sums
                residual = max(residual, missed)
        return new_a, root_of_mass(_log(column_sums) - log_b, room[1]), residual

    def log_row_sums(self, log_weights: Vector) -> Vector:
        """Log of the row sums of the table times exp(log_weights), (n,)."""
        columns = self._columns(log_weights)
        sums = np.empty(len(self.left))
        for first in range(0, len(self.left), _ROWS):
            part = slice(first, first + _ROWS)
            couples = self._couples(columns, part, np.zeros(len(self.left[part])))
            sums[part] = couples.sum(axis=1)
        return _log(sums)

    def _columns(self, log_weights: Vector) -> Factors:
        """The right factors with their weights and, for the left ones, a row of ones."""
        ones = np.ones(len(self.right), dtype=np.float32)
        stacked = np.column_stack((self.right, log_weights.astype(np.float32), ones))
        return np.ascontiguousarray(stacked.T)

    def _couples(self, columns: Factors, part: slice, log_weights: Vector) -> Factors:
        """exp(joint + both log weights): masses, which fit into single precision."""
        rows = self.left[part]
        ones = np.ones(len(rows), dtype=np.float32)
        couples: Factors = np.column_stack((rows, ones, log_weights.astype(np.float32))) @ columns
        np.exp(couples, out=couples)
        return couples


def _log(sums: Vector) -> Vector:
    return np.asarray(np.log(np.maximum(sums, np.finfo(np.float64).tiny)))
