"""Pairing everybody at once for the largest sum of weights."""

import numpy as np
from numpy.typing import NDArray

from soullink.modules.matching.domain.reciprocal.market import Lists, Mask, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import NOBODY


def best_pairing(weights: Matrix, allowed: Mask) -> Lists:
    """The partner of each row, (n,), NOBODY if none; the sum of weights (not below 0) is largest.

    Two-sided. Shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987), n^2 m at worst.
    """
    if weights.shape[0] > weights.shape[1]:
        across = best_pairing(weights.T, allowed.T)
        partner = np.full(weights.shape[0], NOBODY, dtype=np.int32)
        taken = np.flatnonzero(across != NOBODY)
        partner[across[taken]] = taken
        return partner
    cost = np.where(allowed, -weights, 0.0)
    rows, columns = cost.shape
    # Every column costs at least what is cheapest in it, every row what is then left; whoever is
    # first at such a column has it, and only the others need paths.
    column_price = cost.min(axis=0) if rows == columns else np.zeros(columns)
    reduced = cost - column_price
    first = np.argmin(reduced, axis=1)
    row_price = reduced[np.arange(rows), first]
    owner = np.full(columns, NOBODY, dtype=np.int64)
    taken, rows_first = np.unique(first, return_index=True)
    owner[taken] = rows_first
    for row in np.setdiff1d(np.arange(rows), rows_first):
        _augment(int(row), cost, row_price, column_price, owner)
    partner = np.full(rows, NOBODY, dtype=np.int32)
    taken = np.flatnonzero(owner != NOBODY)
    partner[owner[taken]] = taken
    real = allowed[np.arange(rows), partner] & (weights[np.arange(rows), partner] > 0.0)
    return np.where(real, partner, NOBODY).astype(np.int32)


def _augment(
    row: int, cost: Matrix, row_price: Vector, column_price: Vector, owner: NDArray[np.int64]
) -> None:
    """Give row a column along the cheapest alternating path; prices stay feasible."""
    columns = cost.shape[1]
    distance = np.full(columns, np.inf)
    came_from = np.full(columns, NOBODY, dtype=np.int64)
    done = np.zeros(columns, dtype=bool)
    at, length, column = row, 0.0, NOBODY
    while True:
        reach = length + cost[at] - row_price[at] - column_price
        nearer = ~done & (reach < distance)
        distance[nearer] = reach[nearer]
        came_from[nearer] = column
        column = int(np.argmin(np.where(done, np.inf, distance)))
        length = float(distance[column])
        if owner[column] == NOBODY:
            break
        done[column] = True
        at = int(owner[column])
    row_price[row] += length
    seen = np.flatnonzero(done)
    row_price[owner[seen]] += length - distance[seen]
    column_price[seen] += distance[seen] - length
    while column != NOBODY:
        before = int(came_from[column])
        owner[column] = row if before == NOBODY else owner[before]
        column = before


def greedy_pairing(weights: Matrix, allowed: Mask) -> Lists:
    """The partner of each person of ONE group, (n,), NOBODY if none: heaviest pair first.

    At least half the largest possible sum (Preis 1999). weights and allowed are symmetric.
    """
    first, second = np.nonzero(np.triu(allowed & (weights > 0.0), 1))
    partner = np.full(len(weights), NOBODY, dtype=np.int32)
    for index in np.argsort(-weights[first, second], kind="stable"):
        i, j = first[index], second[index]
        if partner[i] == NOBODY and partner[j] == NOBODY:
            partner[i], partner[j] = j, i
    return partner
