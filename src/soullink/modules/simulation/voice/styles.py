"""How somebody talks, from what is known of their character."""

import math
from collections.abc import Mapping
from typing import Final

from soullink.modules.personality.api import Persona
from soullink.modules.simulation.voice.port import STYLES

PLAIN_SCORE: Final = 0.9
"""What `plain` scores for everybody: a style must stand out by about one standard deviation."""

INVERSE_TEMPERATURE: Final = 2.0
"""One standard deviation more makes a style e^2 = 7.4 times as likely."""

LOADINGS: Final[Mapping[str, Mapping[str, float]]] = {
    "lively": {"extraversion": 1.0},
    "reserved": {"extraversion": -0.8, "avoidance": 0.5},
    "anxious": {"neuroticism": 0.8, "anxiety": 0.5},
    "orderly": {"conscientiousness": 1.0},
    "dreamy": {"openness": 1.0},
    "blunt": {"agreeableness": -1.0},
    "warm": {"agreeableness": 1.0},
}
"""Weights on means in standard deviations.

The pairings follow the markers of spoken and written style in Mairesse, Walker, Mehl & Moore
(2007), Using Linguistic Cues for the Automatic Recognition of Personality, JAIR 30, table 1,
and for attachment Mikulincer & Shaver (2007), Attachment in Adulthood, chapters 6 and 9. The
signs are theirs, the sizes ours.
"""


def style_weights(persona: Persona) -> Mapping[str, float]:
    """Return the weight 0.0..1.0 of each of STYLES for this persona; they sum to 1.

    A softmax over linear scores of the means. Where nothing is known all means are 0, so that
    `plain` has almost half of the weight and the others share the rest evenly.
    """
    means = {name: estimate.mean for name, estimate in persona.traits.items()}
    means["anxiety"] = persona.anxiety.mean
    means["avoidance"] = persona.avoidance.mean
    scores = {
        style: sum(weight * means.get(name, 0.0) for name, weight in LOADINGS[style].items())
        if style in LOADINGS
        else PLAIN_SCORE
        for style in STYLES
    }
    highest = max(scores.values())
    raised = {
        style: math.exp(INVERSE_TEMPERATURE * (score - highest)) for style, score in scores.items()
    }
    total = sum(raised.values())
    return {style: value / total for style, value in raised.items()}
