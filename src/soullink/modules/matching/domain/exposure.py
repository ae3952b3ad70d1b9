"""Exposure: who was shown to whom, and whether groups of people were shown alike.

For audits by those who run the service. What a group is (and whether it may be looked at) is
decided by who asks; nothing here changes what anybody is shown.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.ids import PersonId

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

LEAST_PEOPLE: Final = 15
"""Of a smaller group nothing is said: an interval over so few people promises too much."""
_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True)
class Exposure:
    """One person stood in another's list. position: from 1, the top."""

    viewer: PersonId
    shown: PersonId
    position: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupExposure:
    """What one group of people got; the figures are None where it is too small.

    people: how many. share_of_people, share_of_attention: of all who are in a group, 0..1.
    attention: share of attention over share of people, 1 is an even share.
    recommended: chance that a person of the group stood in the top of a list.
    parity: that chance less the one of everybody else, 0 is statistical parity.
    gini: inequality of attention inside the group.
    """

    group: str
    people: int
    share_of_people: float
    share_of_attention: float | None
    attention: Figure | None
    recommended: Figure | None
    parity: Figure | None
    gini: float | None


def attention_at(position: int) -> float:
    """Return the attention that a place in a list gets, 1 / position (Tomita & Yokoyama 2024).

    Raises ValueError below 1.
    """
    if position < 1:
        raise ValueError("Positions begin at 1.")
    return 1.0 / position


def gini(amounts: Sequence[float]) -> float:
    """Return the Gini coefficient of amounts >= 0: 0 equal shares, (n - 1) / n one has all.

    Half the mean absolute difference over the mean; 0 for nobody and for nothing to share.
    """
    values = np.sort(np.asarray(amounts, dtype=np.float64))
    if values.size and values[0] < 0:
        raise ValueError("Amounts are at least 0.")
    total = float(values.sum())
    if total <= 0:
        return 0.0
    places = np.arange(1, values.size + 1)
    found = (
        float(2 * (places * values).sum() / (values.size * total)) - (values.size + 1) / values.size
    )
    return min(max(found, 0.0), (values.size - 1) / values.size)


def attention_of(exposures: Iterable[Exposure]) -> dict[PersonId, float]:
    """Return the attention that everybody who was shown received, summed over all lists."""
    received: defaultdict[PersonId, float] = defaultdict(float)
    for one in exposures:
        received[one.shown] += attention_at(one.position)
    return dict(received)


def by_group(
    exposures: Sequence[Exposure],
    group_of: Mapping[PersonId, str],
    *,
    top: int = 5,
    draws: int = 500,
    seed: int = 0,
) -> tuple[GroupExposure, ...]:
    """Return every group's exposure, larger groups first, intervals over people.

    group_of: the group of everybody who could have been shown, also of those who never were.
    Exposures of others do not count. An audit compares people who compete for the same lists:
    call it once for each such market. Intervals: viewers and those shown are drawn anew with
    replacement, and an exposure weighs the product of both (pigeonhole bootstrap, Owen 2007).
    recommended and parity count places up to `top` in the lists of viewers who saw anybody.
    """
    people = sorted(group_of)
    place = {person: index for index, person in enumerate(people)}
    counted = [one for one in exposures if one.shown in place]
    seat: dict[PersonId, int] = {}
    names, groups, sizes = np.unique(
        np.array([group_of[person] for person in people]), return_inverse=True, return_counts=True
    )
    seen = _Seen(
        viewer=np.array([seat.setdefault(one.viewer, len(seat)) for one in counted], dtype=int),
        shown=np.array([place[one.shown] for one in counted], dtype=int),
        attention=np.array([attention_at(one.position) for one in counted]),
        chosen=np.array(_first_in_top(counted, top)),
        groups=groups,
    )
    random = np.random.default_rng(seed)
    sums = [seen.sums(np.ones(len(seat)), np.ones(len(people)))]
    sums += [
        seen.sums(_drawn(random, len(seat)), _drawn(random, len(people))) for _ in range(draws)
    ]
    received = np.bincount(seen.shown, weights=seen.attention, minlength=len(people))
    drawn = np.array(sums)
    return tuple(
        _of_group(str(names[at]), int(at), int(sizes[at]), drawn, received[groups == at].tolist())
        for at in np.argsort(-sizes, kind="stable")
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Exposures in columns. groups: the number of the group of everybody who could be shown."""

    viewer: IndexArray
    shown: IndexArray
    attention: FloatArray
    chosen: FloatArray
    groups: IndexArray

    def sums(self, looking: FloatArray, standing: FloatArray) -> FloatArray:
        """Return attention, places near the top and room for them of each group, (4, groups).

        looking, standing: weights of viewers and of people. The fourth row is people.
        """
        weights = looking[self.viewer] * standing[self.shown]
        group, count = self.groups[self.shown], int(self.groups.max(initial=-1)) + 1
        people = np.bincount(self.groups, weights=standing, minlength=count)
        return np.stack(
            [
                np.bincount(group, weights=weights * self.attention, minlength=count),
                np.bincount(group, weights=weights * self.chosen, minlength=count),
                people * looking.sum(),
                people,
            ]
        )


def _of_group(
    name: str, at: int, size: int, sums: FloatArray, received: Sequence[float]
) -> GroupExposure:
    """sums: (draws + 1, 4, groups), the first as it was. received: attention of each member."""
    attention, chosen, room, people = (sums[:, row] for row in range(4))
    everybody = float(people[0].sum())
    if size < LEAST_PEOPLE:
        return GroupExposure(name, size, size / everybody, None, None, None, None, None)
    share = attention[:, at] / _at_least(attention.sum(axis=1))
    rate = chosen[:, at] / _at_least(room[:, at])
    rest = (chosen.sum(axis=1) - chosen[:, at]) / _at_least(room.sum(axis=1) - room[:, at])
    enough = everybody - size >= LEAST_PEOPLE
    return GroupExposure(
        group=name,
        people=size,
        share_of_people=size / everybody,
        share_of_attention=float(share[0]),
        attention=_figure(share * people.sum(axis=1) / _at_least(people[:, at])),
        recommended=_figure(rate),
        parity=_figure(rate - rest) if enough else None,
        gini=gini(received),
    )


def _first_in_top(exposures: Iterable[Exposure], top: int) -> list[float]:
    """Return 1 where somebody stands near the top for this viewer for the first time, else 0."""
    known: set[tuple[PersonId, PersonId]] = set()
    found = []
    for one in exposures:
        pair = one.viewer, one.shown
        found.append(float(one.position <= top and pair not in known))
        if one.position <= top:
            known.add(pair)
    return found


def _drawn(random: np.random.Generator, count: int) -> FloatArray:
    """Return how often each of `count` is drawn, with replacement, in `count` draws."""
    return np.bincount(random.integers(0, max(count, 1), count), minlength=count).astype(np.float64)


def _at_least(values: FloatArray) -> FloatArray:
    return np.maximum(values, 1e-12)


def _figure(values: FloatArray) -> Figure:
    low, high = (float(q) for q in np.quantile(values[1:], (_TAIL, 1 - _TAIL)))
    value = float(values[0])
    return Figure(value, min(low, value), max(high, value))
