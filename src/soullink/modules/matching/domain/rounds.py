"""A round: everybody gets a list at once, by one of the reciprocal methods.

Where the people fall into two groups that only meet each other, it is a market with two sides; else
it is one group in which anybody may meet anybody. Stable pairs exist in both: with two sides by
deferred acceptance, in one group because everybody ranks by the chance that both say yes, which is
the same for both of a pair (then the best pair of all, the best of the rest, ... cannot be left).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Degradation, Method, Round, RoundList, RoundSettings
from soullink.modules.matching.domain.reciprocal import recommend as reciprocal
from soullink.modules.matching.domain.reciprocal.market import Market, one_sided, two_sided
from soullink.modules.matching.domain.reciprocal.measures import expected_matches, exposure, gini
from soullink.modules.matching.domain.reciprocal.policies import (
    NOBODY,
    Policy,
    Recommendations,
    fixed,
    ranked,
)
from soullink.modules.matching.domain.reciprocal.stable import market_preferences, stable_pairs

_NAMES: Final[Mapping[Method, reciprocal.Method]] = {
    "random": "random",
    "one_sided": "one-sided",
    "product": "product",
    "tu": "equilibrium",
    "social": "social-welfare",
    "nash": "nash-welfare",
    "coordinated": "coordinated",
}


@dataclass(frozen=True, slots=True)
class RoundTable:
    """People of a round. genders: bits. yes: (n, n) chance that i says yes to j.

    allowed: (n, n) symmetric: both ways of every filter.
    """

    ids: tuple[PersonId, ...]
    genders: tuple[int, ...]
    yes: NDArray[np.float64]
    allowed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MadeRound:
    """A round's lists with what they come to. propensity: of (viewer, shown, rank)."""

    people: int
    allowed_pairs: int
    lists: tuple[tuple[PersonId, tuple[PersonId, ...]], ...]
    pairs: tuple[tuple[PersonId, PersonId], ...]
    propensity: Mapping[tuple[PersonId, PersonId, int], float]
    expected_matches: float
    one_sided_matches: float
    gini: float
    one_sided_gini: float

    def told(self, list_id: UUID, method: Method, degraded: Mapping[Degradation, str]) -> Round:
        """Return it as others know it."""
        return Round(
            list_id=list_id,
            method=method,
            people=self.people,
            allowed_pairs=self.allowed_pairs,
            lists=tuple(RoundList(person, shown) for person, shown in self.lists),
            pairs=self.pairs,
            expected_matches=self.expected_matches,
            one_sided_matches=self.one_sided_matches,
            gini=self.gini,
            one_sided_gini=self.one_sided_gini,
            degraded=degraded,
        )


@dataclass(frozen=True, slots=True)
class _Sides:
    """The market, and which people (places in the table) stand on its left and right."""

    market: Market
    left: NDArray[np.int64]
    right: NDArray[np.int64]


def make_round(table: RoundTable, settings: RoundSettings) -> MadeRound:
    """Return the lists that `settings.method` makes, `settings.shown` long."""
    sides = _sides(table, settings.shown)
    market = sides.market
    pairs: list[tuple[int, int]] = []
    if settings.method == "stable":
        pairs = _stable(sides, settings)
        shown = _paired(sides, pairs)
    else:
        shown = reciprocal.recommend(market, _NAMES[settings.method], settings.seed)
    plain = reciprocal.recommend(market, "one-sided")
    generator = np.random.default_rng(settings.seed)
    drawn: list[tuple[int, list[int]]] = []
    chances: dict[tuple[int, int, int], float] = {}
    policies = [(sides.left, sides.right, shown.left)]
    if not market.single:
        policies.append((sides.right, sides.left, shown.right))
    for viewers, seen, policy in policies:
        drawn += _drawn(viewers, seen, policy, settings.shown, generator, chances)
    ids = table.ids
    return MadeRound(
        people=len(ids),
        allowed_pairs=int(np.triu(table.allowed, 1).sum()),
        lists=tuple((ids[k], tuple(ids[j] for j in shown_to)) for k, shown_to in sorted(drawn)),
        pairs=tuple((ids[a], ids[b]) for a, b in sorted(pairs)),
        propensity={(ids[a], ids[b], rank): p for (a, b, rank), p in chances.items()},
        expected_matches=expected_matches(market, shown),
        one_sided_matches=expected_matches(market, plain),
        gini=_gini(market, shown),
        one_sided_gini=_gini(market, plain),
    )


