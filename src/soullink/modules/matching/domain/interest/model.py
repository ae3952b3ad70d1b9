"""The interest model: the chance that one person says yes to another, and what it rests on.

In log-odds it is a sum: a part of who decides (choosiness), a part of whom it is about
(popularity) and a part of the two (age gap, shared interests, ...):

    logit P(a says yes to b) = intercept + actor(a) + partner(b) + pair(a, b)

What answers add was learned from real first dates (soullink_ml). What a person's own decisions,
and those of others about that person, add is an empirical-Bayes estimate: see `shrinkage`.
The sum is of the average member with these answers and this history; `chance` also knows how much
of that history there is, so its middle is the better chance and the sum the better order.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

import numpy as np

from soullink.modules.matching.domain.interest import artifact
from soullink.modules.matching.domain.interest.artifact import InvalidInterestModelError, Numbers
from soullink.modules.matching.domain.interest.people import FloatArray, People
from soullink.modules.matching.domain.interest.shrinkage import (
    PROBIT,
    Effect,
    damping,
    logistic,
    shrunk,
)
from soullink.modules.matching.domain.interest.terms import (
    Side,
    Term,
    by_part,
    pair_value,
    person_value,
    standard,
)

Whose: TypeAlias = Literal["decider", "other", "both"]
"""Whose answers a part rests on. What rests on the other's is not for the decider to read."""

INTERVAL_Z: Final = 1.2815515655446004
"""Normal quantile of .9: intervals hold 80 %."""
CHOOSINESS_HISTORY: Final = "choosiness_history"
POPULARITY_HISTORY: Final = "popularity_history"
_WHOSE: Final[Mapping[Side, Whose]] = {"actor": "decider", "partner": "other", "pair": "both"}
_SHIPPED: Final = "prior.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of the log-odds. name: stable, e.g. "age_gap". whose: whose answers it reads."""

    name: str
    whose: Whose


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one part adds to the log-odds of each pair.

    value: (n,) log-odds against an average person's answer; 0 where unknown.
    known: (n,) share of the answers it reads that are known, 0..1.
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


