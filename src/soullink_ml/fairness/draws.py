"""The draws of one audit, and figures of groups under all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from soullink_ml.fairness import resampling
from soullink_ml.fairness.dates import Dates
from soullink_ml.fairness.resampling import BoolArray, Cluster, FloatArray, IntArray
from soullink_ml.fairness.rows import MIN_PEOPLE


@dataclass(frozen=True)
class Draws:
    """Dates with the weights of every draw; draw 0 is the sample as it is.

    people: (draws + 1, people). rows: (draws + 1, dates).
    """

    dates: Dates
    people: FloatArray
    rows: FloatArray

    @classmethod
    def of(cls, dates: Dates, draws: int, seed: int, cluster: Cluster) -> "Draws":
        """Draw people (or waves) anew `draws` times."""
        people = resampling.person_weights(dates.cell, dates.wave, draws, seed, cluster)
        return cls(dates, people, resampling.date_weights(people, dates.viewer, dates.shown))

    @cached_property
    def _cells(self) -> FloatArray:
        cells = np.unique(self.dates.cell)
        return np.asarray(self.dates.cell[:, None] == cells, dtype=np.float64)

    @cached_property
    def _by_shown(self) -> tuple[IntArray, IntArray]:
        order = np.argsort(self.dates.shown, kind="stable")
        ranked = self.dates.shown[order]
        return order, np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])

    def received(self, amounts: FloatArray) -> FloatArray:
        """Return what each person receives of `amounts` (dates,) from viewers: (draws + 1, people).

        Everybody must have been shown to somebody.
        """
        order, starts = self._by_shown
        weighted = self.people[:, self.dates.viewer[order]] * amounts[order]
        return np.asarray(np.add.reduceat(weighted, starts, axis=1))

    def beside_cell(self, received: FloatArray) -> FloatArray:
        """Return `received` over the mean of the same side of the same wave (draws + 1, people)."""
        return _beside(received, self._means(received, self._cells) @ self._cells.T)

    def beside_wave(self, received: FloatArray) -> FloatArray:
        """Return `received` over the mean of the wave, both sides together."""
        waves = np.unique(self.dates.wave)
        inside = np.asarray(self.dates.wave[:, None] == waves, dtype=np.float64)
        return _beside(received, self._means(received, inside) @ inside.T)

    def _means(self, values: FloatArray, inside: FloatArray) -> FloatArray:
        return _beside((self.people * values) @ inside, self.people @ inside)

    def of_group(self, members: BoolArray, values: FloatArray) -> FloatArray:
        """Return the weighted mean (draws + 1,) of `values` (draws + 1, people) over members."""
        weights = self.people[:, members]
        return _over((weights * values[:, members]).sum(axis=1), weights.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Group:
    """One group of people. others: people of a known other group."""

    group_by: str
    name: str
    members: BoolArray
    others: BoolArray

    @property
    def size(self) -> int:
        """How many people."""
        return int(self.members.sum())

    @property
    def large_enough(self) -> bool:
        """Whether figures of it are given at all."""
        return min(self.size, int(self.others.sum())) >= MIN_PEOPLE


def groups_of(dates: Dates) -> Iterator[Group]:
    """Yield every group of every attribute, in the order of their size."""
    for attribute, labels in dates.groups.items():
        found = np.array(labels)
        names, counts = np.unique(found[found != ""], return_counts=True)
        for name in names[np.argsort(-counts, kind="stable")]:
            yield Group(attribute, str(name), found == name, (found != name) & (found != ""))


def _over(above: FloatArray, below: FloatArray) -> FloatArray:
    known = below > 1e-12
    return np.where(known, above / np.where(known, below, 1.0), np.nan)


def _beside(values: FloatArray, means: FloatArray) -> FloatArray:
    """Return values / means; 0 where a draw has nobody of that side, who then weighs nothing."""
    return np.where(means > 1e-12, values / np.where(means > 1e-12, means, 1.0), 0.0)
