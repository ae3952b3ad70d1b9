"""What many courses of many pairs come to, in memory that does not grow with their number.

Sums are whole multiples of 1 / SCALE and counts are integers, so adding is exact: any split over
threads, blocks or machines, merged in any order, gives the same bits. Means and variances follow
from the sums, quantiles from histograms of BINS fixed bins.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.api import (
    ACTS,
    STATE_VARIABLES,
    BoolArray,
    FloatArray,
    IntArray,
)
from soullink.modules.simulation.domain import dynamics
from soullink.modules.simulation.domain.acts import CLASSES
from soullink.modules.simulation.domain.fast.rows import BINS, SCALE

_EACH: Final = (*STATE_VARIABLES, "satisfaction", "similarity", "attraction")
VARIABLES: Final[tuple[str, ...]] = (
    *(f"{person}.{name}" for person in (0, 1) for name in _EACH),
    "conflict_peak",
    "success",
)
"""What is summed over courses, at their end: each person's state, satisfaction, perceived
similarity and attraction; the highest level of conflict; the mean success of outcomes."""
COUNTS: Final[tuple[str, ...]] = (
    "repairs_accepted",
    "pursue_withdraw",
    "answered",
    "matched",
    "misreads",
)
"""Counts of turns by person, as in api.Replicas."""


def _ranges() -> FloatArray:
    low_high = {"mood": (-1.0, 1.0), "success": (-1.0, 1.0), "attraction": (-3.0, 3.0)}
    names = (name.rpartition(".")[2] for name in VARIABLES)
    return np.array([low_high.get(name, (0.0, 1.0)) for name in names])


RANGES: Final = _ranges()
"""Lowest and highest value of each variable, (len(VARIABLES), 2)."""
_CLASS: Final = [CLASSES[kind].value for kind in dynamics.CLASS_OF]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts and sums of the courses of P pairs; all integers, first axis pairs.

    replicas: (P,) courses. sums, squares: (P, V) of VARIABLES times SCALE. histograms: (P, V,
    BINS) over RANGES. acts: (P, 2, A) who did what. counts: (P, 2, len(COUNTS)).
    again: (P, 4) courses after whose first episode neither, the first, the second, both would meet
    again. ended: (P, E + 1) courses that ended after episode e, 0 those that go on. ended_by:
    (P, 2). endings: (P, E, 5) by flow.Ending; resolutions: (P, E, 5) by flow.Resolution;
    outcomes: (P, E, most) by the scenario's outcomes. arms: the same under each intervention.
    """

    replicas: IntArray
    sums: IntArray
    squares: IntArray
    histograms: NDArray[np.uint32]
    acts: IntArray
    counts: IntArray
    again: IntArray
    ended: IntArray
    ended_by: IntArray
    endings: IntArray
    outcomes: IntArray
    resolutions: IntArray
    arms: tuple["Statistics", ...] = ()

    def merge(self, other: "Statistics") -> "Statistics":
        """Return the statistics of both lots of courses of the same pairs.

        Exact: merging is commutative and associative to the last bit. Raises
        InvalidInputError where pairs, scenarios or interventions differ.
        """
        if self.endings.shape != other.endings.shape or len(self.arms) != len(other.arms):
            raise InvalidInputError(
                "Only statistics of the same pairs, scenarios and interventions can be merged."
            )
        arms = tuple(a.merge(b) for a, b in zip(self.arms, other.arms, strict=True))
        sums = {n: getattr(self, n) + getattr(other, n) for n in _ARRAYS}
        return Statistics(**sums, arms=arms)

    @classmethod
    def joined(cls, parts: "list[Statistics]") -> Self:
        """Return the statistics of all pairs of `parts`, one after the other."""
        arms = tuple(cls.joined(list(arm)) for arm in zip(*(p.arms for p in parts), strict=True))
        whole = {n: np.concatenate([getattr(p, n) for p in parts]) for n in _ARRAYS}
        return cls(**whole, arms=arms)

    def pairs(self, part: slice) -> "Statistics":
        """Return the statistics of some of the pairs."""
        arms = tuple(arm.pairs(part) for arm in self.arms)
        return replace(self, **{n: getattr(self, n)[part] for n in _ARRAYS}, arms=arms)

    @property
    def _n(self) -> FloatArray:
        return np.maximum(self.replicas, 1).astype(np.float64)

    @property
    def means(self) -> FloatArray:
        """Return the mean of each of VARIABLES, (P, V)."""
        out: FloatArray = self.sums / SCALE / self._n[:, None]
        return out

    @property
    def variances(self) -> FloatArray:
        """Return the sample variance of each of VARIABLES, (P, V); 0 for one course."""
        n = self._n[:, None]
        spread = np.maximum(self.squares / SCALE / n - self.means**2, 0.0)
        return spread * n / np.maximum(n - 1.0, 1.0)

    def mean(self, variable: str) -> FloatArray:
        """Return the mean of one of VARIABLES, (P,)."""
        return self.means[:, VARIABLES.index(variable)]

    def quantiles(self, share: float) -> FloatArray:
        """Return the quantile of each of VARIABLES, (P, V), to about 1 / BINS of its range.

        Linear within a bin. share: 0.0 to 1.0.
        """
        cumulative = np.cumsum(self.histograms, axis=2, dtype=np.int64)
        wanted = share * self._n[:, None, None]
        place = np.minimum((cumulative < wanted).sum(axis=2), BINS - 1)
        inside = np.take_along_axis(self.histograms, place[..., None], axis=2)[..., 0]
        below = np.take_along_axis(cumulative, place[..., None], axis=2)[..., 0] - inside
        part = np.clip((wanted[..., 0] - below) / np.maximum(inside, 1), 0.0, 1.0)
        out: FloatArray = RANGES[:, 0] + (RANGES[:, 1] - RANGES[:, 0]) * (place + part) / BINS
        return out

    @property
    def turns(self) -> IntArray:
        """Return the turns taken in all courses, (P,)."""
        out: IntArray = self.acts.sum(axis=(1, 2))
        return out

    @property
    def together(self) -> FloatArray:
        """Return the share of courses after which the two are still together, (P,)."""
        out: FloatArray = self.ended[:, 0] / self._n
        return out

    @property
    def meet_again(self) -> FloatArray:
        """Return the shares of wishes to meet again: the first's, the second's, both, (P, 3)."""
        first, second, both = self.again[:, 1], self.again[:, 2], self.again[:, 3]
        return np.stack([first + both, second + both, both], axis=1) / self._n[:, None]

    @property
    def lived(self) -> IntArray:
        """Return how many courses lived each episode, (P, E)."""
        out: IntArray = self.endings.sum(axis=2)
        return out

    def share_of(self, classes: tuple[str, ...]) -> FloatArray:
        """Return the share of each person's acts that are of these classes, (P, 2)."""
        chosen: BoolArray = np.isin(_CLASS, classes)
        spoken = np.maximum(self.acts.sum(axis=2), 1)
        out: FloatArray = self.acts[..., chosen].sum(axis=2) / spoken
        return out

    @property
    def positive(self) -> FloatArray:
        """Return the share of each person's turns that are positive, (P, 2)."""
        out: FloatArray = self.acts[..., dynamics.POSITIVE_ACTS].sum(axis=2) / np.maximum(
            self.acts.sum(axis=2), 1
        )
        return out


_ARRAYS: Final = tuple(part.name for part in fields(Statistics) if part.name != "arms")


def empty(pairs: int, replicas: int, episodes: int, outcomes: int) -> Any:
    """Return arrays of zeros for `pairs` pairs, by the fields of Statistics."""
    v, e = len(VARIABLES), episodes
    shapes = {
        "sums": (v,), "squares": (v,), "acts": (2, len(ACTS)), "counts": (2, len(COUNTS)),
        "again": (4,), "ended": (e + 1,), "ended_by": (2,), "endings": (e, 5),
        "outcomes": (e, outcomes), "resolutions": (e, 5),
    }  # fmt: skip
    out: dict[str, Any] = {n: np.zeros((pairs, *s), dtype=np.int64) for n, s in shapes.items()}
    out["histograms"] = np.zeros((pairs, v, BINS), dtype=np.uint32)
    out["replicas"] = np.full(pairs, replicas, dtype=np.int64)
    return out


def fields_of(statistics: Statistics) -> dict[str, Any]:
    """Return the arrays of `statistics` by name."""
    return {name: getattr(statistics, name) for name in _ARRAYS}
