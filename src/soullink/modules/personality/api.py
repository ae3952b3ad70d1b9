"""Personality: who somebody seems to be, with how sure we are. Nothing else here is public."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.modules.profiles.api import Answers, Inventory, Profile

HIGHER_ORDER_VALUES: tuple[str, ...] = (
    "openness_to_change",
    "self_enhancement",
    "conservation",
    "self_transcendence",
)
"""The four higher-order values of Schwartz (1992)."""

EstimateSource: TypeAlias = Literal["answers", "percentile", "level", "stated", "unknown"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A normal distribution over one attribute, in standard deviations of the population.

    mean 0.0 and sd 1.0 is "unknown": the population itself (same sex and age for traits).
    """

    mean: float
    sd: float
    source: EstimateSource


UNKNOWN = Estimate(0.0, 1.0, "unknown")


@dataclass(frozen=True, slots=True)
class Persona:
    """What the simulation knows of somebody's character.

    traits: all five domains (profiles.api.DOMAINS).
    facets: the thirty facets of IPIP-NEO by name (e.g. "anxiety"), where known; else empty.
    anxiety, avoidance: adult attachment.
    values: all four HIGHER_ORDER_VALUES, each relative to the person's own mean rating.
    """

    person: PersonId
    traits: Mapping[str, Estimate]
    facets: Mapping[str, Estimate]
    anxiety: Estimate
    avoidance: Estimate
    values: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Score:
    """One scored domain or facet.

    name: e.g. "neuroticism" or "anxiety"; domain: the domain it belongs to.
    raw: sum of keyed items. percentile: 0.0..100.0 within sex and age. z: standard deviations.
    sem: standard error of measurement in the same standard deviations.
    level: low, average or high, by the norm's 30th and 70th percentile.
    """

    name: str
    domain: str
    is_facet: bool
    raw: float
    percentile: float
    z: float
    sem: float
    level: Literal["low", "average", "high"]


@dataclass(frozen=True, slots=True)
class Item:
    """One question. number: from 1. key: +1 or -1 when reversed."""

    number: int
    domain: str
    facet: str
    key: int
    text_en: str | None
    text_zh: str | None


class ScoringError(InvalidInputError):
    """Answers cannot be scored; the message names the item."""

    code = "scoring"


class Personality(Protocol):
    """Scores questionnaires and turns a profile into a persona."""

    def persona(self, profile: Profile) -> Persona:
        """Return the persona of `profile`; what is unknown stays wide. Raises ScoringError."""
        ...

    def score(
        self, answers: Answers, sex: Literal["female", "male"] | None, age: int | None
    ) -> list[Score]:
        """Return 5 domain and 30 facet scores. Unknown sex or age: norms are averaged.

        Raises ScoringError.
        """
        ...

    def is_straight_line(self, answers: Answers) -> bool:
        """Tell whether one number runs on over a third of the answers: personas ignore these."""
        ...

    def items(self, inventory: Inventory) -> list[Item]:
        """Return the questions of `inventory` in order."""
        ...
