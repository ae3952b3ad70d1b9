"""One group: stable pairs, or the plain word that there are none.

With one group (the stable roommates problem) a stable matching may not exist: three who each
prefer the next in a circle and a fourth nobody wants have none. Irving's algorithm (1985; with
incomplete lists: Gusfield & Irving 1989, section 4.5) finds a stable matching or shows that there
is none. For that case `by_mutual_chance` is sound: if both judge a pair by the same number, the
chance of a mutual yes, then the heaviest pair first is always stable (Abraham et al. 2008), and
how many pairs would still block by people's own wishes is reported.
"""

from dataclasses import dataclass

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.assignment import greedy_pairing
from soullink.modules.matching.domain.reciprocal.market import Lists, Market
from soullink.modules.matching.domain.reciprocal.policies import NOBODY
from soullink.modules.matching.domain.reciprocal.stable import Pairs, market_preferences


@dataclass(frozen=True, slots=True)
class Roommates:
    """Pairs i < j of one group, (p, 2).

    stable: by each person's own wishes nobody would rather change; otherwise no matching is
    stable, the pairs are those of mutual chance, and `blocking` of them would rather change.
    """

    pairs: Pairs
    stable: bool
    blocking: int


def roommates(market: Market, least: float = 0.0, seed: int = 0) -> Roommates:
    """Pair the people of a one-sided market; ties are broken by seed, `least` refuses."""
    if not market.single:
        raise InvalidInputError("roommates need one group; use stable pairs for two sides")
    wishes = market_preferences(market, least, seed).left
    partner = stable_partners(wishes)
    if partner is not None:
        return Roommates(_pairs(partner), stable=True, blocking=0)
    partner = by_mutual_chance(market)
    return Roommates(_pairs(partner), stable=False, blocking=count_blocking(wishes, partner))


def by_mutual_chance(market: Market) -> Lists:
    """The partner of each, (n,), NOBODY if none: the likeliest mutual yes first."""
    return greedy_pairing(market.mutual, market.allowed)


def count_blocking(wishes: Lists, partner: Lists) -> int:
    """How many pairs would both rather have each other; wishes (n, n) as places from 0."""
    people = len(wishes)
    taken = np.where(partner == NOBODY, 0, partner)
    own = np.where(partner == NOBODY, people, wishes[np.arange(people), taken])
    wanted = (wishes != NOBODY) & (wishes < own[:, None])
    return int((wanted & wanted.T).sum()) // 2


def stable_partners(wishes: Lists) -> Lists | None:
    """The partner of each, (n,), in a stable matching; None where there is none.

    wishes: (n, n) place of j on i's list, from 0, NOBODY where either refuses; strict.
    """
    table = _Table(wishes)
    table.propose()
    if not table.turn_circles():
        return None
    partner = np.full(len(wishes), NOBODY, dtype=np.int32)
    for person, remaining in enumerate(table.lists):
        if remaining:
            partner[person] = remaining[0]
    return partner


class _Table:
    """Everybody's list of those who may still be partners, best first."""

    def __init__(self, wishes: Lists) -> None:
        self.place = wishes.tolist()
        order = np.argsort(np.where(wishes == NOBODY, len(wishes), wishes), axis=1, kind="stable")
        counts = (wishes != NOBODY).sum(axis=1)
        self.lists: list[list[int]] = [
            row[:count].tolist() for row, count in zip(order, counts, strict=True)
        ]

    def propose(self) -> None:
        """Phase one: each holds the best proposal; who is proposed to refuses all worse."""
        holds: list[int | None] = [None] * len(self.lists)
        free = list(range(len(self.lists)))
        while free:
            suitor = free.pop()
            if not self.lists[suitor]:
                continue
            asked = self.lists[suitor][0]
            rival = holds[asked]
            holds[asked] = suitor
            self._refuse_below(asked, suitor)
            if rival is not None and rival != suitor:
                free.append(rival)

    def turn_circles(self) -> bool:
        """Phase two: eliminate rotations until lists have at most one; False if one runs empty."""
        while True:
            start = next((i for i, row in enumerate(self.lists) if len(row) > 1), None)
            if start is None:
                return True
            circle = self._circle(start)
            had = [person for person, row in enumerate(self.lists) if row]
            # Each in the circle is refused by its first and goes to its second.
            seconds = [(self.lists[person][1], person) for person in circle]
            for asked, suitor in seconds:
                self._refuse_below(asked, suitor)
            if any(not self.lists[person] for person in had):
                return False

    def _circle(self, start: int) -> list[int]:
        """The rotation met from start: a person, the last on its second's list, and so on."""
        path: list[int] = []
        person = start
        while person not in path:
            path.append(person)
            second = self.lists[person][1]
            person = self.lists[second][-1]
        return path[path.index(person) :]

    def _refuse_below(self, person: int, kept: int) -> None:
        """Take from person's list all it likes less than kept, and person from theirs."""
        row = self.lists[person]
        while row and self.place[person][row[-1]] > self.place[person][kept]:
            self.lists[row.pop()].remove(person)


def _pairs(partner: Lists) -> Pairs:
    first = np.flatnonzero((partner != NOBODY) & (partner > np.arange(len(partner))))
    return np.column_stack((first, partner[first])).astype(np.int64)
