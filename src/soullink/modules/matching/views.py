"""Puts together what each side of a pair is told, from the crowd's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.matching.api import Candidate, Degradation, Explanation
from soullink.modules.matching.crowd import Crowd
from soullink.modules.matching.domain import wording
from soullink.modules.matching.domain.explanation import Lived, View, explain
from soullink.modules.matching.domain.interest.model import Chance, InterestModel


@dataclass(frozen=True, slots=True)
class Pairing:
    """What was found of two people. alike, distance_km: NaN where unknown."""

    alike: float
    distance_km: float
    lived: Lived | None = None
    explored: bool = False


def told(
    crowd: Crowd, reader: Candidate, other: Candidate, pairing: Pairing, language: Language | None
) -> Explanation:
    """Return what `reader` is told of `other`, in the reader's language unless another is asked."""
    mine, theirs = crowd.facts(reader), crowd.facts(other)
    contributions, chance = None, None
    model = crowd.interest
    if crowd.learned and isinstance(model, InterestModel):
        people = crowd.columns([reader, other], [mine, theirs])
        one, two = people.take(np.array([0])), people.take(np.array([1]))
        likeness = np.array([pairing.alike])
        contributions = model.contributions(one, two, likeness)
        chance = _triple(model.chance(one, two, likeness))
    view = View(
        reader=reader,
        other=other,
        mine=mine,
        theirs=theirs,
        alike=_known(pairing.alike),
        distance_km=_known(pairing.distance_km),
        contributions=contributions,
        chance=chance,
        lived=pairing.lived,
        explored=pairing.explored,
    )
    return explain(view, language or reader.profile.language)


def degradations(found: Mapping[Degradation, bool], language: Language) -> dict[Degradation, str]:
    """Return a sentence for each thing that was left out."""
    return {code: wording.DEGRADED[code][language] for code, missing in found.items() if missing}


def _triple(chance: Chance) -> tuple[float, float, float]:
    return float(chance.low[0]), float(chance.middle[0]), float(chance.high[0])


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
