"""The interest model: the chance that one person says yes to another, and what it rests on.

In log-odds it is a sum: a part of who decides (choosiness), a part of whom it is about
(popularity) and a part of the two (age gap, shared interests, ...):

    logit P(a says yes to b) = intercept + actor(a) + partner(b) + pair(a, b)

The sum of answers is what was learned from real first dates. What a person's own decisions, and
those of others about that person, add is an empirical-Bayes estimate: see `shrinkage`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from soullink.modules.matching.domain.interest.people import FloatArray, People

Whose: TypeAlias = Literal["decider", "other", "both"]
"""Whose answers a part rests on. What rests on the other's is not for the decider to read."""

INTERVAL_Z: Final = 1.2815515655446004
"""Normal quantile of .9: intervals hold 80 %."""


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of the log-odds. name: stable, e.g. "age_gap". whose: whose answers it reads."""

    name: str
    whose: Whose


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one part adds to the log-odds of each pair.

    value: (n,) log-odds against an average person's answer; 0 where unknown.
    known: (n,) 1 where the answers it reads are known, 0 where not.
    """

    part: Part
    value: FloatArray
    known: FloatArray


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance of a yes, calibrated, with an 80 % interval of what one pair's may be.

    Each (n,), within 0..1. The less is known of the two, the wider.
    """

    middle: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class InterestModel:
    """Scores people in columns; pure and numpy only.

    Wherever two People are given they have the same length (row i with row i), or one of them
    has one row, which then meets all of the other's.
    """

    version: str

    @classmethod
    def shipped(cls) -> Self:
        """Return the cold-start prior that comes with the package."""
        raise NotImplementedError

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the model in an artifact file. Raises InvalidInterestModelError."""
        raise NotImplementedError

    @property
    def intercept(self) -> float:
        """Log-odds of a yes between two people of whom nothing is known."""
        raise NotImplementedError

    def actor(self, people: People) -> FloatArray:
        """Return (n,) log-odds: how readily each says yes, by answers and own decisions."""
        raise NotImplementedError

    def partner(self, people: People) -> FloatArray:
        """Return (n,) log-odds: how readily others say yes to each."""
        raise NotImplementedError

    def pair(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray:
        """Return (n,) log-odds of what lies between the two.

        likeness: (n,) correlation of their interests, -1..1, by whatever means (such as texts);
        NaN is unknown. Where left out it is taken from the columns `interests`.
        """
        raise NotImplementedError

    def logit(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray:
        """Return (n,) log-odds that the decider says yes."""
        raise NotImplementedError

    def chance(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> Chance:
        """Return the calibrated chances with intervals."""
        raise NotImplementedError

    def contributions(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> Mapping[str, Contribution]:
        """Return every part by name; with the intercept they sum to `logit`."""
        raise NotImplementedError
