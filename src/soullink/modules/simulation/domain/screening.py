"""Every pair of two populations, in blocks, and what came of the replicas of each pair.

A pair's numbers depend on the two people, the scenarios, the seed and the number of replicas
alone: never on the block that it is lived in, on its neighbours there, or on who lives them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.canonical import canonical_json
from soullink.modules.personality.api import Persona
from soullink.modules.simulation.api import BoolArray, FloatArray, IntArray, Scenario
from soullink.modules.simulation.domain import course, live, randomness, replicas
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.layout import N_TRAIT

Z95: Final = 1.959964
LOW_MIDDLE_HIGH: Final = (0.1, 0.5, 0.9)

NUMBERS: Final = np.dtype(
    [
        (name, "<f4")
        for name in (
            "together",
            "together_se",
            "together_low",
            "together_high",
            "satisfaction_first_mean",
            "satisfaction_first_q10",
            "satisfaction_first_q50",
            "satisfaction_first_q90",
            "satisfaction_second_mean",
            "satisfaction_second_q10",
            "satisfaction_second_q50",
            "satisfaction_second_q90",
            "again_first",
            "again_second",
            "conflict_peak_mean",
            "conflict_peak_q90",
            "likeness",
        )
    ]
)
"""What an engine says of a pair; meanings: screening/api.py. float32: Monte Carlo error is larger
than its rounding by far."""

NumberArray = NDArray[np.void]
"""Rows of NUMBERS."""


@dataclass(frozen=True, slots=True)
class People:
    """N people as arrays, sorted by id, nobody twice.

    means, sds: (N, 11) of the traits in the order of layout.Trait. interests: of each person.
    """

    ids: tuple[str, ...]
    means: FloatArray
    sds: FloatArray
    interests: tuple[frozenset[str], ...]

    @staticmethod
    def of(personas: Sequence[Persona], interests: Sequence[Sequence[str]]) -> "People":
        """Return the people of `personas`, each with the interests in the same place."""
        order = sorted(range(len(personas)), key=lambda number: personas[number].person)
        means, sds = np.zeros((len(order), N_TRAIT)), np.zeros((len(order), N_TRAIT))
        for row, number in enumerate(order):
            both = live.trait_arrays((personas[number], personas[number]))
            means[row], sds[row] = both[0][0], both[1][0]
        return People(
            tuple(str(personas[number].person) for number in order),
            means,
            sds,
            tuple(
                frozenset(text.casefold().strip() for text in interests[number]) for number in order
            ),
        )

    def unknown(self) -> FloatArray:
        """Return how much of each person's eleven traits is unknown, (N,), 0..1.

        The mean of their variances, in variances of the population.
        """
        unknown: FloatArray = np.minimum((self.sds**2).mean(axis=1), 1.0)
        return unknown

    def digest(self, rows: IntArray) -> str:
        """Return the SHA-256 over all that screening knows of the people in `rows`."""
        found = hashlib.sha256()
        for row in rows:
            found.update(canonical_json([self.ids[row], sorted(self.interests[row])]))
            found.update(np.stack([self.means[row], self.sds[row]]).astype("<f8").tobytes())
        return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """Pairs number `start` and following, n of them.

    first, second: (n,) rows in People. likeness: (n,) share of interests in common, 0..1.
    """

    start: int
    first: IntArray
    second: IntArray
    likeness: FloatArray

    @property
    def stop(self) -> int:
        """Return the number after the last pair's."""
        return self.start + int(self.first.size)


@dataclass(frozen=True, slots=True)
class BlockNumbers:
    """What came of a block. rows: (n,) of NUMBERS. turns: lived in all replicas of its pairs."""

    rows: NumberArray
    turns: int


class ScreeningEngine(Protocol):
    """Lives the replicas of pairs."""

    def screen_block(self, block: Block) -> BlockNumbers:
        """Return what came of each pair; the same whatever else is in the block."""
        ...


class PairGrid:
    """Every pair of somebody on the left with somebody on the right, numbered from 0.

    By the left one's id, then the right one's. Nobody is paired with themself. Two people who
    stand on both sides are one pair, and the one whose id comes first is its first.
    """

    def __init__(self, people: People, left: IntArray, right: IntArray) -> None:
        self.people = people
        self.left, self.right = np.unique(left), np.unique(right)
        both = np.intersect1d(self.left, self.right)
        self._is_both = np.zeros(len(people.ids), dtype=np.bool_)
        self._is_both[both] = True
        # A person of both sides leaves out themself and those who have met them already.
        fewer = np.where(
            self._is_both[self.left], np.searchsorted(both, self.left, side="right"), 0
        )
        self._offsets = np.concatenate([[0], np.cumsum(self.right.size - fewer)]).astype(np.int64)

    @property
    def count(self) -> int:
        """Return how many pairs there are."""
        return int(self._offsets[-1])

    def rows(self, start: int, stop: int) -> tuple[IntArray, IntArray]:
        """Return who is in the pairs `start` to `stop`, as rows in People, each (n,)."""
        firsts: list[IntArray] = []
        seconds: list[IntArray] = []
        place = int(np.searchsorted(self._offsets, start, side="right")) - 1
        while start < stop:
            before = int(self._offsets[place])
            partners = self._partners(int(self.left[place]))[start - before : stop - before]
            firsts.append(np.full(partners.size, self.left[place]))
            seconds.append(partners)
            start += partners.size
            place += 1
        if not firsts:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return np.concatenate(firsts), np.concatenate(seconds)

    def _partners(self, row: int) -> IntArray:
        if not self._is_both[row]:
            return self.right
        kept: IntArray = self.right[~(self._is_both[self.right] & (self.right <= row))]
        return kept

    def block(self, start: int, stop: int) -> Block:
        """Return the pairs `start` to `stop`, which is left out where there are fewer."""
        first, second = self.rows(start, min(stop, self.count))
        return Block(start, first, second, self.likeness(first, second))

    def likeness(self, first: IntArray, second: IntArray) -> FloatArray:
        """Return how much the interests of each pair overlap, (n,), as live.likeness does."""
        interests = self.people.interests
        return np.array(
            [
                len(a & b) / min(len(a), len(b)) if a and b else 0.0
                for a, b in zip(
                    map(interests.__getitem__, first),
                    map(interests.__getitem__, second),
                    strict=True,
                )
            ]
        )


