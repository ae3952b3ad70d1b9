"""How drawn two people are to each other before and after they meet.

Decisions of the Columbia speed dates (8,378 dates) split into actor .19, partner .16 and pair
plus error .65 of the variance of yes and no, with a residual dyadic reciprocity of .05. A share s
of a binary variable is a share sin(pi s / 2) of the normal behind it (tetrachoric correlation at
the median); the shares are fitted (parameters.py). None of it is predicted by what the two say of
themselves (Joel, Eastwick & Finkel 2017), so it is drawn anew in each replica and stays unknown.
"""

from typing import Final

import numpy as np

from soullink.modules.simulation.api import BoolArray, FloatArray
from soullink.modules.simulation.domain import randomness
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.domain.randomness import KeyArray, Purpose

AFFECT_MEAN: Final = 0.16
AFFECT_SD: Final = 0.09
"""Mean appraised affect of a first episode over a general population, and its spread."""


def general(keys: KeyArray, p: Parameters = CURRENT) -> FloatArray:
    """Return what i feels for j out of i's choosiness and j's appeal, (R, 2).

    keys: (R, 2), one per person; the same person keeps both with whomever they meet.
    """
    appeals = randomness.normal(keys, Purpose.PARTNER)
    own = randomness.normal(keys, Purpose.ACTOR)
    chooses = np.sqrt(1.0 - p.choosiness**2) * own - p.choosiness * appeals
    out: FloatArray = np.sqrt(p.actor_share) * chooses + np.sqrt(p.partner_share) * appeals[:, ::-1]
    return out


def spark(keys: KeyArray, env: KeyArray, p: Parameters = CURRENT) -> FloatArray:
    """Return the pair's own part for each person, (R, 2), standard normal, mildly mutual."""
    shared = randomness.normal(env, Purpose.SPARK)[:, None]
    own = randomness.normal(keys, Purpose.SPARK)
    out: FloatArray = np.sqrt(p.reciprocity) * shared + np.sqrt(1.0 - p.reciprocity) * own
    return out


def wants_again(
    base: FloatArray, sparks: FloatArray, felt: FloatArray, p: Parameters = CURRENT
) -> BoolArray:
    """Return whether each would see the other again after the first episode, (R, 2).

    base: `general`. sparks: `spark`. felt: mean appraised affect in the episode.
    """
    experience = np.clip((felt - AFFECT_MEAN) / AFFECT_SD, -3.0, 3.0)
    share = p.experience_share
    pair = np.sqrt(share) * experience + np.sqrt(1.0 - share) * sparks
    out: BoolArray = base + np.sqrt(p.pair_share) * pair > p.yes_threshold
    return out
