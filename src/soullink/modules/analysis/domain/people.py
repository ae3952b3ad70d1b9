"""The two people as the report shows them. Secrets, essays and deal-breakers stay out of it."""

from datetime import date
from statistics import NormalDist
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.analysis.api import PersonView, TraitView
from soullink.modules.analysis.domain.dimensions import Known
from soullink.modules.analysis.domain.wording.codes import TRAITS
from soullink.modules.analysis.domain.wording.people import UNKNOWN
from soullink.modules.personality.api import Estimate, Persona
from soullink.modules.profiles.api import DOMAINS, Profile

_NORMAL: Final = NormalDist()
Z80: Final = 1.281552
"""Half the width of an 80 % interval in standard deviations."""


def person_view(
    profile: Profile, persona: Persona, on: date | None, language: Language
) -> PersonView:
    """Return a person for the report. on: the day of the run, for the age."""
    return PersonView(
        id=str(profile.id),
        name=profile.name,
        age=profile.age if on is None else profile.age_on(on),
        pronouns=profile.pronouns,
        city=profile.city,
        occupation=profile.occupation,
        interests=profile.interests,
        traits=tuple(trait_view(name, persona.traits[name], language) for name in DOMAINS),
        attachment=(
            trait_view("anxiety", persona.anxiety, language),
            trait_view("avoidance", persona.avoidance, language),
        ),
        unknown=tuple({**TRAITS, **UNKNOWN}[code][language] for code in untold(profile, persona)),
    )


def trait_view(name: str, estimate: Estimate, language: Language) -> TraitView:
    """Return an estimate as a percentile: the normal distribution function at its mean and at the
    ends of its 80 % interval, which for "unknown" is 10 to 90."""
    low, middle, high = (
        100.0 * _NORMAL.cdf(estimate.mean + step * estimate.sd) for step in (-Z80, 0.0, Z80)
    )
    return TraitView(name, TRAITS[name][language], middle, low, high, estimate.source)


def untold(profile: Profile, persona: Persona) -> tuple[str, ...]:
    """Return codes of what a person did not tell: keys of wording.people.UNKNOWN and TRAITS."""
    traits = [name for name in DOMAINS if persona.traits[name].source == "unknown"]
    attachment = [
        name
        for name, estimate in (("anxiety", persona.anxiety), ("avoidance", persona.avoidance))
        if estimate.source == "unknown"
    ]
    missing = [
        ("age", profile.age is None and profile.birth_date is None),
        ("traits", len(traits) == len(DOMAINS)),
        ("attachment", len(attachment) == 2),
        ("values", all(e.source == "unknown" for e in persona.values.values())),
        ("interests", not profile.interests),
        ("goal", profile.wants.goal is None and profile.wants.text is None),
        ("children", profile.wants.children is None),
    ]
    codes = [code for code, is_missing in missing if is_missing]
    single = [] if len(traits) == len(DOMAINS) else list(traits)
    return (*codes, *single, *(attachment if len(attachment) == 1 else []))


def known_of(profiles: tuple[Profile, Profile], personas: tuple[Persona, Persona]) -> Known:
    """Return how much the two told that the simulation uses, and the interests they share."""
    estimates = [
        estimate
        for persona in personas
        for estimate in (
            *(persona.traits[name] for name in DOMAINS),
            persona.anxiety,
            persona.avoidance,
            *persona.values.values(),
        )
    ]
    theirs = {interest.casefold().strip() for interest in profiles[1].interests}
    shared = {
        interest.casefold().strip(): interest
        for interest in profiles[0].interests
        if interest.casefold().strip() in theirs
    }
    return Known(
        stated=sum(estimate.source != "unknown" for estimate in estimates),
        possible=len(estimates),
        shared=tuple(shared[key] for key in sorted(shared)),
    )