@dataclass(frozen=True, slots=True)
class ArrayEngine(ScreeningEngine):
    """The equations themselves over arrays: replicas of several pairs in one batch."""

    people: People
    scenarios: tuple[Scenario, ...]
    seed: int
    replicas: int

    def screen_block(self, block: Block) -> BlockNumbers:
        together = max(replicas.MOST_ROWS // self.replicas, 1)
        parts = [
            self._screen(block, slice(start, start + together))
            for start in range(0, block.first.size, together)
        ]
        rows = np.concatenate([part.rows for part in parts]) if parts else np.zeros(0, NUMBERS)
        return BlockNumbers(rows, sum(part.turns for part in parts))

    def _screen(self, block: Block, some: slice) -> BlockNumbers:
        first, second, likeness = block.first[some], block.second[some], block.likeness[some]
        lived = [
            self._live(first, second, likeness, number)
            for number in range(0, self.replicas, replicas.MOST_ROWS)
        ]
        goes_on, satisfaction, again, peak = (
            np.concatenate([part[place] for part in lived], axis=-1) for place in range(4)
        )
        numbers = summarised(goes_on, satisfaction, again, peak, likeness)
        return BlockNumbers(numbers, sum(part[4] for part in lived))

    def _live(
        self, first: IntArray, second: IntArray, likeness: FloatArray, done: int
    ) -> tuple[BoolArray, FloatArray, BoolArray, FloatArray, int]:
        """Live the replicas from number `done` on; their number is the last axis of all arrays."""
        count = min(self.replicas - done, replicas.MOST_ROWS)
        pairs = np.stack([first, second], axis=1)
        who = self.people
        keys = [
            # Replica k has number k + 1 here as in replicas.of_pair: number 0 is a course shown.
            randomness.person_keys(self.seed, (who.ids[a], who.ids[b]), count, done + 1)
            for a, b in pairs
        ]
        batch = course.begin(
            np.repeat(who.means[pairs], count, axis=0),
            np.repeat(who.sds[pairs], count, axis=0),
            np.repeat(likeness, count),
            np.concatenate(keys),
        )
        result = replicas.run(batch, ("", ""), self.scenarios, Conditions())
        size = first.size
        return (
            (result.ended == 0).reshape(size, count),
            np.ascontiguousarray(result.satisfaction.reshape(size, count, 2).swapaxes(1, 2)),
            np.ascontiguousarray(result.again.reshape(size, count, 2).swapaxes(1, 2)),
            result.conflict_peak.max(axis=1).reshape(size, count),
            int(result.turns.sum()),
        )


def summarised(
    together: BoolArray,
    satisfaction: FloatArray,
    again: BoolArray,
    peak: FloatArray,
    likeness: FloatArray,
) -> NumberArray:
    """Return NUMBERS of n pairs from their R replicas.

    together: (n, R) the relationship goes on. satisfaction: (n, 2, R) at the end, 0..1. again:
    (n, 2, R). peak: (n, R) the highest conflict, 0..1. likeness: (n,).
    """
    rows = np.zeros(together.shape[0], dtype=NUMBERS)
    put_shares(rows, together.sum(axis=1), together.shape[1])
    for place, who in enumerate(("first", "second")):
        of_one = np.ascontiguousarray(satisfaction[:, place])
        rows[f"satisfaction_{who}_mean"] = of_one.mean(axis=1)
        for name, values in zip(
            ("q10", "q50", "q90"), _quantiles(of_one, LOW_MIDDLE_HIGH), strict=True
        ):
            rows[f"satisfaction_{who}_{name}"] = values
        rows[f"again_{who}"] = again[:, place].sum(axis=1) / again.shape[2]
    rows["conflict_peak_mean"] = peak.mean(axis=1)
    rows["conflict_peak_q90"] = _quantiles(peak, LOW_MIDDLE_HIGH[2:])[0]
    rows["likeness"] = likeness
    return rows


def _quantiles(values: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Return the least value that so many of the R reach, (shares, n); values: (n, R).

    What the histograms of the compiled equations approach, too.
    """
    return np.quantile(values, shares, axis=1, method="inverted_cdf")


def put_shares(rows: NumberArray, hits: IntArray, count: int) -> None:
    """Write P(together), its standard error and 95 % interval into `rows`.

    hits: (n,) replicas of `count` that are together in the end. The interval is the score
    interval of Wilson (1927), which stays honest at 0 and 1, where the standard error is 0.
    """
    share = hits / count
    middle = share + Z95**2 / (2 * count)
    half = Z95 * np.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    scale = 1 + Z95**2 / count
    rows["together"] = share
    rows["together_se"] = np.sqrt(share * (1 - share) / count)
    rows["together_low"] = np.clip((middle - half) / scale, 0.0, share)
    rows["together_high"] = np.clip((middle + half) / scale, share, 1.0)
