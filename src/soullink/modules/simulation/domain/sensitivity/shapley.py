"""Shapley values: what each of several players adds to a result, averaged over all orders.

Shapley (1953), A value for n-person games. They sum to the difference between everybody and
nobody, treat players alike who do alike, and give nothing to who changes nothing. Where all
2^m coalitions are too many, orders are drawn (Castro, Gomez & Tejada 2009, Computers & Operations
Research 36); the sum still holds exactly.
"""

from dataclasses import dataclass
from math import factorial
from typing import Final

import numpy as np

from soullink.modules.simulation.api import BoolArray, FloatArray, IntArray

EXACT_UP_TO: Final = 7
"""Players whose coalitions are all lived: 128."""
ORDERS: Final = 24


@dataclass(frozen=True, slots=True)
class Game:
    """Which coalitions are to be evaluated, and how their values make Shapley values.

    members: (C, m), who is in each coalition. weights: (m, C); a player's value is their sum over
    the coalitions' values.
    """

    members: BoolArray
    weights: FloatArray

    def shares(self, values: FloatArray) -> FloatArray:
        """Return the Shapley values, (m, ...); values: (C, ...) of the coalitions."""
        out: FloatArray = np.tensordot(self.weights, values, axes=(1, 0))
        return out


def game(players: int, seed: int, exact_up_to: int = EXACT_UP_TO, orders: int = ORDERS) -> Game:
    """Return the game of `players`; with more than `exact_up_to`, over `orders` drawn orders.

    An order comes with its reverse (antithetic), so that early and late places are balanced.
    """
    if players <= exact_up_to:
        return _exact(players)
    return _sampled(players, seed, orders)


def _exact(players: int) -> Game:
    count = 2**players
    members = (np.arange(count)[:, None] >> np.arange(players)) & 1 > 0
    sizes = members.sum(axis=1)
    weights = np.zeros((players, count))
    for player in range(players):
        for coalition in range(count):
            inside = bool(members[coalition, player])
            others = int(sizes[coalition]) - inside
            share = factorial(others) * factorial(players - 1 - others) / factorial(players)
            weights[player, coalition] = share if inside else -share
    return Game(members, weights)


def _sampled(players: int, seed: int, orders: int) -> Game:
    random = np.random.default_rng(seed)
    places: dict[int, int] = {0: 0}
    steps: list[tuple[int, int, int]] = []
    drawn = [random.permutation(players) for _ in range(max(orders // 2, 1))]
    walks: list[IntArray] = [*drawn, *(order[::-1] for order in drawn)]
    for order in walks:
        held = 0
        for player in order:
            joined = held | (1 << int(player))
            steps.append((int(player), places[held], places.setdefault(joined, len(places))))
            held = joined
    weights = np.zeros((players, len(places)))
    for player, without, having in steps:
        weights[player, having] += 1.0 / len(walks)
        weights[player, without] -= 1.0 / len(walks)
    masks = np.array(list(places), dtype=np.int64)
    return Game((masks[:, None] >> np.arange(players)) & 1 > 0, weights)
