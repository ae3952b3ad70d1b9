"""Scores questionnaires and turns profiles into personas."""

from datetime import date
from typing import Literal

from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError
from soullink.modules.personality import questionnaire, scoring
from soullink.modules.personality.api import UNKNOWN, Estimate, Item, Persona, Score
from soullink.modules.personality.domain import (
    estimate_of_attachment,
    estimate_of_level,
    estimate_of_percentile,
    estimates_of_values,
    is_straight_line,
)
from soullink.modules.profiles.api import DOMAINS, FACETS, Answers, Inventory, Profile


class NormedPersonality:
    """Personality by published norms; `clock` gives the day on which a birth date makes an age."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def persona(self, profile: Profile) -> Persona:
        """Return the persona of `profile`. Raises ScoringError.

        Of several descriptions of one trait, answers count before a percentile before a level.
        Answers in a straight line leave every trait unknown.
        """
        known = _traits(profile, self._clock.now().date())
        attachment = profile.attachment
        return Persona(
            person=profile.id,
            traits={domain: known.get(domain, UNKNOWN) for domain in DOMAINS},
            facets={
                facet: known[facet]
                for domain in DOMAINS
                for facet in FACETS[domain]
                if facet in known
            },
            anxiety=estimate_of_attachment("anxiety", attachment.anxiety),
            avoidance=estimate_of_attachment("avoidance", attachment.avoidance),
            values=estimates_of_values(profile.values),
        )

    def score(
        self, answers: Answers, sex: Literal["female", "male"] | None, age: int | None
    ) -> list[Score]:
        return scoring.score(answers, sex, age)

    def is_straight_line(self, answers: Answers) -> bool:
        return is_straight_line(answers.answers)

    def items(self, inventory: Inventory) -> list[Item]:
        if inventory not in questionnaire.LENGTHS:
            known = ", ".join(questionnaire.LENGTHS)
            raise InvalidInputError(f"The inventory '{inventory}' is not known; use {known}.")
        return list(questionnaire.items(inventory))


def _traits(profile: Profile, today: date) -> dict[str, Estimate]:
    known = {name: estimate_of_level(level) for name, level in profile.levels.items()}
    known |= {name: estimate_of_percentile(value) for name, value in profile.percentiles.items()}
    if profile.answers is None:
        return known
    scores = scoring.score(profile.answers, profile.sex, profile.age_on(today))
    if scoring.is_careless(profile.answers):
        return known
    return known | {score.name: Estimate(score.z, score.sem, "answers") for score in scores}