@dataclass(frozen=True)
class InterestModel:
    """Scores people in columns; pure and numpy only.

    Wherever two People are given they have the same length (row i with row i), or one of them
    has one row, which then meets all of the other's.
    """

    version: str
    numbers: Numbers

    @classmethod
    def shipped(cls) -> Self:
        """Return the cold-start prior that comes with the package."""
        content = resources.files(__package__).joinpath(_SHIPPED).read_text(encoding="utf-8")
        return cls.from_document(json.loads(content), _SHIPPED)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the model in an artifact file. Raises InvalidInterestModelError."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInterestModelError(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise InvalidInterestModelError(f"{path.name} is not JSON: {error}.") from error
        return cls.from_document(document, path.name)

    @classmethod
    def from_document(cls, document: object, source: str) -> Self:
        """Return the model in plain data; `source` names it in errors."""
        version, numbers = artifact.read(document, source)
        return cls(version, numbers)

    @property
    def intercept(self) -> float:
        """Log-odds of a yes between two people of whom nothing is known."""
        return self._damping * self.numbers.intercept

    def actor(self, people: People) -> FloatArray:
        """Return (n,) log-odds: how readily each says yes, by answers and own decisions."""
        answers = self._answers("actor", people)
        return self._damping * (answers + self._choosiness(people, answers).mean)

    def partner(self, people: People) -> FloatArray:
        """Return (n,) log-odds: how readily others say yes to each."""
        answers = self._answers("partner", people)
        return self._damping * (answers + self._popularity(people, answers).mean)

    def pair(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray:
        """Return (n,) log-odds of what lies between the two.

        likeness: (n,) correlation of their interests, -1..1, by whatever means (such as texts);
        NaN is unknown. Where left out it is taken from the columns `interests`.
        """
        total = np.zeros(_length(deciders, others))
        for term in self._of["pair"]:
            value = standard(term, pair_value(term, deciders, others, likeness))
            total += term.coefficient * np.nan_to_num(value)
        return self._damping * total

    def logit(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray:
        """Return (n,) log-odds that the decider says yes."""
        people = self.intercept + self.actor(deciders) + self.partner(others)
        return np.asarray(people + self.pair(deciders, others, likeness))

    def chance(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> Chance:
        """Return the calibrated chances with intervals.

        The variance behind them: people's effects beyond answers and history, the coefficients'
        own doubt, evenings, and for each unknown answer what it might have added.
        """
        n = _length(deciders, others)
        design = np.ones((n, 1 + len(self.numbers.terms)))
        missing = np.zeros(n)
        for index, term in enumerate(self.numbers.terms, start=1):
            value = np.broadcast_to(self._value(term, deciders, others, likeness), (n,))
            design[:, index] = np.nan_to_num(value)
            might_add = term.coefficient**2 + self.numbers.covariance[index, index]
            missing += np.where(np.isfinite(value), 0.0, might_add)
        choosy = self._choosiness(deciders, self._answers("actor", deciders))
        popular = self._popularity(others, self._answers("partner", others))
        coefficients = [self.numbers.intercept, *(term.coefficient for term in self.numbers.terms)]
        middle = design @ np.array(coefficients) + choosy.mean + popular.mean
        doubt = np.einsum("ij,jk,ik->i", design, self.numbers.covariance, design)
        variance = doubt + missing + choosy.variance + popular.variance + self.numbers.wave_sd**2
        spread = INTERVAL_Z * np.sqrt(variance)
        best = logistic(middle / np.sqrt(1.0 + PROBIT * variance))
        low, high = logistic(middle - spread), logistic(middle + spread)
        return Chance(best, np.minimum(low, best), np.maximum(high, best))

    def contributions(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> Mapping[str, Contribution]:
        """Return every part by name; with the intercept they sum to `logit`."""
        return {one.part.name: one for one in self._contributions(deciders, others, likeness)}

    def _contributions(
        self, deciders: People, others: People, likeness: FloatArray | None
    ) -> Iterator[Contribution]:
        n = _length(deciders, others)
        for side, terms in self._of.items():
            for part, members in by_part(terms).items():
                total, known = np.zeros(n), np.zeros(n)
                for term in members:
                    value = self._value(term, deciders, others, likeness)
                    total += term.coefficient * np.nan_to_num(value)
                    known += np.isfinite(value) / len(members)
                yield Contribution(Part(part, _WHOSE[side]), self._damping * total, known)
        answers = self._answers("actor", deciders)
        yield self._told(CHOOSINESS_HISTORY, "decider", self._choosiness, deciders, answers, n)
        answers = self._answers("partner", others)
        yield self._told(POPULARITY_HISTORY, "other", self._popularity, others, answers, n)

    def _told(
        self,
        name: str,
        whose: Whose,
        effect: Callable[[People, FloatArray], Effect],
        people: People,
        answers: FloatArray,
        n: int,
    ) -> Contribution:
        value = self._damping * effect(people, answers).mean
        count = people.decided if whose == "decider" else people.was_decided
        known = (count > 0.0).astype(np.float64)
        return Contribution(
            Part(name, whose),
            np.broadcast_to(value, (n,)).copy(),
            np.broadcast_to(known, (n,)).copy(),
        )

    @cached_property
    def _of(self) -> Mapping[Side, tuple[Term, ...]]:
        sides: tuple[Side, ...] = ("actor", "partner", "pair")
        return {
            side: tuple(term for term in self.numbers.terms if term.side == side) for side in sides
        }

    @cached_property
    def _damping(self) -> float:
        """What turns log-odds of two known people into those of two whose effects are unknown."""
        numbers = self.numbers
        return damping(numbers.actor_sd**2 + numbers.partner_sd**2 + numbers.wave_sd**2)

    def _answers(self, side: Side, people: People) -> FloatArray:
        total = np.zeros(len(people))
        for term in self._of[side]:
            value = standard(term, person_value(term, people))
            total += term.coefficient * np.nan_to_num(value)
        return total

    def _value(
        self, term: Term, deciders: People, others: People, likeness: FloatArray | None
    ) -> FloatArray:
        if term.side == "pair":
            return standard(term, pair_value(term, deciders, others, likeness))
        return standard(term, person_value(term, deciders if term.side == "actor" else others))

    def _choosiness(self, people: People, answers: FloatArray) -> Effect:
        base = self.numbers.intercept + answers
        sd, other_sd = self.numbers.actor_sd, self.numbers.partner_sd
        return shrunk(people.said_yes, people.decided, base, sd, other_sd)

    def _popularity(self, people: People, answers: FloatArray) -> Effect:
        base = self.numbers.intercept + answers
        sd, other_sd = self.numbers.partner_sd, self.numbers.actor_sd
        return shrunk(people.got_yes, people.was_decided, base, sd, other_sd)


def _length(deciders: People, others: People) -> int:
    if len(deciders) != len(others) and 1 not in {len(deciders), len(others)}:
        raise ValueError(f"{len(deciders)} deciders cannot meet {len(others)} others row by row.")
    return max(len(deciders), len(others)) if len(deciders) and len(others) else 0
