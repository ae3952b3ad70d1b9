"""Who met whom, who said yes, and the groups that the audit compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from soullink_ml.datasets.speed_dates import SpeedDates
from soullink_ml.fairness.resampling import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates in both directions: row r is what person `viewer[r]` decided about `shown[r]`.

    viewer, shown, said_yes (0 or 1), reverse (the row of the other direction): (rows,).
    wave, side (0 woman, 1 man): (people,). groups: attribute -> label of every person, "" unknown.
    person_features (people, p) and pair_features (rows, q) hold sign-up answers only, NaN unknown.
    source: the file's dates, of which these are the rows `source_rows`; None for made-up ones.
    """

    viewer: IntArray
    shown: IntArray
    said_yes: FloatArray
    reverse: IntArray
    wave: IntArray
    side: IntArray
    groups: Mapping[str, tuple[str, ...]]
    person_features: FloatArray
    pair_features: FloatArray
    source: SpeedDates | None = None
    source_rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def matched(self) -> FloatArray:
        """1 where both said yes, (rows,)."""
        return self.said_yes * self.said_yes[self.reverse]

    @property
    def wave_of_row(self) -> IntArray:
        """The wave of every row, (rows,)."""
        return self.wave[self.viewer]

    @property
    def cell(self) -> IntArray:
        """One number for each side of each wave, (people,)."""
        return self.wave * 2 + self.side

    @property
    def people(self) -> int:
        """How many people."""
        return int(self.wave.size)


@dataclass(frozen=True, slots=True)
class Scores:
    """decision: P(viewer says yes to shown); match: P(both do); each (rows,)."""

    decision: FloatArray
    match: FloatArray


Predictor: TypeAlias = Callable[[Dates, IntArray, Dates, IntArray], Scores]
"""Learns from whole waves of the first dates and scores whole waves of the second.

The waves are given by their rows; nothing of a wave that is scored is among those learned from.
"""


def of_independent(chances: FloatArray, reverse: IntArray) -> Scores:
    """Return scores whose matches are the product of both decisions. reverse: within `chances`."""
    return Scores(chances, chances * chances[reverse])