def groups(allowed: NDArray[np.bool_], genders: Sequence[int]) -> NDArray[np.int8] | None:
    """Return (n,) 0 or 1 such that only people of different groups may meet; None if impossible.

    Of the two ways to name the groups of those who are linked, most genders decide, then the order.
    """
    colour = np.full(len(allowed), -1, dtype=np.int8)
    for start in range(len(allowed)):
        if colour[start] >= 0:
            continue
        colour[start] = 0
        linked, waiting = [start], [start]
        while waiting:
            k = waiting.pop()
            for j in np.flatnonzero(allowed[k]).tolist():
                if colour[j] < 0:
                    colour[j] = 1 - colour[k]
                    linked.append(j)
                    waiting.append(j)
                elif colour[j] == colour[k]:
                    return None
        # The first of the genders (women) to the left, where the people are of different genders.
        bits = [(genders[j] & 1) * (1 if colour[j] == 0 else -1) for j in linked]
        if sum(bits) < 0:
            colour[linked] = 1 - colour[linked]
    return colour


def _sides(table: RoundTable, shown: int) -> _Sides:
    everybody = np.arange(len(table.ids))
    colour = groups(table.allowed, table.genders)
    if colour is None or not (colour == 0).any() or not (colour == 1).any():
        return _Sides(one_sided(table.yes, table.allowed, shown=shown), everybody, everybody)
    left, right = np.flatnonzero(colour == 0), np.flatnonzero(colour == 1)
    market = two_sided(
        table.yes[np.ix_(left, right)],
        table.yes[np.ix_(right, left)],
        table.allowed[np.ix_(left, right)],
        shown=shown,
    )
    return _Sides(market, left, right)


def _stable(sides: _Sides, settings: RoundSettings) -> list[tuple[int, int]]:
    """Return stable pairs as places in the table, with `capacity` partners at most."""
    market = sides.market
    if not market.single:
        left = np.full(len(sides.left), settings.capacity)
        right = np.full(len(sides.right), settings.capacity)
        found = stable_pairs(market_preferences(market, 0.0, settings.seed), left, right)
        return [(int(sides.left[a]), int(sides.right[b])) for a, b in found.tolist()]
    mutual = market.mutual
    first, second = np.nonzero(np.triu(market.allowed, 1))
    room = np.full(len(mutual), settings.capacity)
    pairs = []
    for k in np.argsort(-mutual[first, second], kind="stable").tolist():
        a, b = int(first[k]), int(second[k])
        if room[a] and room[b]:
            room[[a, b]] -= 1
            pairs.append((a, b))
    return pairs


def _paired(sides: _Sides, pairs: Sequence[tuple[int, int]]) -> Recommendations:
    """Return lists that hold just the partners, the likelier first."""
    market = sides.market
    at_left = {int(k): place for place, k in enumerate(sides.left)}
    at_right = {int(k): place for place, k in enumerate(sides.right)}
    made = np.zeros(market.allowed.shape, dtype=np.bool_)
    for a, b in pairs:
        made[at_left[a], at_right[b]] = True
        if market.single:
            made[at_left[b], at_right[a]] = True
    mutual = market.mutual
    return Recommendations(
        fixed(ranked(mutual, made), mutual.shape[1]), fixed(ranked(mutual.T, made.T), len(mutual))
    )


def _drawn(
    viewers: NDArray[np.int64],
    seen: NDArray[np.int64],
    policy: Policy,
    length: int,
    generator: np.random.Generator,
    chances: dict[tuple[int, int, int], float],
) -> list[tuple[int, list[int]]]:
    """Draw one list for each viewer; note with which chance each person stands at each rank."""
    lists = policy.draw(generator)[:, :length]
    found = []
    for row, k in enumerate(viewers.tolist()):
        places = [int(j) for j in lists[row] if j != NOBODY]
        for rank, j in enumerate(places):
            same = policy.lists[:, row, rank] == j
            chances[k, int(seen[j]), rank + 1] = float(policy.weights[same].sum())
        found.append((k, [int(seen[j]) for j in places]))
    return found


def _gini(market: Market, shown: Recommendations) -> float:
    left, right = exposure(market, shown)
    return gini(left if market.single else np.concatenate([left, right]))
