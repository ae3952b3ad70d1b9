"""How character becomes a way of talking."""

import pytest

from soullink.kernel.ids import PersonId
from soullink.modules.personality.api import UNKNOWN, Estimate, Persona
from soullink.modules.profiles.api import DOMAINS
from soullink.modules.simulation.voice.port import STYLES
from soullink.modules.simulation.voice.styles import style_weights


def a_persona(**means: float) -> Persona:
    def estimate(name: str) -> Estimate:
        return Estimate(means[name], 0.3, "percentile") if name in means else UNKNOWN

    return Persona(
        person=PersonId("ada"),
        traits={domain: estimate(domain) for domain in DOMAINS},
        facets={},
        anxiety=estimate("anxiety"),
        avoidance=estimate("avoidance"),
        values={},
    )


def test_an_unknown_character_is_mostly_plain_and_otherwise_mixed() -> None:
    weights = style_weights(a_persona())
    assert max(weights, key=weights.__getitem__) == "plain"
    assert 0.3 < weights["plain"] < 0.6
    assert len({round(w, 12) for style, w in weights.items() if style != "plain"}) == 1


@pytest.mark.parametrize(
    ("style", "means"),
    [
        ("lively", {"extraversion": 1.5}),
        ("reserved", {"extraversion": -1.5, "avoidance": 1.0}),
        ("anxious", {"neuroticism": 1.5, "anxiety": 1.0}),
        ("orderly", {"conscientiousness": 1.5}),
        ("dreamy", {"openness": 1.5}),
        ("blunt", {"agreeableness": -1.5}),
        ("warm", {"agreeableness": 1.5}),
    ],
)
def test_a_marked_trait_leads_to_its_style(style: str, means: dict[str, float]) -> None:
    weights = style_weights(a_persona(**means))
    assert max(weights, key=weights.__getitem__) == style
    assert weights[style] > 0.5


def test_weights_cover_every_style_and_sum_to_one() -> None:
    weights = style_weights(a_persona(openness=8.0, neuroticism=-8.0))
    assert set(weights) == set(STYLES)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert all(0.0 <= weight <= 1.0 for weight in weights.values())


def test_a_calm_person_is_no_more_anxious_than_an_unknown_one() -> None:
    calm, unknown = style_weights(a_persona(neuroticism=-1.0)), style_weights(a_persona())
    assert calm["anxious"] < unknown["anxious"]
