"""Scores questionnaires with the norms of five-factor-e."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from ipipneo import IpipNeo

from soullink.modules.personality.api import Score, ScoringError
from soullink.modules.personality.domain import (
    EXTREME_PERCENTILES,
    is_straight_line,
    level_of_percentile,
    standard_error,
    z_of_percentile,
)
from soullink.modules.personality.questionnaire import (
    LENGTHS,
    domain_reliability,
    facet_reliability,
    items,
)
from soullink.modules.profiles.api import DOMAINS, FACETS, Answers, Inventory

_AGE_BANDS: dict[Inventory, tuple[int, ...]] = {
    "ipip-neo-120": (30, 50, 70),
    "ipip-neo-300": (30,),
}
"""One age out of each band of adults that the norms of an inventory know (21-40, 41-60, over 60;
over 20 for the long form)."""

_NORM_AGES = (10, 110)

_Sex = Literal["female", "male"] | None


def check(answers: Answers) -> None:
    """Raise ScoringError, naming the item, unless every item has an answer of 1 to 5."""
    if answers.inventory not in LENGTHS:
        known = ", ".join(LENGTHS)
        raise ScoringError(f"The inventory '{answers.inventory}' is not known; use {known}.")
    wanted, given = LENGTHS[answers.inventory], len(answers.answers)
    for number, answer in enumerate(answers.answers[:wanted], start=1):
        if isinstance(answer, bool) or not isinstance(answer, int) or not 1 <= answer <= 5:
            raise ScoringError(
                f"Item {number} is {repr(answer)[:60]}; every answer is a whole number from 1 to 5."
            )
    if given < wanted:
        raise ScoringError(
            f"Item {given + 1} has no answer: {answers.inventory} has {wanted} items, "
            f"but {given} are answered."
        )
    if given > wanted:
        raise ScoringError(
            f"Item {wanted + 1} does not exist: {answers.inventory} has {wanted} items, "
            f"but {given} answers are given."
        )


def score(answers: Answers, sex: _Sex, age: int | None) -> list[Score]:
    """Return the five domains, each followed by its six facets. Raises ScoringError.

    raw is the sum of the items, reversed ones as 6 minus the answer. The percentile is that of
    five-factor-e for sex and age (norms of Johnson), held to EXTREME_PERCENTILES; where sex is
    unknown it averages the norms of women and men, where age is unknown we average the percentiles
    over the age bands. A straight line of answers says nothing: then sem is 1.0, as wide as the
    population.
    """
    check(answers)
    return list(_scored(answers, sex, age))


@lru_cache(maxsize=1024)  # one person is met by many others
def _scored(answers: Answers, sex: _Sex, age: int | None) -> tuple[Score, ...]:
    percentiles = _percentiles(answers, sex, age)
    sums = _sums(answers)
    inventory = answers.inventory
    careless = is_careless(answers)
    scores: list[Score] = []
    for domain in DOMAINS:
        names = (domain, *FACETS[domain])
        for name in names:
            is_facet = name != domain
            reliability = (
                facet_reliability(inventory, domain, name)
                if is_facet
                else domain_reliability(inventory, domain)
            )
            percentile = percentiles[name]
            scores.append(
                Score(
                    name=name,
                    domain=domain,
                    is_facet=is_facet,
                    raw=float(sums[name]),
                    percentile=percentile,
                    z=z_of_percentile(percentile),
                    sem=1.0 if careless else standard_error(reliability),
                    level=level_of_percentile(percentile),
                )
            )
    return tuple(scores)


@lru_cache(maxsize=1024)
def is_careless(answers: Answers) -> bool:
    """Tell whether one answer runs on over much of the questionnaire; see domain.py."""
    return is_straight_line(answers.answers)


def _sums(answers: Answers) -> dict[str, int]:
    sums: dict[str, int] = {}
    for item, answer in zip(items(answers.inventory), answers.answers, strict=True):
        keyed = answer if item.key > 0 else 6 - answer
        sums[item.domain] = sums.get(item.domain, 0) + keyed
        sums[item.facet] = sums.get(item.facet, 0) + keyed
    return sums


def _percentiles(answers: Answers, sex: _Sex, age: int | None) -> Mapping[str, float]:
    letter = {"female": "F", "male": "M", None: "N"}[sex]
    low, high = _NORM_AGES
    ages = _AGE_BANDS[answers.inventory] if age is None else (min(max(age, low), high),)
    found = [_five_factor_e(answers, letter, one_age) for one_age in ages]
    return {name: _hold([one[name] for one in found]) for name in found[0]}


def _hold(percentiles: Sequence[float]) -> float:
    low, high = EXTREME_PERCENTILES
    held = [min(max(percentile, low), high) for percentile in percentiles]
    return sum(held) / len(held)


def _five_factor_e(answers: Answers, sex: str, age: int) -> dict[str, float]:
    """Return the percentile that the library computes for each domain and facet."""
    selected = [
        {"id_question": number, "id_select": answer}
        for number, answer in enumerate(answers.answers, start=1)
    ]
    result: dict[str, Any] = IpipNeo(LENGTHS[answers.inventory]).compute(
        sex=sex, age=age, answers={"answers": selected}
    )
    found: dict[str, float] = {}
    for entry in result["person"]["result"]["personalities"]:
        for domain in DOMAINS:
            if domain in entry:
                found[domain] = float(entry[domain][domain[0].upper()])
                for trait in entry[domain]["traits"]:
                    facet = FACETS[domain][trait["trait"] - 1]
                    found[facet] = float(trait[facet])
    return found
