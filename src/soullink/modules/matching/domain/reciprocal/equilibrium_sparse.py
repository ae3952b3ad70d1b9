"""The equilibrium of many people, each with some hundred candidates: no n x m table anywhere.

The same equations as in `equilibrium`, with couples possible between candidates only. Memory is
about 24 bytes a candidate pair, twice that while it is set up; a sweep reads each pair twice.
"""

from dataclasses import dataclass
from typing import Literal

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
from soullink.modules.matching.domain.reciprocal.market import Lists, Vector
from soullink.modules.matching.domain.reciprocal.policies import NOBODY

SWEEPS = 2_000
_BLOCK = 1 << 18
"""Pairs handled at once, so that what is multiplied and summed stays in the cache."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who may meet whom, row by row of the left side (compressed sparse rows).

    starts: (n + 1,) where each left person's candidates begin. partners: (pairs,) right people.
    joint: (pairs,) joint surplus, e.g. P + Q^T. right_people: how many there are on the right.
    """

    starts: NDArray[np.int64]
    partners: NDArray[np.int32]
    joint: NDArray[np.float32]
    right_people: int


def candidates(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    joint: NDArray[np.float32],
    shape: tuple[int, int],
) -> Candidates:
    """Candidates from pairs in any order; a pair named twice counts once, with the first joint."""
    people, partners = shape
    if len(left) and (left.min() < 0 or left.max() >= people):
        raise InvalidInputError(f"left people are numbered from 0 to {people - 1}")
    if len(right) and (right.min() < 0 or right.max() >= partners):
        raise InvalidInputError(f"right people are numbered from 0 to {partners - 1}")
    key = np.asarray(left, dtype=np.int64) * partners + right
    unique, first = np.unique(key, return_index=True)
    counts = np.bincount(unique // partners, minlength=people)
    return Candidates(
        np.concatenate(([0], np.cumsum(counts))),
        (unique % partners).astype(np.int32),
        np.asarray(joint, dtype=np.float32)[first],
        partners,
    )


def sparse_equilibrium(
    market: Candidates,
    beta: float = 1.0,
    left_capacity: Vector | None = None,
    right_capacity: Vector | None = None,
    tolerance: float = 1e-4,
    start: Prices | None = None,
) -> Prices:
    """Solve for the prices; start from earlier ones when few things changed.

    One group: name every pair both ways; the prices of the two sides then agree.
    Raises InvalidInputError; a residual above tolerance tells of no convergence in SWEEPS.
    """
    people = len(market.starts) - 1
    if beta <= 0.0:
        raise InvalidInputError("beta is above 0")
    left_room = capacities(left_capacity, people, "left_capacity")
    right_room = capacities(right_capacity, market.right_people, "right_capacity")
    rows = _Rows.of(market, beta)
    columns = rows.turned(market)
    log_a = np.log(left_room) / 2.0 if start is None else start.left
    log_b = np.log(right_room) / 2.0 if start is None else start.right
    wanted = rows.log_sums(log_b)
    residual, sweep = np.inf, 0
    while residual > tolerance and sweep < SWEEPS:
        sweep += 1
        log_a = root_of_mass(wanted, left_room)
        log_b = root_of_mass(columns.log_sums(log_a), right_room)
        shift = balance(log_a, log_b, left_room, right_room)
        log_a, log_b = log_a + shift, log_b - shift
        # But for the shift the right side holds exactly; the left side's miss tells the distance.
        wanted = rows.log_sums(log_b)
        reached = np.exp(2.0 * log_a) + np.exp(log_a + wanted)
        residual = max(float(np.max(np.abs(reached - left_room))), missed_by_shift(log_b, shift))
    return Prices(log_a, log_b, residual, sweep)


def priced_lists(
    market: Candidates,
    prices: Prices,
    beta: float,
    length: int,
    side: Literal["left", "right"] = "left",
) -> Lists:
    """One side's lists by falling mass of the couple, (people, length); NOBODY ends a list."""
    left = np.repeat(np.arange(len(market.starts) - 1, dtype=np.int32), np.diff(market.starts))
    rows, others, price, people = (
        (left, market.partners, prices.right, len(market.starts) - 1)
        if side == "left"
        else (market.partners, left, prices.left, market.right_people)
    )
    # A person's own price is the same for all on its list, so it does not matter for the order.
    order = np.lexsort((-(market.joint / (2.0 * beta) + price[others]), rows))
    sorted_rows = rows[order]
    counts = np.bincount(rows, minlength=people)
    rank = np.arange(len(order)) - (np.cumsum(counts) - counts)[sorted_rows]
    kept = rank < length
    lists = np.full((people, length), NOBODY, dtype=np.int32)
    lists[sorted_rows[kept], rank[kept]] = others[order][kept]
    return lists


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of exp(joint / (2 beta)), each divided by its largest so that nothing overflows."""

    starts: NDArray[np.int64]
    partners: NDArray[np.int32]
    kernel: NDArray[np.float32]
    scale: Vector

    @classmethod
    def of(cls, market: Candidates, beta: float) -> "_Rows":
        return cls._scaled(market.starts, market.partners, market.joint / np.float32(2.0 * beta))

    def turned(self, market: Candidates) -> "_Rows":
        """The same pairs by right person."""
        order = np.argsort(self.partners, kind="stable")
        counts = np.bincount(self.partners, minlength=market.right_people)
        people = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))
        log_kernel = np.log(self.kernel) + self.scale.astype(np.float32)[people]
        return self._scaled(
            np.concatenate(([0], np.cumsum(counts))), people[order], log_kernel[order]
        )

    @classmethod
    def _scaled(
        cls,
        starts: NDArray[np.int64],
        partners: NDArray[np.int32],
        log_kernel: NDArray[np.float32],
    ) -> "_Rows":
        scale = np.zeros(len(starts) - 1)
        filled = np.flatnonzero(np.diff(starts))
        if len(filled):
            scale[filled] = np.maximum.reduceat(log_kernel, starts[filled])
        kernel = log_kernel - np.repeat(scale.astype(np.float32), np.diff(starts))
        return cls(starts, partners, np.exp(kernel, out=kernel), scale)

    def log_sums(self, log_weights: Vector) -> Vector:
        """Log of the row sums of kernel times exp(log_weights), (rows,); -inf for empty rows."""
        top = float(log_weights.max(initial=-np.inf))
        weights = np.exp(log_weights - top).astype(np.float32)
        sums = np.zeros(len(self.starts) - 1)
        row = 0
        while row < len(sums):
            limit = self.starts[row] + _BLOCK
            end = max(row + 1, int(np.searchsorted(self.starts, limit, side="right")) - 1)
            pairs = slice(int(self.starts[row]), int(self.starts[end]))
            products = self.kernel[pairs] * weights[self.partners[pairs]]
            filled = row + np.flatnonzero(np.diff(self.starts[row : end + 1]))
            if len(filled):
                sums[filled] = np.add.reduceat(products, self.starts[filled] - pairs.start)
            row = end
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(sums) + self.scale + top)
